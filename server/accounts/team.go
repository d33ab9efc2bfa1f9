package accounts

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Team is a tenant as accounts keeps it.
type Team struct {
	identity.Team
	Created time.Time
	// Privileged says whether an administrator lets the team's tasks run privileged.
	Privileged bool
	// Auth is what fly set-team asked for that has no effect here, such as
	// groups, kept to be shown again.
	Auth TeamAuth
	// Members counts them; filled by lists only.
	Members int64
}

// Concourse's rule for identifiers, and digits first besides.
var teamName = regexp.MustCompile(`^[\p{Ll}\p{Lt}\p{Lm}\p{Lo}\d][\p{Ll}\p{Lt}\p{Lm}\p{Lo}\d_.-]{0,62}$`)

func checkTeamName(name string) error {
	if teamName.MatchString(name) {
		return nil
	}
	return problem.FieldError("name", "%q is not a team name; use up to 63 lower-case letters, digits, dots, dashes and underscores, beginning with a letter or digit", name)
}

func teamsByName(c identity.Caller) []identity.Team {
	return slices.SortedFunc(maps.Values(c.Teams), func(a, b identity.Team) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
}

// CreateTeam adds a team with the caller as its first owner.
func (s *Service) CreateTeam(ctx context.Context, name string) (Team, error) {
	var t Team
	err := s.change(ctx, func(ctx context.Context) error {
		var err error
		t, err = s.createTeam(ctx, name)
		return err
	})
	return t, err
}

func (s *Service) createTeam(ctx context.Context, name string) (Team, error) {
	if err := checkTeamName(name); err != nil {
		return Team{}, err
	}
	t, err := s.store.insertTeam(ctx, name, s.now())
	if database.IsDuplicate(err) {
		return Team{}, problem.New(problem.Conflict, "There is a team named %s already.", name)
	} else if err != nil {
		return Team{}, err
	}
	if err := s.Audit(ctx, t.ID, "team.create", name, ""); err != nil {
		return Team{}, err
	}
	if caller := identity.From(ctx); caller.UserID > 0 {
		return t, s.setRole(ctx, t, User{ID: caller.UserID, Name: caller.Name}, identity.Owner)
	}
	return t, nil
}

// TeamChange is what may change of a team; nil leaves it.
type TeamChange struct {
	Name *string
	// Privileged may be set by administrators only.
	Privileged *bool
}

// ChangeTeam renames a team or lets its tasks run privileged.
func (s *Service) ChangeTeam(ctx context.Context, name string, c TeamChange) (Team, error) {
	var t Team
	err := s.change(ctx, func(ctx context.Context) error {
		var err error
		if t, err = s.store.teamByName(ctx, name); err != nil {
			return err
		}
		if c.Name != nil && *c.Name != t.Name {
			if err := s.renameTeam(ctx, &t, *c.Name); err != nil {
				return err
			}
		}
		if c.Privileged == nil || *c.Privileged == t.Privileged {
			return nil
		}
		if err := identity.RequireAdmin(ctx); err != nil {
			return err
		}
		t.Privileged = *c.Privileged
		if err := s.store.updateTeam(ctx, t); err != nil {
			return err
		}
		action := "team.forbid-privileged"
		if t.Privileged {
			action = "team.allow-privileged"
		}
		return s.Audit(ctx, t.ID, action, t.Name, "")
	})
	return t, err
}

func (s *Service) renameTeam(ctx context.Context, t *Team, name string) error {
	if t.Name == MainTeam {
		return problem.New(problem.Conflict, "The team main keeps its name: it is the installation's own.")
	}
	if err := checkTeamName(name); err != nil {
		return err
	}
	old := t.Name
	t.Name = name
	if err := s.store.updateTeam(ctx, *t); database.IsDuplicate(err) {
		return problem.New(problem.Conflict, "There is a team named %s already.", name)
	} else if err != nil {
		return err
	}
	return s.Audit(ctx, t.ID, "team.rename", name, "was "+old)
}

// DeleteTeam removes a team with everything it owns.
func (s *Service) DeleteTeam(ctx context.Context, name string) error {
	return s.change(ctx, func(ctx context.Context) error {
		t, err := s.store.teamByName(ctx, name)
		if err != nil {
			return err
		}
		if t.Name == MainTeam {
			return problem.New(problem.Conflict, "The team main cannot be deleted: it is the installation's own.")
		}
		if s.OnTeamDeleted != nil {
			if err := s.OnTeamDeleted(ctx, t.Team); err != nil {
				return err
			}
		}
		if err := s.store.deleteTeam(ctx, t.ID); err != nil {
			return err
		}
		// The team's own log can no longer be asked for by its name.
		return s.Audit(ctx, 0, "team.delete", t.Name, "")
	})
}

// Teams lists those the caller is in; for an administrator, all.
func (s *Service) Teams(ctx context.Context) ([]Team, error) {
	caller := identity.From(ctx)
	ids := make([]int64, 0, len(caller.Roles))
	for id := range caller.Roles {
		ids = append(ids, id)
	}
	return s.store.teams(ctx, ids)
}

// Team finds one by name; who may see it is checked by the route.
func (s *Service) Team(ctx context.Context, name string) (Team, error) {
	return s.store.teamByName(ctx, name)
}

// AllTeams lists every team, for loops that work for all of them.
func (s *Service) AllTeams(ctx context.Context) ([]Team, error) { return s.store.teams(ctx, nil) }

// TeamByID finds a team for what only knows its number.
func (s *Service) TeamByID(ctx context.Context, id int64) (Team, error) {
	return s.store.teamByID(ctx, id)
}
