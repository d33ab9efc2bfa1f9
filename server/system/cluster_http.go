package system

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type serverOut struct {
	Node    string    `json:"node"`
	Name    string    `json:"name"`
	Address string    `json:"address"`
	Version string    `json:"version"`
	There   bool      `json:"there"`
	Self    bool      `json:"self"`
	Started time.Time `json:"started_at"`
	Seen    time.Time `json:"seen_at"`
	// Left is absent for a server that did not stop by itself.
	Left    time.Time `json:"left_at,omitzero"`
	Waiting int64     `json:"waiting_bytes"`
}

type serversOut struct {
	Items []serverOut `json:"items"`
}

func (s *Service) handleServers(ctx context.Context, _ api.Nothing) (serversOut, error) {
	list, err := s.deps.Cluster.Members(ctx)
	out := serversOut{Items: []serverOut{}}
	for _, m := range list {
		one := serverOut{m.Node, m.Name, m.Address, m.Version, m.There, m.Node == s.deps.Cluster.Node(), m.Started.UTC(), m.Seen.UTC(), m.Left, m.Waiting}
		if !m.Left.IsZero() {
			one.Left = m.Left.UTC()
		}
		out.Items = append(out.Items, one)
	}
	return out, err
}

type byNode struct {
	Node string `uri:"node" json:"-"`
}

// handleForget lets go of a server that does not come back.
func (s *Service) handleForget(ctx context.Context, in byNode) (api.Nothing, error) {
	m, err := s.deps.Cluster.Member(ctx, in.Node)
	if err != nil {
		return api.Nothing{}, err
	}
	if m.There {
		return api.Nothing{}, problem.New(problem.Conflict, "The server %s is there. Stop it first.", m.Title())
	}
	return api.Nothing{}, s.deps.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.deps.Cluster.Forget(ctx, in.Node); err != nil {
			return err
		}
		return s.deps.Audit(ctx, 0, "system.server.forget", m.Title(), "")
	})
}
