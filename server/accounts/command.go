package accounts

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// The commands of the server binary: whoever opens the data folder may do all.
// They work beside a running server, which hears of their changes within two
// seconds.

func asCommand(ctx context.Context) context.Context {
	return identity.With(ctx, identity.Caller{Name: "command line"})
}

// UserCreate is `user create`: it returns the password if none was given. Team
// main and the first rows are made if the server never ran.
func UserCreate(ctx context.Context, s *Service, n NewUser) (User, string, error) {
	ctx = asCommand(ctx)
	if n.Password != "" {
		if err := checkOperatorPassword(n.Password); err != nil {
			return User{}, "", err
		}
	}
	if err := s.ensureMain(ctx); err != nil {
		return User{}, "", err
	}
	return s.createUser(ctx, n)
}

// UserList is `user list`.
func UserList(ctx context.Context, s *Service) ([]User, error) { return s.store.users(ctx) }

// UserDisable is `user disable`.
func UserDisable(ctx context.Context, s *Service, name string) error {
	ctx = asCommand(ctx)
	u, err := s.store.userByName(ctx, name)
	if err != nil {
		return err
	}
	disabled := true
	_, err = s.ChangeUser(ctx, u.ID, UserChange{Disabled: &disabled})
	return err
}

// UserReset is `user reset`: it returns the generated password.
func UserReset(ctx context.Context, s *Service, name string) (string, error) {
	ctx = asCommand(ctx)
	u, err := s.store.userByName(ctx, name)
	if err != nil {
		return "", err
	}
	return s.ResetPassword(ctx, u.ID)
}

// TokenCreate is `token create`: it returns the token's value.
func TokenCreate(ctx context.Context, s *Service, user string, n NewToken) (Token, string, error) {
	ctx = asCommand(ctx)
	if err := n.validate(); err != nil {
		return Token{}, "", err
	}
	u, err := s.store.userByName(ctx, user)
	if err != nil {
		return Token{}, "", err
	}
	t := Token{UserID: u.ID, User: u.Name, Name: n.Name, Scopes: n.Scopes, Kind: apiToken}
	if n.Days > 0 {
		t.Expires = s.now().AddDate(0, 0, n.Days)
	}
	if n.Team != "" {
		team, err := s.store.teamByName(ctx, n.Team)
		if err != nil {
			return Token{}, "", err
		}
		role, err := s.store.role(ctx, team.ID, u.ID)
		if err != nil {
			return Token{}, "", err
		}
		if role == "" && !u.IsAdmin {
			return Token{}, "", problem.New(problem.Conflict, "%s is not a member of %s, so the token could do nothing.", u.Name, team.Name)
		}
		t.Team = team.Team
	}
	return s.createToken(ctx, t)
}

// TokenList is `token list`: one user's, or everybody's when user is "".
func TokenList(ctx context.Context, s *Service, user string) ([]Token, error) {
	if user == "" {
		return s.store.tokens(ctx, 0)
	}
	u, err := s.store.userByName(ctx, user)
	if err != nil {
		return nil, err
	}
	return s.store.tokens(ctx, u.ID)
}

// TokenRevoke is `token revoke`.
func TokenRevoke(ctx context.Context, s *Service, id string) error {
	ctx = asCommand(ctx)
	t, err := s.store.token(ctx, id)
	if err != nil {
		return err
	}
	return s.revoke(ctx, t)
}
