package issues

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// sessionRow counts the sessions that began in an hour.
type sessionRow struct {
	ProjectID   int64
	Hour        int64
	Release     string
	Environment string
	Total       int64
	Errored     int64
	Crashed     int64
	Abnormal    int64
}

// The marks of a session that went wrong.
const (
	markErrored  = "errored"
	markCrashed  = "crashed"
	markAbnormal = "abnormal"
)

// onSession counts health, in the transaction that digests. A session's first
// news counts it; what goes wrong later counts once, whatever is sent twice.
func (s *Service) onSession(ctx context.Context, a Accepted, one *sentry.Session, counted *sentry.Sessions) error {
	switch {
	case one != nil:
		if err := s.noteRelease(ctx, a.Team, a.Project, one.Release); err != nil {
			return err
		}
		row := sessionOf(a, one.SessionAttrs, one.Started)
		if one.Init {
			row.Total = 1
		}
		for mark, n := range map[string]*int64{markErrored: &row.Errored, markCrashed: &row.Crashed, markAbnormal: &row.Abnormal} {
			if !marked(one, mark) {
				continue
			}
			fresh, err := s.rows().markSession(ctx, a.Project, one.ID, mark, s.millis())
			if err != nil {
				return err
			}
			if fresh {
				*n = 1
			}
		}
		return s.rows().countSessions(ctx, row)
	case counted != nil:
		if err := s.noteRelease(ctx, a.Team, a.Project, counted.Release); err != nil {
			return err
		}
		hours := map[int64]sessionRow{}
		for _, b := range counted.Buckets {
			row := sessionOf(a, counted.SessionAttrs, b.Started)
			if sum, there := hours[row.Hour]; there {
				row = sum
			}
			// Of a bucket's four numbers each session is in one; abnormal ones and crashes are errors too.
			row.Total += b.Exited + b.Errored + b.Crashed + b.Abnormal
			row.Errored += b.Errored + b.Crashed + b.Abnormal
			row.Crashed += b.Crashed
			row.Abnormal += b.Abnormal
			hours[row.Hour] = row
		}
		for _, row := range hours {
			if err := s.rows().countSessions(ctx, row); err != nil {
				return err
			}
		}
	}
	return nil
}

func sessionOf(a Accepted, attrs sentry.SessionAttrs, started time.Time) sessionRow {
	if started.IsZero() || started.After(a.Received) {
		started = a.Received
	}
	environment := attrs.Environment
	if environment == "" {
		environment = "production"
	}
	return sessionRow{ProjectID: a.Project, Hour: hourNumber(started), Release: clipText(attrs.Release, maxVersion), Environment: clipText(environment, 64)}
}

func marked(one *sentry.Session, mark string) bool {
	switch mark {
	case markCrashed:
		return one.Status == sentry.SessionCrashed
	case markAbnormal:
		return one.Status == sentry.SessionAbnormal
	}
	return one.Errors > 0 || one.Status == sentry.SessionErrored || one.Status == sentry.SessionCrashed || one.Status == sentry.SessionAbnormal
}

// health is what sessions say of a release.
type health struct {
	Sessions int64 `json:"sessions"`
	Errored  int64 `json:"errored"`
	Crashed  int64 `json:"crashed"`
	Abnormal int64 `json:"abnormal"`
	// CrashFree is the share of sessions that did not crash, from 0 to 1; nil without sessions.
	CrashFree *float64 `json:"crash_free"`
	// Adoption is the share of the projects' sessions of the last 24 hours that ran this release.
	Adoption *float64 `json:"adoption"`
}

// healthOf sums sessions of the last days per release of some projects.
func (s *Service) healthOf(ctx context.Context, projects []int64, versions []string, days int64) (map[string]health, error) {
	now := hourNumber(s.Now())
	sums, err := s.rows().sessionSums(ctx, projects, versions, now-days*24+1)
	if err != nil {
		return nil, err
	}
	recent, err := s.rows().sessionSums(ctx, projects, nil, now-23)
	if err != nil {
		return nil, err
	}
	var all int64
	today := map[string]int64{}
	for _, r := range recent {
		all += r.Total
		today[r.Release] = r.Total
	}
	out := map[string]health{}
	for _, r := range sums {
		h := health{Sessions: r.Total, Errored: r.Errored, Crashed: r.Crashed, Abnormal: r.Abnormal, CrashFree: crashFree(r.Total, r.Crashed)}
		if all > 0 {
			share := float64(today[r.Release]) / float64(all)
			h.Adoption = &share
		}
		out[r.Release] = h
	}
	return out, nil
}

// CrashFree is the share of a release's sessions since a time that did not
// crash, over all releases when version is ""; sessions is how many that is about.
func (s *Service) CrashFree(ctx context.Context, project int64, version string, since time.Time) (rate float64, sessions int64, err error) {
	var versions []string
	if version != "" {
		versions = []string{version}
	}
	list, err := s.rows().sessionSums(ctx, []int64{project}, versions, hourNumber(since))
	var crashed int64
	for _, r := range list {
		sessions, crashed = sessions+r.Total, crashed+r.Crashed
	}
	if sessions == 0 {
		return 1, 0, err
	}
	return max(1-float64(crashed)/float64(sessions), 0), sessions, err
}
