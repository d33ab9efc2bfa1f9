package accounts

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// principal is a caller as a cookie or token proves it.
type principal struct {
	caller identity.Caller
	// csrf is set for sessions only.
	csrf string
	// expires is zero for tokens that do not end.
	expires time.Time
}

const (
	callerLife = 2 * time.Second
	maxCallers = 20_000
)

// callerCache remembers principals by the hash of their secret. What was loaded
// before a change is not kept after it: put compares the generation.
type callerCache struct {
	now func() time.Time

	mu         sync.RWMutex
	generation uint64
	entries    map[string]cachedCaller
}

type cachedCaller struct {
	principal
	loaded time.Time
}

func newCallerCache(now func() time.Time) *callerCache {
	return &callerCache{now: now, entries: map[string]cachedCaller{}}
}

// get also gives the generation to put with after a miss.
func (c *callerCache) get(hash string) (principal, uint64, bool) {
	now := c.now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.entries[hash]
	age := now.Sub(e.loaded)
	// A clock that was set back must not keep entries alive.
	if !ok || age < 0 || age > callerLife || !e.expires.IsZero() && !now.Before(e.expires) {
		return principal{}, c.generation, false
	}
	return e.principal, c.generation, true
}

func (c *callerCache) put(hash string, p principal, generation uint64) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	if len(c.entries) >= maxCallers {
		clear(c.entries)
	}
	c.entries[hash] = cachedCaller{p, now}
}

func (c *callerCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	clear(c.entries)
}

// seen gathers what requests prove alive, so that it is written twice a minute
// and not once per request.
type seen struct {
	mu               sync.Mutex
	sessions, tokens map[string]int64
}

func newSeen() *seen { return &seen{sessions: map[string]int64{}, tokens: map[string]int64{}} }

func (s *seen) token(id string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[id] = at.UnixMilli()
}

func (s *seen) session(hash string, expires time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[hash] = expires.UnixMilli()
}

func (s *seen) take() (sessions, tokens map[string]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sessions, tokens = s.sessions, s.tokens
	s.sessions, s.tokens = map[string]int64{}, map[string]int64{}
	return sessions, tokens
}

func (s *Service) flushSeen(ctx context.Context) error {
	sessions, tokens := s.seen.take()
	if len(sessions)+len(tokens) == 0 {
		return nil
	}
	return s.store.writeSeen(ctx, sessions, tokens)
}

var errNoCaller = errors.New("no such session or token")

// lookup finds the principal behind a hash with load, through the cache.
func (s *Service) lookup(ctx context.Context, hash string, load func(context.Context, string) (principal, error)) (principal, error) {
	p, generation, ok := s.callers.get(hash)
	if ok {
		return p, nil
	}
	p, err := load(ctx, hash)
	if err != nil {
		return principal{}, err
	}
	s.callers.put(hash, p, generation)
	return p, nil
}

func (s *Service) loadSession(ctx context.Context, hash string) (principal, error) {
	found, err := s.store.session(ctx, hash, s.now())
	if database.IsNotFound(err) {
		return principal{}, errNoCaller
	} else if err != nil {
		return principal{}, err
	}
	caller, err := s.callerOf(ctx, found.UserID, 0)
	caller.SessionID = hash
	return principal{caller: caller, csrf: found.CSRF, expires: found.Expires}, err
}

func (s *Service) loadToken(ctx context.Context, hash string) (principal, error) {
	t, err := s.store.tokenByHash(ctx, hash, s.now())
	if database.IsNotFound(err) {
		return principal{}, errNoCaller
	} else if err != nil {
		return principal{}, err
	}
	return s.principalOfToken(ctx, t)
}

func (s *Service) loadTokenByID(ctx context.Context, id string) (principal, error) {
	t, err := s.store.token(ctx, id)
	if problem.Is(err, problem.NotFound) || err == nil && (!t.Revoked.IsZero() || !t.Expires.IsZero() && !s.now().Before(t.Expires)) {
		return principal{}, errNoCaller
	} else if err != nil {
		return principal{}, err
	}
	return s.principalOfToken(ctx, t)
}

func (s *Service) principalOfToken(ctx context.Context, t Token) (principal, error) {
	caller, err := s.callerOf(ctx, t.UserID, t.Team.ID)
	caller.TokenID, caller.Scopes = t.ID, t.Scopes
	return principal{caller: caller, expires: t.Expires}, err
}

// callerOf fills in roles; team narrows to one. Bound to a team, an
// administrator administers only by a token of team main.
func (s *Service) callerOf(ctx context.Context, user, team int64) (identity.Caller, error) {
	u, err := s.store.user(ctx, user)
	if problem.Is(err, problem.NotFound) || err == nil && u.Disabled {
		return identity.Caller{}, errNoCaller
	} else if err != nil {
		return identity.Caller{}, err
	}
	memberships, err := s.store.memberships(ctx, u)
	if err != nil {
		return identity.Caller{}, err
	}
	c := identity.Caller{UserID: u.ID, Name: u.Name, Admin: u.IsAdmin, Roles: map[int64]identity.Role{}, Teams: map[string]identity.Team{}}
	for _, m := range memberships {
		if team != 0 && team != m.Team.ID {
			c.Admin = c.Admin && m.Team.Name != MainTeam
			continue
		}
		c.Roles[m.Team.ID] = m.Role
		c.Teams[m.Team.Name] = m.Team
	}
	return c, nil
}

// VerifyToken is for protocols that carry a token elsewhere than in a bearer
// header, such as a basic-auth password.
func (s *Service) VerifyToken(ctx context.Context, token string) (identity.Caller, error) {
	p, err := s.lookup(ctx, hashOf(token), s.loadToken)
	if errors.Is(err, errNoCaller) {
		return identity.Caller{}, problem.New(problem.Unauthorized, "This token is unknown, has expired or was revoked.")
	} else if err != nil {
		return identity.Caller{}, err
	}
	s.seen.token(p.caller.TokenID, s.now())
	return p.caller, nil
}

// Recheck looks the context's caller up again, for answers that last: whoever
// has lost the session, the token or a role since is nobody, or has less.
func (s *Service) Recheck(ctx context.Context) (identity.Caller, error) {
	was := identity.From(ctx)
	var p principal
	var err error
	switch {
	case was.SessionID != "":
		p, err = s.lookup(ctx, was.SessionID, s.loadSession)
	case was.TokenID != "":
		p, err = s.lookup(ctx, was.TokenID, s.loadTokenByID) // ids are shorter than hashes: no entry is both
	}
	if errors.Is(err, errNoCaller) {
		err = nil
	}
	p.caller.Address = was.Address
	return p.caller, err
}
