package ci

import (
	"cmp"
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// wholeSHA is a commit's whole name, lower case.
var wholeSHA = regexp.MustCompile(`^[0-9a-f]{40,64}$`)

func (b threadBuild) build(team string) thread.Build {
	return thread.Build{ID: b.ID, Title: b.title(), Pipeline: b.Pipeline, Job: b.Job, Status: b.Status, Commit: b.refs().Commit, At: time.UnixMilli(cmp.Or(b.EndedAt, b.CreatedAt)).UTC(),
		Path: b.path(team), Actor: b.CreatedBy}
}

// ThreadBuilds gives the builds of jobs that took one of the commits, the newest first.
func (s *Service) ThreadBuilds(ctx context.Context, team identity.Team, commits []string, limit int) ([]thread.Build, error) {
	out := []thread.Build{}
	if err := identity.Require(ctx, team.ID, scope(identity.Read)); err != nil {
		return out, err
	}
	var known []string
	for _, sha := range commits {
		if sha = strings.ToLower(sha); wholeSHA.MatchString(sha) {
			known = append(known, sha)
		}
	}
	list, err := s.store.buildsOfCommits(ctx, team.ID, known, limit)
	for _, b := range list {
		out = append(out, b.build(team.Name))
	}
	return out, err
}

// shownBefore is how many builds with the same failure are named.
const shownBefore = 8

// ThreadFailure tells which builds before failed as this one did, in its job and in the team's others.
func (s *Service) ThreadFailure(ctx context.Context, team identity.Team, id int64) (thread.Failure, error) {
	b, err := s.build(ctx, id)
	if err == nil && b.TeamID != team.ID {
		err = problem.New(problem.NotFound, "There is no such build in team %s.", team.Name)
	}
	if err == nil {
		err = identity.Require(ctx, team.ID, scope(identity.Read))
	}
	if err != nil {
		return thread.Failure{}, err
	}
	if !b.Status.failed() || b.JobID == 0 {
		return thread.Failure{}, problem.New(problem.NotFound, "Build #%s did not fail: it is %s.", b.Name, b.Status)
	}
	named, err := s.store.threadBuilds(ctx, "WHERE b.id = ?", id)
	if err != nil || len(named) == 0 {
		return thread.Failure{}, err
	}
	card, err := s.lastWords(ctx, b)
	if err != nil {
		return thread.Failure{}, err
	}
	out := thread.Failure{Build: named[0].build(team.Name), Repository: named[0].refs().Repository, From: time.UnixMilli(cmp.Or(named[0].StartedAt, named[0].CreatedAt)).UTC(),
		To: time.UnixMilli(cmp.Or(named[0].EndedAt, s.deps.Now().UnixMilli())).UTC(), Step: card.Step, Before: []thread.Build{}}
	if said := telling(card.Lines); len(said) > 0 {
		out.Words = said[len(said)-1]
	}
	words, err := s.fingerprintOf(ctx, id)
	if err != nil {
		return out, err
	}
	return out, s.sameBefore(ctx, team, b, cmp.Or(words, card.fingerprint()), &out)
}

func (s *Service) sameBefore(ctx context.Context, team identity.Team, b buildRow, words string, out *thread.Failure) error {
	const same = "WHERE b.team_id = ? AND b.id < ? AND b.id IN (SELECT build_id FROM ci_build_failures WHERE fingerprint = ?) ORDER BY b.id "
	list, err := s.store.threadBuilds(ctx, same+"DESC LIMIT ?", team.ID, b.ID, words, shownBefore)
	if err != nil || len(list) == 0 {
		return err
	}
	for _, o := range list {
		out.Before = append(out.Before, o.build(team.Name))
	}
	if out.Times, err = s.store.countFingerprint(ctx, team.ID, b.ID, words); err != nil {
		return err
	}
	first, err := s.store.threadBuilds(ctx, same+"LIMIT 1", team.ID, b.ID, words)
	if err != nil {
		return err
	}
	if len(first) > 0 {
		f := first[0].build(team.Name)
		out.First = &f
	}
	// How it ended the last time: the first success of that job behind it.
	ended, err := s.store.threadBuilds(ctx, "WHERE b.job_id = ? AND b.id > ? AND b.id < ? AND b.status = 'succeeded' ORDER BY b.id LIMIT 1", list[0].JobID, list[0].ID, b.ID)
	if err == nil && len(ended) > 0 {
		e := ended[0].build(team.Name)
		out.Ended = &e
	}
	return err
}
