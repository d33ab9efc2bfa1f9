package issues

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Status says whether anybody has to do something about an issue.
type Status string

// The statuses.
const (
	Unresolved Status = "unresolved" // somebody should look
	Resolved   Status = "resolved"   // fixed; an event of a newer release brings it back
	Archived   Status = "archived"   // nobody should look, for now or for ever
	// Merged issues have become part of another one and are never shown.
	Merged Status = "merged"
)

// CanBecome lists what follows on each status.
var CanBecome = map[Status][]Status{
	Unresolved: {Resolved, Archived, Merged},
	Resolved:   {Unresolved, Archived, Resolved, Merged},
	Archived:   {Unresolved, Resolved, Archived, Merged},
	Merged:     {},
}

// Validate refuses what a person cannot choose.
func (s Status) Validate() error {
	if s == Unresolved || s == Resolved || s == Archived {
		return nil
	}
	return problem.FieldError("status", "%q is not a status; use unresolved, resolved or archived", string(s))
}

// Substate refines Unresolved.
type Substate string

// The substates. Archived and resolved issues have none: their Terms say more.
const (
	Recent     Substate = "new"        // seen for the first time within the last week
	Ongoing    Substate = "ongoing"    // known
	Escalating Substate = "escalating" // came back from the archive because there is more of it
	Regressed  Substate = "regressed"  // was resolved and came back
)

// freshFor is how long an issue stays new, escalating or regressed.
const freshFor = 7 * 24 * time.Hour

// TermsKind is the way an issue was resolved or archived.
type TermsKind string

// The ways to resolve, then those to archive.
const (
	AtOnce          TermsKind = "now"
	InRelease       TermsKind = "in_release"
	InNextRelease   TermsKind = "in_next_release"
	InCommit        TermsKind = "in_commit"
	Forever         TermsKind = "forever"
	UntilTime       TermsKind = "until_time"
	UntilEvents     TermsKind = "until_events"
	UntilUsers      TermsKind = "until_users"
	UntilEscalating TermsKind = "until_escalating"
)

var termsOf = map[Status][]TermsKind{
	Resolved: {AtOnce, InRelease, InNextRelease, InCommit},
	Archived: {Forever, UntilTime, UntilEvents, UntilUsers, UntilEscalating},
}

// Terms are the conditions under which an issue was resolved or archived.
type Terms struct {
	Kind TermsKind `json:"kind"`
	// Release is the one it is fixed in, or the newest one known when "next" was said.
	Release string `json:"release,omitempty"`
	Commit  string `json:"commit,omitempty"`
	// Until ends UntilTime.
	Until *time.Time `json:"until,omitempty"`
	// Events and Users are how many more end UntilEvents and UntilUsers.
	Events int64 `json:"events,omitempty"`
	Users  int64 `json:"users,omitempty"`
	// Window in minutes, when Events have to come within that time; 0 means ever.
	Window int64 `json:"window,omitempty"`
	// Threshold is the number of events an hour that is called escalating.
	Threshold int64 `json:"threshold,omitempty"`

	// FromEvents and FromUsers were the issue's when it was archived or the window began.
	FromEvents  int64      `json:"from_events,omitempty"`
	FromUsers   int64      `json:"from_users,omitempty"`
	WindowStart *time.Time `json:"window_start,omitempty"`
}

// check refuses terms that do not fit the status.
func (t Terms) check(status Status, now time.Time) error {
	if !slices.Contains(termsOf[status], t.Kind) {
		return problem.FieldError("terms", "%q is no way to be %s", string(t.Kind), string(status))
	}
	switch {
	case t.Kind == InRelease && t.Release == "":
		return problem.FieldError("terms.release", "say in which release it is fixed")
	case t.Kind == InCommit && t.Commit == "":
		return problem.FieldError("terms.commit", "say which commit fixes it")
	case t.Kind == UntilTime && (t.Until == nil || !t.Until.After(now)):
		return problem.FieldError("terms.until", "is not in the future")
	case t.Kind == UntilEvents && t.Events < 1:
		return problem.FieldError("terms.events", "say how many more events")
	case t.Kind == UntilUsers && t.Users < 1:
		return problem.FieldError("terms.users", "say how many more users")
	case t.Window < 0 || t.Window > 60*24*30:
		return problem.FieldError("terms.window", "is not between 0 and 43200 minutes")
	}
	return nil
}

func parseTerms(text string) (t Terms) {
	if text != "" {
		_ = json.Unmarshal([]byte(text), &t) // this package wrote it; a broken one is like none
	}
	return t
}

func (t Terms) text() string {
	if t.Kind == "" {
		return ""
	}
	raw, err := json.Marshal(t)
	if err != nil {
		return ""
	}
	return string(raw)
}

// ShortID is what people call an issue: WEB-142.
func ShortID(slug string, number int64) string {
	return strings.ToUpper(slug) + "-" + strconv.FormatInt(number, 10)
}

// ParseShortID is the reverse of ShortID.
func ParseShortID(text string) (slug string, number int64, ok bool) {
	at := strings.LastIndexByte(text, '-')
	if at <= 0 {
		return "", 0, false
	}
	number, err := strconv.ParseInt(text[at+1:], 10, 64)
	return strings.ToLower(text[:at]), number, err == nil && number > 0
}
