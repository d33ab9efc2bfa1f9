package issues

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// hub is a GitHub with one repository.
type hub struct {
	made   []GitHubIssue
	bodies []string
	// lost makes creating succeed without our hearing of it; refuse is what creating answers.
	lost   bool
	refuse error
}

func (h *hub) Connected(context.Context, int64) (bool, error) { return true, nil }

func (h *hub) Create(_ context.Context, _ int64, repository, title, body string) (GitHubIssue, error) {
	if h.refuse != nil {
		return GitHubIssue{}, h.refuse
	}
	n := int64(len(h.made) + 1)
	i := GitHubIssue{Number: n, URL: "https://github.com/" + repository + "/issues/" + formatID(n), Title: title, State: "open"}
	h.made, h.bodies = append(h.made, i), append(h.bodies, body)
	if h.lost {
		h.lost = false
		return GitHubIssue{}, errors.New("connection reset")
	}
	return i, nil
}

func (h *hub) Find(_ context.Context, _ int64, _, marker string, _ time.Time) (GitHubIssue, bool, error) {
	for n, body := range h.bodies {
		if strings.Contains(body, "<!-- signalbox:"+marker+" -->") {
			return h.made[n], true, nil
		}
	}
	return GitHubIssue{}, false, nil
}

func (h *hub) Get(_ context.Context, _ int64, _ string, number int64) (GitHubIssue, error) {
	if number > int64(len(h.made)) {
		return GitHubIssue{}, problem.New(problem.NotFound, "There is none.")
	}
	return h.made[number-1], nil
}

type linked struct {
	*watched
	hub *hub
}

func newLinked(t *testing.T) *linked {
	t.Helper()
	l := &linked{&watched{newDesk(t), &outbox{}}, &hub{}}
	l.Jobs = work.NewJobs(l.DB, "n1", l.Now, l.Log)
	l.UseAlerts(l.out, l.hub)
	return l
}

// run does the job of a link as the pool would.
func (l *linked) run(link int64) error {
	payload, _ := json.Marshal(linkPayload{link}) // two numbers: cannot fail
	return l.createLink(l.t.Context(), work.Job{Kind: kindGitHubIssue, Payload: payload, Attempt: 1})
}

func (l *linked) states(issue int64) (list []string) {
	l.t.Helper()
	links, err := l.linksOf(l.ctx, issue)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, one := range links {
		list = append(list, one.Repository+"#"+formatID(one.Number)+" "+one.State)
	}
	return list
}

func TestAnIssueIsCreatedOnceAtGitHub(t *testing.T) {
	t.Parallel()
	l := newLinked(t)
	l.take(l.event(sample{kind: "A", value: "a"}))
	i := l.only("")
	for range 3 {
		if err := l.CreateGitHubIssue(l.ctx, i.ID, LinkNew{Repository: "octo/shop"}); err != nil {
			t.Fatal(err)
		}
	}
	if got := l.states(i.ID); !slices.Equal(got, []string{"octo/shop#0 creating"}) {
		t.Fatalf("%q", got)
	}
	l.hub.lost = true
	if err := l.run(1); err == nil {
		t.Fatal("the lost answer is no error")
	}
	for range 2 {
		if err := l.run(1); err != nil {
			t.Fatal(err)
		}
	}
	if got := l.states(i.ID); !slices.Equal(got, []string{"octo/shop#1 open"}) || len(l.hub.made) != 1 || l.hub.made[0].Title != "A: a" {
		t.Errorf("%q of %+v", got, l.hub.made)
	}
	if err := l.CreateGitHubIssue(l.ctx, i.ID, LinkNew{Repository: "Octo/Shop"}); err != nil || len(l.states(i.ID)) != 1 {
		t.Errorf("asked again: %v %q", err, l.states(i.ID))
	}
}

func TestWhatGitHubRefusesIsShownAndCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	l := newLinked(t)
	l.take(l.event(sample{kind: "A", value: "a"}))
	i := l.only("")
	l.hub.refuse = problem.New(problem.Forbidden, "The connection may not write issues of octo/shop.")
	again := func() {
		t.Helper()
		if err := l.CreateGitHubIssue(l.ctx, i.ID, LinkNew{Repository: "octo/shop"}); err != nil {
			t.Fatal(err)
		}
	}
	again()
	if err := l.run(1); err == nil {
		t.Error("the refusal is no error")
	}
	if got, err := l.linksOf(l.ctx, i.ID); err != nil || got[0].State != linkFailed || got[0].Error != "The connection may not write issues of octo/shop." {
		t.Errorf("%+v %v", got, err)
	}
	l.hub.refuse = nil
	again()
	if err := l.run(1); err != nil {
		t.Fatal(err)
	}
	if got := l.states(i.ID); !slices.Equal(got, []string{"octo/shop#1 open"}) {
		t.Errorf("%q", got)
	}
}

func TestLinksFollowTheirIssues(t *testing.T) {
	t.Parallel()
	l := newLinked(t)
	l.take(l.event(sample{kind: "A", value: "a", function: "f"}), l.event(sample{kind: "A", value: "a", function: "f"}), l.event(sample{kind: "B", value: "b", function: "g"}))
	a, b := l.only("title:A*"), l.only("title:B*")
	for _, link := range []struct {
		issue   int64
		address string
	}{{a.ID, "https://github.com/octo/shop/issues/7"}, {b.ID, "https://github.com/octo/shop/issues/7"}, {b.ID, "https://github.com/octo/shop/pull/8/"}} {
		if err := l.LinkIssue(l.ctx, link.issue, link.address); err != nil {
			t.Fatal(err)
		}
	}
	for host, want := range map[string]string{"github.example.com": "octo/shop#7 unknown", "github.com": "octo/shop#7 closed"} {
		if err := l.GitHubIssueChanged(t.Context(), deskTeam, "Octo/shop", GitHubIssue{Number: 7, State: "closed", Title: "Carts", URL: "https://" + host + "/octo/shop/issues/7"}); err != nil {
			t.Fatal(err)
		}
		if got := l.states(a.ID); host == "github.com" && got[0] != want {
			t.Errorf("after news of %s: %q", host, got)
		}
	}
	if _, err := l.MergeIssues(l.ctx, []int64{a.ID, b.ID}, a.ID); err != nil {
		t.Fatal(err)
	}
	if got := l.states(a.ID); !slices.Equal(got, []string{"octo/shop#7 closed", "octo/shop#8 unknown"}) {
		t.Errorf("after merging: %q", got)
	}
	if err := l.DeleteIssues(l.ctx, []int64{a.ID}); err != nil {
		t.Fatal(err)
	}
	if n := l.count("issues_links"); n != 0 {
		t.Errorf("%d links of nothing", n)
	}
}

func TestARuleOpensOneIssueAtGitHub(t *testing.T) {
	t.Parallel()
	l := newLinked(t)
	open := func(c *AlertChange) { c.Actions = &[]Action{{ActGitHubIssue, "octo/shop"}} }
	a := l.rule(Condition{Type: WhenEvents, Count: 1, Minutes: 10}, open, every(1))
	for range 3 {
		l.take(l.event(sample{kind: "A", value: "a"}))
		l.pass(2 * time.Minute)
	}
	if err := l.run(1); err != nil {
		t.Fatal(err)
	}
	if got := l.states(l.only("").ID); !slices.Equal(got, []string{"octo/shop#1 open"}) || !strings.Contains(l.hub.bodies[0], "http://127.0.0.1:8080/teams/team1/issues/") {
		t.Errorf("%q %q", got, l.hub.bodies)
	}
	for _, h := range l.history(a) {
		if d := h.Deliveries[0]; d.State != deliverySent || d.URL != "https://github.com/octo/shop/issues/1" {
			t.Errorf("%+v", d)
		}
	}
	if f, err := l.TestAlert(l.ctx, a); err != nil || !parseDeliveries(f.Deliveries)[0].Skipped || l.count("issues_links") != 1 {
		t.Errorf("a test opened an issue: %+v %v", f, err)
	}
}
