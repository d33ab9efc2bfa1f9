package issues

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestRulesAreSentences(t *testing.T) {
	t.Parallel()
	mail, slack, hook := Action{ActMail, "m"}, Action{ActSlack, "s"}, Action{ActWebhook, "w"}
	label := func(a Action) string { return map[string]string{"m": "Ops", "s": "#alerts", "w": "pager"}[a.Target] }
	for _, c := range []struct {
		alert   Alert
		project string
		want    string
	}{
		{Alert{Condition: Condition{Type: WhenNew}, Environment: "prod", Actions: []Action{mail}, Throttle: 60}, "",
			"When an error is new in prod, send mail to Ops, at most once an hour per issue."},
		{Alert{Condition: Condition{Type: WhenRegressed}, Actions: []Action{slack, mail}, Throttle: 10}, "shop",
			"When a resolved error of shop comes back, post to #alerts in Slack and send mail to Ops, at most every 10 minutes per issue."},
		{Alert{Condition: Condition{Type: WhenEvents, Count: 100, Minutes: 60}, Query: "level:fatal", Actions: []Action{mail, hook, {ActGitHubIssue, "octo/shop"}}}, "shop",
			"When an error of shop happens 100 times within 1 hour and it matches “level:fatal”, send mail to Ops, call the webhook pager and open an issue in octo/shop at GitHub."},
		{Alert{Condition: Condition{Type: WhenUsers, Count: 1, Minutes: 15}, Throttle: 1, Actions: []Action{mail}}, "",
			"When an error hits 1 user within 15 minutes, send mail to Ops, at most once a minute per issue."},
		{Alert{Condition: Condition{Type: WhenSpike, Factor: 2.5, Minutes: 60, Count: 10}, Environment: "prod", Throttle: 1440, Actions: []Action{mail}}, "shop",
			"When shop has 2.5 times the errors of the same hour last week, and at least 10, in prod, send mail to Ops, at most once a day per project."},
		{Alert{Condition: Condition{Type: WhenCrashFree, Percent: 99.5, Minutes: 120, Count: 50}, Throttle: 120, Actions: []Action{mail}}, "",
			"When less than 99.5 % of at least 50 sessions of a project within 2 hours end without a crash, send mail to Ops, at most every 2 hours per project."},
		{Alert{Condition: Condition{Type: WhenMonitor, Outcomes: []MonitorOutcome{MonitorMissed, MonitorFailed}}, Throttle: 60, Actions: []Action{mail}}, "shop",
			"When a monitor of shop is missed or fails, send mail to Ops, at most once an hour per monitor."},
	} {
		if got := c.alert.sentence(c.project, label); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestRulesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	good := func() Alert {
		return Alert{Name: "n", Condition: Condition{Type: WhenEvents, Count: 10}, Actions: []Action{{ActMail, "m"}}, Throttle: 60}
	}
	a := good()
	if err := a.check(); err != nil || a.Condition.Minutes != 60 {
		t.Errorf("%+v %v", a, err)
	}
	for name, c := range map[string]struct {
		change func(*Alert)
		field  string
	}{
		"no name":            {func(a *Alert) { a.Name = " " }, "name"},
		"no condition":       {func(a *Alert) { a.Condition = Condition{} }, "condition.type"},
		"no count":           {func(a *Alert) { a.Condition.Count = 0 }, "condition.count"},
		"too many users":     {func(a *Alert) { a.Condition = Condition{Type: WhenUsers, Count: maxAlertUsers + 1} }, "condition.count"},
		"month":              {func(a *Alert) { a.Condition.Minutes = 50000 }, "condition.minutes"},
		"no percent":         {func(a *Alert) { a.Condition = Condition{Type: WhenCrashFree} }, "condition.percent"},
		"half":               {func(a *Alert) { a.Condition = Condition{Type: WhenSpike, Factor: 0.5} }, "condition.factor"},
		"again and again":    {func(a *Alert) { a.Throttle = 0 }, "throttle_minutes"},
		"negative":           {func(a *Alert) { a.Throttle = -1 }, "throttle_minutes"},
		"query":              {func(a *Alert) { a.Query = "is:sideways" }, "query:3-11"},
		"query of a project": {func(a *Alert) { a.Condition, a.Query = Condition{Type: WhenSpike}, "level:fatal" }, "query"},
		"nobody":             {func(a *Alert) { a.Actions = nil }, "actions"},
		"no channel":         {func(a *Alert) { a.Actions[0].Target = "" }, "actions"},
		"fax":                {func(a *Alert) { a.Actions[0].Type = "fax" }, "actions"},
		"twice":              {func(a *Alert) { a.Actions = append(a.Actions, a.Actions[0]) }, "actions"},
		"no repository":      {func(a *Alert) { a.Actions = []Action{{ActGitHubIssue, "shop"}} }, "actions"},
		"issue of a project": {func(a *Alert) { a.Condition, a.Actions = Condition{Type: WhenSpike}, []Action{{ActGitHubIssue, "o/r"}} }, "actions"},
		"outcome":            {func(a *Alert) { a.Condition = Condition{Type: WhenMonitor, Outcomes: []MonitorOutcome{"early"}} }, "condition.outcomes"},
		"same outcome": {func(a *Alert) {
			a.Condition = Condition{Type: WhenMonitor, Outcomes: []MonitorOutcome{MonitorLate, MonitorLate}}
		}, "condition.outcomes"},
		"environment": {func(a *Alert) { a.Environment = strings.Repeat("x", 65) }, "environment"},
	} {
		a := good()
		c.change(&a)
		p := problem.From(a.check())
		if p == nil || len(p.Fields) == 0 || p.Fields[0].Field != c.field {
			t.Errorf("%s: %+v, want the field %s", name, p, c.field)
		}
	}
}

func TestConditionsKeepOnlyTheirNumbers(t *testing.T) {
	t.Parallel()
	c := Condition{Type: WhenNew, Count: 5, Minutes: 3, Percent: 2, Factor: 9, Outcomes: []MonitorOutcome{MonitorLate}}
	if err := c.check(); err != nil || fmt.Sprint(c) != fmt.Sprint(Condition{Type: WhenNew}) {
		t.Errorf("%+v %v", c, err)
	}
	c = Condition{Type: WhenMonitor}
	if err := c.check(); err != nil || !slices.Equal(c.Outcomes, monitorOutcomes) {
		t.Errorf("%+v %v", c, err)
	}
}

func TestWindowsOverEvents(t *testing.T) {
	t.Parallel()
	const minute = 60_000
	at := func(minutes ...int64) (list []eventTime) {
		for n, m := range minutes {
			list = append(list, eventTime{Timestamp: m * minute, UserHash: int64(n%2 + 1), Environment: "prod"})
		}
		return list
	}
	for _, c := range []struct {
		name     string
		c        Condition
		env      string
		throttle int64
		events   []eventTime
		want     []int64
	}{
		{"too few", Condition{Type: WhenEvents, Count: 3, Minutes: 10}, "", 1, at(1, 2), nil},
		{"too slow", Condition{Type: WhenEvents, Count: 3, Minutes: 10}, "", 1, at(1, 6, 11, 20, 31), nil},
		{"just in time", Condition{Type: WhenEvents, Count: 3, Minutes: 10}, "", 1, at(1, 6, 10), []int64{10}},
		{"once an hour", Condition{Type: WhenEvents, Count: 2, Minutes: 10}, "", 60, at(1, 2, 3, 4, 62, 63), []int64{2, 63}},
		{"elsewhere", Condition{Type: WhenEvents, Count: 1, Minutes: 10}, "dev", 1, at(1, 2), nil},
		{"two users", Condition{Type: WhenUsers, Count: 2, Minutes: 10}, "prod", 60, at(1, 12, 13), []int64{13}},
		{"one user", Condition{Type: WhenUsers, Count: 2, Minutes: 10}, "", 60, append(at(1), at(2)...), nil},
		{"same moment", Condition{Type: WhenEvents, Count: 3, Minutes: 1}, "", 60, at(5, 5, 5, 5), []int64{5}},
	} {
		got := crossings(c.c, c.env, c.throttle, c.events)
		for i := range got {
			got[i] /= minute
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestNumbersOfProjects(t *testing.T) {
	t.Parallel()
	spike := Condition{Type: WhenSpike, Count: 10, Factor: 3, Minutes: 60}
	for _, c := range []struct {
		now, before int64
		want        bool
	}{{9, 0, false}, {10, 0, true}, {30, 10, true}, {29, 10, false}, {1000, 334, false}} {
		if got := spike.spike(c.now, c.before) != ""; got != c.want {
			t.Errorf("%d after %d: %t", c.now, c.before, got)
		}
	}
	rate := Condition{Type: WhenCrashFree, Count: 50, Percent: 99, Minutes: 60}
	for _, c := range []struct {
		total, crashed int64
		want           bool
	}{{0, 0, false}, {49, 49, false}, {100, 1, false}, {100, 2, true}, {50, 50, true}} {
		if got := rate.crashes(c.total, c.crashed) != ""; got != c.want {
			t.Errorf("%d of %d: %t", c.crashed, c.total, got)
		}
	}
}

func TestTimesInWords(t *testing.T) {
	t.Parallel()
	for minutes, want := range map[int64]string{1: "1 minute", 59: "59 minutes", 60: "1 hour", 90: "90 minutes", 1440: "1 day", 2880: "2 days", 10080: "7 days"} {
		if got := span(minutes); got != want {
			t.Errorf("%d: %s, want %s", minutes, got, want)
		}
	}
	if got := listed([]string{"a", "b", "c"}, "or"); got != "a, b or c" {
		t.Error(got)
	}
}
