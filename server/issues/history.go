package issues

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// HostRepository is a repository whose history can be asked for.
type HostRepository struct {
	// Place is host/owner/name, Name what tools call it: owner/name.
	Place, Name, URL string
}

// historyJob asks a repository's host for the commits of a release of which a
// tool or a build named only the newest.
const historyJob = "issues.history"

type historyPayload struct {
	Release int64 `json:"release"`
}

// askHistory is enqueued in the transaction that stores the refs.
func (s *Service) askHistory(ctx context.Context, r releaseRow) error {
	if s.History == nil || s.Jobs == nil {
		return nil
	}
	_, err := s.Jobs.EnqueueValue(ctx, work.Job{Kind: historyJob, Team: r.TeamID, UniqueKey: fmt.Sprint(r.ID), SerialKey: fmt.Sprint(historyJob, r.ID)}, historyPayload{r.ID})
	return err
}

// runHistory is the job. What the host does not know any more is no failure: a
// release without commits is one as well.
func (s *Service) runHistory(ctx context.Context, job work.Job) error {
	var p historyPayload
	if err := json.Unmarshal(job.Payload, &p); err != nil {
		return work.GiveUp(err)
	}
	r, err := s.rows().releaseByID(ctx, p.Release)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	commits, err := s.historyOf(ctx, r)
	if err != nil || len(commits) == 0 {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.setCommits(ctx, r, commits); err != nil {
			return err
		}
		return s.publish(ctx, r.TeamID, releaseTopic, formatID(r.ID))
	})
}

// releaseTopic tells of a release's commits that came later.
const releaseTopic = "issues.releases"

// historyOf asks for what is new in each of a release's repositories.
func (s *Service) historyOf(ctx context.Context, r releaseRow) ([]Commit, error) {
	var out []Commit
	for _, ref := range parseRefs(r.Refs) {
		base := ref.Previous
		if base == "" {
			var err error
			if base, err = s.refBefore(ctx, r, ref.Repository); err != nil {
				return nil, err
			}
		}
		list, err := s.History(ctx, r.TeamID, ref.Repository, base, ref.Commit)
		if problem.Is(err, problem.NotFound) && base != "" { // the base was rewritten away
			list, err = s.History(ctx, r.TeamID, ref.Repository, "", ref.Commit)
		}
		if problem.Is(err, problem.NotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("ask for the history of %s: %w", ref.Repository, err)
		}
		for _, c := range list {
			c.Repository = ref.Repository
			out = append(out, c)
		}
	}
	return out[:min(len(out), maxCommits)], nil
}

func parseRefs(text string) (list []ReleaseRef) {
	_ = json.Unmarshal([]byte(text), &list) // this package wrote it; a broken one is like none
	return list
}

// refBefore is the repository's commit in the newest release before this one.
func (s *Service) refBefore(ctx context.Context, r releaseRow, repository string) (string, error) {
	list, err := s.rows().releasesBefore(ctx, r, 50)
	for _, earlier := range list {
		for _, ref := range parseRefs(earlier.Refs) {
			if strings.EqualFold(ref.Repository, repository) && ref.Commit != "" {
				return ref.Commit, nil
			}
		}
	}
	return "", err
}

// Built is a successful build of our own with a commit that it took.
type Built struct {
	Team int64
	// Repository is host/owner/name.
	Repository, SHA string
	// Author and Message are of the commit, as far as they are known.
	Author, Message string
	// URL leads to the build.
	URL string
	At  time.Time
}

// BuildSucceeded makes a release of a commit that was built for the first time
// with success, in each project that names the commit's repository; its name is
// the commit's, which clients find out by themselves. Call it in the
// transaction that ends the build.
func (s *Service) BuildSucceeded(ctx context.Context, b Built) error {
	projects, err := s.rows().projectsOfRepository(ctx, b.Team, b.Repository)
	if err != nil || len(projects) == 0 {
		return err
	}
	r, made, err := s.rows().ensureRelease(ctx, b.Team, b.SHA, s.millis())
	if err != nil {
		return err
	}
	if err := s.rows().linkRelease(ctx, r.ID, projects); err != nil || !made && r.Refs != "[]" {
		return err
	}
	r.URL, r.Refs = b.URL, settings([]ReleaseRef{{Repository: b.Repository, Commit: b.SHA}})
	if r.StartedAt == 0 {
		r.StartedAt = s.millis()
	}
	if err := s.rows().saveRelease(ctx, r); err != nil {
		return err
	}
	known, err := s.rows().commits(ctx, r.ID, 1)
	if err != nil {
		return err
	}
	if len(known) == 0 { // until the host tells more
		c := Commit{ID: b.SHA, Repository: b.Repository, Author: b.Author, Message: b.Message}
		if !b.At.IsZero() {
			c.At = &b.At
		}
		if err := s.setCommits(ctx, r, []Commit{c}); err != nil {
			return err
		}
	}
	if err := s.publish(ctx, b.Team, releaseTopic, formatID(r.ID)); err != nil {
		return err
	}
	return s.askHistory(ctx, r)
}

// repositoriesOf are the ones that a team's tools may name.
func (s *Service) repositoriesOf(ctx context.Context, team int64) ([]HostRepository, error) {
	if s.Repositories == nil {
		return nil, nil
	}
	list, err := s.Repositories(ctx, team)
	slices.SortFunc(list, func(a, b HostRepository) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}
