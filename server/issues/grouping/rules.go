package grouping

import (
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// Rule gives events that match all of its matchers a fingerprint.
type Rule struct {
	// Text is the rule as written.
	Text        string
	Matchers    []Matcher
	Fingerprint []string
	// Title replaces the title when it is not empty.
	Title string
}

// Matcher compares one property of an event with a pattern. A property with
// several values (types of a chain, functions of a stack) matches when one does.
type Matcher struct {
	Name string
	// Pattern has * for any text and ? for one character; case does not matter.
	Pattern string
	Negated bool
}

// RuleError says what is wrong in which line, as a sentence.
type RuleError struct {
	// Line and Column count from 1.
	Line, Column int
	Sentence     string
}

func (e *RuleError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Sentence) }

// maxRules bounds what one project may ask to be tried for every event.
const maxRules = 500

// matcherNames maps what may be written to what it means; Sentry's longer
// names are taken as well.
var matcherNames = map[string]string{
	"type": "type", "error.type": "type",
	"value": "value", "error.value": "value",
	"message": "message",
	"module":  "module", "stack.module": "module",
	"function": "function", "stack.function": "function",
	"path": "path", "stack.abs_path": "path",
	"package": "package", "stack.package": "package",
	"level": "level", "logger": "logger", "release": "release", "environment": "environment",
	"transaction": "transaction", "platform": "platform",
}

// ParseRules reads one rule a line:
//
//	type:DatabaseError function:connect* -> database-down, {{ transaction }}
//	message:"connection * lost" !tags.region:eu* -> lost title="Connection lost"
//
// Empty lines and lines that begin with # are passed over.
func ParseRules(text string) ([]Rule, error) {
	var rules []Rule
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if len(rules) >= maxRules {
			return nil, &RuleError{n, 1, fmt.Sprintf("There are more than %d rules.", maxRules)}
		}
		rule, err := parseRule(line)
		if err != nil {
			err.Line = n
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func parseRule(line string) (Rule, *RuleError) {
	rule := Rule{Text: line}
	p := ruleScanner{s: line}
	for {
		p.space()
		if p.i >= len(p.s) {
			return rule, p.fail("An arrow and a fingerprint are missing: type:KeyError -> my-fingerprint.")
		}
		if p.take("->") {
			break
		}
		m, err := p.matcher()
		if err != nil {
			return rule, err
		}
		rule.Matchers = append(rule.Matchers, m)
	}
	if len(rule.Matchers) == 0 {
		return rule, p.fail("A matcher is missing before the arrow: type:KeyError -> my-fingerprint.")
	}
	for {
		p.space()
		if p.take(",") {
			continue
		}
		if p.i >= len(p.s) {
			break
		}
		if p.take(`title=`) {
			rule.Title = p.word(" ,")
			continue
		}
		part := p.part()
		if part == "" {
			return rule, p.fail("A quotation or a {{ variable }} does not end.")
		}
		rule.Fingerprint = append(rule.Fingerprint, part)
	}
	if len(rule.Fingerprint) == 0 {
		return rule, p.fail("A fingerprint is missing behind the arrow.")
	}
	return rule, nil
}

type ruleScanner struct {
	s string
	i int
}

func (p *ruleScanner) fail(sentence string) *RuleError {
	return &RuleError{Column: min(p.i, len(p.s)) + 1, Sentence: sentence}
}

func (p *ruleScanner) space() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\t') {
		p.i++
	}
}

func (p *ruleScanner) take(s string) bool {
	if strings.HasPrefix(p.s[p.i:], s) {
		p.i += len(s)
		return true
	}
	return false
}

func (p *ruleScanner) matcher() (Matcher, *RuleError) {
	m := Matcher{Negated: p.take("!")}
	start := p.i
	colon := strings.IndexByte(p.s[p.i:], ':')
	if colon <= 0 || strings.ContainsAny(p.s[p.i:p.i+colon], " \t\"") {
		return m, p.fail("A matcher is written name:pattern, for example type:KeyError.")
	}
	name := p.s[p.i : p.i+colon]
	p.i += colon + 1
	switch known := matcherNames[name]; {
	case known != "":
		m.Name = known
	case strings.HasPrefix(name, "tags.") && len(name) > len("tags."):
		m.Name = name
	default:
		p.i = start
		return m, p.fail(fmt.Sprintf("There is no matcher %q; known are type, value, message, module, function, path, package, level, logger, release, environment, transaction, platform and tags.NAME.", name))
	}
	if m.Pattern = p.word(" \t"); m.Pattern == "" {
		return m, p.fail(fmt.Sprintf("The pattern of %s is missing.", name))
	}
	return m, nil
}

// word reads a quoted text or everything up to one of the end characters.
func (p *ruleScanner) word(end string) string {
	if p.i < len(p.s) && p.s[p.i] == '"' {
		var b strings.Builder
		for j := p.i + 1; j < len(p.s); j++ {
			switch p.s[j] {
			case '\\':
				if j+1 < len(p.s) && p.s[j+1] == '"' {
					j++
				}
			case '"':
				p.i = j + 1
				return b.String()
			}
			b.WriteByte(p.s[j])
		}
		return ""
	}
	n := strings.IndexAny(p.s[p.i:], end)
	if n < 0 {
		n = len(p.s) - p.i
	}
	w := p.s[p.i : p.i+n]
	p.i += n
	return w
}

// part reads one part of a fingerprint: a word, a quotation, or {{ variable }}.
func (p *ruleScanner) part() string {
	if strings.HasPrefix(p.s[p.i:], "{{") {
		end := strings.Index(p.s[p.i:], "}}")
		if end < 0 {
			return ""
		}
		part := "{{ " + strings.TrimSpace(p.s[p.i+2:p.i+end]) + " }}"
		p.i += end + 2
		return part
	}
	return p.word(" ,\t")
}

func firstMatch(rules []Rule, e *sentry.Event) *Rule {
	for i := range rules {
		if rules[i].Matches(*e) {
			return &rules[i]
		}
	}
	return nil
}

// Matches says whether the rule applies to the event.
func (r *Rule) Matches(e sentry.Event) bool {
	for i := range r.Matchers {
		if r.Matchers[i].matches(&e) == r.Matchers[i].Negated {
			return false
		}
	}
	return len(r.Matchers) > 0
}

func (m *Matcher) matches(e *sentry.Event) bool {
	found := false
	properties(e, m.Name, func(v string) bool {
		found = glob(m.Pattern, v)
		return !found
	})
	return found
}
