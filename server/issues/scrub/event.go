package scrub

import (
	"sort"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// structural are members that hold no text of the user's: they are passed over
// at the places where the stored form has them.
var structural = map[string]bool{
	"event_id": true, "type": true, "timestamp": true, "received": true, "started": true, "platform": true, "level": true,
	"logger": true, "transaction_source": true, "server_name": true, "release": true, "dist": true, "environment": true,
	"fingerprint": true, "sdk": true, "modules": true, "debug_images": true, "debug_meta": true, "errors": true, "trace_id": true,
	"span_id": true, "clock_drift": true, "measurements": true, "_meta": true,
}

// Event scrubs an event that is a JSON map (the stored form, or what a client
// sent) in place and gives the changed places, sorted.
func (s *Scrubber) Event(raw map[string]any) []Path {
	r := &run{Scrubber: s}
	for k, v := range raw {
		if structural[k] {
			continue
		}
		switch k {
		case "exceptions", "exception", "threads", "stack", "stacktrace":
			r.push(k)
			r.frames(v)
			r.pop()
		case "request":
			r.push(k)
			r.rawRequest(v)
			r.pop()
		case "contexts":
			r.push(k)
			r.contexts(v)
			r.pop()
		case "feedback", "user", "message", "security":
			if m, ok := v.(map[string]any); ok {
				r.push(k)
				r.fields(m)
				r.pop()
				continue
			}
			r.field(raw, k)
		default:
			r.field(raw, k)
		}
	}
	return r.done()
}

// fields scrubs the members of an object whose shape is known: texts may be
// replaced, lists and objects keep their shape.
func (r *run) fields(m map[string]any) {
	for k := range m {
		r.field(m, k)
	}
}

func (r *run) field(m map[string]any, k string) {
	if _, ok := m[k].(string); !ok {
		r.section(k, m[k])
		return
	}
	if scrubbed, done := r.member(k, m[k]); done {
		if scrubbed == nil {
			delete(m, k)
		} else {
			m[k] = scrubbed
		}
	}
}

// section scrubs inside a list or an object that itself has to stay.
func (r *run) section(k string, v any) {
	r.push(k)
	if !r.isSafe(k) {
		r.any(v)
	}
	r.pop()
}

// contexts keep being objects also where the name of one is sensitive.
func (r *run) contexts(v any) {
	all, ok := v.(map[string]any)
	if !ok {
		return
	}
	for name, m := range all {
		one, ok := m.(map[string]any)
		if !ok {
			continue
		}
		if left, done := r.context(name, one); done {
			all[name] = left
		}
	}
}

// context says whether the whole context has to go, and what is left of it.
func (r *run) context(name string, m map[string]any) (left map[string]any, done bool) {
	if len(m) == 0 || len(m) == 1 && isLeftover(m["value"]) {
		return m, false
	}
	scrubbed, done := r.member(name, m)
	switch {
	case !done:
		return m, false
	case scrubbed == nil:
		return map[string]any{}, true
	}
	return map[string]any{"value": scrubbed}, true
}

// Map scrubs any other JSON map (log attributes, span attributes) in place.
func (s *Scrubber) Map(m map[string]any) []Path {
	r := &run{Scrubber: s}
	r.mapping(m)
	return r.done()
}

// Text scrubs a text that stands alone.
func (s *Scrubber) Text(v string) string {
	r := &run{Scrubber: s}
	return r.text(v)
}

// Address applies the IP mode to an address; empty when it is dropped.
func (s *Scrubber) Address(ip string) string {
	r := &run{Scrubber: s}
	switch {
	case ip == "" || s.rules.IP == DropIP:
		return ""
	case s.rules.IP == HashIP || s.rules.IP == TruncateIP:
		v, _ := r.address(ip)
		text, _ := v.(string)
		return text
	}
	return ip
}

func (r *run) done() []Path {
	sort.Slice(r.changed, func(i, j int) bool {
		a, b := r.changed[i], r.changed[j]
		return a.At < b.At || a.At == b.At && a.Reason < b.Reason
	})
	return r.changed
}

// rawRequest filters every cookie, whatever its name.
func (r *run) rawRequest(v any) {
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	for k, v := range m {
		if k == "cookies" && !r.rules.NoDefaults {
			r.push(k)
			if cookies, ok := v.(string); ok && cookies != "" && cookies != Filtered {
				r.note("cookie")
				m[k] = Filtered
			} else {
				r.cookieValues(v)
			}
			r.pop()
			continue
		}
		switch k {
		case "method":
		case "data":
			if scrubbed, done := r.member(k, v); done {
				m[k] = scrubbed
			}
		default:
			r.field(m, k)
		}
	}
}

func (r *run) cookieValues(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			if r.cookie(name, v[name]) {
				v[name] = Filtered
			}
		}
	case []any:
		for i := range v {
			r.pushIndex(i)
			switch pair := v[i].(type) {
			case map[string]any:
				if name, ok := pair["key"].(string); ok && r.cookie(name, pair["value"]) {
					pair["value"] = Filtered
				}
			case []any:
				if name, value, ok := asPair(pair); ok && r.cookie(name, value) {
					pair[1] = Filtered
				}
			}
			r.pop()
		}
	}
}

func (r *run) cookie(name string, value any) bool {
	r.push(name)
	defer r.pop()
	if value == nil || value == "" || value == Filtered || r.isSafe(name) {
		return false
	}
	r.note("cookie")
	return true
}

// frames scrubs exceptions, threads and stacks: texts, data and local
// variables; names and places stay.
func (r *run) frames(v any) {
	switch v := v.(type) {
	case []any:
		for i := range v {
			r.pushIndex(i)
			r.frames(v[i])
			r.pop()
		}
	case map[string]any:
		for k, inner := range v {
			switch k {
			case "vars", "data":
				r.section(k, inner)
				continue
			}
			r.push(k)
			switch k {
			case "values", "stack", "stacktrace", "raw_stack", "raw_stacktrace", "frames", "mechanism":
				r.frames(inner)
			case "value", "description":
				if text, ok := inner.(string); ok {
					v[k] = r.text(text)
				}
			case "context", "context_line":
				if text, ok := inner.(string); ok {
					v[k] = r.source(text)
				}
			case "pre_context", "post_context":
				r.sources(inner)
			}
			r.pop()
		}
	}
}

func (r *run) sources(v any) {
	lines, ok := v.([]any)
	if !ok {
		return
	}
	for i := range lines {
		if text, ok := lines[i].(string); ok {
			r.pushIndex(i)
			lines[i] = r.source(text)
			r.pop()
		}
	}
}

// source scrubs a line of code only by the project's own patterns:
// "password = ask()" is no secret.
func (r *run) source(text string) string {
	if text == "" {
		return text
	}
	return r.ownPatterns(text)
}

// Parsed scrubs a parsed event in place, as Event does with its JSON form.
func (s *Scrubber) Parsed(e *sentry.Event) []Path {
	r := &run{Scrubber: s}
	p := parsed{r}
	p.event(e)
	return r.done()
}
