package mcpservers

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Offered are the tools that runs of a team may call now, by name.
func (m *Manager) Offered(team int64) []Offered {
	var out []Offered
	for _, c := range m.of(team) {
		c.mu.Lock()
		out = append(out, c.offered...)
		c.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b Offered) int { return strings.Compare(a.Shown, b.Shown) })
	return out
}

func (m *Manager) of(team int64) []*connection {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*connection
	for _, c := range m.running {
		if c.team == team {
			out = append(out, c)
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
		return nil, problem.New(problem.NotFound, "There is no tool %.80q for this team now: its server is down, or it is not allowed.", shown)
	}
	for _, c := range m.of(team) {
		if c.server.Name == o.Server {
			return c.call(ctx, o.Name, args)
		}
	}
	return nil, problem.New(problem.Upstream, "The server %s is not connected now.", o.Server)
}

// call makes one call. Whatever goes wrong is said so that nobody takes it for an answer.
func (c *connection) call(ctx context.Context, tool string, args json.RawMessage) (json.RawMessage, error) {
	c.mu.Lock()
	session := c.session
	c.mu.Unlock()
	if session == nil {
		return nil, problem.New(problem.Upstream, "The server %s is not connected now.", c.server.Name)
	}
	if len(args) == 0 || string(args) == "null" {
		args = json.RawMessage("{}") // some refuse null
	}
	limited, cancel := context.WithTimeout(ctx, time.Duration(max(c.server.TimeoutSeconds, 1))*time.Second)
	defer cancel()
	result, err := session.CallTool(limited, &mcp.CallToolParams{Name: tool, Arguments: args})
	var said *jsonrpc.Error
	switch {
	case errors.As(err, &said):
		return nil, problem.Wrap(err, problem.Upstream, "The server %s refused the call: %.500s", c.server.Name, strings.ToValidUTF8(said.Message, ""))
	case limited.Err() != nil:
		return nil, problem.Wrap(limited.Err(), problem.Upstream, "The server %s did not answer within %d seconds; whether %s did anything is not known.", c.server.Name, c.server.TimeoutSeconds, tool)
	case err != nil: // the program or the connection is gone: pipes and networks say that in many ways
		return nil, problem.Wrap(err, problem.Upstream, "The server %s ended in the middle of the call; whether %s did anything is not known.", c.server.Name, tool)
	}
	text := textOf(result)
	if result.IsError {
		return nil, problem.New(problem.Upstream, "The server %s says: %.1000s", c.server.Name, text)
	}
	if result.StructuredContent != nil {
		if raw, err := json.Marshal(result.StructuredContent); err == nil {
			return raw, nil
		}
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text), nil
	}
	return json.Marshal(map[string]string{"text": text})
}

// textOf joins the texts of a result; pictures and the like are named only.
func textOf(result *mcp.CallToolResult) string {
	var parts []string
	for _, content := range result.Content {
		if text, ok := content.(*mcp.TextContent); ok {
			parts = append(parts, text.Text)
		} else {
			parts = append(parts, "(something that is no text)")
		}
	}
	return strings.ToValidUTF8(strings.Join(parts, "\n"), "")
}
