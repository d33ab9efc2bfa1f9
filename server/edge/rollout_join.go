package edge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/edge/rollout"
)

// A rollout takes in who comes while it runs: nodes that were accepted, described
// otherwise or set free after it began, when its policy chooses them. They join at its
// end, so that no batch grows that people watch. One that is over takes nobody.

// welcome looks for such nodes, when somebody changed the fleet and now and then.
func (s *Service) welcome(ctx context.Context, row *rolloutRow, p policy.Policy) error {
	if row.State != rollout.Running || !s.orders.looksForNew(row.ID, s.Now()) {
		return nil
	}
	plan, err := s.newcomers(ctx, row, p)
	if err != nil || len(plan.Batches)+len(plan.Skipped) == 0 {
		return err
	}
	batches, err := s.rows().batches(ctx, row.ID)
	if err != nil {
		return err
	}
	now := s.millis()
	var names []string
	var members []memberRow
	for number, list := range plan.Batches {
		if len(list) == 0 {
			continue
		}
		if number >= len(batches) {
			err = s.rows().insertBatch(ctx, batchRow{RolloutID: row.ID, Number: number, Size: len(list)})
		} else {
			err = s.rows().setBatch(ctx, row.ID, number, "size", int64(batches[number].Size+len(list)))
		}
		if err != nil {
			return err
		}
		for _, c := range list {
			names = append(names, c.Name)
			members = append(members, row.member(c, number, rollout.Waiting, now))
		}
	}
	for _, c := range plan.Skipped {
		members = append(members, row.member(c, -1, rollout.Skipped, now))
	}
	if err := s.rows().putMembers(ctx, members); err != nil || len(names) == 0 {
		return err
	}
	row.Batches = max(row.Batches, len(plan.Batches))
	if err := s.rows().setRollout(ctx, *row); err != nil {
		return err
	}
	return s.told(ctx, row, "joined", joinedText(names))
}

func (r *rolloutRow) member(c Candidate, batch int, state rollout.NodeState, now int64) memberRow {
	return memberRow{RolloutID: r.ID, NodeID: c.ID, TeamID: r.TeamID, Name: c.Name, Site: c.Site, Variant: c.Variant, Zone: c.Zone, Batch: batch, State: state, Reason: c.Reason, ExitCode: noExit, ChangedAt: now}
}

const namedJoiners = 5

func joinedText(names []string) string {
	slices.Sort(names)
	text := strings.Join(names[:min(len(names), namedJoiners)], ", ")
	switch more := len(names) - namedJoiners; {
	case len(names) == 1:
		return text + " came later and joins the last batch"
	case more > 0:
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + " came later and join at the end"
}

// newcomers are the nodes that a rollout would have chosen, had they been what they
// are now. Skipped are those among them that cannot take part and have not been told of.
func (s *Service) newcomers(ctx context.Context, row *rolloutRow, p policy.Policy) (Plan, error) {
	plan := Plan{Policy: p}
	nodes, err := s.nodesOf(ctx, row.TeamID)
	if err != nil {
		return plan, err
	}
	places, err := s.rows().places(ctx, row.ID)
	if err != nil {
		return plan, err
	}
	var come []*Node
	total := 0
	for _, n := range nodes {
		place, known := places[n.ID]
		if n.State != protocol.NodeAccepted || !p.Spec.Targets.Selector.Matches(n.Labels) {
			continue
		}
		if total++; !known || place.Batch < 0 {
			come = append(come, n)
		}
	}
	if len(come) == 0 {
		return plan, nil
	}
	if err := s.planBundle(ctx, row.TeamID, &plan); err != nil || plan.Bundle == nil {
		return plan, err
	}
	candidates, err := s.fitness(ctx, row.TeamID, &plan, come)
	if err != nil {
		return plan, err
	}
	fit := map[string]Candidate{}
	var members []rollout.Member
	for _, c := range candidates {
		if most := p.Spec.Targets.MaxNodes; c.Reason == "" && most > 0 && total > most {
			c.Reason = fmt.Sprintf("came later, and the policy allows %d nodes at most", most)
		}
		if c.Reason == "" {
			fit[c.ID] = c
			members = append(members, rollout.Member{ID: c.ID, Site: c.Site, Variant: c.Variant})
		} else if place, known := places[c.ID]; !known || place.Reason != c.Reason {
			plan.Skipped = append(plan.Skipped, c)
		}
	}
	sizes := make([]int, row.Batches)
	for _, place := range places {
		if place.Batch >= 0 {
			sizes[place.Batch]++
		}
	}
	if len(members) == 0 {
		return plan, nil
	}
	for _, list := range rollout.Join(plan.seed(), members, p.Spec.RolloutStrategy, sizes, row.Batch) {
		batch := make([]Candidate, len(list))
		for i, m := range list {
			batch[i] = fit[m.ID]
		}
		plan.Batches = append(plan.Batches, batch)
	}
	return plan, nil
}

// fitness says of nodes that a selector chooses who may take part, and why not.
func (s *Service) fitness(ctx context.Context, team int64, plan *Plan, nodes []*Node) ([]Candidate, error) {
	busy, err := s.rows().busy(ctx, team)
	if err != nil {
		return nil, err
	}
	reached := map[string]int64{}
	if plan.Bundle != nil {
		if reached, err = s.rows().reached(ctx, team, plan.Bundle.Channel); err != nil {
			return nil, err
		}
	}
	excluded := map[string]bool{}
	for _, name := range plan.Policy.Spec.Targets.ExcludeNodes {
		excluded[name] = true
	}
	out := make([]Candidate, len(nodes))
	for i, n := range nodes {
		c := Candidate{ID: n.ID, Name: n.Name, Site: n.Site, Variant: n.Variant, Zone: n.Labels[zoneLabel]}
		switch {
		case excluded[n.Name] || excluded[n.ID]:
			c.Reason = "the policy excludes it"
		case busy[n.ID] > 0:
			c.Reason = fmt.Sprintf("takes part in rollout %d", busy[n.ID])
		default:
			c.Reason = plan.unfit(n, reached[n.ID])
		}
		out[i] = c
	}
	return out, nil
}

// asBundle is a node as manifests know it.
func (n *Node) asBundle() bundle.Node {
	return bundle.Node{ID: n.ID, Name: n.Name, OSID: n.OSID, VersionID: n.VersionID, Codename: n.Codename, Arch: n.Arch, PackageSystem: n.PackageSystem, Agent: n.Agent}
}

// looksForNew tells whether it is time to look for nodes that a rollout has not seen.
func (o *orders) looksForNew(id string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	last, known := o.welcomed[id]
	if known && now.Sub(last).Abs() < lookEvery {
		return false
	}
	if o.welcomed == nil {
		o.welcomed = map[string]time.Time{}
	}
	o.welcomed[id] = now
	return true
}
