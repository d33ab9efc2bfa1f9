package edge

import (
	"encoding/json"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
)

// Event is one line of a node's history.
type Event struct {
	ID   int64  `json:"id"`
	Team int64  `json:"-"`
	Node string `json:"node"`
	Kind Kind   `json:"kind"`
	// Seq is a report's number; 0 for what is no report.
	Seq int64 `json:"seq"`
	// At is by the clock of who tells, ReceivedAt by ours.
	At         api.Millis      `json:"at"`
	ReceivedAt api.Millis      `json:"received_at"`
	Rollout    string          `json:"rollout"`
	Bundle     string          `json:"bundle"`
	State      protocol.State  `json:"state"`
	Exit       *protocol.Exit  `json:"exit"`
	Method     string          `json:"method"`
	Message    string          `json:"message"`
	Details    json.RawMessage `json:"details"`
	Actor      string          `json:"actor"`
}

// Kind is what an event is about.
type Kind string

// The kinds.
const (
	// KindReport is the node's own word.
	KindReport Kind = "report"
	// KindEnrolled: it came with a token.
	KindEnrolled Kind = "enrolled"
	// KindAccepted, KindRejected, KindRevoked: a person decided, or the token did.
	KindAccepted Kind = "accepted"
	KindRejected Kind = "rejected"
	KindRevoked  Kind = "revoked"
	// KindRotated: it has a new key.
	KindRotated Kind = "rotated"
	// KindChanged: a person changed its name, site or labels.
	KindChanged Kind = "changed"
	// KindReleased: a person let a bundle go of quarantine.
	KindReleased Kind = "released"
	// KindLost: nothing was heard of it for a day. KindReturned: then it came back.
	KindLost     Kind = "lost"
	KindReturned Kind = "returned"
	// KindDoubled: a number was used twice, so perhaps its key is in two places.
	KindDoubled Kind = "doubled"
)

// happened is an event that is no report.
func (s *Service) happened(n *Node, kind Kind, actor, message string) Event {
	at := api.Millis(s.millis())
	return Event{Team: n.Team, Node: n.ID, Kind: kind, At: at, ReceivedAt: at, Message: message, Actor: actor, Details: json.RawMessage("{}")}
}
