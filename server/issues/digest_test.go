package issues

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/stream"
)

// desk is a service that digests without intake: batches are given by hand.
type desk struct {
	t testing.TB
	*Service
	project Project
	ctx     context.Context // of an owner of team 1

	mu      sync.Mutex
	now     time.Time
	offset  int64
	changes []IssueChange
	told    []string
}

const deskTeam, otherTeam = 1, 2

func ownerOf(team int64, name string) identity.Caller {
	return identity.Caller{UserID: team, Name: name, Roles: map[int64]identity.Role{team: identity.Owner}, Teams: map[string]identity.Team{name: {ID: team, Name: name}}}
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 5, 4, 10, 30, 0, 0, time.UTC), ctx: identity.With(t.Context(), ownerOf(deskTeam, "main"))}
	db := databasetest.Open(t)
	clock := func() time.Time {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.now
	}
	dir := t.TempDir()
	disk, err := blobs.NewDisk(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := blobs.New(blobs.Deps{DB: db, Backend: disk, Spool: filepath.Join(dir, "put"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"main", "other"} {
		db.Writer(t.Context()).Exec("INSERT INTO accounts_teams (name, created_at) VALUES (?, 1)", name)
	}
	n := 0
	d.Service, err = New(Deps{DB: db, Blobs: store, Now: clock, Log: slog.New(slog.DiscardHandler), Node: "n1", Dir: filepath.Join(dir, "spool"),
		NewID:     func() string { n++; return fmt.Sprintf("%032x", n) },
		PublicURL: func() string { return "http://127.0.0.1:8080" },
		TeamName:  func(_ context.Context, id int64) (string, error) { return fmt.Sprintf("team%d", id), nil },
		Publish: func(_ context.Context, e stream.Event) error {
			d.told = append(d.told, e.Topic+" "+e.ID)
			return nil
		},
		Limits: sentry.DefaultLimits(), SpoolBytes: 1 << 30, Retention: Retention{Days: 90, Events: 1 << 40, Bytes: 1 << 40}})
	if err != nil {
		t.Fatal(err)
	}
	d.OnIssueChange = func(_ context.Context, c IssueChange) error {
		d.changes = append(d.changes, c)
		return nil
	}
	if d.project, err = d.CreateProject(d.ctx, deskTeam, Project{Name: "web"}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) pass(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

// item makes an accepted item of the desk's project.
func (d *desk) item(kind, id, payload string) Accepted {
	d.offset += 100
	return Accepted{Offset: d.offset, Project: d.project.ID, Team: d.project.Team, Received: d.Now(), Address: "203.0.113.7", EventID: id, ItemType: kind, Payload: []byte(payload)}
}

// sample is an event with the fields that tests vary.
type sample struct {
	id, kind, value, function, release, env, user, trace, message string
	at                                                            time.Time
	tags                                                          map[string]string
}

func (d *desk) event(s sample) Accepted {
	e := map[string]any{"platform": "python", "level": "error"}
	if s.kind != "" {
		function := s.function
		if function == "" {
			function = "checkout"
		}
		e["exception"] = map[string]any{"values": []any{map[string]any{"type": s.kind, "value": s.value, "stacktrace": map[string]any{"frames": []any{
			map[string]any{"function": "main", "module": "app.main", "filename": "app/main.py", "in_app": true},
			map[string]any{"function": function, "module": "app.orders", "filename": "app/orders.py", "lineno": 12, "in_app": true, "context_line": "raise it"},
		}}}}}
	}
	if s.message != "" {
		e["message"] = s.message
	}
	if !s.at.IsZero() {
		e["timestamp"] = s.at.Format(time.RFC3339)
	}
	for key, v := range map[string]string{"release": s.release, "environment": s.env} {
		if v != "" {
			e[key] = v
		}
	}
	if s.user != "" {
		e["user"] = map[string]any{"email": s.user}
	}
	if s.trace != "" {
		e["contexts"] = map[string]any{"trace": map[string]any{"trace_id": s.trace, "span_id": "aaaaaaaaaaaaaaaa"}}
	}
	if s.tags != nil {
		e["tags"] = s.tags
	}
	raw, err := json.Marshal(e)
	if err != nil {
		d.t.Fatal(err)
	}
	if s.id == "" {
		s.id = d.NewID()
	}
	return d.item("event", s.id, string(raw))
}

func (d *desk) take(batch ...Accepted) {
	d.t.Helper()
	if err := d.digest(d.t.Context(), batch); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) list(query string) []issueItem {
	d.t.Helper()
	in := issuesIn{Team: "main", Query: query}
	if err := in.Validate(); err != nil {
		d.t.Fatal(err)
	}
	out, err := d.httpIssues(d.ctx, in)
	if err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return out.Issues
}

// only is the one issue that a query finds.
func (d *desk) only(query string) issueItem {
	d.t.Helper()
	list := d.list(query)
	if len(list) != 1 {
		d.t.Fatalf("%q finds %d issues, want one: %+v", query, len(list), list)
	}
	return list[0]
}

func (d *desk) count(table string) (n int64) {
	d.t.Helper()
	if err := d.DB.Reader(d.t.Context()).Raw("SELECT COUNT(*) FROM " + table).Scan(&n).Error; err != nil {
		d.t.Fatal(err)
	}
	return n
}

func id(n int) string { return fmt.Sprintf("e%031x", n) }

func TestEventsBecomeIssues(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.take(
		d.event(sample{kind: "ValueError", value: "order 17 is empty", user: "ann@x.test", release: "web@1.0.0", env: "prod"}),
		d.event(sample{kind: "ValueError", value: "order 18 is empty", user: "bob@x.test", release: "web@1.0.1", env: "prod"}),
		d.event(sample{kind: "KeyError", value: "'id'", function: "parse", user: "ann@x.test"}),
		d.event(sample{message: "cache is cold"}),
	)
	if got := d.list(""); len(got) != 3 {
		t.Fatalf("%d issues: %+v", len(got), got)
	}
	i := d.only("empty")
	if i.Title != "ValueError: order 18 is empty" || i.Events != 2 || i.Users != 2 || i.ShortID != "WEB-1" || i.Substate != Recent || i.Releases != (releaseRange{"web@1.0.0", "web@1.0.1"}) {
		t.Errorf("%+v", i)
	}
	if i.Sparkline[sparklineHours-1] != 2 {
		t.Errorf("sparkline %v", i.Sparkline)
	}
	if len(d.changes) != 3 || d.changes[0].Kind != ChangeNew || d.changes[0].Issue != i.ID || d.changes[0].Number != 1 {
		t.Errorf("changes %+v", d.changes)
	}
	tags, err := d.httpIssueTags(d.ctx, byIssue{i.ID})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := json.Marshal(tags); !strings.Contains(string(got), `{"key":"environment","total":2,"values":[{"value":"prod","count":2}],"other":0}`) {
		t.Errorf("tags %s", got)
	}
}

func TestABatchDigestedTwiceIsDigestedOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	batch := []Accepted{d.event(sample{id: id(1), kind: "A", user: "u"}), d.event(sample{id: id(2), kind: "A"}), d.event(sample{id: id(1), kind: "A"}),
		d.item("user_report", id(1), `{"event_id":"`+id(1)+`","name":"Ann","email":"a@x.test","comments":"it broke"}`),
		d.item("attachment", id(1), "log text")}
	batch[4].Header = map[string]string{headerFilename: "app.log"}
	for range 3 {
		d.take(batch...)
	}
	i := d.only("")
	if i.Events != 2 || i.Users != 1 || i.Sparkline[sparklineHours-1] != 2 {
		t.Errorf("%+v", i)
	}
	for table, want := range map[string]int64{"issues_events": 2, "issues_feedback": 1, "issues_attachments": 1, "issues_issues": 1} {
		if got := d.count(table); got != want {
			t.Errorf("%s has %d rows, want %d", table, got, want)
		}
	}
	e, err := d.httpEvent(d.ctx, eventIn{i.ID, id(1)})
	if err != nil || len(e.Attachments) != 1 || e.Attachments[0].Name != "app.log" || len(e.Feedback) != 1 || e.Feedback[0].Message != "it broke" {
		t.Errorf("%+v %v", e, err)
	}
}

func TestWhatCannotBeReadIsPutAside(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.take(d.item("event", id(1), "no json"), d.event(sample{id: id(2), kind: "A"}), d.item("attachment", "", "x"), d.item("profile", "", "x"), d.item("session", "", "{}"))
	if i := d.only(""); i.Events != 1 {
		t.Errorf("%+v", i)
	}
	if n := d.count("issues_rejected"); n != 2 {
		t.Errorf("%d items put aside, want 2", n)
	}
}

func TestWrongClocksCountAsReceived(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	now := d.Now()
	for n, c := range []struct {
		at, want time.Time
		note     string
	}{
		{now.Add(30 * time.Second), now.Add(30 * time.Second), ""},
		{now.Add(24 * time.Hour), now, "future"},
		{now.Add(-29 * 24 * time.Hour), now.Add(-29 * 24 * time.Hour), ""},
		{now.Add(-60 * 24 * time.Hour), now, "30 days"},
	} {
		d.take(d.event(sample{id: id(n), kind: "A", at: c.at}))
		e, err := d.httpFindEvent(d.ctx, findEventIn{"main", id(n)})
		if err != nil {
			t.Fatal(err)
		}
		if !e.Event.Timestamp.Equal(c.want) || !strings.Contains(strings.Join(e.Event.Errors, " "), c.note) {
			t.Errorf("%v became %v: %q", c.at, e.Event.Timestamp, e.Event.Errors)
		}
	}
}

func TestFeedbackBeforeItsEvent(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.take(d.item("user_report", "", `{"event_id":"`+id(9)+`","name":"Ann","comments":"early"}`))
	d.take(d.item("feedback", id(8), `{"type":"feedback","contexts":{"feedback":{"message":"modern","associated_event_id":"`+id(9)+`"}}}`))
	d.take(d.event(sample{id: id(9), kind: "A"}))
	list, err := d.httpFeedback(d.ctx, byIssue{d.only("has:feedback").ID})
	if err != nil || len(list.Feedback) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
}

func TestTransactionsAreSummed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	start := d.Now().Add(-time.Second).Format(time.RFC3339)
	for range 3 {
		d.take(d.item("transaction", "", `{"type":"transaction","transaction":"GET /","start_timestamp":"`+start+`","timestamp":"`+d.Now().Format(time.RFC3339)+`","contexts":{"trace":{"trace_id":"`+id(1)+`","op":"http.server","status":"internal_error"}}}`))
	}
	d.take(d.item("span", "", `{"version":2,"items":[{"trace_id":"`+id(1)+`","span_id":"b0b0b0b0b0b0b0b0","name":"GET /","is_segment":true,"status":"ok","start_timestamp":1777890600,"end_timestamp":1777890603}]}`))
	list, err := d.httpTransactions(d.ctx, transactionsIn{ID: d.project.ID})
	if err != nil || len(list.Transactions) != 1 {
		t.Fatalf("%+v %v", list, err)
	}
	if got := list.Transactions[0]; got.Count != 4 || got.Failed != 3 || got.Average != 1500 || got.Longest != 3000 {
		t.Errorf("%+v", got)
	}
}

func TestUsersAreEstimatedBeyondTheKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var batch []Accepted
	for n := range 3000 {
		batch = append(batch, d.event(sample{kind: "A", user: fmt.Sprintf("u%d@x.test", n)}))
	}
	d.take(batch...)
	i := d.only("")
	if i.Users < 2700 || i.Users > 3300 || !i.UsersEstimated {
		t.Errorf("3000 users are estimated as %d", i.Users)
	}
	if n := d.count("issues_users"); n > keptUsers+slackUsers {
		t.Errorf("%d rows of users", n)
	}
	if n := d.count("issues_tags WHERE key = 'user.email'"); n > maxTagValues {
		t.Errorf("%d values of one tag", n)
	}
	d.take(batch[:10]...)
	if again := d.only(""); again.Users != i.Users || again.Events != i.Events {
		t.Errorf("known users changed the count: %+v", again)
	}
}

func TestManyFingerprintsKeepMemoryBounded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	batch := make([]Accepted, 0, 1000)
	for n := range 1000 {
		batch = append(batch, d.item("event", id(n), fmt.Sprintf(`{"message":"m","fingerprint":["f%d"]}`, n)))
	}
	d.take(batch...)
	if n := d.count("issues_issues"); n != 1000 {
		t.Errorf("%d issues", n)
	}
	// Whatever a batch needs is gone with it: the service keeps no map of issues.
	if len(d.told) > 1000/maxBatch*(mostTold+2)+10 {
		t.Errorf("browsers heard %d times of 5 batches", len(d.told))
	}
}

func TestNothingStaysOfADeletedProject(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.take(d.event(sample{kind: "A"}))
	// Prepared before the deletion, digested after it: the check is in the transaction.
	list, err := d.prepare(t.Context(), []Accepted{d.event(sample{kind: "A"}), d.event(sample{kind: "B"})})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.DeleteProject(d.ctx, d.project.ID); err != nil {
		t.Fatal(err)
	}
	if err := d.digestReady(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	d.take(d.event(sample{kind: "C"}))
	if err := d.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"issues_issues", "issues_events", "issues_hashes", "issues_tags", "issues_tag_counts", "issues_hours", "issues_users", "issues_usage",
		"issues_moves", "issues_search", "issues_activity", "issues_numbers"} {
		if n := d.count(table); n != 0 {
			t.Errorf("%s still has %d rows", table, n)
		}
	}
}
