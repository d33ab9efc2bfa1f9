package apply

import (
	"slices"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

// Window tells whether an install may begin at now; where not, when to look
// again (nil: there is no such time) and why. over means that it never may.
func Window(a *protocol.Assignment, now time.Time) (open bool, next *time.Time, why string, over bool) {
	if a.Deadline != nil && !now.Before(*a.Deadline) {
		return false, nil, "the deadline of " + a.Deadline.UTC().Format(time.RFC3339) + " has passed", true
	}
	if len(a.Windows) == 0 {
		return true, nil, "", false
	}
	windows := slices.Clone(a.Windows)
	slices.SortFunc(windows, func(x, y protocol.Span) int { return x.From.Compare(y.From) })
	if a.OnMissed == "skip" {
		windows = windows[:1]
	}
	latest := time.Duration(a.LatestStartSeconds) * time.Second
	for _, w := range windows {
		if w.Contains(now) && !now.After(w.To.Add(-latest)) {
			return true, nil, "", false
		}
		if w.From.After(now) {
			return false, &w.From, "the next window opens at " + w.From.UTC().Format(time.RFC3339), false
		}
	}
	if a.OnMissed == "skip" {
		return false, nil, "the window was missed, and the policy says to skip it then", true
	}
	return false, nil, "all known windows have passed; the portal must name the next", false
}
