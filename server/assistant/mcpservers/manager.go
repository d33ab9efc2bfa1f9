package mcpservers

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Manager holds the connections to all servers. A nil one has none.
type Manager struct {
	mu      sync.Mutex
	running map[string]*connection // by id
}

// connection is a server while it is wanted.
type connection struct {
	team    int64
	offered []Offered
	call    func(ctx context.Context, tool string, args json.RawMessage) (json.RawMessage, error)
}

// Offered are the tools that runs of a team may call now, by name.
func (m *Manager) Offered(team int64) []Offered {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Offered
	for _, c := range m.running {
		if c.team == team {
			out = append(out, c.offered...)
		}
	}
	return out
}

// Find gives a tool by the name that models see.
func (m *Manager) Find(team int64, shown string) (Offered, bool) {
	list := m.Offered(team)
	i := slices.IndexFunc(list, func(o Offered) bool { return o.Shown == shown })
	if i < 0 {
		return Offered{}, false
	}
	return list[i], true
}

// Call calls a tool that is offered.
func (m *Manager) Call(ctx context.Context, team int64, shown string, args json.RawMessage) (json.RawMessage, error) {
	o, ok := m.Find(team, shown)
	if !ok {
		return nil, problem.New(problem.NotFound, "There is no tool %.80q for this team now.", shown)
	}
	m.mu.Lock()
	var call func(context.Context, string, json.RawMessage) (json.RawMessage, error)
	for _, c := range m.running {
		if c.team == team && slices.ContainsFunc(c.offered, func(x Offered) bool { return x.Shown == o.Shown }) {
			call = c.call
		}
	}
	m.mu.Unlock()
	if call == nil {
		return nil, problem.New(problem.Upstream, "The server %s is not connected now.", o.Server)
	}
	return call(ctx, o.Name, args)
}
