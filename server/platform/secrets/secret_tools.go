package secrets

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// RegisterTools adds what machines may know of secrets: never a value.
func (s *Store) RegisterTools(r *tools.Registry) error {
	return r.Register(tools.New(tools.Spec{Name: "ci_secret_names", Title: "List names of secrets", Class: tools.ReadOnly, Level: identity.Read,
		Description: "Names of a team's secrets, and of one pipeline's own when it is named. Values are never shown."}, s.toolNames))
}

type toolNamesIn struct {
	Team     string `json:"team"`
	Pipeline string `json:"pipeline,omitempty"`
}

type toolNames struct {
	Secrets []toolName `json:"secrets"`
}

type toolName struct {
	Name     string `json:"name"`
	Pipeline string `json:"pipeline"`
}

func (s *Store) toolNames(ctx context.Context, in toolNamesIn) (toolNames, error) {
	out := toolNames{Secrets: []toolName{}}
	list, err := s.list(ctx, listIn(in))
	for _, x := range list.Items {
		out.Secrets = append(out.Secrets, toolName{x.Name, x.Pipeline})
	}
	return out, err
}
