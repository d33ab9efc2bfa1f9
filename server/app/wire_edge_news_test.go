package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/app"
	"github.com/signalbox/signalbox/server/edge"
	"github.com/signalbox/signalbox/server/edge/rollout"
)

// TestFleetReachesChannels: what happens to rollouts and nodes is told outside, each
// in words of its own, to whoever asked for it.
func TestFleetReachesChannels(t *testing.T) {
	t.Parallel()
	type message struct{ Event, Title, Text, URL string }
	heard := make(chan message, 20)
	there := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var m message
		if err == nil {
			err = json.Unmarshal(raw, &m)
		}
		if err != nil {
			m.Title = err.Error()
		}
		heard <- m
	}))
	t.Cleanup(there.Close)
	r := start(t)
	r.call(t, "POST", "/api/v1/ci/channels", map[string]any{"team": "main", "kind": "webhook", "name": "fleet", "url": there.URL,
		"events": []string{"approval.requested", "rollout.paused", "rollout.failed", "rollout.finished", "node.lost", "node.returned", "node.doubled"}}, nil)
	team := app.TeamID(t.Context(), r.App, "main")
	of := func(s rollout.State, actor string, failures int) edge.RolloutChanged {
		return edge.RolloutChanged{Team: team, ID: "r1", Number: 7, Policy: "tills", Bundle: "b1", State: s, Actor: actor, Reason: "because", Failures: failures}
	}
	two := []edge.NewsNode{{ID: "n1", Name: "a", Site: "osl"}, {ID: "n2", Name: "b", Site: "osl"}}
	for _, c := range []struct {
		change any
		want   string // event and title
	}{
		{of(rollout.AwaitingApproval, "ann", 0), "approval.requested Rollout 7 of tills waits for approval"},
		{of(rollout.Paused, "", 0), "rollout.paused Rollout 7 of tills has paused"},
		{of(rollout.Completed, "", 0), "rollout.finished Rollout 7 of tills is completed"},
		{of(rollout.Completed, "", 3), "rollout.failed Rollout 7 of tills is completed, and 3 nodes failed"},
		{of(rollout.Expired, "", 0), "rollout.failed Rollout 7 of tills was not done by its deadline"},
		{of(rollout.Aborted, "ann", 0), "rollout.failed Rollout 7 of tills was aborted by ann"},
		{of(rollout.RolledBack, "", 0), "rollout.finished Rollout 7 of tills is rolled-back"},
		{edge.NodeNews{Team: team, Kind: edge.KindLost, Nodes: two}, "node.lost 2 nodes have not been heard of for a day"},
		{edge.NodeNews{Team: team, Kind: edge.KindReturned, Nodes: two[:1]}, "node.returned Node a is there again"},
		{edge.NodeNews{Team: team, Kind: edge.KindDoubled, Nodes: two[1:]}, "node.doubled Node b may be in two places"},
	} {
		if err := app.TellOfFleet(t.Context(), r.App, c.change); err != nil {
			t.Fatal(err)
		}
		m := <-heard
		if got := m.Event + " " + m.Title; got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
		if !strings.Contains(m.URL, "/teams/main/edge") || m.Text == "" {
			t.Errorf("%+v", m)
		}
	}
	for _, s := range []rollout.State{rollout.Running, rollout.RollingBack} {
		if err := app.TellOfFleet(t.Context(), r.App, of(s, "", 0)); err != nil {
			t.Fatal(err)
		}
	}
	if len(heard) > 0 {
		t.Errorf("%+v", <-heard)
	}
}

func TestWhereabouts(t *testing.T) {
	t.Parallel()
	var many []edge.NewsNode
	for _, name := range strings.Fields("a b c d e f g h i j k l") {
		many = append(many, edge.NewsNode{Name: name, Site: "osl"})
	}
	for want, nodes := range map[string][]edge.NewsNode{
		"a.":                       {{Name: "a"}},
		"at osl: b, c; at bgo: a.": {{Name: "a", Site: "bgo"}, {Name: "b", Site: "osl"}, {Name: "c", Site: "osl"}},
		"at osl: a, b, c, d, e, f, g, h, i, j and 2 more; at bgo: 1 more.": append(many, edge.NewsNode{Name: "z", Site: "bgo"}),
	} {
		if got := app.Whereabouts(nodes); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
