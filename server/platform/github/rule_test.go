package github

import (
	"context"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/identity"
)

func TestRuleMatches(t *testing.T) {
	t.Parallel()
	review := Delivery{Event: "pull_request", Action: "review_requested", Repository: "Octo/Web"}
	push := Delivery{Event: "push", Repository: "octo/web"}
	for _, c := range []struct {
		name   string
		rule   Rule
		d      Delivery
		branch string
		want   bool
	}{
		{"event", Rule{Events: []string{"push"}}, push, "main", true},
		{"another event", Rule{Events: []string{"issues"}}, push, "main", false},
		{"every event", Rule{Events: []string{"*"}}, push, "main", true},
		{"action", Rule{Events: []string{"pull_request"}, Actions: []string{"opened", "review_requested"}}, review, "main", true},
		{"another action", Rule{Events: []string{"pull_request"}, Actions: []string{"closed"}}, review, "main", false},
		{"an action where there is none", Rule{Events: []string{"push"}, Actions: []string{"created"}}, push, "main", false},
		{"repository, any case", Rule{Events: []string{"*"}, Repository: "OCTO/web"}, review, "main", true},
		{"owner's", Rule{Events: []string{"*"}, Repository: "octo/*"}, push, "main", true},
		{"star ends at the slash", Rule{Events: []string{"*"}, Repository: "*"}, push, "main", false},
		{"another repository", Rule{Events: []string{"*"}, Repository: "octo/api"}, push, "main", false},
		{"branch", Rule{Events: []string{"*"}, Branch: "main"}, push, "main", true},
		{"another branch", Rule{Events: []string{"*"}, Branch: "main"}, push, "next", false},
		{"branch with a slash", Rule{Events: []string{"*"}, Branch: "release*"}, push, "release/1.2", true},
		{"class", Rule{Events: []string{"*"}, Branch: "v[0-9]"}, push, "v3", true},
		{"no branch known", Rule{Events: []string{"*"}, Branch: "main"}, push, "", false},
		{"broken pattern", Rule{Events: []string{"*"}, Branch: "[a"}, push, "a", false},
		{"no event", Rule{}, push, "main", false},
	} {
		c.rule.Enabled = true
		if got := c.rule.Matches(c.d, Facts{Branch: c.branch}); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		c.rule.Enabled = false
		if c.rule.Matches(c.d, Facts{Branch: c.branch}) {
			t.Errorf("%s: matches though it is off", c.name)
		}
	}
}

func TestTelling(t *testing.T) {
	t.Parallel()
	d := Delivery{Event: "pull_request_review", Action: "submitted", Repository: "octo/web"}
	for _, c := range []struct {
		facts Facts
		want  string
	}{
		{Facts{}, "octo/web: pull request review submitted"},
		{Facts{Title: "Review requested: #4 Add a thing", Actor: "ada"}, "octo/web: Review requested: #4 Add a thing (ada)"},
		{Facts{Title: "ada pushed to octo/web", Actor: "ada"}, "ada pushed to octo/web"},
	} {
		if got := telling(d, c.facts).Title; got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func (b *bundle) fan(t *testing.T, d Delivery, facts Facts) {
	t.Helper()
	d.Team = 1
	if err := b.DB.Tx(t.Context(), func(ctx context.Context) error { return b.Fan(ctx, d, facts) }); err != nil {
		t.Fatal(err)
	}
}

// Review requested → #web.
func TestFan(t *testing.T) {
	t.Parallel()
	b, l := setup(t), &teller{}
	b.Teller = l
	var r Rule
	b.call(t, "POST", "/rules", `{"team":"main","name":"reviews","events":["pull_request"],"actions":["review_requested"],"repository":"octo/*","channel":"web"}`, 201, &r)
	d := Delivery{ID: "d1", Event: "pull_request", Action: "review_requested", Repository: "octo/web"}
	facts := Facts{Title: "Review requested: #4 Add a thing", URL: "https://github.com/octo/web/pull/4", Actor: "ada"}
	for range 2 { // handled again: told once
		b.fan(t, d, facts)
	}
	b.fan(t, Delivery{ID: "d2", Event: "push", Repository: "octo/web"}, Facts{})
	if len(l.told) != 1 || l.told[0].Title != "octo/web: Review requested: #4 Add a thing (ada)" || l.told[0].URL != facts.URL {
		t.Fatalf("%+v", l.told)
	}
	d.ID = "d3"
	b.fan(t, d, facts)
	d.ID = "d4"
	b.fan(t, d, facts)
	l.set(1, Told{State: TellSent, EndedAt: 77})
	l.set(2, Told{State: TellFailed, Error: "hooks.example answered 404", EndedAt: 78})
	l.set(3, Told{State: TellWaiting, Error: "hooks.example answered 503"})
	for range 2 {
		if err := b.FollowUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var rules struct{ Items []Rule }
	if b.call(t, "GET", "/rules?team=main", "", 200, &rules); rules.Items[0].Sent != 1 || rules.Items[0].Failed != 1 || rules.Items[0].LastSentAt != 77 {
		t.Errorf("%+v", rules)
	}
	var log struct{ Items []RuleMessage }
	b.call(t, "GET", "/rules/"+r.ID+"/deliveries", "", 200, &log)
	if len(log.Items) != 3 || log.Items[0].State != TellWaiting || log.Items[0].Error == "" || log.Items[1].State != TellFailed || log.Items[2].State != TellSent || log.Items[2].Delivery != "d1" {
		t.Errorf("%+v", log)
	}
	if b.call(t, "GET", "/rules/"+r.ID+"/deliveries?before="+strings.TrimSpace(itoa(log.Items[1].ID)), "", 200, &log); len(log.Items) != 1 {
		t.Errorf("%+v", log)
	}
	b.call(t, "POST", "/rules/"+r.ID+"/test", "", 204, nil)
	b.call(t, "POST", "/rules/"+r.ID+"/test", "", 204, nil)
	if len(l.told) != 5 || !strings.Contains(l.told[4].Title, "reviews") {
		t.Errorf("%+v", l.told)
	}
}

func TestRuleWhoseChannelIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, err := b.CreateRule(b.as(t.Context()), 1, RuleChange{Name: ptr("x"), Events: &[]string{"*"}, Channel: ptr("gone")})
	if err != nil {
		t.Fatal(err)
	}
	b.Teller = &teller{}
	b.fan(t, Delivery{ID: "d1", Event: "push"}, Facts{})
	list, err := b.RuleMessages(b.as(t.Context()), r.ID, 0)
	if err != nil || len(list) != 1 || list[0].State != TellFailed || !strings.Contains(list[0].Error, "channel is gone") {
		t.Errorf("%+v %v", list, err)
	}
	b.Teller.(*teller).state = map[int64]Told{}
	if r, err = b.findRule(t.Context(), r.ID); err != nil || r.Failed != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestRuleHistoryIsKeptShort(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Teller = &teller{}
	r, err := b.CreateRule(b.as(t.Context()), 1, RuleChange{Name: ptr("x"), Events: &[]string{"*"}, Channel: ptr("web")})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.DB.Tx(t.Context(), func(ctx context.Context) error {
		for n := range keepRuleLog + 20 {
			if err := b.insertRuleMessage(ctx, ruleMessageRow{TeamID: 1, RuleID: r.ID, DeliveryID: itoa(int64(n)), State: TellSent}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var n int64
	if err := b.db.Reader(t.Context()).Model(&ruleMessageRow{}).Count(&n).Error; err != nil || n != keepRuleLog {
		t.Errorf("%d kept, %v", n, err)
	}
}

func TestRuleRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Teller = &teller{}
	for name, body := range map[string]string{
		"no events":           `{"team":"main","name":"x","events":[],"channel":"web"}`,
		"odd event":           `{"team":"main","name":"x","events":["Push!"],"channel":"web"}`,
		"odd action":          `{"team":"main","name":"x","events":["push"],"actions":["a b"],"channel":"web"}`,
		"broken pattern":      `{"team":"main","name":"x","events":["push"],"branch":"[a","channel":"web"}`,
		"no channel":          `{"team":"main","name":"x","events":["push"]}`,
		"a channel not ours":  `{"team":"main","name":"x","events":["push"],"channel":"theirs"}`,
		"no name":             `{"team":"main","events":["push"],"channel":"web"}`,
		"a field that is not": `{"team":"main","name":"x","events":["push"],"channel":"web","colour":"red"}`,
	} {
		if w := b.do(jsonRequest("POST", "/rules", body)); w.Code != 400 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	b.call(t, "POST", "/rules", `{"team":"other","name":"x","events":["push"],"channel":"web"}`, 404, nil)
	var r Rule
	b.call(t, "POST", "/rules", `{"team":"main","name":"x","events":["push"],"channel":"web"}`, 201, &r)
	b.call(t, "POST", "/rules", `{"team":"main","name":"x","events":["push"],"channel":"web"}`, 409, nil)
	b.call(t, "PATCH", "/rules/"+r.ID, `{"branch":"main","enabled":false}`, 200, &r)
	if r.Branch != "main" || r.Enabled || r.Channel != "web" {
		t.Errorf("%+v", r)
	}
	b.call(t, "PATCH", "/rules/"+r.ID, `{"channel":"theirs"}`, 400, nil)
	ctx := identity.With(t.Context(), identity.Caller{UserID: 2, Roles: map[int64]identity.Role{2: identity.Owner}})
	theirs, err := b.CreateRule(ctx, 2, RuleChange{Name: ptr("t"), Events: &[]string{"*"}, Channel: ptr("web")})
	if err == nil {
		t.Fatal("team 2 has no channel web")
	}
	b.Teller = nil
	if theirs, err = b.CreateRule(ctx, 2, RuleChange{Name: ptr("t"), Events: &[]string{"*"}, Channel: ptr("web")}); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"PATCH", ""}, {"DELETE", ""}, {"POST", "/test"}, {"GET", "/deliveries"}} {
		if w := b.do(jsonRequest(c[0], "/rules/"+theirs.ID+c[1], "")); w.Code != 404 {
			t.Errorf("%s of another team's: %d", c, w.Code)
		}
	}
	b.role = identity.Viewer
	b.call(t, "PATCH", "/rules/"+r.ID, `{"enabled":true}`, 403, nil)
	b.call(t, "GET", "/rules/"+r.ID+"/deliveries", "", 200, nil)
	b.role = identity.Member
	b.call(t, "DELETE", "/rules/"+r.ID, "", 204, nil)
	b.call(t, "DELETE", "/rules/"+r.ID, "", 404, nil)
	if got := strings.Join(b.audit, "|"); !strings.Contains(got, "github.rule.create x|github.rule.update x") || !strings.HasSuffix(got, "github.rule.delete x") {
		t.Error(got)
	}
}

func ptr[T any](v T) *T { return &v }
