package assistant

import (
	"context"
	"encoding/json"
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
	DefaultRepository string    `json:"default_repository"`
	UpdatedAt         time.Time `json:"updated_at,omitzero"`
	UpdatedBy         string    `json:"updated_by,omitempty"`
}

// loginForm is what GitHub allows as a person's name.
var loginForm = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$`)

var repositoryForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_.-]{1,100}$`)

func (s *Service) settings(ctx context.Context, team int64) (Settings, error) {
	row, err := s.store.settings(ctx, team)
	if err != nil {
		return Settings{}, err
	}
	out := Settings{Repositories: []string{}, DefaultRepository: row.DefaultRepository, UpdatedBy: row.UpdatedBy}
	if row.UpdatedAt != 0 {
		out.UpdatedAt = time.UnixMilli(row.UpdatedAt).UTC()
	}
	return out, json.Unmarshal([]byte(row.Repositories), &out.Repositories)
}

// SaveSettings replaces a team's settings; an owner's right.
func (s *Service) SaveSettings(ctx context.Context, team identity.Team, in Settings) (Settings, error) {
	if err := identity.Require(ctx, team.ID, identity.Scope{Capability: "assistant", Level: identity.Admin}); err != nil {
		return Settings{}, err
	}
	list := []string{}
	for _, r := range in.Repositories {
		r = strings.TrimSpace(r)
		if !repositoryForm.MatchString(r) {
			return Settings{}, problem.FieldError("repositories", "%.100q is not owner/name", r)
		}
		if !slices.ContainsFunc(list, func(o string) bool { return strings.EqualFold(o, r) }) {
			list = append(list, r)
		}
	}
	if len(list) > 500 {
		return Settings{}, problem.FieldError("repositories", "has more than 500 entries")
	}
	if d := in.DefaultRepository; d != "" && !slices.ContainsFunc(list, func(o string) bool { return strings.EqualFold(o, d) }) {
		return Settings{}, problem.FieldError("default_repository", "%.100q is not among the repositories", d)
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return Settings{}, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		row := settingsRow{TeamID: team.ID, Repositories: string(raw), DefaultRepository: in.DefaultRepository, UpdatedAt: s.Now().UnixMilli(), UpdatedBy: identity.From(ctx).Name}
		if err := s.store.saveSettings(ctx, row); err != nil {
			return err
		}
		return s.Audit(ctx, team.ID, "assistant.settings.change", team.Name, strings.Join(list, " "))
	})
	if err != nil {
		return Settings{}, err
	}
	return s.settings(ctx, team.ID)
}
