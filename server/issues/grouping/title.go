package grouping

import (
	"strings"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

const (
	maxTitle   = 250
	maxCulprit = 200
)

// untitled stands for events that say nothing.
const untitled = "(no message)"

// title is what a list shows: "Type: first line of value".
func title(e *sentry.Event) (whole, kind, value string) {
	if n := len(e.Exceptions); n > 0 {
		x := &e.Exceptions[n-1]
		kind, value = x.Type, firstLine(x.Value)
		// A signal's name is the same for every crash; a message that came with
		// a stack (synthetic too, but without a type) has its own words.
		if x.Mechanism != nil && x.Mechanism.Synthetic && kind != "" {
			if f := crashFrame(x.Stack); f != nil && f.Function != "" && f.Function != "?" {
				kind = f.Function
			}
		}
	}
	if kind == "" && value == "" {
		value = firstLine(e.Message.Text())
	}
	if kind == "" && value == "" && e.Feedback != nil {
		kind, value = "User feedback", firstLine(e.Feedback.Message)
	}
	switch {
	case kind != "" && value != "":
		whole = kind + ": " + value
	case kind != "":
		whole = kind
	case value != "":
		whole = value
	case e.Transaction != "":
		whole = e.Transaction
	default:
		whole = untitled
	}
	return clip(whole, maxTitle), clip(kind, maxTitle), clip(value, maxTitle)
}

// culprit is the transaction, what an old client said, or the place of the crash.
func culprit(e *sentry.Event) string {
	switch {
	case e.Transaction != "":
		return clip(e.Transaction, maxCulprit)
	case e.Culprit != "":
		return clip(e.Culprit, maxCulprit)
	case e.Security != nil:
		return clip(e.Security.Directive, maxCulprit)
	}
	f := crashFrameOf(e)
	if f == nil {
		return ""
	}
	function := f.Function
	if function == "?" {
		function = ""
	}
	place, between := f.Module, "."
	if place == "" {
		place, between = f.Filename, " in "
	}
	switch {
	case place == "":
		return clip(function, maxCulprit)
	case function == "":
		return clip(place, maxCulprit)
	case between == "." && strings.HasPrefix(function, place+"."):
		return clip(function, maxCulprit)
	}
	return clip(place+between+function, maxCulprit)
}

// crashFrameOf is the frame that a person would look at first.
func crashFrameOf(e *sentry.Event) *sentry.Frame {
	for i := len(e.Exceptions) - 1; i >= 0; i-- {
		if f := crashFrame(e.Exceptions[i].Stack); f != nil {
			return f
		}
	}
	if t := e.CrashThread(); t != nil {
		return crashFrame(t.Stack)
	}
	return crashFrame(e.Stack)
}

// crashFrame is the innermost frame of the user's code, else the innermost.
func crashFrame(s *sentry.Stack) *sentry.Frame {
	if s == nil || len(s.Frames) == 0 {
		return nil
	}
	for i := len(s.Frames) - 1; i >= 0; i-- {
		if s.Frames[i].InApp {
			return &s.Frames[i]
		}
	}
	return &s.Frames[len(s.Frames)-1]
}

func clip(s string, max int) string {
	if len(s) <= max {
		return s
	}
	n := max - len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
