package ci

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/github/payload"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func namesOfWeb(_ context.Context, _ int64, place string) ([]string, error) {
	if place == "github.com/acme/site" || place == "github.com/acme/web" {
		return []string{"github.com/acme/site", "github.com/acme/web"}, nil
	}
	return []string{place}, nil
}

var webPlaces = []string{"https://github.com/acme/web.git"}

func pullOf(number, commit int, fork string) payload.PullRequest {
	p := payload.PullRequest{Number: number, Title: fmt.Sprintf("Change %d", number), URL: fmt.Sprintf("https://github.com/acme/web/pull/%d", number), Author: "eve",
		Head: fmt.Sprintf(sha, commit), HeadBranch: "topic", HeadRepository: "acme/web", BaseBranch: "main", State: "open", Updated: time.Unix(int64(commit), 0)}
	if fork != "" {
		p.Fork, p.HeadRepository = true, fork
	}
	return p
}

const pulls = `
resources:
- {name: pulls, type: github-pull-request, check_every: never, source: {name: pulls, repository: acme/web, access_token: ((token)), disable_ci_skip: true, disable_forks: false, comment: true}}
- {name: out, type: mock, check_every: never, source: {name: out}}
jobs:
- name: review
  plan: [{get: pulls, trigger: true}, {task: ok, config: {platform: linux, run: {path: x}}}, {put: out, no_get: true, params: {version: made}}]
- name: after
  plan: [{get: out, trigger: true, passed: [review]}]
- name: beside
  plan: [{get: pulls, passed: [review], trigger: true}]
`

func (w *world) pull(action string, p payload.PullRequest) Told {
	w.t.Helper()
	got, err := w.ci.ReceivePull(w.t.Context(), teamMain, webPlaces, action, p)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func TestPullRequestsAreBuiltWithoutAPoll(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", pulls)
	if got := w.pull("opened", pullOf(7, 1, "")); got.Resources != 1 || got.Versions != 1 {
		t.Fatalf("%+v", got)
	}
	b := w.waitBuild("web", "review", "1", Succeeded)
	w.waitBuild("web", "after", "1", Succeeded)
	if w.taken(b.ID) != fmt.Sprintf(sha, 1) || w.build(b.ID).Untrusted {
		t.Errorf("%+v", w.build(b.ID))
	}
	// The same again, and a label, are nothing new.
	if got := w.pull("labeled", pullOf(7, 1, "")); got.Versions != 0 {
		t.Errorf("%+v", got)
	}
	// What a check says of the commit's time is put right and is no other version.
	r, err := w.ci.resource(t.Context(), w.resource("web", "pulls"))
	if err != nil {
		t.Fatal(err)
	}
	exact := resource.PullVersion(7, fmt.Sprintf(sha, 1), time.Unix(500, 0), "")
	stored, err := w.ci.saveVersions(t.Context(), r, []resource.Result{{Version: exact}}, true)
	if err != nil || stored.New {
		t.Errorf("%+v %v", stored, err)
	}
	if latest, err := w.ci.latestVersion(t.Context(), r, false); err != nil || latest.fields()["committed"] != exact["committed"] || len(latest.metadata()) == 0 {
		t.Errorf("%+v %v", latest, err)
	}
	// Closed, it is taken by no build; opened again, it may be.
	w.pull("closed", func() payload.PullRequest { p := pullOf(7, 1, ""); p.State = "closed"; return p }())
	if latest, err := w.ci.latestVersion(t.Context(), r, true); err != nil || latest.ID != 0 {
		t.Errorf("after closing: %+v %v", latest, err)
	}
	w.pull("reopened", pullOf(7, 1, ""))
	if latest, err := w.ci.latestVersion(t.Context(), r, true); err != nil || latest.ID == 0 {
		t.Errorf("after opening again: %+v %v", latest, err)
	}
	w.eventually("its status to be told", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, s := range w.statuses {
			if s.SHA == fmt.Sprintf(sha, 1) && s.State == "success" && s.ExternalID == externalID(b.ID) && strings.Contains(s.Summary, "web/review") {
				return true
			}
		}
		return false
	})
}

func (w *world) build(id int64) buildRow {
	w.t.Helper()
	b, err := w.ci.build(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func TestJudgePull(t *testing.T) {
	t.Parallel()
	draft, merged, skipped, fork := pullOf(1, 1, ""), pullOf(1, 1, ""), pullOf(1, 1, ""), pullOf(1, 1, "eve/web")
	draft.Draft, skipped.Title, merged.State, merged.Merged = true, "x [ci skip]", "closed", true
	labelled := pullOf(1, 1, "")
	labelled.Labels = []string{"test"}
	for name, c := range map[string]struct {
		source map[string]any
		pull   payload.PullRequest
		want   pullVerdict
	}{
		"plain":                 {map[string]any{}, pullOf(1, 1, ""), pullUnclear}, // the commit's message may say to skip it
		"without skipping":      {map[string]any{"disable_ci_skip": true}, pullOf(1, 1, ""), pullWanted},
		"skipped":               {map[string]any{}, skipped, pullUnwanted},
		"another base":          {map[string]any{"base_branch": "next"}, pullOf(1, 1, ""), pullUnwanted},
		"its base":              {map[string]any{"base_branch": "main", "disable_ci_skip": true}, pullOf(1, 1, ""), pullWanted},
		"a base that is a var":  {map[string]any{"base_branch": "((b))", "disable_ci_skip": true}, pullOf(1, 1, ""), pullUnclear},
		"a draft":               {map[string]any{"ignore_drafts": true}, draft, pullUnwanted},
		"no label":              {map[string]any{"labels": []any{"test"}}, pullOf(1, 1, ""), pullUnwanted},
		"its label":             {map[string]any{"labels": []any{"test"}, "disable_ci_skip": true}, labelled, pullWanted},
		"a fork":                {map[string]any{"disable_ci_skip": true}, fork, pullUnwanted},
		"a fork that may":       {map[string]any{"disable_ci_skip": true, "disable_forks": false}, fork, pullWanted},
		"merged":                {map[string]any{"disable_ci_skip": true}, merged, pullUnwanted},
		"merged ones wanted":    {map[string]any{"disable_ci_skip": true, "states": []any{"merged"}}, merged, pullWanted},
		"paths":                 {map[string]any{"disable_ci_skip": true, "paths": []any{"src"}}, pullOf(1, 1, ""), pullUnclear},
		"approvals":             {map[string]any{"disable_ci_skip": true, "required_review_approvals": 1}, pullOf(1, 1, ""), pullUnclear},
		"a token that is a var": {map[string]any{"disable_ci_skip": true, "access_token": "((t))"}, pullOf(1, 1, ""), pullWanted},
	} {
		if got := judgePull(c.source, c.pull); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestUnclearPullRequestsAreAskedFor: candidates gather until a check takes them.
func TestUnclearPullRequestsAreAskedFor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.set("web", strings.ReplaceAll(pulls, "disable_ci_skip: true, ", ""))
	hold := make(chan struct{})
	w.remote.mu.Lock()
	w.remote.hold = hold
	w.remote.mu.Unlock()
	for _, n := range []int{7, 9, 7} {
		if got := w.pull("synchronize", pullOf(n, n, "")); got.Resources != 1 || got.Versions != 0 || got.Effects[0].Kind != "check" {
			t.Errorf("%+v", got)
		}
	}
	if from, err := w.ci.checkFromOf(t.Context(), w.resource("web", "pulls")); err != nil || from != `{"candidates":"7,9"}` {
		t.Errorf("%q %v", from, err)
	}
	close(hold)
	w.eventually("the check to have looked", func() bool {
		from, err := w.ci.checkFromOf(t.Context(), w.resource("web", "pulls"))
		return err == nil && from == "" && id != 0
	})
}

func (w *world) waitingForks() []approvalShape {
	w.t.Helper()
	var out []approvalShape
	for _, a := range must[approvalList](w, 200, "GET", "/api/v1/ci/approvals?team=main&state=waiting", "").Items {
		if a.Fork != nil {
			out = append(out, a)
		}
	}
	return out
}

// TestForksWaitForAMember is the life of a fork's pull request, and every way around
// the question that a pipeline or an operator could try.
func TestForksWaitForAMember(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", pulls)
	w.pull("opened", pullOf(7, 1, "eve/web"))
	list := w.waitingForks()
	if len(list) != 1 || list[0].Fork.SHA != fmt.Sprintf(sha, 1) || list[0].Fork.Author != "eve" || list[0].Fork.URL == "" || list[0].Fork.Repository != "github.com/acme/web" || list[0].Refusal != "" {
		t.Fatalf("%+v", list)
	}
	id := w.resource("web", "pulls")
	versions := must[versionList](w, 200, "GET", fmt.Sprintf("/api/v1/ci/resources/%d/versions", id), "").Items
	if len(versions) != 1 || versions[0].Enabled || versions[0].Version["fork"] != "eve/web" {
		t.Fatalf("%+v", versions)
	}
	// Enabling the version by hand is no approval, and neither is pinning it.
	if a := w.call("POST", fmt.Sprintf("/api/v1/ci/versions/%d/enable", versions[0].ID), ""); a.status != 409 {
		t.Errorf("enabling: %d %s", a.status, a.body)
	}
	must[resourceShape](w, 200, "POST", fmt.Sprintf("/api/v1/ci/resources/%d/pin", id), fmt.Sprintf(`{"version_id":%d}`, versions[0].ID))
	refused := w.waitBuild("web", "review", "1", Errored)
	if b := w.build(refused.ID); !strings.Contains(b.Message, "no member has agreed") || b.Plan != "" {
		t.Errorf("%+v", b)
	}
	must[resourceShape](w, 200, "POST", fmt.Sprintf("/api/v1/ci/resources/%d/unpin", id), "")
	// A new commit replaces the question about the one before; that one comes late once more.
	w.pull("synchronize", pullOf(7, 3, "eve/web"))
	w.pull("synchronize", pullOf(7, 2, "eve/web"))
	if list = w.waitingForks(); len(list) != 1 || list[0].Fork.SHA != fmt.Sprintf(sha, 3) {
		t.Fatalf("%+v", list)
	}
	approve := "/api/v1/ci/approvals/" + list[0].ID + "/approve"
	for who, want := range map[string]int{"viewer": 403, "operator": 403, "stranger": 404} {
		if a := w.call("POST", approve, `{}`, as(who)); a.status != want && a.status != 403 {
			t.Errorf("%s: %d %s", who, a.status, a.body)
		}
	}
	if n := len(w.builds("web", "review")); n != 1 {
		t.Fatalf("%d builds before anybody agreed", n)
	}
	done := must[approvalShape](w, 200, "POST", approve, `{"reason":"read it"}`, as("member"))
	if done.State != ApprovalApproved || done.DecidedBy != "member" {
		t.Errorf("%+v", done)
	}
	if a := w.call("POST", approve, `{}`, as("owner")); a.status != 409 {
		t.Errorf("twice: %d", a.status)
	}
	b := w.waitBuild("web", "review", "2", Succeeded)
	if w.taken(b.ID) != fmt.Sprintf(sha, 3) {
		t.Errorf("it took %s", w.taken(b.ID))
	}
	// Untrusted are the build, what takes the commit after it, what takes what it put, and its reruns.
	after, beside := w.waitBuild("web", "after", "1", Succeeded), w.waitBuild("web", "beside", "1", Succeeded)
	again := must[buildShape](w, 201, "POST", fmt.Sprintf("/api/v1/ci/builds/%d/rerun", b.ID), "")
	w.waitBuild("web", "review", "2.1", Succeeded)
	w.engine.mu.Lock()
	for _, ran := range w.engine.runs {
		if !ran.Untrusted {
			t.Errorf("build %d of %s is trusted", ran.ID, ran.JobName)
		}
		if lookup, err := w.ci.Vars(t.Context(), ran); err != nil || fmt.Sprint(lookup) != "map[]" {
			t.Errorf("%v %v", lookup, err)
		}
	}
	w.engine.mu.Unlock()
	for _, n := range []int64{b.ID, after.ID, beside.ID, again.ID} {
		if !w.build(n).Untrusted {
			t.Errorf("build %d is trusted", n)
		}
	}
	// Forgetting the versions does not make an old build trusted.
	if err := w.db.Writer(t.Context()).Exec("DELETE FROM ci_versions").Error; err != nil {
		t.Fatal(err)
	}
	if d, err := w.ci.describeBuild(t.Context(), w.build(b.ID)); err != nil || !d.Untrusted {
		t.Errorf("%+v %v", d, err)
	}
	// The commit that was agreed to is agreed to in another pipeline, too.
	w.set("site", strings.ReplaceAll(pulls, "name: pulls, repository", "name: pulls2, repository"))
	w.pull("labeled", pullOf(7, 3, "eve/web"))
	w.waitBuild("site", "review", "1", Succeeded)
}

func TestForksThatAreRejectedOrClosed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", pulls)
	w.pull("opened", pullOf(7, 1, "eve/web"))
	w.pull("opened", pullOf(8, 2, "eve/web"))
	list := w.waitingForks()
	if len(list) != 2 {
		t.Fatalf("%+v", list)
	}
	must[approvalShape](w, 200, "POST", "/api/v1/ci/approvals/"+list[0].ID+"/reject", `{"reason":"no"}`)
	closed := pullOf(8, 2, "eve/web")
	closed.State = "closed"
	w.pull("closed", closed)
	if left := w.waitingForks(); len(left) != 0 {
		t.Errorf("%+v", left)
	}
	if a := w.call("POST", "/api/v1/ci/approvals/"+list[1].ID+"/approve", `{}`); a.status != 409 {
		t.Errorf("approving what was closed: %d %s", a.status, a.body)
	}
	closed.State, closed.Updated = "open", closed.Updated.Add(time.Minute)
	w.pull("reopened", closed)
	if left := w.waitingForks(); len(left) != 1 || left[0].Fork.Number != 8 {
		t.Errorf("%+v", left)
	}
	if n := len(w.builds("web", "review")); n != 0 {
		t.Errorf("%d builds", n)
	}
	decided := must[approvalList](w, 200, "GET", "/api/v1/ci/approvals?team=main&state=decided", "").Items
	if len(decided) != 1 || decided[0].Reason != "no" || decided[0].State != ApprovalRejected {
		t.Errorf("%+v", decided)
	}
	if _, err := w.ci.decideFork(identity.With(t.Context(), callers["member"]), left(t, w), decision{Approve: true, Reviewer: "owner"}); err == nil {
		t.Error("somebody decided in another's name")
	}
}

func left(t *testing.T, w *world) string {
	t.Helper()
	list := w.waitingForks()
	if len(list) == 0 {
		t.Fatal("none is left")
	}
	return list[0].ID
}
