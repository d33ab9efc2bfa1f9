package assistant

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/assistant/githubtools"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// githubPrefix begins the names of GitHub's tools, so that they cannot meet ours.
const githubPrefix = "github__"

// callTool is the one way to a tool: of a capability as the asker, of GitHub for the asker's team.
func (s *Service) callTool(ctx context.Context, a *asked, name string, args json.RawMessage) (json.RawMessage, error) {
	bare, isGitHub := strings.CutPrefix(name, githubPrefix)
	if !isGitHub {
		return s.Tools.Call(identity.With(ctx, a.caller), name, args)
	}
	server := githubtools.Server{Allowed: a.settings.Repositories, Client: func(ctx context.Context, repository string) (*github.Client, error) {
		client, ok, err := s.GitHub.ClientAt(ctx, a.team.ID, repository)
		if err == nil && !ok {
			err = problem.New(problem.NotFound, "No connection of this team reaches %s; connect GitHub under Pipelines, GitHub.", repository)
		}
		return client, err
	}}
	list := server.Tools()
	i := slices.IndexFunc(list, func(t tools.Tool) bool { return t.Name == bare })
	if i < 0 {
		return nil, problem.New(problem.NotFound, "There is no tool %q.", name)
	}
	out, err := list[i].Run(ctx, args)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}
