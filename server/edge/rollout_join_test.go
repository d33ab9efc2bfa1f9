package edge

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/rollout"
)

// TestNodesJoinARunningRollout: who is accepted or described otherwise while a rollout
// runs comes at its end, in a batch that nobody watches yet; who does not fit is told why.
func TestNodesJoinARunningRollout(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(6)
	w.bring("b1", 1, "")
	pending, other := w.agent("till-late"), w.agent("gate-1")
	secret := w.token(t, `,"labels":{"role":"till","timezone":"America/New_York"},"max_uses":9`)
	pending.enrol(t, secret)
	row := w.begun(policyText("b1", "rolloutStrategy: {batchSize: 4, batchDelayMinutes: 5}"))
	if got := w.now(row); got.Batches != 2 || len(w.in(row, rollout.Skipped)) != 1 {
		t.Fatalf("%+v", got)
	}
	decide := func(a *agent, more string) {
		w.want(t, "ada", "POST", "/api/v1/edge/decisions", `{"team":"main","decision":"accept","nodes":["`+a.id+`"]`+more+`}`, 200, nil)
	}
	decide(pending, "")
	w.tick(0)
	if waiting := w.in(row, rollout.Waiting); !slices.Contains(waiting, pending.id) || len(w.in(row, rollout.Skipped)) != 0 {
		t.Errorf("the late one is not in: %v\n%s", waiting, w.history(row))
	}
	if !strings.Contains(w.history(row), `joined running by "": till-late came later and joins the last batch`) {
		t.Error(w.history(row))
	}
	if a := w.says(pending.id, protocol.CheckIn{State: protocol.StateIdle}); a == nil || a.Action != protocol.ActionStage || a.Rollout != row.ID {
		t.Errorf("%+v", a)
	}
	// The last batch is full, then open: who comes gets new ones.
	other.enrol(t, w.token(t, `,"labels":{"role":"gate"}`), func(in *protocol.EnrollRequest) { in.Machine.Arch = "riscv64" })
	decide(other, "")
	w.tick(0)
	if list := w.in(row, rollout.Skipped); len(list) != 0 {
		t.Errorf("a node of another kind is told of: %v", list)
	}
	n, err := w.ChangeNode(w.ada(), other.id, func(n *Node) { n.Labels["role"] = "till" })
	if err != nil || n.Labels["role"] != "till" {
		t.Fatal(err)
	}
	w.tick(0)
	if list := w.in(row, rollout.Skipped); len(list) != 1 || list[0] != other.id {
		t.Errorf("who does not fit is not told of: %v", list)
	}
	w.finish(row, protocol.StateSucceeded, protocol.ExitOK)
	w.tick(6 * time.Minute) // the second batch is open
	last := w.agent("till-last")
	last.enrol(t, secret)
	decide(last, "")
	w.tick(0)
	if got := w.now(row); got.Batches != 3 || got.Batch != 1 {
		t.Errorf("%+v\n%s", got, w.history(row))
	}
	w.reboot()
	for range 20 {
		w.finish(row, protocol.StateSucceeded, protocol.ExitOK)
		w.tick(6 * time.Minute)
	}
	if got := w.now(row); got.State != rollout.Completed || len(w.in(row, rollout.Succeeded)) != 8 {
		t.Errorf("%+v %v\n%s", got, len(w.in(row, rollout.Succeeded)), w.history(row))
	}
	// What is over takes nobody.
	very := w.agent("till-very-last")
	very.enrol(t, secret)
	decide(very, "")
	w.tick(2 * time.Minute)
	if _, found, err := w.rows().member(t.Context(), row.ID, very.id); err != nil || found {
		t.Error(found, err)
	}
}

// TestNoMoreJoinThanThePolicyAllows and a rollout that waits for people takes nobody yet.
func TestNoMoreJoinThanThePolicyAllows(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(3)
	w.bring("b1", 1, "")
	text := strings.Replace(policyText("b1", "approval: {required: 1}"), "{role: till}}", "{role: till}}, maxNodes: 4", 1)
	row := w.begun(text)
	var late []string
	for _, name := range []string{"x-1", "x-2"} {
		a := w.node(t, name)
		if _, err := w.ChangeNode(w.ada(), a.id, func(n *Node) { n.Labels = map[string]string{"role": "till"} }); err != nil {
			t.Fatal(err)
		}
		late = append(late, a.id)
	}
	w.tick(0)
	if _, found, err := w.rows().member(t.Context(), row.ID, late[0]); found || err != nil {
		t.Error("it joined what nobody approved:", found, err)
	}
	_, err := w.ApproveRollout(w.mia(), row.ID, "")
	w.must(err)
	w.tick(0)
	for _, id := range late {
		m, found, err := w.rows().member(t.Context(), row.ID, id)
		if err != nil || !found || m.State != rollout.Skipped || !strings.Contains(m.Reason, "allows 4 nodes at most") {
			t.Errorf("%+v %v %v", m, found, err)
		}
	}
}

// TestHoursOfASite narrow when its nodes fetch, and nodes hear of a change.
func TestHoursOfASite(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	ids := w.enrolled(4) // three in store-0, one in store-1
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1", `staging: {hours: "18:00-08:00"}`, "schedule: {timezone: UTC}", "rolloutStrategy: {batchSize: 1}"))
	of := func(id string) *protocol.Assignment {
		t.Helper()
		a := w.says(id, protocol.CheckIn{State: protocol.StateIdle})
		if a == nil {
			t.Fatal("no order")
		}
		return a
	}
	before := of(ids[0])
	if h := before.Staging.Hours; len(h) == 0 || !h[0].From.Equal(noon.Add(6*time.Hour)) || !h[0].To.Equal(noon.Add(20*time.Hour)) {
		t.Errorf("%+v", h)
	}
	w.clock.advance(time.Minute)
	w.want(t, "ada", "PUT", "/api/v1/edge/sites/store-0", `{"team":"main","description":"radio","kbps":64,"hours":"22:00-05:00","timezone":"Europe/Oslo"}`, 204, nil)
	after := of(ids[0])
	if h := after.Staging.Hours; len(h) == 0 || !h[0].From.Equal(noon.Add(9*time.Hour)) || !h[0].To.Equal(noon.Add(16*time.Hour)) || !after.Issued.After(before.Issued) {
		t.Errorf("%+v, issued %v after %v", h, after.Issued, before.Issued)
	}
	if h := of(ids[3]).Staging.Hours; len(h) == 0 || !h[0].To.Equal(noon.Add(20*time.Hour)) {
		t.Errorf("another site: %+v", h)
	}
	// They never meet: the site knows its link.
	w.want(t, "ada", "PUT", "/api/v1/edge/sites/store-0", `{"team":"main","hours":"09:00-10:00"}`, 204, nil)
	if h := of(ids[0]).Staging.Hours; len(h) == 0 || !h[0].From.Equal(noon.Add(21*time.Hour)) {
		t.Errorf("%+v", h)
	}
	for _, body := range []string{`"hours":"25:00-26:00"`, `"hours":"02:00"`, `"timezone":"Mars/Dome"`, `"timezone":"Local"`} {
		w.want(t, "ada", "PUT", "/api/v1/edge/sites/store-0", `{"team":"main",`+body+`}`, 400, nil)
	}
	var list sitesOut
	w.want(t, "ada", "GET", "/api/v1/edge/sites?team=main", "", 200, &list)
	if len(list.Items) != 2 || list.Items[0].Hours != "09:00-10:00" || list.Items[0].Nodes != 3 {
		t.Errorf("%+v", list)
	}
	w.want(t, "ada", "DELETE", "/api/v1/edge/sites/store-0?team=main", "", 204, nil)
	if h := of(ids[0]).Staging.Hours; len(h) == 0 || !h[0].From.Equal(noon.Add(6*time.Hour)) {
		t.Errorf("%+v", h)
	}
	if row.State != rollout.Running {
		t.Error(row.State)
	}
}

// TestChangeOfFreezesAndSources is what the pages for both need beside making and deleting.
func TestChangeOfFreezesAndSources(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	var f Freeze
	w.want(t, "ada", "POST", "/api/v1/edge/freezes", `{"team":"main","from":"2026-12-01T00:00:00Z","to":"2026-12-09T00:00:00Z","reason":"peak"}`, 201, &f)
	w.want(t, "ada", "PUT", "/api/v1/edge/freezes/"+f.ID, `{"from":"2026-12-02T00:00:00Z","to":"2026-12-19T00:00:00Z","reason":"a longer peak","allow":["critical"]}`, 200, &f)
	if f.Reason != "a longer peak" || len(f.Allow) != 1 || int64(f.From) != time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC).UnixMilli() || f.CreatedBy != "ada" {
		t.Errorf("%+v", f)
	}
	w.want(t, "ada", "PUT", "/api/v1/edge/freezes/"+f.ID, `{"from":"2026-12-02T00:00:00Z","to":"2026-12-01T00:00:00Z","reason":"x"}`, 400, nil)
	w.want(t, "vic", "PUT", "/api/v1/edge/freezes/"+f.ID, `{"from":"2026-12-02T00:00:00Z","to":"2026-12-03T00:00:00Z","reason":"x"}`, 403, nil)
	w.want(t, "eve", "PUT", "/api/v1/edge/freezes/"+f.ID, `{}`, 404, nil)

	var src PolicySource
	w.want(t, "ada", "POST", "/api/v1/edge/policy-sources", `{"team":"main","repository":"https://h/acme/fleet","folder":"a"}`, 201, &src)
	w.want(t, "ada", "PUT", "/api/v1/edge/policy-sources/"+src.ID, `{"branch":"live","folder":"b","starts":true,"on_revert":"rollback"}`, 200, &src)
	if src.Branch != "live" || src.Folder != "b" || !src.Starts || src.OnRevert != "rollback" || src.Repository != "h/acme/fleet" {
		t.Errorf("%+v", src)
	}
	w.want(t, "ada", "POST", "/api/v1/edge/policy-sources", `{"team":"main","repository":"https://h/acme/fleet","folder":"a"}`, 201, nil)
	w.want(t, "ada", "PUT", "/api/v1/edge/policy-sources/"+src.ID, `{"branch":"main","folder":"a"}`, 409, nil)
	w.want(t, "ada", "PUT", "/api/v1/edge/policy-sources/"+src.ID, `{"on_revert":"explode"}`, 400, nil)
	w.want(t, "mia", "PUT", "/api/v1/edge/policy-sources/"+src.ID, `{}`, 403, nil)
	w.want(t, "eve", "PUT", "/api/v1/edge/policy-sources/"+src.ID, `{}`, 404, nil)
}
