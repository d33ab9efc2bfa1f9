package edge

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
)

// nodeChannel tells all servers the id of a node whose row people changed.
const nodeChannel = "edge.node"

// fresh is for how long a server that is not alone believes what it knows of a
// node: its requests may reach another one in between.
const fresh = 2 * time.Second

// live is a node as memory knows it: its row, and what came since.
type live struct {
	mu   sync.Mutex
	node Node
	// recent has a bit for each of the 64 numbers up to the highest: requests of one
	// node may overtake each other, and yet each number counts once.
	recent uint64
	loaded time.Time
	stale  bool
	// tell is set when browsers should hear of it.
	tell bool
	// news are events that the next flush writes.
	news []Event
}

// fleet is the nodes that this server has heard of since its start.
type fleet struct {
	mu    sync.Mutex
	nodes map[string]*live
	dirty map[string]*live
}

// forget makes the next request of a node look at its row; "" means all.
func (f *fleet) forget(id string) {
	f.mu.Lock()
	list := []*live{f.nodes[id]}
	if id == "" {
		list = slices.Collect(maps.Values(f.nodes))
	}
	f.mu.Unlock()
	for _, l := range list {
		if l != nil {
			l.mu.Lock()
			l.stale = true
			l.mu.Unlock()
		}
	}
}

// rowChanged makes every server look at a node's row, this one as soon as the transaction is over.
func (s *Service) rowChanged(ctx context.Context, id string) error {
	s.DB.AfterCommit(ctx, func() { s.fleet.forget(id) })
	return s.DB.Notify(ctx, nodeChannel, id)
}

func (f *fleet) find(id string) *live {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.nodes[id]
}

func (f *fleet) mark(l *live) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dirty[l.node.ID] = l // the id never changes
}

// live gives a node, locked. Unlock it.
func (s *Service) live(ctx context.Context, id string) (*live, error) {
	l := s.fleet.find(id)
	if l == nil {
		node, err := s.rows().node(ctx, id)
		if err != nil {
			return nil, err
		}
		s.fleet.mu.Lock()
		if l = s.fleet.nodes[id]; l == nil {
			l = &live{node: node, recent: ^uint64(0), loaded: s.Now()}
			s.fleet.nodes[id] = l
		}
		s.fleet.mu.Unlock()
	}
	l.mu.Lock()
	if l.stale || s.DB.Dialect == database.Postgres && s.Now().Sub(l.loaded).Abs() > fresh {
		if err := s.reload(ctx, l); err != nil {
			l.mu.Unlock()
			return nil, err
		}
	}
	return l, nil
}

// reload takes a row's news into memory: what people changed always, what the
// node said only where another server has heard more.
func (s *Service) reload(ctx context.Context, l *live) error {
	row, err := s.rows().node(ctx, l.node.ID)
	if err != nil {
		s.fleet.mu.Lock()
		delete(s.fleet.nodes, l.node.ID)
		s.fleet.mu.Unlock()
		return err
	}
	said := l.node.Said
	if l.node = row; row.seq <= said.seq {
		l.node.Said = said
	} else {
		l.recent = ^uint64(0)
	}
	l.stale, l.loaded = false, s.Now()
	return nil
}

// window is how far behind the highest a number may be.
const window = 64

// use takes a request's number; false when it was used before or is too old.
func (l *live) use(seq int64) bool {
	ahead := seq - l.node.seq
	switch {
	case ahead > 0:
		if ahead >= window {
			l.recent = 0
		} else {
			l.recent <<= uint(ahead)
		}
		l.recent |= 1
		l.node.seq = seq
		return true
	case -ahead >= window || l.recent&(1<<uint(-ahead)) != 0:
		return false
	}
	l.recent |= 1 << uint(-ahead)
	return true
}

// flush writes what nodes said since the last time, all in one transaction.
func (s *Service) flush(ctx context.Context) error {
	s.fleet.mu.Lock()
	due := s.fleet.dirty
	s.fleet.dirty = map[string]*live{}
	s.fleet.mu.Unlock()
	if len(due) == 0 {
		return nil
	}
	nodes := make([]Node, 0, len(due))
	teams := map[int64]bool{}
	var news []Event
	newsOf := map[string][]Event{}
	for _, id := range slices.Sorted(maps.Keys(due)) { // in one order everywhere: no deadlock between servers
		l := due[id]
		l.mu.Lock()
		nodes = append(nodes, l.node)
		if l.tell {
			teams[l.node.Team] = true
			l.tell = false
		}
		if len(l.news) > 0 {
			news, newsOf[id] = append(news, l.news...), l.news
			l.news = nil
		}
		l.mu.Unlock()
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		for part := range slices.Chunk(nodes, saidBatch) {
			if err := s.rows().writeSaid(ctx, part); err != nil {
				return err
			}
		}
		if err := s.keepNews(ctx, news); err != nil {
			return err
		}
		for team := range teams {
			if err := s.publish(ctx, team, nodesTopic, ""); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	for id, l := range due { // nothing is lost: the next round writes it
		l.mu.Lock()
		l.news, l.tell = append(newsOf[id], l.news...), true
		l.mu.Unlock()
		s.fleet.mark(l)
	}
	return err
}

// keepNews writes events of nodes that are still there: one that was deleted must not hold up the others.
func (s *Service) keepNews(ctx context.Context, news []Event) error {
	if len(news) == 0 {
		return nil
	}
	ids := map[string]bool{}
	for _, e := range news {
		ids[e.Node] = true
	}
	there, err := s.rows().existing(ctx, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return err
	}
	return s.keepEvents(ctx, slices.DeleteFunc(slices.Clone(news), func(e Event) bool { return !slices.Contains(there, e.Node) })...)
}

// doubled notes that a number was used twice; of many such only the first in an hour becomes an event.
func (s *Service) doubled(l *live) {
	n := &l.node
	if s.millis()-int64(n.DoubledAt) > time.Hour.Milliseconds() {
		l.news = append(l.news, s.happened(n, KindDoubled, "", "a request came whose number had been used; perhaps the key is in two places"))
		l.tell = true
	}
	n.DoubledAt = api.Millis(s.millis())
	n.Doubled++
	s.fleet.mark(l)
}

// nodesTopic tells pages that something about nodes is new.
const nodesTopic = "edge.nodes"
