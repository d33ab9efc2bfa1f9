package edge

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// ordersChannel tells all servers that orders changed for more than one node.
const ordersChannel = "edge.orders"

// orders is what this server knows by heart of rollouts, so that check-ins of nodes
// without one cost nothing.
type orders struct {
	mu sync.Mutex
	// involved has the rollout of every node that has orders; nil: not read yet.
	involved map[string]string
	heads    map[string]*head
	read     time.Time
	// said are changes of rows that check-ins brought, by rollout and node.
	said map[[2]string]change
	// dirty are rollouts about which something is new; looked is when each was looked at last.
	dirty  map[string]bool
	looked map[string]time.Time
	// welcomed is when each rollout last looked for nodes that are new.
	welcomed map[string]time.Time
	// wake has the loop look at once, after what people did.
	wake chan struct{}
}

type change struct {
	row memberRow
	was rollout.NodeState
}

// head is a rollout as its orders need it.
type head struct {
	row    rolloutRow
	policy policy.Policy
	frozen []policy.Interval
	sites  map[string]*opening
	mu     sync.Mutex
	zones  map[string]*zoned
}

// zoned are a rollout's windows in one time zone, until the first of them is over.
type zoned struct {
	windows, hours []protocol.Span
	// none says that there is no window, where there must be one.
	none bool
	// ended is when the last window was over, zero if none was lately.
	ended, at, until time.Time
}

// passed tells whether a window has come and gone since; where there are none, every
// moment is one.
func (z *zoned) passed(since time.Time) bool {
	return len(z.windows) == 0 && !z.none || z.ended.After(since)
}

// Between servers notifications are hints, so what is known by heart is read anew
// now and then; and each rollout is looked at now and then.
const (
	ordersFresh = 30 * time.Second
	lookEvery   = time.Minute
)

func (o *orders) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.involved, o.heads = nil, nil
	o.markAll()
	select {
	case o.wake <- struct{}{}:
	default: // it is awake
	}
}

func (o *orders) markAll() {
	for id := range o.looked {
		o.mark(id)
	}
}

func (o *orders) mark(id string) {
	if o.dirty == nil {
		o.dirty = map[string]bool{}
	}
	o.dirty[id] = true
}

func (o *orders) touch(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mark(id)
}

// fleetChanged has every rollout look who is there.
func (o *orders) fleetChanged() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.welcomed = nil
	o.markAll()
}

// due tells whether a rollout must be looked at, and takes that as done.
func (o *orders) due(id string, again int64, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	last, known := o.looked[id]
	if known && !o.dirty[id] && (again == 0 || now.UnixMilli() < again) && now.Sub(last).Abs() < lookEvery {
		return false
	}
	if o.looked == nil {
		o.looked = map[string]time.Time{}
	}
	o.looked[id] = now
	delete(o.dirty, id)
	return true
}

// ordersChanged has all servers forget what they know by heart, after the commit.
func (s *Service) ordersChanged(ctx context.Context) error {
	s.DB.AfterCommit(ctx, s.orders.forget) // at once here
	return s.DB.Notify(ctx, ordersChannel, "")
}

// rolloutOf is the rollout in which a node has orders.
func (s *Service) rolloutOf(ctx context.Context, node string) (string, error) {
	s.orders.mu.Lock()
	defer s.orders.mu.Unlock()
	stale := s.DB.Dialect == database.Postgres && s.Now().Sub(s.orders.read).Abs() > ordersFresh
	if s.orders.involved == nil || stale {
		list, err := s.rows().involved(ctx)
		if err != nil {
			return "", err
		}
		s.orders.involved, s.orders.heads, s.orders.read = list, nil, s.Now()
	}
	return s.orders.involved[node], nil
}

func (s *Service) head(ctx context.Context, id string) (*head, error) {
	s.orders.mu.Lock()
	h := s.orders.heads[id]
	s.orders.mu.Unlock()
	if h != nil {
		return h, nil
	}
	row, err := s.rows().rollout(ctx, id, false)
	if err != nil {
		return nil, err
	}
	h = &head{row: row, zones: map[string]*zoned{}}
	h.policy, _ = policy.Parse([]byte(row.Body)) // was good when it began
	if h.frozen, err = s.frozen(ctx, row.TeamID, row.mends()); err != nil {
		return nil, err
	}
	if h.sites, err = s.openings(ctx, row.TeamID); err != nil {
		return nil, err
	}
	s.orders.mu.Lock()
	defer s.orders.mu.Unlock()
	if s.orders.heads == nil {
		s.orders.heads = map[string]*head{}
	}
	s.orders.heads[id] = h
	return h, nil
}

// order takes what a check-in says of the node's rollout, and gives what the node
// is to do now, nil for nothing.
func (s *Service) order(ctx context.Context, n Node, in protocol.CheckIn) (*protocol.Envelope, error) {
	id, err := s.rolloutOf(ctx, n.ID)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return s.stopOrder(ctx, n, in)
	}
	h, err := s.head(ctx, id)
	if err != nil {
		return nil, err
	}
	row, found, err := s.rows().member(ctx, id, n.ID)
	if err != nil || !found {
		return nil, err
	}
	z := h.zone(row.Zone, row.Site, s.Now())
	was := row.State
	next := row
	if in.Rollout == id || in.Bundle == h.row.BundleID && in.Rollout == "" {
		next = hear(row, h.row.State, said{in.State, in.LastExit, "", s.Now(), z.passed(millisTime(row.DeliveredAt))})
	}
	perSite := h.policy.Spec.RolloutStrategy.MaxUnavailablePerSite > 0
	action := actionFor(h.row.State, next.State, perSite)
	if action == protocol.ActionInstall && z.none {
		action = protocol.ActionStage
	}
	if action == protocol.ActionInstall && next.State != rollout.Installing {
		next = delivered(next, s.Now())
	}
	if action == protocol.ActionRollback && next.DeliveredAt == 0 {
		next.DeliveredAt = s.millis()
	}
	if next != row {
		s.orders.note(next, was)
	}
	if action == "" {
		return nil, nil
	}
	return s.seal(ctx, n.Team, h.assignment(next, action, z))
}

// sparing is the cap of a site, in kilobytes a second, as the policy narrows it that
// a node fetches for; 0 leaves it to the configuration.
func (s *Service) sparing(ctx context.Context, n *Node, site int64) (int64, error) {
	id, err := s.rolloutOf(ctx, n.ID)
	if err != nil || id == "" {
		return site, err
	}
	h, err := s.head(ctx, id)
	if err != nil {
		return site, err
	}
	if site == 0 {
		site = s.SiteKBps
	}
	if most := int64(h.policy.Spec.Staging.PerSiteKBps); most > 0 && (site == 0 || most < site) {
		return most, nil
	}
	return site, nil
}

// delivered notes that a node has its release. One that was away is let go by coming.
func delivered(row memberRow, now time.Time) memberRow {
	if row.State == rollout.Away {
		row.State, row.Reason, row.ChangedAt = rollout.Released, "is there again", now.UnixMilli()
		row.ReleasedAt, row.DeliveredAt, row.EndedAt = now.UnixMilli(), 0, 0
	}
	if row.State == rollout.Released && row.DeliveredAt == 0 {
		row.DeliveredAt = now.UnixMilli()
	}
	return row
}

// actionFor is the table of what a node is told.
func actionFor(r rollout.State, n rollout.NodeState, perSite bool) protocol.Action {
	switch r {
	case rollout.Running:
		switch n {
		case rollout.Waiting:
			return protocol.ActionStage
		case rollout.Released, rollout.Installing, rollout.Silent:
			return protocol.ActionInstall
		case rollout.Deferred, rollout.Away:
			// Where sites are spared it must be let go again, when its site is free.
			if perSite {
				return protocol.ActionStage
			}
			return protocol.ActionInstall
		}
	case rollout.Paused:
		switch n {
		case rollout.Waiting, rollout.Released, rollout.Deferred, rollout.Away:
			return protocol.ActionStage
		case rollout.Installing, rollout.Silent:
			return protocol.ActionInstall
		}
	case rollout.RollingBack:
		switch n {
		case rollout.Reverting:
			return protocol.ActionRollback
		case rollout.Installing, rollout.Silent:
			return protocol.ActionInstall // finishes, and is taken back then
		case rollout.Missed, rollout.Waiting, rollout.Released, rollout.Deferred, rollout.Away:
			return protocol.ActionStop
		}
	}
	return ""
}

// stopOrder tells a node whose rollout has ended to begin nothing for it.
func (s *Service) stopOrder(ctx context.Context, n Node, in protocol.CheckIn) (*protocol.Envelope, error) {
	if in.Rollout == "" || in.State == protocol.StateIdle {
		return nil, nil
	}
	row, found, err := s.rows().member(ctx, in.Rollout, n.ID)
	if err != nil || !found || row.TeamID != n.Team {
		return nil, err
	}
	h, err := s.head(ctx, in.Rollout)
	if err != nil {
		return nil, err
	}
	if next := hear(row, h.row.State, said{in.State, in.LastExit, "", s.Now(), true}); next != row {
		s.orders.note(next, row.State)
	}
	if in.State.Final() || in.State.Touching() || h.row.State.Active() {
		return nil, nil
	}
	return s.seal(ctx, n.Team, h.assignment(row, protocol.ActionStop, h.zone(row.Zone, row.Site, s.Now())))
}

// seal signs an order; without a key that nodes would believe there is none.
func (s *Service) seal(ctx context.Context, team int64, a protocol.Assignment) (*protocol.Envelope, error) {
	e, err := s.Seal(ctx, team, a)
	if problem.Is(err, problem.Conflict) {
		return nil, nil
	}
	return e, err
}

// note keeps a change for the next writing; of several of one node the last counts.
func (o *orders) note(row memberRow, was rollout.NodeState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.said == nil {
		o.said = map[[2]string]change{}
	}
	o.said[[2]string{row.RolloutID, row.NodeID}] = change{row, was}
}

// writeSaid writes what check-ins said since the last time, in one transaction.
func (s *Service) writeSaid(ctx context.Context) error {
	s.orders.mu.Lock()
	due := s.orders.said
	s.orders.said = nil
	s.orders.mu.Unlock()
	if len(due) == 0 {
		return nil
	}
	teams := map[string]int64{}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, key := range slices.SortedFunc(maps.Keys(due), func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }) {
			c := due[key]
			if teams[key[0]] == 0 {
				// Whoever decides about the rollout waits, instead of deadlocking.
				if _, err := s.rows().rollout(ctx, key[0], true); err != nil {
					return err
				}
				teams[key[0]] = c.row.TeamID
			}
			if err := s.rows().setMember(ctx, c.row, c.was); err != nil {
				return err
			}
		}
		for id, team := range teams {
			if err := s.publish(ctx, team, rolloutsTopic, id); err != nil {
				return err
			}
		}
		return nil
	})
	s.orders.mu.Lock()
	defer s.orders.mu.Unlock()
	if err != nil {
		if s.orders.said == nil {
			s.orders.said = map[[2]string]change{}
		}
		for key, c := range due {
			if _, newer := s.orders.said[key]; !newer {
				s.orders.said[key] = c
			}
		}
		return err
	}
	for id := range teams {
		s.orders.mark(id)
	}
	return nil
}
