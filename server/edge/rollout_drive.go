package edge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/edge/rollout"
)

// drive looks after every rollout that is not over: what nodes said and what the
// clock says decide what is next. Everything it knows is in rows, so a server that
// starts goes on where another one stopped.
func (s *Service) drive(ctx context.Context) error {
	failed := []error{s.startWanted(ctx)}
	list, err := s.rows().openRollouts(ctx)
	if err != nil {
		return err
	}
	for _, row := range list {
		if !s.orders.due(row.ID, row.AgainAt, s.Now()) {
			continue
		}
		if err := s.driveOne(ctx, row.ID); err != nil {
			s.orders.touch(row.ID) // again next time
			failed = append(failed, fmt.Errorf("rollout %d of team %d: %w", row.Number, row.TeamID, err))
		}
	}
	return errors.Join(failed...)
}

// Drive does at once what the loops do within seconds: writes what nodes said, and
// draws the conclusions.
func (s *Service) Drive(ctx context.Context) error {
	return errors.Join(s.flush(ctx), s.writeSaid(ctx), s.drive(ctx))
}

// driveEvery is how soon what nodes said has consequences.
const driveEvery = 5 * time.Second

// driveRounds bounds how often one decision may follow from another at once.
const driveRounds = 10

func (s *Service) driveOne(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		row, err := s.rows().rollout(ctx, id, true)
		if err != nil {
			return err
		}
		parsed, _ := policy.Parse([]byte(row.Body)) // was good when it began
		if withdrawn, err := s.withdrawn(ctx, &row); err != nil || withdrawn {
			return err
		}
		if err := s.welcome(ctx, &row, parsed); err != nil {
			return err
		}
		nodes, err := s.standing(ctx, &row, parsed)
		if err != nil {
			return err
		}
		for range driveRounds {
			d := rollout.Decide(s.Now(), row.known(parsed), nodes)
			moved, err := s.carryOut(ctx, &row, d, nodes)
			if err != nil {
				return err
			}
			if !moved {
				break
			}
		}
		return nil
	})
}

// withdrawn pauses a rollout whose bundle the release keys do not vouch for any
// more. Nodes would refuse it too, but those that are offline hear of that late.
func (s *Service) withdrawn(ctx context.Context, row *rolloutRow) (bool, error) {
	if row.State != rollout.Running {
		return false, nil
	}
	vouched, err := s.vouched(ctx, Bundle{ID: row.BundleID, Team: row.TeamID, ManifestSHA256: row.ManifestSHA256})
	if err != nil || vouched {
		return false, err
	}
	return true, s.become(ctx, row, rollout.Paused, "bundle "+row.BundleID+" was withdrawn: the signed list does not name it any more")
}

// known is what decisions go by.
func (r *rolloutRow) known(p policy.Policy) rollout.Rollout {
	return rollout.Rollout{State: r.State, Strategy: p.Spec.RolloutStrategy, Retry: p.Spec.Schedule.OnMissed != policy.MissedSkip, Deadline: millisTime(r.DeadlineAt),
		Batches: r.Batches, Batch: r.Batch, Closed: millisTime(r.ClosedAt), Continue: r.Proceeds, Since: millisTime(r.SinceAt)}
}

// standing gives where each node is, after putting aside those that left the fleet.
func (s *Service) standing(ctx context.Context, row *rolloutRow, p policy.Policy) ([]rollout.Node, error) {
	list, err := s.rows().playing(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	frozen, err := s.frozen(ctx, row.TeamID, row.mends())
	if err != nil {
		return nil, err
	}
	due := dueTimes{p: p, frozen: frozen, severities: row.mends(), from: s.Now(), zones: map[string][]policy.Interval{}}
	for _, m := range list {
		if at := millisTime(m.DeliveredAt); m.DeliveredAt > 0 && at.Before(due.from) {
			due.from = at
		}
	}
	var gone []string
	nodes := make([]rollout.Node, len(list))
	for i, m := range list {
		if m.NodeState != protocol.NodeAccepted && !m.State.Final() {
			m.State, m.EndedAt = rollout.Skipped, s.millis()
			gone = append(gone, m.NodeID)
		}
		n := rollout.Node{ID: m.NodeID, Name: m.Name, Site: m.Site, Batch: m.Batch, State: m.State, Released: millisTime(m.ReleasedAt), Delivered: millisTime(m.DeliveredAt),
			Ended: millisTime(m.EndedAt), Heard: millisTime(m.SeenAt), Exit: int(m.ExitCode)}
		if m.State == rollout.Released && m.DeliveredAt > 0 {
			n.Due = due.after(m.Zone, later(n.Delivered, n.Heard))
		}
		nodes[i] = n
	}
	if len(gone) > 0 {
		if _, err := s.rows().moveMembers(ctx, row.ID, gone, rollout.Skipped, "does not belong to the fleet any more", s.millis()); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// dueTimes finds when nodes can begin, working out the windows of each zone once.
type dueTimes struct {
	p          policy.Policy
	frozen     []policy.Interval
	severities []string
	from       time.Time
	zones      map[string][]policy.Interval
}

// manyWindows covers more than a year of weekly windows.
const manyWindows = 60

// after is the first moment from at on that lies in a window; zero when none does.
func (d dueTimes) after(zone string, at time.Time) time.Time {
	list, known := d.zones[zone]
	if !known {
		list = windowsAt(d.p, zoneOf(d.p, zone), d.from, manyWindows, d.frozen, d.severities)
		d.zones[zone] = list
	}
	if list == nil {
		return at
	}
	for _, w := range list {
		if w.To.After(at) {
			return later(w.From, at)
		}
	}
	return time.Time{}
}

// carryOut does what was decided, in rows and in nodes; false when that was nothing new.
func (s *Service) carryOut(ctx context.Context, row *rolloutRow, d rollout.Decision, nodes []rollout.Node) (bool, error) {
	now := s.millis()
	if err := s.moveNodes(ctx, row, d.Nodes, nodes); err != nil {
		return false, err
	}
	before := *row
	if row.Waits, row.AgainAt = d.Waits, 0; !d.Again.IsZero() {
		row.AgainAt = d.Again.UnixMilli()
	}
	if d.Close {
		row.ClosedAt = now
		if err := s.rows().setBatch(ctx, row.ID, row.Batch, "closed_at", now); err != nil {
			return false, err
		}
	}
	if d.Open {
		row.Batch++
		row.ClosedAt, row.Proceeds = 0, false
		if err := s.rows().setBatch(ctx, row.ID, row.Batch, "opened_at", now); err != nil {
			return false, err
		}
		if err := s.told(ctx, row, "batch", fmt.Sprintf("batch %d of %d begins", row.Batch+1, row.Batches)); err != nil {
			return false, err
		}
	}
	moved := len(d.Nodes) > 0 || d.Open || d.Close || d.State != ""
	if d.State != "" {
		return true, s.become(ctx, row, d.State, d.Reason)
	}
	if *row != before {
		if err := s.rows().setRollout(ctx, *row); err != nil {
			return false, err
		}
	}
	if !moved {
		return false, nil
	}
	return true, s.publish(ctx, row.TeamID, rolloutsTopic, row.ID)
}

// moveNodes writes changes of nodes, those that are alike at once.
func (s *Service) moveNodes(ctx context.Context, row *rolloutRow, changes []rollout.Change, nodes []rollout.Node) error {
	if len(changes) == 0 {
		return nil
	}
	type kind struct {
		state  rollout.NodeState
		reason string
	}
	groups, order := map[kind][]string{}, []kind{}
	at := make(map[string]int, len(nodes))
	for i, n := range nodes {
		at[n.ID] = i
	}
	now := time.UnixMilli(s.millis()).UTC()
	for _, c := range changes {
		k := kind{c.State, c.Reason}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], c.ID)
		n := &nodes[at[c.ID]]
		n.State = c.State
		switch {
		case c.State == rollout.Released:
			n.Released, n.Delivered, n.Ended, n.Due = now, time.Time{}, time.Time{}, time.Time{}
		case c.State.Closed():
			n.Ended = now
		}
	}
	for _, k := range order {
		slices.Sort(groups[k]) // in one order everywhere: no deadlock between servers
		if _, err := s.rows().moveMembers(ctx, row.ID, groups[k], k.state, k.reason, now.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// historyFor is how long rollouts are kept that are over.
const historyFor = 400 * 24 * time.Hour

// dropHistory forgets old rollouts, but for the last of each policy.
func (s *Service) dropHistory(ctx context.Context) error {
	return s.rows().dropRollouts(ctx, s.Now().Add(-historyFor).UnixMilli())
}
