package courier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/signalbox/signalbox/agents/apply"
	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/portal"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/agents/report"
	"github.com/signalbox/signalbox/agents/stage"
)

// Worker is the root half, here or behind its socket.
type Worker interface {
	Do(ctx context.Context, o apply.Order) (apply.Outcome, error)
	Condemn(ctx context.Context, o apply.Order, exit protocol.Exit, reason string) (apply.Outcome, error)
	Status(ctx context.Context) (apply.Status, error)
	Reports(ctx context.Context, above int64) ([]protocol.Report, error)
}

// Options is what a Courier is made of.
type Options struct {
	Dir    string // its own folder
	Root   host.Root
	Agent  string
	Client *portal.Client
	Worker Worker
	Now    func() time.Time
	Log    *slog.Logger
	// Interval is between check-ins until the portal says otherwise.
	Interval time.Duration
	// Floor and Patience are the stager's.
	Floor    int64
	Patience time.Duration
}

// Courier is the network half. Tick is for one goroutine.
type Courier struct {
	Options
	trust    *bundle.Trust // nil: nothing is pinned yet
	reports  *report.Queue
	stager   *stage.Stager
	machine  protocol.Machine
	versions inventory

	order *kept // nil: nothing is asked
	// phase is staging or staged, while the worker has not begun.
	phase protocol.State
	// doing carries what is to be done here after a fetch or the worker's run;
	// nil: neither is going on.
	doing chan func()
	// fetching ends the fetch that is going on.
	fetching context.CancelFunc
	// again is when the order is worth another try; zero: at once.
	again   time.Time
	due     time.Time // of the next check-in
	online  bool      // the last one reached the portal
	refused protocol.NodeState
	failed  int // check-ins in a row

	about string // which order said is about
	said  map[string]bool

	mu       sync.Mutex
	progress *protocol.Progress
}

// kept is the last order, as it lies on disk.
type kept struct {
	Envelope *protocol.Envelope `json:"envelope"`
	Release  []string           `json:"release,omitempty"`
	// Staged is for which manifest everything was fetched, while the link was there to make sure of its freshness.
	Staged   string `json:"staged,omitempty"`
	Manifest []byte `json:"manifest,omitempty"`

	plan protocol.Assignment
}

const orderFile = "order.json"

// New opens the folder.
func New(o Options) (*Courier, error) {
	c := &Courier{Options: o}
	var err error
	if c.machine, err = o.Root.Machine(); err != nil {
		return nil, err
	}
	if c.reports, err = report.Open(filepath.Join(o.Dir, "reports")); err != nil {
		return nil, err
	}
	if c.trust, err = bundle.OpenTrust(c.trustDir()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	spool := Spool(o.Dir)
	if err := os.MkdirAll(spool, 0o700); err != nil {
		return nil, fmt.Errorf("make the spool: %w", err)
	}
	c.stager = &stage.Stager{Dir: spool, Get: o.Client.Get, Now: c.clock, Floor: o.Floor, Patience: o.Patience, Progress: c.setProgress}
	return c, c.readOrder()
}

// Spool is where blobs lie in a courier's folder.
func Spool(dir string) string { return filepath.Join(dir, "spool") }

func (c *Courier) trustDir() string { return filepath.Join(c.Dir, "trust") }

// clock is the machine's, or the portal's where the two are more than a day apart.
func (c *Courier) clock() time.Time { return c.Now().Add(c.Client.Offset()) }

// Pin makes the first roots trusted in a courier's folder, as enrolment does.
func Pin(dir string, roots [][]byte) error {
	trust := filepath.Join(dir, "trust")
	if _, err := bundle.OpenTrust(trust); err == nil {
		return nil
	}
	_, err := bundle.InitTrust(trust, roots)
	return err
}

func (c *Courier) setProgress(p protocol.Progress) {
	c.mu.Lock()
	c.progress = &p
	c.mu.Unlock()
}

func (c *Courier) readOrder() error {
	raw, err := os.ReadFile(filepath.Join(c.Dir, orderFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var k kept
	if err == nil {
		err = json.Unmarshal(raw, &k)
	}
	if err == nil && k.Envelope != nil {
		err = json.Unmarshal(k.Envelope.Payload, &k.plan)
	}
	if err != nil {
		// It comes again with the next check-in.
		c.Log.Warn("the kept order cannot be read", "error", err)
		return nil
	}
	if k.Envelope != nil {
		c.order, c.phase = &k, protocol.StateStaging
		if k.Staged != "" {
			c.phase = protocol.StateStaged
		}
	}
	return nil
}

func (c *Courier) keepOrder() error {
	var k kept
	if c.order != nil {
		k = *c.order
	}
	raw, err := json.Marshal(k)
	if err == nil {
		err = journal.Replace(filepath.Join(c.Dir, orderFile), raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the order: %w", err)
	}
	return nil
}

// Run works until the context ends.
func (c *Courier) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case then := <-c.doing: // nil blocks for ever, which is right
			c.after(then)
		}
		timer.Reset(c.Tick(ctx))
		if c.doing == nil {
			debug.FreeOSMemory() // for minutes there is nothing to do, and the machine is small
		}
	}
}

// after ends what went on beside, and lets the portal know soon.
func (c *Courier) after(then func()) {
	c.doing, c.due = nil, time.Time{}
	then()
}

// Tick does once all that there is to do, and says when to come again.
func (c *Courier) Tick(ctx context.Context) time.Duration {
	select {
	case then := <-c.doing:
		c.after(then)
	default:
	}
	if !c.online {
		c.work(ctx) // a window does not wait for a portal that may not answer
	}
	if !c.Now().Before(c.due) {
		next, err := c.checkIn(ctx)
		if c.online = err == nil; err != nil {
			c.Log.Info("the portal is not reached", "error", err)
		}
		c.due = c.Now().Add(next)
	}
	c.work(ctx)
	if c.online {
		if err := c.pushReports(ctx); err != nil {
			c.Log.Info("reports wait", "error", err)
		}
	}
	next := c.due.Sub(c.Now())
	if !c.again.IsZero() && c.order != nil && c.doing == nil {
		next = min(next, c.again.Sub(c.clock()))
	}
	return max(next, 200*time.Millisecond)
}

// wait is how long to leave the portal alone: what it asked for, or after
// failures ever longer, and never the same for two nodes.
func (c *Courier) wait(answer *protocol.CheckInAnswer, err error) time.Duration {
	if err == nil {
		c.failed = 0
		if answer.NextInSeconds > 0 {
			return min(time.Duration(answer.NextInSeconds)*time.Second, time.Hour)
		}
		return c.Interval
	}
	var r *portal.Refusal
	if errors.As(err, &r) && r.After > 0 {
		return r.After + time.Duration(rand.Int64N(int64(r.After)/2+1))
	}
	every := min(10*time.Second<<min(c.failed, 10), c.Interval)
	c.failed++
	return time.Duration(float64(every) * (0.8 + 0.4*rand.Float64()))
}

func (c *Courier) checkIn(ctx context.Context) (time.Duration, error) {
	in, err := c.message(ctx)
	if err != nil {
		return c.wait(nil, err), err // the worker may be about to start
	}
	answer, err := c.Client.CheckIn(ctx, in)
	if err == nil {
		err = c.heard(ctx, in, answer)
	}
	if portal.Revoked(err) && c.order != nil {
		// What is installed stays; nothing new is taken.
		c.Log.Error("the portal has revoked this node")
		c.order = nil
		if err := c.keepOrder(); err != nil {
			c.Log.Error("forget the order", "error", err)
		}
	}
	return c.wait(&answer, err), err
}

// heard takes in what the portal said.
func (c *Courier) heard(ctx context.Context, in protocol.CheckIn, answer protocol.CheckInAnswer) error {
	c.refused = answer.State
	if answer.State != protocol.NodeAccepted {
		return nil
	}
	if answer.WantInventory {
		if err := c.Client.Inventory(ctx, c.versions.raw); err != nil {
			return err
		}
	}
	if answer.Assignment == nil {
		if c.order == nil {
			return nil
		}
		c.order = nil
		return c.keepOrder()
	}
	if c.order != nil && string(c.order.Envelope.Payload) == string(answer.Assignment.Payload) && len(answer.ReleaseQuarantine) == 0 {
		return nil
	}
	var plan protocol.Assignment
	if err := json.Unmarshal(answer.Assignment.Payload, &plan); err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	next := &kept{Envelope: answer.Assignment, Release: answer.ReleaseQuarantine, plan: plan}
	if old := c.order; old != nil && old.plan.Bundle == plan.Bundle && old.plan.ManifestSHA256 == plan.ManifestSHA256 {
		next.Manifest, next.Staged = old.Manifest, old.Staged
	} else {
		c.phase = protocol.StateStaging
		if c.fetching != nil {
			c.fetching()
		}
	}
	c.order, c.again = next, time.Time{}
	return c.keepOrder()
}

// pushReports takes over what the worker says and brings all to the portal.
func (c *Courier) pushReports(ctx context.Context) error {
	if err := c.collect(ctx); err != nil {
		return err
	}
	if c.refused != protocol.NodeAccepted {
		return nil
	}
	for c.reports.Len() > 0 {
		list := c.reports.First(0, protocol.MaxReports)
		for size, i := 0, 0; i < len(list); i++ {
			if size += len(list[i].Details) + len(list[i].Message) + 512; size > protocol.MaxReportsBody*3/4 {
				list = list[:max(1, i)]
				break
			}
		}
		if len(list) == 0 {
			return c.reports.Acked(1<<63 - 1) // none can be read any more
		}
		acked, err := c.Client.Reports(ctx, list)
		if err != nil {
			return err
		}
		if acked < list[0].Seq {
			return fmt.Errorf("the portal has acknowledged %d and %d waits", acked, list[0].Seq)
		}
		if err := c.reports.Acked(acked); err != nil {
			return err
		}
	}
	return nil
}

func (c *Courier) collect(ctx context.Context) error {
	for {
		list, err := c.Worker.Reports(ctx, c.reports.Origin())
		if err != nil || len(list) == 0 {
			return err
		}
		for _, r := range list {
			if err := c.reports.TakeOver(r); err != nil {
				return err
			}
		}
	}
}

// say queues a report of this half, once for each thing that is said of an order.
func (c *Courier) say(state protocol.State, exit *protocol.Exit, message string) {
	r := protocol.Report{At: c.clock().UTC(), State: state, Exit: exit, Message: message}
	if c.order != nil {
		r.Rollout, r.Bundle = c.order.plan.Rollout, c.order.plan.Bundle
	}
	about := r.Rollout + "\n" + r.Bundle
	if c.about != about || len(c.said) > 100 {
		c.about, c.said = about, map[string]bool{}
	}
	key := string(state) + message
	if c.said[key] {
		return
	}
	c.said[key] = true
	if _, err := c.reports.Append(r); err != nil {
		c.Log.Error("a report is lost", "error", err)
	}
}
