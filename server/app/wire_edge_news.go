package app

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/edge"
	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/notify"
)

// What channels may ask for of the fleet. A rollout that waits for people is an
// approvalRequested.
const (
	rolloutPaused   notify.Event = "rollout.paused"
	rolloutFailed   notify.Event = "rollout.failed"
	rolloutFinished notify.Event = "rollout.finished"
	nodeLost        notify.Event = "node.lost"
	nodeReturned    notify.Event = "node.returned"
	nodeDoubled     notify.Event = "node.doubled"
)

// rolloutChanged tells the team's channels of a rollout that waits for people, paused
// by itself, or is over.
func (a *App) rolloutChanged(ctx context.Context, c edge.RolloutChanged) error {
	what := fmt.Sprintf("Rollout %d of %s", c.Number, c.Policy)
	m := notify.Message{Subject: "rollout " + c.ID, Text: "Bundle " + c.Bundle + ": " + c.Reason + "."}
	switch {
	case c.State == rollout.AwaitingApproval:
		m.Event, m.Title, m.Text = approvalRequested, what+" waits for approval", "Bundle "+c.Bundle+". Begun by "+c.Actor+": "+c.Reason
	case c.State == rollout.Paused && c.Actor == "":
		m.Event, m.Title = rolloutPaused, what+" has paused"
		m.Text += " It goes on when somebody resumes it."
	case c.State == rollout.Completed && c.Failures == 0, c.State == rollout.RolledBack && c.Failures == 0:
		m.Event, m.Title, m.Good = rolloutFinished, what+" is "+string(c.State), true
	case c.State == rollout.Completed, c.State == rollout.RolledBack:
		m.Event, m.Title = rolloutFailed, fmt.Sprintf("%s is %s, and %s failed", what, c.State, plural(c.Failures, "node"))
	case c.State == rollout.Expired, c.State == rollout.Aborted:
		m.Event, m.Title = rolloutFailed, what+" was "+map[rollout.State]string{rollout.Expired: "not done by its deadline", rollout.Aborted: "aborted"}[c.State]
		if c.Actor != "" {
			m.Title += " by " + c.Actor
		}
	default:
		return nil
	}
	return a.raiseOfEdge(ctx, c.Team, "/rollouts/"+url.PathEscape(c.ID), m)
}

func (a *App) raiseOfEdge(ctx context.Context, id int64, page string, m notify.Message) error {
	team, err := a.teamName(ctx, id)
	if err != nil {
		return err
	}
	m.URL = a.PublicURL() + "/teams/" + url.PathEscape(team) + "/edge" + page
	return a.notify.Raise(ctx, id, m)
}

// namedNodes is how many nodes a message names.
const namedNodes = 10

// nodesChanged tells the team's channels of nodes that are lost, came back, or may be two.
func (a *App) nodesChanged(ctx context.Context, n edge.NodeNews) error {
	who, page := plural(len(n.Nodes), "node"), ""
	if len(n.Nodes) == 1 {
		who, page = "Node "+n.Nodes[0].Name, "/nodes/"+url.PathEscape(n.Nodes[0].ID)
	}
	m := notify.Message{Subject: "nodes", Text: whereabouts(n.Nodes)}
	many := len(n.Nodes) > 1
	switch n.Kind {
	case edge.KindLost:
		m.Event, m.Title = nodeLost, who+either(many, " have", " has")+" not been heard of for a day"
	case edge.KindReturned:
		m.Event, m.Title, m.Good = nodeReturned, who+either(many, " are", " is")+" there again", true
	case edge.KindDoubled:
		m.Event, m.Title = nodeDoubled, who+" may be in two places"
		m.Text += " A request came whose number had been used before: perhaps the key was copied. Revoke the node if you cannot explain it."
	default:
		return nil
	}
	return a.raiseOfEdge(ctx, n.Team, page, m)
}

func either(many bool, they, it string) string {
	if many {
		return they
	}
	return it
}

// whereabouts says of nodes at which sites they are, the largest group first.
func whereabouts(nodes []edge.NewsNode) string {
	sites := map[string][]string{}
	for _, n := range nodes {
		sites[n.Site] = append(sites[n.Site], n.Name)
	}
	var order []string
	for site := range sites {
		order = append(order, site)
	}
	slices.SortFunc(order, func(a, b string) int {
		if d := len(sites[b]) - len(sites[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var parts []string
	named := 0
	for _, site := range order {
		list := sites[site]
		shown := list[:min(len(list), max(0, namedNodes-named))]
		named += len(shown)
		text := strings.Join(shown, ", ")
		if more := len(list) - len(shown); more > 0 {
			text = strings.TrimPrefix(text+fmt.Sprintf(" and %d more", more), " and ")
		}
		if site != "" {
			text = "at " + site + ": " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ") + "."
}
