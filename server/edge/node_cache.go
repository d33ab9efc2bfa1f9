package edge

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// nodeCache keeps the nodes of teams that somebody looks at: a page of ten
// thousand asks again each second, and few of them have changed. A node in it is
// never changed, only replaced.
type nodeCache struct {
	mu    sync.Mutex
	teams map[int64]*cachedTeam
}

type cachedTeam struct {
	mu           sync.Mutex
	byID         map[string]*Node
	sorted       []*Node // by name; replaced, not changed
	whole, newer time.Time
}

const (
	// rowsLate is how much later than its times a row may be written, and another server's clock be off.
	rowsLate = 10 * time.Second
	// wholeEvery is when all is read again, in case that was not enough.
	wholeEvery = 5 * time.Minute
)

func (c *nodeCache) team(id int64, now time.Time) *cachedTeam {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.teams == nil {
		c.teams = map[int64]*cachedTeam{}
	}
	for other, t := range c.teams {
		if other != id && t.mu.TryLock() {
			if now.Sub(t.newer) > wholeEvery {
				delete(c.teams, other)
			}
			t.mu.Unlock()
		}
	}
	if c.teams[id] == nil {
		c.teams[id] = &cachedTeam{}
	}
	return c.teams[id]
}

// nodesOf are a team's by name, as their rows are now.
func (s *Service) nodesOf(ctx context.Context, team int64) ([]*Node, error) {
	now := s.Now()
	t := s.cache.team(team, now)
	t.mu.Lock()
	defer t.mu.Unlock()
	if age := now.Sub(t.whole); t.byID == nil || age < 0 || age > wholeEvery {
		return t.reload(ctx, s, team, now)
	}
	changed, count, err := s.rows().nodesSince(ctx, team, t.newer.Add(-rowsLate).UnixMilli())
	if err != nil {
		return nil, err
	}
	renamed := false
	replaced := make(map[string]*Node, len(changed))
	for i := range changed {
		n := &changed[i]
		before := t.byID[n.ID]
		renamed = renamed || before == nil || before.Name != n.Name
		t.byID[n.ID], replaced[n.ID] = n, n
	}
	if int64(len(t.byID)) != count { // some are gone
		return t.reload(ctx, s, team, now)
	}
	t.newer = now
	if renamed {
		t.sort()
		return t.sorted, nil
	}
	if len(replaced) > 0 {
		t.sorted = slices.Clone(t.sorted)
		for i, n := range t.sorted {
			if newer := replaced[n.ID]; newer != nil {
				t.sorted[i] = newer
			}
		}
	}
	return t.sorted, nil
}

func (t *cachedTeam) reload(ctx context.Context, s *Service, team int64, now time.Time) ([]*Node, error) {
	list, err := s.rows().nodes(ctx, team)
	if err != nil {
		return nil, err
	}
	t.byID = make(map[string]*Node, len(list))
	for i := range list {
		t.byID[list[i].ID] = &list[i]
	}
	t.whole, t.newer = now, now
	t.sort()
	return t.sorted, nil
}

func (t *cachedTeam) sort() {
	t.sorted = make([]*Node, 0, len(t.byID))
	for _, n := range t.byID {
		t.sorted = append(t.sorted, n)
	}
	slices.SortFunc(t.sorted, func(a, b *Node) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
}
