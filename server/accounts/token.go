package accounts

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// tokenKind says where a token came from; the words are stored.
type tokenKind string

const (
	// apiToken was made by a person, for a script.
	apiToken tokenKind = "api"
	// flyToken was given for a password, like a session: it ends with the
	// user's other logins.
	flyToken tokenKind = "fly"
)

const (
	tokenPrefix = "sbx_"
	flyLife     = 24 * time.Hour
	maxDays     = 3650
)

// Token is a right to call the API as a user, narrowed. Its value is not here:
// it was shown once.
type Token struct {
	ID     string
	UserID int64
	User   string
	// Team is zero when the token is good for every team of the user.
	Team   identity.Team
	Name   string
	Scopes identity.TokenScopes
	Kind   tokenKind
	// Expires, LastUsed and Revoked are zero for never.
	Created, Expires, LastUsed, Revoked time.Time
}

// NewToken is what creating a token takes.
type NewToken struct {
	Name   string
	Team   string
	Scopes identity.TokenScopes
	// Days until it expires; 0 means never.
	Days int
}

func (n NewToken) validate() error {
	switch {
	case strings.TrimSpace(n.Name) == "" || utf8.RuneCountInString(n.Name) > maxName:
		return problem.FieldError("name", "give the token a name of at most %d characters, such as where it is used", maxName)
	case n.Days < 0 || n.Days > maxDays:
		return problem.FieldError("expires_in_days", "is not between 0 (never) and %d", maxDays)
	}
	return n.Scopes.Validate()
}

// newSecret is the prefix and 256 random bits in 43 letters and digits, so that
// a double click selects all of it and scanners recognise it.
func newSecret() string {
	digits := new(big.Int).SetBytes(random(32)).Text(62)
	return tokenPrefix + strings.Repeat("0", 43-len(digits)) + digits
}

// newFlySecret has the form of Concourse's own tokens, from which fly reads until when
// its login lasts: 160 random bits and the time, in standard base64.
func newFlySecret(expires time.Time) string {
	return base64.RawStdEncoding.EncodeToString(binary.LittleEndian.AppendUint64(random(20), uint64(expires.Unix())))
}

// CreateToken makes a token for the caller and returns its value. A token may
// make others only when it holds *, and none that lives longer or reaches
// further than itself.
func (s *Service) CreateToken(ctx context.Context, n NewToken) (Token, string, error) {
	if err := n.validate(); err != nil {
		return Token{}, "", err
	}
	caller := identity.From(ctx)
	t := Token{UserID: caller.UserID, User: caller.Name, Name: n.Name, Scopes: n.Scopes, Kind: apiToken}
	if n.Days > 0 {
		t.Expires = s.now().AddDate(0, 0, n.Days)
	}
	if n.Team != "" {
		team, ok := caller.Teams[n.Team]
		if !ok {
			return Token{}, "", problem.New(problem.NotFound, "There is no team %q, or you are not in it.", n.Team)
		}
		t.Team = team
	}
	if err := s.narrowToParent(ctx, caller, &t); err != nil {
		return Token{}, "", err
	}
	return s.createToken(ctx, t)
}

func (s *Service) narrowToParent(ctx context.Context, caller identity.Caller, t *Token) error {
	if caller.TokenID == "" {
		return nil
	}
	parent, err := s.store.token(ctx, caller.TokenID)
	if err != nil {
		return err
	}
	all := false
	for _, scope := range parent.Scopes {
		all = all || scope == "*"
	}
	if !all {
		return problem.New(problem.Forbidden, "This token lacks the scope *, without which a token cannot make others. Sign in instead.")
	}
	if parent.Team.ID != 0 && t.Team.ID == 0 {
		t.Team = parent.Team
	}
	if parent.Kind == apiToken && !parent.Expires.IsZero() && (t.Expires.IsZero() || t.Expires.After(parent.Expires)) {
		t.Expires = parent.Expires
	}
	return nil
}

func (s *Service) createToken(ctx context.Context, t Token) (Token, string, error) {
	secret := newSecret()
	if t.Kind == flyToken {
		secret = newFlySecret(t.Expires)
	}
	t.ID, t.Created = hex.EncodeToString(random(12)), s.now()
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.store.insertToken(ctx, t, hashOf(secret)); err != nil {
			return err
		}
		if t.Kind == flyToken {
			if err := s.store.setLastLogin(ctx, t.UserID, t.Created); err != nil {
				return err
			}
			return s.Audit(ctx, 0, "session.create", t.User, t.Name)
		}
		return s.Audit(ctx, t.Team.ID, "token.create", t.Name, "scopes "+strings.Join(t.Scopes, ",")+" for "+t.User)
	})
	return t, secret, err
}

// loginFly gives a signed-in user a token as fly keeps it.
func (s *Service) loginFly(ctx context.Context, u User, name string) (Token, string, error) {
	return s.createToken(ctx, Token{UserID: u.ID, User: u.Name, Name: name, Scopes: identity.TokenScopes{"*"}, Kind: flyToken, Expires: s.now().Add(flyLife)})
}

// Tokens lists the caller's that are not revoked, newest first; an
// administrator may ask for everybody's.
func (s *Service) Tokens(ctx context.Context, everybody bool) ([]Token, error) {
	if everybody {
		if err := identity.RequireAdmin(ctx); err != nil {
			return nil, err
		}
		return s.store.tokens(ctx, 0)
	}
	return s.store.tokens(ctx, identity.From(ctx).UserID)
}

// RevokeToken ends a token of the caller; an administrator may end anybody's.
// With a token that does not hold *, only that token itself can be revoked.
func (s *Service) RevokeToken(ctx context.Context, id string) error {
	caller := identity.From(ctx)
	t, err := s.store.token(ctx, id)
	if err != nil {
		return err
	}
	missing := problem.New(problem.NotFound, "There is no such token, or it is not yours.")
	if t.UserID != caller.UserID && !caller.CanAdministrate() {
		return missing
	}
	if caller.TokenID != "" && caller.TokenID != id {
		if err := s.narrowToParent(ctx, caller, &Token{}); err != nil {
			return err
		}
	}
	return s.revoke(ctx, t)
}

func (s *Service) revoke(ctx context.Context, t Token) error {
	if !t.Revoked.IsZero() {
		return nil
	}
	return s.change(ctx, func(ctx context.Context) error {
		if err := s.store.revokeToken(ctx, t.ID, s.now()); err != nil {
			return err
		}
		return s.Audit(ctx, t.Team.ID, "token.revoke", t.Name, "of "+t.User)
	})
}
