package query

import (
	"fmt"
	"slices"
	"strings"
)

// key is a known name.
type key struct {
	name string
	kind Type
}

// keys maps everything that may be typed to its canonical name.
var keys = map[string]key{
	"is": {"is", State}, "assigned": {"assigned", Person}, "assigned_to": {"assigned", Person}, "assignee": {"assigned", Person},
	"project": {"project", Text}, "issue": {"issue", Text}, "short_id": {"issue", Text},
	"title": {"title", Text}, "culprit": {"culprit", Text}, "message": {"message", Text},
	"type": {"type", Text}, "error.type": {"type", Text}, "value": {"value", Text}, "error.value": {"value", Text},
	"level": {"level", Text}, "platform": {"platform", Text}, "logger": {"logger", Text}, "transaction": {"transaction", Text},
	"release": {"release", Text}, "first_release": {"first_release", Text}, "firstrelease": {"first_release", Text},
	"dist": {"dist", Text}, "environment": {"environment", Text}, "env": {"environment", Text},
	"server_name": {"server_name", Text}, "server": {"server_name", Text}, "url": {"url", Text},
	"sdk": {"sdk.name", Text}, "sdk.name": {"sdk.name", Text}, "sdk.version": {"sdk.version", Text},
	"user": {"user", Text}, "user.id": {"user.id", Text}, "user.email": {"user.email", Text},
	"user.username": {"user.username", Text}, "user.ip": {"user.ip", Text}, "user.ip_address": {"user.ip", Text},
	"trace": {"trace", Text}, "trace_id": {"trace", Text}, "event": {"event", Text}, "event_id": {"event", Text}, "id": {"event", Text},
	"events": {"events", Number}, "times_seen": {"events", Number}, "timesseen": {"events", Number}, "count": {"events", Number},
	"users": {"users", Number}, "user_count": {"users", Number}, "users_affected": {"users", Number},
	"first_seen": {"first_seen", Moment}, "firstseen": {"first_seen", Moment}, "age": {"first_seen", Moment},
	"last_seen": {"last_seen", Moment}, "lastseen": {"last_seen", Moment},
}

// states are the words behind is:, with their canonical form.
var states = map[string]string{
	"unresolved": "unresolved", "open": "unresolved", "resolved": "resolved", "archived": "archived", "ignored": "archived", "muted": "archived",
	"assigned": "assigned", "unassigned": "unassigned", "new": "new", "ongoing": "ongoing", "regressed": "regressed",
	"escalating": "escalating", "for_review": "for_review",
}

// elsewhere are keys that other products know and this one does not, with what
// to do instead.
var elsewhere = map[string]string{
	"bookmarks": "There are no bookmarks here; assign the issue to yourself and search for assigned:me.",
	"bookmark":  "There are no bookmarks here; assign the issue to yourself and search for assigned:me.",
	"subscribe": "Nobody subscribes to issues here; alerts are rules of the project.",
	"sort":      "The order is chosen at the head of the list.",
	"status":    "The state is written is:unresolved, is:resolved or is:archived.",
}

// State names, and known keys, for completion in the search field.
func StateNames() []string {
	return []string{"unresolved", "resolved", "archived", "assigned", "unassigned", "new", "ongoing", "regressed", "escalating", "for_review"}
}

// KeyNames are the canonical names of all known keys, sorted.
func KeyNames() []string {
	var names []string
	for _, k := range keys {
		if !slices.Contains(names, k.name) {
			names = append(names, k.name)
		}
	}
	names = append(names, "has")
	slices.Sort(names)
	return names
}

// lookup finds a key; another well-formed name is a tag.
func lookup(name string) (key, string) {
	if k, ok := keys[strings.ToLower(name)]; ok {
		return k, ""
	}
	if hint := elsewhere[strings.ToLower(name)]; hint != "" {
		return key{}, hint
	}
	if tag, ok := strings.CutPrefix(name, "tags."); ok && tag != "" {
		name = tag
	}
	if near := nearest(strings.ToLower(name)); near != "" {
		return key{}, fmt.Sprintf("There is no key %q; did you mean %s? A tag of this name is written tags.%s.", name, near, name)
	}
	return key{name, Tag}, ""
}

// nearest gives the known key of which name is a misspelling: one letter too
// many, too few or another, or two neighbours swapped.
func nearest(name string) string {
	if len(name) < 5 {
		return ""
	}
	best := ""
	for known := range keys {
		if len(known) >= 5 && oneEdit(name, known) && (best == "" || known < best) {
			best = known
		}
	}
	return best
}

func oneEdit(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	switch {
	case len(a) == len(b)+1:
		return a[i+1:] == b[i:]
	case len(a)+1 == len(b):
		return a[i:] == b[i+1:]
	case len(a) != len(b) || i == len(a):
		return false
	}
	return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// bareKey says whether a name needs no quotes.
func bareKey(name string) bool {
	if name == "" {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '-' || c == '.' || c == '/') {
			return false
		}
	}
	return true
}
