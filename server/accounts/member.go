package accounts

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Member is a user's place in a team.
type Member struct {
	User User
	Role identity.Role
}

// membership is a team as one user is in it.
type membership struct {
	Team identity.Team
	Role identity.Role
}

// Members lists a team's by name. Administrators who are not members are not
// listed, though they may do everything.
func (s *Service) Members(ctx context.Context, team string) ([]Member, error) {
	t, err := s.store.teamByName(ctx, team)
	if err != nil {
		return nil, err
	}
	return s.store.members(ctx, t.ID)
}

// SetMember adds a user to the team or changes the role.
func (s *Service) SetMember(ctx context.Context, team, user string, role identity.Role) error {
	if err := role.Validate(); err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context) error {
		t, u, err := s.teamAndUser(ctx, team, user)
		if err != nil {
			return err
		}
		if role != identity.Owner {
			if err := s.keepOwner(ctx, t, u); err != nil {
				return err
			}
		}
		return s.setRole(ctx, t, u, role)
	})
}

// RemoveMember takes a user out of the team.
func (s *Service) RemoveMember(ctx context.Context, team, user string) error {
	return s.change(ctx, func(ctx context.Context) error {
		t, u, err := s.teamAndUser(ctx, team, user)
		if err != nil {
			return err
		}
		if err := s.keepOwner(ctx, t, u); err != nil {
			return err
		}
		return s.removeMember(ctx, t, u)
	})
}

func (s *Service) teamAndUser(ctx context.Context, team, user string) (Team, User, error) {
	t, err := s.store.teamByName(ctx, team)
	if err != nil {
		return Team{}, User{}, err
	}
	u, err := s.store.userByName(ctx, user)
	return t, u, err
}

func (s *Service) setRole(ctx context.Context, t Team, u User, role identity.Role) error {
	was, err := s.store.role(ctx, t.ID, u.ID)
	if err != nil || was == role {
		return err
	}
	if err := s.store.setRole(ctx, t.ID, u.ID, role); err != nil {
		return err
	}
	if was == "" {
		return s.Audit(ctx, t.ID, "member.add", u.Name, string(role))
	}
	return s.Audit(ctx, t.ID, "member.change", u.Name, string(was)+" to "+string(role))
}

func (s *Service) removeMember(ctx context.Context, t Team, u User) error {
	removed, err := s.store.removeMember(ctx, t.ID, u.ID)
	if err != nil {
		return err
	}
	if !removed {
		return problem.New(problem.NotFound, "%s is not a member of %s.", u.Name, t.Name)
	}
	return s.Audit(ctx, t.ID, "member.remove", u.Name, "")
}

// keepOwner refuses to take the role from the team's last owner.
func (s *Service) keepOwner(ctx context.Context, t Team, u User) error {
	owners, err := s.store.owners(ctx, t.ID)
	if err == nil && len(owners) == 1 && owners[0] == u.ID {
		return problem.New(problem.Conflict, "%s is the last owner of %s. Make somebody else one first.", u.Name, t.Name)
	}
	return err
}
