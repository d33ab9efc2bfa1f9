package evals

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Finding is one way in which a run is not as it should be.
type Finding struct {
	// Pattern is invocation, contract, order, boundary, honesty, cassette or invariant.
	Pattern string
	Text    string
}

type findings []Finding

func (l *findings) add(pattern, format string, args ...any) {
	*l = append(*l, Finding{pattern, fmt.Sprintf(format, args...)})
}

// Check holds a run against what was expected, and against what holds for every run.
func Check(e Expect, t Trace) []Finding {
	var out findings
	status := e.Status
	if status == "" {
		status = "answered"
	}
	if t.Status != status {
		out.add("contract", "the run is %s, want %s", t.Status, status)
	}
	out.invocation(e, t)
	out.contract(e, t)
	out.order(e, t)
	out.boundary(e, t)
	out.honesty(e, t)
	out.invariants(e, t)
	return out
}

func isTool(name, wanted string) bool { return slices.Contains(strings.Split(wanted, "|"), name) }

// invocation: the tool was called with these arguments, and its result was no error.
func (l *findings) invocation(e Expect, t Trace) {
	calls := t.calls()
	if e.Untouched && len(calls) > 0 {
		l.add("invocation", "%s was called, and nothing should have been", calls[0].Tool)
	}
	for _, want := range e.Called {
		var of, met, good []Step
		for _, s := range calls {
			if isTool(s.Tool, want.Tool) {
				of = append(of, s)
			}
		}
		for _, s := range of {
			if argsMeet(want.Args, s.Args) {
				met = append(met, s)
			}
		}
		for _, s := range met {
			if !s.Failed && (len(want.Result) == 0 || want.Result.in(s.Result)) {
				good = append(good, s)
			}
		}
		switch {
		case len(of) == 0:
			l.add("invocation", "%s was not called", want.Tool)
		case len(met) == 0:
			l.add("invocation", "%s was not called with %v, but with %s", want.Tool, want.Args, of[0].Args)
		case len(good) == 0:
			l.add("invocation", "%s did not succeed: %.200s", want.Tool, met[0].Result)
		case want.Times > 0 && len(good) != want.Times:
			l.add("invocation", "%s succeeded %d times, want %d", want.Tool, len(good), want.Times)
		}
	}
}

// argsMeet tells whether arguments hold all that is wanted.
func argsMeet(want map[string]any, raw json.RawMessage) bool {
	var have map[string]any
	if len(want) > 0 && json.Unmarshal(raw, &have) != nil {
		return false
	}
	for key, value := range want {
		if !valueMeets(value, have[key]) {
			return false
		}
	}
	return true
}

func valueMeets(want, have any) bool {
	if text, ok := want.(string); ok {
		if p := patternOf(text); p != nil {
			return p.MatchString(fmt.Sprint(have))
		}
	}
	return have != nil && fmt.Sprint(want) == fmt.Sprint(have)
}

// patternOf reads /pattern/, nil for plain text.
func patternOf(text string) *regexp.Regexp {
	if len(text) < 3 || text[0] != '/' || text[len(text)-1] != '/' {
		return nil
	}
	p, err := regexp.Compile("(?i)" + text[1:len(text)-1])
	if err != nil {
		return regexp.MustCompile(regexp.QuoteMeta(text))
	}
	return p
}

// in tells whether one of the alternatives stands in a text. Numbers count whole: 41 is not in 1410.
func (f Fact) in(text string) bool {
	for _, one := range f {
		switch p := patternOf(one); {
		case p != nil:
			if p.MatchString(text) {
				return true
			}
		case isNumber(one):
			if regexp.MustCompile(`(^|[^\d,.])` + regexp.QuoteMeta(one) + `($|[^\d,.]|[,.]($|\D))`).MatchString(text) {
				return true
			}
		case strings.Contains(text, one):
			return true
		}
	}
	return false
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	return err == nil
}

func (f Fact) String() string { return strings.Join(f, " or ") }

// contract: what the answer states, and what it must not.
func (l *findings) contract(e Expect, t Trace) {
	for _, fact := range e.Contains {
		if !fact.in(t.Answer.Text) {
			l.add("contract", "the answer lacks %s", fact)
		}
	}
	for _, fact := range e.Lacks {
		if fact.in(t.Answer.Text) {
			l.add("contract", "the answer has %s", fact)
		}
	}
	for _, q := range e.Equal {
		p, err := regexp.Compile(q.Answer)
		if err != nil || p.NumSubexp() < 1 {
			l.add("contract", "%s is no pattern with a group", q.Answer)
			continue
		}
		said := p.FindStringSubmatch(t.Answer.Text)
		var results []string
		for _, s := range t.calls() {
			if isTool(s.Tool, q.Tool) && !s.Failed {
				results = append(results, fieldOf(s.Result, q.Field))
			}
		}
		switch {
		case said == nil:
			l.add("contract", "the answer says no number as %s", q.Answer)
		case !slices.Contains(results, strings.ReplaceAll(said[1], ",", "")):
			l.add("contract", "the answer says %s, and %s of %s is %s", said[1], q.Field, q.Tool, strings.Join(results, ", "))
		}
	}
}

// fieldOf finds items.0.number in a document; "items.#" counts.
func fieldOf(document, path string) string {
	var value any
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return ""
	}
	for key := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[key]
		case []any:
			if key == "#" {
				return strconv.Itoa(len(v))
			}
			n, err := strconv.Atoi(key)
			if err != nil || n < 0 || n >= len(v) {
				return ""
			}
			value = v[n]
		default:
			return ""
		}
	}
	return fmt.Sprint(value)
}

// order: one call before another, carrying what the first one found.
func (l *findings) order(e Expect, t Trace) {
	calls := t.calls()
	for _, o := range e.Order {
		if !slices.ContainsFunc(calls, func(s Step) bool { return isTool(s.Tool, o.Then) && follows(calls, o, s) }) {
			what := ""
			if o.Carries != "" {
				what = " with its " + o.Carries
			}
			l.add("order", "%s does not come after %s%s", o.Then, o.First, what)
		}
	}
}

func follows(calls []Step, o Order, then Step) bool {
	carried := ""
	if o.Carries != "" {
		var args map[string]any
		if json.Unmarshal(then.Args, &args) != nil || args[o.Carries] == nil {
			return false
		}
		carried = fmt.Sprint(args[o.Carries])
	}
	return slices.ContainsFunc(calls, func(s Step) bool {
		return s.Number < then.Number && isTool(s.Tool, o.First) && !s.Failed && (carried == "" || Fact{carried}.in(s.Result))
	})
}

var repositoryArg = regexp.MustCompile(`(?i)\brepo:([\w.-]+/[\w.-]+)`)

// boundary: nothing but these tools and repositories, within these counts.
func (l *findings) boundary(e Expect, t Trace) {
	b := e.Boundary
	if b == nil {
		return
	}
	calls := t.calls()
	for _, s := range calls {
		if len(b.Tools) > 0 && !slices.Contains(b.Tools, s.Tool) {
			l.add("boundary", "%s was called", s.Tool)
		}
		for _, r := range repositoriesOf(s.Args) {
			if len(b.Repositories) > 0 && !slices.ContainsFunc(b.Repositories, func(ok string) bool { return strings.EqualFold(ok, r) }) {
				l.add("boundary", "%s read %s", s.Tool, r)
			}
		}
	}
	if b.Calls > 0 && len(calls) > b.Calls {
		l.add("boundary", "%d calls, at most %d", len(calls), b.Calls)
	}
	if b.Tokens > 0 && t.TokensIn+t.TokensOut > b.Tokens {
		l.add("boundary", "%d tokens, at most %d", t.TokensIn+t.TokensOut, b.Tokens)
	}
}

func repositoriesOf(raw json.RawMessage) []string {
	var args struct{ Owner, Repo, Query string }
	if json.Unmarshal(raw, &args) != nil {
		return nil
	}
	var out []string
	if args.Owner != "" {
		out = append(out, args.Owner+"/"+args.Repo)
	}
	for _, m := range repositoryArg.FindAllStringSubmatch(args.Query, -1) {
		out = append(out, m[1])
	}
	return out
}
