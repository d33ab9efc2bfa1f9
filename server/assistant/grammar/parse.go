package grammar

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// MaxQuestion is how long a question may be, in bytes; the rest is not read.
const MaxQuestion = 2000

// Names are what exists, so that a question can name it.
type Names struct {
	// Things are pipelines, services and bundles; People are logins and names; Labels those of the repository.
	Things, People, Labels []string
}

var (
	repoForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*/[a-z0-9_.-]+$`)
	versionForm = regexp.MustCompile(`^v?\d+\.\d+(\.\d+)?([-+][a-z0-9.]+)?$`)
	shortForm   = regexp.MustCompile(`^[a-z][a-z0-9-]*-\d+$`)
	numberForm  = regexp.MustCompile(`^#?\d{1,7}$`)
	mentionForm = regexp.MustCompile(`<@[A-Za-z0-9]+(\|[^>]*)?>`)
	quotedForm  = regexp.MustCompile(`["“]([^"”]{2,80})["”]`)
)

// Parse reads a question. now carries the asker's zone.
func Parse(question string, now time.Time, names Names) Reading {
	var r Reading
	if len(question) > MaxQuestion {
		question = strings.ToValidUTF8(question[:MaxQuestion], "")
	}
	question = mentionForm.ReplaceAllString(question, " ")
	if m := quotedForm.FindStringSubmatch(question); m != nil {
		r.Text = m[1]
		question = strings.Replace(question, m[0], " ", 1)
	}
	words := split(question)
	for at := 0; at < len(words); {
		at += r.take(words[at:], now, names)
	}
	r.settle(words)
	return r
}

// split makes words: lower case, without punctuation around them and without apostrophes' s.
func split(question string) []string {
	var words []string
	for _, w := range strings.Fields(strings.ToLower(strings.ReplaceAll(question, "’", "'"))) {
		w = strings.TrimFunc(w, func(c rune) bool { return unicode.IsPunct(c) && c != '#' || unicode.IsSymbol(c) })
		switch {
		case w == "what's" || w == "whats":
			words = append(words, "what")
			continue
		case w == "who's":
			words = append(words, "who", "is")
			continue
		case strings.HasPrefix(w, "pr#") || strings.HasPrefix(w, "issue#"):
			head, number, _ := strings.Cut(w, "#")
			words = append(words, head, "#"+number)
			continue
		}
		if w != "" {
			words = append(words, w)
		}
	}
	return words
}

// take reads what stands at the beginning of words and tells how many it has read.
func (r *Reading) take(words []string, now time.Time, names Names) int {
	if used := longest(words); used > 0 {
		// "last" alone is the latest; with an unit behind it is a stretch of time.
		if span, n := spanAt(words, now); n > used || n > 0 && n == used && words[0] != "last" {
			r.Time = &span
			return n
		}
		phraseAt(words, used)(r)
		return used
	}
	if span, n := spanAt(words, now); n > 0 {
		r.Time = &span
		return n
	}
	w := words[0]
	if w == "about" || w == "mentioning" || w == "containing" {
		return 1 + r.takeText(words[1:], now)
	}
	if person, used := r.personAt(words, names); used > 0 {
		r.Person = person
		return used
	}
	switch {
	case repoForm.MatchString(w):
		r.Repo = w
	case versionForm.MatchString(w):
		r.Versions = append(r.Versions, w)
	case numberForm.MatchString(w) && r.Number == 0:
		r.Number, _ = strconv.Atoi(strings.TrimPrefix(w, "#"))
	case r.takeName(w, names):
	case shortForm.MatchString(w) && r.ShortID == "":
		r.ShortID = strings.ToUpper(w)
	case silent[w]:
	default:
		return r.takeTypo(words, now, names)
	}
	return 1
}

// loginForm is what GitHub allows as a name, and what bots are called.
var loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,38}(\[bot\]?)?$`)

// personAt reads "by bob", "from bob" and "bob's": names of people need not be known.
func (r *Reading) personAt(words []string, names Names) (string, int) {
	w := words[0]
	if bare, own := strings.CutSuffix(w, "'s"); own && loginForm.MatchString(bare) && !silent[w] && longest([]string{bare}) == 0 && !slices.Contains(lower(names.Things), bare) {
		return bare, 1
	}
	if (w == "by" || w == "from" || w == "to") && len(words) > 1 {
		bare := strings.TrimPrefix(words[1], "@")
		if loginForm.MatchString(bare) && !silent[bare] && longest(words[1:]) == 0 && !versionForm.MatchString(bare) && !numberForm.MatchString(bare) && !slices.Contains(lower(names.Things), bare) && (w == "by" || r.wantsPerson(w)) {
			return bare, 2
		}
	}
	return "", 0
}

// wantsPerson tells whether "from" and "to" stand before a person: "PRs from bob", "assigned to bob".
func (r *Reading) wantsPerson(w string) bool {
	return w == "from" && r.Entity == Pull || w == "to" && r.assigned
}

func lower(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(s)
	}
	return out
}

// takeName finds things that exist: as they are called, or with a possessive s.
func (r *Reading) takeName(w string, names Names) bool {
	bare := strings.TrimSuffix(w, "'s")
	is := func(list []string, w string) string {
		if i := slices.IndexFunc(list, func(n string) bool { return strings.EqualFold(n, w) }); i >= 0 {
			return list[i]
		}
		return ""
	}
	if n := is(names.People, bare); n != "" {
		r.Person = n
		return true
	}
	if n := is(names.Things, bare); n != "" && r.Name == "" {
		r.Name = n
		return true
	}
	if n := is(names.Labels, bare); n != "" {
		label(n)(r)
		return true
	}
	return false
}

// takeText reads what follows "about" until a time begins.
func (r *Reading) takeText(words []string, now time.Time) int {
	n := 0
	for n < len(words) {
		if _, used := spanAt(words[n:], now); used > 0 {
			break
		}
		n++
	}
	if n > 0 {
		r.Text = strings.TrimSpace(r.Text + " " + strings.Join(words[:n], " "))
	}
	return n
}

// takeTypo reads a word that is one letter away from a known one; else it is left over.
func (r *Reading) takeTypo(words []string, now time.Time, names Names) int {
	w := words[0]
	if len(w) >= 5 {
		for _, p := range phrases {
			if !strings.Contains(p.words, " ") && len(p.words) >= 5 && near(w, p.words) {
				return r.take(append([]string{p.words}, words[1:]...), now, names)
			}
		}
	}
	r.Left = append(r.Left, w)
	return 1
}

// longest is the length of the longest phrase at the beginning of words, in words.
func longest(words []string) int {
	best := 0
	for _, p := range phrases {
		best = max(best, begins(words, p.words))
	}
	return best
}

func phraseAt(words []string, used int) func(*Reading) {
	said := strings.Join(words[:used], " ")
	for _, p := range phrases {
		if p.words == said {
			return p.says
		}
	}
	return nothing
}

// settle decides what several words say only together.
func (r *Reading) settle(words []string) {
	switch {
	case r.Entity == Nothing && r.Op == Compare:
		r.Entity = Release
	case r.Entity == Nothing && r.SinceRelease:
		r.Entity = Error
	case r.Entity == Nothing && r.ShortID != "":
		r.Entity = Error
	case r.Entity == Nothing && r.happened:
		r.Entity = Happening
	}
	if r.Entity == Error && r.Name != "" && r.Time != nil {
		r.Entity = Log // errors of a service within a stretch of time are lines: "errors in payments in the last hour"
	}
	if r.Op == "" {
		r.Op = List
	}
	// "approved by me", "assigned to nobody" and the like are said by their phrases; "i" of "can i merge" is no filter.
	if r.Has("mergeable") && !slices.Contains(words, "my") {
		r.Mine = false
	}
	if r.Op == Change || r.Op == Greet {
		r.Left = nil
	}
}

// near tells whether one letter was added, left out, changed or swapped with its neighbour.
func near(a, b string) bool {
	if a == b {
		return true
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}
