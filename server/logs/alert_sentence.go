package logs

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// sentence says an alert as people would. label gives the name of a channel.
func (a Alert) sentence(label func(AlertAction) string) string {
	var acts []string
	for _, act := range a.Actions {
		switch act.Type {
		case TellMail:
			acts = append(acts, "send mail to "+label(act))
		case TellSlack:
			acts = append(acts, "post to "+label(act)+" in Slack")
		case TellGitHub:
			acts = append(acts, "report it in GitHub issues by "+label(act))
		default:
			acts = append(acts, "call the webhook "+label(act))
		}
	}
	text := "When " + a.Condition.words()
	if len(acts) == 0 {
		return text + ", show it here and tell nobody."
	}
	text += ", " + listed(acts)
	if a.Resolve {
		text += ", and again when it is over"
	}
	if a.Throttle > 0 {
		text += ", at most every " + strings.TrimPrefix(span(a.Throttle), "1 ")
	}
	if a.Remind > 0 {
		text += "; remind every " + strings.TrimPrefix(span(a.Remind), "1 ") + " while it lasts"
	}
	return text + "."
}

var opWords = map[AlertOp]string{OpMore: "more than", OpAtLeast: "at least", OpLess: "less than", OpAtMost: "at most"}

// lines is a query as the subject of a sentence.
func linesOf(query string) string {
	if query == "" {
		return "lines"
	}
	return "lines of “" + query + "”"
}

func (c AlertCondition) words() string {
	within := "within " + span(c.Minutes)
	each := ""
	if c.By != "" {
		each = " for one " + c.By
	}
	switch c.Kind {
	case WhenAbsent:
		return "there are no " + linesOf(c.Query) + each + " " + within
	case WhenRatio:
		text := fmt.Sprintf("%s are %s %s %% of the %s %s", linesOf(c.Query), opWords[c.Op], number(c.Value), linesOf(c.Over), within)
		if c.Least > 1 {
			text += " and those are at least " + number(float64(c.Least))
		}
		return text
	case WhenPattern:
		return linesOf(c.Query) + " have a message of a kind not seen for " + span(c.Days*24*60)
	}
	if c.Figure == "count()" {
		return "there are " + opWords[c.Op] + " " + number(c.Value) + " " + linesOf(c.Query) + each + " " + within
	}
	return c.Figure + " of the " + linesOf(c.Query) + each + " is " + opWords[c.Op] + " " + number(c.Value) + " " + within
}

// why says what was found about a subject.
func (c AlertCondition) why(r observed) string {
	within := "within " + span(c.Minutes)
	of := ""
	if c.By != "" {
		of = " of " + c.By + " " + cmp.Or(r.subject, "(none)")
	}
	switch c.Kind {
	case WhenAbsent:
		return "No " + linesOf(c.Query) + of + " " + within + "."
	case WhenPattern:
		return "New kind of message: " + r.subject
	case WhenRatio:
		counts := ""
		if r.whole > 0 {
			counts = fmt.Sprintf(" (%d of %d lines)", r.part, r.whole)
		}
		return number(rounded(r.value)) + " %" + counts + " " + within + "; the limit is " + opWords[c.Op] + " " + number(c.Value) + " %."
	}
	limit := "; the limit is " + opWords[c.Op] + " " + number(c.Value) + "."
	if c.Figure == "count()" {
		return plural(int64(r.value), "line") + of + " " + within + limit
	}
	return c.Figure + of + " was " + number(rounded(r.value)) + " " + within + limit
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

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// rounded leaves as many digits as people read.
func rounded(f float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 4, 64), 64) // it was just written
	return r
}

// listed joins words as in a sentence: a, b and c.
func listed(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
