package issues

import (
	"context"
	"errors"
)

// UseReleases makes the service keep releases, session health, source maps and
// monitors: it sets the hooks of these. Call it before Start; a hook that was
// set before is called as well, after ours.
func (s *Service) UseReleases() {
	s.Symbolicate, s.OnSession, s.OnCheckIn, s.ReleaseDate = s.symbolicate, s.onSession, s.onCheckIn, s.releaseDate
	s.AlsoOnEvents(s.noteReleases)
}

// AlsoOnEvents adds a listener to OnEvents, before those that are there.
func (h *Hooks) AlsoOnEvents(f func(ctx context.Context, list []Digested) error) {
	before := h.OnEvents
	h.OnEvents = func(ctx context.Context, list []Digested) error {
		err := f(ctx, list)
		if before != nil {
			err = errors.Join(err, before(ctx, list))
		}
		return err
	}
}

// AlsoOnIssueChange adds a listener to OnIssueChange, before those that are there.
func (h *Hooks) AlsoOnIssueChange(f func(ctx context.Context, c IssueChange) error) {
	before := h.OnIssueChange
	h.OnIssueChange = func(ctx context.Context, c IssueChange) error {
		err := f(ctx, c)
		if before != nil {
			err = errors.Join(err, before(ctx, c))
		}
		return err
	}
}
