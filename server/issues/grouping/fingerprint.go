package grouping

import (
	"strings"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// variable gives the name inside "{{ name }}".
func variable(part string) (string, bool) {
	inner, ok := strings.CutPrefix(strings.TrimSpace(part), "{{")
	if !ok {
		return "", false
	}
	inner, ok = strings.CutSuffix(inner, "}}")
	return strings.TrimSpace(inner), ok
}

func isDefault(part string) bool {
	name, ok := variable(part)
	return ok && name == "default"
}

// fingerprint hashes the given parts. With {{ default }} among them there is
// one hash for each hash of the standard grouping.
func (g *grouper) fingerprint(parts []string, from string) []Hash {
	defaults := []Hash{{}}
	for _, part := range parts {
		if isDefault(part) {
			defaults = g.standard()
			break
		}
	}
	values := make([]string, len(parts))
	for i, part := range parts {
		values[i] = part
		if name, ok := variable(part); ok && name != "default" {
			values[i] = first(g.e, name)
		}
	}
	var hashes []Hash
	for _, d := range defaults {
		g.start(KindFingerprint)
		for i, part := range parts {
			if isDefault(part) {
				g.add(d.Value)
			} else {
				g.add(values[i])
			}
		}
		hashes = append(hashes, g.sum(KindFingerprint))
	}
	if !g.terse {
		why := []Reason{{KindFingerprint, from + ": " + strings.Join(values, ", ") + ".", values}}
		g.why = append(why, g.why...)
	}
	return hashes
}

// first is the value of a variable: of the properties with several values the
// one nearest to the crash.
func first(e *sentry.Event, name string) string {
	if known := matcherNames[name]; known != "" {
		name = known
	}
	if name == "function" || name == "module" || name == "path" || name == "package" {
		f := crashFrameOf(e)
		if f == nil {
			return "<no-" + name + ">"
		}
		return map[string]string{"function": f.Function, "module": f.Module, "path": f.AbsPath, "package": f.Package}[name]
	}
	value := "<no-" + name + ">"
	properties(e, name, func(v string) bool {
		if v != "" {
			value = v
		}
		return true // the last exception is the thrown one
	})
	return value
}

func expandTitle(title string, e *sentry.Event) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(title, "{{")
		b.WriteString(before)
		if !ok {
			break
		}
		name, after, ok := strings.Cut(rest, "}}")
		if !ok {
			b.WriteString("{{" + rest)
			break
		}
		b.WriteString(first(e, strings.TrimSpace(name)))
		title = after
	}
	return clip(b.String(), maxTitle)
}

// properties calls each with every value of the named property until it says
// false.
func properties(e *sentry.Event, name string, each func(string) bool) {
	switch name {
	case "type":
		for i := range e.Exceptions {
			if !each(e.Exceptions[i].Type) {
				return
			}
		}
	case "value":
		for i := range e.Exceptions {
			if !each(e.Exceptions[i].Value) {
				return
			}
		}
	case "message":
		if !each(e.Message.Formatted) || !each(e.Message.Template) {
			return
		}
		for i := range e.Exceptions {
			if !each(e.Exceptions[i].Value) {
				return
			}
		}
	case "module", "function", "path", "package":
		frameProperties(e, name, each)
	case "level":
		each(e.Level)
	case "logger":
		each(e.Logger)
	case "release":
		each(e.Release)
	case "environment":
		each(e.Environment)
	case "transaction":
		each(e.Transaction)
	case "platform":
		each(e.Platform)
	default:
		if tag, ok := strings.CutPrefix(name, "tags."); ok {
			for i := range e.Tags {
				if e.Tags[i].Key == tag && !each(e.Tags[i].Value) {
					return
				}
			}
		}
	}
}

func frameProperties(e *sentry.Event, name string, each func(string) bool) {
	stacks := make([]*sentry.Stack, 0, len(e.Exceptions)+2)
	for i := range e.Exceptions {
		stacks = append(stacks, e.Exceptions[i].Stack)
	}
	if t := e.CrashThread(); t != nil {
		stacks = append(stacks, t.Stack)
	}
	for _, s := range append(stacks, e.Stack) {
		if s == nil {
			continue
		}
		for i := range s.Frames {
			f := &s.Frames[i]
			more := true
			switch name {
			case "module":
				more = each(f.Module)
			case "function":
				more = each(f.Function)
			case "package":
				more = each(f.Package)
			default:
				more = each(f.AbsPath) && each(f.Filename)
			}
			if !more {
				return
			}
		}
	}
}

// glob matches a whole text: * is any text, ? one character; case does not
// matter. It goes back only to the last star, so it is linear for each star.
func glob(pattern, s string) bool {
	pattern, s = strings.ToLower(pattern), strings.ToLower(s)
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == '?':
			_, n := utf8.DecodeRuneInString(s[i:])
			i += n
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
