package notify

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// ask calls a route of the team's notifications.
func (b *bundle) ask(t *testing.T, method, path, body string, status int, out any) string {
	t.Helper()
	r := httptest.NewRequest(method, "/api/v1/accounts/teams/"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	b.engine.ServeHTTP(w, r)
	if w.Code != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if out != nil {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			t.Fatal(err)
		}
	}
	return w.Body.String()
}

func named(list RuleList) string {
	var words []string
	for _, r := range list.Items {
		words = append(words, r.ID)
	}
	return strings.Join(words, " ")
}

func TestRulesOfAllInOneList(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	there := listen(t, say(410, "gone"), say(200, ""))
	var switched []string
	b.Sources = []Source{
		{Capability: "logs", Prefix: "logs:", Rules: func(context.Context, identity.Team) ([]Rule, error) {
			return []Rule{{ID: "b", Name: "Slow", Enabled: true, To: []Place{}}, {ID: "a", Name: "Absent", Enabled: true, To: []Place{}}}, nil
		}, Switch: func(_ context.Context, _ identity.Team, id string, on bool) error {
			switched = append(switched, id)
			return nil
		}},
		{Capability: "issues", Prefix: "issues:", Rules: func(context.Context, identity.Team) ([]Rule, error) { return nil, errors.New("down") }},
	}
	c := b.create(t, `{"team":"main","kind":"webhook","name":"bus","url":"`+there.URL+`/in","events":["build.failed"],"pipelines":["web"]}`)
	var rules RuleList
	b.ask(t, "GET", "main/notifications/rules", "", 200, &rules)
	if named(rules) != "ci:build.failed logs:a logs:b" || strings.Join(rules.Missing, " ") != "issues" {
		t.Fatalf("%s, missing %v", named(rules), rules.Missing)
	}
	if r := rules.Items[0]; r.Watches != "When a build fails" || r.Name != "A build fails" || r.To[0].Only != "web" || r.To[0].Channel != c.ID || !r.Enabled || r.Path != "/teams/main/notifications/channels" {
		t.Errorf("%+v", r)
	}
	b.raise(t, failing("unit", 1))
	until(t, "it failed", func() bool { return b.newest(t, c.ID).State == Failed })
	if _, err := b.Send(t.Context(), 1, c.ID, Message{Event: "logs.alert", Rule: "logs:b", Title: "p95 is 3 s"}); err != nil {
		t.Fatal(err)
	}
	until(t, "the alert is told", func() bool { return b.newest(t, c.ID).State == Sent })
	b.ask(t, "GET", "main/notifications/rules", "", 200, &rules)
	if r := rules.Items[0]; !strings.Contains(r.Problem, "answered 410") || r.FiredAt == 0 || rules.Items[2].FiredAt == 0 || rules.Items[2].Problem != "" {
		t.Errorf("%+v", rules.Items)
	}
	b.ask(t, "PATCH", "main/notifications/rules/ci:build.failed", `{"enabled":false}`, 204, nil)
	b.ask(t, "PATCH", "main/notifications/rules/logs:b", `{"enabled":false}`, 204, nil)
	b.ask(t, "PATCH", "main/notifications/rules/ci:build.eaten", `{"enabled":false}`, 404, nil)
	b.ask(t, "PATCH", "main/notifications/rules/issues:1", `{"enabled":false}`, 409, nil)
	b.ask(t, "PATCH", "other/notifications/rules/ci:build.failed", `{"enabled":false}`, 404, nil)
	newest := b.newest(t, c.ID).ID
	b.raise(t, failing("unit", 2))
	if b.newest(t, c.ID).ID != newest || len(switched) != 1 || switched[0] != "b" {
		t.Errorf("what is switched off was told, or %v", switched)
	}
	b.ask(t, "GET", "main/notifications/rules", "", 200, &rules)
	if rules.Items[0].Enabled {
		t.Errorf("%+v", rules.Items[0])
	}
	b.ask(t, "PATCH", "main/notifications/rules/ci:build.failed", `{"enabled":true}`, 204, nil)
	b.raise(t, failing("unit", 3))
	until(t, "it is told again", func() bool { d := b.newest(t, c.ID); return d.ID > newest && d.State == Sent })
	b.role = identity.Viewer
	b.ask(t, "GET", "main/notifications/rules", "", 200, &rules)
	if !rules.Items[0].Fixed {
		t.Error("a viewer may switch")
	}
	b.ask(t, "PATCH", "main/notifications/rules/ci:build.failed", `{"enabled":false}`, 403, nil)
}

func TestHistoryOfAllChannelsAndRetry(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	there := listen(t, say(410, "the pager is gone"), say(410, "the pager is gone"), say(200, ""))
	c := b.create(t, `{"team":"main","kind":"webhook","name":"Pager 100%","url":"`+there.URL+`/in"}`)
	url, theirs := "https://x.example", identity.With(t.Context(), identity.Caller{UserID: 2, Roles: map[int64]identity.Role{2: identity.Owner}})
	name := "theirs"
	if _, _, err := b.Create(theirs, 2, Slack, Change{Name: &name, URL: &url}); err != nil {
		t.Fatal(err)
	}
	b.raise(t, failing("unit", 1))
	until(t, "it failed", func() bool { return b.newest(t, c.ID).State == Failed })
	if _, err := b.Send(t.Context(), 1, c.ID, Message{Event: "logs.alert", Rule: "logs:b", Title: "p95 is 3 s", URL: "https://ci.example.com/logs"}); err != nil {
		t.Fatal(err)
	}
	until(t, "the other failed", func() bool { d := b.newest(t, c.ID); return d.Event == "logs.alert" && d.State == Failed })
	var page messageList
	count := func(query string) int {
		t.Helper()
		b.ask(t, "GET", "main/notifications/messages"+query, "", 200, &page)
		return len(page.Items)
	}
	for query, n := range map[string]int{"": 2, "?state=failed": 2, "?state=held": 0, "?capability=logs": 1, "?capability=edge": 0, "?rule=logs:b": 1, "?q=P95": 1, "?q=100%25": 2, "?q=1%25": 0,
		"?q=pager+is+gone": 2, "?channel=" + c.ID: 2, "?channel=none": 0, "?before=1": 0} {
		if got := count(query); got != n {
			t.Errorf("%s: %d, want %d", query, got, n)
		}
	}
	b.ask(t, "GET", "main/notifications/messages?state=eaten", "", 400, nil)
	b.ask(t, "GET", "other/notifications/messages", "", 404, nil)
	count("?capability=logs")
	if m := page.Items[0]; m.ChannelName != "Pager 100%" || m.ChannelKind != Webhook || m.Capability != "logs" || m.URL != "https://ci.example.com/logs" || page.Counts[Failed] != 2 {
		t.Errorf("%+v %v", m, page.Counts)
	}
	var retried RetryResult
	b.ask(t, "POST", "main/notifications/messages/"+encode(page.Items[0].ID)+"/retry", "", 200, &retried)
	until(t, "one is sent", func() bool { return b.newest(t, c.ID).State == Sent })
	b.ask(t, "POST", "main/notifications/messages/"+encode(page.Items[0].ID)+"/retry", "", 409, nil)
	b.ask(t, "POST", "main/notifications/messages/99999/retry", "", 404, nil)
	b.ask(t, "POST", "main/notifications/messages/retry", `{"capability":"edge"}`, 200, &retried)
	if retried.Retried != 0 {
		t.Errorf("%+v", retried)
	}
	b.ask(t, "POST", "main/notifications/messages/retry", `{}`, 200, &retried)
	until(t, "all are sent", func() bool { return count("?state=sent") == 2 })
	if got := there.got(); len(got) != 4 || retried.Retried != 1 {
		t.Errorf("%d letters, %+v", len(got), retried)
	}
	b.role = identity.Viewer
	b.ask(t, "POST", "main/notifications/messages/retry", `{}`, http.StatusForbidden, nil)
	if got := strings.Join(b.audit, "|"); !strings.Contains(got, "notify.delivery.retry 1") {
		t.Error(got)
	}
}

func TestOnlyAdministratorsHearOfTheInstallation(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	b.Events = append(b.Events, Occasion{Event: "backup.failed", Capability: "system", When: "a backup fails", Admin: true})
	there := listen(t, say(200, ""))
	c := b.create(t, `{"team":"main","kind":"slack","name":"ops","url":"`+there.URL+`/x"}`)
	if len(c.Events) != 2 {
		t.Errorf("%v", c.Events)
	}
	b.call(t, "PATCH", "/"+c.ID, `{"events":["backup.failed"]}`, 400, nil)
	admin := identity.With(t.Context(), identity.Caller{UserID: 9, Admin: true, Roles: map[int64]identity.Role{1: identity.Owner}})
	if _, err := b.Change(admin, c.ID, Change{Events: &[]Event{"backup.failed"}}); err != nil {
		t.Fatal(err)
	}
	b.call(t, "PATCH", "/"+c.ID, `{"events":["backup.failed","build.failed"]}`, 200, nil)
	if err := b.RaiseEverywhere(t.Context(), Message{Event: "backup.failed", Title: "The backup failed", Lines: []string{}}); err != nil {
		t.Fatal(err)
	}
	until(t, "it is told", func() bool { return b.newest(t, c.ID).State == Sent })
}
