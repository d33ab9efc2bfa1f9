package github

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// spoolWindow is how long a busy writer collects before it commits: one sync
	// of the disk then serves all that arrived meanwhile.
	spoolWindow = 2 * time.Millisecond
	spoolBatch  = 128
	// spoolQueue is how many may wait; beyond it senders are told to come back.
	spoolQueue = 1024
	// touchEvery bounds how often a hook's last delivery is written.
	touchEvery = 5 * time.Second
)

// arrival is a delivery on its way into the database.
type arrival struct {
	row    deliveryRow
	stored string // id of the row that holds it
	again  bool   // it was there already
	err    error
	done   chan struct{}
}

// spool is the one writer of deliveries on this node.
type spool struct {
	service *Service
	in      chan *arrival
	end     chan struct{}
	stopped sync.WaitGroup
	touched map[string]int64
}

func newSpool(s *Service) *spool {
	return &spool{service: s, in: make(chan *arrival, spoolQueue), end: make(chan struct{}), touched: map[string]int64{}}
}

func (p *spool) start(ctx context.Context) { p.stopped.Go(func() { p.run(ctx) }) }

func (p *spool) stop() {
	close(p.end)
	p.stopped.Wait()
}

// keep stores the delivery durably, and returns the id under which it is known.
func (s *Service) keep(ctx context.Context, row deliveryRow) (id string, duplicate bool, err error) {
	if row.Size > inlineBody {
		ref, err := s.Blobs.Put(ctx, row.TeamID, bytes.NewReader(row.Body), maxBody)
		if err != nil {
			return "", false, err
		}
		row.Blob, row.Body = ref.SHA256, nil
	}
	a := &arrival{row: row, done: make(chan struct{})}
	select {
	case s.spool.in <- a:
	case <-s.spool.end:
		return "", false, problem.New(problem.Unavailable, "The server is stopping. Send it again.")
	default:
		return "", false, busy()
	}
	select {
	case <-a.done:
		return a.stored, a.again, a.err
	case <-s.spool.end: // the writer's last batch may hold it: look once more
		s.spool.stopped.Wait()
		select {
		case <-a.done:
			return a.stored, a.again, a.err
		default:
			return "", false, problem.New(problem.Unavailable, "The server is stopping. Send it again.")
		}
	}
}

func (p *spool) run(ctx context.Context) {
	var last time.Time
	for {
		select {
		case <-p.end:
			p.drain(ctx)
			return
		case first := <-p.in:
			// A writer that was idle commits at once; one that has just committed
			// is under load and collects.
			var window time.Duration
			if rest := spoolWindow - time.Since(last); rest > 0 {
				window = rest
			}
			p.write(ctx, p.collect(first, window))
			last = time.Now()
		}
	}
}

func (p *spool) drain(ctx context.Context) {
	for {
		select {
		case a := <-p.in:
			p.write(ctx, p.collect(a, 0))
		default:
			return
		}
	}
}

func (p *spool) collect(first *arrival, window time.Duration) []*arrival {
	batch := []*arrival{first}
	var timeout <-chan time.Time
	if window > 0 {
		timer := time.NewTimer(window)
		defer timer.Stop()
		timeout = timer.C
	}
	for len(batch) < spoolBatch {
		if timeout == nil {
			select {
			case a := <-p.in:
				batch = append(batch, a)
				continue
			default:
				return batch
			}
		}
		select {
		case a := <-p.in:
			batch = append(batch, a)
		case <-timeout:
			timeout = nil // take what is there, then go
		}
	}
	return batch
}

func (p *spool) write(ctx context.Context, batch []*arrival) {
	if err := p.commit(ctx, batch); err != nil && len(batch) > 1 {
		// One bad row, such as that of a hook just deleted, must not fail the others.
		for _, a := range batch {
			a.err = p.explain(ctx, a, p.commit(ctx, []*arrival{a}))
		}
	} else if err != nil {
		batch[0].err = p.explain(ctx, batch[0], err)
	}
	for _, a := range batch {
		close(a.done)
	}
	p.service.wakeDigest()
}

// explain turns the failure to store a delivery of a hook that was deleted after it
// was found into what everybody hears of a hook that does not exist. The row refers to
// the hook's, so asking for that is surer than reading databases' codes.
func (p *spool) explain(ctx context.Context, a *arrival, err error) error {
	if err == nil {
		return nil
	}
	if _, gone := p.service.findHook(ctx, a.row.HookID); problem.Is(gone, problem.NotFound) {
		p.service.hooks.forget(a.row.HookID)
		return gone
	}
	return err
}

func (p *spool) commit(ctx context.Context, batch []*arrival) error {
	s := p.service
	touched := map[string]int64{}
	rows := make([]deliveryRow, len(batch))
	for i, a := range batch {
		rows[i] = a.row
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		inserted, err := s.insertDeliveries(ctx, rows...)
		if err != nil {
			return fmt.Errorf("store deliveries: %w", err)
		}
		for _, a := range batch {
			if err := p.settle(ctx, a, inserted[a.row.ID]); err != nil {
				return err
			}
			if a.row.Gap { // fetched: it proves nothing about the hook
				continue
			}
			if key := a.row.HookID + a.row.pingMark(); a.row.ReceivedAt-p.touched[key] > touchEvery.Milliseconds() && touched[key] == 0 {
				if err := s.touchHook(ctx, a.row.HookID, a.row.ReceivedAt, a.row.Event == "ping"); err != nil {
					return err
				}
				if err := s.learn(ctx, a.row); err != nil {
					return err
				}
				touched[key] = a.row.ReceivedAt
			}
		}
		return p.announce(ctx, batch)
	})
	if err == nil {
		for key, at := range touched {
			p.touched[key] = at
		}
	}
	return err
}

func (r deliveryRow) pingMark() string {
	if r.Event == "ping" {
		return "+"
	}
	return ""
}

// settle says to the arrival where it is stored, and owns its body if that is new.
func (p *spool) settle(ctx context.Context, a *arrival, inserted bool) (err error) {
	s := p.service
	a.stored, a.again = a.row.ID, !inserted
	if a.again {
		a.stored, err = s.deliveryOf(ctx, a.row.HookID, *a.row.GUID)
		return err
	}
	if a.row.Blob != "" {
		return s.Blobs.Own(ctx, a.row.TeamID, a.row.Blob, blobKind, a.row.ID)
	}
	return nil
}

// announce tells browsers once per hook.
func (p *spool) announce(ctx context.Context, batch []*arrival) error {
	told := map[string]bool{}
	for _, a := range batch {
		if told[a.row.HookID] {
			continue
		}
		told[a.row.HookID] = true
		if err := p.service.publish(ctx, a.row.TeamID, deliveryTopic, a.row.HookID); err != nil {
			return err
		}
	}
	return nil
}
