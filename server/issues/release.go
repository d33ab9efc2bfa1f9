package issues

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// ReleaseStatus says whether a release is still of interest.
type ReleaseStatus string

// The statuses of releases.
const (
	ReleaseOpen     ReleaseStatus = "open"
	ReleaseArchived ReleaseStatus = "archived"
)

// Validate refuses other words.
func (s ReleaseStatus) Validate() error {
	if s != ReleaseOpen && s != ReleaseArchived {
		return problem.FieldError("status", "%q is neither open nor archived", string(s))
	}
	return nil
}

// ReleaseRef names the commit that a release was made of.
type ReleaseRef struct {
	Repository string `json:"repository"`
	Commit     string `json:"commit"`
	Previous   string `json:"previousCommit,omitempty"`
}

// releaseChange is what a tool says of a release; what is nil or empty stays.
type releaseChange struct {
	Version      string         `json:"version"`
	Projects     []string       `json:"projects"`
	Ref          *string        `json:"ref"`
	URL          *string        `json:"url"`
	Status       *ReleaseStatus `json:"status"`
	DateStarted  *time.Time     `json:"dateStarted"`
	DateReleased *time.Time     `json:"dateReleased"`
	Commits      []Commit       `json:"commits"`
	Refs         []ReleaseRef   `json:"refs"`
}

const maxVersion = 200

// check refuses names that no client can send in an address, as Sentry does.
func (c releaseChange) check() error {
	switch {
	case c.Version == "" || c.Version == "." || c.Version == "..":
		return problem.FieldError("version", "a release needs a name")
	case len(c.Version) > maxVersion:
		return problem.FieldError("version", "is longer than %d bytes", maxVersion)
	case strings.ContainsAny(c.Version, "\n\r\t\\\f") || strings.TrimSpace(c.Version) != c.Version:
		return problem.FieldError("version", "holds characters that a release's name cannot have")
	case len(c.Commits) > maxCommits:
		return problem.FieldError("commits", "are more than %d", maxCommits)
	}
	if c.Status != nil {
		return c.Status.Validate()
	}
	return nil
}

// SaveRelease makes a release of a team or changes it; made tells which.
func (s *Service) SaveRelease(ctx context.Context, team int64, c releaseChange) (r releaseRow, made bool, err error) {
	if err := c.check(); err != nil {
		return r, false, err
	}
	if err := identity.Require(ctx, team, writing); err != nil {
		return r, false, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		projects, err := s.projectsBySlug(ctx, team, c.Projects)
		if err != nil {
			return err
		}
		r, made, err = s.rows().ensureRelease(ctx, team, c.Version, s.millis())
		if err != nil {
			return err
		}
		if err := s.rows().linkRelease(ctx, r.ID, projects); err != nil {
			return err
		}
		r.take(c)
		if err := s.rows().saveRelease(ctx, r); err != nil {
			return err
		}
		if made {
			if err := s.audit(ctx, team, "issues.release.create", r.Version, ""); err != nil {
				return err
			}
		}
		if c.Commits != nil {
			return s.setCommits(ctx, r, c.Commits)
		}
		if err := s.settleCommits(ctx, r, c.Refs); err != nil || len(c.Refs) == 0 {
			return err
		}
		return s.askHistory(ctx, r)
	})
	return r, made, err
}

// take copies what was said.
func (r *releaseRow) take(c releaseChange) {
	set(&r.Status, c.Status)
	set(&r.URL, c.URL)
	set(&r.Ref, c.Ref)
	if c.DateStarted != nil {
		r.StartedAt = c.DateStarted.UnixMilli()
	}
	if c.DateReleased != nil {
		r.ReleasedAt = c.DateReleased.UnixMilli()
	}
	if c.Refs != nil {
		r.Refs = settings(c.Refs[:min(len(c.Refs), 100)])
	}
}

// projectsBySlug finds projects by their slugs or ids; an unknown one is an error.
func (s *Service) projectsBySlug(ctx context.Context, team int64, slugs []string) ([]int64, error) {
	var ids []int64
	for _, slug := range slugs {
		p, err := s.projectBySlug(ctx, team, slug)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, p.ID) {
			ids = append(ids, p.ID)
		}
	}
	return ids, nil
}

// DeleteRelease removes a release with its commits and deploys. Its events stay.
func (s *Service) DeleteRelease(ctx context.Context, team int64, version string) error {
	if err := identity.Require(ctx, team, writing); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		r, err := s.rows().release(ctx, team, version)
		if err != nil {
			return err
		}
		if err := s.rows().removeRelease(ctx, r.ID); err != nil {
			return err
		}
		return s.audit(ctx, team, "issues.release.delete", version, "")
	})
}

// Deploy is one arrival of a release in an environment.
type Deploy struct {
	ID          int64
	Environment string
	Name, URL   string
	Started     time.Time
	Finished    time.Time
}

// AddDeploy notes a deploy of a release that exists.
func (s *Service) AddDeploy(ctx context.Context, team int64, version string, d Deploy) (Deploy, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return d, err
	}
	if d.Environment = strings.TrimSpace(d.Environment); d.Environment == "" || len(d.Environment) > 64 {
		return d, problem.FieldError("environment", "a deploy needs an environment of at most 64 bytes")
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		r, err := s.rows().release(ctx, team, version)
		if err != nil {
			return err
		}
		if d.Finished.IsZero() {
			d.Finished = s.Now()
		}
		row := deployRow{ReleaseID: r.ID, Environment: d.Environment, Name: clipText(d.Name, 200), URL: clipText(d.URL, 1000), FinishedAt: d.Finished.UnixMilli()}
		if !d.Started.IsZero() {
			row.StartedAt = d.Started.UnixMilli()
		}
		d.ID, err = s.rows().insertDeploy(ctx, row)
		return err
	})
	return d, err
}

// shortVersion is a release as people say it: 1.2.3 of shop@1.2.3, twelve digits of a commit.
func shortVersion(version string) string {
	if at := strings.LastIndexByte(version, '@'); at >= 0 && at+1 < len(version) {
		version = version[at+1:]
	}
	if len(version) == 40 && strings.Trim(version, "0123456789abcdef") == "" {
		return version[:12]
	}
	return version
}

// releaseDate is the hook that orders releases whose names have no order.
func (s *Service) releaseDate(ctx context.Context, project int64, version string) (time.Time, bool, error) {
	r, err := s.rows().releaseOfProject(ctx, project, version)
	if problem.Is(err, problem.NotFound) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, err
	}
	// What a tool says holds; a row that an event made has the event's arrival.
	return millisTime(cmp.Or(r.ReleasedAt, r.CreatedAt)), true, nil
}

// noteReleases makes releases of what events and sessions name, in the transaction that digests.
func (s *Service) noteReleases(ctx context.Context, list []Digested) error {
	for _, d := range list {
		if err := s.noteRelease(ctx, d.Team, d.Project, d.Release); err != nil {
			return err
		}
	}
	return nil
}

// noteRelease remembers what it has stored: most events name a release that is known.
func (s *Service) noteRelease(ctx context.Context, team, project int64, version string) error {
	version = clipText(version, maxVersion)
	known := releaseKey{project, version}
	if version == "" || s.releases.knows(known) {
		return nil
	}
	r, _, err := s.rows().ensureRelease(ctx, team, version, s.millis())
	if err != nil {
		return err
	}
	if err := s.rows().linkRelease(ctx, r.ID, []int64{project}); err != nil {
		return err
	}
	s.DB.AfterCommit(ctx, func() { s.releases.learn(known) })
	return nil
}
