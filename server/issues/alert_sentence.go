package issues

import (
	"fmt"
	"strconv"
	"strings"
)

// sentence says a rule as people would. project is the name of its project, ""
// for all; label gives the name of an action's target.
func (a Alert) sentence(project string, label func(Action) string) string {
	text := a.watches(project)
	var acts []string
	for _, act := range a.Actions {
		acts = append(acts, act.words(label(act)))
	}
	if len(acts) > 0 {
		text += ", " + listed(acts, "and")
	}
	if often := a.often(); often != "" {
		text += ", " + often
	}
	return text + "."
}

// watches is the part of the sentence that says what the rule waits for.
func (a Alert) watches(project string) string {
	text := "When " + a.Condition.words(project)
	if a.Environment != "" {
		text += " in " + a.Environment
	}
	if a.Query != "" {
		text += " and it matches “" + a.Query + "”"
	}
	return text
}

func (c Condition) words(project string) string {
	thing, of := "an error", ""
	if project != "" {
		thing, of = "an error of "+project, " of "+project
	}
	whose := project
	if whose == "" {
		whose = "a project"
	}
	within := "within " + span(c.Minutes)
	switch c.Type {
	case WhenNew:
		return thing + " is new"
	case WhenRegressed:
		return "a resolved error" + of + " comes back"
	case WhenEvents:
		return thing + " happens " + times(c.Count) + " " + within
	case WhenUsers:
		return thing + " hits " + plural(c.Count, "user") + " " + within
	case WhenSpike:
		return fmt.Sprintf("%s has %s times the errors of the same %s last week, and at least %d,", whose, number(c.Factor), strings.TrimPrefix(span(c.Minutes), "1 "), c.Count)
	case WhenCrashFree:
		return fmt.Sprintf("less than %s %% of at least %s of %s %s end without a crash", number(c.Percent), plural(c.Count, "session"), whose, within)
	}
	words := map[MonitorOutcome]string{MonitorMissed: "is missed", MonitorLate: "is late", MonitorFailed: "fails"}
	var list []string
	for _, o := range c.Outcomes {
		list = append(list, words[o])
	}
	return "a monitor" + of + " " + listed(list, "or")
}

func (a Action) words(label string) string {
	switch a.Type {
	case ActMail:
		return "send mail to " + label
	case ActSlack:
		return "post to " + label + " in Slack"
	case ActWebhook:
		return "call the webhook " + label
	case ActGitHub:
		return "report it in GitHub issues by " + label
	}
	return "open an issue in " + a.Target + " at GitHub"
}

// often is the throttle in words.
func (a Alert) often() string {
	if a.Throttle == 0 {
		return ""
	}
	per := "issue"
	switch a.Condition.Type {
	case WhenSpike, WhenCrashFree:
		per = "project"
	case WhenMonitor:
		per = "monitor"
	}
	if one := map[int64]string{1: "a minute", 60: "an hour", 24 * 60: "a day", 7 * 24 * 60: "a week"}[a.Throttle]; one != "" {
		return "at most once " + one + " per " + per
	}
	return "at most every " + span(a.Throttle) + " per " + per
}

// span is a number of minutes in the largest unit that fits.
func span(minutes int64) string {
	switch {
	case minutes%(24*60) == 0 && minutes > 0:
		return plural(minutes/(24*60), "day")
	case minutes%60 == 0 && minutes > 0:
		return plural(minutes/60, "hour")
	}
	return plural(minutes, "minute")
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.FormatInt(n, 10) + " " + what + "s"
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return strconv.FormatInt(n, 10) + " times"
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// listed joins words as in a sentence: a, b and c.
func listed(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}
