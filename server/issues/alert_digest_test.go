package issues

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// outbox is who would be told.
type outbox struct {
	channels []AlertChannel
	sent     []AlertMessage
	told     map[int64]AlertTold
	// fail is what the next message ends with.
	fail error
}

func (o *outbox) Channels(context.Context, int64) ([]AlertChannel, error) { return o.channels, nil }

func (o *outbox) Tell(_ context.Context, _ int64, channel string, m AlertMessage) (int64, error) {
	if err := o.fail; err != nil {
		o.fail = nil
		return 0, err
	}
	if !slices.ContainsFunc(o.channels, func(c AlertChannel) bool { return c.ID == channel }) {
		return 0, problem.New(problem.NotFound, "There is no such channel.")
	}
	o.sent = append(o.sent, m)
	return int64(len(o.sent)), nil
}

func (o *outbox) Told(_ context.Context, ids []int64) (map[int64]AlertTold, error) {
	out := map[int64]AlertTold{}
	for _, id := range ids {
		if t, ok := o.told[id]; ok {
			out[id] = t
		}
	}
	return out, nil
}

// watched is a desk with rules and somebody to tell.
type watched struct {
	*desk
	out *outbox
}

func newWatched(t testing.TB) *watched {
	t.Helper()
	w := &watched{newDesk(t), &outbox{channels: []AlertChannel{{ID: "m", Kind: ActMail, Name: "Ops", Enabled: true}, {ID: "w", Kind: ActWebhook, Name: "pager", Enabled: true}}}}
	w.UseReleases()
	w.UseAlerts(w.out, nil)
	return w
}

// rule makes one that sends mail.
func (w *watched) rule(c Condition, change ...func(*AlertChange)) Alert {
	w.t.Helper()
	name, actions := string(c.Type), []Action{{ActMail, "m"}}
	in := AlertChange{Name: &name, Condition: &c, Actions: &actions}
	for _, f := range change {
		f(&in)
	}
	a, err := w.CreateAlert(w.ctx, deskTeam, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func inEnvironment(e string) func(*AlertChange) { return func(c *AlertChange) { c.Environment = &e } }
func matching(q string) func(*AlertChange)      { return func(c *AlertChange) { c.Query = &q } }
func every(minutes int64) func(*AlertChange)    { return func(c *AlertChange) { c.Throttle = &minutes } }

// titles are those of what was sent since the last call.
func (w *watched) titles() []string {
	var list []string
	for _, m := range w.out.sent {
		list = append(list, m.Title)
	}
	w.out.sent = nil
	return list
}

func (w *watched) expect(what string, titles ...string) {
	w.t.Helper()
	if got := w.titles(); !slices.Equal(got, titles) {
		w.t.Errorf("%s: told %q, want %q", what, got, titles)
	}
}

func (w *watched) history(a Alert) []firingShape {
	w.t.Helper()
	page, err := w.httpAlertHistory(w.ctx, historyIn{ID: a.ID})
	if err != nil {
		w.t.Fatal(err)
	}
	return page.Items
}

func TestNewIssuesAreToldOnce(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	a := w.rule(Condition{Type: WhenNew})
	batch := []Accepted{w.event(sample{id: id(1), kind: "ValueError", value: "empty", env: "prod", release: "web@1.0"}), w.event(sample{id: id(2), kind: "ValueError", value: "empty"})}
	w.take(batch...)
	if len(w.out.sent) != 1 {
		t.Fatalf("%+v", w.out.sent)
	}
	m := w.out.sent[0]
	i := w.only("")
	if want := fmt.Sprintf("http://127.0.0.1:8080/teams/team1/issues/%d/events/%s", i.ID, id(1)); m.URL != want {
		t.Errorf("leads to %s, want %s", m.URL, want)
	}
	for _, words := range []string{"It is new.", "environment prod", "release web@1.0", "2 events", "Rule: new"} {
		if !strings.Contains(m.Text, words) {
			t.Errorf("%q lacks %q", m.Text, words)
		}
	}
	w.expect("the first", "WEB-1: ValueError: empty")
	w.take(batch...)
	w.take(w.event(sample{id: id(3), kind: "ValueError", value: "empty"}))
	w.expect("known")
	if h := w.history(a); len(h) != 1 || h[0].EventID != id(1) || h[0].Issue.ID != i.ID || h[0].Deliveries[0].Label != "Ops" {
		t.Errorf("%+v", h)
	}
}

func TestNewInAnEnvironment(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.rule(Condition{Type: WhenNew}, inEnvironment("prod"))
	at := func(env string) { w.take(w.event(sample{kind: "A", value: "a", env: env})) }
	at("dev")
	w.expect("elsewhere")
	at("prod")
	w.expect("new there", "WEB-1: A: a")
	at("prod")
	at("dev")
	at("prod")
	w.expect("known there")
	w.alerts.seen = map[issuePlace]struct{}{} // as after a restart
	w.take(w.event(sample{kind: "A", value: "a", env: "prod"}), w.event(sample{kind: "B", value: "b", env: "prod"}), w.event(sample{kind: "B", value: "b", env: "prod"}))
	w.expect("another one", "WEB-2: B: b")
}

func TestRegressionsAreToldAndThrottled(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.rule(Condition{Type: WhenRegressed}, every(60), inEnvironment("prod"))
	again := func(env string) {
		w.t.Helper()
		resolved := Resolved
		if err := w.ChangeIssues(w.ctx, []int64{w.only("").ID}, Change{Status: &resolved}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		w.take(w.event(sample{kind: "A", value: "a", env: env, release: "web@2"}))
	}
	w.take(w.event(sample{kind: "A", value: "a", env: "prod"}))
	w.expect("new")
	again("dev")
	w.expect("elsewhere")
	again("prod")
	if len(w.out.sent) != 1 || !strings.Contains(w.out.sent[0].Text, "came back in web@2") {
		t.Errorf("%+v", w.out.sent)
	}
	w.expect("back", "WEB-1: A: a")
	again("prod")
	w.expect("within the hour")
	w.pass(time.Hour)
	again("prod")
	w.expect("after the hour", "WEB-1: A: a")
}

func TestManyEvents(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	a := w.rule(Condition{Type: WhenEvents, Count: 5, Minutes: 10}, every(30))
	some := func(n int) {
		var batch []Accepted
		for range n {
			batch = append(batch, w.event(sample{kind: "A", value: "a"}))
		}
		w.take(batch...)
	}
	some(3)
	w.pass(11 * time.Minute)
	some(4)
	w.expect("too slow")
	w.pass(9 * time.Minute)
	some(1)
	w.expect("five in ten minutes", "WEB-1: A: a")
	some(50)
	w.expect("throttled")
	w.pass(31 * time.Minute)
	some(4)
	w.expect("too few by now")
	some(1)
	w.expect("again", "WEB-1: A: a")
	if h := w.history(a); len(h) != 2 || !strings.HasPrefix(h[1].Why, "5 events within 10 minutes") {
		t.Errorf("%+v", h)
	}
	w.pass(time.Hour)
	if err := w.sweepAlerts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.count("issues_alert_counts"); n != 0 {
		t.Errorf("%d old counts are left", n)
	}
}

func TestManyUsers(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.rule(Condition{Type: WhenUsers, Count: 3, Minutes: 10}, every(30))
	by := func(users ...string) {
		var batch []Accepted
		for _, u := range users {
			batch = append(batch, w.event(sample{kind: "A", value: "a", user: u}))
		}
		w.take(batch...)
	}
	by("ann", "ann", "ann", "bob", "", "")
	w.expect("two users")
	w.pass(11 * time.Minute)
	by("cid", "ann")
	w.expect("bob was too long ago")
	by("bob")
	w.expect("three", "WEB-1: A: a")
	var crowd []string
	for n := range 1000 {
		crowd = append(crowd, fmt.Sprintf("u%d@x.test", n))
	}
	by(crowd...)
	w.pass(31 * time.Minute)
	by(crowd...)
	w.expect("a crowd", "WEB-1: A: a")
	if n := w.count("issues_alert_users"); n > 3+slackAlertUsers+maxBatch {
		t.Errorf("%d users are kept", n)
	}
	w.pass(time.Hour)
	if err := w.sweepAlerts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.count("issues_alert_users"); n != 0 {
		t.Errorf("%d old users are left", n)
	}
}

func TestRulesNarrowByQueryAndProject(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	other, err := w.CreateProject(w.ctx, deskTeam, Project{Name: "api"})
	if err != nil {
		t.Fatal(err)
	}
	w.rule(Condition{Type: WhenNew}, matching("title:*cart* region:eu-1"))
	w.rule(Condition{Type: WhenNew}, func(c *AlertChange) { c.Project = &other.ID })
	w.take(
		w.event(sample{kind: "A", value: "empty cart", function: "one", tags: map[string]string{"region": "eu-1"}}),
		w.event(sample{kind: "B", value: "empty cart", function: "two", tags: map[string]string{"region": "us-1"}}),
		w.event(sample{kind: "C", value: "empty list", function: "three", tags: map[string]string{"region": "eu-1"}}),
	)
	w.expect("by query", "WEB-1: A: empty cart")
	there := w.event(sample{kind: "D", value: "d"})
	there.Project = other.ID
	w.take(there)
	w.expect("by project", "API-1: D: d")
}

func TestAFloodIsToldAsANumber(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	a := w.rule(Condition{Type: WhenNew})
	var batch []Accepted
	for n := range 500 {
		batch = append(batch, w.event(sample{kind: fmt.Sprintf("E%d", n), value: "x", function: fmt.Sprintf("f%d", n)}))
	}
	w.take(batch...)
	if n := len(w.titles()); n != maxBurst {
		t.Errorf("%d messages, want %d", n, maxBurst)
	}
	if err := w.watchAlerts(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.expect("too early")
	w.pass(burstTime)
	for range 2 {
		if err := w.watchAlerts(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.expect("the rest", "And 480 more: new")
	if h := w.history(a); len(h) != maxBurst+1 || h[0].Issue != nil {
		t.Errorf("%d in the history", len(h))
	}
	w.take(w.event(sample{kind: "Later", value: "x"}))
	w.expect("afterwards", "WEB-501: Later: x")
}

// TestATransactionThatFailsTellsNothing lets the database fail after the rule
// fired: what is digested again is told once.
func TestATransactionThatFailsTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	a := w.rule(Condition{Type: WhenEvents, Count: 1, Minutes: 10})
	e := w.event(sample{id: id(1), kind: "A", value: "a"})
	w.out.fail = errors.New("the disk is gone")
	if err := w.digest(t.Context(), []Accepted{e}); err == nil {
		t.Fatal("the batch was taken")
	}
	for table, want := range map[string]int64{"issues_events": 0, "issues_alert_firings": 0, "issues_alert_last": 0, "issues_alert_counts": 0, "issues_pace": 0} {
		if got := w.count(table); got != want {
			t.Errorf("%s has %d rows", table, got)
		}
	}
	w.take(e)
	w.take(e)
	w.expect("again", "WEB-1: A: a")
	if h := w.history(a); len(h) != 1 {
		t.Errorf("%+v", h)
	}
}

func TestARuleThatCannotTellSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	a := w.rule(Condition{Type: WhenNew})
	shape := func() alertShape {
		t.Helper()
		s, err := w.httpAlert(w.ctx, byAlert{a.ID})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := shape(); s.Problem != "" || s.Sentence != "When an error is new, send mail to Ops, at most once an hour per issue." {
		t.Errorf("%+v", s)
	}
	w.take(w.event(sample{kind: "A", value: "a"}))
	w.out.told = map[int64]AlertTold{1: {State: deliveryFailed, Error: "mail.example.com answered 550: no such person"}}
	if s := shape(); s.Problem != "mail.example.com answered 550: no such person" {
		t.Errorf("%+v", s)
	}
	w.out.told = nil
	w.out.channels = w.out.channels[1:]
	if s := shape(); s.Problem != "The channel is gone. Choose another one." {
		t.Errorf("%+v", s)
	}
	w.take(w.event(sample{kind: "B", value: "b"}))
	if h := w.history(a); h[0].Deliveries[0].State != deliveryFailed || h[0].Deliveries[0].Error != "There is no such channel." {
		t.Errorf("%+v", h[0])
	}
	off := false
	if _, err := w.ChangeAlert(w.ctx, a.ID, AlertChange{Enabled: &off}); err != nil {
		t.Errorf("it cannot be switched off: %v", err)
	}
	w.take(w.event(sample{kind: "C", value: "c"}))
	if h := w.history(a); len(h) != 2 {
		t.Errorf("it fires although it is off: %+v", h)
	}
}

func TestMonitorsAreTold(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	all := w.rule(Condition{Type: WhenMonitor}, every(0))
	w.rule(Condition{Type: WhenMonitor, Outcomes: []MonitorOutcome{MonitorMissed}}, every(0), inEnvironment("staging"))
	in := func(status string) {
		t.Helper()
		c := sentry.CheckIn{Slug: "nightly", Status: status, Duration: -1, Monitor: &sentry.MonitorConfig{Interval: 1, Unit: "hour", Margin: time.Minute}}
		if err := w.onCheckIn(t.Context(), Accepted{Team: deskTeam, Project: w.project.ID, Received: w.Now()}, c); err != nil {
			t.Fatal(err)
		}
	}
	watch := func() {
		t.Helper()
		for range 2 {
			if err := w.watchAlerts(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	in(sentry.CheckInOK)
	watch()
	w.expect("in time")
	w.pass(time.Hour + 2*time.Minute)
	in(sentry.CheckInOK)
	watch()
	w.expect("late", "Monitor nightly came late")
	w.pass(time.Hour + 2*time.Minute)
	if _, err := w.missSome(t.Context()); err != nil {
		t.Fatal(err)
	}
	watch()
	w.expect("missed", "Monitor nightly was missed")
	w.pass(time.Minute)
	in(sentry.CheckInOK)
	in(sentry.CheckInError)
	watch()
	w.expect("failed", "Monitor nightly failed")
	if p, err := w.PreviewAlert(w.ctx, all); err != nil || p.Count != 3 {
		t.Errorf("%+v %v", p, err)
	}
}

func TestSpikesAndCrashes(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	spike := w.rule(Condition{Type: WhenSpike, Factor: 3, Count: 10, Minutes: 60}, inEnvironment("prod"))
	crash := w.rule(Condition{Type: WhenCrashFree, Percent: 95, Count: 20})
	events := func(n int, env string) {
		var batch []Accepted
		for range n {
			batch = append(batch, w.event(sample{kind: "A", value: "a", env: env}))
		}
		w.take(batch...)
	}
	watch := func() {
		t.Helper()
		if err := w.watchAlerts(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	events(30, "prod")
	watch()
	w.expect("nothing to compare with")
	w.pass(time.Hour)
	events(6, "prod")
	w.pass(7 * 24 * time.Hour)
	events(17, "prod")
	events(50, "dev")
	watch()
	w.expect("below three times")
	events(1, "prod")
	watch()
	watch()
	w.expect("three times", "Errors of web in prod are up")
	if h := w.history(spike); !strings.HasPrefix(h[0].Why, "18 events within 1 hour; a week before it was 6") || !strings.HasSuffix(h[0].URL, "/teams/team1/issues?project=web") {
		t.Errorf("%+v", h[0])
	}
	row := sessionRow{ProjectID: w.project.ID, Hour: hourNumber(w.Now()), Release: "web@1", Environment: "prod", Total: 100, Crashed: 5}
	if err := w.Service.rows().countSessions(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	watch()
	w.expect("95 % are enough")
	row.Total, row.Crashed = 0, 1
	if err := w.Service.rows().countSessions(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	watch()
	watch()
	w.expect("94 %", "Crash-free rate of web is below 95 %")
	for a, want := range map[int64]int64{spike.ID: 1, crash.ID: 1} {
		_, rule, err := w.alertFor(w.ctx, a, reading)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := w.PreviewAlert(w.ctx, rule); err != nil || p.Count != want || p.Days[6] != want {
			t.Errorf("%s: %+v %v", rule.Name, p, err)
		}
	}
}

// TestThePreviewIsWhatHappened compares what rules did with what their preview says.
func TestThePreviewIsWhatHappened(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	rules := []Alert{w.rule(Condition{Type: WhenNew}), w.rule(Condition{Type: WhenNew}, inEnvironment("prod")), w.rule(Condition{Type: WhenRegressed}),
		w.rule(Condition{Type: WhenEvents, Count: 4, Minutes: 120}, every(120)), w.rule(Condition{Type: WhenUsers, Count: 3, Minutes: 60}, every(60), inEnvironment("prod")),
		w.rule(Condition{Type: WhenEvents, Count: 2, Minutes: 60}, matching("title:*beta*"))}
	for n := range 60 {
		kind := []string{"alpha", "beta", "gamma"}[n%3]
		w.take(w.event(sample{kind: kind, value: kind, function: kind, env: []string{"dev", "prod"}[n/7%2], user: fmt.Sprintf("u%d", n%11)}))
		if n%20 == 19 {
			resolved := Resolved
			if err := w.ChangeIssues(w.ctx, []int64{w.only("title:*beta*").ID}, Change{Status: &resolved}); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(time.Duration(1+n*n%17) * time.Minute)
	}
	for _, a := range rules {
		p, err := w.PreviewAlert(w.ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		var did, would []string
		for _, h := range w.history(a) {
			did = append(did, fmt.Sprint(h.At/60_000, " ", h.Issue.ShortID))
		}
		for _, f := range p.Firings {
			would = append(would, fmt.Sprint(f.At/60_000, " ", f.Issue.ShortID))
		}
		if !slices.Equal(did, would) || len(did) == 0 || p.Partial || p.Count != int64(len(would)) {
			t.Errorf("%s\ndid   %q\nwould %q", p.Sentence, did, would)
		}
	}
}

func TestChangingARuleForgetsWhatItCounted(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	a := w.rule(Condition{Type: WhenEvents, Count: 3, Minutes: 60})
	w.take(w.event(sample{kind: "A", value: "a"}), w.event(sample{kind: "A", value: "a"}))
	c := Condition{Type: WhenEvents, Count: 2, Minutes: 60}
	if _, err := w.ChangeAlert(w.ctx, a.ID, AlertChange{Condition: &c}); err != nil {
		t.Fatal(err)
	}
	w.take(w.event(sample{kind: "A", value: "a"}))
	w.expect("one since the change")
	w.take(w.event(sample{kind: "A", value: "a"}))
	w.expect("two", "WEB-1: A: a")
	if err := w.DeleteAlert(w.ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	w.take(w.event(sample{kind: "A", value: "a"}))
	for _, table := range []string{"issues_alerts", "issues_alert_firings", "issues_alert_last", "issues_alert_counts"} {
		if n := w.count(table); n != 0 {
			t.Errorf("%s has %d rows", table, n)
		}
	}
}

func TestRulesOfOtherTeamsAreNotThere(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	a := w.rule(Condition{Type: WhenNew})
	stranger := ownerContext(t, otherTeam, "other")
	for name, try := range map[string]func() error{
		"read":    func() error { _, err := w.httpAlert(stranger, byAlert{a.ID}); return err },
		"change":  func() error { _, err := w.ChangeAlert(stranger, a.ID, AlertChange{}); return err },
		"delete":  func() error { return w.DeleteAlert(stranger, a.ID) },
		"history": func() error { _, err := w.httpAlertHistory(stranger, historyIn{ID: a.ID}); return err },
		"test":    func() error { _, err := w.httpTestAlert(stranger, byAlert{a.ID}); return err },
	} {
		if err := try(); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	name, actions := "n", []Action{{ActMail, "m"}}
	_, err := w.CreateAlert(stranger, otherTeam, AlertChange{Name: &name, Project: &w.project.ID, Condition: &Condition{Type: WhenNew}, Actions: &actions})
	if p := problem.From(err); p == nil || len(p.Fields) == 0 || p.Fields[0].Field != "project" {
		t.Errorf("a rule about another team's project: %v", err)
	}
	wrong := []Action{{ActSlack, "m"}}
	_, err = w.CreateAlert(w.ctx, deskTeam, AlertChange{Name: &name, Condition: &Condition{Type: WhenNew}, Actions: &wrong})
	if p := problem.From(err); p == nil || !strings.Contains(cmp.Or(p.Fields[0].Message, p.Detail), "mail and not for slack") {
		t.Errorf("mail as Slack: %v", err)
	}
}

func ownerContext(t testing.TB, team int64, name string) context.Context {
	return identity.With(t.Context(), ownerOf(team, name))
}
