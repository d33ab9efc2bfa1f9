package edge

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
	"github.com/signalbox/signalbox/server/platform/work"
)

func quoted(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func TestPolicyOverHTTP(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	const all = "/api/v1/edge/policies"
	text := policyText("b1", `schedule: {maintenanceWindow: "Tue 02:00-04:00", timezone: America/New_York}`)
	var made policyShape
	w.want(t, "mia", "POST", all, `{"team":"main","text":`+quoted(text)+`,"reason":"first"}`, 201, &made)
	if made.Name != "tills" || made.Revision != 1 || made.Window != "Tue 02:00-04:00" || made.Selector != "role=till" || len(made.Windows) != 8 || made.Spec.Install.Reboot != "ifNeeded" || made.Rollout != nil || made.CreatedBy != "mia" {
		t.Errorf("%s", asJSON(made))
	}
	one := all + "/" + made.ID
	for _, c := range []struct {
		name, who, method, path, body string
		status                        int
		says                          string
	}{
		{"twice", "mia", "POST", all, `{"team":"main","text":` + quoted(text) + `}`, 409, "a policy tills already"},
		{"mistakes are told", "mia", "POST", all, `{"team":"main","text":` + quoted(strings.Replace(text, "schedule:", "shedule:", 1)) + `}`, 400, `line 7, column 3: spec.shedule: unknown key \"shedule\"; did you mean \"schedule\"?`},
		{"a viewer", "vic", "POST", all, `{"team":"main","text":` + quoted(text) + `}`, 403, ""},
		{"a viewer reads", "vic", "GET", all + "?team=main", "", 200, `"name":"tills"`},
		{"a stranger", "eve", "GET", all + "?team=main", "", 404, ""},
		{"a stranger, by id", "eve", "GET", one, "", 404, ""},
		{"a stranger changes", "eve", "PUT", one, `{"text":"x","revision":1}`, 404, ""},
		{"a stranger deletes", "eve", "DELETE", one, "", 404, ""},
		{"a viewer deletes", "vic", "DELETE", one, "", 403, ""},
		{"an old revision", "mia", "PUT", one, `{"text":` + quoted(text) + `,"revision":0}`, 409, "changed to revision 1 by mia"},
		{"another name", "mia", "PUT", one, `{"text":` + quoted(strings.Replace(text, "name: tills", "name: kiosks", 1)) + `,"revision":1}`, 400, "is called tills"},
		{"a change", "mia", "PUT", one, `{"text":` + quoted(strings.Replace(text, "b1", "b2", 1)) + `,"revision":1,"reason":"the next"}`, 200, `"revision":2`},
		{"revisions", "vic", "GET", one + "/revisions", "", 200, `"reason":"the next"`},
		{"a check", "vic", "POST", all + "/check", `{"team":"main","text":"kind: Pod"}`, 200, `"ok":false`},
		{"a check of a good one", "vic", "POST", all + "/check", `{"team":"main","text":` + quoted(text) + `}`, 200, `"ok":true`},
		{"a dry run", "vic", "POST", all + "/dry-run", `{"team":"main","policy":"` + made.ID + `"}`, 200, "No bundle b2 is published."},
		{"a dry run of nonsense", "vic", "POST", all + "/dry-run", `{"team":"main","text":"x"}`, 400, ""},
		{"a dry run of a stranger's", "eve", "POST", all + "/dry-run", `{"team":"other","policy":"` + made.ID + `"}`, 404, ""},
		{"a start without its bundle", "mia", "POST", "/api/v1/edge/rollouts", `{"team":"main","policy":"` + made.ID + `","reason":"go"}`, 409, "No bundle b2 is published."},
		{"a start without a reason", "mia", "POST", "/api/v1/edge/rollouts", `{"team":"main","policy":"` + made.ID + `"}`, 400, "say why"},
		{"a start by a viewer", "vic", "POST", "/api/v1/edge/rollouts", `{"team":"main","policy":"` + made.ID + `","reason":"go"}`, 403, ""},
		{"a freeze", "mia", "POST", "/api/v1/edge/freezes", `{"team":"main","from":"2026-11-25T00:00:00Z","to":"2026-12-02T00:00:00Z","reason":"peak trade","allow":["critical"]}`, 201, `"created_by":"mia"`},
		{"a freeze by a viewer", "vic", "POST", "/api/v1/edge/freezes", `{"team":"main","from":"2026-11-25T00:00:00Z","to":"2026-12-02T00:00:00Z","reason":"peak trade"}`, 403, ""},
		{"freezes", "vic", "GET", "/api/v1/edge/freezes?team=main", "", 200, `"peak trade"`},
		{"a source by a member", "mia", "POST", "/api/v1/edge/policy-sources", `{"team":"main","repository":"https://github.com/acme/fleet"}`, 403, ""},
		{"a source of nothing", "ada", "POST", "/api/v1/edge/policy-sources", `{"team":"main","repository":"fleet"}`, 400, "give the address"},
		{"a delete", "mia", "DELETE", one, "", 204, ""},
		{"gone", "mia", "GET", one, "", 404, "no such policy"},
	} {
		if status, body := w.call(c.who, c.method, c.path, c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
}

func TestRolloutOverHTTP(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(7)
	w.bring("b1", 1, "high")
	p, err := w.CreatePolicy(w.ada(), 1, policyText("b1", canaries, "approval: {required: 1}"), "")
	w.must(err)
	const all = "/api/v1/edge/rollouts"
	var dry dryRunOut
	w.want(t, "vic", "POST", "/api/v1/edge/policies/dry-run", `{"team":"main","policy":"`+p.ID+`"}`, 200, &dry)
	if !dry.OK || dry.Total != 7 || len(dry.Batches) != 3 || !dry.Batches[0].Canary || dry.Batches[0].Size != 2 || dry.Bundle.Version != 1 || len(dry.Bundle.Variants) != 2 || len(dry.Batches[1].Nodes) != 4 {
		t.Errorf("%s", asJSON(dry))
	}
	var made rolloutShape
	w.want(t, "ada", "POST", all, `{"team":"main","policy":"`+p.ID+`","reason":"patch day"}`, 201, &made)
	one := all + "/" + made.ID
	for _, c := range []struct {
		name, who, method, path, body string
		status                        int
		says                          string
	}{
		{"awaits", "mia", "GET", one, "", 200, `"approval":{"required":1,"given":[],"mine":false,"may":true}`},
		{"not by who began", "ada", "GET", one, "", 200, `"may":false`},
		{"a stranger", "eve", "GET", one, "", 404, ""},
		{"a stranger's nodes", "eve", "GET", one + "/nodes", "", 404, ""},
		{"a stranger's grid", "eve", "GET", one + "/grid", "", 404, ""},
		{"a stranger's events", "eve", "GET", one + "/events", "", 404, ""},
		{"a stranger aborts", "eve", "POST", one + "/abort", `{"reason":"x"}`, 404, ""},
		{"a viewer aborts", "vic", "POST", one + "/abort", `{"reason":"x"}`, 403, ""},
		{"no pause before", "mia", "POST", one + "/pause", `{"reason":"x"}`, 409, "awaiting-approval and cannot become paused"},
		{"approve", "mia", "POST", one + "/approve", `{}`, 200, `"state":"running"`},
		{"a second one of the policy", "ada", "POST", all, `{"team":"main","policy":"` + p.ID + `","reason":"x"}`, 409, "Rollout 1 of this policy is not over."},
		{"the policy stays", "ada", "DELETE", "/api/v1/edge/policies/" + p.ID, "", 409, "Abort it first"},
		{"a list", "vic", "GET", all + "?team=main&state=running&policy=" + p.ID, "", 200, `"counts":{"waiting":7}`},
		{"a list of nothing", "vic", "GET", all + "?team=main&state=paused", "", 200, `"items":[]`},
		{"a list before", "vic", "GET", all + "?team=main&before=1", "", 200, `"items":[]`},
		{"no such state", "vic", "GET", all + "?team=main&state=blue", "", 400, ""},
		{"unknown keys", "ada", "POST", all, `{"team":"main","policy":"x","reasn":"y"}`, 400, "reasn"},
	} {
		if status, body := w.call(c.who, c.method, c.path, c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
	w.tick(time.Second)
	w.says(w.in(w.now(rolloutRow{ID: made.ID}), rollout.Released)[0], state(protocol.StateFailed, rolloutRow{ID: made.ID, BundleID: "b1"}, protocol.ExitInstallFailed))
	w.tick(time.Second)
	var got rolloutShape
	w.want(t, "vic", "GET", one, "", 200, &got)
	if got.Batch != 0 || got.BatchList[0].Counts["failed"] != 1 || got.Threshold.Failed != 1 || got.Threshold.InRow != 1 || got.Threshold.MinSamples != 5 || got.Failures != 1 || len(got.Sites) != 3 || got.Total != 7 || got.EndedLastHour != 1 ||
		len(got.FailureGroups) != 1 || got.FailureGroups[0].Count != 1 || *got.FailureGroups[0].Exit != 5 || got.BatchList[0].AgentCounts["failed"] != 1 || got.BatchList[1].AgentCounts[""] != 4 || got.Sentence == "" {
		t.Errorf("%s", asJSON(got))
	}
	var nodes rolloutNodesOut
	w.want(t, "vic", "GET", one+"/nodes?state=failed&batch=0", "", 200, &nodes)
	if len(nodes.Items) != 1 || nodes.Items[0].Exit == nil || *nodes.Items[0].Exit != 5 || nodes.Items[0].AgentState != "failed" || nodes.Items[0].SeenAt == 0 {
		t.Errorf("%s", asJSON(nodes))
	}
	w.want(t, "vic", "GET", one+"/nodes?limit=4", "", 200, &nodes)
	first := len(nodes.Items)
	w.want(t, "vic", "GET", one+"/nodes?limit=4&after="+nodes.Next, "", 200, &nodes)
	if first != 4 || len(nodes.Items) != 3 || nodes.Next != "" {
		t.Errorf("pages of %d and %d, then %q", first, len(nodes.Items), nodes.Next)
	}
	if w.want(t, "vic", "GET", one+"/nodes?q=TILL-00003", "", 200, &nodes); len(nodes.Items) != 1 {
		t.Errorf("%s", asJSON(nodes))
	}
	if w.want(t, "vic", "GET", one+"/nodes?q=till_", "", 200, &nodes); len(nodes.Items) != 0 {
		t.Errorf("%s", asJSON(nodes))
	}
	var grid gridOut
	w.want(t, "vic", "GET", one+"/grid", "", 200, &grid)
	if len(grid.Nodes) != 7 || !strings.HasPrefix(string(grid.Nodes[0]), `["node-`) {
		t.Errorf("%s", asJSON(grid))
	}
	if body := w.want(t, "vic", "GET", one+"/events", "", 200, nil); !strings.Contains(body, `"reason":"1 approved"`) {
		t.Error(body)
	}
}

// TestDryRunSaysWhoIsSkipped: and why, for every reason that there is.
func TestDryRunSaysWhoIsSkipped(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	ids := w.enrolled(9)
	w.bring("b1", 1, "")
	b2 := w.bring("b2", 2, "")
	set := func(query string, args ...any) {
		t.Helper()
		w.must(w.db.Writer(t.Context()).Exec(query, args...).Error)
	}
	set("UPDATE edge_nodes SET labels = '{\"role\":\"till\",\"lab\":\"1\"}' WHERE id = ?", ids[0])
	set("UPDATE edge_nodes SET state = 'pending' WHERE id = ?", ids[1])
	set("UPDATE edge_nodes SET os_id = 'ubuntu', variant = 'ubuntu/12/amd64' WHERE id = ?", ids[2])
	set("UPDATE edge_nodes SET quarantined = '[\"b1\"]' WHERE id = ?", ids[3])
	set("UPDATE edge_nodes SET bundle = 'b1', agent_state = 'idle' WHERE id = ?", ids[4])
	set("UPDATE edge_nodes SET labels = '{\"role\":\"kiosk\"}' WHERE id = ?", ids[5])
	lab := strings.NewReplacer("name: tills", "name: lab", "role: till", "lab: '1'").Replace(policyText("b2"))
	row := w.begun(lab)
	w.finish(row, protocol.StateSucceeded, protocol.ExitOK)
	other := strings.NewReplacer("name: tills", "name: two", "matchLabels: {role: till}", "matchExpressions: [{key: x, operator: DoesNotExist}]").Replace(policyText("b1"))
	plan, err := w.DryRun(w.vic(), 1, strings.Replace(other, "selector:", "excludeNodes: [till-00006], maxNodes: 8, selector:", 1))
	w.must(err)
	got := map[string]string{}
	for _, c := range plan.Skipped {
		got[c.ID] = c.Reason
	}
	want := map[string]string{ids[0]: "has a newer bundle of the channel", ids[1]: "nobody has accepted it yet", ids[2]: "Bundle b1 has no variant for ubuntu/12/arm64 with apt", ids[3]: "has put this bundle into quarantine",
		ids[4]: "has this bundle already", ids[6]: "the policy excludes it"}
	if asJSON(got) != asJSON(want) {
		t.Errorf("%s, not\n%s", asJSON(got), asJSON(want))
	}
	if len(plan.Problems) != 1 || plan.Problems[0] != "The selector chooses 9 nodes, and the policy allows 8 at most." {
		t.Errorf("%v", plan.Problems)
	}
	for _, c := range []struct{ text, want string }{
		{policyText("b9"), "No bundle b9 is published."},
		{strings.Replace(policyText("b2"), "version: b2", "version: b2, channel: edge", 1), "Bundle b2 is of the channel stable, not edge."},
		{strings.Replace(policyText("b2"), "version: b2", "version: b2, checksum: 'sha256:...'", 1), "The checksum in the policy is not that of bundle b2, which is sha256:" + b2.ManifestSHA256 + "."},
		{policyText("b2", "schedule: {deadline: 2026-11-20}"), "The deadline of the policy is over."},
		{policyText("b2", `schedule: {maintenanceWindow: "Tue 02:00-04:00", deadline: 2026-11-23}`), "No window is left: freezes or the deadline forbid all of them."},
		{strings.Replace(policyText("b2"), "role: till", "role: none", 1), "There is no node for it: the selector chooses 0, and all of them are skipped."},
		{policyText("b2", "schedule: {timezone: node, maintenanceWindow: 'daily 01:00-03:00'}"), ""},
	} {
		plan, err := w.DryRun(w.vic(), 1, c.text)
		if err != nil || strings.Join(plan.Problems, " ") != c.want {
			t.Errorf("%s: %v %v", c.text, plan.Problems, err)
		}
	}
}

// TestPoliciesFromARepository: a merged change deploys, a revert stops, a file that is
// gone ends what it began, and a broken one changes nothing.
func TestPoliciesFromARepository(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(6)
	w.bring("b1", 1, "")
	src, err := w.CreatePolicySource(w.ada(), 1, PolicySource{Repository: "https://github.com/acme/fleet", Folder: "/policies/", Starts: true})
	w.must(err)
	if src.Branch != "main" || src.Folder != "policies" || src.Repository != "github.com/acme/fleet" || src.OnRevert != "stop" {
		t.Errorf("%+v", src)
	}
	push := func(commit string, files ...RepositoryFile) {
		t.Helper()
		w.repository.commit, w.repository.files = commit, files
		n, err := w.ReceivePush(t.Context(), 1, "github.com/acme/fleet", "main")
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		w.must(w.runSync(t.Context(), work.Job{Payload: json.RawMessage(`{"source":"` + src.ID + `"}`)}))
		w.tick(time.Second)
	}
	rollouts := func() string {
		t.Helper()
		list, err := w.rows().rollouts(t.Context(), rolloutFilter{team: 1, limit: 10})
		w.must(err)
		out := ""
		for _, r := range list {
			out += r.BundleID + " " + string(r.State) + " by " + r.CreatedBy + "; "
		}
		return out
	}
	tills := func(bundle string) RepositoryFile {
		return RepositoryFile{"policies/tills.yaml", policyText(bundle, "rolloutStrategy: {batchSize: 3}")}
	}
	push("1111111111aa", tills("b1"), RepositoryFile{"policies/bad.yaml", "kind: Pod"}, RepositoryFile{"policies/twin.yaml", policyText("b1")})
	if got := rollouts(); got != "b1 running by git 1111111111; " {
		t.Fatal(got)
	}
	list, err := w.PolicySources(w.vic(), 1)
	w.must(err)
	if s := list[0]; s.Commit != "1111111111aa" || len(s.Problems) != 2 || s.Problems[0].Path != "policies/bad.yaml" || s.Problems[1].Message != "the policy tills is in policies/tills.yaml already" {
		t.Errorf("%s", asJSON(s))
	}
	policies, err := w.Policies(w.vic(), 1)
	w.must(err)
	if _, err := w.ChangePolicy(w.ada(), policies[0].ID, policies[0].Body, 1, ""); !problem.Is(err, problem.Conflict) {
		t.Errorf("a policy from Git was changed here: %v", err)
	}
	// The same once more, and a comment: nothing begins anew.
	push("2222222222bb", RepositoryFile{"policies/tills.yaml", tills("b1").Text + "# a note\n"})
	if got := rollouts(); got != "b1 running by git 1111111111; " {
		t.Fatal(got)
	}
	// The next bundle replaces it, and waits until it is published.
	push("3333333333cc", tills("b2"))
	if got := rollouts(); got != "b1 aborted by git 1111111111; " {
		t.Fatal(got)
	}
	policies, err = w.Policies(w.vic(), 1)
	w.must(err)
	if p := policies[0]; !p.Wanted || p.Problem != "No bundle b2 is published." || p.Revision != 3 {
		t.Fatalf("%+v", p)
	}
	w.bring("b2", 2, "")
	w.tick(time.Second)
	if got := rollouts(); got != "b2 running by git 3333333333; b1 aborted by git 1111111111; " {
		t.Fatal(got)
	}
	// A broken file leaves what is in force.
	push("4444444444dd", RepositoryFile{"policies/tills.yaml", "kind: ["})
	if got := rollouts(); !strings.HasPrefix(got, "b2 running") {
		t.Fatal(got)
	}
	// A revert to the older bundle stops.
	push("5555555555ee", tills("b1"))
	if got := rollouts(); got != "b2 aborted by git 3333333333; b1 aborted by git 1111111111; " {
		t.Fatal(got)
	}
	// Forward again, then the file goes.
	push("6666666666ff", tills("b2"))
	if got := rollouts(); !strings.HasPrefix(got, "b2 running by git 6666666666; ") {
		t.Fatal(got)
	}
	push("7777777777aa")
	if got := rollouts(); !strings.HasPrefix(got, "b2 aborted by git 6666666666; ") {
		t.Fatal(got)
	}
	if policies, err = w.Policies(w.vic(), 1); err != nil || len(policies) != 0 {
		t.Errorf("%v %v", policies, err)
	}
	// What GitHub refuses is shown, and tried again.
	w.repository.fails = problem.New(problem.Upstream, "GitHub did not give the branch.")
	if err := w.sync(t.Context(), src.ID); err == nil {
		t.Error("no error")
	}
	if list, err = w.PolicySources(w.vic(), 1); err != nil || asJSON(list[0].Problems) != `[{"path":"","message":"GitHub did not give the branch."}]` || list[0].Commit != "7777777777aa" {
		t.Errorf("%+v %v", list, err)
	}
	w.must(w.DeletePolicySource(w.ada(), src.ID))
	if n, err := w.ReceivePush(t.Context(), 1, "github.com/acme/fleet", "main"); n != 0 || err != nil {
		t.Error(n, err)
	}
}

// TestRevertRollsBackWhereAsked: nodes take back what they have.
func TestRevertRollsBackWhereAsked(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(3)
	w.bring("b1", 1, "")
	w.bring("b2", 2, "")
	src, err := w.CreatePolicySource(w.ada(), 1, PolicySource{Repository: "https://github.com/acme/fleet", Starts: true, OnRevert: "rollback"})
	w.must(err)
	for i, bundle := range []string{"b2", "b1"} {
		w.repository.commit, w.repository.files = strings.Repeat(bundle, 5), []RepositoryFile{{"tills.yml", policyText(bundle)}}
		w.must(w.sync(t.Context(), src.ID))
		w.tick(time.Second)
		list, err := w.rows().rollouts(t.Context(), rolloutFilter{team: 1, limit: 10})
		w.must(err)
		if len(list) != 1 {
			t.Fatalf("%+v", list)
		}
		if i == 0 {
			w.finish(list[0], protocol.StateSucceeded, protocol.ExitOK)
			continue
		}
		if list[0].State != rollout.RollingBack || list[0].Reason != "git b1b1b1b1b1 goes back to an older bundle" || len(w.in(list[0], rollout.Reverting)) != 3 {
			t.Errorf("%+v", list[0])
		}
	}
}

func TestRolloutTools(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(5)
	w.bring("b1", 1, "")
	_, err := w.CreatePolicy(w.ada(), 1, policyText("b1", "rolloutStrategy: {batchSize: 2}"), "")
	w.must(err)
	r := tools.NewRegistry()
	w.must(w.RegisterTools(r))
	for _, c := range []struct {
		ctx                  context.Context
		tool, in, want, kind string
	}{
		{w.mia(), "edge_rollout_start", `{"team":"main","policy":"tills","reason":"x","dry_run":true}`, `"batches":[2,2,1]`, ""},
		{w.vic(), "edge_rollout_start", `{"team":"main","policy":"tills","reason":"x"}`, "", "refused"},
		{w.mia(), "edge_rollout_start", `{"team":"main","policy":"none","reason":"x"}`, "", "refused"},
		{w.mia(), "edge_rollout_start", `{"team":"main","policy":"tills","reason":"patch day"}`, `"number":1`, ""},
		{w.vic(), "edge_rollouts_list", `{"team":"main"}`, `"nodes":{"waiting":5}`, ""},
		{w.vic(), "edge_rollout_get", `{"team":"main","number":1}`, `"reason":"patch day"`, ""},
		{w.vic(), "edge_rollout_get", `{"team":"main","number":2}`, "", "refused"},
		{w.eve(), "edge_rollout_get", `{"team":"main","number":1}`, "", "refused"},
		{w.mia(), "edge_rollout_pause", `{"team":"main","number":1,"reason":"lunch"}`, `"state":"paused"`, ""},
		{w.vic(), "edge_patch_status", `{"team":"main"}`, `"reason":"lunch"`, ""},
		{w.mia(), "edge_rollout_resume", `{"team":"main","number":1}`, `"state":"running"`, ""},
		{w.mia(), "edge_rollout_abort", `{"team":"main","number":1}`, "", "refused"},
		{w.mia(), "edge_rollout_abort", `{"team":"main","number":1,"reason":"enough"}`, `"state":"aborted"`, ""},
		{w.vic(), "edge_patch_status", `{"team":"main"}`, `"last":{`, ""},
	} {
		out, err := r.Call(c.ctx, c.tool, json.RawMessage(c.in))
		if (err != nil) != (c.kind != "") || !strings.Contains(string(out), c.want) {
			t.Errorf("%s %s: %s %v", c.tool, c.in, out, err)
		}
	}
}

func TestSourceWithoutRepositories(t *testing.T) {
	t.Parallel()
	w := setup(t)
	if _, err := w.CreatePolicySource(as(t.Context(), "ada"), 1, PolicySource{Repository: "https://github.com/a/b"}); !problem.Is(err, problem.Unavailable) {
		t.Error(err)
	}
	if err := errors.Join(w.syncStale(t.Context()), w.startWanted(t.Context())); err != nil {
		t.Error(err)
	}
}
