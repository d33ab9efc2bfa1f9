package edge

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"maps"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// refusedToken is one answer for every reason, so that nobody learns which tokens there were.
func refusedToken() error {
	return problem.New(problem.Forbidden, "This enrolment token is unknown, expired, revoked or used up. Make a new one on the enrolment page.")
}

// Enrol makes a machine that showed a token a node. The caller has checked that
// the key is the sender's. Enrolling again with the same key is enrolling once: an
// answer may have been lost.
func (s *Service) Enrol(ctx context.Context, in protocol.EnrollRequest, address string) (Node, error) {
	if err := validateMachine(in.Machine); err != nil {
		return Node{}, err
	}
	in.Name = cmp.Or(in.Name, in.Machine.Hostname)
	if err := validateName(in.Name); err != nil {
		return Node{}, err
	}
	if err := validateSite(in.Site); err != nil {
		return Node{}, err
	}
	if err := validateLabels(in.Labels); err != nil {
		return Node{}, err
	}
	if !printable(in.Agent, 100) {
		return Node{}, problem.FieldError("agent", "is no version")
	}
	var n Node
	err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		n, err = s.enrol(ctx, in, address)
		return err
	})
	return n, err
}

func (s *Service) enrol(ctx context.Context, in protocol.EnrollRequest, address string) (Node, error) {
	t, err := s.rows().tokenByHash(ctx, tokenHash(in.Token))
	if problem.Is(err, problem.NotFound) {
		return Node{}, refusedToken()
	}
	if err != nil {
		return Node{}, err
	}
	there, err := s.rows().nodeByKey(ctx, in.PublicKey)
	switch {
	case err == nil && there.Team == t.Team && (there.State == protocol.NodePending || there.State == protocol.NodeAccepted):
		return there, nil
	case err == nil:
		return Node{}, problem.New(problem.Forbidden, "This key was refused or belongs elsewhere. Remove the agent's state folder to make a new one.")
	case !problem.Is(err, problem.NotFound):
		return Node{}, err
	}
	spent, err := s.rows().spendToken(ctx, t.ID, s.millis())
	if err != nil {
		return Node{}, err
	}
	if !spent {
		return Node{}, refusedToken()
	}
	n := s.newNode(t, in, address)
	by, err := s.asExpected(ctx, &n)
	if err != nil {
		return Node{}, err
	}
	if by == "" && t.Accepts {
		by = "token " + t.Name
	}
	if err := s.rows().insertNode(ctx, n); err != nil {
		return Node{}, err
	}
	if err := s.rows().insertEvents(ctx, s.happened(&n, KindEnrolled, "", "with token "+t.Name+" from "+address)); err != nil {
		return Node{}, err
	}
	if err := s.publish(ctx, n.Team, nodesTopic, n.ID); err != nil {
		return Node{}, err
	}
	if by != "" {
		return s.acceptAtOnce(ctx, n, by)
	}
	return n, nil
}

func (s *Service) newNode(t Token, in protocol.EnrollRequest, address string) Node {
	labels := maps.Clone(in.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, t.Labels)
	m, now := in.Machine, api.Millis(s.millis())
	return Node{ID: s.NewID(), Team: t.Team, Name: in.Name, Site: cmp.Or(t.Site, in.Site), Labels: labels, State: protocol.NodePending, key: ed25519.PublicKey(in.PublicKey), Fingerprint: protocol.Fingerprint(in.PublicKey),
		Hostname: m.Hostname, OSID: m.OSID, VersionID: m.VersionID, Codename: m.Codename, Arch: m.Arch, PackageSystem: m.PackageSystem, Kernel: m.Kernel, Variant: m.Variant(),
		Token: t.Name, Address: address, EnrolledAt: now, ChangedAt: now, Held: []string{}, Releases: []string{},
		Said: Said{Agent: in.Agent, AgentState: protocol.StateIdle, BootID: m.BootID, Quarantined: []string{}}}
}

// acceptAtOnce accepts a node whose token may, or that is expected; one whose name is
// taken waits for a person.
func (s *Service) acceptAtOnce(ctx context.Context, n Node, by string) (Node, error) {
	taken, err := s.rows().nameTaken(ctx, n.Team, n.Name)
	if err != nil || taken {
		return n, err
	}
	if _, err := s.rows().decide(ctx, n.ID, []protocol.NodeState{protocol.NodePending}, protocol.NodeAccepted, by, s.millis()); err != nil {
		return n, err
	}
	n.State, n.DecidedBy, n.DecidedAt = protocol.NodeAccepted, by, api.Millis(s.millis())
	if err := s.rows().insertEvents(ctx, s.happened(&n, KindAccepted, by, "")); err != nil {
		return n, err
	}
	return n, s.tellNodes(ctx, n.Team, n.ID)
}

// tellNodes makes every server look at the nodes' rows, and tells who wants to know.
func (s *Service) tellNodes(ctx context.Context, team int64, ids ...string) error {
	for _, id := range ids {
		if err := s.rowChanged(ctx, id); err != nil {
			return err
		}
	}
	if s.OnNodes != nil {
		if err := s.OnNodes(ctx, team, ids); err != nil {
			return err
		}
	}
	return s.publish(ctx, team, nodesTopic, "")
}

// Rotate gives a node a new key; the request was signed with the old one.
func (s *Service) Rotate(ctx context.Context, n Node, in protocol.RotateRequest) error {
	if !protocol.VerifyRotation(n.ID, n.key, in.PublicKey, in.Proof) {
		return problem.New(problem.Invalid, "The proof does not show that the new key is yours.")
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		done, err := s.rows().rotateKey(ctx, n.ID, n.key, in.PublicKey, s.millis())
		if err != nil {
			return err
		}
		if !done {
			return problem.New(problem.Conflict, "The key was changed meanwhile.")
		}
		if err := s.rows().insertEvents(ctx, s.happened(&n, KindRotated, "", protocol.Fingerprint(n.key)+" became "+protocol.Fingerprint(in.PublicKey))); err != nil {
			return err
		}
		return s.tellNodes(ctx, n.Team, n.ID)
	})
}
