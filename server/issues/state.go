package issues

import "time"

// ChangeKind is what happened to an issue.
type ChangeKind string

// The kinds of changes, as they are kept in the activity and told to hooks.
const (
	ChangeNew        ChangeKind = "new"
	ChangeRegressed  ChangeKind = "regressed"
	ChangeEscalating ChangeKind = "escalating"
	ChangeResolved   ChangeKind = "resolved"
	ChangeUnresolved ChangeKind = "unresolved" // by a person, or because the archive's time was over
	ChangeArchived   ChangeKind = "archived"
	ChangeAssigned   ChangeKind = "assigned"
	ChangeUnassigned ChangeKind = "unassigned"
	ChangeMerged     ChangeKind = "merged"
	ChangeUnmerged   ChangeKind = "unmerged"
	ChangeComment    ChangeKind = "comment"
	ChangeFeedback   ChangeKind = "feedback"
	ChangeDeleted    ChangeKind = "deleted"
)

// state is what the rules of section 10 work on.
type state struct {
	Status   Status
	Substate Substate
	Terms    Terms
}

// same compares what is stored; Terms hold pointers.
func (s state) same(o state) bool {
	return s.Status == o.Status && s.Substate == o.Substate && s.Terms.text() == o.Terms.text()
}

// sighting is one event as the rules see it: the issue's numbers include it.
type sighting struct {
	At      time.Time
	Release string
	Events  int64
	Users   int64
	// Hour is the issue's events in the current hour.
	Hour int64
}

// releaseOrder compares two releases of a project; known is false when nothing orders them.
type releaseOrder func(a, b string) (result int, known bool)

// advance applies an event to an issue's state; kind is "" when nothing changed.
func (s state) advance(a sighting, order releaseOrder) (next state, kind ChangeKind) {
	switch s.Status {
	case Resolved:
		if s.Terms.regresses(a.Release, order) {
			return state{Status: Unresolved, Substate: Regressed}, ChangeRegressed
		}
	case Archived:
		return s.wake(a)
	}
	return s, ""
}

// regresses tells whether an event of that release contradicts that the issue is fixed.
func (t Terms) regresses(release string, order releaseOrder) bool {
	newer := func() (bool, bool) {
		if release == "" || release == t.Release {
			return false, release != ""
		}
		c, known := order(release, t.Release)
		return c > 0, known
	}
	switch t.Kind {
	case InRelease:
		is, known := newer()
		return is || !known // without a release nobody can say that it is an old one
	case InNextRelease:
		if t.Release == "" { // none was known: any named release is a newer one
			return release != ""
		}
		is, _ := newer()
		return is
	case InCommit:
		if t.Release == "" { // the commit is in no release yet
			return false
		}
		is, known := newer()
		return is || release == t.Release || !known
	}
	return true
}

// wake ends what an archived issue was archived until.
func (s state) wake(a sighting) (state, ChangeKind) {
	t := s.Terms
	back := state{Status: Unresolved, Substate: Ongoing}
	switch t.Kind {
	case UntilTime:
		if t.Until != nil && !a.At.Before(*t.Until) {
			return back, ChangeUnresolved
		}
	case UntilUsers:
		if a.Users-t.FromUsers >= t.Users {
			return back, ChangeUnresolved
		}
	case UntilEvents:
		if t.Window > 0 {
			window := time.Duration(t.Window) * time.Minute
			if t.WindowStart == nil || !a.At.Before(t.WindowStart.Add(window)) {
				start := a.At
				t.WindowStart, t.FromEvents = &start, a.Events-1
			}
		}
		if a.Events-t.FromEvents >= t.Events {
			return back, ChangeUnresolved
		}
		s.Terms = t
	case UntilEscalating:
		if a.Hour > max(t.Threshold, minEscalation) {
			return state{Status: Unresolved, Substate: Escalating}, ChangeEscalating
		}
	}
	return s, ""
}

// minEscalation keeps a handful of events from waking a quiet issue.
const minEscalation = 10

// escalationThreshold is twice the busiest hour of the week before the archive.
func escalationThreshold(busiest int64) int64 { return max(2*busiest, minEscalation) }

// settle makes old news ongoing, and ends an archive whose time is over.
func (s state) settle(since, now time.Time) (next state, kind ChangeKind) {
	switch {
	case s.Status == Unresolved && s.Substate != Ongoing && now.Sub(since) >= freshFor:
		return state{Status: Unresolved, Substate: Ongoing}, ""
	case s.Status == Archived && s.Terms.Kind == UntilTime && s.Terms.Until != nil && !now.Before(*s.Terms.Until):
		return state{Status: Unresolved, Substate: Ongoing}, ChangeUnresolved
	}
	return s, ""
}
