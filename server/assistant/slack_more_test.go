package assistant_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/bots/slack"
	"github.com/signalbox/signalbox/bots/slack/slacktest"
	"github.com/signalbox/signalbox/server/assistant"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// post gives the app what Slack would, over HTTP.
func (d *desk) post(engine *gin.Engine, secret string, at time.Time, body string) *httptest.ResponseRecorder {
	stamp := strconv.FormatInt(at.Unix(), 10)
	r := httptest.NewRequest(http.MethodPost, "/hooks/slack", strings.NewReader(body))
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", slack.Sign(secret, stamp, []byte(body)))
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, r)
	return w
}

// TestSlackOverHTTP: the Events API takes what Slack has signed, once.
func TestSlackOverHTTP(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("http")
	engine := gin.New()
	var table api.Table
	d.Routes(api.NewRouter(engine, &table))
	now := time.UnixMilli(d.now.Load())
	ts := d.slack.Write("U1", "C111", "", "<@U222> builds?")
	raw, err := json.Marshal(d.slack.Event("Ev1", d.slack.Mentioned("U1", "C111", "", ts, "<@U222> builds?"), false))
	if err != nil {
		t.Fatal(err)
	}
	event := string(raw)
	for name, c := range map[string]struct {
		secret, body string
		at           time.Time
		want         int
	}{
		"unsigned":       {"wrong", event, now, 401},
		"an old one":     {slacktest.Secret, event, now.Add(-time.Hour), 401},
		"too large":      {slacktest.Secret, strings.Repeat("x", 2<<20), now, 413},
		"nonsense":       {slacktest.Secret, "{}", now, 400},
		"another's team": {slacktest.Secret, strings.ReplaceAll(event, "T111", "T999"), now, 200},
	} {
		if w := d.post(engine, c.secret, c.at, c.body); w.Code != c.want {
			t.Errorf("%s is answered %d: %s", name, w.Code, w.Body)
		}
	}
	if w := d.post(engine, slacktest.Secret, now, `{"type":"url_verification","challenge":"abc"}`); w.Code != 200 || !strings.Contains(w.Body.String(), "abc") {
		t.Errorf("the challenge is answered %d: %s", w.Code, w.Body)
	}
	for range 3 { // as Slack does that has not heard the answer
		if w := d.post(engine, slacktest.Secret, now, event); w.Code != 200 {
			t.Fatalf("an event is answered %d: %s", w.Code, w.Body)
		}
	}
	d.answered("C111", ts, 1)
	form := url.Values{"team_id": {"T111"}, "channel_id": {"C111"}, "channel_name": {"dev"}, "user_id": {"U1"}, "user_name": {"ann"}, "command": {"/signalbox"}, "text": {"what of acme/open"}, "trigger_id": {"1.1"}}
	if w := d.post(engine, slacktest.Secret, now, form.Encode()); w.Code != 200 || !strings.Contains(w.Body.String(), "ephemeral") {
		t.Errorf("a command is answered %d: %s", w.Code, w.Body)
	}
	d.await("the command's answer", func() bool {
		for _, m := range d.slack.Messages("C111") {
			if m.FromBot() && m.Thread == "" && strings.Contains(m.Said(), "acme/open") {
				return true
			}
		}
		return false
	})
	d.once("C111", map[string]int{ts: 1})
}

// TestSlackLink: the address works once, for a person in a browser, and not for long.
func TestSlackLink(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	code := func(n int) string {
		d.slack.Type("U3", "C111", "link")
		d.await("an address", func() bool { return len(d.slack.Answers()) >= n })
		_, after, found := strings.Cut(string(d.slack.Answers()[n-1]), "/link-slack#")
		if !found {
			t.Fatalf("the command is answered %s", d.slack.Answers()[n-1])
		}
		return after[:43]
	}
	ann := d.people[7]
	ann.SessionID = "s"
	inBrowser := identity.With(t.Context(), ann)
	first := code(1)
	second := code(2)
	if err := d.Link(inBrowser, first, ""); err == nil {
		t.Error("an address works though another was asked for")
	}
	var stored int64
	if err := d.db.Reader(t.Context()).Raw("SELECT COUNT(*) FROM assistant_slack_codes WHERE hash = ?", second).Scan(&stored).Error; err != nil || stored != 0 {
		t.Errorf("the code itself is stored (%v)", err)
	}
	if who, err := d.Invitation(inBrowser, second); err != nil || who.Name != "ben" || who.SlackUser != "U3" {
		t.Errorf("the page shows %+v, %v", who, err)
	}
	byToken := ann
	byToken.SessionID, byToken.TokenID = "", "t"
	if err := d.Link(identity.With(t.Context(), byToken), second, ""); err == nil {
		t.Error("a token links a person")
	}
	if err := d.Link(inBrowser, second, "other"); err == nil {
		t.Error("a team that the person is not in is taken")
	}
	if err := d.Link(inBrowser, second, "main"); err != nil {
		t.Fatal(err)
	}
	if err := d.Link(inBrowser, second, "main"); err == nil {
		t.Error("an address works twice")
	}
	ts := d.slack.Say("U3", "DU3", "", "builds?")
	d.answered("DU3", ts, 1)
	late := code(3)
	d.now.Add((11 * time.Minute).Milliseconds())
	d.stop()
	d.start()
	if _, err := d.Invitation(inBrowser, late); err == nil {
		t.Error("an old address works")
	}
	if err := d.Unlink(identity.With(t.Context(), ann), "U3"); err != nil {
		t.Error(err)
	}
	d.await("a socket", func() bool { return d.slack.Open() > 0 })
	ts = d.slack.Say("U3", "DU3", "", "builds?")
	if m := d.answered("DU3", ts, 1); !strings.Contains(m.Said(), "/signalbox link") {
		t.Errorf("who is no longer linked hears %q", m.Said())
	}
}

// TestSlackApproval: a change waits on a card; one of two who press decides, and the card shows it.
func TestSlackApproval(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	d.exec("INSERT INTO assistant_slack_people (workspace, slack_user, slack_name, user_id, team, linked_at) VALUES (?, 'U3', 'ben', 8, 'main', 0)", slacktest.Workspace)
	cards := func(ts string) (out []slacktest.Message) {
		for _, m := range d.slack.Thread("C111", ts) {
			if m.FromBot() && strings.Contains(m.Said(), "ci_builds_rerun") && strings.Contains(m.Said(), "asked for by") {
				out = append(out, m)
			}
		}
		return out
	}
	asks := func() (string, slacktest.Message) {
		ts := d.slack.Mention("U1", "C111", "", "please rerun it")
		d.await("a card", func() bool { return len(cards(ts)) == 1 })
		return ts, cards(ts)[0]
	}
	ts, card := asks()
	if !strings.Contains(card.Said(), "build: `41`") || d.reruns.Load() != 0 {
		t.Fatalf("the card says %q, and %d calls were made", card.Said(), d.reruns.Load())
	}
	button := func(m slacktest.Message, label string) slacktest.Button {
		for _, b := range m.Buttons() {
			if b.Text.Text == label {
				return b
			}
		}
		t.Fatalf("there is no button %s: %s", label, m.Said())
		return slacktest.Button{}
	}
	approve := button(card, "Approve")
	d.slack.Press("UGUEST", card, approve.Action, approve.Value)
	d.quiet()
	if d.reruns.Load() != 0 {
		t.Fatal("a guest has approved")
	}
	d.slack.Press("U3", card, approve.Action, approve.Value)
	d.slack.Press("U1", card, approve.Action, approve.Value)
	d.await("the outcome", func() bool { return strings.Contains(cards(ts)[0].Said(), "and done") })
	d.quiet()
	if n := d.reruns.Load(); n != 1 || len(cards(ts)) != 1 || len(cards(ts)[0].Buttons()) != 0 {
		t.Errorf("%d calls were made: %s", n, d.dump())
	}
	ts, card = asks()
	deny := button(card, "Deny")
	d.slack.Press("U1", card, deny.Action, deny.Value)
	d.await("the refusal", func() bool { return strings.Contains(cards(ts)[0].Said(), "Denied by ann") })
	d.slack.Press("U3", card, approve.Action, button(card, "Approve").Value)
	d.quiet()
	if n := d.reruns.Load(); n != 1 {
		t.Errorf("what was denied was done: %d calls", n)
	}
}

// TestSlackButtons: feedback is the asker's, a suggestion is asked in the thread.
func TestSlackButtons(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	ts := d.slack.Mention("U1", "C111", "", "builds?")
	m := d.answered("C111", ts, 1)
	run := m.Buttons()[0].Value
	feedback := func() (n int64) {
		if err := d.db.Reader(context.Background()).Raw("SELECT feedback FROM assistant_runs WHERE id = ?", run).Scan(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	d.slack.Press("U1", m, "signalbox_not", run)
	d.await("the feedback", func() bool { return feedback() == -1 })
	d.slack.Press("U3", m, "signalbox_helped", run)
	d.slack.Edit("U1", "C111", ts, "<@U222> something else?")
	d.await("a word about the edit", func() bool {
		for _, m := range d.slack.Messages("C111") {
			if m.OnlyFor == "U1" && strings.Contains(m.Said(), "Ask it anew") {
				return true
			}
		}
		return false
	})
	d.once("C111", map[string]int{ts: 1})
	if feedback() != -1 {
		t.Error("somebody else has said whether it helped")
	}
}

// TestDigest: each period is told once, whatever begins anew, and nothing is one line.
func TestDigest(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	change := assistant.DigestChange{Channel: "C111", Schedule: "45 9 * * 1-5", Zone: "Europe/London", Parts: []string{"builds", "errors"}}
	for name, bad := range map[string]func(*assistant.DigestChange){
		"no zone": func(c *assistant.DigestChange) { c.Zone = "" }, "no parts": func(c *assistant.DigestChange) { c.Parts = nil }, "another part": func(c *assistant.DigestChange) { c.Parts = []string{"x"} },
		"each minute": func(c *assistant.DigestChange) { c.Schedule = "* * * * *" }, "never": func(c *assistant.DigestChange) { c.Schedule = "0 0 31 2 *" }, "another channel": func(c *assistant.DigestChange) { c.Channel = "C333" },
	} {
		wrong := change
		bad(&wrong)
		if _, err := d.SaveDigest(d.root, mainTeam, "", wrong); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	made, err := d.SaveDigest(d.root, mainTeam, "", change)
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 4, 20, 8, 45, 0, 0, time.UTC); !made.NextAt.Equal(want) {
		t.Fatalf("after Friday noon it comes %s, not %s", made.NextAt, want)
	}
	told := func() (n int) {
		for _, m := range d.slack.Messages("C111") {
			if strings.Contains(m.Said(), "digest of team main") {
				n++
				if !strings.Contains(m.Said(), "Monday 20 April") || !strings.Contains(m.Said(), "the last 72 hours") {
					t.Errorf("it says %q", m.Said())
				}
			}
		}
		return n
	}
	d.stop()
	d.now.Store(made.NextAt.Add(time.Second).UnixMilli())
	d.start()
	d.await("the digest", func() bool { return told() == 1 })
	d.stop()
	d.start()
	d.quiet()
	if told() != 1 {
		t.Errorf("it came %d times", told())
	}
	list, err := d.Digests(d.root, mainTeam)
	if err != nil || len(list) != 1 || list[0].LastAt.IsZero() || list[0].NextAt.Before(list[0].LastAt) || list[0].ChannelName != "dev" {
		t.Errorf("the digests are %+v, %v", list, err)
	}
	if err := d.RemoveDigest(d.root, otherTeam, made.ID); err == nil {
		t.Error("another team has removed it")
	}
	if err := d.UnmapChannel(d.root, mainTeam, "C111"); err != nil {
		t.Fatal(err)
	}
	if list, err := d.Digests(d.root, mainTeam); err != nil || len(list) != 0 {
		t.Errorf("without its channel there is %+v, %v", list, err)
	}
}

// TestReviews: who is asked for a review is told, again after a day, and no more once it is given.
func TestReviews(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	d.exec("INSERT INTO assistant_links (user_id, kind, name) VALUES (7, 'github', 'Ann-At-GitHub')")
	pull := assistant.PullEvent{Event: "pull_request", Action: "review_requested", Repository: "acme/open", Number: 7, Title: "Add <!channel>", URL: "https://github.com/acme/open/pull/7", Sender: "dave", Reviewers: []string{"ann-at-github", "nobody-here"}}
	for range 2 { // GitHub may tell it twice
		if err := d.PullChanged(t.Context(), main, pull); err != nil {
			t.Fatal(err)
		}
	}
	told := func(text string) (n int) {
		for _, m := range d.slack.Messages("DU1") {
			if strings.Contains(m.Said(), text) && strings.Contains(m.Said(), "acme/open#7") && !strings.Contains(m.Said(), "<!channel>") {
				n++
			}
		}
		return n
	}
	again := func(later time.Duration) {
		d.stop()
		d.now.Add(later.Milliseconds())
		d.start()
	}
	again(time.Minute)
	d.await("a word", func() bool { return told("dave asks for your review") == 1 })
	again(25 * time.Hour)
	d.await("another word", func() bool { return told("still asked for") == 1 })
	pull.Event, pull.Action, pull.Sender = "pull_request_review", "submitted", "Ann-At-GitHub"
	if err := d.PullChanged(t.Context(), main, pull); err != nil {
		t.Fatal(err)
	}
	again(25 * time.Hour)
	d.quiet()
	if a, b := told("asks for your review"), told("still asked for"); a != 1 || b != 1 {
		t.Errorf("told %d and %d times: %s", a, b, d.dump())
	}
}
