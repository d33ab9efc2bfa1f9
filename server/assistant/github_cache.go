package assistant

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/assistant/githubtools"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// changedAtGitHub carries names of repositories, in which GitHub has told of a change, to every server.
const changedAtGitHub = "assistant.github"

// GitHubChanged hears of what GitHub has told of a repository, in the context's
// transaction: what is known of it is looked at anew.
func (s *Service) GitHubChanged(ctx context.Context, repository string) error {
	if repository == "" {
		return nil // of an organization, or of the App
	}
	return s.DB.Notify(ctx, changedAtGitHub, repository)
}

// githubFor is GitHub as this run's team reaches it.
func (a *asked) githubFor() *githubtools.Server {
	s := a.service
	return &githubtools.Server{Allowed: a.settings.Repositories, Cache: s.hub, Scope: fmt.Sprint(a.team.ID), OnCached: a.knownSince,
		Client: func(ctx context.Context, repository string) (*github.Client, error) {
			client, ok, err := s.GitHub.ClientAt(ctx, a.team.ID, repository)
			if err == nil && !ok {
				err = problem.New(problem.NotFound, "No connection of this team reaches %s; connect GitHub under Pipelines, GitHub.", repository)
			}
			return client, err
		}}
}

// knownSince notes how old what GitHub said is; the oldest counts.
func (a *asked) knownSince(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asOf.IsZero() || at.Before(a.asOf) {
		a.asOf = at
	}
}

// withAge says in a result that it is an earlier one.
func (a *asked) withAge(result json.RawMessage) json.RawMessage {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asOf.IsZero() || len(result) < 3 || result[0] != '{' {
		return result
	}
	return append([]byte(fmt.Sprintf(`{"as_of":%q,`, a.asOf.UTC().Format(time.RFC3339))), result[1:]...)
}

// ageOf is what an answer says about the age of its facts, "" when they are of now.
func (a *asked) ageOf() string {
	if a.asOf.IsZero() {
		return ""
	}
	return "\n\nGitHub as of " + a.asOf.In(a.now.Location()).Format("15:04") + "."
}
