package edge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Plan is what a rollout of a policy would be if it began now.
type Plan struct {
	Policy policy.Policy
	// Problems hinder its start; a plan without any can begin.
	Problems []string
	// Bundle is nil while none is published under the policy's name for it.
	Bundle     *Bundle
	manifest   *bundle.Manifest
	Severities []string
	// Batches are who would take part, in which order; Skipped who would not, of
	// those that the selector chooses.
	Batches [][]Candidate
	Canary  bool
	Skipped []Candidate
	Total   int
	Windows []policy.Interval
}

// Candidate is a node that a selector chooses.
type Candidate struct {
	ID, Name, Site, Variant, Zone string
	// Reason is why it is skipped, empty if it is not.
	Reason string
}

// zoneLabel is the label by which a node says in which time zone it is.
const zoneLabel = "timezone"

// DryRun says what a rollout of a policy's text would be, and why it would not begin.
func (s *Service) DryRun(ctx context.Context, team int64, body string) (Plan, error) {
	if err := identity.Require(ctx, team, reading); err != nil {
		return Plan{}, err
	}
	parsed, _, err := readPolicy(body)
	if err != nil {
		return Plan{}, err
	}
	row, found, err := s.rows().policyNamed(ctx, team, parsed.Metadata.Name)
	if err != nil {
		return Plan{}, err
	}
	id := ""
	if found {
		id = row.ID
	}
	return s.plan(ctx, team, id, parsed)
}

// plan works out a rollout. id is the policy's, empty for one that is not kept.
func (s *Service) plan(ctx context.Context, team int64, id string, p policy.Policy) (Plan, error) {
	out := Plan{Policy: p, Canary: p.Spec.RolloutStrategy.Canary != nil && p.Spec.RolloutStrategy.Type != policy.AllAtOnce}
	if err := s.planBundle(ctx, team, &out); err != nil {
		return out, err
	}
	if id != "" {
		active, found, err := s.rows().activeOf(ctx, id)
		if err != nil {
			return out, err
		}
		if found {
			out.refuse("Rollout %d of this policy is not over.", active.Number)
		}
	}
	if err := s.planNodes(ctx, team, &out); err != nil {
		return out, err
	}
	var err error
	if out.Windows, err = s.windowsOf(ctx, team, p, out.Severities); err != nil {
		return out, err
	}
	switch ends := p.Spec.Schedule.Ends(zoneOf(p, "UTC")); {
	case !ends.IsZero() && !ends.After(s.Now()):
		out.refuse("The deadline of the policy is over.")
	case out.Windows != nil && len(out.Windows) == 0:
		out.refuse("No window is left: freezes or the deadline forbid all of them.")
	}
	return out, nil
}

func (p *Plan) refuse(format string, args ...any) {
	p.Problems = append(p.Problems, fmt.Sprintf(format, args...))
}

func (s *Service) planBundle(ctx context.Context, team int64, out *Plan) error {
	ref := out.Policy.Spec.BundleRef
	b, err := s.rows().bundle(ctx, team, ref.Version)
	if problem.Is(err, problem.NotFound) {
		out.refuse("No bundle %s is published.", ref.Version)
		return nil
	}
	if err != nil {
		return err
	}
	out.Bundle = &b
	if ref.Checksum != "" && ref.Checksum != "sha256:"+b.ManifestSHA256 {
		out.refuse("The checksum in the policy is not that of bundle %s, which is sha256:%s.", b.ID, b.ManifestSHA256)
	}
	if ref.Channel != "" && ref.Channel != b.Channel {
		out.refuse("Bundle %s is of the channel %s, not %s.", b.ID, b.Channel, ref.Channel)
	}
	if int64(b.ExpiresAt) <= s.millis() {
		out.refuse("Bundle %s has expired.", b.ID)
	}
	vouched, err := s.vouched(ctx, b)
	if err != nil {
		return err
	}
	if !vouched {
		out.refuse("Bundle %s was withdrawn: the signed list of bundles does not name it any more.", b.ID)
	}
	raw, err := s.manifest(ctx, b)
	if err != nil {
		return err
	}
	if out.manifest, err = bundle.ParseManifest(raw); err != nil {
		return refusal(err)
	}
	out.Severities, err = s.rows().severities(ctx, team, b.ID)
	return err
}

func (s *Service) planNodes(ctx context.Context, team int64, out *Plan) error {
	nodes, err := s.rows().nodes(ctx, team, protocol.NodeAccepted, protocol.NodePending)
	if err != nil {
		return err
	}
	targets := out.Policy.Spec.Targets
	var hit []*Node
	for i := range nodes {
		if targets.Selector.Matches(nodes[i].Labels) {
			hit = append(hit, &nodes[i])
		}
	}
	out.Total = len(hit)
	candidates, err := s.fitness(ctx, team, out, hit)
	if err != nil {
		return err
	}
	var members []rollout.Member
	chosen := map[string]Candidate{}
	for _, c := range candidates {
		if c.Reason != "" {
			out.Skipped = append(out.Skipped, c)
			continue
		}
		chosen[c.ID] = c
		members = append(members, rollout.Member{ID: c.ID, Site: c.Site, Variant: c.Variant})
	}
	if most := targets.MaxNodes; most > 0 && out.Total > most {
		out.refuse("The selector chooses %d nodes, and the policy allows %d at most.", out.Total, most)
	}
	if len(members) == 0 {
		out.refuse("There is no node for it: the selector chooses %d, and all of them are skipped.", out.Total)
	}
	for _, batch := range rollout.Batches(out.seed(), members, out.Policy.Spec.RolloutStrategy) {
		list := make([]Candidate, len(batch))
		for i, m := range batch {
			list[i] = chosen[m.ID]
		}
		out.Batches = append(out.Batches, list)
	}
	return nil
}

// seed lets each bundle of a policy begin elsewhere, and a dry run show what will be.
func (p *Plan) seed() string {
	return p.Policy.Metadata.Name + "\n" + p.Policy.Spec.BundleRef.Version
}

// unfit says why a node cannot take the bundle, empty if it can as far as is known.
func (p *Plan) unfit(n *Node, reached int64) string {
	if n.State != protocol.NodeAccepted {
		return "nobody has accepted it yet"
	}
	if _, err := p.Policy.Spec.Schedule.Location(n.Labels[zoneLabel]); err != nil {
		return fmt.Sprintf("has no usable label %q, and the policy's windows are in each node's own time zone", zoneLabel)
	}
	b := p.Bundle
	if b == nil {
		return ""
	}
	if _, err := p.manifest.For(n.asBundle()); err != nil {
		var why *bundle.Error
		if errors.As(err, &why) {
			return strings.TrimSuffix(why.Message, ".")
		}
		return err.Error()
	}
	switch {
	case n.Bundle == b.ID && (n.AgentState == protocol.StateSucceeded || n.AgentState == protocol.StateIdle):
		return "has this bundle already"
	case slices.Contains(n.Quarantined, b.ID):
		return "has put this bundle into quarantine"
	case reached == b.Version:
		return "has this bundle already"
	case reached > b.Version:
		return "has a newer bundle of the channel"
	}
	return ""
}
