package edge

import (
	"context"
	"sync/atomic"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/rollout"
)

// Counters grow while a server runs.
type Counters struct {
	// CheckIns and Reports are what nodes said, Refused what was not signed as it should be.
	CheckIns, Reports, Refused atomic.Int64
	// Bytes is what nodes fetched of blobs.
	Bytes atomic.Int64
}

// NodeCount is how many nodes of a team are alike.
type NodeCount struct {
	Team       string
	State      protocol.NodeState
	AgentState protocol.State
	Offline    bool
	Lost       bool
	N          int64
}

// RolloutCount is how many nodes of a rollout that is not over are in a state.
type RolloutCount struct {
	Team, Policy string
	Number       int64
	State        rollout.NodeState
	N            int64
}

// Stats is what monitoring asks for of all teams.
type Stats struct {
	Nodes    []NodeCount
	Rollouts []RolloutCount
	// States counts rollouts by team and state.
	States map[[2]string]int64
}

// Stats counts the fleets of all teams, in three queries.
func (s *Service) Stats(ctx context.Context) (out Stats, err error) {
	if out.Nodes, err = s.rows().nodeCounts(ctx, s.Now().Add(-missedCheckIns*s.Interval).UnixMilli()); err != nil {
		return out, err
	}
	if out.Rollouts, err = s.rows().rolloutCounts(ctx); err != nil {
		return out, err
	}
	out.States, err = s.rows().rolloutStates(ctx)
	return out, err
}
