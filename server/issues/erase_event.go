package issues

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/issues/scrub"
	"github.com/signalbox/signalbox/server/issues/sentry"
)

// erased stands where something of an erased user was.
const erased = "[erased]"

// shortestMention is the length from which an id or a name is looked for in
// texts: "5" or "bob" are found only where a user's id or name stands.
const shortestMention = 6

// eraser knows a user and takes them out of events. It is pure.
type eraser struct {
	who Subject
	// hashed are the forms that the project's rules of privacy left of what is known.
	hashed []string
	// mentions are looked for in all texts.
	mentions []string
}

func newEraser(who Subject, clean *scrub.Scrubber) *eraser {
	x := &eraser{who: who}
	if clean != nil {
		for _, v := range []string{who.ID, who.Email, who.Username} {
			if v != "" {
				x.hashed = append(x.hashed, clean.Hashed(v))
			}
		}
		if h := clean.HashedAddress(who.IP); h != "" {
			x.hashed = append(x.hashed, h)
		}
	}
	x.mentions = mentionsOf(sentry.User{ID: who.ID, Email: who.Email, Username: who.Username, IPAddress: who.IP})
	x.mentions = append(x.mentions, x.hashed...)
	return x
}

// mentionsOf are the texts by which a user is recognised wherever they stand.
func mentionsOf(u sentry.User) (list []string) {
	add := func(v string) {
		if v == "" || v == sentry.AutoIP || v == scrub.Filtered || slices.Contains(list, v) {
			return
		}
		list = append(list, v)
		if q := url.QueryEscape(v); q != v {
			list = append(list, q)
		}
	}
	if strings.Contains(u.Email, "@") {
		add(u.Email)
	}
	if _, err := netip.ParseAddr(u.IPAddress); err == nil {
		add(u.IPAddress)
	}
	for _, v := range []string{u.ID, u.Username, u.Name} {
		if len(v) >= shortestMention && !isPlainWord(v) {
			add(v)
		}
	}
	return list
}

// isPlainWord: names such as "anonymous" are words of texts as well; what has
// digits, signs or spaces tells one person.
func isPlainWord(v string) bool {
	return strings.IndexFunc(v, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
}

// owns says whether an event is this user's.
func (x *eraser) owns(u sentry.User) bool {
	same := func(v, known string) bool { return known != "" && v == known }
	switch {
	case same(u.ID, x.who.ID), same(u.Username, x.who.Username), same(u.Name, x.who.Username),
		x.who.Email != "" && strings.EqualFold(u.Email, x.who.Email), x.who.IP != "" && sameAddress(u.IPAddress, x.who.IP):
		return true
	}
	return slices.ContainsFunc([]string{u.ID, u.Email, u.Username, u.IPAddress}, func(v string) bool { return slices.Contains(x.hashed, v) })
}

func sameAddress(a, b string) bool {
	x, err := netip.ParseAddr(a)
	y, also := netip.ParseAddr(b)
	if err != nil || also != nil {
		return a == b
	}
	return x.Unmap() == y.Unmap()
}

// mayConcern is a cheap look at a stored event: most of them can be left alone.
func (x *eraser) mayConcern(raw []byte) bool {
	lower := bytes.ToLower(raw)
	for _, v := range slices.Concat([]string{x.who.ID, x.who.Email, x.who.Username, x.who.IP}, x.mentions) {
		if v == "" {
			continue
		}
		quoted, err := json.Marshal(v)
		if err != nil || bytes.Contains(lower, bytes.ToLower(quoted[1:len(quoted)-1])) {
			return true
		}
	}
	return false
}

// untouched are members of an event that name no user.
var untouched = map[string]bool{"event_id": true, "type": true, "timestamp": true, "received": true, "started": true, "platform": true, "level": true,
	"release": true, "dist": true, "environment": true, "sdk": true, "modules": true, "debug_images": true, "trace_id": true, "span_id": true}

// ofUser are the members of a request that tell of who made it.
var ofUser = []string{"cookies", "data", "env", "headers", "query", "fragment"}

// rewritten is a stored event before and after its user was taken out.
type rewritten struct {
	before, after sentry.Event
	// raw is what is to be stored.
	raw []byte
	// owner says whether the event was the user's, changed whether it had to change.
	owner, changed bool
	// mentions are what was looked for.
	mentions []string
}

// rewrite takes the user out of a stored event.
func (x *eraser) rewrite(raw []byte) (out rewritten, err error) {
	if err = json.Unmarshal(raw, &out.before); err != nil {
		return out, err
	}
	out.raw, out.mentions = raw, x.mentions
	if out.owner = x.owns(out.before.User); out.owner {
		out.mentions = slices.Concat(x.mentions, mentionsOf(out.before.User))
	}
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // what is too long for a float stays as it is
	if err = d.Decode(&m); err != nil {
		return out, err
	}
	if out.changed = x.rewriteMap(m, out); !out.changed {
		out.after = out.before
		return out, nil
	}
	if out.raw, err = json.Marshal(m); err == nil {
		err = json.Unmarshal(out.raw, &out.after)
	}
	return out, err
}

func (x *eraser) rewriteMap(m map[string]any, r rewritten) (changed bool) {
	for k, v := range m {
		if untouched[k] {
			continue
		}
		var touched bool
		if m[k], touched = eraseIn(v, r.mentions); touched {
			changed = true
		}
	}
	if r.owner {
		changed = true
		delete(m, "user")
		delete(m, "feedback")
		if request, ok := m["request"].(map[string]any); ok {
			for _, k := range ofUser {
				delete(request, k)
			}
		}
	}
	return x.eraseTags(m) || changed
}

// eraseTags removes tags that name the user by an id too short to be looked for.
func (x *eraser) eraseTags(m map[string]any) (changed bool) {
	tags, _ := m["tags"].([]any)
	kept := slices.DeleteFunc(tags, func(t any) bool {
		pair, _ := t.(map[string]any)
		key, _ := pair["key"].(string)
		value, _ := pair["value"].(string)
		return strings.Contains(strings.ToLower(key), "user") && value != "" && (value == x.who.ID || value == x.who.Username)
	})
	if len(kept) == len(tags) {
		return false
	}
	m["tags"] = kept
	return true
}

// eraseIn replaces mentions in all texts of a JSON value, keys included.
func eraseIn(v any, mentions []string) (any, bool) {
	changed := false
	switch v := v.(type) {
	case string:
		out := eraseText(v, mentions)
		return out, out != v
	case []any:
		for i := range v {
			var touched bool
			if v[i], touched = eraseIn(v[i], mentions); touched {
				changed = true
			}
		}
	case map[string]any:
		for k, inner := range v {
			out, touched := eraseIn(inner, mentions)
			name := eraseText(k, mentions)
			if name != k {
				delete(v, k)
				touched = true
			}
			if touched {
				v[name] = out
				changed = true
			}
		}
	}
	return v, changed
}

// eraseText replaces mentions that stand alone, in whatever case.
func eraseText(text string, mentions []string) string {
	for _, m := range mentions {
		if len(text) < len(m) {
			continue
		}
		var b strings.Builder
		at := 0
		for i := 0; i+len(m) <= len(text); {
			if !strings.EqualFold(text[i:i+len(m)], m) || !alone(text, i, i+len(m)) {
				_, size := utf8.DecodeRuneInString(text[i:])
				i += size
				continue
			}
			b.WriteString(text[at:i] + erased)
			i += len(m)
			at = i
		}
		if at > 0 {
			text = b.String() + text[at:]
		}
	}
	return text
}

// alone says whether a part of a text is no part of a longer address or name.
func alone(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, size := utf8.DecodeRuneInString(text[to:])
	word := func(r rune) bool {
		return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_')
	}
	switch {
	case word(before), word(after):
		return false
	case before == '.' || before == '-' || before == '+': // x.ann@example.org is somebody else
		earlier, _ := utf8.DecodeLastRuneInString(text[:from-1])
		return !word(earlier)
	case after == '.' || after == '-':
		later, _ := utf8.DecodeRuneInString(text[to+size:])
		return !word(later)
	}
	return true
}
