package issues

import (
	"cmp"
	"context"
	"strings"

	"github.com/signalbox/signalbox/server/issues/query"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// View is a search that a team keeps under a name.
type View struct {
	ID    int64  `json:"id"`
	Team  int64  `json:"-"`
	Name  string `json:"name"`
	Query string `json:"query"`
	Sort  Sort   `json:"sort"`
	// Project is a slug, "" for all projects.
	Project   string     `json:"project"`
	CreatedBy string     `json:"created_by"`
	CreatedAt api.Millis `json:"created_at"`
}

const maxViews = 100 // of one team

func (v View) validate() error {
	switch {
	case v.Name == "" || len(v.Name) > 60 || strings.ContainsFunc(v.Name, isControl):
		return problem.FieldError("name", "give one of at most 60 bytes, without control characters")
	case len(v.Project) > 50:
		return problem.FieldError("project", "is not a project's slug")
	}
	if _, err := query.Parse(v.Query); err != nil {
		return queryProblem(err)
	}
	return v.Sort.Validate()
}

// SaveView keeps a search for the team.
func (s *Service) SaveView(ctx context.Context, team int64, v View) (View, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return v, err
	}
	v.Name, v.Query, v.Sort = strings.TrimSpace(v.Name), strings.TrimSpace(v.Query), cmp.Or(v.Sort, ByLastSeen)
	v.Team, v.CreatedBy, v.CreatedAt = team, identity.From(ctx).Name, api.Millis(s.millis())
	if err := v.validate(); err != nil {
		return v, err
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if v.Project != "" {
			p, err := s.projectBySlug(ctx, team, v.Project)
			if err != nil {
				return err
			}
			v.Project = p.Slug
		}
		there, err := s.rows().views(ctx, team)
		if err != nil {
			return err
		}
		if len(there) >= maxViews {
			return problem.New(problem.Conflict, "The team has %d saved searches, which is the most. Delete one first.", maxViews)
		}
		if v.ID, err = s.rows().insertView(ctx, v); err != nil {
			return err
		}
		return s.publish(ctx, team, viewTopic, formatID(v.ID))
	})
	return v, err
}

const viewTopic = "issues.views"

// DeleteView forgets a saved search.
func (s *Service) DeleteView(ctx context.Context, id int64) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		v, err := s.rows().view(ctx, id)
		if err != nil {
			return err
		}
		if err := identity.Require(ctx, v.Team, writing); err != nil {
			return err
		}
		if err := s.rows().removeView(ctx, id); err != nil {
			return err
		}
		return s.publish(ctx, v.Team, viewTopic, formatID(id))
	})
}
