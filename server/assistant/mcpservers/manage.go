package mcpservers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Tool is one tool of a server, as its page shows it.
type Tool struct {
	Name        string          `json:"name"`
	Shown       string          `json:"shown"`
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"`
	Permission  Permission      `json:"permission"`
	// Changed says that it is not any more what was allowed, so it is locked.
	Changed   bool      `json:"changed"`
	UpdatedBy string    `json:"updated_by,omitempty"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
}

// Shown is a server with how it stands.
type Shown struct {
	Server
	Team  string    `json:"team"`
	State State     `json:"state"`
	Since time.Time `json:"since,omitzero"`
	// Error is why it is down; Stderr the end of what the program complained about.
	Error  string `json:"error,omitempty"`
	Stderr string `json:"stderr,omitempty"`
	Tools  []Tool `json:"tools"`
}

// mayManage is an administrator's right: a program runs on this machine, and an address is called from it.
func mayManage(ctx context.Context, team int64) error {
	if err := identity.RequireAdmin(ctx); err != nil {
		return err
	}
	return identity.Require(ctx, team, identity.Scope{Capability: "assistant", Level: identity.Admin})
}

// List gives a team's servers, or those of all teams for the zero team.
func (m *Manager) List(ctx context.Context, team identity.Team) ([]Shown, error) {
	err := identity.RequireAdmin(ctx)
	if err == nil && team.ID != 0 {
		err = mayManage(ctx, team.ID)
	}
	if err != nil {
		return nil, err
	}
	rows, err := m.store.servers(ctx, team.ID)
	if err != nil {
		return nil, err
	}
	out := []Shown{}
	for _, row := range rows {
		s, err := m.show(ctx, row)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (m *Manager) show(ctx context.Context, row serverRow) (Shown, error) {
	out := Shown{State: Disabled, Tools: []Tool{}}
	var err error
	if out.Server, err = row.server(); err != nil {
		return out, err
	}
	for name, team := range identity.From(ctx).Teams {
		if team.ID == row.TeamID {
			out.Team = name
		}
	}
	if row.Enabled {
		out.State = Connecting
	}
	m.mu.Lock()
	c := m.running[row.ID]
	m.mu.Unlock()
	if c != nil && c.at == row.UpdatedAt {
		c.mu.Lock()
		out.State, out.Since, out.Error, out.Stderr = c.state, c.since, c.failed, c.stderr.String()
		c.mu.Unlock()
	}
	list, err := m.store.tools(ctx, row.ID)
	for _, t := range list {
		shown := Tool{Name: t.Name, Shown: t.Shown, Description: t.Description, Schema: json.RawMessage(t.Schema), Permission: t.Permission, Changed: t.changed(), UpdatedBy: t.UpdatedBy}
		if t.UpdatedAt != 0 {
			shown.UpdatedAt = time.UnixMilli(t.UpdatedAt).UTC()
		}
		out.Tools = append(out.Tools, shown)
	}
	return out, err
}

// Get gives one server.
func (m *Manager) Get(ctx context.Context, id string) (Shown, error) {
	row, err := m.manageable(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	return m.show(ctx, row)
}

func (m *Manager) manageable(ctx context.Context, id string) (serverRow, error) {
	if err := identity.RequireAdmin(ctx); err != nil {
		return serverRow{}, err
	}
	row, err := m.store.server(ctx, id)
	if err == nil {
		err = mayManage(ctx, row.TeamID)
	}
	return row, err
}

// Save makes a server of a team, or changes the one with that id.
func (m *Manager) Save(ctx context.Context, team identity.Team, id string, in Change) (Shown, error) {
	row, action := serverRow{ID: m.ID(), TeamID: team.ID, CreatedAt: m.Now().UnixMilli()}, "assistant.server.create"
	values := map[string]string{}
	if id != "" {
		var err error
		if row, err = m.manageable(ctx, id); err != nil {
			return Shown{}, err
		}
		action = "assistant.server.change"
		// Secrets of another place would be handed to it: they are kept only while it is the same one.
		if values, err = m.kept(row, in); err != nil {
			return Shown{}, err
		}
	} else if err := mayManage(ctx, team.ID); err != nil {
		return Shown{}, err
	}
	if err := in.Validate(); err != nil {
		return Shown{}, err
	}
	for name, value := range in.Secrets {
		if value != "" {
			values[name] = value
		} else {
			delete(values, name)
		}
	}
	at := m.Now().UnixMilli()
	if at <= row.UpdatedAt {
		at = row.UpdatedAt + 1 // a connection is known by it
	}
	row.Name, row.Kind, row.URL, row.Inside, row.Repositories, row.Enabled = in.Name, string(in.Kind), in.URL, in.Inside, in.Repositories, in.Enabled
	row.TimeoutMs, row.UpdatedAt, row.UpdatedBy = int64(in.TimeoutSeconds)*1000, at, identity.From(ctx).Name
	if err := row.pack(m, in.Command, values); err != nil {
		return Shown{}, err
	}
	err := m.DB.Tx(ctx, func(ctx context.Context) error {
		save := m.store.change
		if id == "" {
			save = m.store.add
		}
		if err := save(ctx, row); err != nil {
			if database.IsDuplicate(err) {
				return problem.FieldError("name", "is taken by another server of this team")
			}
			return err
		}
		return m.Audit(ctx, row.TeamID, action, row.Name, fmt.Sprintf("%s %v %s, secrets %v, inside %t, enabled %t", in.Kind, in.Command, in.URL, slices.Sorted(maps.Keys(values)), in.Inside, in.Enabled))
	})
	if err != nil {
		return Shown{}, err
	}
	m.changed()
	return m.show(ctx, row)
}

// kept are the secrets that a server has and keeps.
func (m *Manager) kept(row serverRow, in Change) (map[string]string, error) {
	values := map[string]string{}
	before, err := row.server()
	if err != nil {
		return nil, err
	}
	if before.Kind != in.Kind || before.URL != in.URL || !slices.Equal(before.Command, in.Command) {
		return values, nil
	}
	plain, err := m.Box.Open(serverTable, row.ID, row.Secrets)
	if err != nil {
		return nil, err
	}
	return values, json.Unmarshal(plain, &values)
}

// pack writes command and secrets into a row.
func (r *serverRow) pack(m *Manager, command []string, values map[string]string) error {
	names := slices.Sorted(maps.Keys(values))
	if names == nil {
		names = []string{}
	}
	for into, value := range map[*string]any{&r.Command: command, &r.SecretNames: names} {
		raw, err := json.Marshal(value)
		if err != nil {
			return err
		}
		*into = string(raw)
	}
	plain, err := json.Marshal(values)
	if err != nil {
		return err
	}
	r.Secrets = m.Box.Seal(serverTable, r.ID, plain)
	return nil
}

// Delete forgets a server with all that was allowed.
func (m *Manager) Delete(ctx context.Context, id string) error {
	row, err := m.manageable(ctx, id)
	if err != nil {
		return err
	}
	err = m.DB.Tx(ctx, func(ctx context.Context) error {
		if err := m.store.remove(ctx, id); err != nil {
			return err
		}
		return m.Audit(ctx, row.TeamID, "assistant.server.delete", row.Name, "")
	})
	m.changed()
	return err
}

// Permit says what runs may do with a tool, as it is described now; what it is then is pinned.
func (m *Manager) Permit(ctx context.Context, id, tool string, p Permission) (Shown, error) {
	row, err := m.manageable(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	if !slices.Contains([]Permission{Off, Read, Ask, Allow}, p) {
		return Shown{}, problem.FieldError("permission", "%.40q is none of off, read, ask and allow", string(p))
	}
	list, err := m.store.tools(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	i := slices.IndexFunc(list, func(t toolRow) bool { return t.Name == tool })
	if i < 0 {
		return Shown{}, problem.New(problem.NotFound, "The server %s has no tool %.80q.", row.Name, tool)
	}
	t := list[i]
	t.Permission, t.UpdatedBy, t.UpdatedAt = p, identity.From(ctx).Name, m.Now().UnixMilli()
	t.Pinned = pin(t.Name, t.Description, json.RawMessage(t.Schema))
	err = m.DB.Tx(ctx, func(ctx context.Context) error {
		won, err := m.store.permit(ctx, t)
		if err == nil && !won {
			err = problem.New(problem.Conflict, "The tool has just changed; look at it again.")
		}
		if err != nil {
			return err
		}
		return m.Audit(ctx, row.TeamID, "assistant.server.permit", row.Name+Separator+tool, string(p))
	})
	if err != nil {
		return Shown{}, err
	}
	m.mu.Lock()
	c := m.running[id]
	m.mu.Unlock()
	if c != nil {
		there := map[string]bool{}
		for _, t := range list {
			there[t.Shown] = true
		}
		if err := m.offer(ctx, c, there); err != nil {
			return Shown{}, err
		}
	}
	return m.show(ctx, row)
}

// Try calls a tool once for an administrator who wants to see what it does, whatever its permission.
func (m *Manager) Try(ctx context.Context, id, tool string, args json.RawMessage) (json.RawMessage, error) {
	row, err := m.manageable(ctx, id)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	c := m.running[id]
	m.mu.Unlock()
	if c == nil {
		return nil, problem.New(problem.Upstream, "The server %s is not connected now.", row.Name)
	}
	if err := m.Audit(ctx, row.TeamID, "assistant.server.try", row.Name+Separator+tool, string(args)); err != nil {
		return nil, err
	}
	return c.call(ctx, tool, args)
}

// Values are the secrets of a team's servers, for whoever keeps them from leaving.
func (m *Manager) Values(ctx context.Context, team int64) ([]string, error) {
	rows, err := m.store.servers(ctx, team)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, row := range rows {
		plain, err := m.Box.Open(serverTable, row.ID, row.Secrets)
		if err != nil {
			continue // it was sealed with a key that is gone, and so is its value
		}
		values := map[string]string{}
		if json.Unmarshal(plain, &values) == nil {
			out = slices.AppendSeq(out, maps.Values(values))
		}
	}
	return out, nil
}
