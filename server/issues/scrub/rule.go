package scrub

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Kind is what a rule looks at.
type Kind string

// The kinds of rules.
const (
	// Key is a part of a key's name ("iban"), or with * a pattern over the whole name.
	Key Kind = "key"
	// Pattern is a regular expression (RE2) over texts; the action is about what it matches.
	Pattern Kind = "pattern"
	// Place is a path with dots ("request.data.notes", "contexts.*.owner").
	Place Kind = "path"
)

// Action is what becomes of what a rule finds.
type Action string

// The actions.
const (
	// Remove takes it out and leaves nothing.
	Remove Action = "remove"
	// Mask leaves "[Filtered]".
	Mask Action = "mask"
	// Hash leaves a keyed hash, so that equal values can be told alike.
	Hash Action = "hash"
)

// Rule is one of a project's own.
type Rule struct {
	Kind   Kind   `json:"kind"`
	Value  string `json:"value"`
	Action Action `json:"action"`
}

const (
	maxRules   = 200
	maxPattern = 500
	// maxRounds bounds how often what is left is looked at again: what is cut out
	// may bring together what matches.
	maxRounds = 8
)

type pattern struct {
	*regexp.Regexp
	action Action
}

// add checks a rule; the error is a sentence for a person.
func (s *Scrubber) add(r Rule) error {
	switch r.Action {
	case Remove, Mask, Hash:
	case "":
		r.Action = Mask
	default:
		return fmt.Errorf("There is no action %q; there are remove, mask and hash.", string(r.Action)) //nolint:staticcheck // shown to a person as it is
	}
	switch r.Kind {
	case Key, Place:
		if len(r.Value) > maxPattern {
			return fmt.Errorf("A rule is longer than %d characters.", maxPattern) //nolint:staticcheck // shown to a person as it is
		}
		if r.Kind == Key && strings.Contains(r.Value, ".") || r.Kind == Place && !strings.Contains(r.Value, ".") {
			return fmt.Errorf("%q is no %s: a path has dots (user.email), a key has none (iban).", r.Value, r.Kind) //nolint:staticcheck // shown to a person as it is
		}
		before := len(s.keys)
		if s.keys = appendKey(s.keys, r.Value, r.Action); len(s.keys) == before {
			return fmt.Errorf("The %s %q would match everything.", r.Kind, r.Value) //nolint:staticcheck // shown to a person as it is
		}
		return nil
	case Pattern:
		re, err := compile(r.Value)
		if err == nil {
			s.patterns = append(s.patterns, pattern{re, r.Action})
		}
		return err
	}
	return fmt.Errorf("There is no kind of rule %q; there are key, pattern and path.", string(r.Kind)) //nolint:staticcheck // shown to a person as it is
}

func compile(text string) (*regexp.Regexp, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("A pattern is longer than %d characters.", maxPattern) //nolint:staticcheck // shown to a person as it is
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("The pattern %q cannot be read: %w.", text, err) //nolint:staticcheck // shown to a person as it is
	}
	if re.MatchString("") {
		return nil, fmt.Errorf("The pattern %q matches everything.", text) //nolint:staticcheck // shown to a person as it is
	}
	return re, nil
}

// leftover are what actions leave behind: it is never found again.
var leftover = regexp.MustCompile(`\[Filtered\]|hash-[0-9a-f]{16}`)

func isLeftover(v any) bool {
	text, ok := v.(string)
	return ok && (text == Filtered || len(text) == len("hash-")+16 && leftover.MatchString(text))
}

// act gives what stands in the place of a sensitive value, as member does.
func (r *run) act(action Action, v any, why string) (any, bool) {
	if isLeftover(v) {
		return v, false
	}
	r.note(why)
	switch action {
	case Remove:
		return nil, true
	case Hash:
		text, ok := v.(string)
		if !ok {
			raw, err := json.Marshal(v)
			if err != nil {
				return Filtered, true
			}
			text = string(raw)
		}
		return r.hash("hash-", text), true
	}
	return Filtered, true
}

// hash is the same for equal texts of a project and tells nothing else.
func (r *run) hash(prefix, v string) string {
	mac := hmac.New(sha256.New, []byte(r.rules.Salt))
	mac.Write([]byte(v))
	return prefix + hex.EncodeToString(mac.Sum(nil)[:8])
}

// ownPatterns applies the project's patterns.
func (r *run) ownPatterns(v string) string {
	for _, p := range r.patterns {
		replaced := v
		for range maxRounds {
			next := r.replaceOwn(p, replaced)
			if next == replaced {
				break
			}
			replaced = next
		}
		if replaced != v {
			v = replaced
			r.note("pattern " + p.String())
		}
	}
	return v
}

// replaceOwn leaves alone what an action left behind before.
func (r *run) replaceOwn(p pattern, v string) string {
	found := p.FindAllStringIndex(v, -1)
	if found == nil {
		return v
	}
	kept := leftover.FindAllStringIndex(v, -1)
	var b strings.Builder
	at := 0
	for _, m := range found {
		for len(kept) > 0 && kept[0][1] <= m[0] {
			kept = kept[1:]
		}
		if m[0] == m[1] || len(kept) > 0 && kept[0][0] < m[1] {
			continue
		}
		b.WriteString(v[at:m[0]])
		switch p.action {
		case Mask:
			b.WriteString(Filtered)
		case Hash:
			b.WriteString(r.hash("hash-", v[m[0]:m[1]]))
		}
		at = m[1]
	}
	b.WriteString(v[at:])
	return b.String()
}

// Hashed is what the action Hash leaves of a text.
func (s *Scrubber) Hashed(v string) string {
	r := &run{Scrubber: s}
	return r.hash("hash-", v)
}

// HashedAddress is what the mode HashIP leaves of an address; "" in other modes.
func (s *Scrubber) HashedAddress(ip string) string {
	if ip == "" || s.rules.IP != HashIP {
		return ""
	}
	return s.Address(ip)
}
