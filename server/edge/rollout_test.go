package edge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const canaries = "rolloutStrategy: {canary: {count: 2, soak: 1h}, batchSize: 4, batchDelayMinutes: 15, pauseOn: {failureRate: 20%, minSamples: 5, anyExit: [3, 7]}}"

func TestRolloutFromCanaryToEnd(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(10)
	w.bring("b1", 1, "high")
	row := w.begun(policyText("b1", canaries))
	released := w.in(row, rollout.Released)
	if len(released) != 2 || len(w.in(row, rollout.Waiting)) != 8 {
		t.Fatalf("%v are released", released)
	}
	// Everybody may stage, only canaries may install.
	for _, node := range append(w.in(row, rollout.Waiting), released...) {
		a := w.says(node, protocol.CheckIn{State: protocol.StateIdle})
		want := protocol.ActionStage
		if slices.Contains(released, node) {
			want = protocol.ActionInstall
		}
		if a == nil || a.Action != want || a.Rollout != row.ID || a.Bundle != "b1" || a.ManifestSHA256 != row.ManifestSHA256 || a.BundleVersion != 1 {
			t.Fatalf("%s is told %+v, not to %s", node, a, want)
		}
	}
	w.tick(time.Second)
	if n := w.finish(row, protocol.StateSucceeded, protocol.ExitOK); n != 2 {
		t.Fatal(n)
	}
	if got := w.now(row); got.Batch != 0 || got.ClosedAt == 0 || got.Waits == "" || len(w.in(row, rollout.Released)) != 0 {
		t.Fatalf("the canaries do not soak: %+v", got)
	}
	w.tick(time.Hour)
	if len(w.in(row, rollout.Released)) != 4 {
		t.Fatal("the first batch did not begin after the soak")
	}
	// The server dies; another goes on with what it kept.
	w.reboot()
	w.tick(0)
	w.finish(row, protocol.StateSucceeded, protocol.ExitOK)
	w.tick(14 * time.Minute)
	if len(w.in(row, rollout.Released)) != 0 {
		t.Fatal("the delay between batches was not kept over a restart")
	}
	w.reboot()
	w.tick(time.Minute)
	w.finish(row, protocol.StateSucceeded, protocol.ExitOK)
	got := w.now(row)
	if got.State != rollout.Completed || got.EndedAt == 0 || len(w.in(row, rollout.Succeeded)) != 10 {
		t.Fatalf("%+v\n%s", got, w.history(row))
	}
	want := "created running by \"ada\": patch day\nbatch running by \"\": batch 1 of 3 begins\nbatch running by \"\": batch 2 of 3 begins\nbatch running by \"\": batch 3 of 3 begins\n" +
		"state completed by \"\": every node is done\n"
	if w.history(row) != want {
		t.Errorf("%s, not\n%s", w.history(row), want)
	}
	if a := w.says("node-00001", protocol.CheckIn{State: protocol.StateIdle, Bundle: "b1"}); a != nil {
		t.Errorf("after its end a node is told %+v", a)
	}
	if !slices.Contains(w.audits, "edge.rollout.created rollout 1 of tills") {
		t.Errorf("%v", w.audits)
	}
}

func TestRolloutPausesAndIsResumed(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(12)
	w.bring("b1", 1, "")
	var told []string
	w.OnRollout = func(_ context.Context, c RolloutChanged) error {
		told = append(told, fmt.Sprintf("%s by %q", c.State, c.Actor))
		return nil
	}
	row := w.begun(policyText("b1", "rolloutStrategy: {batchSize: 5, pauseOn: {failureRate: 20%, minSamples: 5, anyExit: [3]}}"))
	w.finish(row, protocol.StateRolledBack, protocol.ExitHealthFailed)
	if got := w.now(row); got.State != rollout.Paused || !strings.Contains(got.Reason, "5 of 5 nodes failed, which is more than 20%") {
		t.Fatalf("%+v", got)
	}
	// Nothing goes on by itself, and who waits may go on staging.
	w.tick(100 * time.Hour)
	waiting := w.in(row, rollout.Waiting)
	if a := w.says(waiting[0], protocol.CheckIn{State: protocol.StateIdle}); len(waiting) != 7 || a == nil || a.Action != protocol.ActionStage {
		t.Fatalf("%d wait; %+v", len(waiting), a)
	}
	if _, err := w.ResumeRollout(w.vic(), row.ID, ""); !problem.Is(err, problem.Forbidden) {
		t.Errorf("a viewer resumed it: %v", err)
	}
	if _, err := w.ResumeRollout(w.eve(), row.ID, ""); !problem.Is(err, problem.NotFound) {
		t.Errorf("another team resumed it: %v", err)
	}
	if _, err := w.ResumeRollout(w.mia(), row.ID, "the probe was wrong"); err != nil {
		t.Fatal(err)
	}
	w.tick(time.Second)
	if len(w.in(row, rollout.Released)) != 5 {
		t.Fatal("it does not go on")
	}
	// One exit of the forbidden kind is enough.
	w.says(w.in(row, rollout.Released)[0], state(protocol.StateQuarantined, row, protocol.ExitAuthenticity))
	w.tick(time.Second)
	if got := w.now(row); got.State != rollout.Paused || !strings.HasSuffix(got.Reason, "ended with exit 3") {
		t.Fatalf("%+v", got)
	}
	if _, err := w.AbortRollout(w.mia(), row.ID, " "); !problem.Is(err, problem.Invalid) {
		t.Errorf("aborted without a reason: %v", err)
	}
	if _, err := w.AbortRollout(w.mia(), row.ID, "a bad bundle"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PauseRollout(w.mia(), row.ID, "again"); !problem.Is(err, problem.Conflict) {
		t.Errorf("an aborted rollout was paused: %v", err)
	}
	if got := strings.Join(told, ", "); got != `running by "ada", paused by "", running by "mia", paused by "", aborted by "mia"` {
		t.Error(got)
	}
	// Whoever still holds an order is told to stop, whoever is installing is not.
	left := w.in(row, rollout.Missed)
	if a := w.says(left[0], state(protocol.StateStaged, row)); len(left) != 6 || a == nil || a.Action != protocol.ActionStop {
		t.Errorf("%d are left; %+v", len(left), a)
	}
	if a := w.says(left[1], state(protocol.StateInstalling, row)); a != nil {
		t.Errorf("%+v", a)
	}
	w.tick(time.Second)
	if got := w.in(row, rollout.Installing); len(got) != 1 {
		t.Errorf("%v are shown as installing", got)
	}
}

func TestRolloutWaitsForApproval(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	ids := w.enrolled(3)
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1", "approval: {required: 2}"))
	if row.State != rollout.AwaitingApproval {
		t.Fatal(row.State)
	}
	if a := w.says(ids[0], protocol.CheckIn{State: protocol.StateIdle}); a != nil {
		t.Fatalf("before approval a node is told %+v", a)
	}
	if _, err := w.ApproveRollout(w.ada(), row.ID, "mine"); !problem.Is(err, problem.Forbidden) {
		t.Errorf("who began it approved it: %v", err)
	}
	if _, err := w.ApproveRollout(w.vic(), row.ID, ""); !problem.Is(err, problem.Forbidden) {
		t.Errorf("a viewer approved it: %v", err)
	}
	if got, err := w.ApproveRollout(w.mia(), row.ID, "looks right"); err != nil || got.State != rollout.AwaitingApproval || got.Waits != "for 1 more to approve" {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := w.ApproveRollout(w.mia(), row.ID, "once more"); !problem.Is(err, problem.Conflict) {
		t.Errorf("mia approved twice: %v", err)
	}
	if got, err := w.ApproveRollout(identity.With(t.Context(), identity.Caller{UserID: 15, Name: "dave", Roles: map[int64]identity.Role{1: identity.Member}}), row.ID, ""); err != nil || got.State != rollout.Running || got.StartedAt == 0 {
		t.Fatalf("%+v %v", got, err)
	}
	w.tick(time.Second)
	if a := w.says(ids[0], protocol.CheckIn{State: protocol.StateIdle}); a == nil || a.Action != protocol.ActionInstall {
		t.Errorf("%+v", a)
	}
	// Rejected, another one never begins.
	_, err := w.AbortRollout(w.ada(), row.ID, "try the other thing")
	w.must(err)
	other, err := w.StartRollout(w.ada(), 1, row.PolicyID, "again")
	w.must(err)
	if got, err := w.RejectRollout(w.mia(), other.ID, "not on a Monday"); err != nil || got.State != rollout.Aborted || got.Reason != "rejected: not on a Monday" {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := w.RollBackRollout(w.mia(), other.ID, "x"); !problem.Is(err, problem.Conflict) {
		t.Errorf("what never began was taken back: %v", err)
	}
}

func TestWindowsAndFreezesReachNodes(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	ids := w.enrolled(1)
	w.bring("b1", 1, "high")
	row := w.begun(policyText("b1", `schedule: {maintenanceWindow: "Tue 02:00-04:00", timezone: node, latestStart: 30m, deadline: 2026-12-12}`,
		"staging: {hours: '20:00-06:00', perNodeKBps: 256}", "rollback: {healthCheckUrl: 'http://localhost:8080/health', healthChecks: [{type: unit, name: nginx}], successesInRow: 3}"))
	a := w.says(ids[0], protocol.CheckIn{State: protocol.StateIdle})
	if a == nil || a.Action != protocol.ActionInstall || len(a.Windows) != 3 {
		t.Fatalf("%+v", a)
	}
	first := protocol.Span{From: time.Date(2026, 11, 24, 7, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	if a.Windows[0] != first || a.LatestStartSeconds != 1800 || a.Deadline == nil || a.Staging.Kbps != 256 || len(a.Staging.Hours) != 8 || a.Staging.Hours[0].To.Hour() != 11 {
		t.Errorf("%s", asJSON(a))
	}
	if got := asJSON(a.Health); got != `{"checks":[{"type":"http","url":"http://localhost:8080/health"},{"type":"unit","name":"nginx"}],"timeout_seconds":120,"successes_in_row":3}` {
		t.Error(got)
	}
	// The order is the same until something changes: nodes need not write it down anew.
	w.tick(time.Minute)
	if again := w.says(ids[0], state(protocol.StateStaged, row)); again == nil || !again.Issued.Equal(a.Issued) || asJSON(again) != asJSON(a) {
		t.Errorf("%s, then %s", asJSON(a), asJSON(again))
	}
	w.tick(time.Minute)
	f, err := w.CreateFreeze(w.mia(), 1, Freeze{From: instant(first.From.Add(-time.Hour)), To: instant(first.To.Add(time.Hour)), Reason: "stock taking", Allow: []string{"critical"}})
	w.must(err)
	frozen := w.says(ids[0], state(protocol.StateStaged, row))
	if frozen == nil || frozen.Windows[0].From.Day() != 1 || !frozen.Issued.After(a.Issued) {
		t.Fatalf("%s", asJSON(frozen))
	}
	w.must(w.DeleteFreeze(w.mia(), f.ID))
	if back := w.says(ids[0], state(protocol.StateStaged, row)); back.Windows[0] != first {
		t.Errorf("%s", asJSON(back))
	}
	// A freeze without end leaves nothing: the node stages and does not install.
	_, err = w.CreateFreeze(w.mia(), 1, Freeze{From: instant(noon), To: instant(noon.AddDate(0, 3, 0)), Reason: "peak trade"})
	w.must(err)
	if all := w.says(ids[0], state(protocol.StateStaged, row)); all.Action != protocol.ActionStage || len(all.Windows) != 0 {
		t.Errorf("%s", asJSON(all))
	}
	// The deadline ends it.
	w.tick(23 * 24 * time.Hour)
	if got := w.now(row); got.State != rollout.Expired || !strings.Contains(got.Reason, "1 nodes were not reached") {
		t.Errorf("%+v", got)
	}
}

func TestCriticalThingsPassAFreeze(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	ids := w.enrolled(1)
	w.bring("b1", 1, "critical")
	_, err := w.CreateFreeze(w.mia(), 1, Freeze{From: instant(noon.Add(-time.Hour)), To: instant(noon.AddDate(0, 3, 0)), Reason: "peak trade", Allow: []string{"critical"}})
	w.must(err)
	w.begun(policyText("b1"))
	if a := w.says(ids[0], protocol.CheckIn{State: protocol.StateIdle}); a == nil || a.Action != protocol.ActionInstall || len(a.Windows) != 0 {
		t.Errorf("%s", asJSON(a))
	}
	for _, f := range []Freeze{{}, {From: 5, To: 4, Reason: "x"}, {From: 1, To: 2, Reason: "past"}, {From: instant(noon), To: instant(noon.AddDate(3, 0, 0)), Reason: "ever"},
		{From: instant(noon), To: instant(noon.Add(time.Hour)), Reason: "x", Allow: []string{"urgent"}}} {
		if _, err := w.CreateFreeze(w.mia(), 1, f); !problem.Is(err, problem.Invalid) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

func TestRolloutIsTakenBack(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	ids := w.enrolled(4)
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1", "rolloutStrategy: {batchSize: 3}"))
	done := w.in(row, rollout.Released)
	w.finish(row, protocol.StateSucceeded, protocol.ExitOK)
	late := w.in(row, rollout.Released)
	if len(done) != 3 || len(late) != 1 {
		t.Fatal(done, late)
	}
	w.says(late[0], state(protocol.StateInstalling, row))
	w.tick(time.Second)
	if _, err := w.RollBackRollout(w.mia(), row.ID, "tills freeze"); err != nil {
		t.Fatal(err)
	}
	for _, node := range done {
		// It may tell of its success once more before the order reaches it.
		if a := w.says(node, state(protocol.StateSucceeded, row, protocol.ExitOK)); a == nil || a.Action != protocol.ActionRollback {
			t.Fatalf("%+v", a)
		}
	}
	// Who was installing ends, and is taken back then.
	if a := w.says(late[0], state(protocol.StateHealthChecking, row)); a == nil || a.Action != protocol.ActionInstall {
		t.Errorf("%+v", a)
	}
	w.says(late[0], state(protocol.StateSucceeded, row, protocol.ExitOK))
	w.tick(time.Second)
	if got := w.in(row, rollout.Reverting); len(got) != 4 {
		t.Fatalf("%v go back", got)
	}
	w.says(done[0], state(protocol.StateFailed, row, protocol.ExitRollbackFailed))
	for _, node := range append(done[1:], late...) {
		w.says(node, state(protocol.StateRolledBack, row, protocol.ExitOK))
	}
	w.tick(time.Second)
	if got := w.now(row); got.State != rollout.RolledBack || len(w.in(row, rollout.Reverted)) != 3 || len(w.in(row, rollout.Failed)) != 1 {
		t.Errorf("%+v\n%s", got, w.history(row))
	}
	// They can have it again by another rollout, or a newer one.
	if plan, err := w.DryRun(w.mia(), 1, policyText("b1")); err != nil || len(plan.Problems) > 0 || plan.Total != len(ids) {
		t.Errorf("%+v %v", plan.Problems, err)
	}
}

func TestReportsCountHoweverLate(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(4)
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1", "rolloutStrategy: {batchSize: 4, silentAfter: 1h, pauseOn: {failureRate: 100%, anyExit: []}}"))
	nodes := w.in(row, rollout.Released)
	for _, node := range nodes[:3] {
		w.says(node, protocol.CheckIn{State: protocol.StateIdle})
	}
	w.says(nodes[0], state(protocol.StateInstalling, row))
	w.tick(time.Second)
	w.tick(2 * time.Hour)
	if silent, away := w.in(row, rollout.Silent), w.in(row, rollout.Away); len(silent) != 3 || len(away) != 1 || away[0] != nodes[3] {
		t.Fatalf("silent %v, away %v", silent, away)
	}
	report := func(node string, seq int64, s protocol.State, exit protocol.Exit) {
		t.Helper()
		l, err := w.live(t.Context(), node)
		w.must(err)
		n := l.node
		l.mu.Unlock()
		_, err = w.TakeReports(t.Context(), n, []protocol.Report{{Seq: seq, At: noon, Rollout: row.ID, Bundle: "b1", State: protocol.StateInstalling},
			{Seq: seq + 1, At: noon, Rollout: row.ID, Bundle: "b1", State: s, Exit: &exit, Message: "after weeks"}, {Seq: seq + 2, At: noon, Rollout: "another", Bundle: "b1", State: protocol.StateFailed}})
		w.must(err)
	}
	report(nodes[0], 1, protocol.StateSucceeded, protocol.ExitOK)
	report(nodes[1], 1, protocol.StateRolledBack, protocol.ExitHealthFailed)
	report(nodes[1], 1, protocol.StateSucceeded, protocol.ExitOK) // the same numbers: counted once
	// One that is there again without having begun may begin; so may one that was away.
	if a := w.says(nodes[2], state(protocol.StateStaged, row)); a == nil || a.Action != protocol.ActionInstall {
		t.Errorf("%+v", a)
	}
	if a := w.says(nodes[3], protocol.CheckIn{State: protocol.StateIdle}); a == nil || a.Action != protocol.ActionInstall {
		t.Errorf("%+v", a)
	}
	w.tick(time.Second)
	list, err := w.rows().members(t.Context(), row.ID, memberFilter{limit: 10})
	w.must(err)
	got := map[string]string{}
	for _, m := range list {
		got[m.Member.NodeID] = fmt.Sprint(m.Member.State, " ", m.Member.Reason)
	}
	want := map[string]string{nodes[0]: "succeeded after weeks", nodes[1]: "rolled-back after weeks", nodes[2]: "deferred is there again, and had not begun", nodes[3]: "released is there again"}
	if asJSON(got) != asJSON(want) {
		t.Errorf("%s, not %s", asJSON(got), asJSON(want))
	}
	// A node that leaves the fleet holds nobody up.
	w.must(w.db.Writer(t.Context()).Exec("UPDATE edge_nodes SET state = 'revoked' WHERE id IN ?", nodes[2:]).Error)
	w.must(w.fleetChanged(t.Context(), 1, nodes[2:]))
	w.tick(time.Second)
	if got := w.now(row); got.State != rollout.Completed || len(w.in(row, rollout.Skipped)) != 2 {
		t.Errorf("%+v", got)
	}
}

// TestWaitingForTheWindowIsNoDeferral: a node that holds its release calls itself
// deferred until its window comes. The batch waits for it.
func TestWaitingForTheWindowIsNoDeferral(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(2)
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1", `schedule: {maintenanceWindow: "daily 18:00-20:00"}`, "rolloutStrategy: {batchSize: 1, batchDelayMinutes: 0}"))
	node := w.in(row, rollout.Released)[0]
	w.says(node, state(protocol.StateStaged, row))
	w.tick(time.Second)
	report := func(seq int64, at time.Time) {
		t.Helper()
		l, err := w.live(t.Context(), node)
		w.must(err)
		n := l.node
		l.mu.Unlock()
		exit := protocol.ExitDeferred
		_, err = w.TakeReports(t.Context(), n, []protocol.Report{{Seq: seq, At: at, Rollout: row.ID, Bundle: "b1", State: protocol.StateDeferred, Exit: &exit, Message: "why"}})
		w.must(err)
	}
	for _, at := range []time.Duration{time.Hour, 5 * time.Hour, 6*time.Hour + time.Minute} {
		w.tick(noon.Add(at).Sub(w.clock.now()))
		w.says(node, state(protocol.StateDeferred, row, protocol.ExitDeferred))
		report(int64(at), noon.Add(time.Minute))
		w.tick(time.Second)
		if got := w.now(row); got.Batch != 0 || len(w.in(row, rollout.Released)) != 1 {
			t.Fatalf("after %v: %+v", at, got)
		}
	}
	// In its window a lock was held: that is one, whenever it is heard of.
	report(int64(7*time.Hour), noon.Add(6*time.Hour+30*time.Second))
	w.tick(time.Second)
	if got := w.now(row); got.Batch != 1 || len(w.in(row, rollout.Deferred)) != 1 {
		t.Fatalf("%+v", got)
	}
	// The other one lets its window pass and still waits after it.
	other := w.in(row, rollout.Released)[0]
	w.says(other, state(protocol.StateStaged, row))
	w.tick(2 * time.Hour)
	w.says(other, state(protocol.StateDeferred, row, protocol.ExitDeferred))
	w.tick(time.Second)
	if got := w.in(row, rollout.Deferred); len(got) != 2 {
		t.Errorf("%v are deferred", got)
	}
}

// TestNothingToGoBackTo: a node that cannot take a bundle back is not waited for.
func TestNothingToGoBackTo(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	ids := w.enrolled(1)
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1"))
	w.finish(row, protocol.StateSucceeded, protocol.ExitOK)
	_, err := w.RollBackRollout(w.mia(), row.ID, "no good")
	w.must(err)
	for range 4 {
		w.says(ids[0], state(protocol.StateSucceeded, row, protocol.ExitOK))
		w.tick(25 * time.Minute)
	}
	w.says(ids[0], state(protocol.StateSucceeded, row, protocol.ExitOK))
	w.tick(time.Second)
	if got := w.now(row); got.State != rollout.RolledBack || len(w.in(row, rollout.Failed)) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestOrdersReachMachines goes the whole way of a node: enrolled, told what to do
// under a signature that its root carries, believed when it says that it is done.
func TestOrdersReachMachines(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	till, other := w.node(t, "till-1", `,"labels":{"role":"till"}`), w.node(t, "office-1")
	b := w.bring("b1", 1, "")
	row := w.begun(policyText("b1"))
	out, status := till.checkIn(t, protocol.CheckIn{})
	if status != 200 || out.Assignment == nil {
		t.Fatal(status, asJSON(out))
	}
	a, err := out.Assignment.Open(w.online)
	if err != nil || a.Node != till.id || a.Rollout != row.ID || a.ManifestSHA256 != b.ManifestSHA256 || a.Action != protocol.ActionInstall {
		t.Errorf("%s %v", asJSON(a), err)
	}
	if out, status := other.checkIn(t, protocol.CheckIn{}); status != 200 || out.Assignment != nil {
		t.Error(status, asJSON(out))
	}
	exit := protocol.ExitOK
	reports := protocol.ReportsRequest{Reports: []protocol.Report{{Seq: 1, At: noon, Rollout: row.ID, Bundle: "b1", State: protocol.StateInstalling}, {Seq: 2, At: noon, Rollout: row.ID, Bundle: "b1", State: protocol.StateSucceeded, Exit: &exit}}}
	// Another node's word counts for nothing in it.
	if status := other.send(t, "POST", protocol.PathReports, reports, nil); status != 200 {
		t.Fatal(status)
	}
	w.tick(time.Second)
	if got := w.now(row); got.State != rollout.Running {
		t.Fatalf("%+v", got)
	}
	if status := till.send(t, "POST", protocol.PathReports, reports, nil); status != 200 {
		t.Fatal(status)
	}
	w.tick(time.Second)
	if got := w.now(row); got.State != rollout.Completed {
		t.Errorf("%+v", got)
	}
}

func TestAWithdrawnBundlePausesItsRollout(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(3)
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1"))
	w.withdraw("b1")
	w.tick(2 * time.Minute)
	if got := w.now(row); got.State != rollout.Paused || !strings.Contains(got.Reason, "withdrawn") {
		t.Fatalf("%+v", got)
	}
	_, err := w.AbortRollout(w.mia(), row.ID, "withdrawn")
	w.must(err)
	if _, err := w.StartRollout(w.mia(), 1, row.PolicyID, "again"); !problem.Is(err, problem.Conflict) || !strings.Contains(err.Error(), "withdrawn") {
		t.Error(err)
	}
	// A year later it is forgotten, unless it is the last of its policy.
	w.bring("b2", 2, "")
	p, err := w.ChangePolicy(w.mia(), row.PolicyID, policyText("b2"), 1, "")
	w.must(err)
	second, err := w.StartRollout(w.mia(), 1, p.ID, "the next")
	w.must(err)
	_, err = w.AbortRollout(w.mia(), second.ID, "enough")
	w.must(err)
	w.clock.advance(2 * historyFor)
	w.must(w.dropHistory(t.Context()))
	list, err := w.rows().rollouts(t.Context(), rolloutFilter{team: 1, limit: 9})
	if err != nil || len(list) != 1 || list[0].ID != second.ID {
		t.Errorf("%+v %v", list, err)
	}
}

func TestSitesAreSpared(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(9)
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1", "rolloutStrategy: {type: AllAtOnce, maxUnavailablePerSite: 1}"))
	for round := range 3 {
		released := w.in(row, rollout.Released)
		if len(released) != 3 {
			t.Fatalf("round %d: %v", round, released)
		}
		w.finish(row, protocol.StateSucceeded, protocol.ExitOK)
	}
	if got := w.now(row); got.State != rollout.Completed {
		t.Errorf("%+v", got)
	}
}

func TestManualBatches(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	w.enrolled(4)
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1", "rolloutStrategy: {type: Manual, batchSize: 2}"))
	w.finish(row, protocol.StateSucceeded, protocol.ExitOK)
	w.tick(time.Hour)
	if got := w.now(row); got.Batch != 0 || got.Waits != "for a person to let the next batch go" {
		t.Fatalf("%+v", got)
	}
	_, err := w.ProceedRollout(w.mia(), row.ID, "the first are fine")
	w.must(err)
	w.tick(time.Second)
	w.finish(row, protocol.StateSucceeded, protocol.ExitOK)
	if got := w.now(row); got.State != rollout.Completed {
		t.Fatalf("%+v", got)
	}
	if _, err := w.ProceedRollout(w.mia(), row.ID, ""); !problem.Is(err, problem.Conflict) {
		t.Error(err)
	}
}
