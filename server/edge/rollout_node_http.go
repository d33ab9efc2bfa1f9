package edge

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type rolloutNodesIn struct {
	Rollout string `uri:"rollout" json:"-"`
	State   string `form:"state" json:"-"`
	Query   string `form:"q" json:"-"`
	Site    string `form:"site" json:"-"`
	Batch   *int   `form:"batch" json:"-"`
	After   string `form:"after" json:"-"`
	Limit   int    `form:"limit" json:"-"`
}

type rolloutNodesOut struct {
	Items []rolloutNode `json:"items"`
	// Next is given as after for the following page, empty on the last.
	Next string `json:"next"`
}

type rolloutNode struct {
	Node        string            `json:"node"`
	Name        string            `json:"name"`
	Site        string            `json:"site"`
	Variant     string            `json:"variant"`
	Batch       int               `json:"batch"`
	State       rollout.NodeState `json:"state"`
	AgentState  string            `json:"agent_state"`
	Reason      string            `json:"reason"`
	Exit        *int64            `json:"exit"`
	ReleasedAt  api.Millis        `json:"released_at"`
	DeliveredAt api.Millis        `json:"delivered_at"`
	EndedAt     api.Millis        `json:"ended_at"`
	ChangedAt   api.Millis        `json:"changed_at"`
	SeenAt      api.Millis        `json:"seen_at"`
	DoneBytes   int64             `json:"done_bytes"`
	TotalBytes  int64             `json:"total_bytes"`
}

const (
	nodesPage = 200
	nodesMost = 1000
)

func (s *Service) httpRolloutNodes(ctx context.Context, in rolloutNodesIn) (rolloutNodesOut, error) {
	out := rolloutNodesOut{Items: []rolloutNode{}}
	if _, err := s.Rollout(ctx, in.Rollout); err != nil {
		return out, err
	}
	if in.State != "" && !slices.Contains(rollout.NodeStates, rollout.NodeState(in.State)) {
		return out, problem.FieldError("state", "%.40q is no state of a node", in.State)
	}
	offset := 0
	if in.After != "" {
		n, err := strconv.ParseUint(in.After, 10, 31)
		if err != nil {
			return out, problem.FieldError("after", "is what a page named as next")
		}
		offset = int(n)
	}
	limit := nodesPage
	if in.Limit > 0 {
		limit = min(in.Limit, nodesMost)
	}
	list, err := s.rows().members(ctx, in.Rollout, memberFilter{state: in.State, query: in.Query, site: in.Site, batch: in.Batch, offset: offset, limit: limit})
	for _, shown := range list {
		m := shown.Member
		n := rolloutNode{Node: m.NodeID, Name: m.Name, Site: m.Site, Variant: m.Variant, Batch: m.Batch, State: m.State, AgentState: string(m.AgentState), Reason: m.Reason, ReleasedAt: api.Millis(m.ReleasedAt),
			DeliveredAt: api.Millis(m.DeliveredAt), EndedAt: api.Millis(m.EndedAt), ChangedAt: api.Millis(m.ChangedAt), SeenAt: api.Millis(shown.SeenAt), DoneBytes: shown.DoneBytes, TotalBytes: shown.TotalBytes}
		if m.ExitCode != noExit {
			n.Exit = &m.ExitCode
		}
		out.Items = append(out.Items, n)
	}
	if len(list) == limit {
		out.Next = strconv.Itoa(offset + limit)
	}
	return out, err
}

// gridOut is every node of a rollout, as small as it can be said.
type gridOut struct {
	States []rollout.NodeState `json:"states"`
	// Nodes are of four: id, name, index of the state, batch.
	Nodes []json.RawMessage `json:"nodes"`
}

func (s *Service) httpRolloutGrid(ctx context.Context, in rolloutIn) (gridOut, error) {
	out := gridOut{States: rollout.NodeStates, Nodes: []json.RawMessage{}}
	if _, err := s.Rollout(ctx, in.Rollout); err != nil {
		return out, err
	}
	list, err := s.rows().gridMembers(ctx, in.Rollout)
	for _, m := range list {
		out.Nodes = append(out.Nodes, json.RawMessage(text([]any{m.NodeID, m.Name, slices.Index(out.States, m.State), m.Batch})))
	}
	return out, err
}

type rolloutEventsOut struct {
	Items []rolloutEvent `json:"items"`
}

type rolloutEvent struct {
	ID    int64      `json:"id"`
	At    api.Millis `json:"at"`
	Kind  string     `json:"kind"`
	State string     `json:"state"`
	// Actor is who did it, empty for the rollout itself.
	Actor  string `json:"actor"`
	Reason string `json:"reason"`
}

const shownRolloutEvents = 500

func (s *Service) httpRolloutEvents(ctx context.Context, in rolloutIn) (rolloutEventsOut, error) {
	out := rolloutEventsOut{Items: []rolloutEvent{}}
	if _, err := s.Rollout(ctx, in.Rollout); err != nil {
		return out, err
	}
	list, err := s.rows().rolloutEvents(ctx, in.Rollout, shownRolloutEvents)
	for _, e := range list {
		out.Items = append(out.Items, rolloutEvent{e.ID, api.Millis(e.At), e.Kind, e.State, e.Actor, e.Reason})
	}
	return out, err
}
