package issues

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// How many tags an issue remembers. What comes beyond is counted as other, so
// that a tag with a new value per event costs no more than one with two.
const (
	maxTagKeys   = 60
	maxTagValues = 150
	maxTagText   = 200
)

// tagCounts is the distribution of an issue's tags: key, value, count. The
// value "" counts what was not remembered.
type tagCounts map[string]map[string]int64

func parseTagCounts(text string) tagCounts {
	if text == "" {
		return tagCounts{}
	}
	if t, whole := readTagCounts(text); whole {
		return t
	}
	t := tagCounts{}
	_ = json.Unmarshal([]byte(text), &t) // this package wrote it; a broken one begins anew
	return t
}

// readTagCounts reads the form that text writes, as long as nothing in it is
// escaped: encoding/json takes five times as long, for each issue of each batch.
func readTagCounts(text string) (t tagCounts, whole bool) {
	t = make(tagCounts, 16)
	rest, found := strings.CutPrefix(text, "{")
	found = found && utf8.ValidString(text)
	for found && rest != "" && rest != "}" {
		var key string
		if key, rest, found = cutName(rest); !found {
			return nil, false
		}
		if rest, found = strings.CutPrefix(rest, "{"); !found {
			return nil, false
		}
		values := map[string]int64{}
		for !strings.HasPrefix(rest, "}") {
			var value string
			if value, rest, found = cutName(rest); !found {
				return nil, false
			}
			end := strings.IndexAny(rest, ",}")
			if end < 0 {
				return nil, false
			}
			n, err := strconv.ParseInt(rest[:end], 10, 64)
			if err != nil {
				return nil, false
			}
			values[value] = n
			rest = strings.TrimPrefix(rest[end:], ",")
		}
		t[key] = values
		rest = strings.TrimPrefix(rest[1:], ",")
	}
	return t, found && rest == "}"
}

// cutName takes a name and its colon from the beginning.
func cutName(text string) (name, rest string, found bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", "", false
	}
	end := strings.IndexByte(text[1:], '"')
	if end < 0 || strings.IndexByte(text[1:1+end], '\\') >= 0 {
		return "", "", false
	}
	rest, found = strings.CutPrefix(text[end+2:], ":")
	return text[1 : 1+end], rest, found
}

func (t tagCounts) text() string {
	b := make([]byte, 0, 2048)
	b = append(b, '{')
	for key, values := range t {
		b = append(appendQuoted(b, key), ':', '{')
		for value, n := range values {
			b = append(strconv.AppendInt(append(appendQuoted(b, value), ':'), n, 10), ',')
		}
		b = append(closeList(b), ',')
	}
	return string(closeList(b))
}

// closeList ends an object whose last member may have left a comma.
func closeList(b []byte) []byte {
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, '}')
}

func appendQuoted(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			raw, err := json.Marshal(text)
			if err != nil {
				raw = []byte(`""`) // a text has a form
			}
			return append(b, raw...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// add counts a tag and tells whether its value is new to the issue.
func (t tagCounts) add(p sentry.Pair, n int64) (fresh bool) {
	values := t[p.Key]
	if values == nil {
		if len(t) >= maxTagKeys {
			return false
		}
		values = map[string]int64{}
		t[p.Key] = values
	}
	_, known := values[p.Value]
	if !known && len(values) >= maxTagValues {
		values[""] += n
		return false
	}
	values[p.Value] += n
	return !known
}

// sub takes one of a tag away and gives how many are left.
func (t tagCounts) sub(p sentry.Pair) int64 {
	values := t[p.Key]
	if values[p.Value] > 1 {
		values[p.Value]--
		return values[p.Value]
	}
	delete(values, p.Value)
	if len(values) == 0 {
		delete(t, p.Key)
	}
	return 0
}

// merge adds another issue's counts.
func (t tagCounts) merge(o tagCounts) {
	for key, values := range o {
		for value, n := range values {
			t.add(sentry.Pair{Key: key, Value: value}, n)
		}
	}
}

// eventTags are what an event is found by: what the client tagged and what the
// rest of the event says about where it happened. Each key occurs once.
func eventTags(e *sentry.Event) []sentry.Pair {
	tags := make([]sentry.Pair, 0, len(e.Tags)+12)
	put := func(key, value string) {
		value = strings.TrimSpace(value)
		if value == "" || slices.ContainsFunc(tags, func(p sentry.Pair) bool { return p.Key == key }) {
			return
		}
		if len(value) > maxTagText {
			value = strings.ToValidUTF8(value[:maxTagText], "")
		}
		tags = append(tags, sentry.Pair{Key: key, Value: value})
	}
	put("level", e.Level)
	put("environment", e.Environment)
	put("release", e.Release)
	put("dist", e.Dist)
	put("platform", e.Platform)
	put("transaction", e.Transaction)
	put("server_name", e.ServerName)
	put("logger", e.Logger)
	put("sdk.name", e.SDK.Name)
	put("sdk.version", e.SDK.Version)
	put("user.id", e.User.ID)
	put("user.email", e.User.Email)
	put("user.username", e.User.Username)
	put("user.ip", e.User.IPAddress)
	for _, name := range []string{"os", "runtime", "browser", "device"} {
		put(name, contextLabel(e.Contexts[name]))
	}
	for i := len(e.Exceptions) - 1; i >= 0; i-- {
		if m := e.Exceptions[i].Mechanism; m != nil {
			put("mechanism", m.Type)
			if m.Handled != nil {
				put("handled", map[bool]string{true: "yes", false: "no"}[*m.Handled])
			}
			break
		}
	}
	if e.Request != nil {
		put("url", withoutQuery(e.Request.URL))
		put("http.method", e.Request.Method)
	}
	for _, p := range e.Tags {
		put(p.Key, p.Value)
	}
	return tags
}

// contextLabel is "Name 1.2" of a context such as the operating system.
func contextLabel(c map[string]any) string {
	name, _ := c["name"].(string)
	if name == "" {
		name, _ = c["model"].(string)
	}
	if version, _ := c["version"].(string); version != "" && name != "" {
		return name + " " + version
	}
	return name
}

// withoutQuery keeps tags of addresses few, and secrets in queries out of them.
func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}
