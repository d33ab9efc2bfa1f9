package app

import (
	"context"

	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/issues"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// buildEnded tells channels of a build, and errors of the releases that it made.
func (a *App) buildEnded(ctx context.Context, b ci.BuildFinished) error {
	if err := a.buildFinished(ctx, b); err != nil {
		return err
	}
	for _, c := range b.Commits {
		err := a.issues.BuildSucceeded(ctx, issues.Built{Team: b.Team, Repository: c.Repository, SHA: c.SHA, Author: c.Author, Message: c.Message, URL: b.URL, At: c.At})
		if err != nil {
			return err
		}
	}
	return nil
}

// hostRepositories are what a team's GitHub connections reach.
func (a *App) hostRepositories(ctx context.Context, team int64) ([]issues.HostRepository, error) {
	list, err := a.github.RepositoriesOf(ctx, team)
	out := make([]issues.HostRepository, len(list))
	for i, r := range list {
		out[i] = issues.HostRepository{Place: r.Place, Name: r.Name, URL: r.URL}
	}
	return out, err
}

// GitHub's words for what became of a file, in Sentry's.
var fileTypes = map[string]string{"added": "A", "removed": "D"}

// hostHistory asks GitHub for commits.
func (a *App) hostHistory(ctx context.Context, team int64, repository, base, head string) ([]issues.Commit, error) {
	list, reached, err := a.github.History(ctx, team, repository, base, head)
	if err != nil {
		return nil, err
	}
	if !reached {
		return nil, problem.New(problem.NotFound, "No GitHub connection of the team reaches %s.", repository)
	}
	out := make([]issues.Commit, len(list))
	for i, c := range list {
		out[i] = issues.Commit{ID: c.SHA, Author: c.Author, Email: c.Email, Message: c.Message}
		if at := c.At; !at.IsZero() {
			out[i].At = &at
		}
		for _, f := range c.Files {
			kind := fileTypes[f.Status]
			if kind == "" {
				kind = "M"
			}
			out[i].Files = append(out[i].Files, issues.CommitFile{Path: f.Path, Type: kind})
		}
	}
	return out, nil
}

// member finds who may be an issue's assignee: a member of the team, or whoever
// asks, who may be an administrator.
func (a *App) member(ctx context.Context, team int64, name string) (int64, error) {
	if me := identity.From(ctx); me.SignedIn() && me.Name == name {
		return me.UserID, nil
	}
	teamName, err := a.teamName(ctx, team)
	if err != nil {
		return 0, err
	}
	list, err := a.accounts.Members(ctx, teamName)
	if err != nil {
		return 0, err
	}
	for _, m := range list {
		if m.User.Name == name {
			return m.User.ID, nil
		}
	}
	return 0, problem.FieldError("assignee", "%.80q is no member of the team", name)
}
