package issues

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// segmentBytes is when the next file is begun: what is digested goes file by file.
	segmentBytes = 32 << 20
	// groupBytes bounds what one sync makes durable.
	groupBytes = 8 << 20
	spoolQueue = 4096
	// togetherBytes is what one call of the system writes of small records.
	togetherBytes = 256 << 10
)

// arrival is the records of one request on their way to the disk.
type arrival struct {
	raw  []byte
	err  error
	done chan struct{}
}

// spool is this node's append-only log of accepted items. One goroutine writes;
// one sync of the disk serves all requests that wait for it.
type spool struct {
	dir string
	max int64
	log *slog.Logger

	in      chan *arrival
	end     chan struct{}
	written sync.WaitGroup
	sync    func(*os.File) error // tests let it fail

	// Only the writer touches these.
	file   *os.File
	opened int64 // where file begins
	broken bool  // file may hold bytes that nobody was told are safe
	// together is where records that are written at once lie side by side.
	together []byte

	mu       sync.Mutex
	segments []segment
	durable  int64 // the end of what is synced
	digested int64 // the position that is saved
	waiting  int64 // bytes in the queue
	more     chan struct{}
}

// openSpool makes the folder and lists what a former life left there.
func openSpool(dir string, maximum int64, log *slog.Logger) (*spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the spool's folder: %w", err)
	}
	p := &spool{dir: dir, max: maximum, log: log, in: make(chan *arrival, spoolQueue), end: make(chan struct{}), more: make(chan struct{}, 1),
		together: make([]byte, 0, togetherBytes),
		sync:     func(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }}
	var err error
	p.segments, err = segmentsIn(dir)
	return p, err
}

// begin finds the end of what is whole and goes on behind it, in a new file; at
// is up to where the database says that all is digested.
func (p *spool) begin(at int64) error {
	end := at
	for i, g := range p.segments {
		limit := int64(-1)
		if i+1 < len(p.segments) {
			limit = p.segments[i+1].start - g.start
			if g.start+limit <= at {
				continue // digested
			}
		}
		size, err := g.length(limit)
		if err != nil {
			return err
		}
		info, err := os.Stat(g.path)
		if err != nil {
			return fmt.Errorf("look at the spool: %w", err)
		}
		if torn := info.Size() - size; torn > 0 && limit < 0 {
			p.log.Warn("the spool has a torn tail, which no client was told is safe", "file", g.path, "bytes", torn)
		}
		end = max(end, g.start+size, g.start+limit)
	}
	p.durable, p.digested = end, at
	if len(p.segments) > 0 && p.segments[0].start > at {
		p.digested = p.segments[0].start
	}
	p.drop()
	p.wake()
	p.written.Add(1)
	return nil
}

// keep makes the records durable. The bytes are the spool's until it returns.
func (p *spool) keep(raw []byte) error {
	p.mu.Lock()
	if p.durable+p.waiting+int64(len(raw))-p.digested > p.max {
		p.mu.Unlock()
		return busy("Too many events wait for digestion. Send it again later.", 30)
	}
	p.waiting += int64(len(raw))
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.waiting -= int64(len(raw))
		p.mu.Unlock()
	}()
	a := &arrival{raw: raw, done: make(chan struct{})}
	select {
	case p.in <- a:
	case <-p.end:
		return stopping()
	default:
		return busy("Too much is arriving at once. Send it again.", 5)
	}
	select {
	case <-a.done:
		return a.err
	case <-p.end: // the writer's last group may hold it: look once more
		p.written.Wait()
		select {
		case <-a.done:
			return a.err
		default:
			return stopping()
		}
	}
}

func busy(sentence string, seconds int) error {
	e := problem.New(problem.Unavailable, "%s", sentence)
	e.RetryAfter = seconds
	return e
}

func stopping() error { return busy("The server is stopping. Send it again.", 5) }

// write is the writer; it ends after stop.
func (p *spool) write() {
	defer p.written.Done()
	for {
		select {
		case a := <-p.in:
			p.commit(p.collect(a))
		case <-p.end:
			for {
				select {
				case a := <-p.in:
					p.commit(p.collect(a))
				default:
					return
				}
			}
		}
	}
}

// collect takes all that waits. While a group is synced the next one gathers by
// itself, so nothing waits for company.
func (p *spool) collect(first *arrival) []*arrival {
	group, size := []*arrival{first}, len(first.raw)
	for size < groupBytes {
		select {
		case a := <-p.in:
			group, size = append(group, a), size+len(a.raw)
		default:
			return group
		}
	}
	return group
}

func (p *spool) commit(group []*arrival) {
	err := p.store(group)
	for _, a := range group {
		a.err = err
		close(a.done)
	}
	if err == nil {
		p.wake()
	}
}

func (p *spool) store(group []*arrival) error {
	if err := p.ready(); err != nil {
		return explain(err)
	}
	size, err := p.put(group)
	if err != nil {
		p.undo()
		return explain(fmt.Errorf("write the spool: %w", err))
	}
	if err := p.sync(p.file); err != nil {
		p.undo()
		return explain(fmt.Errorf("sync the spool: %w", err))
	}
	p.mu.Lock()
	p.durable += size
	p.mu.Unlock()
	return nil
}

// put writes a group's records, small ones with one call of the system.
func (p *spool) put(group []*arrival) (size int64, err error) {
	together := p.together[:0]
	for _, a := range group {
		size += int64(len(a.raw))
		if len(together)+len(a.raw) > cap(together) && len(together) > 0 {
			if _, err := p.file.Write(together); err != nil {
				return 0, err
			}
			together = together[:0]
		}
		if len(a.raw) > cap(together) {
			if _, err := p.file.Write(a.raw); err != nil {
				return 0, err
			}
			continue
		}
		together = append(together, a.raw...)
	}
	_, err = p.file.Write(together)
	return size, err
}

// undo takes back what nobody was told is safe. What a failed sync leaves on the
// disk is unknown, so that the file is not written to again.
func (p *spool) undo() {
	p.broken = true
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.file.Truncate(p.durable - p.opened); err != nil {
		p.log.Warn("the spool's file could not be cut; ready tries again", "error", err)
	}
}

// ready gives the writer a file whose end is the end of what is durable.
func (p *spool) ready() error {
	p.mu.Lock()
	end := p.durable
	p.mu.Unlock()
	if p.file != nil && !p.broken && end-p.opened < segmentBytes {
		return nil
	}
	if p.file != nil {
		if p.broken {
			if err := p.file.Truncate(end - p.opened); err != nil {
				return fmt.Errorf("cut off what could not be synced: %w", err)
			}
		}
		err := p.file.Close()
		p.file = nil
		if err != nil && !p.broken {
			return fmt.Errorf("close a file of the spool: %w", err)
		}
	}
	g := segmentAt(p.dir, end)
	f, err := os.OpenFile(g.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("begin a file of the spool: %w", err)
	}
	if err := syncDir(p.dir); err != nil {
		f.Close()
		return fmt.Errorf("make a file of the spool durable: %w", err)
	}
	p.file, p.opened, p.broken = f, end, false
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.segments); n == 0 || p.segments[n-1].start != end {
		p.segments = append(p.segments, g)
	}
	return nil
}

func explain(err error) error {
	if database.IsFull(err) {
		e := problem.Wrap(err, problem.Unavailable, "The server's disk is full. Nothing was kept; send it again later.")
		e.RetryAfter = 30
		return e
	}
	return err
}

// stop lets the writer end when it has written what waits; keep refuses from then on.
func (p *spool) stop() { close(p.end) }

func (p *spool) close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}

func (p *spool) wake() {
	select {
	case p.more <- struct{}{}:
	default: // it is awake already
	}
}

// advance notes that all before position is digested, and removes files that
// hold nothing else.
func (p *spool) advance(position int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.digested = max(p.digested, position)
	p.drop()
}

// drop removes the files before the position, but never the one being written.
func (p *spool) drop() {
	for len(p.segments) > 1 && p.segments[1].start <= p.digested {
		if err := os.Remove(p.segments[0].path); err != nil && !os.IsNotExist(err) {
			p.log.Warn("a digested file of the spool could not be removed", "error", err)
			return
		}
		p.segments = p.segments[1:]
	}
}

// state is where reading goes on, where it ends, and the file that holds the place.
func (p *spool) state() (digested, durable int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.digested, p.durable
}

// find gives the segment that holds a place, and where the segment ends.
func (p *spool) find(at int64) (g segment, end int64, found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, s := range p.segments {
		end = p.durable
		if i+1 < len(p.segments) {
			end = p.segments[i+1].start
		}
		if at < end {
			return s, end, true
		}
	}
	return segment{}, 0, false
}
