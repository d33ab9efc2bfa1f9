package logs

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
)

func TestThresholdAlert(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	id := w.make("Refusals", AlertCondition{Kind: WhenThreshold, Query: "refused", Minutes: 5, Value: 2}, `"throttle_minutes":0`)
	if a := w.alert(id); a.State != alertWaiting || a.Value != nil {
		t.Errorf("before the first look: %+v", a)
	}
	w.lines(2, "api", "connection refused")
	w.look()
	w.told("at the limit")
	if a := w.alert(id); a.State != alertWell || a.Value == nil || *a.Value != 2 {
		t.Errorf("at the limit: %+v", a)
	}
	w.lines(3, "api", "connection refused by db")
	w.lines(9, "api", "all well")
	w.look()
	m := w.posts.last(t)
	w.told("beyond it", "Refusals: 5 lines")
	if !strings.HasPrefix(m.Text, "5 lines within 5 minutes; the limit is more than 2.\nAlert: Refusals") || len(m.Lines) != 5 || !strings.HasSuffix(m.Lines[4], "api connection refused by db") {
		t.Errorf("%+v", m)
	}
	if want := "https://signalbox.example.com/teams/reds/logs?from=2026-11-20T11%3A57%3A00Z&q=refused&to=2026-11-20T12%3A02%3A00Z"; m.URL != want {
		t.Errorf("leads to %s", m.URL)
	}
	w.look()
	w.told("while it lasts")
	a := w.alert(id)
	if a.State != alertFiring || len(a.Firing) != 1 || time.UnixMilli(int64(a.Since)).UTC() != noon.Add(2*time.Minute) {
		t.Errorf("while it lasts: %+v", a)
	}
	w.look(4)
	w.told("when it is over", "Over: Refusals")
	if a = w.alert(id); a.State != alertWell || len(a.Firing) != 0 || *a.Value != 0 {
		t.Errorf("when it is over: %+v", a)
	}
	list := w.history(id)
	if len(list) != 1 || *list[0].Value != 5 || list[0].EndedAt == 0 || len(list[0].Deliveries) != 2 || list[0].Deliveries[0].About != becauseFiring ||
		list[0].Deliveries[1].About != becauseResolved || list[0].Deliveries[1].State != "sent" {
		t.Errorf("%+v", list)
	}
}

func TestThrottleRemindAndMute(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	id := w.make("Errors", AlertCondition{Kind: WhenThreshold, Query: "oops", Minutes: 2}, `"throttle_minutes":10,"remind_minutes":30`)
	w.lines(1, "api", "oops")
	w.look()
	w.told("at once", "Errors: 1 line")
	w.look()
	w.told("over", "Over: Errors")
	w.lines(1, "api", "oops")
	w.look()
	w.told("again within the throttle")
	w.look()
	w.told("over without having been told")
	for range 8 {
		w.lines(2, "api", "oops")
		w.look()
	}
	w.told("once the throttle is over", "Errors: 2 lines")
	for range 30 {
		w.lines(1, "api", "oops")
		w.look()
	}
	w.told("after half an hour", "Errors: 1 line, for 36 minutes now")
	w.change(id, `{"mute_minutes":60}`)
	if a := w.alert(id); a.MutedUntil == 0 || a.State != alertFiring {
		t.Errorf("muted: %+v", a)
	}
	w.look(2)
	w.lines(1, "api", "oops")
	w.look()
	w.told("muted")
	for range 58 {
		w.lines(1, "api", "oops")
		w.look()
	}
	w.told("when the mute is over and it still fires", "Errors: 1 line")
	if list := w.history(id); len(list) != 4 {
		t.Errorf("%d firings in the history: %+v", len(list), list)
	}
}

func TestGroupsAndSilence(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	w.lines(3, "web", "tick")
	w.pass(30 * time.Minute)
	id := w.make("Quiet", AlertCondition{Kind: WhenAbsent, Query: "tick", By: "service", Minutes: 5}, `"throttle_minutes":0`)
	w.lines(1, "api", "tick")
	w.lines(1, "db", "tick")
	w.look()
	w.told("a group that fell silent before", "Quiet: service web")
	w.look(5)
	m := w.posts.last(t)
	w.told("two at once in one message", "Quiet: service api and db")
	if !strings.HasPrefix(m.Text, "No lines of “tick” of service api within 5 minutes.\nNo lines of “tick” of service db within 5 minutes.") {
		t.Error(m.Text)
	}
	if a := w.alert(id); len(a.Firing) != 3 || a.Value != nil && *a.Value != 0 {
		t.Errorf("%+v", a)
	}
	w.lines(1, "db", "tick")
	w.look()
	w.told("one is back", "Over: Quiet: service db")
	if m.URL == "" || !strings.Contains(w.alert(id).Sentence, "there are no lines of “tick” for one service within 5 minutes, call the webhook ops") {
		t.Error(w.alert(id).Sentence)
	}
	// A group that nobody has heard of for a week is gone, and no news any more.
	for range 8 {
		w.pass(24 * time.Hour)
		w.lines(1, "db", "tick")
		w.look()
	}
	if a := w.alert(id); len(a.Firing) != 0 {
		t.Errorf("%+v", a.Firing)
	}
}

// TestOwnSilence: the time in which the server did not run is not taken for silence.
func TestOwnSilence(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	w.make("Quiet", AlertCondition{Kind: WhenAbsent, Minutes: 10}, `"throttle_minutes":0`)
	w.lines(1, "api", "tick")
	w.look()
	w.pass(2 * time.Hour)
	w.look()
	w.told("at once after a stop")
	w.look(7)
	w.told("still within ten minutes of running")
	w.look(3)
	w.told("after ten minutes in which it did run", "Quiet: no lines")
}

func TestFiguresAndRatios(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	slow := w.make("Slow", AlertCondition{Kind: WhenThreshold, Query: "GET | stats p95(ms) by (service)", Minutes: 5, Op: OpAtLeast, Value: 500})
	share := w.make("Failures", AlertCondition{Kind: WhenRatio, Query: "status:>=500", Over: "GET | where status:*", Minutes: 5, Value: 10, Least: 10})
	if c := w.alert(slow).Condition; c.Query != "GET" || c.Figure != "p95(ms)" || c.By != "service" {
		t.Errorf("%+v", c)
	}
	w.lines(20, "api", "GET /", "ms=700", "status=200")
	w.lines(20, "web", "GET /", "ms=20", "status=200")
	w.lines(1, "web", "GET /", "ms=20", "status=500")
	w.look()
	m := w.posts.last(t)
	w.told("one group is slow", "Slow: service api")
	if !strings.HasPrefix(m.Text, "p95(ms) of service api was 700 within 5 minutes; the limit is at least 500.") || len(m.Lines) != sampledLines || !strings.Contains(m.Lines[0], " api GET /") {
		t.Errorf("%+v", m)
	}
	if a := w.alert(share); a.State != alertWell || *a.Value < 2.4 || *a.Value > 2.5 {
		t.Errorf("%+v", a)
	}
	w.lines(9, "web", "GET /", "ms=20", "status=503")
	w.look()
	m = w.posts.last(t)
	w.told("many fail", "Failures: 20 %")
	if !strings.HasPrefix(m.Text, "20 % (10 of 50 lines) within 5 minutes; the limit is more than 10 %.") {
		t.Error(m.Text)
	}
	w.look(6)
	if a := w.alert(share); a.State != alertWell || a.Value != nil {
		t.Errorf("without lines there is no share: %+v", a)
	}
}

func TestNewPatterns(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	w.lines(5, "api", "user 17 has logged in")
	w.lines(5, "api", "charged order 99 in 12 ms")
	w.pass(time.Hour)
	id := w.make("News", AlertCondition{Kind: WhenPattern, Minutes: 30, Days: 2}, `"throttle_minutes":0`)
	w.look()
	w.told("what was there before is known")
	w.lines(3, "api", "user 3 has logged in")
	w.lines(2, "api", "cannot reach payments gateway at 10.0.0.7")
	w.look()
	m := w.posts.last(t)
	w.told("a new kind", "News: a new kind of message")
	if !strings.HasPrefix(m.Text, "New kind of message: cannot reach payments gateway at <*>\n") || len(m.Lines) != 1 || !strings.HasSuffix(m.Lines[0], "cannot reach payments gateway at 10.0.0.7") {
		t.Errorf("%+v", m)
	}
	w.lines(2, "api", "cannot reach payments gateway at 10.0.0.9")
	w.look()
	w.told("it is known now")
	if a := w.alert(id); a.State != alertFiring || a.Firing[0].Subject != "cannot reach payments gateway at <*>" {
		t.Errorf("%+v", a)
	}
	w.look(30)
	w.told("its time is over", "Over: News")
	for range 3 {
		w.pass(24 * time.Hour)
		w.lines(1, "api", "user 3 has logged in")
		w.look()
	}
	w.told("no news")
	w.lines(1, "api", "cannot reach payments gateway at 10.0.0.1")
	w.look()
	w.told("after its days it is new again", "News: a new kind of message")
}

func TestAlertThatCannotLook(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	id := w.make("Broad", AlertCondition{Kind: WhenThreshold, By: "user", Minutes: 5}, `"throttle_minutes":0`)
	var body strings.Builder
	for i := range maxSubjects + 1 {
		fmt.Fprintf(&body, `{"time":%q,"msg":"hello","user":"u%d"}`+"\n", w.Now().Format(time.RFC3339), i)
	}
	w.call("POST", "/insert/jsonline", body.String(), red)
	w.look(2)
	a := w.alert(id)
	if a.State != alertFailing || !strings.HasPrefix(a.Error, "user has more than 1000 values") || time.UnixMilli(int64(a.Since)).UTC() != noon.Add(time.Minute) {
		t.Errorf("%+v", a)
	}
	w.told("nobody")
	w.look(5)
	if a = w.alert(id); a.State != alertWell || a.Error != "" {
		t.Errorf("%+v", a)
	}
}

// TestNothingIsToldTwice: what is told and that it was told are written together, and
// of two that look at the same time one writes.
func TestNothingIsToldTwice(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	id := w.make("Errors", AlertCondition{Kind: WhenThreshold, Query: "oops", Minutes: 5}, `"throttle_minutes":0`)
	w.lines(1, "api", "oops")
	w.pass(time.Minute)
	w.posts.fail = errors.New("the database is gone")
	if err := w.watchAlerts(t.Context()); err == nil {
		t.Error("the failure was kept secret")
	}
	if a := w.alert(id); a.State != alertWaiting || len(w.history(id)) != 0 {
		t.Errorf("after a failure: %+v", a)
	}
	w.posts.fail = nil
	row, err := w.rows.alert(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	a, err := row.alert()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // as other nodes do that have read the same row
		if err := w.Service.look(t.Context(), row, a); err != nil {
			t.Fatal(err)
		}
	}
	w.told("once", "Errors: 1 line")
	if list := w.history(id); len(list) != 1 {
		t.Errorf("%+v", list)
	}
}

// TestStrangeSubjects: values that no database takes, that are too long, or no numbers.
func TestStrangeSubjects(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	group := w.make("Users", AlertCondition{Kind: WhenThreshold, By: "user", Minutes: 5}, `"throttle_minutes":0`)
	figure := w.make("Largest", AlertCondition{Kind: WhenThreshold, Figure: "max(ms)", Minutes: 5}, `"throttle_minutes":0`)
	kinds := w.make("Kinds", AlertCondition{Kind: WhenPattern}, `"throttle_minutes":0`)
	w.look()
	long := strings.Repeat("é", 400)
	for _, user := range []string{"a\x00b", long + "1", long + "2", "", `"quoted" \`} {
		w.lines(1, "api", "hello\x00there", "user="+user, "ms=1e999")
	}
	w.look()
	w.told("each alert at most once", "Users: user (none), \"quoted\" \\, ab and 1 more", "Kinds: a new kind of message")
	if a := w.alert(group); a.State != alertFiring || len(a.Firing) != 4 || len(w.history(group)) != 4 {
		t.Errorf("%+v", a)
	}
	if a := w.alert(figure); a.State != alertWell || a.Value != nil {
		t.Errorf("%+v", a)
	}
	if a := w.alert(kinds); a.State != alertFiring || a.Firing[0].Subject != "hellothere" {
		t.Errorf("%+v", a)
	}
	w.look()
	w.told("nothing new")
	for _, f := range w.history(group) {
		u, err := url.Parse(f.URL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := query.Parse(u.Query().Get("q")); err != nil {
			t.Errorf("%s leads to what cannot be read: %v", f.URL, err)
		}
	}
}
