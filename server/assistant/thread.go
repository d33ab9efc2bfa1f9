package assistant

import (
	"context"
	"net/url"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// Thread is what the assistant contributes to the pages of everything: calls that wait for a person.
func (s *Service) Thread() thread.Source {
	return thread.Source{Capability: "assistant", Needs: s.threadNeeds}
}

func (s *Service) threadNeeds(ctx context.Context, team identity.Team) ([]thread.Need, error) {
	list, err := s.Approvals(ctx, team, true)
	if err != nil {
		return nil, err
	}
	me := identity.From(ctx).Name
	out := []thread.Need{}
	for _, a := range list {
		out = append(out, thread.Need{Capability: "assistant", Kind: "approval", Title: a.Title + " waits for approval", Detail: a.Target, Since: a.Created.UTC(), Tone: thread.Warn, Mine: a.Proposer == me,
			Path: "/teams/" + url.PathEscape(team.Name) + "/assistant/approvals/" + url.PathEscape(a.ID)})
	}
	return out, nil
}
