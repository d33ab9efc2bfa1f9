package issues

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

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
	t := tagCounts{}
	if text != "" {
		_ = json.Unmarshal([]byte(text), &t) // this package wrote it; a broken one begins anew
	}
	return t
}

func (t tagCounts) text() string {
	raw, err := json.Marshal(t)
	if err != nil {
		return "{}"
	}
	return string(raw)
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
