package assistant

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Settings are what a team lets its assistant do.
type Settings struct {
	// Repositories are the only ones that may be read, owner/name.
	Repositories []string `json:"repositories"`
	// DefaultRepository is meant when a question names none.
	DefaultRepository string `json:"default_repository"`
	// Writes is whether anything may be proposed; "" is off.
	Writes Writes `json:"writes"`
	// FourEyes keeps who asked for something that loses something from approving it.
	FourEyes bool `json:"four_eyes"`
	// LinkHosts are hosts that answers may link to, besides GitHub's and ours.
	LinkHosts []string  `json:"link_hosts"`
	Budgets   Budgets   `json:"budgets"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	UpdatedBy string    `json:"updated_by,omitempty"`
}

// loginForm is what GitHub allows as a person's name.
var loginForm = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$`)

var repositoryForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_.-]{1,100}$`)

func (s *Service) settings(ctx context.Context, team int64) (Settings, error) {
	row, err := s.store.settings(ctx, team)
	if err != nil {
		return Settings{}, err
	}
	out := Settings{Repositories: []string{}, DefaultRepository: row.DefaultRepository, Writes: Writes(row.Writes), FourEyes: row.FourEyes, LinkHosts: []string{}, Budgets: usualBudgets, UpdatedBy: row.UpdatedBy}
	if row.UpdatedAt != 0 {
		out.UpdatedAt = time.UnixMilli(row.UpdatedAt).UTC()
	}
	for text, into := range map[string]any{row.Repositories: &out.Repositories, row.LinkHosts: &out.LinkHosts, row.Budgets: &out.Budgets} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return out, fmt.Errorf("read the settings of the assistant: %w", err)
		}
	}
	return out, nil
}

// SaveSettings replaces a team's settings; an owner's right.
func (s *Service) SaveSettings(ctx context.Context, team identity.Team, in Settings) (Settings, error) {
	if err := identity.Require(ctx, team.ID, identity.Scope{Capability: "assistant", Level: identity.Admin}); err != nil {
		return Settings{}, err
	}
	if err := in.tidy(); err != nil {
		return Settings{}, err
	}
	row := settingsRow{TeamID: team.ID, DefaultRepository: in.DefaultRepository, Writes: string(in.Writes), FourEyes: in.FourEyes, UpdatedAt: s.Now().UnixMilli(), UpdatedBy: identity.From(ctx).Name}
	for into, value := range map[*string]any{&row.Repositories: in.Repositories, &row.LinkHosts: in.LinkHosts, &row.Budgets: in.Budgets} {
		raw, err := json.Marshal(value)
		if err != nil {
			return Settings{}, err
		}
		*into = string(raw)
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.store.saveSettings(ctx, row); err != nil {
			return err
		}
		return s.Audit(ctx, team.ID, "assistant.settings.change", team.Name, fmt.Sprintf("writes %s, four eyes %t, repositories %s, links %s", in.Writes, in.FourEyes, strings.Join(in.Repositories, " "), strings.Join(in.LinkHosts, " ")))
	})
	if err != nil {
		return Settings{}, err
	}
	return s.settings(ctx, team.ID)
}

var linkHostForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)

// tidy checks settings and brings them into one form.
func (in *Settings) tidy() error {
	list := []string{}
	for _, r := range in.Repositories {
		r = strings.TrimSpace(r)
		if !repositoryForm.MatchString(r) {
			return problem.FieldError("repositories", "%.100q is not owner/name", r)
		}
		if !slices.ContainsFunc(list, func(o string) bool { return strings.EqualFold(o, r) }) {
			list = append(list, r)
		}
	}
	hosts := []string{}
	for _, h := range in.LinkHosts {
		h = strings.ToLower(strings.TrimSpace(h))
		if !linkHostForm.MatchString(h) {
			return problem.FieldError("link_hosts", "%.100q is no host name", h)
		}
		if !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	in.Repositories, in.LinkHosts = list, hosts
	d := in.DefaultRepository
	switch {
	case len(list) > 500:
		return problem.FieldError("repositories", "has more than 500 entries")
	case len(hosts) > 100:
		return problem.FieldError("link_hosts", "has more than 100 entries")
	case d != "" && !slices.ContainsFunc(list, func(o string) bool { return strings.EqualFold(o, d) }):
		return problem.FieldError("default_repository", "%.100q is not among the repositories", d)
	case in.Writes == "":
		in.Writes = WritesOff
	case in.Writes != WritesOff && in.Writes != WritesConfirm:
		return problem.FieldError("writes", "%.40q is neither off nor confirm", string(in.Writes))
	}
	return in.Budgets.tidy()
}
