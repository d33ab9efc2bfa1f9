package accounts

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// EnsureFirstAdmin makes team main, and while no enabled administrator exists
// an administrator who owns it. It returns the password if it had to generate
// one: the caller prints it, once. A user of that name who exists is made
// administrator and given the password.
func (s *Service) EnsureFirstAdmin(ctx context.Context, name, password string) (generated string, err error) {
	ctx = identity.With(ctx, identity.Caller{Name: "first start"})
	if err := s.ensureMain(ctx); err != nil {
		return "", err
	}
	if n, err := s.store.enabledAdmins(ctx); err != nil || n > 0 {
		return "", err
	}
	if name == "" {
		name = "admin"
	}
	if err := checkUserName(name); err != nil {
		return "", err
	}
	if password == "" {
		generated = generatePassword()
		password = generated
	}
	if err := checkOperatorPassword(password); err != nil {
		return "", err
	}
	hash, err := s.hashing.hash(ctx, password)
	if err != nil {
		return "", err
	}
	made := false
	err = s.change(ctx, func(ctx context.Context) error {
		// Another node may have been faster.
		if n, err := s.store.enabledAdmins(ctx); err != nil || n > 0 {
			return err
		}
		made = true
		return s.makeFirstAdmin(ctx, name, hash)
	})
	if err != nil || !made {
		return "", err
	}
	return generated, nil
}

func (s *Service) makeFirstAdmin(ctx context.Context, name, hash string) error {
	main, err := s.store.teamByName(ctx, MainTeam)
	if err != nil {
		return err
	}
	u, _, err := s.store.userForLogin(ctx, name)
	switch {
	case err == nil:
		u.IsAdmin, u.Disabled = true, false
		if err := s.store.updateUser(ctx, u); err != nil {
			return err
		}
		if err := s.store.setPassword(ctx, u.ID, hash, false); err != nil {
			return err
		}
	case database.IsNotFound(err):
		if u, err = s.store.insertUser(ctx, User{Name: name, IsAdmin: true, Created: s.now()}, hash); err != nil {
			return err
		}
	default:
		return err
	}
	if err := s.Audit(ctx, 0, "user.create", u.Name, "first administrator"); err != nil {
		return err
	}
	return s.setRole(ctx, main, u, identity.Owner)
}

func (s *Service) ensureMain(ctx context.Context) error {
	if _, err := s.store.teamByName(ctx, MainTeam); !problem.Is(err, problem.NotFound) {
		return err
	}
	return s.change(ctx, func(ctx context.Context) error {
		if _, err := s.store.teamByName(ctx, MainTeam); !problem.Is(err, problem.NotFound) {
			return err
		}
		_, err := s.createTeam(ctx, MainTeam)
		return err
	})
}
