package assistant

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/signalbox/signalbox/server/assistant/grammar"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// plan is a fixed way to an answer: which readings it fits, and the calls and
// joins that it takes. The first that fits is taken.
type plan struct {
	name    string
	example string
	fits    func(grammar.Reading) bool
	run     func(*asked, context.Context) (string, error)
}

// plans are in order: the more particular first.
var plans []plan

func init() { plans = slices.Concat(githubPlans(), portalPlans(), edgePlans()) } // they call back into the list for their examples

func is(e grammar.Entity, ops ...grammar.Op) func(grammar.Reading) bool {
	return func(r grammar.Reading) bool { return r.Entity == e && (len(ops) == 0 || slices.Contains(ops, r.Op)) }
}

func with(fits func(grammar.Reading) bool, states ...string) func(grammar.Reading) bool {
	return func(r grammar.Reading) bool {
		return fits(r) && slices.ContainsFunc(states, r.Has)
	}
}

// plan answers by the first plan that fits, or says honestly why not.
func (a *asked) plan(ctx context.Context) (Answer, Status, error) {
	r := a.reading
	switch {
	case strings.TrimSpace(a.question.Text) == "" || r.Op == grammar.Greet && r.Entity == grammar.Nothing:
		return a.help("Ask me about pipelines, errors, logs, patches and GitHub. For example:"), Answered, nil
	case a.isOrder():
		answer, status, err := a.order(ctx)
		if said := (*saying)(nil); errors.As(err, &said) {
			return Answer{Text: said.text}, said.status, nil
		}
		return answer, status, err
	case r.Op == grammar.Judge:
		return a.help("That asks for a judgement, which needs a language model, and none is set up here. What I can look up:"), Refused, nil
	case len(r.Left) > 0:
		return a.help("I did not understand " + quoted(r.Left) + ", and will not guess. The closest that I can do:"), Refused, nil
	}
	for _, p := range plans {
		if !p.fits(r) {
			continue
		}
		text, err := p.run(a, ctx)
		if said := (*saying)(nil); errors.As(err, &said) {
			return Answer{Text: said.text}, said.status, nil
		}
		if err != nil {
			return Answer{}, Failed, err
		}
		return Answer{Text: text}, Answered, nil
	}
	return a.help("I cannot answer that. The closest that I can do:"), Refused, nil
}

// saying ends a plan with a sentence instead of an answer.
type saying struct {
	text   string
	status Status
}

func (s *saying) Error() string { return s.text }

func refuse(text string) error { return &saying{text, Refused} }

func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = "“" + plain(w) + "”"
	}
	return strings.Join(out, ", ")
}

// help names three questions that would be answered, the nearest first.
func (a *asked) help(opening string) Answer {
	try := []string{"Which builds are failing?", "What new errors came in today?", "What PRs were merged this week?"}
	if a.reading.Entity != grammar.Nothing {
		try = a.nearest()
	}
	return Answer{Text: opening + list(try, len(try), func(s string) string { return s }), Try: try}
}

// nearest are the examples that have most in common with the question: what it is about, its number, its words.
func (a *asked) nearest() []string {
	stems := stemsOf(a.question.Text)
	of := map[string]int{}
	var try []string
	for _, p := range plans {
		if p.example == "" {
			continue
		}
		score, example := 0, p.example
		read := grammar.Parse(example, a.now, grammar.Names{})
		if read.Entity == a.reading.Entity {
			score += 10
		}
		if read.Number > 0 && a.reading.Number > 0 {
			score++
			example = strings.ReplaceAll(example, strconv.Itoa(read.Number), strconv.Itoa(a.reading.Number))
		}
		for stem := range stemsOf(example) {
			if stems[stem] {
				score++
			}
		}
		try, of[example] = append(try, example), score
	}
	slices.SortStableFunc(try, func(x, y string) int { return of[y] - of[x] })
	return try[:min(3, len(try))]
}

// stemsOf are the beginnings of a text's longer words.
func stemsOf(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return !unicode.IsLetter(c) }) {
		if len(w) > 4 {
			out[w[:5]] = true
		}
	}
	return out
}

// repository is the one that is asked about: named, of the page, or the team's usual one.
func (a *asked) repository() (string, error) {
	allowed := a.settings.Repositories
	named := a.reading.Repo
	if named == "" {
		for _, r := range []string{a.question.Repository, a.settings.DefaultRepository} {
			if r != "" && named == "" {
				named = r
			}
		}
	}
	if named == "" && len(allowed) == 1 {
		named = allowed[0]
	}
	switch i := slices.IndexFunc(allowed, func(r string) bool { return strings.EqualFold(r, named) }); {
	case i >= 0:
		return allowed[i], nil
	case len(allowed) == 0:
		return "", refuse("No repository may be read yet. An owner of the team adds it under Assistant, Settings.")
	case named == "":
		return "", refuse("Which repository? I may read " + strings.Join(allowed, ", ") + ".")
	}
	return "", refuse(plain(named) + " is not on this team's list of repositories, so I did not look. An owner of the team adds it under Assistant, Settings.")
}

// missing tells an answer of "there is none" from trouble.
func missing(err error) bool { return problem.Is(err, problem.NotFound) }

// when says the stretch of time that an answer is about.
func (a *asked) when() string {
	if a.reading.Time == nil {
		return ""
	}
	return " (" + a.reading.Time.Words + ")"
}
