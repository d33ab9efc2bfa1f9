package logs

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// AlertKind is what an alert looks for; the words are stored.
type AlertKind string

// The kinds.
const (
	WhenThreshold AlertKind = "threshold" // a figure of the lines within Minutes is beyond Value
	WhenAbsent    AlertKind = "absence"   // no line within Minutes
	WhenPattern   AlertKind = "pattern"   // messages of a kind not seen within Days
	WhenRatio     AlertKind = "ratio"     // the lines of Query are so many percent of those of Over
)

// AlertCondition is what has to happen. What it needs depends on its kind; the
// rest is dropped.
type AlertCondition struct {
	Kind  AlertKind `json:"kind"`
	Query string    `json:"query"`
	// Minutes is the window; for new patterns how long they are shown as firing.
	Minutes int64 `json:"minutes"`
	// Figure is one of stats, such as count() or p95(duration).
	Figure string `json:"figure,omitempty"`
	// By names a label or field, each value of which is watched apart.
	By string  `json:"by,omitempty"`
	Op AlertOp `json:"op,omitempty"`
	// Value is in percent for a ratio.
	Value float64 `json:"value,omitempty"`
	// Over is the query whose lines are the whole of a ratio.
	Over string `json:"over,omitempty"`
	// Least is how many lines Over must have for a ratio to say anything.
	Least int64 `json:"least,omitempty"`
	// Days is for how long a pattern is remembered.
	Days int64 `json:"days,omitempty"`
}

// AlertOp is how a figure is compared; the words are stored.
type AlertOp string

// The comparisons.
const (
	OpMore    AlertOp = ">"
	OpAtLeast AlertOp = ">="
	OpLess    AlertOp = "<"
	OpAtMost  AlertOp = "<="
)

func (o AlertOp) holds(value, limit float64) bool {
	switch o {
	case OpMore:
		return value > limit
	case OpAtLeast:
		return value >= limit
	case OpLess:
		return value < limit
	}
	return value <= limit
}

// AlertActionType is the kind of channel that is told; the words are stored.
type AlertActionType string

// The types.
const (
	TellMail    AlertActionType = "mail"
	TellSlack   AlertActionType = "slack"
	TellWebhook AlertActionType = "webhook"
	TellGitHub  AlertActionType = "github"
)

// AlertAction is one channel that a firing alert tells.
type AlertAction struct {
	Type AlertActionType `json:"type"`
	// Target is the channel's id.
	Target string `json:"target"`
}

// Alert is a rule about a team's lines: while its condition holds it is firing,
// and tells so.
type Alert struct {
	ID        string
	Team      int64
	Name      string
	Enabled   bool
	Condition AlertCondition
	Actions   []AlertAction
	// Throttle is how many minutes lie at least between two messages that it fires.
	Throttle int64
	// Remind tells again each so many minutes while it goes on firing; 0 does not.
	Remind int64
	// Resolve tells when it is over.
	Resolve bool
	// MutedUntil is when it tells again, in Unix milliseconds.
	MutedUntil int64
}

const (
	maxAlerts       = 200 // of a team
	maxActions      = 10
	maxAlertWindow  = 7 * 24 * 60
	maxAlertQuery   = 4000
	maxAlertWait    = 30 * 24 * 60
	maxPatternDays  = 90
	defaultThrottle = 10
	// maxSubjects is how many groups an alert watches apart.
	maxSubjects = 1000
	// forgetGroups is after how long a group that is silent is forgotten.
	forgetGroups = 7 * 24 * time.Hour
)

// check completes what was left out and refuses what makes no sense.
func (a *Alert) check() error {
	if a.Name = strings.TrimSpace(a.Name); a.Name == "" || utf8.RuneCountInString(a.Name) > 100 || strings.ContainsFunc(a.Name, isControl) {
		return problem.FieldError("name", "use 1 to 100 characters, none of them a control character")
	}
	for field, value := range map[string]int64{"throttle_minutes": a.Throttle, "remind_minutes": a.Remind} {
		if value < 0 || value > maxAlertWait {
			return problem.FieldError(field, "is not between 0 and %d", maxAlertWait)
		}
	}
	if len(a.Actions) > maxActions {
		return problem.FieldError("actions", "name at most %d channels", maxActions)
	}
	for i, act := range a.Actions {
		if act.Type != TellMail && act.Type != TellSlack && act.Type != TellWebhook && act.Type != TellGitHub {
			return problem.FieldError("actions", "%q is none of mail, slack, webhook and github", string(act.Type))
		}
		if act.Target == "" {
			return problem.FieldError("actions", "choose a channel to send to")
		}
		if slices.Contains(a.Actions[:i], act) {
			return problem.FieldError("actions", "names the same channel twice")
		}
	}
	return a.Condition.check()
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// check brings a condition into the form in which it is stored.
func (c *AlertCondition) check() error {
	if err := c.checkQuery(); err != nil {
		return err
	}
	full := *c
	*c = AlertCondition{Kind: full.Kind, Query: full.Query, Minutes: full.Minutes}
	switch c.Kind {
	case WhenThreshold:
		c.Figure, c.By, c.Op, c.Value = cmp.Or(full.Figure, "count()"), full.By, cmp.Or(full.Op, OpMore), full.Value
	case WhenAbsent:
		c.By = full.By
	case WhenRatio:
		c.Op, c.Value, c.Over, c.Least = cmp.Or(full.Op, OpMore), full.Value, full.Over, cmp.Or(full.Least, 1)
		if c.Least < 1 || c.Least > 1_000_000_000 {
			return problem.FieldError("condition.least", "is not between 1 and 1000000000")
		}
		if err := checkFilter("over", c.Over); err != nil {
			return err
		}
	case WhenPattern:
		c.Days, c.Minutes = cmp.Or(full.Days, 7), cmp.Or(full.Minutes, 60)
		if c.Days < 1 || c.Days > maxPatternDays {
			return problem.FieldError("condition.days", "is not between 1 and %d", maxPatternDays)
		}
	default:
		return problem.FieldError("condition.kind", "%q is none of threshold, absence, pattern and ratio", string(c.Kind))
	}
	if c.Minutes = cmp.Or(c.Minutes, 5); c.Minutes < 1 || c.Minutes > maxAlertWindow {
		return problem.FieldError("condition.minutes", "is not between 1 and %d", maxAlertWindow)
	}
	if c.Op != "" && !slices.Contains([]AlertOp{OpMore, OpAtLeast, OpLess, OpAtMost}, c.Op) {
		return problem.FieldError("condition.op", "%q is none of >, >=, < and <=", string(c.Op))
	}
	_, err := c.stats()
	return err
}

// checkQuery takes figure and grouping out of a query that ends in stats, as
// searches do from which alerts are made.
func (c *AlertCondition) checkQuery() error {
	c.Query = strings.TrimSpace(c.Query)
	if len(c.Query) > maxAlertQuery {
		return problem.FieldError("condition.query", "is longer than %d bytes", maxAlertQuery)
	}
	q, err := query.Parse(c.Query)
	if err != nil {
		return misread(err)
	}
	if n := len(q.Pipes); n > 0 && c.Kind == WhenThreshold && c.Figure == "" && c.By == "" {
		s, ok := q.Pipes[n-1].(query.Stats)
		at := strings.LastIndexByte(c.Query, '|')
		if rest, err := query.Parse(c.Query[:max(at, 0)]); ok && err == nil && len(rest.Pipes) == n-1 {
			c.Query = strings.TrimSpace(c.Query[:at])
			if len(s.Calls) != 1 || len(s.By) > 1 || len(s.By) == 1 && s.By[0].Step > 0 {
				return problem.FieldError("condition.query", "ends in stats with more than one figure or more than one name to group by, or groups by time; an alert watches one figure")
			}
			c.Figure = callText(s.Calls[0])
			if len(s.By) == 1 {
				c.By = s.By[0].Field
			}
		}
	}
	return checkFilter("query", c.Query)
}

// callText writes a figure of stats as it is read.
func callText(c query.Call) string {
	if c.Func == "quantile" {
		if percent := math.Round(c.Quantile * 100); slices.Contains([]float64{50, 75, 90, 95, 99}, percent) {
			return fmt.Sprintf("p%g(%s)", percent, fieldText(c.Field))
		}
		return fmt.Sprintf("quantile(%g, %s)", c.Quantile, fieldText(c.Field))
	}
	return c.Func + "(" + fieldText(c.Field) + ")"
}

// fieldText writes a field's name as it is read.
func fieldText(name string) string {
	plain := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '.' && r != '-'
	})
	if plain || name == "" {
		return name
	}
	return quoted(name)
}

// quoted writes a text as a string of the query language.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(text) + `"`
}

// checkFilter lets a query be no more than a condition.
func checkFilter(field, text string) error {
	if len(text) > maxAlertQuery {
		return problem.FieldError("condition."+field, "is longer than %d bytes", maxAlertQuery)
	}
	q, err := query.Parse(text)
	if err != nil {
		p := problem.From(misread(err))
		for i := range p.Fields {
			p.Fields[i].Field = "condition." + field
		}
		return p
	}
	for _, pipe := range q.Pipes {
		if _, ok := pipe.(query.Where); !ok {
			return problem.FieldError("condition."+field, "has pipes that an alert does not take: it counts lines itself; only where may stand behind |")
		}
	}
	return nil
}

// stats is the figure of a condition as a pipe; that of a kind without one is a
// count.
func (c *AlertCondition) stats() (query.Stats, error) {
	figure := cmp.Or(c.Figure, "count()")
	wrong := problem.FieldError("condition.figure", "is no figure such as count() or p95(duration)")
	s, err := statsOf(figure)
	if err != nil || len(s.Calls) != 1 || len(s.By) > 0 {
		return s, wrong
	}
	if c.Figure != "" {
		c.Figure = callText(s.Calls[0])
	}
	c.By = strings.TrimSpace(c.By)
	if c.By == "" {
		return s, nil
	}
	by, err := statsOf("count() by (" + fieldText(strings.Trim(c.By, `"`)) + ")")
	if err != nil || len(by.By) != 1 || by.By[0].Step > 0 || len(by.Calls) != 1 {
		return s, problem.FieldError("condition.by", "is not the name of one label or field")
	}
	c.By = by.By[0].Field
	s.By = by.By
	return s, nil
}

func statsOf(text string) (query.Stats, error) {
	q, err := query.Parse("| stats " + text)
	if err != nil || len(q.Pipes) != 1 {
		return query.Stats{}, problem.New(problem.Invalid, "That is no figure.")
	}
	s, ok := q.Pipes[0].(query.Stats)
	if !ok {
		return s, problem.New(problem.Invalid, "That is no figure.")
	}
	return s, nil
}

// window is how long a time a condition looks at.
func (c AlertCondition) window() time.Duration { return time.Duration(c.Minutes) * time.Minute }

// fewness reports whether lines that are missing can be what is wrong.
func (c AlertCondition) fewness() bool {
	return c.Kind == WhenAbsent || c.Kind == WhenThreshold && (c.Op == OpLess || c.Op == OpAtMost)
}

// met reports whether a value is beyond what is well.
func (c AlertCondition) met(value float64) bool {
	switch c.Kind {
	case WhenAbsent:
		return value == 0
	case WhenPattern:
		return true
	}
	return c.Op.holds(value, c.Value)
}

// worse tells which of two values says more about trouble.
func (c AlertCondition) worse(a, b float64) float64 {
	if c.Kind == WhenAbsent || c.Op == OpLess || c.Op == OpAtMost {
		return min(a, b)
	}
	return max(a, b)
}

// every is how often an alert is looked at: a window of a day need not be read
// each minute.
func (c AlertCondition) every() time.Duration {
	return min(max(c.window()/60, time.Minute), 5*time.Minute).Truncate(time.Minute)
}
