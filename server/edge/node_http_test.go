package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/tools"
)

func TestSearchForNodes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	exit := protocol.ExitHealthFailed
	for i, site := range []string{"osl", "osl", "lhr", ""} {
		more := `,"labels":{"role":"pos","row":"` + fmt.Sprint(i) + `"}`
		if site != "" {
			more += `,"site":"` + site + `"`
		}
		a := w.node(t, fmt.Sprintf("edge-%d", i), more)
		in := protocol.CheckIn{Agent: fmt.Sprintf("1.%d.0", i+8), State: protocol.StateSucceeded, Bundle: "b-1"}
		if i == 1 {
			in.State, in.LastExit, in.Quarantined, in.RootVersion = protocol.StateRolledBack, &exit, []string{"b-1"}, 10
		}
		if i < 3 {
			a.checkIn(t, in)
		}
		a.row(t)
	}
	if _, status := w.agent("new").enrol(t, w.token(t, "")); status != 201 {
		t.Fatal(status)
	}
	for q, want := range map[string]string{
		"": "edge-0 edge-1 edge-2 edge-3 new", "edge": "edge-0 edge-1 edge-2 edge-3", "EDGE-2": "edge-2", "site:osl": "edge-0 edge-1", "-site:osl": "edge-2 edge-3 new",
		"state:pending": "new", "agent_state:rolled-back": "edge-1", "exit:6": "edge-1", "bundle:b-1 site:lhr": "edge-2", "row:3": "edge-3", "role:pos -row:3": "edge-0 edge-1 edge-2",
		"agent:<1.10": "edge-0 edge-1 edge-3 new", "agent:>=1.10": "edge-2", "quarantined:b-1": "edge-1", "offline": "edge-3 new", "offline>24h": "edge-3 new", "os:debian arch:amd64 site:o*": "edge-0 edge-1",
		"variant:debian/12/amd64 nobody": "", "held": "", "doubled": "", "shelf:1": "", "root:10": "edge-1", "role:pos root:<3": "edge-0 edge-2 edge-3",
	} {
		var out Fleet
		w.want(t, "vic", "GET", "/api/v1/edge/nodes?team=main&q="+strings.ReplaceAll(strings.ReplaceAll(q, " ", "+"), ">", "%3E"), "", 200, &out)
		var names []string
		for _, n := range out.Items {
			names = append(names, n.Name)
		}
		if got := strings.Join(names, " "); got != want || out.Total != len(names) {
			t.Errorf("%q: %q, want %q", q, got, want)
		}
	}
	for path, status := range map[string]int{"?team=main&q=offline%3Esoon": 400, "?team=main&limit=5000": 400, "?team=main&q=" + strings.Repeat("a", 501): 400, "?team=other": 404, "": 404} {
		if code, answer := w.call("vic", "GET", "/api/v1/edge/nodes"+path, ""); code != status {
			t.Errorf("%s: %d %s", path, code, answer)
		}
	}
	var page Fleet
	w.want(t, "vic", "GET", "/api/v1/edge/nodes?team=main&offset=1&limit=2", "", 200, &page)
	if page.Total != 5 || len(page.Items) != 2 || page.Items[0].Name != "edge-1" || page.Counts.Sites["osl"] != 2 || page.Counts.States[protocol.NodePending] != 1 || page.Counts.AgentStates[protocol.StateSucceeded] != 2 {
		t.Errorf("%+v", page)
	}
	var sites sitesOut
	w.want(t, "ada", "PUT", "/api/v1/edge/sites/osl", `{"team":"main","description":"Oslo","kbps":512}`, 204, nil)
	w.want(t, "ada", "PUT", "/api/v1/edge/sites/vno", `{"team":"main"}`, 204, nil)
	w.want(t, "vic", "GET", "/api/v1/edge/sites?team=main", "", 200, &sites)
	if want := []Site{{Name: "lhr", Nodes: 1}, {Name: "osl", Description: "Oslo", KBps: 512, Nodes: 2}, {Name: "vno"}}; !slices.Equal(sites.Items, want) {
		t.Errorf("%+v", sites.Items)
	}
}

func TestGridTellsOnlyOfChanges(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a, b := w.node(t, "edge-1", `,"site":"osl"`), w.node(t, "edge-2")
	a.checkIn(t, protocol.CheckIn{})
	b.checkIn(t, protocol.CheckIn{})
	a.row(t)
	w.clock.advance(time.Minute)
	var grid Grid
	w.want(t, "vic", "GET", "/api/v1/edge/grid?team=main", "", 200, &grid)
	if len(grid.Cells) != 2 || grid.At != w.clock.now().UnixMilli() {
		t.Fatalf("%+v", grid)
	}
	cell := grid.Cells[0]
	word := func(i int) string { return grid.Words[int(cell[i].(float64))] }
	if cell[1] != "edge-1" || word(2) != "osl" || word(3) != "debian/12/amd64" || word(6) != "accepted" || word(7) != "idle" || cell[8].(float64) != -1 || cell[9].(float64) != 60 || cell[10].(float64) != 0 {
		t.Errorf("%v %v", cell, grid.Words)
	}
	since := fmt.Sprintf("/api/v1/edge/grid?team=main&since=%d", grid.At)
	w.want(t, "vic", "GET", since, "", 200, &grid)
	if len(grid.Cells) != 0 || grid.Total != 2 {
		t.Errorf("nothing happened: %+v", grid)
	}
	w.clock.advance(time.Minute)
	b.checkIn(t, protocol.CheckIn{State: protocol.StateStaging})
	b.row(t)
	w.want(t, "vic", "GET", since, "", 200, &grid)
	if len(grid.Cells) != 1 || grid.Cells[0][1] != "edge-2" {
		t.Errorf("%+v", grid)
	}
}

func TestChangeANode(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a, b := w.node(t, "edge-1"), w.node(t, "edge-2")
	var n Shown
	w.want(t, "mia", "PATCH", "/api/v1/edge/nodes/"+a.id, `{"name":"till-1","site":"osl","labels":{"role":"till"}}`, 200, &n)
	if n.Name != "till-1" || n.Site != "osl" || n.Labels["role"] != "till" {
		t.Errorf("%+v", n)
	}
	// What memory knows of it is not forgotten by that.
	a.checkIn(t, protocol.CheckIn{Bundle: "b-7"})
	w.want(t, "mia", "PATCH", "/api/v1/edge/nodes/"+a.id, `{"site":"lhr"}`, 200, nil)
	if n := a.row(t); n.Bundle != "b-7" || n.Site != "lhr" || n.Name != "till-1" {
		t.Errorf("%+v", n)
	}
	for body, status := range map[string]int{`{"name":"edge-2"}`: 409, `{"name":""}`: 400, `{"site":"a b"}`: 400, `{"labels":{"a b":"c"}}`: 400, `{"nonsense":1}`: 400} {
		if code, answer := w.call("mia", "PATCH", "/api/v1/edge/nodes/"+a.id, body); code != status {
			t.Errorf("%s: %d %s", body, code, answer)
		}
	}
	_ = b
}

// TestTeamsAreApart asks for everything of another team.
func TestTeamsAreApart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.node(t, "edge-1")
	list, err := w.rows().tokens(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct{ method, path, body string }{
		{"GET", "/nodes?team=main", ""}, {"GET", "/grid?team=main", ""}, {"GET", "/nodes/" + a.id, ""}, {"PATCH", "/nodes/" + a.id, `{"name":"mine"}`}, {"DELETE", "/nodes/" + a.id, ""},
		{"GET", "/nodes/" + a.id + "/events", ""}, {"GET", "/nodes/" + a.id + "/packages", ""}, {"GET", "/nodes/" + a.id + "/cves", ""}, {"POST", "/nodes/" + a.id + "/release", `{"bundle":"b"}`},
		{"POST", "/decisions", `{"team":"main","decision":"revoke","nodes":["` + a.id + `"]}`}, {"GET", "/cves?team=main&cve=CVE-2026-1", ""},
		{"GET", "/tokens?team=main", ""}, {"POST", "/tokens", `{"team":"main","name":"x"}`}, {"DELETE", "/tokens/" + list[0].ID, ""},
		{"GET", "/sites?team=main", ""}, {"PUT", "/sites/osl", `{"team":"main"}`}, {"DELETE", "/sites/osl?team=main", ""},
		{"GET", "/bundles?team=main", ""}, {"POST", "/bundles?team=main", "x"}, {"GET", "/bundles/b?team=main", ""}, {"DELETE", "/bundles/b?team=main", ""}, {"GET", "/bundles/b/sbom?team=main", ""}, {"GET", "/bundles/b/file?team=main", ""},
		{"GET", "/trust?team=main", ""}, {"PUT", "/trust", `{"team":"main","roots":["e30="]}`}, {"POST", "/trust/keys", `{"team":"main"}`},
	} {
		if code, answer := w.call("eve", r.method, "/api/v1/edge"+r.path, r.body); code != 404 {
			t.Errorf("eve %s %s: %d %s", r.method, r.path, code, answer)
		}
		if code, _ := w.call("", r.method, "/api/v1/edge"+r.path, r.body); code != 401 {
			t.Errorf("nobody %s %s: %d", r.method, r.path, code)
		}
	}
	// In her own team she decides nothing about ours.
	var out decideOut
	w.want(t, "eve", "POST", "/api/v1/edge/decisions", `{"team":"other","decision":"revoke","nodes":["`+a.id+`"]}`, 200, &out)
	if out.Items[0].Done || a.row(t).State != protocol.NodeAccepted {
		t.Errorf("%+v", out)
	}
}

func TestTools(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.node(t, "edge-1")
	exit := protocol.ExitInstallFailed
	a.checkIn(t, protocol.CheckIn{State: protocol.StateRolledBack, Bundle: "b-1", LastExit: &exit})
	a.send(t, "POST", protocol.PathReports, protocol.ReportsRequest{Reports: []protocol.Report{{Seq: 1, At: noon, State: protocol.StateRolledBack, Bundle: "b-1", Exit: &exit, Message: "disk full"}}}, nil)
	a.row(t)
	r := tools.NewRegistry()
	if err := w.RegisterTools(r); err != nil {
		t.Fatal(err)
	}
	call := func(ctx context.Context, name, in string) (string, error) {
		out, err := r.Call(ctx, name, json.RawMessage(in))
		raw, _ := json.Marshal(out) // shown only
		return string(raw), err
	}
	for _, c := range []struct{ name, in, want string }{
		{"edge_nodes_list", `{"team":"main","query":"exit:5"}`, `"last_exit":"install failed, restored"`},
		{"edge_node_get", `{"team":"main","node":"edge-1"}`, `"message":"disk full"`},
		{"edge_bundles_list", `{"team":"main"}`, `"bundles":[]`},
	} {
		out, err := call(as(t.Context(), "vic"), c.name, c.in)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: %s %v", c.name, out, err)
		}
		if out, err := call(as(t.Context(), "eve"), c.name, c.in); err == nil {
			t.Errorf("%s for eve: %s", c.name, out)
		}
	}
}
