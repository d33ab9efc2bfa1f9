package ci

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func TestIsApprover(t *testing.T) {
	t.Parallel()
	ann := identity.Caller{UserID: 1, Name: "ann", Roles: map[int64]identity.Role{teamMain: identity.Member}, Teams: map[string]identity.Team{"main": {ID: teamMain}, "ops": {ID: 7}}}
	owner := identity.Caller{UserID: 2, Name: "owner", Roles: map[int64]identity.Role{teamMain: identity.Operator}}
	for _, tc := range []struct {
		caller    identity.Caller
		approvers []string
		want      bool
	}{
		{ann, nil, true},
		{ann, []string{"ann"}, true},
		{ann, []string{"bob", "ann"}, true},
		{ann, []string{"bob"}, false},
		{ann, []string{"Ann"}, false},
		{ann, []string{"ops"}, true},
		{ann, []string{"dev"}, false},
		{ann, []string{"member"}, true},
		{ann, []string{"pipeline-operator"}, true},
		{ann, []string{"owner"}, false},
		{owner, []string{"owner"}, false}, // a user of that name holds no such role
		{owner, []string{"pipeline-operator"}, true},
	} {
		if got := isApprover(tc.caller, teamMain, tc.approvers); got != tc.want {
			t.Errorf("%s of %v: %v", tc.caller.Name, tc.approvers, got)
		}
	}
}

// asking is a started build with a step that waits.
func (w *world) asking(by string, timeout time.Duration) (buildRow, resource.Asked) {
	w.t.Helper()
	ctx := w.t.Context()
	b := buildRow{TeamID: teamMain, Name: "1", CreatedBy: by}
	if err := w.ci.insertBuild(ctx, &b); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.ci.startBuild(ctx, b.ID, []byte("{}")); err != nil {
		w.t.Fatal(err)
	}
	handle := newID()
	if err := (ledger{w.ci}).SaveStep(ctx, engine.StepRecord{BuildID: b.ID, PlanID: "1", Kind: engine.KindPut, Name: "gate", State: engine.StateRunning,
		Container: runtime.ContainerID(handle), StartedAt: time.Now()}); err != nil {
		w.t.Fatal(err)
	}
	gate := resource.Gate{Handle: runtime.ContainerID(handle), Build: b.ID, Timeout: timeout}
	asked, err := w.ci.AskApproval(ctx, gate)
	if err != nil {
		w.t.Fatal(err)
	}
	again, err := w.ci.AskApproval(ctx, gate)
	if err != nil || again != asked {
		w.t.Fatalf("asked twice: %+v %+v %v", asked, again, err)
	}
	return b, asked
}

func TestAwaitHearsOfTheDecision(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, asked := w.asking("", time.Hour)
	verdicts := make(chan resource.Verdict, 1)
	go func() {
		v, err := w.ci.AwaitApproval(t.Context(), asked.ID)
		if err == nil {
			verdicts <- v
		}
	}()
	must[approvalShape](w, 200, "POST", "/api/v1/ci/approvals/"+asked.ID+"/approve", `{"reason":"  fine "}`, as("operator"))
	select {
	case v := <-verdicts:
		if !v.Approved || v.By != "operator" || v.Reason != "fine" {
			t.Errorf("%+v", v)
		}
	case <-time.After(time.Minute):
		t.Fatal("nobody heard")
	}
	if audited := strings.Join(w.audited, "|"); !strings.Contains(audited, "ci.approval.approve build 1") {
		t.Error(audited)
	}
}

func TestAwaitEndsWithItsContextAndWithTime(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, long := w.asking("", time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.ci.AwaitApproval(ctx, long.ID); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_, short := w.asking("", time.Nanosecond)
	v, err := w.ci.AwaitApproval(t.Context(), short.ID)
	if err != nil || v.Approved || v.Reason != expiredReason {
		t.Errorf("%+v %v", v, err)
	}
	if a := w.call("POST", "/api/v1/ci/approvals/"+short.ID+"/approve", `{}`); a.status != 409 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestWhoSeesAndDecides(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, asked := w.asking("owner", time.Hour)
	path := "/api/v1/ci/approvals/" + asked.ID
	for _, tc := range []struct {
		who, path, body string
		status          int
		word            string
	}{
		{"stranger", path + "/approve", `{}`, 404, ""},
		{"viewer", path + "/approve", `{}`, 403, ""},
		{"owner", path + "/approve", `{}`, 403, "You started this build"},
		{"operator", path + "/approve", `{"reviewer":"owner"}`, 400, "another's name"},
		{"operator", path + "/approve", `{"reason":"` + strings.Repeat("x", maxReason+1) + `"}`, 400, "longer"},
		{"operator", "/api/v1/ci/approvals/none/approve", `{}`, 404, ""},
	} {
		if a := w.call("POST", tc.path, tc.body, as(tc.who)); a.status != tc.status || !strings.Contains(a.body, tc.word) {
			t.Errorf("%s %s: %d %s", tc.who, tc.path, a.status, a.body)
		}
	}
	for who, status := range map[string]int{"stranger": 404, "viewer": 200} {
		if a := w.call("GET", "/api/v1/ci/approvals?team=main", "", as(who)); a.status != status {
			t.Errorf("%s: %d %s", who, a.status, a.body)
		}
	}
	for _, query := range []string{"", "?team=main&state=odd"} {
		if a := w.call("GET", "/api/v1/ci/approvals"+query, ""); a.status != 400 {
			t.Errorf("%s: %d", query, a.status)
		}
	}
	// Whoever started a build may take it back.
	if got := must[approvalShape](w, 200, "POST", path+"/reject", `{"reason":"mistake"}`); got.State != ApprovalRejected || got.DecidedBy != "owner" || got.Name != "gate" {
		t.Errorf("%+v", got)
	}
}

// TestInterestedThroughBuilds follows pipelines that builds of other pipelines have set.
func TestInterestedThroughBuilds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	parent := buildRow{TeamID: teamMain, Name: "1", CreatedBy: "ann", PipelineID: w.set("parent", hello)}
	if err := w.ci.insertBuild(t.Context(), &parent); err != nil {
		t.Fatal(err)
	}
	child := w.set("child", hello)
	if err := w.db.Writer(t.Context()).Exec("UPDATE ci_pipelines SET updated_by = ? WHERE id = ?", "build "+formatInt(parent.ID), child).Error; err != nil {
		t.Fatal(err)
	}
	got, err := w.ci.interested(t.Context(), buildRow{PipelineID: child, CreatedBy: "bob"}, authorDepth)
	if err != nil || strings.Join(got, " ") != "bob ann owner" {
		t.Errorf("%v %v", got, err)
	}
}
