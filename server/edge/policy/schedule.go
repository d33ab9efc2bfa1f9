package policy

import (
	"fmt"
	"slices"
	"time"
)

// Location is the zone that the policy's clock shows; zone is the node's own,
// which counts when the policy says so.
func (s Schedule) Location(zone string) (*time.Location, error) {
	name := s.Timezone
	if name == NodeTimezone {
		name = zone
		if name == "" || name == "Local" {
			return nil, fmt.Errorf("the node has no time zone")
		}
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q", name)
	}
	return loc, nil
}

// Ends is when the policy's deadline is over in loc; zero when it has none.
func (s Schedule) Ends(loc *time.Location) time.Time {
	if s.Deadline.IsZero() {
		return time.Time{}
	}
	return s.Deadline.End(loc)
}

// farthest is how far ahead windows are looked for that freezes leave free.
const farthest = 60

// Windows gives the next n stretches in which nodes may install: those of the
// maintenance window, without what is frozen and what lies behind the deadline.
// A policy without a window has one long stretch, cut by its freezes. Least is
// how short a rest of a window may become before it is of no use.
func (s Schedule) Windows(loc *time.Location, now time.Time, n int, frozen []Interval, least time.Duration) []Interval {
	var list []Interval
	if s.MaintenanceWindow == "" {
		list = []Interval{{now, now.Add(longest.Go())}}
	} else {
		windows, err := ParseWindows(s.MaintenanceWindow)
		if err != nil {
			return nil // checked when the policy was read
		}
		list = Upcoming(windows, loc, now, farthest+n)
	}
	holes := slices.Clone(frozen)
	if ends := s.Ends(loc); !ends.IsZero() {
		holes = append(holes, Interval{ends, ends.AddDate(100, 0, 0)})
	}
	var out []Interval
	for _, w := range Without(list, holes, least) {
		if w.To.After(now) && len(out) < n {
			out = append(out, Interval{w.From.UTC(), w.To.UTC()})
		}
	}
	return out
}

// Frozen gives the stretches in which the policy's own freezes forbid a bundle
// that repairs things of these severities.
func (s Schedule) Frozen(loc *time.Location, severities []string) []Interval {
	var out []Interval
	for _, f := range s.Freeze {
		if !Allows(f.Allow, severities) {
			out = append(out, Interval{f.From.Start(loc), f.To.End(loc)})
		}
	}
	return out
}

// Allows reports whether a freeze lets through what repairs things of these severities.
func Allows(allow, severities []string) bool {
	return slices.ContainsFunc(allow, func(word string) bool { return slices.Contains(severities, word) })
}

// StagingHours gives the next n stretches in which a bundle may be brought over;
// none when it may at any time.
func (s Staging) StagingHours(loc *time.Location, now time.Time, n int) []Interval {
	if s.Hours == "" {
		return nil
	}
	w, err := ParseHours(s.Hours)
	if err != nil {
		return nil // checked when the policy was read
	}
	return Upcoming([]Window{w}, loc, now, n)
}
