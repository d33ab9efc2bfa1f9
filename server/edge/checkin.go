package edge

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// atWork is how often a node comes whose packages are being changed.
	atWork = 30 * time.Second
	// pendingInterval is how often one comes that waits to be accepted.
	pendingInterval = time.Minute
	maxQuarantined  = 50
)

func validateCheckIn(in *protocol.CheckIn) error {
	switch {
	case !in.State.Valid():
		return problem.FieldError("state", "%.40q is no state", string(in.State))
	case !printable(in.Bundle, 128) || !printable(in.Rollout, 128) || !printable(in.Agent, 100) || !printable(in.BootID, 100):
		return problem.FieldError("bundle", "a text is too long or has control characters")
	case in.LastExit != nil && !in.LastExit.Valid():
		return problem.FieldError("last_exit", "%d is no exit code", int(*in.LastExit))
	case len(in.Quarantined) > maxQuarantined || slices.ContainsFunc(in.Quarantined, func(q string) bool { return !printable(q, 128) }):
		return problem.FieldError("quarantined", "is too long")
	case in.Progress != nil && !printable(in.Progress.Step, 200):
		return problem.FieldError("progress.step", "is too long or has control characters")
	}
	return nil
}

// checkIn takes a node's message and says what to do next. l is locked by the
// caller and not after it: all that is slow comes later.
func (s *Service) checkIn(ctx context.Context, l *live, in protocol.CheckIn) (protocol.CheckInAnswer, error) {
	now := s.Now()
	s.Counters.CheckIns.Add(1)
	if away := now.UnixMilli() - int64(l.node.SeenAt); l.node.SeenAt != 0 && away > lostAfter.Milliseconds() {
		l.news = append(l.news, s.happened(&l.node, KindReturned, "", "after "+(time.Duration(away)*time.Millisecond).Round(time.Hour).String()))
		l.tell = true
	}
	l.said(in, now)
	next := s.nextIn(&l.node)
	l.node.NextAt = api.Millis(now.Add(next).UnixMilli())
	n := l.node
	l.mu.Unlock()
	s.fleet.mark(l)

	out := protocol.CheckInAnswer{State: n.State, NextInSeconds: max(1, int(next/time.Second)), Time: now.UTC()}
	if n.State != protocol.NodeAccepted {
		return out, nil
	}
	out.WantInventory = in.InventorySHA256 != "" && in.InventorySHA256 != n.InventorySHA256
	for _, bundle := range n.Releases {
		if slices.Contains(in.Quarantined, bundle) {
			out.ReleaseQuarantine = append(out.ReleaseQuarantine, bundle)
		}
	}
	if len(n.Releases) > len(out.ReleaseQuarantine) {
		if err := s.released(ctx, &n, out.ReleaseQuarantine); err != nil {
			return out, err
		}
	}
	if s.OnCheckIn == nil {
		return out, nil
	}
	var err error
	out.Assignment, err = s.OnCheckIn(ctx, n, in)
	return out, err
}

// said takes what a check-in says into the node.
func (l *live) said(in protocol.CheckIn, now time.Time) {
	n := &l.node
	if in.State != n.AgentState || in.Bundle != n.Bundle {
		n.AgentStateAt = api.Millis(now.UnixMilli())
		l.tell = true
	}
	if n.SeenAt == 0 || exitNumber(in.LastExit) != exitNumber(n.LastExit) {
		l.tell = true
	}
	n.SeenAt, n.LostAt = api.Millis(now.UnixMilli()), 0
	n.AgentState, n.Bundle, n.Rollout, n.Agent, n.BootID = in.State, in.Bundle, in.Rollout, in.Agent, in.BootID
	n.RootVersion, n.TargetsVersion, n.DiskFree, n.LastExit = in.RootVersion, in.TargetsVersion, in.DiskFree, in.LastExit
	n.DoneBytes, n.TotalBytes, n.Step = 0, 0, ""
	if p := in.Progress; p != nil {
		n.DoneBytes, n.TotalBytes, n.Step = p.DoneBytes, p.TotalBytes, p.Step
	}
	n.Quarantined = in.Quarantined
	if n.Quarantined == nil {
		n.Quarantined = []string{}
	}
	n.ClockSkew = 0
	if !in.Clock.IsZero() {
		n.ClockSkew = in.Clock.Sub(now).Milliseconds()
	}
}

// nextIn spreads check-ins, so that nodes which were cut off together do not stay together.
func (s *Service) nextIn(n *Node) time.Duration {
	every := s.Interval
	switch {
	case n.State == protocol.NodePending:
		every = min(every, pendingInterval)
	case n.AgentState.Touching() || n.AgentState == protocol.StateVerifying:
		every = min(every, atWork)
	}
	return time.Duration(float64(every) * (0.8 + 0.4*rand.Float64()))
}

// released forgets the releases that a node has heeded.
func (s *Service) released(ctx context.Context, n *Node, left []string) error {
	if left == nil {
		left = []string{}
	}
	if err := s.rows().setReleases(ctx, n.ID, left); err != nil {
		return err
	}
	s.fleet.forget(n.ID)
	return nil
}
