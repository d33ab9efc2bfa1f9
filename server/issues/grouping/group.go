package grouping

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// Current is the newest version of the algorithm.
const Current = 1

// Kind says what a hash was made of.
type Kind string

// The kinds of hashes.
const (
	KindApp         Kind = "app"         // frames of the user's own code
	KindSystem      Kind = "system"      // all frames
	KindException   Kind = "exception"   // type and message of an exception without a stack
	KindMessage     Kind = "message"     // a log message
	KindSecurity    Kind = "security"    // a violated browser policy
	KindFingerprint Kind = "fingerprint" // given by the client or by a rule
	KindFallback    Kind = "fallback"    // nothing better was there
)

// Hash is one identity of a problem: 32 hex digits.
type Hash struct {
	Kind  Kind   `json:"kind"`
	Value string `json:"value"`
}

// Reason is one sentence that explains the grouping, with the parts that it
// speaks of.
type Reason struct {
	Kind Kind `json:"kind"`
	// Text is a whole sentence ("Frames of your code: app/views.py checkout.").
	Text  string   `json:"text"`
	Parts []string `json:"parts,omitempty"`
}

// Options are what a project decides.
type Options struct {
	// Version of the algorithm; 0 is the current one.
	Version int
	// Rules of the project, in their order; the first that matches decides.
	Rules []Rule
	// Terse leaves Why empty: digestion does not need it.
	Terse bool
}

// Result is the identity of an event and what a list shows of it.
type Result struct {
	// Hashes has the most specific one first; an issue with any of them is the one.
	Hashes []Hash
	// Title is "Type: first line of value"; Type and Value are its halves.
	Title, Type, Value string
	// Culprit is where: the transaction, or else the place of the crash.
	Culprit string
	Why     []Reason
	Version int
}

// Group gives the identity of an event. It never fails: an event of which
// nothing is known is grouped with others of its kind.
func Group(e sentry.Event, o Options) Result {
	g := grouper{e: &e, terse: o.Terse}
	res := Result{Version: Current}
	res.Title, res.Type, res.Value = title(&e)
	res.Culprit = culprit(&e)

	parts, from := e.Fingerprint, "The client gave this fingerprint"
	if rule := firstMatch(o.Rules, &e); rule != nil {
		parts, from = rule.Fingerprint, "Rule “"+rule.Text+"” gave this fingerprint"
		if rule.Title != "" {
			res.Title = expandTitle(rule.Title, &e)
		}
	}
	if len(parts) == 0 || len(parts) == 1 && isDefault(parts[0]) {
		res.Hashes = g.standard()
	} else {
		res.Hashes = g.fingerprint(parts, from)
	}
	res.Why = g.why
	return res
}

// grouper builds hashes; buf is the canonical text that is hashed, its parts
// separated by NUL, which no text contains.
type grouper struct {
	e     *sentry.Event
	terse bool
	buf   []byte
	why   []Reason
}

func (g *grouper) start(kind Kind) {
	g.buf = append(g.buf[:0], "v1\x00"...)
	g.add(string(kind))
}

func (g *grouper) add(part string) {
	g.buf = append(g.buf, part...)
	g.buf = append(g.buf, 0)
}

func (g *grouper) sum(kind Kind) Hash {
	sum := sha256.Sum256(g.buf)
	return Hash{kind, hex.EncodeToString(sum[:16])}
}

func (g *grouper) explain(kind Kind, text string, parts []string) {
	if !g.terse {
		g.why = append(g.why, Reason{kind, text, parts})
	}
}

// standard is the grouping without fingerprints: the first thing that says
// enough decides.
func (g *grouper) standard() []Hash {
	e := g.e
	if e.Security != nil {
		return g.security()
	}
	if len(e.Exceptions) > 0 {
		if hashes := g.exceptions(); hashes != nil {
			return hashes
		}
		if h, ok := g.exceptionText(); ok {
			return []Hash{h}
		}
	}
	if t := e.CrashThread(); t != nil {
		if hashes := g.stacks([]link{{stack: t.Stack}}); hashes != nil {
			return hashes
		}
	}
	if e.Stack != nil {
		if hashes := g.stacks([]link{{stack: e.Stack}}); hashes != nil {
			return hashes
		}
	}
	return []Hash{g.message()}
}

func (g *grouper) security() []Hash {
	s := g.e.Security
	g.start(KindSecurity)
	g.add(s.Kind)
	what := s.Directive + " and " + s.BlockedHost
	if s.Kind == sentry.TypeCSP {
		g.add(s.Directive)
		g.add(s.BlockedHost)
	} else {
		g.add(s.Hostname)
		what = s.Hostname
	}
	g.explain(KindSecurity, "The violated policy: "+what+".", nil)
	return []Hash{g.sum(KindSecurity)}
}

// exceptionText groups exceptions without a stack by type and by what is
// constant in their messages.
func (g *grouper) exceptionText() (Hash, bool) {
	g.start(KindException)
	var parts []string
	for i := range g.e.Exceptions {
		x := &g.e.Exceptions[i]
		value := Parameterise(firstLine(x.Value))
		if x.Type == "" && value == "" {
			continue
		}
		g.add(x.Type)
		g.add(value)
		parts = append(parts, strings.TrimPrefix(x.Type+": "+value, ": "))
	}
	if len(parts) == 0 {
		return Hash{}, false
	}
	g.explain(KindException, "Type and message of the exception, without what varies: "+strings.Join(parts, ", ")+".", parts)
	return g.sum(KindException), true
}

// message groups by the template, or else by what is constant in the first line.
func (g *grouper) message() Hash {
	m := g.e.Message
	text := m.Template
	if text == "" {
		text = m.Formatted
	}
	if text == "" && g.e.Feedback != nil {
		text = g.e.Feedback.Message
	}
	if text = Parameterise(firstLine(text)); text != "" {
		g.start(KindMessage)
		g.add(text)
		if m.Template != "" {
			g.explain(KindMessage, "The message before its parameters are filled in: "+text+".", []string{text})
		} else {
			g.explain(KindMessage, "The message, without what varies: "+text+".", []string{text})
		}
		return g.sum(KindMessage)
	}
	g.start(KindFallback)
	for _, part := range []string{g.e.Type, g.e.Platform, g.e.Logger, Parameterise(g.e.Transaction), g.e.Culprit} {
		g.add(part)
	}
	g.explain(KindFallback, "Nothing was sent that could be told apart, so the platform, logger and transaction count.", nil)
	return g.sum(KindFallback)
}

func firstLine(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return strings.TrimSpace(s[:i])
	}
	return s
}
