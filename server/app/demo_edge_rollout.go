package app

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

// demoSilent is the fate of a node that begins and is not heard of again.
const demoSilent protocol.State = "silent"

// demoPlayed is how many batches have ended, of those before the one that runs.
const demoPlayed = 5

// demoFates are which of a batch's nodes end badly, by batch and place in it.
var demoFates = map[[2]int]protocol.State{
	{1, 7}: protocol.StateRolledBack, {2, 3}: protocol.StateFailed, {2, 30}: demoSilent, {3, 11}: protocol.StateRolledBack, {3, 12}: protocol.StateRolledBack, {4, 20}: demoSilent, {4, 21}: protocol.StateQuarantined,
}

// demoShape is what the demo looks at of a rollout.
type demoShape struct {
	State     string
	Batch     int
	BatchList []struct {
		Number   int
		ClosedAt *time.Time `json:"closed_at"`
	} `json:"batch_list"`
}

func (s demoShape) closed(batch int) bool {
	return s.Batch > batch || s.Batch == batch && s.BatchList[batch].ClosedAt != nil
}

type demoMember struct{ Node, Name, State string }

func (e *edgeDemo) rollout(ctx context.Context, id string) (s demoShape, err error) {
	// What the agents said first, as the server's loops would write it a second later.
	if err := e.app.edge.Drive(ctx); err != nil {
		return s, err
	}
	return s, e.call(ctx, "GET", "/api/v1/edge/rollouts/"+id, nil, &s)
}

func (e *edgeDemo) members(ctx context.Context, id string, batch int) ([]*demoNode, []demoMember, error) {
	var page struct{ Items []demoMember }
	if err := e.call(ctx, "GET", fmt.Sprintf("/api/v1/edge/rollouts/%s/nodes?batch=%d&limit=1000", id, batch), nil, &page); err != nil {
		return nil, nil, err
	}
	byID := make(map[string]*demoNode, len(e.fleet))
	for _, n := range e.fleet {
		byID[n.id] = n
	}
	nodes := make([]*demoNode, len(page.Items))
	for i, m := range page.Items {
		nodes[i] = byID[m.Node]
	}
	return nodes, page.Items, nil
}

// batches plays the first ones of a rollout to their ends.
func (e *edgeDemo) batches(ctx context.Context, id string, count int, fates map[[2]int]protocol.State) error {
	if err := e.staging(ctx); err != nil {
		return err
	}
	for batch := range count {
		nodes, _, err := e.members(ctx, id, batch)
		if err != nil {
			return err
		}
		for i, n := range nodes {
			if n == nil {
				return fmt.Errorf("rollout %s has a node that is none of the demo's", id)
			}
			if n.fate = protocol.StateSucceeded; fates[[2]int{batch, i}] != "" {
				n.fate = fates[[2]int{batch, i}]
			}
		}
		if err := e.batch(ctx, id, batch); err != nil {
			return err
		}
	}
	return nil
}

// staging has every node fetch what it may.
func (e *edgeDemo) staging(ctx context.Context) error {
	return e.each(ctx, e.fleet, func(ctx context.Context, n *demoNode) error {
		if err := e.come(ctx, n); err != nil || n.order.Rollout == "" || n.gone {
			return err
		}
		n.adopt()
		if err := e.become(ctx, n, protocol.StateStaged); err != nil {
			return err
		}
		return e.come(ctx, n)
	})
}

// demoRounds bounds how long the demo waits for a batch.
const demoRounds = 40

// batch lets one batch install, a quarter of it at a time, and waits for its end.
func (e *edgeDemo) batch(ctx context.Context, id string, batch int) error {
	var shape demoShape
	for range demoRounds {
		var err error
		if shape, err = e.rollout(ctx, id); err != nil {
			return err
		}
		if shape.closed(batch) {
			return nil
		}
		nodes, members, err := e.members(ctx, id, batch)
		if err != nil {
			return err
		}
		some := 0
		for i, n := range nodes {
			if members[i].State != "released" || n.gone || some > len(nodes)/4 {
				continue
			}
			some++
			if err := e.install(ctx, n); err != nil {
				return err
			}
			e.pass(10 * time.Minute / time.Duration(len(nodes)))
		}
		if some == 0 { // for its turn, for who is away, or for silence to be noticed
			e.pass(5 * time.Minute)
		}
	}
	return fmt.Errorf("batch %d did not end: %+v", batch, shape)
}

// install is a whole run of a node, from its release to its end.
func (e *edgeDemo) install(ctx context.Context, n *demoNode) error {
	for _, s := range []protocol.State{protocol.StateVerifying, protocol.StateInstalling, n.fate} {
		if n.gone = s == demoSilent; n.gone { // from its first minute on, so that it is noticed
			return nil
		}
		if n.fate == protocol.StateQuarantined && s == protocol.StateInstalling {
			continue
		}
		if err := e.become(ctx, n, s); err != nil {
			return err
		}
		if _, err := e.checkIn(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// half leaves the batch that runs in its middle: some are done, some failed, some
// are at it, some went silent.
func (e *edgeDemo) half(ctx context.Context, id string) error {
	e.until(26 * time.Minute)
	for range demoRounds {
		shape, err := e.rollout(ctx, id)
		if err != nil {
			return err
		}
		if shape.Batch == demoPlayed || shape.Batch == len(shape.BatchList)-1 {
			break
		}
		e.pass(time.Minute)
	}
	nodes, members, err := e.members(ctx, id, demoPlayed)
	if err != nil {
		return err
	}
	for i, n := range nodes {
		if members[i].State != "released" || n.gone {
			continue
		}
		if err := e.begun(ctx, n, i, i*20/len(nodes)); err != nil {
			return err
		}
	}
	for _, behind := range []time.Duration{10 * time.Minute, 0} { // whoever is quiet for longer than the policy likes is silent
		e.until(behind)
		if err := e.each(ctx, e.fleet, e.come); err != nil {
			return err
		}
		if _, err := e.rollout(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// begun lets a node of the running batch come as far as its part of twenty says.
func (e *edgeDemo) begun(ctx context.Context, n *demoNode, i, part int) error {
	switch {
	case part == 0:
		n.fate = demoSilent
	case part == 1 && i%2 == 0:
		n.fate = protocol.StateRolledBack
	case part == 1:
		n.fate = protocol.StateQuarantined
	case part < 9:
		n.fate = protocol.StateSucceeded
	case part < 13:
		if err := e.become(ctx, n, protocol.StateInstalling); err != nil {
			return err
		}
		n.patient += 4
		return e.come(ctx, n)
	default:
		return e.come(ctx, n) // its turn comes while people watch
	}
	if err := e.install(ctx, n); err != nil || n.gone {
		return err
	}
	e.pass(10 * time.Second)
	return nil
}

// recall finds the machines that an earlier start made.
func (e *edgeDemo) recall(ctx context.Context) error {
	byName := map[string]*demoNode{}
	for _, n := range e.fleet {
		byName[n.name] = n
	}
	var page struct {
		Items []struct {
			ID, Name, Bundle, Rollout string
			AgentState                protocol.State `json:"agent_state"`
			SeenAt                    *time.Time     `json:"seen_at"`
			LastExit                  *protocol.Exit `json:"last_exit"`
			Quarantined               []string
			TargetsVersion            int64 `json:"targets_version"`
			TotalBytes                int64 `json:"total_bytes"`
		}
	}
	if err := e.call(ctx, "GET", "/api/v1/edge/nodes?limit=1000&team="+url.QueryEscape(demoTeam), nil, &page); err != nil {
		return err
	}
	var latest time.Time
	for _, shown := range page.Items {
		if shown.SeenAt != nil && shown.SeenAt.After(latest) {
			latest = *shown.SeenAt
		}
	}
	for _, shown := range page.Items {
		n := byName[shown.Name]
		if n == nil {
			continue // a real one
		}
		n.id, n.stage = shown.ID, int(shown.TargetsVersion)
		n.says.State, n.says.Bundle, n.says.Rollout, n.says.LastExit, n.says.Quarantined = shown.AgentState, shown.Bundle, shown.Rollout, shown.LastExit, shown.Quarantined
		n.gone = shown.SeenAt == nil || latest.Sub(*shown.SeenAt) > 10*time.Minute
		e.fetched = max(e.fetched, shown.TotalBytes)
	}
	e.fetched = max(e.fetched, 1<<20)
	return nil
}
