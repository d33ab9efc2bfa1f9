package assistant

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/assistant/grammar"
)

func edgePlans() []plan {
	return []plan{
		{"unpatched", "Which edge agents are not patched?", with(is(grammar.Node), "unpatched", "patched"), (*asked).unpatched},
		{"nodes", "Which nodes are offline?", is(grammar.Node, grammar.List, grammar.Count), (*asked).nodes},
		{"rollouts", "Which rollouts are running?", is(grammar.Rollout, grammar.List, grammar.Count, grammar.Latest), (*asked).rollouts},
	}
}

type rolloutSeen struct {
	ID, Policy, Bundle, State, Reason, Waits, Batches string
	Number                                            int64
	Nodes                                             map[string]int
	Total, Failures                                   int
}

func (a *asked) rolloutRef(r rolloutSeen) string {
	url := a.page("/teams/" + a.team.Name + "/edge/rollouts/" + r.ID)
	title := fmt.Sprintf("rollout #%d of %s", r.Number, r.Bundle)
	a.source(title, url)
	return link(plain(title), url)
}

type nodeSeen struct {
	ID, Name, Site string
	AgentState     string `json:"agent_state"`
	Bundle         string
	LastExit       string `json:"last_exit"`
	Offline        bool
	SeenAt         string `json:"seen_at"`
}

func (a *asked) nodeLine(n nodeSeen) string {
	url := a.page("/teams/" + a.team.Name + "/edge/nodes/" + n.ID)
	a.source(n.Name, url)
	parts := []string{n.Site, n.AgentState}
	if n.LastExit != n.AgentState {
		parts = append(parts, n.LastExit)
	}
	if n.Offline {
		parts = append(parts, "offline")
	}
	if at, err := time.Parse(time.RFC3339, n.SeenAt); err == nil {
		parts = append(parts, "last seen "+a.moment(at))
	}
	return link(plain(n.Name), url) + " — " + plain(strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", "))
}

func (a *asked) nodesBy(ctx context.Context, query string) (int, []nodeSeen, error) {
	var out struct {
		Total int
		Nodes []nodeSeen
	}
	err := a.call(ctx, "edge_nodes_list", map[string]any{"team": a.team.Name, "query": query, "limit": 500}, &out)
	return out.Total, out.Nodes, err
}

func (a *asked) nodes(ctx context.Context) (string, error) {
	query := ""
	if a.reading.Has("offline") {
		query = "offline"
	}
	if a.reading.Name != "" {
		query = strings.TrimSpace(query + " " + a.reading.Name)
	}
	total, found, err := a.nodesBy(ctx, query)
	if err != nil {
		return "", err
	}
	what := "node"
	if a.reading.Has("offline") {
		what = "offline node"
	}
	if total == 0 {
		return "No " + what + "s.", nil
	}
	return fmt.Sprintf("**%s**.", number(total, what)) + list(found, total, a.nodeLine), nil
}

// unpatched are the nodes that the newest rollout has not brought to its bundle.
func (a *asked) unpatched(ctx context.Context) (string, error) {
	var status struct {
		UnderWay []rolloutSeen `json:"under_way"`
		Last     *rolloutSeen  `json:"last"`
	}
	if err := a.call(ctx, "edge_patch_status", map[string]any{"team": a.team.Name}, &status); err != nil {
		return "", err
	}
	var r rolloutSeen
	switch {
	case len(status.UnderWay) > 0:
		r = status.UnderWay[0]
	case status.Last != nil:
		r = *status.Last
	default:
		return "Nothing has been rolled out yet.", nil
	}
	total, found, err := a.nodesBy(ctx, "rollout:"+r.ID+" -agent_state:succeeded")
	if err != nil {
		return "", err
	}
	all := len(found)
	found = slices.DeleteFunc(found, func(n nodeSeen) bool { return n.AgentState == "succeeded" })
	total -= all - len(found)
	// What went wrong before what is merely not there yet.
	slices.SortStableFunc(found, func(x, y nodeSeen) int { return trouble(x) - trouble(y) })
	done := r.Nodes["succeeded"]
	head := fmt.Sprintf("**%d of %s** done in %s, which is %s.", done, number(r.Total, "node"), a.rolloutRef(r), plain(r.State))
	if r.Waits != "" {
		head += " It waits " + plain(r.Waits) + "."
	}
	// The others take no part yet: they wait for their batch.
	if rest := r.Total - done - total; rest > 0 {
		head += fmt.Sprintf(" %s not begun.", number(rest, "node")+map[bool]string{true: " has", false: " have"}[rest == 1])
	}
	if len(found) == 0 {
		return head, nil
	}
	return head + "\n\nNot patched:" + list(found, max(total, len(found)), a.nodeLine), nil
}

func trouble(n nodeSeen) int {
	switch n.AgentState {
	case "quarantined", "failed", "rolled-back", "silent":
		return 0
	case "deferred":
		return 1
	}
	return 2
}

func (a *asked) rollouts(ctx context.Context) (string, error) {
	args := map[string]any{"team": a.team.Name, "limit": 50}
	what := "rollout"
	if a.reading.Has("running") || a.reading.Has("waiting") {
		what = "running rollout"
		args["state"] = "running"
	}
	var out struct{ Rollouts []rolloutSeen }
	if err := a.call(ctx, "edge_rollouts_list", args, &out); err != nil {
		return "", err
	}
	if len(out.Rollouts) == 0 {
		return "No " + what + "s.", nil
	}
	return fmt.Sprintf("**%s**.", number(len(out.Rollouts), what)) + list(out.Rollouts, len(out.Rollouts), func(r rolloutSeen) string {
		return fmt.Sprintf("%s — %s, %d of %d nodes done, %d failed", a.rolloutRef(r), plain(r.State), r.Nodes["succeeded"], r.Total, r.Failures)
	}), nil
}
