package rollout

import "slices"

// State is where a rollout stands; the words are stored.
type State string

// The states.
const (
	// AwaitingApproval needs people to agree; nothing has reached a node.
	AwaitingApproval State = "awaiting-approval"
	// Running releases batch after batch.
	Running State = "running"
	// Paused releases nothing until a person resumes it.
	Paused State = "paused"
	// RollingBack takes back what it has installed.
	RollingBack State = "rolling-back"
	// Completed has nothing more to do.
	Completed State = "completed"
	// Aborted was ended by a person or by a change of its policy.
	Aborted State = "aborted"
	// Expired met its deadline before its last node.
	Expired State = "expired"
	// RolledBack has taken back what it had installed.
	RolledBack State = "rolled-back"
)

// States lists all of them.
var States = []State{AwaitingApproval, Running, Paused, RollingBack, Completed, Aborted, Expired, RolledBack}

var becomes = map[State][]State{
	AwaitingApproval: {Running, Aborted, Expired},
	Running:          {Paused, Completed, Aborted, Expired, RollingBack},
	Paused:           {Running, Aborted, Expired, RollingBack},
	RollingBack:      {RolledBack, Aborted},
	Completed:        {RollingBack},
	Aborted:          {RollingBack},
	Expired:          {RollingBack},
	RolledBack:       {},
}

// CanBecome reports whether a rollout may go from s to next.
func (s State) CanBecome(next State) bool { return slices.Contains(becomes[s], next) }

// Active reports whether the rollout still has orders for nodes.
func (s State) Active() bool {
	return s == AwaitingApproval || s == Running || s == Paused || s == RollingBack
}

// NodeState is where one node of a rollout stands; the words are stored.
type NodeState string

// The states of a node in a rollout.
const (
	// Waiting for its batch; it may stage already.
	Waiting NodeState = "waiting"
	// Released may install in its window.
	Released NodeState = "released"
	// Installing has begun, up to the last health check.
	Installing NodeState = "installing"
	// Deferred could not now and may again.
	Deferred NodeState = "deferred"
	// Away has not fetched its release; it may when it comes.
	Away NodeState = "away"
	// Succeeded, RolledBackItself, Failed and Quarantined are what nodes report.
	Succeeded        NodeState = "succeeded"
	RolledBackItself NodeState = "rolled-back"
	Failed           NodeState = "failed"
	Quarantined      NodeState = "quarantined"
	// Silent began and was not heard of since.
	Silent NodeState = "silent"
	// Skipped never was to install it: excluded, of another kind, or gone.
	Skipped NodeState = "skipped"
	// Missed its window, or the rollout ended before its turn.
	Missed NodeState = "missed"
	// Reverting is to take the bundle back; Reverted has.
	Reverting NodeState = "reverting"
	Reverted  NodeState = "reverted"
)

// NodeStates lists all of them.
var NodeStates = []NodeState{Waiting, Released, Installing, Deferred, Away, Succeeded, RolledBackItself, Failed, Quarantined, Silent, Skipped, Missed, Reverting, Reverted}

// Failure reports whether the state counts against the bundle.
func (s NodeState) Failure() bool {
	return s == RolledBackItself || s == Failed || s == Quarantined || s == Silent
}

// Final reports whether the node has nothing more to do of itself.
func (s NodeState) Final() bool {
	return s.Failure() || s == Succeeded || s == Skipped || s == Missed || s == Reverted
}

// Closed reports whether a batch need not wait for the node.
func (s NodeState) Closed() bool { return s.Final() || s == Deferred || s == Away }

// AtWork reports whether the node may be unavailable because of the rollout.
func (s NodeState) AtWork() bool { return s == Released || s == Installing || s == Reverting }
