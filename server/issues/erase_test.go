package issues

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/issues/scrub"
	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/work"
)

func TestEraseText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"mail to ann@example.org failed", "mail to [erased] failed"},
		{"Ann@Example.org, ann@example.org.", "[erased], [erased]."},
		{"<ann@example.org>", "<[erased]>"},
		{"joann@example.org", "joann@example.org"},
		{"x.ann@example.org", "x.ann@example.org"},
		{"my-ann@example.org", "my-ann@example.org"},
		{"ann@example.org.uk", "ann@example.org.uk"},
		{"ann@example.organic", "ann@example.organic"},
		{"?to=ann%40example.org&x=1", "?to=[erased]&x=1"},
		{"from 203.0.113.9:443", "from [erased]:443"},
		{"from 203.0.113.90", "from 203.0.113.90"},
		{"1203.0.113.9", "1203.0.113.9"},
		{"user-00042 and user-000421", "[erased] and user-000421"},
		{"", ""},
		{"ä", "ä"},
	} {
		m := mentionsOf(sentry.User{Email: "ann@example.org", IPAddress: "203.0.113.9", ID: "user-00042", Username: "ann", Name: "anonymous"})
		if got := eraseText(c.text, m); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestEraseKnowsTheUser(t *testing.T) {
	t.Parallel()
	clean, err := scrub.New(scrub.Rules{Salt: "s", IP: scrub.HashIP})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		who  Subject
		user sentry.User
		want bool
	}{
		{"by id", Subject{ID: "5"}, sentry.User{ID: "5", Email: "a@b.c"}, true},
		{"another id", Subject{ID: "5"}, sentry.User{ID: "55"}, false},
		{"by mail in another case", Subject{Email: "Ann@Example.org"}, sentry.User{ID: "5", Email: "ann@example.ORG"}, true},
		{"by name", Subject{Username: "ann"}, sentry.User{Username: "ann"}, true},
		{"names have a case", Subject{Username: "ann"}, sentry.User{Username: "Ann"}, false},
		{"by address", Subject{IP: "203.0.113.9"}, sentry.User{IPAddress: "::ffff:203.0.113.9"}, true},
		{"by hashed address", Subject{IP: "203.0.113.9"}, sentry.User{IPAddress: clean.Address("203.0.113.9")}, true},
		{"by hashed mail", Subject{Email: "a@b.c"}, sentry.User{Email: clean.Hashed("a@b.c")}, true},
		{"any of several", Subject{ID: "1", Email: "a@b.c"}, sentry.User{ID: "2", Email: "a@b.c"}, true},
		{"nobody", Subject{ID: "1"}, sentry.User{}, false},
	} {
		if got := newEraser(c.who, clean).owns(c.user); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestEraseRewritesAnEvent(t *testing.T) {
	t.Parallel()
	x := newEraser(Subject{Email: "ann@example.org", ID: "5"}, nil)
	owned := sentry.Event{ID: id(1), Type: sentry.TypeError, Platform: "go", Level: "error", Release: "5", Message: sentry.Message{Formatted: "ann@example.org and annabel7 at 5"},
		User: sentry.User{ID: "5", Email: "ann@example.org", Username: "annabel7", IPAddress: "203.0.113.9"},
		Tags: []sentry.Pair{{Key: "user_id", Value: "5"}, {Key: "retries", Value: "5"}},
		Request: &sentry.Request{Method: "POST", URL: "https://x.test/?mail=ann%40example.org", Cookies: []sentry.Pair{{Key: "a", Value: "b"}},
			Headers: []sentry.Pair{{Key: "X-Forwarded-For", Value: "203.0.113.9"}}, Data: map[string]any{"name": "Ann"}},
		Extra: map[string]any{"to ann@example.org": json.Number("12345678901234567"), "list": []any{"203.0.113.9", nil, true}}}
	raw, err := json.Marshal(owned)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x.rewrite(raw)
	text := out.raw
	if err != nil || !out.owner || !out.changed {
		t.Fatal(out.owner, out.changed, err)
	}
	for _, gone := range []string{"ann", "203.0.113.9", "user_id", "cookies", "headers", `"Ann"`} {
		if strings.Contains(string(text), gone) {
			t.Errorf("%s is left in %s", gone, text)
		}
	}
	for _, stays := range []string{"12345678901234567", "retries", `"release":"5"`, "[erased] and [erased] at 5", `"method":"POST"`} {
		if !strings.Contains(string(text), stays) {
			t.Errorf("%s is missing in %s", stays, text)
		}
	}
	if again, err := x.rewrite(out.raw); again.owner || again.changed || err != nil {
		t.Error("twice:", again.owner, again.changed, err)
	}
	other := sentry.Event{ID: id(2), User: sentry.User{ID: "6", Email: "bob@example.org"}, Message: sentry.Message{Formatted: "hello ann@example.org"}}
	raw, _ = json.Marshal(other)
	if out, err = x.rewrite(raw); err != nil || out.owner || !out.changed || out.after.User.Email != "bob@example.org" || out.after.Message.Formatted != "hello [erased]" {
		t.Errorf("%v %v %+v %v", out.owner, out.changed, out.after, err)
	}
}

func FuzzErase(f *testing.F) {
	f.Add("a ann@example.org b", "ann@example.org")
	f.Add("ann@example.organn@example.org", "ann@example.org")
	f.Add("\xff\xfeä.ann", "ann")
	f.Fuzz(func(t *testing.T, text, mention string) {
		if mention == "" || strings.Contains(erased, mention) {
			return
		}
		out := eraseText(text, []string{mention})
		if strings.EqualFold(strings.TrimSpace(text), mention) && out == text {
			t.Errorf("%q is left in %q", mention, text)
		}
		raw, err := json.Marshal(map[string]any{"event_id": "x", "message": map[string]any{"formatted": text}, "user": map[string]any{"email": mention}})
		if err != nil {
			return
		}
		if out, err := newEraser(Subject{Email: mention}, nil).rewrite(raw); err == nil && out.owner && !out.changed {
			t.Error("an owned event is left as it was")
		}
	})
}

// erasingDesk has a user's traces in every place.
func erasingDesk(t *testing.T) *desk {
	d := newDesk(t)
	d.Jobs = work.NewJobs(d.DB, "n1", d.Now, slog.New(slog.DiscardHandler))
	list := []Accepted{
		d.event(sample{id: id(1), kind: "ValueError", value: "no cart of ann@x.test", user: "ann@x.test"}),
		d.event(sample{id: id(2), kind: "ValueError", value: "no cart of bob@x.test", user: "bob@x.test", tags: map[string]string{"owner": "ann@x.test"}}),
		d.event(sample{id: id(3), kind: "KeyError", value: "id", function: "parse", user: "bob@x.test"}),
		d.event(sample{id: id(4), message: "ann@x.test was here", user: "ann@x.test"}),
		d.item("attachment", id(1), "the log of ann"),
		d.item("attachment", id(3), "the log of bob"),
		d.item("user_report", id(3), `{"event_id":"`+id(3)+`","name":"Ann","email":"ann@x.test","comments":"it broke"}`),
		d.item("user_report", id(4), `{"event_id":"`+id(4)+`","name":"","email":"","comments":"it broke too"}`),
		d.item("event", id(9), `{"broken": ann@x.test`),
	}
	for n := range 2 * eraseStep { // more than a step
		list = append(list, d.event(sample{id: id(100 + n), kind: "ValueError", value: "no cart", user: fmt.Sprintf("u%d@x.test", n%7)}))
	}
	d.take(list...)
	return d
}

func (d *desk) dump() string {
	var b strings.Builder
	for table, columns := range map[string]string{"issues_issues": "title || ' ' || value || ' ' || culprit", "issues_events": "title || ' ' || culprit || ' ' || user_label",
		"issues_tags": "key || ' ' || value", "issues_tag_counts": "counts", "issues_feedback": "name || email || message", "issues_comments": "text", "issues_erasures": "subject || label"} {
		var list []string
		if err := d.DB.Reader(d.ctx).Raw("SELECT " + columns + " FROM " + table).Scan(&list).Error; err != nil {
			d.t.Fatal(err)
		}
		fmt.Fprintln(&b, table, strings.Join(list, "\n"))
	}
	rows, err := d.rows().eventsAfter(d.ctx, d.project.ID, 0, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, r := range rows {
		raw, err := unpacker().DecodeAll(r.Body, nil)
		if err != nil {
			d.t.Fatal(err)
		}
		b.Write(raw)
		b.WriteByte('\n')
	}
	return b.String()
}

func TestErase(t *testing.T) {
	t.Parallel()
	for _, mode := range []EraseMode{EraseRewrite, EraseDelete} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			d := erasingDesk(t)
			first, err := d.rows().event(d.ctx, d.project.ID, id(1))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.httpComment(d.ctx, commentIn{ID: first.IssueID, Text: "Asked Ann@x.test about it."}); err != nil {
				t.Fatal(err)
			}
			before, err := d.rows().issue(d.ctx, first.IssueID)
			if err != nil {
				t.Fatal(err)
			}
			e, err := d.Erase(d.ctx, d.project.ID, Subject{Email: " ann@x.test "}, mode)
			if err != nil || e.Label != "email a…@x.test" || e.Counts.Total != 4+2*eraseStep {
				t.Fatalf("%+v %v", e, err)
			}
			if err := d.eraseAll(d.ctx, e.ID); err != nil {
				t.Fatal(err)
			}
			if err := d.eraseAll(d.ctx, e.ID); err != nil { // a job may run twice
				t.Fatal(err)
			}
			e, err = d.rows().erasure(d.ctx, e.ID)
			want := EraseCounts{Total: e.Counts.Total, Scanned: e.Counts.Total, Rewritten: 3, Issues: 2, Attachments: 1, Feedback: 2, Tags: e.Counts.Tags, Comments: 1, Rejected: 1}
			if mode == EraseDelete {
				want.Rewritten, want.Deleted = 1, 2
			}
			if err != nil || e.State != EraseDone || e.subject != (Subject{}) || e.Counts != want || e.Counts.Tags < 3 || e.EndedAt == 0 {
				t.Errorf("%+v, want %+v: %v", e, want, err)
			}
			if text := d.dump(); strings.Contains(strings.ToLower(strings.ReplaceAll(text, "a…@x.test", "")), "ann") {
				at := strings.Index(strings.ToLower(text), "ann")
				t.Errorf("left: …%s…", text[max(0, at-200):min(len(text), at+100)])
			}
			after, err := d.rows().issue(d.ctx, first.IssueID)
			gone := int64(0)
			if mode == EraseDelete {
				gone = 1
			}
			if err != nil || after.Users != before.Users-1 || after.UserRows != before.UserRows-1 || after.Events != before.Events-gone {
				t.Errorf("%+v before, %+v after, %v", before, after, err)
			}
			for query, found := range map[string]int{"ann": 0, `"ann@x.test"`: 0, "user.email:ann@x.test": 0, "owner:ann@x.test": 0, "user.email:bob@x.test": 2, "cart": 1} {
				list, err := d.find(query)
				if err != nil || len(list) != found {
					t.Errorf("%s: %d found, %v", query, len(list), err)
				}
			}
			u, err := d.rows().usage(d.ctx, d.project.ID)
			var bytes int64
			if err == nil {
				err = d.DB.Reader(d.ctx).Raw("SELECT SUM(LENGTH(body)) FROM issues_events").Scan(&bytes).Error
			}
			if err != nil || u.Bytes != bytes {
				t.Errorf("%+v, stored are %d: %v", u, bytes, err)
			}
		})
	}
}

func (d *desk) find(query string) ([]issueRow, error) {
	f, err := d.filterOf(d.ctx, deskTeam, "", query)
	if err != nil {
		return nil, err
	}
	f.Limit = 100
	return d.rows().listIssues(d.ctx, f)
}

// An erasure that is interrupted goes on where it stood; one that fails says so and can go on.
func TestEraseGoesOn(t *testing.T) {
	t.Parallel()
	d := erasingDesk(t)
	e, err := d.Erase(d.ctx, d.project.ID, Subject{Email: "ann@x.test"}, "")
	if err != nil {
		t.Fatal(err)
	}
	more, err := d.eraseSome(d.ctx, e.ID)
	half, _ := d.rows().erasure(d.ctx, e.ID)
	if err != nil || !more || half.State != EraseRunning || half.Counts.Scanned != eraseStep {
		t.Fatalf("%v %+v", err, half)
	}
	if err := d.failErasure(d.ctx, e.ID, errors.New("the disk is full")); err != nil {
		t.Fatal(err)
	}
	if e, _ = d.rows().erasure(d.ctx, e.ID); e.State != EraseFailed || e.Error != "the disk is full" || e.subject.Email == "" {
		t.Errorf("%+v", e)
	}
	if err := d.eraseAll(d.ctx, e.ID); err != nil {
		t.Fatal(err)
	}
	if e, _ = d.rows().erasure(d.ctx, e.ID); e.State != EraseDone || e.Error != "" || e.Counts.Scanned != e.Counts.Total {
		t.Errorf("%+v", e)
	}
	e, err = d.Erase(d.ctx, d.project.ID, Subject{Email: "u1@x.test"}, "")
	if err == nil {
		err = d.eraseAll(d.ctx, e.ID)
	}
	if e, _ = d.rows().erasure(d.ctx, e.ID); err != nil || e.Counts.Issues != 1 || e.Counts.Rewritten < 50 {
		t.Errorf("an issue in several steps counts once: %+v %v", e, err)
	}
	second, err := d.Erase(d.ctx, d.project.ID, Subject{ID: "1"}, "")
	if err == nil {
		err = d.DeleteProject(d.ctx, d.project.ID)
	}
	if err == nil {
		err = d.eraseAll(d.ctx, second.ID)
	}
	if err != nil {
		t.Error("of a deleted project:", err)
	}
}

func TestEraseThroughHTTP(t *testing.T) {
	t.Parallel()
	w := setup(t)
	if err := w.Jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Jobs.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	p, key := w.newProject(t, "shop")
	one := newID()
	if a := w.send(key, fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"message\":\"hello\",\"user\":{\"id\":\"quokka\"}}\n", one)); a.Code != 200 {
		t.Fatal(status(a))
	}
	until(t, "the event", func() bool { return w.do("GET", "/api/v1/issues/events/"+one+"?team=main", nil).Code == 200 })
	path := fmt.Sprintf("/api/v1/issues/projects/%d/erase", p.ID)
	for body, says := range map[string]string{`{}`: "user", `{"user":{"id":"1"},"mode":"burn"}`: "mode", `{"user":{"name":"x"}}`: "name", `{"user":{"email":"a\nb"}}`: "email"} {
		if a := w.do("POST", path, strings.NewReader(body), "Content-Type", "application/json"); a.Code != 400 || !strings.Contains(a.Body.String(), says) {
			t.Errorf("%s: %s", body, status(a))
		}
	}
	var e Erasure
	w.call(t, "POST", path, map[string]any{"user": map[string]any{"id": "quokka"}}, 201, &e)
	until(t, "the erasure", func() bool {
		w.call(t, "GET", "/api/v1/issues/erasures/"+e.ID, nil, 200, &e)
		return e.State == EraseDone
	})
	if e.Counts.Rewritten != 1 || e.EndedAt == 0 || e.Project.Slug != "shop" || e.CreatedBy != "ada" {
		t.Errorf("%+v", e)
	}
	if text := w.call(t, "GET", "/api/v1/issues/erasures?team=main&project=shop", nil, 200, nil); !strings.Contains(text, e.ID) || strings.Contains(text, "quokka") {
		t.Error(text)
	}
	w.call(t, "GET", "/api/v1/issues/erasures?team=other", nil, 404, nil)
	w.call(t, "GET", "/api/v1/issues/erasures/none", nil, 404, nil)
}
