package accounts

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const maxName = 64

// User is a person, or a robot that has tokens.
type User struct {
	ID                 int64
	Name               string
	IsAdmin            bool
	Disabled           bool
	MustChangePassword bool
	Created            time.Time
	// LastLogin is zero for somebody who never signed in.
	LastLogin time.Time
}

var userName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// checkUserName keeps names to characters that are unambiguous in URLs, logs and
// fly's "local:NAME".
func checkUserName(name string) error {
	if userName.MatchString(name) {
		return nil
	}
	return problem.FieldError("name", "%q is not a user name; use up to 64 letters, digits, dots, dashes, underscores and @, beginning with a letter or digit", name)
}

// NewUser is what creating a user takes.
type NewUser struct {
	Name string
	// Password may be empty: one is generated and must be changed.
	Password string
	Admin    bool
	// Team and Role, if given, make the user a member at once; Role defaults to member.
	Team string
	Role identity.Role
}

// CreateUser adds a user and returns the password if it was generated.
func (s *Service) CreateUser(ctx context.Context, n NewUser) (User, string, error) {
	if n.Password != "" {
		if err := checkPassword("password", n.Password, n.Name); err != nil {
			return User{}, "", err
		}
	}
	return s.createUser(ctx, n)
}

func (s *Service) createUser(ctx context.Context, n NewUser) (User, string, error) {
	if err := checkUserName(n.Name); err != nil {
		return User{}, "", err
	}
	if n.Team != "" && n.Role == "" {
		n.Role = identity.Member
	}
	if n.Role != "" {
		if err := n.Role.Validate(); err != nil {
			return User{}, "", err
		}
		if n.Team == "" {
			return User{}, "", problem.FieldError("team", "name the team in which the user shall be %s", n.Role)
		}
	}
	generated := ""
	if n.Password == "" {
		generated = generatePassword()
		n.Password = generated
	}
	hash, err := s.hashing.hash(ctx, n.Password)
	if err != nil {
		return User{}, "", err
	}
	u := User{Name: n.Name, IsAdmin: n.Admin, MustChangePassword: generated != "", Created: s.now()}
	err = s.change(ctx, func(ctx context.Context) error {
		var err error
		if u, err = s.store.insertUser(ctx, u, hash); database.IsDuplicate(err) {
			return problem.New(problem.Conflict, "There is a user named %s already.", n.Name)
		} else if err != nil {
			return err
		}
		if err := s.Audit(ctx, 0, "user.create", n.Name, adminWord(n.Admin)); err != nil || n.Team == "" {
			return err
		}
		team, err := s.store.teamByName(ctx, n.Team)
		if err != nil {
			return err
		}
		return s.setRole(ctx, team, u, n.Role)
	})
	return u, generated, err
}

func adminWord(admin bool) string {
	if admin {
		return "administrator"
	}
	return ""
}

// UserChange is what an administrator may change of a user; nil leaves it.
type UserChange struct {
	Disabled *bool
	IsAdmin  *bool
}

// ChangeUser disables, enables, promotes or demotes. The last enabled
// administrator stays one. Disabling ends the user's sessions; tokens stop
// working until the user is enabled again.
func (s *Service) ChangeUser(ctx context.Context, id int64, c UserChange) (User, error) {
	var u User
	err := s.change(ctx, func(ctx context.Context) error {
		var err error
		if u, err = s.store.user(ctx, id); err != nil {
			return err
		}
		was := u
		if c.Disabled != nil {
			u.Disabled = *c.Disabled
		}
		if c.IsAdmin != nil {
			u.IsAdmin = *c.IsAdmin
		}
		if err := s.keepAdmin(ctx, was, u); err != nil {
			return err
		}
		if err := s.store.updateUser(ctx, u); err != nil {
			return err
		}
		if u.Disabled && !was.Disabled {
			if err := s.store.endLogins(ctx, id, "", s.now()); err != nil {
				return err
			}
		}
		return s.auditUserChange(ctx, was, u)
	})
	return u, err
}

func (s *Service) auditUserChange(ctx context.Context, was, is User) error {
	words := map[[2]bool]string{{false, true}: "user.disable", {true, false}: "user.enable"}
	if action := words[[2]bool{was.Disabled, is.Disabled}]; action != "" {
		if err := s.Audit(ctx, 0, action, is.Name, ""); err != nil {
			return err
		}
	}
	words = map[[2]bool]string{{false, true}: "user.promote", {true, false}: "user.demote"}
	if action := words[[2]bool{was.IsAdmin, is.IsAdmin}]; action != "" {
		return s.Audit(ctx, 0, action, is.Name, "")
	}
	return nil
}

func (s *Service) keepAdmin(ctx context.Context, was, is User) error {
	if !was.IsAdmin || was.Disabled || is.IsAdmin && !is.Disabled {
		return nil
	}
	n, err := s.store.enabledAdmins(ctx)
	if err == nil && n <= 1 {
		return problem.New(problem.Conflict, "%s is the last enabled administrator. Make somebody else one first.", was.Name)
	}
	return err
}

// ResetPassword gives the user a generated password, to be changed after the
// next login, and ends all sessions and fly logins.
func (s *Service) ResetPassword(ctx context.Context, id int64) (string, error) {
	password := generatePassword()
	hash, err := s.hashing.hash(ctx, password)
	if err != nil {
		return "", err
	}
	err = s.change(ctx, func(ctx context.Context) error {
		u, err := s.store.user(ctx, id)
		if err != nil {
			return err
		}
		if err := s.store.setPassword(ctx, id, hash, true); err != nil {
			return err
		}
		if err := s.store.endLogins(ctx, id, "", s.now()); err != nil {
			return err
		}
		return s.Audit(ctx, 0, "user.reset-password", u.Name, "")
	})
	return password, err
}

// ChangePassword is for the caller's own; every other session and fly login ends.
func (s *Service) ChangePassword(ctx context.Context, old, password string) error {
	caller := identity.From(ctx)
	if err := checkPassword("new", password, caller.Name); err != nil {
		return err
	}
	justBlocked, err := s.throttle.admit(caller.Name, caller.Address)
	if err != nil {
		return err
	}
	hash, err := s.store.passwordHash(ctx, caller.UserID)
	if err != nil {
		return err
	}
	ok, err := s.hashing.verify(ctx, hash, old)
	switch {
	case err != nil:
		return err
	case !ok:
		return errors.Join(problem.FieldError("current", "is not your password"), s.auditBlocked(ctx, justBlocked, caller.Name))
	case old == password:
		return problem.FieldError("new", "is the password you have now")
	}
	s.throttle.succeeded(caller.Name, caller.Address)
	if hash, err = s.hashing.hash(ctx, password); err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context) error {
		if err := s.store.setPassword(ctx, caller.UserID, hash, false); err != nil {
			return err
		}
		if err := s.store.endLogins(ctx, caller.UserID, caller.SessionID, s.now()); err != nil {
			return err
		}
		return s.Audit(ctx, 0, "user.change-password", caller.Name, "")
	})
}

// Users lists everybody by name.
func (s *Service) Users(ctx context.Context) ([]User, error) { return s.store.users(ctx) }
