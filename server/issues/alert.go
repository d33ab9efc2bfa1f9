package issues

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/issues/query"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// ConditionType is what has to happen for a rule to fire; the words are stored.
type ConditionType string

// The types. The first four are about one issue, spike and crash_free about a
// project, monitor about a scheduled job.
const (
	WhenNew       ConditionType = "new"        // an issue is seen for the first time, in the rule's environment if it has one
	WhenRegressed ConditionType = "regressed"  // a resolved issue came back
	WhenEvents    ConditionType = "events"     // an issue has Count events within Minutes
	WhenUsers     ConditionType = "users"      // an issue has Count different users within Minutes
	WhenSpike     ConditionType = "spike"      // a project has Factor times the events of the same Minutes a week before
	WhenCrashFree ConditionType = "crash_free" // fewer than Percent of a project's sessions ended without a crash
	WhenMonitor   ConditionType = "monitor"    // a monitor was missed, late, or failed
)

// MonitorOutcome is what a rule about monitors may wait for.
type MonitorOutcome string

// The outcomes.
const (
	MonitorMissed MonitorOutcome = "missed"
	MonitorLate   MonitorOutcome = "late"
	MonitorFailed MonitorOutcome = "failed"
)

var monitorOutcomes = []MonitorOutcome{MonitorMissed, MonitorLate, MonitorFailed}

// Condition is what has to happen. Which numbers it needs depends on its type.
type Condition struct {
	Type ConditionType `json:"type"`
	// Count is of events or users; for spike and crash_free the least number of
	// events or sessions that says anything.
	Count   int64   `json:"count,omitempty"`
	Minutes int64   `json:"minutes,omitempty"`
	Percent float64 `json:"percent,omitempty"`
	Factor  float64 `json:"factor,omitempty"`
	// Outcomes are those of monitors; none means all.
	Outcomes []MonitorOutcome `json:"outcomes,omitempty"`
}

// ActionType is what a firing rule does.
type ActionType string

// The types. The first four name a channel of the team, the last a repository.
const (
	ActMail        ActionType = "mail"
	ActSlack       ActionType = "slack"
	ActWebhook     ActionType = "webhook"
	ActGitHub      ActionType = "github" // a channel that opens issues of whatever it is told
	ActGitHubIssue ActionType = "github_issue"
)

// Action is one thing that a firing rule does.
type Action struct {
	Type ActionType `json:"type"`
	// Target is a channel's id, or a repository as owner/name.
	Target string `json:"target"`
}

// Alert is a rule: when its condition holds, it acts.
type Alert struct {
	ID   int64
	Team int64
	// Project is 0 for a rule about all projects of the team.
	Project     int64
	Name        string
	Enabled     bool
	Condition   Condition
	Environment string
	// Query narrows issues as the list's query does.
	Query   string
	Actions []Action
	// Throttle is for how many minutes the rule says nothing more about the same thing.
	Throttle int64
}

const (
	maxAlerts         = 200 // of a team
	maxActions        = 10
	maxThrottle       = 30 * 24 * 60
	maxAlertWindow    = 7 * 24 * 60
	maxAlertCount     = 1_000_000
	maxAlertUsers     = 1000
	maxAlertQuery     = 500
	maxEnvironmentLen = 64
	defaultThrottle   = 60
)

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}$`)

// check completes what was left out and refuses what makes no sense.
func (a *Alert) check() error {
	if a.Name = strings.TrimSpace(a.Name); a.Name == "" || utf8.RuneCountInString(a.Name) > 100 {
		return problem.FieldError("name", "use 1 to 100 characters")
	}
	if err := a.checkCondition(); err != nil {
		return err
	}
	return a.checkActions()
}

// checkCondition is the part of check that a preview needs as well.
func (a *Alert) checkCondition() error {
	if a.Environment = strings.TrimSpace(a.Environment); len(a.Environment) > maxEnvironmentLen {
		return problem.FieldError("environment", "is longer than %d bytes", maxEnvironmentLen)
	}
	if a.Throttle < 0 || a.Throttle > maxThrottle {
		return problem.FieldError("throttle_minutes", "is not between 0 and %d", maxThrottle)
	}
	if err := a.Condition.check(); err != nil {
		return err
	}
	if least := leastThrottle[a.Condition.Type]; a.Throttle < least {
		return problem.FieldError("throttle_minutes", "is less than %d: this would be told again and again", least)
	}
	if a.Query = strings.TrimSpace(a.Query); a.Query != "" {
		if !a.Condition.aboutIssues() {
			return problem.FieldError("query", "only narrows rules about single issues")
		}
		if len(a.Query) > maxAlertQuery {
			return problem.FieldError("query", "is longer than %d bytes", maxAlertQuery)
		}
		if _, err := query.Parse(a.Query); err != nil {
			return queryProblem(err)
		}
	}
	return nil
}

func (a *Alert) checkActions() error {
	if len(a.Actions) == 0 || len(a.Actions) > maxActions {
		return problem.FieldError("actions", "name 1 to %d things to do", maxActions)
	}
	for i, act := range a.Actions {
		act.Target = strings.TrimSpace(act.Target)
		a.Actions[i] = act
		switch act.Type {
		case ActMail, ActSlack, ActWebhook, ActGitHub:
			if act.Target == "" {
				return problem.FieldError("actions", "choose a channel to send to")
			}
		case ActGitHubIssue:
			if !repositoryName.MatchString(act.Target) {
				return problem.FieldError("actions", "%q is no repository such as octo/shop", act.Target)
			}
			if !a.Condition.aboutIssues() {
				return problem.FieldError("actions", "a GitHub issue can be opened for single issues only")
			}
		default:
			return problem.FieldError("actions", "%q is none of mail, slack, webhook, github and github_issue", string(act.Type))
		}
		if slices.Contains(a.Actions[:i], act) {
			return problem.FieldError("actions", "names the same thing twice")
		}
	}
	return nil
}

// aboutIssues reports whether firings are about single issues.
func (c Condition) aboutIssues() bool {
	return c.Type == WhenNew || c.Type == WhenRegressed || c.Type == WhenEvents || c.Type == WhenUsers
}

// bounds are the least and the most of a number, and what it is when left out (0: it has to be given).
type bounds struct{ least, most, usual float64 }

func (b bounds) of(field string, value *float64) error {
	if *value = cmp.Or(*value, b.usual); *value < b.least || *value > b.most {
		return problem.FieldError("condition."+field, "is not between %g and %g", b.least, b.most)
	}
	return nil
}

// numbers are what the types need; what is not named is dropped.
var conditionNumbers = map[ConditionType]map[string]bounds{
	WhenNew:       {},
	WhenRegressed: {},
	WhenEvents:    {"count": {1, maxAlertCount, 0}, "minutes": {1, maxAlertWindow, 60}},
	WhenUsers:     {"count": {1, maxAlertUsers, 0}, "minutes": {1, maxAlertWindow, 60}},
	WhenSpike:     {"count": {1, maxAlertCount, 10}, "minutes": {15, 24 * 60, 60}, "factor": {1.1, 1000, 3}},
	WhenCrashFree: {"count": {1, maxAlertCount, 50}, "minutes": {60, maxAlertWindow, 60}, "percent": {0.001, 100, 0}},
	WhenMonitor:   {},
}

// leastThrottle is for conditions that go on holding.
var leastThrottle = map[ConditionType]int64{WhenEvents: 1, WhenUsers: 1, WhenSpike: 5, WhenCrashFree: 5}

func (c *Condition) check() error {
	needs, known := conditionNumbers[c.Type]
	if !known {
		return problem.FieldError("condition.type", "%q is none of new, regressed, events, users, spike, crash_free and monitor", string(c.Type))
	}
	count, minutes := float64(c.Count), float64(c.Minutes)
	for _, n := range []struct {
		field string
		value *float64
	}{{"count", &count}, {"minutes", &minutes}, {"percent", &c.Percent}, {"factor", &c.Factor}} {
		b, needed := needs[n.field]
		if !needed {
			*n.value = 0
			continue
		}
		if err := b.of(n.field, n.value); err != nil {
			return err
		}
	}
	c.Count, c.Minutes = int64(count), int64(minutes)
	if c.Type != WhenMonitor {
		c.Outcomes = nil
		return nil
	}
	for i, o := range c.Outcomes {
		if !slices.Contains(monitorOutcomes, o) {
			return problem.FieldError("condition.outcomes", "%q is none of missed, late and failed", string(o))
		}
		if slices.Contains(c.Outcomes[:i], o) {
			return problem.FieldError("condition.outcomes", "names %s twice", string(o))
		}
	}
	if len(c.Outcomes) == 0 {
		c.Outcomes = slices.Clone(monitorOutcomes)
	}
	return nil
}
