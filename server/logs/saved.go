package logs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// SavedSearch is a search under a name, or, without one, what a short link
// leads to.
type SavedSearch struct {
	ID    string `json:"id"`
	Team  int64  `json:"-"`
	User  int64  `json:"-"`
	Name  string `json:"name"`
	Query string `json:"query"`
	// From and To are RFC 3339, or relative as now-1h and now; both may be "".
	From    string   `json:"from"`
	To      string   `json:"to"`
	Columns []string `json:"columns"`
	// Shared shows it to the whole team.
	Shared bool `json:"shared"`
	// Mine is whether the caller made it.
	Mine      bool       `json:"mine"`
	CreatedBy string     `json:"created_by"`
	CreatedAt api.Millis `json:"created_at"`
	UpdatedAt api.Millis `json:"updated_at"`
}

// SavedChange is what a person says of a saved search; what is nil stays.
type SavedChange struct {
	Name    *string   `json:"name" form:"-"`
	Query   *string   `json:"query" form:"-"`
	From    *string   `json:"from" form:"-"`
	To      *string   `json:"to" form:"-"`
	Columns *[]string `json:"columns" form:"-"`
	Shared  *bool     `json:"shared" form:"-"`
}

const (
	maxSaved   = 500 // of one team
	savedTopic = "logs.searches"
	// linksKept is for how long short links work: longer than most keep lines.
	linksKept = 400 * 24 * time.Hour
)

var relativeTime = regexp.MustCompile(`^now(-\d{1,6}[smhdw])?$`)

func (v *SavedSearch) apply(c SavedChange) {
	set(&v.Name, c.Name)
	set(&v.Query, c.Query)
	set(&v.From, c.From)
	set(&v.To, c.To)
	set(&v.Shared, c.Shared)
	if c.Columns != nil {
		v.Columns = append([]string{}, *c.Columns...)
	}
}

func (v *SavedSearch) check() error {
	if v.Name = strings.TrimSpace(v.Name); v.Name == "" || len(v.Name) > 100 || strings.ContainsFunc(v.Name, isControl) {
		return problem.FieldError("name", "give one of at most 100 bytes, without control characters")
	}
	return v.checkSearch()
}

func (v *SavedSearch) checkSearch() error {
	if v.Query = strings.TrimSpace(v.Query); len(v.Query) > maxAlertQuery {
		return problem.FieldError("query", "is longer than %d bytes", maxAlertQuery)
	}
	if _, err := query.Parse(v.Query); err != nil {
		return misread(err)
	}
	for field, text := range map[string]string{"from": v.From, "to": v.To} {
		if _, err := time.Parse(time.RFC3339, text); err != nil && text != "" && !relativeTime.MatchString(text) {
			return problem.FieldError(field, "%.40q is neither a time such as 2026-01-31T12:00:00Z nor relative as now-1h", text)
		}
	}
	if len(v.Columns) > 50 {
		return problem.FieldError("columns", "name at most 50")
	}
	for _, name := range v.Columns {
		if name == "" || len(name) > 200 || strings.ContainsFunc(name, isControl) {
			return problem.FieldError("columns", "%.40q is not the name of a field", name)
		}
	}
	return nil
}

// SavedSearches lists the caller's own and those that the team shares, by name.
func (s *Service) SavedSearches(ctx context.Context, team int64) ([]SavedSearch, error) {
	if err := identity.Require(ctx, team, reading); err != nil {
		return nil, err
	}
	return s.rows.savedSearches(ctx, team, identity.From(ctx).UserID)
}

// SaveSearch keeps a search.
func (s *Service) SaveSearch(ctx context.Context, team int64, c SavedChange) (SavedSearch, error) {
	v := SavedSearch{Columns: []string{}}
	if err := identity.Require(ctx, team, writing); err != nil {
		return v, err
	}
	v.apply(c)
	if err := v.check(); err != nil {
		return v, err
	}
	s.own(ctx, &v, team, s.NewID())
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.rows.countSaved(ctx, team)
		if err != nil {
			return err
		}
		if n >= maxSaved {
			return problem.New(problem.Conflict, "The team has %d saved searches, which is the most. Delete one first.", maxSaved)
		}
		if err := s.rows.insertSaved(ctx, v); err != nil {
			return err
		}
		return s.publish(ctx, team, savedTopic, v.ID)
	})
	return v, err
}

func (s *Service) own(ctx context.Context, v *SavedSearch, team int64, id string) {
	who, now := identity.From(ctx), api.Millis(s.Now().UnixMilli())
	v.ID, v.Team, v.User, v.Mine, v.CreatedBy, v.CreatedAt, v.UpdatedAt = id, team, who.UserID, true, who.Name, now, now
}

// savedFor loads a search that the caller may change: an own one, or one that is
// shared.
func (s *Service) savedFor(ctx context.Context, id string) (SavedSearch, error) {
	v, err := s.savedSearch(ctx, id, writing)
	if err == nil && v.Name == "" {
		err = problem.New(problem.NotFound, "There is no saved search %.40s.", id)
	}
	return v, err
}

// savedSearch loads a search that the caller may see.
func (s *Service) savedSearch(ctx context.Context, id string, scope identity.Scope) (SavedSearch, error) {
	v, err := s.rows.savedSearch(ctx, id)
	if err != nil {
		return v, err
	}
	if err := identity.Require(ctx, v.Team, scope); err != nil {
		return v, err
	}
	if v.Mine = v.User == identity.From(ctx).UserID; !v.Mine && !v.Shared {
		return v, problem.New(problem.NotFound, "There is no saved search %.40s.", id)
	}
	return v, nil
}

// ChangeSearch sets what the change names.
func (s *Service) ChangeSearch(ctx context.Context, id string, c SavedChange) (v SavedSearch, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if v, err = s.savedFor(ctx, id); err != nil {
			return err
		}
		if v.apply(c); !v.Shared && !v.Mine {
			return problem.FieldError("shared", "only %s can take this search out of the team's", v.CreatedBy)
		}
		if err := v.check(); err != nil {
			return err
		}
		v.UpdatedAt = api.Millis(s.Now().UnixMilli())
		if err := s.rows.updateSaved(ctx, v); err != nil {
			return err
		}
		return s.publish(ctx, v.Team, savedTopic, id)
	})
	return v, err
}

// DeleteSearch forgets a saved search.
func (s *Service) DeleteSearch(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		v, err := s.savedFor(ctx, id)
		if err != nil {
			return err
		}
		if err := s.rows.removeSaved(ctx, id); err != nil {
			return err
		}
		return s.publish(ctx, v.Team, savedTopic, id)
	})
}

// LinkSearch keeps a search under an id made of what it says, for a short link;
// the same search has the same link.
func (s *Service) LinkSearch(ctx context.Context, team identity.Team, c SavedChange) (SavedSearch, error) {
	v := SavedSearch{Columns: []string{}}
	v.apply(c)
	v.Name, v.Shared = "", true
	if err := v.checkSearch(); err != nil {
		return v, err
	}
	for field, text := range map[string]string{"from": v.From, "to": v.To} {
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return v, problem.FieldError(field, "must be a time such as 2026-01-31T12:00:00Z, so that the link goes on showing the same lines")
		}
	}
	sum := sha256.Sum256([]byte(written([]any{team.ID, v.Query, v.From, v.To, v.Columns})))
	s.own(ctx, &v, team.ID, hex.EncodeToString(sum[:10]))
	return v, s.rows.saveLink(ctx, v)
}
