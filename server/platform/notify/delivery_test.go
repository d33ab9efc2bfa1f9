package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func TestSlackHearsOfWhatItAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	slack := listen(t, say(200, "ok"))
	c := b.create(t, `{"team":"main","kind":"slack","name":"ops","url":"`+slack.URL+`/services/T0/B0/hush","events":["build.failed"],"pipelines":["web"]}`)
	other := broken
	other.Pipeline = "api"
	b.raise(t, other)
	b.raise(t, Message{Event: "build.fixed", Title: "fixed", Pipeline: "web"})
	b.raise(t, broken)
	until(t, "the message is sent", func() bool { return b.newest(t, c.ID).State == Sent })
	got := slack.got()
	if len(got) != 1 {
		t.Fatalf("Slack heard %d messages: %v", len(got), got)
	}
	var m slackMessage
	if err := json.Unmarshal([]byte(got[0]), &m); err != nil {
		t.Fatal(err)
	}
	if m.Text != "web/unit #7 failed" || len(m.Blocks) != 2 || m.Blocks[1].Text.Text != "```\nFAIL parse\nexit &lt;1&gt; &amp; out\n```" ||
		m.Blocks[0].Text.Text != "<"+broken.URL+"|*web/unit #7 failed*>\n2 tests failed." {
		t.Errorf("%+v", m)
	}
	if err := b.Raise(t.Context(), 1, Message{Event: "nonsense"}); err == nil {
		t.Error("an unknown event was taken")
	}
}

func TestNothingIsToldOfWhatDidNotHappen(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	slack := listen(t, say(200, "ok"))
	c := b.create(t, `{"team":"main","kind":"slack","name":"ops","url":"`+slack.URL+`/x"}`)
	undone := errors.New("rolled back")
	err := b.db.Tx(t.Context(), func(ctx context.Context) error {
		if err := b.Raise(ctx, 1, broken); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	b.raise(t, Message{Event: "build.fixed", Title: "the second"})
	until(t, "the second is sent", func() bool { return b.newest(t, c.ID).State == Sent })
	if got := slack.got(); len(got) != 1 || !strings.Contains(got[0], "the second") {
		t.Errorf("%v", got)
	}
}

func TestWebhookIsSignedAndRetried(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	there := listen(t, say(500, "<html>"), say(200, ""))
	c := b.create(t, `{"team":"main","kind":"webhook","name":"bus","url":"`+there.URL+`/in?key=hush"}`)
	if len(c.Secret) != 64 {
		t.Fatalf("secret %q", c.Secret)
	}
	b.raise(t, broken)
	until(t, "the second attempt succeeds", func() bool { return b.newest(t, c.ID).State == Sent })
	if d := b.newest(t, c.ID); d.Attempts != 2 || d.Error != "" || d.EndedAt == 0 {
		t.Errorf("%+v", d)
	}
	got, head := there.got(), there.heads[1]
	if len(got) != 2 || got[0] != got[1] {
		t.Fatalf("%v", got)
	}
	if want := "sha256=" + sign(c.Secret, head.Get("X-Signalbox-Timestamp"), []byte(got[1])); head.Get("X-Signalbox-Signature-256") != want {
		t.Errorf("signature %s, want %s", head.Get("X-Signalbox-Signature-256"), want)
	}
	var m webhookMessage
	if err := json.Unmarshal([]byte(got[1]), &m); err != nil || m.Event != "build.failed" || m.URL != broken.URL || m.Lines[0] != "FAIL parse" ||
		head.Get("X-Signalbox-Delivery") != fmt.Sprint(m.Delivery) {
		t.Errorf("%v %+v", err, m)
	}
}

// TestAnswers sorts what the other side may say into done, later and never.
func TestAnswers(t *testing.T) {
	t.Parallel()
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		final  bool
		after  time.Duration
		words  string
	}{
		"gone":            {say(404, "no_service"), true, 0, "answered 404: no_service"},
		"refused":         {say(403, "invalid_token"), true, 0, "answered 403: invalid_token"},
		"moved":           {say(302, "", "Location", "http://127.0.0.1:1/"), true, 0, "answered 302"},
		"too many":        {say(429, "", "Retry-After", "7"), false, 7 * time.Second, "answered 429"},
		"busy, a date":    {say(503, "", "Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)), false, time.Hour, "answered 503"},
		"busy for ages":   {say(503, "", "Retry-After", "9999999999"), false, longestWait, "answered 503"},
		"busy, nonsense":  {say(503, "later", "Retry-After", "soon"), false, 0, "answered 503: later"},
		"a page":          {say(502, "<html>proxy</html>"), false, 0, "answered 502"},
		"hangs up":        {hangUp, false, 0, "EOF"},
		"endless refusal": {say(400, strings.Repeat("x", 100_000)), true, 0, "answered 400: xxx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, config.SMTP{})
			there := listen(t, tc.answer)
			tg := target{URL: there.URL + "/services/hush"}
			f := b.post(t.Context(), tg, []byte("{}"), nil)
			if f == nil || f.final != tc.final || f.after < tc.after*9/10 || f.after > tc.after || !strings.Contains(f.words, tc.words) {
				t.Fatalf("%+v", f)
			}
			if strings.Contains(tg.hide(f.words), "hush") {
				t.Errorf("the secret shows in %q", f.words)
			}
		})
	}
}

func TestWhatWillNeverWorkIsGivenUp(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	there := listen(t, say(410, "channel_is_archived"))
	c := b.create(t, `{"team":"main","kind":"slack","name":"ops","url":"`+there.URL+`/services/hush"}`)
	b.raise(t, broken)
	until(t, "it is given up", func() bool { return b.newest(t, c.ID).State == Failed })
	if d := b.newest(t, c.ID); d.Attempts != 1 || !strings.Contains(d.Error, "channel_is_archived") {
		t.Errorf("%+v", d)
	}
	var list items[Channel]
	if text := b.call(t, "GET", "?team=main", "", 200, &list); list.Items[0].Last == nil || list.Items[0].Last.State != Failed || strings.Contains(text, "hush") {
		t.Error(text)
	}
}

func TestPrivateAddressesAreNotCalled(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	c := b.create(t, `{"team":"main","kind":"slack","name":"ops","url":"http://10.1.2.3/x"}`)
	var result TestResult
	b.call(t, "POST", "/"+c.ID+"/test", "", 200, &result)
	if result.OK || !strings.Contains(result.Error, "outbound.allow") {
		t.Errorf("%+v", result)
	}
	if d := b.newest(t, c.ID); d.State != Failed || d.Event != "test" {
		t.Errorf("%+v", d)
	}
}

func TestHistoryStaysShort(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	there := listen(t, say(200, "ok"))
	c := b.create(t, `{"team":"main","kind":"slack","name":"ops","url":"`+there.URL+`/x","events":["build.fixed"]}`)
	row, err := b.findChannel(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	for range kept + 20 {
		d := b.newDelivery(row, broken)
		d.State = Sent
		if err := b.insertDelivery(t.Context(), &d); err != nil {
			t.Fatal(err)
		}
	}
	b.call(t, "POST", "/"+c.ID+"/test", "", 200, nil)
	list, err := b.deliveries(t.Context(), c.ID, 0, 1000)
	if err != nil || len(list) != kept {
		t.Errorf("%d deliveries, %v", len(list), err)
	}
}

func TestChannelRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	c := b.create(t, `{"team":"main","kind":"webhook","name":"bus","url":"https://bus.example.com/in?key=hush","secret":"0123456789abcdef"}`)
	if c.Secret != "" || c.Summary != "https://bus.example.com" || !c.Enabled || len(c.Events) != 2 {
		t.Errorf("%+v", c)
	}
	for body, field := range map[string]string{
		`{"team":"main","kind":"fax","name":"x"}`:                                                                                 "kind",
		`{"team":"main","kind":"slack","name":"x"}`:                                                                               "url",
		`{"team":"main","kind":"slack","name":"","url":"https://x.example"}`:                                                      "name",
		`{"team":"main","kind":"slack","name":"x","url":"https://ann:pw@x.example"}`:                                              "url",
		`{"team":"main","kind":"slack","name":"x","url":"https://x.example#a"}`:                                                   "url",
		`{"team":"main","kind":"webhook","name":"x","url":"https://x.example","secret":"short"}`:                                  "secret",
		`{"team":"main","kind":"slack","name":"x","url":"https://x.example","events":["build.eaten"]}`:                            "events",
		`{"team":"main","kind":"slack","name":"x","url":"https://x.example","pipelines":["` + strings.Repeat(`a","`, 120) + `"]}`: "pipelines",
	} {
		if text := b.call(t, "POST", "", body, 400, nil); !strings.Contains(text, `"field":"`+field+`"`) {
			t.Errorf("%s: %s", body, text)
		}
	}
	b.call(t, "POST", "", `{"team":"main","kind":"mail","name":"x","recipients":["ann@example.com"]}`, 409, nil)
	b.call(t, "POST", "", `{"team":"main","kind":"slack","name":"bus","url":"https://x.example"}`, 409, nil)
	b.call(t, "POST", "", `{"team":"other","kind":"slack","name":"bus","url":"https://x.example"}`, 404, nil)
	var changed Channel
	text := b.call(t, "PATCH", "/"+c.ID, `{"name":"bus 2","enabled":false,"events":["build.fixed"],"pipelines":["web"]}`, 200, &changed)
	if changed.Name != "bus 2" || changed.Enabled || len(changed.Events) != 1 || changed.Pipelines[0] != "web" || strings.Contains(text, "hush") {
		t.Errorf("%s", text)
	}
	b.raise(t, Message{Event: "build.fixed", Pipeline: "web", Title: "x"})
	if d := b.newest(t, c.ID); d.ID != 0 {
		t.Errorf("a disabled channel was told: %+v", d)
	}
	b.role = identity.Viewer
	b.call(t, "GET", "?team=main", "", 200, nil)
	for _, act := range [][2]string{{"POST", "/" + c.ID + "/test"}, {"DELETE", "/" + c.ID}, {"PATCH", "/" + c.ID}} {
		b.call(t, act[0], act[1], "", 403, nil)
	}
	b.role = identity.Member
	b.call(t, "DELETE", "/"+c.ID, "", 204, nil)
	b.call(t, "DELETE", "/"+c.ID, "", 404, nil)
	if got := strings.Join(b.audit, "|"); got != "notify.channel.create bus|notify.channel.update bus 2|notify.channel.delete bus 2" {
		t.Errorf("audit: %s", got)
	}
}

func TestOtherTeamsAreInvisible(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	theirs, url, name := identity.With(t.Context(), identity.Caller{UserID: 2, Roles: map[int64]identity.Role{2: identity.Owner}}), "https://x.example", "theirs"
	c, _, err := b.Create(theirs, 2, Slack, Change{Name: &name, URL: &url})
	if err != nil {
		t.Fatal(err)
	}
	for _, act := range [][3]string{{"POST", "/" + c.ID + "/test", ""}, {"DELETE", "/" + c.ID, ""}, {"PATCH", "/" + c.ID, `{"name":"mine"}`},
		{"GET", "/" + c.ID + "/deliveries", ""}, {"GET", "?team=other", ""}} {
		b.call(t, act[0], act[1], act[2], 404, nil)
	}
	if got := b.call(t, "GET", "", "", 200, nil); !strings.Contains(got, `"items":[]`) {
		t.Error(got)
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a\tb\r\n":                               "a b",
		"\x1b[1;31mred\x1b[0m":                   "red",
		"\x1b]8;;http://x\x07link\x1b]8;;\x1b\\": "link",
		"\x1b]8;;http://x":                       "",
		"\x1b":                                   "",
		"\x1b[31":                                "",
		"bell\x07":                               "bell",
		"ünï":                                    "ünï",
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
	m := Message{Title: strings.Repeat("t", 1000), Lines: make([]string, 100)}.bounded()
	if len([]rune(m.Title)) != maxTitle || len(m.Lines) != maxLines {
		t.Errorf("%d %d", len(m.Title), len(m.Lines))
	}
	if q := quoted([]string{"old", strings.Repeat("x", 2000), strings.Repeat("y", 895)}); !strings.HasPrefix(q, "xxx") || !strings.HasSuffix(q, "yyy") {
		t.Errorf("%.20s", q)
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("\x1b[31mred\x1b[0m\x1b]0;t\x07")
	f.Fuzz(func(t *testing.T, text string) {
		if got := plain(text); strings.ContainsAny(got, "\x1b\x00\r\n\t") {
			t.Errorf("plain(%q) = %q", text, got)
		}
	})
}

// Whoever asked for a message hears how its attempt went, once that is stored;
// what they make of it stops nothing.
func TestToldOfEachAttempt(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	heard := make(chan Delivery, 10)
	b.Told = func(_ context.Context, team int64, d Delivery) error {
		if team != 1 {
			t.Errorf("of team %d", team)
		}
		heard <- d
		return errors.New("nobody listens")
	}
	slack := listen(t, say(200, "ok"))
	c := b.create(t, `{"team":"main","kind":"slack","name":"ops","url":"`+slack.URL+`/x"}`)
	var id int64
	if err := b.db.Tx(t.Context(), func(ctx context.Context) (err error) {
		id, err = b.Send(ctx, 1, c.ID, Message{Event: "other.kind", Title: "one"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	select {
	case d := <-heard:
		if d.ID != id || d.State != Sent || d.Event != "other.kind" || d.EndedAt == 0 {
			t.Errorf("heard %+v", d)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was heard")
	}
}
