package scrub

import (
	"fmt"
	"strconv"
	"strings"
)

// Filtered stands for what was removed; Sentry's clients write the same.
const Filtered = "[Filtered]"

// IPMode says what becomes of IP addresses of users.
type IPMode string

// The modes; empty keeps.
const (
	KeepIP IPMode = "keep"
	DropIP IPMode = "remove"
	// TruncateIP keeps the network: the first 24 bits of IPv4, 48 of IPv6.
	TruncateIP IPMode = "truncate"
	// HashIP keeps users apart without saying who they are.
	HashIP IPMode = "hash"
)

// Validate says whether the mode is known.
func (m IPMode) Validate() error {
	switch m {
	case "", KeepIP, DropIP, TruncateIP, HashIP:
		return nil
	}
	return fmt.Errorf("There is no IP mode %q; there are keep, truncate, remove and hash.", string(m)) //nolint:staticcheck // shown to a person as it is
}

// Rules are what a project decides.
type Rules struct {
	// NoDefaults turns the built-in keys and patterns off.
	NoDefaults bool
	// Own are the project's rules; they win over the built-in ones.
	Own []Rule
	// Safe are keys or paths, written like those of rules, that are left alone.
	Safe []string
	IP   IPMode
	// Salt is mixed into hashes; it should be the project's own.
	Salt string
}

// Path is a changed place and why it was changed.
type Path struct {
	// At is the place, for example "request.headers.Authorization" or
	// "exceptions[0].stack.frames[3].vars.password".
	At string `json:"at"`
	// Reason names the key or the pattern ("key password", "card number").
	Reason string `json:"reason"`
}

// Scrubber applies rules. It holds no state of an event and may be shared.
type Scrubber struct {
	rules    Rules
	keys     []keyRule
	safe     []keyRule
	patterns []pattern
}

// New checks rules and prepares them; the error is a sentence for a person.
func New(r Rules) (*Scrubber, error) {
	if len(r.Own) > maxRules || len(r.Safe) > maxRules {
		return nil, fmt.Errorf("There may be %d rules and %d safe fields.", maxRules, maxRules) //nolint:staticcheck // shown to a person as it is
	}
	if err := r.IP.Validate(); err != nil {
		return nil, err
	}
	s := &Scrubber{rules: r}
	for _, k := range r.Safe {
		s.safe = appendKey(s.safe, k, Mask)
	}
	for _, own := range r.Own {
		if err := s.add(own); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// segment is one step of a path.
type segment struct {
	name  string
	index int // -1 when it is a name
}

// run is the scrubbing of one event.
type run struct {
	*Scrubber
	path    []segment
	changed []Path
}

func (r *run) push(name string) { r.path = append(r.path, segment{name, -1}) }
func (r *run) pushIndex(i int)  { r.path = append(r.path, segment{"", i}) }
func (r *run) pop()             { r.path = r.path[:len(r.path)-1] }

func (r *run) at() string {
	var b strings.Builder
	for _, s := range r.path {
		if s.index >= 0 {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
	}
	return b.String()
}

func (r *run) note(reason string) { r.changed = append(r.changed, Path{r.at(), reason}) }

// any scrubs a free-form value that stands behind the path's last name.
func (r *run) any(v any) any {
	switch v := v.(type) {
	case string:
		return r.text(v)
	case map[string]any:
		r.mapping(v)
	case []any:
		if k, inner, ok := asPair(v); ok {
			if scrubbed, done := r.member(k, inner); done {
				v[1] = orEmpty(scrubbed)
			}
			return v
		}
		for i := range v {
			r.pushIndex(i)
			v[i] = r.any(v[i])
			r.pop()
		}
	}
	return v
}

// orEmpty keeps the value of a pair a text.
func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

// asPair knows ["name", "value"], which headers, tags and cookies may be.
func asPair(v []any) (string, string, bool) {
	if len(v) != 2 {
		return "", "", false
	}
	k, ok := v[0].(string)
	value, also := v[1].(string)
	return k, value, ok && also
}

func (r *run) mapping(m map[string]any) {
	if k, ok := m["key"].(string); ok && len(m) == 2 {
		if v, ok := m["value"].(string); ok { // a pair of the stored form
			if scrubbed, done := r.member(k, v); done {
				m["value"] = orEmpty(scrubbed)
			}
			return
		}
	}
	for k, v := range m {
		if scrubbed, done := r.member(k, v); done {
			if scrubbed == nil {
				delete(m, k)
			} else {
				m[k] = scrubbed
			}
		}
	}
}

// member scrubs the value of a key; done says that it must be stored back,
// nil that the member goes.
func (r *run) member(k string, v any) (any, bool) {
	r.push(k)
	defer r.pop()
	if r.isSafe(k) {
		return v, false
	}
	if v == nil || v == "" || v == Filtered {
		return v, false
	}
	if why, action := r.sensitive(k); why != "" {
		return r.act(action, v, why)
	}
	if text, ok := v.(string); ok {
		if r.rules.IP != "" && r.rules.IP != KeepIP && isAddressKey(k) {
			return r.address(text)
		}
		scrubbed := r.text(text)
		return scrubbed, scrubbed != text
	}
	r.any(v)
	return v, false
}

// text removes what the patterns match.
func (r *run) text(v string) string {
	if len(v) < 4 || v == Filtered {
		return v
	}
	out := v
	if !r.rules.NoDefaults {
		out = r.builtIn(out)
	}
	return r.ownPatterns(out)
}
