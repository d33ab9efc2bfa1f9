package edge

import (
	"context"
	"fmt"
	"slices"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Decision is what a person decides about nodes.
type Decision string

// The decisions.
const (
	// Accept lets pending or once rejected nodes take part.
	Accept Decision = "accept"
	// Reject refuses pending ones.
	Reject Decision = "reject"
	// Revoke ends the trust in nodes' keys. There is no way back but to enrol again.
	Revoke Decision = "revoke"
)

var decisions = map[Decision]struct {
	from []protocol.NodeState
	to   protocol.NodeState
	kind Kind
}{
	Accept: {[]protocol.NodeState{protocol.NodePending, protocol.NodeRejected}, protocol.NodeAccepted, KindAccepted},
	Reject: {[]protocol.NodeState{protocol.NodePending}, protocol.NodeRejected, KindRejected},
	Revoke: {[]protocol.NodeState{protocol.NodePending, protocol.NodeAccepted, protocol.NodeRejected}, protocol.NodeRevoked, KindRevoked},
}

// Decided is what became of one node.
type Decided struct {
	Node string `json:"node"`
	// Done is false where the node was not in a state to be decided about, or its name is taken.
	Done    bool   `json:"done"`
	Problem string `json:"problem,omitempty"`
}

const maxDecide = 1000

// Decide does the same to many nodes. What does not fit one does not keep it from the others.
func (s *Service) Decide(ctx context.Context, team int64, d Decision, nodes []string, reason string) ([]Decided, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return nil, err
	}
	_, known := decisions[d]
	switch {
	case !known:
		return nil, problem.FieldError("decision", "%.40q is neither accept, reject nor revoke", string(d))
	case len(nodes) == 0 || len(nodes) > maxDecide:
		return nil, problem.FieldError("nodes", "give 1 to %d", maxDecide)
	case !printable(reason, 500):
		return nil, problem.FieldError("reason", "is longer than 500 bytes or has control characters")
	}
	by := identity.From(ctx).Name
	var out []Decided
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		out = nil
		var changed []string
		for _, id := range nodes {
			n, err := s.rows().node(ctx, id)
			if err != nil || n.Team != team {
				if err != nil && !problem.Is(err, problem.NotFound) {
					return err
				}
				out = append(out, Decided{id, false, "There is no such node."})
				continue
			}
			one, err := s.decideOne(ctx, &n, d, by, reason)
			if err != nil {
				return err
			}
			if out = append(out, one); one.Done {
				changed = append(changed, id)
			}
		}
		if len(changed) == 0 {
			return nil
		}
		if err := s.audit(ctx, team, "edge.node."+string(d), fmt.Sprintf("%d nodes", len(changed)), text(map[string]any{"nodes": changed, "reason": reason})); err != nil {
			return err
		}
		return s.tellNodes(ctx, team, changed...)
	})
	return out, err
}

// decideOne asks before it writes: a row that breaks a rule would end PostgreSQL's transaction.
func (s *Service) decideOne(ctx context.Context, n *Node, d Decision, by, reason string) (Decided, error) {
	rule := decisions[d]
	if !slices.Contains(rule.from, n.State) {
		return Decided{n.ID, false, fmt.Sprintf("%s is %s.", n.Name, n.State)}, nil
	}
	if d == Accept {
		taken, err := s.rows().nameTaken(ctx, n.Team, n.Name)
		if err != nil {
			return Decided{}, err
		}
		if taken {
			return Decided{n.ID, false, fmt.Sprintf("There is an accepted node %s already. Revoke it first, or rename one of the two.", n.Name)}, nil
		}
	}
	done, err := s.rows().decide(ctx, n.ID, rule.from, rule.to, by, s.millis())
	if err != nil {
		return Decided{}, err
	}
	if !done {
		return Decided{n.ID, false, "It was decided about meanwhile."}, nil
	}
	return Decided{Node: n.ID, Done: true}, s.rows().insertEvents(ctx, s.happened(n, rule.kind, by, reason))
}

// ChangeNode gives a node another name, site or labels.
func (s *Service) ChangeNode(ctx context.Context, id string, change func(*Node)) (Node, error) {
	var n Node
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		found, err := s.node(ctx, id, writing)
		if err != nil {
			return err
		}
		n = found
		change(&n)
		if n.Labels == nil {
			n.Labels = map[string]string{}
		}
		if err := validateName(n.Name); err != nil {
			return err
		}
		if err := validateSite(n.Site); err != nil {
			return err
		}
		if err := validateLabels(n.Labels); err != nil {
			return err
		}
		if err := s.rows().describe(ctx, n, s.millis()); err != nil {
			return err
		}
		what := text(map[string]any{"name": n.Name, "site": n.Site, "labels": n.Labels})
		if err := s.rows().insertEvents(ctx, s.happened(&n, KindChanged, identity.From(ctx).Name, what)); err != nil {
			return err
		}
		if err := s.audit(ctx, n.Team, "edge.node.change", n.Name, what); err != nil {
			return err
		}
		return s.tellNodes(ctx, n.Team, n.ID)
	})
	return n, err
}

// node is one that the caller may do something with.
func (s *Service) node(ctx context.Context, id string, scope identity.Scope) (Node, error) {
	n, err := s.rows().node(ctx, id)
	if err != nil {
		return n, err
	}
	return n, identity.Require(ctx, n.Team, scope)
}

// DeleteNode forgets a node that takes no part any more, with its history.
func (s *Service) DeleteNode(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.node(ctx, id, writing)
		if err != nil {
			return err
		}
		if n.State == protocol.NodeAccepted {
			return problem.New(problem.Conflict, "%s is accepted. Revoke it first.", n.Name)
		}
		if err := s.rows().removeNode(ctx, id); err != nil {
			return err
		}
		if err := s.audit(ctx, n.Team, "edge.node.delete", n.Name, n.Fingerprint); err != nil {
			return err
		}
		return s.tellNodes(ctx, n.Team, n.ID)
	})
}

// ReleaseQuarantine lets a node try a bundle again.
func (s *Service) ReleaseQuarantine(ctx context.Context, id, bundle string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.node(ctx, id, writing)
		if err != nil {
			return err
		}
		if !slices.Contains(n.Quarantined, bundle) {
			return problem.New(problem.Conflict, "%s has no bundle %.128s in quarantine.", n.Name, bundle)
		}
		if slices.Contains(n.Releases, bundle) {
			return nil
		}
		if err := s.rows().setReleases(ctx, id, append(n.Releases, bundle)); err != nil {
			return err
		}
		if err := s.rows().insertEvents(ctx, s.happened(&n, KindReleased, identity.From(ctx).Name, bundle)); err != nil {
			return err
		}
		if err := s.audit(ctx, n.Team, "edge.node.release", n.Name, bundle); err != nil {
			return err
		}
		return s.tellNodes(ctx, n.Team, id)
	})
}

// DeleteTeam makes every server forget what it knows of a team whose rows are
// going: a node in memory would go on checking in. It is called in the transaction.
func (s *Service) DeleteTeam(ctx context.Context, _ int64) error {
	s.DB.AfterCommit(ctx, func() { s.fleet.forget(""); s.trusts.forget() })
	if err := s.DB.Notify(ctx, trustChannel, ""); err != nil {
		return err
	}
	return s.DB.Notify(ctx, nodeChannel, "")
}
