package accounts

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	sessionLife = 30 * 24 * time.Hour
	// slideAfter is how far a session must have aged before its end is moved:
	// once a day is enough, and not a write per request.
	slideAfter = 24 * time.Hour
	maxAgent   = 200
)

// session is a browser that is signed in.
type session struct {
	// Hash is the SHA-256 of the cookie's value, hex.
	Hash    string
	UserID  int64
	CSRF    string
	Created time.Time
	Expires time.Time
	Address string
	Agent   string
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// checkLogin finds the user behind name and password. Every way to fail takes
// as long and says the same.
func (s *Service) checkLogin(ctx context.Context, name, password string) (User, error) {
	address := identity.From(ctx).Address
	justBlocked, err := s.throttle.admit(name, address)
	if err != nil {
		return User{}, err
	}
	u, hash, err := s.store.userForLogin(ctx, name)
	if err != nil && !database.IsNotFound(err) {
		return User{}, err
	}
	known := err == nil
	if len(password) > maxPassword {
		password = "" // nobody's, and as slow as any
	}
	ok, err := s.hashing.verify(ctx, hash, password)
	switch {
	case err != nil:
		return User{}, err
	case !ok || u.Disabled:
		refused := problem.New(problem.Unauthorized, "The user name or the password is wrong.")
		// Names that nobody has are not written down: people type passwords there.
		return User{}, errors.Join(refused, s.auditBlocked(ctx, justBlocked && known, u.Name))
	}
	s.throttle.succeeded(name, address)
	return u, nil
}

func (s *Service) auditBlocked(ctx context.Context, blocked bool, name string) error {
	if !blocked {
		return nil
	}
	return s.Audit(ctx, 0, "session.throttle", name, "too many wrong passwords from one address")
}

// Login signs a browser in: it checks the password, ends the session that the
// browser had (a planted cookie must not become a signed-in one), and returns
// the new cookie's value.
func (s *Service) Login(ctx context.Context, name, password, oldCookie, agent string) (User, string, error) {
	u, err := s.checkLogin(ctx, name, password)
	if err != nil {
		return User{}, "", err
	}
	value := base64.RawURLEncoding.EncodeToString(random(32))
	now, address := s.now(), identity.From(ctx).Address
	agent = strings.ToValidUTF8(agent, "")
	if len(agent) > maxAgent {
		agent = strings.ToValidUTF8(agent[:maxAgent], "")
	}
	ctx = identity.With(ctx, identity.Caller{UserID: u.ID, Name: u.Name, Address: address})
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if oldCookie != "" {
			if err := s.store.deleteSession(ctx, hashOf(oldCookie)); err != nil {
				return err
			}
		}
		err := s.store.insertSession(ctx, session{Hash: hashOf(value), UserID: u.ID, CSRF: base64.RawURLEncoding.EncodeToString(random(24)),
			Created: now, Expires: now.Add(sessionLife), Address: address, Agent: agent})
		if err != nil {
			return err
		}
		if err := s.store.setLastLogin(ctx, u.ID, now); err != nil {
			return err
		}
		return s.Audit(ctx, 0, "session.create", u.Name, "")
	})
	if err == nil && oldCookie != "" {
		s.callers.clear()
	}
	return u, value, err
}

// Logout ends the caller's session; without one there is nothing to do.
func (s *Service) Logout(ctx context.Context) error {
	caller := identity.From(ctx)
	if caller.SessionID == "" {
		return nil
	}
	return s.change(ctx, func(ctx context.Context) error {
		if err := s.store.deleteSession(ctx, caller.SessionID); err != nil {
			return err
		}
		return s.Audit(ctx, 0, "session.end", caller.Name, "")
	})
}
