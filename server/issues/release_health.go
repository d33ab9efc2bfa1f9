package issues

import (
	"cmp"
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// maxHealthHours is how far back a release's health is told by the hour.
const maxHealthHours = 24 * 30

// healthHour is what the sessions that began in an hour say of a release.
type healthHour struct {
	Hour     api.Millis `json:"hour"`
	Sessions int64      `json:"sessions"`
	Errored  int64      `json:"errored"`
	Crashed  int64      `json:"crashed"`
	Abnormal int64      `json:"abnormal"`
	// CrashFree is the share that did not crash, from 0 to 1; nil without sessions.
	CrashFree *float64 `json:"crash_free"`
}

type releaseHealth struct {
	// Hours are without gaps, the oldest first; the last is the present one.
	Hours []healthHour `json:"hours"`
	// CrashFree is that of all of the time; nil without sessions.
	CrashFree *float64 `json:"crash_free"`
}

type releaseHealthIn struct {
	byIssue
	// Hours is 1 to 720; two weeks when absent.
	Hours int64 `form:"hours" json:"-"`
}

func (s *Service) httpReleaseHealth(ctx context.Context, in releaseHealthIn) (releaseHealth, error) {
	r, err := s.rows().releaseByID(ctx, in.ID)
	if err != nil {
		return releaseHealth{}, err
	}
	if err := identity.Require(ctx, r.TeamID, reading); err != nil {
		return releaseHealth{}, err
	}
	return s.releaseHealth(ctx, r, min(max(cmp.Or(in.Hours, healthDays*24), 1), maxHealthHours))
}

func (s *Service) releaseHealth(ctx context.Context, r releaseRow, hours int64) (releaseHealth, error) {
	projects, err := s.rows().projectsOfReleases(ctx, []int64{r.ID})
	if err != nil {
		return releaseHealth{}, err
	}
	var ids []int64
	for _, p := range projects[r.ID] {
		ids = append(ids, p.ID)
	}
	first := hourNumber(s.Now()) - hours + 1
	counted, err := s.rows().releaseSessionHours(ctx, ids, r.Version, first)
	if err != nil {
		return releaseHealth{}, err
	}
	out := releaseHealth{Hours: make([]healthHour, hours)}
	for i := range out.Hours {
		out.Hours[i].Hour = api.Millis((first + int64(i)) * 3_600_000)
	}
	var sessions, crashed int64
	for _, c := range counted {
		at := c.Hour - first
		if at >= hours {
			continue // it began while we asked
		}
		h := &out.Hours[at]
		h.Sessions, h.Errored, h.Crashed, h.Abnormal, h.CrashFree = c.Total, c.Errored, c.Crashed, c.Abnormal, crashFree(c.Total, c.Crashed)
		sessions, crashed = sessions+c.Total, crashed+c.Crashed
	}
	out.CrashFree = crashFree(sessions, crashed)
	return out, nil
}

// crashFree is the share of sessions that did not crash; nil without sessions. A
// crash may be counted whose session's beginning never came.
func crashFree(sessions, crashed int64) *float64 {
	if sessions <= 0 {
		return nil
	}
	rate := max(1-float64(crashed)/float64(sessions), 0)
	return &rate
}
