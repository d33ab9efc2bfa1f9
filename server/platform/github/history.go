package github

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// HostRepository is a repository that a connection of a team reaches.
type HostRepository struct {
	// Place is host/owner/name in lower case, Name what GitHub calls it.
	Place, Name string
	// URL is its page.
	URL string
}

// RepositoriesOf lists what all of a team's connections reach, each once. A
// connection that cannot be asked hides only its own, unless none can.
func (s *Service) RepositoriesOf(ctx context.Context, team int64) ([]HostRepository, error) {
	connections, err := s.Connections(ctx, team)
	if err != nil {
		return nil, err
	}
	var out []HostRepository
	var failed []error
	for _, c := range connections {
		all, err := s.reachedBy(ctx, c)
		if err != nil {
			failed = append(failed, upstream(err))
			continue
		}
		host := cloneHost(c.APIURL)
		for _, r := range all {
			repository := HostRepository{Place: normalPlace(host + "/" + r.GetFullName()), Name: r.GetFullName(), URL: "https://" + host + "/" + r.GetFullName()}
			if r.GetHTMLURL() != "" {
				repository.URL = r.GetHTMLURL()
			}
			if !slices.ContainsFunc(out, func(o HostRepository) bool { return o.Place == repository.Place }) {
				out = append(out, repository)
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.Join(failed...)
	}
	return out, nil
}

func (s *Service) reachedBy(ctx context.Context, c Connection) ([]*github.Repository, error) {
	row, err := s.findConnection(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	client, err := s.clientOf(row)
	if err != nil {
		return nil, err
	}
	all, _, err := client.repositories(remembering(ctx))
	return all, err
}

// PastCommit is a commit with the files that it touched.
type PastCommit struct {
	SHA, Author, Email, Message string
	At                          time.Time
	Files                       []PastFile
}

// PastFile is a path and what became of it, in GitHub's words: added, modified, removed, renamed.
type PastFile struct{ Path, Status string }

const (
	// firstCommits are asked for when nothing is known from before.
	firstCommits = 20
	// listedCommits of a comparison are kept, the newest; of detailedCommits the
	// files are asked for, which costs a call each.
	listedCommits   = 250
	detailedCommits = 50
)

// History asks for the commits from base (left out) to head, the newest first;
// of the last few when base is "". A commit that GitHub does not know is a NotFound
// problem. Repository is host/owner/name, or owner/name
// on the host of any of the team's connections. False when no connection reaches it.
func (s *Service) History(ctx context.Context, team int64, repository, base, head string) ([]PastCommit, bool, error) {
	at, ok, err := s.reachedAt(ctx, team, repository)
	if err != nil || !ok {
		return nil, false, err
	}
	client, err := s.Client(ctx, at.Connection)
	if err != nil {
		return nil, false, err
	}
	list, err := commitsBetween(ctx, client, at, base, head)
	if err != nil {
		return nil, true, unknownCommit(err, repository)
	}
	out := make([]PastCommit, len(list))
	for i, c := range list {
		out[i] = PastCommit{SHA: c.GetSHA(), Author: c.GetCommit().GetAuthor().GetName(), Email: c.GetCommit().GetAuthor().GetEmail(),
			Message: c.GetCommit().GetMessage(), At: c.GetCommit().GetAuthor().GetDate().Time}
		if i >= detailedCommits {
			continue
		}
		whole, _, err := client.Repositories.GetCommit(ctx, at.Owner, at.Name, c.GetSHA(), nil)
		if err != nil {
			return nil, true, unknownCommit(err, repository)
		}
		for _, f := range whole.Files {
			out[i].Files = append(out[i].Files, PastFile{f.GetFilename(), f.GetStatus()})
		}
	}
	return out, true, nil
}

// ClientAt gives the API client of the team's connection that reaches a repository,
// owner/name or host/owner/name; false when none does.
func (s *Service) ClientAt(ctx context.Context, team int64, repository string) (*github.Client, bool, error) {
	at, ok, err := s.reachedAt(ctx, team, repository)
	if err != nil || !ok {
		return nil, false, err
	}
	client, err := s.Client(ctx, at.Connection)
	return client, err == nil, err
}

// unknownCommit tells a commit that GitHub does not know, which it will not know
// later either, from GitHub's trouble.
func unknownCommit(err error, repository string) error {
	var refused *github.ErrorResponse
	if errors.As(err, &refused) && refused.Response != nil && slices.Contains([]int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}, refused.Response.StatusCode) {
		return problem.Wrap(err, problem.NotFound, "GitHub knows no such commit of %s.", repository)
	}
	return upstream(err)
}

// reachedAt finds a repository by its place, or by owner/name on the connections' hosts.
func (s *Service) reachedAt(ctx context.Context, team int64, repository string) (Repository, bool, error) {
	if strings.Count(repository, "/") != 1 {
		return s.RepositoryAt(ctx, team, repository)
	}
	connections, err := s.Connections(ctx, team)
	if err != nil {
		return Repository{}, false, err
	}
	for _, c := range connections {
		r, ok, err := s.RepositoryAt(ctx, team, cloneHost(c.APIURL)+"/"+repository)
		if err != nil || ok {
			return r, ok, err
		}
	}
	return Repository{}, false, nil
}

func commitsBetween(ctx context.Context, client *github.Client, at Repository, base, head string) ([]*github.RepositoryCommit, error) {
	if base == "" {
		list, _, err := client.Repositories.ListCommits(ctx, at.Owner, at.Name, &github.CommitsListOptions{SHA: head, ListOptions: github.ListOptions{PerPage: firstCommits}})
		return list, err
	}
	compared, _, err := client.Repositories.CompareCommits(ctx, at.Owner, at.Name, base, head, &github.ListOptions{PerPage: listedCommits})
	if err != nil {
		return nil, err
	}
	list := slices.Clone(compared.Commits)
	slices.Reverse(list) // GitHub gives the oldest first
	return list, nil
}
