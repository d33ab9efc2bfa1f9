// Package mask takes secrets out of log lines before they are kept. It is pure:
// rules and records in, records out.
//
// Three things find a secret: the name in front of it (a field password, or
// password=… in the text), its form (tokens of known makers, web tokens, numbers of
// payment cards), and a team's own expressions. What is found becomes Masked.
// Labels of streams are left alone: they are chosen by people and are few.
//
// Every line that comes in passes through here, so what is cheap decides first:
// a line without = or : has no names, one without long runs of digits no cards.
package mask

import (
	"regexp"
	"strings"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Masked stands where something was.
const Masked = "[masked]"

const (
	maxKeys       = 100
	maxPatterns   = 20
	maxExpression = 500
)

// Rules are what a team wants masked.
type Rules struct {
	// Secrets masks what usual names and forms give away, Cards numbers of cards.
	Secrets bool `json:"secrets"`
	Cards   bool `json:"cards"`
	// Keys are further names, Patterns further expressions.
	Keys     []string `json:"keys"`
	Patterns []string `json:"patterns"`
}

// Default are the rules of a team that has said nothing.
func Default() Rules {
	return Rules{Secrets: true, Cards: true, Keys: []string{}, Patterns: []string{}}
}

// secretKeys are names of secrets, folded: lower case without _ - and spaces.
var secretKeys = []string{"password", "passwd", "pwd", "passphrase", "secret", "clientsecret", "token", "accesstoken", "refreshtoken", "idtoken", "authtoken", "apitoken", "apikey", "xapikey",
	"secretkey", "secretaccesskey", "awssecretaccesskey", "privatekey", "authorization", "proxyauthorization", "cookie", "setcookie", "sessionid", "cvv", "cardnumber", "creditcard"}

// maxKey is how long a folded name may be; longer ones are no names of secrets.
const maxKey = 64

// forms are secrets by their form. Each begins with letters that are rare, which
// are looked for first.
var forms = []struct {
	begin string
	rest  *regexp.Regexp
}{
	{"eyJ", regexp.MustCompile(`^eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(\.[A-Za-z0-9_-]*){1,3}`)},
	{"gh", regexp.MustCompile(`^gh[pousr]_[A-Za-z0-9]{30,}`)},
	{"github_pat_", regexp.MustCompile(`^github_pat_[A-Za-z0-9_]{30,}`)},
	{"glpat-", regexp.MustCompile(`^glpat-[A-Za-z0-9_-]{20,}`)},
	{"xox", regexp.MustCompile(`^xox[abeprs]-[A-Za-z0-9-]{10,}`)},
	{"sk", regexp.MustCompile(`^sk[-_](live_|test_|ant-|proj-)?[A-Za-z0-9_-]{20,}`)},
	{"AKIA", regexp.MustCompile(`^AKIA[A-Z0-9]{16}`)},
	{"ASIA", regexp.MustCompile(`^ASIA[A-Z0-9]{16}`)},
	{"AIza", regexp.MustCompile(`^AIza[A-Za-z0-9_-]{35}`)},
	{"npm_", regexp.MustCompile(`^npm_[A-Za-z0-9]{36}`)},
	{"sbx_", regexp.MustCompile(`^sbx_[A-Za-z0-9_-]{16,}`)},
	{"-----BEGIN ", regexp.MustCompile(`^-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\s\\]*(-----END [A-Z ]*PRIVATE KEY-----)?`)},
}

// Masker is compiled rules; it may be used by several at once.
type Masker struct {
	rules    Rules
	keys     map[string]bool
	patterns []*regexp.Regexp
}

// Compile checks rules; the error names what is wrong.
func Compile(r Rules) (*Masker, error) {
	m := &Masker{rules: r, keys: map[string]bool{}}
	if len(r.Keys) > maxKeys {
		return nil, problem.FieldError("keys", "There may be %d names.", maxKeys)
	}
	if len(r.Patterns) > maxPatterns {
		return nil, problem.FieldError("patterns", "There may be %d expressions.", maxPatterns)
	}
	if r.Secrets {
		for _, key := range secretKeys {
			m.keys[key] = true
		}
	}
	for _, key := range r.Keys {
		folded := string(fold(nil, key))
		if folded == "" || len(key) > maxKey {
			return nil, problem.FieldError("keys", "%.80q is no name of a field: it has at most %d bytes, letters or digits among them.", key, maxKey)
		}
		m.keys[folded] = true
	}
	for _, expression := range r.Patterns {
		if len(expression) > maxExpression {
			return nil, problem.FieldError("patterns", "An expression may have %d bytes.", maxExpression)
		}
		re, err := regexp.Compile(expression)
		if err != nil {
			return nil, problem.FieldError("patterns", "%.80q is no regular expression: %v.", expression, err)
		}
		if re.MatchString("") {
			return nil, problem.FieldError("patterns", "%.80q matches nothing at all, and so everywhere.", expression)
		}
		m.patterns = append(m.patterns, re)
	}
	return m, nil
}

// Record masks a line and says whether there was something.
func (m *Masker) Record(r *record.Record) bool {
	found := false
	if text := m.Text(r.Message); text != r.Message {
		r.Message, found = text, true
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		// The fields other pages link by are made of digits and letters by chance.
		if f.Kind == record.Bool || f.Name == record.TraceID || f.Name == record.SpanID {
			continue
		}
		text := f.Value
		if f.Kind == record.Number && len(text) < 13 && len(m.patterns) == 0 && !m.named(f.Name) {
			continue
		}
		if m.named(f.Name) && text != "" {
			text = Masked
		} else {
			text = m.Text(text)
		}
		if text != f.Value {
			f.Value, f.Kind, found = text, record.String, true
		}
	}
	return found
}

// named says whether the last part of a dotted name is that of a secret.
func (m *Masker) named(name string) bool {
	if len(m.keys) == 0 {
		return false
	}
	name = name[strings.LastIndexByte(name, '.')+1:]
	var buf [maxKey]byte
	return len(name) <= maxKey && m.keys[string(fold(buf[:0], name))]
}

// fold is a name as names are compared.
func fold(dst []byte, name string) []byte {
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'A' && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		case c == '_' || c == '-' || c == ' ':
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// Text masks what a text shows.
func (m *Masker) Text(text string) string {
	if len(text) < 3 {
		return text
	}
	if len(m.keys) > 0 {
		text = m.pairs(text)
	}
	if m.rules.Secrets {
		text = tokens(text)
	}
	if m.rules.Cards {
		text = cards(text)
	}
	for _, re := range m.patterns {
		if re.MatchString(text) {
			text = re.ReplaceAllLiteralString(text, Masked)
		}
	}
	return text
}
