// Package identity says who is calling and what they may do. accounts fills it
// in from a session or token; every use case asks it, with the team of the row
// it is about to touch.
package identity

import (
	"context"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Role is what a user is in one team.
type Role string

// The roles, from least to most.
const (
	Viewer   Role = "viewer"            // reads everything
	Operator Role = "pipeline-operator" // and runs, aborts, checks
	Member   Role = "member"            // and changes everything
	Owner    Role = "owner"             // and administers the team
)

// Roles lists them from least to most.
var Roles = []Role{Viewer, Operator, Member, Owner}

// Validate refuses words that are not roles.
func (r Role) Validate() error {
	if slices.Contains(Roles, r) {
		return nil
	}
	return problem.FieldError("role", "%q is not a role; use viewer, pipeline-operator, member or owner", string(r))
}

// Level is how much a scope allows; each includes those below it.
type Level int

// The levels. Operate is no scope of its own for tokens: write includes it.
const (
	Read Level = iota + 1
	Operate
	Write
	Admin
)

var levelOfRole = map[Role]Level{Viewer: Read, Operator: Operate, Member: Write, Owner: Admin}

// Scope is one right: a capability and a level, such as {"ci", Write}.
type Scope struct {
	Capability string
	Level      Level
}

// Capabilities that scopes may name.
var Capabilities = []string{"ci", "issues", "logs", "assistant", "edge", "accounts", "system"}

var levelWords = map[string]Level{"read": Read, "write": Write, "admin": Admin}

func (s Scope) String() string {
	for word, l := range map[string]Level{"read": Read, "operate": Operate, "write": Write, "admin": Admin} {
		if l == s.Level {
			return s.Capability + ":" + word
		}
	}
	return s.Capability
}

// TokenScopes is the set written on a token: "*", "read", or "<capability>:read|write|admin".
type TokenScopes []string

// Validate names the first scope that means nothing.
func (t TokenScopes) Validate() error {
	if len(t) == 0 {
		return problem.FieldError("scopes", "give at least one, for example read or ci:write")
	}
	for _, s := range t {
		capability, level, found := strings.Cut(s, ":")
		if s == "*" || s == "read" || found && slices.Contains(Capabilities, capability) && levelWords[level] != 0 {
			continue
		}
		return problem.FieldError("scopes", "%q is not a scope; use *, read, or <capability>:read|write|admin with capability one of %s", s, strings.Join(Capabilities, ", "))
	}
	return nil
}

func (t TokenScopes) allow(s Scope) bool {
	for _, word := range t {
		capability, level, _ := strings.Cut(word, ":")
		switch {
		case word == "*", word == "read" && s.Level == Read:
			return true
		case capability == s.Capability && s.Level <= levelWords[level]:
			return true
		}
	}
	return false
}

// Team is a tenant.
type Team struct {
	ID   int64
	Name string
}

// Caller is who made the request. The zero value is nobody.
type Caller struct {
	UserID int64
	Name   string
	// Admin administers the installation: owner of every team.
	Admin bool
	// Roles by team id; for an administrator every team is here as Owner.
	Roles map[int64]Role
	// Teams by name, those of Roles.
	Teams map[string]Team
	// Scopes narrow a token; nil means a session, which is not narrowed.
	Scopes TokenScopes
	// TokenID or SessionID says by what the caller is known.
	TokenID, SessionID string
	// Address is where the call came from, after trusted proxies.
	Address string
}

type key struct{}

// With puts the caller into the context.
func With(ctx context.Context, c Caller) context.Context { return context.WithValue(ctx, key{}, c) }

// From gives the caller; the zero Caller when nobody is signed in.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(key{}).(Caller)
	return c
}

// SignedIn reports whether somebody is calling.
func (c Caller) SignedIn() bool { return c.UserID != 0 }

// Can reports whether the caller holds the scope in the team: role and token both allow it.
func (c Caller) Can(team int64, s Scope) bool {
	if c.Scopes != nil && !c.Scopes.allow(s) {
		return false
	}
	role, member := c.Roles[team]
	return member && levelOfRole[role] >= s.Level
}

// CanAdministrate reports whether the caller may administer the installation.
func (c Caller) CanAdministrate() bool {
	return c.Admin && (c.Scopes == nil || c.Scopes.allow(Scope{"system", Admin}))
}

// TeamIDs are the teams in which the caller holds the scope, for a store's
// `team_id IN (…)`; never nil, so that nobody's list is empty and not everything.
func (c Caller) TeamIDs(s Scope) []int64 {
	ids := []int64{}
	for id := range c.Roles {
		if c.Can(id, s) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Require is the check before touching a team's rows: a stranger to the team
// learns only that there is no such thing, a member what they lack.
func Require(ctx context.Context, team int64, s Scope) error {
	c := From(ctx)
	switch {
	case !c.SignedIn():
		return problem.New(problem.Unauthorized, "Sign in, or send a token as Authorization: Bearer.")
	case c.Can(team, s):
		return nil
	case c.Roles[team] == "":
		return problem.New(problem.NotFound, "There is no such thing, or it belongs to a team you are not in.")
	}
	return lacks(c, team, s)
}

// RequireTeam is Require for a team given by name.
func RequireTeam(ctx context.Context, name string, s Scope) (Team, error) {
	c := From(ctx)
	if !c.SignedIn() {
		return Team{}, problem.New(problem.Unauthorized, "Sign in, or send a token as Authorization: Bearer.")
	}
	team, ok := c.Teams[name]
	if !ok {
		return Team{}, problem.New(problem.NotFound, "There is no team %q, or you are not in it.", name)
	}
	return team, Require(ctx, team.ID, s)
}

// RequireAdmin is the check for what concerns the whole installation.
func RequireAdmin(ctx context.Context) error {
	c := From(ctx)
	if !c.SignedIn() {
		return problem.New(problem.Unauthorized, "Sign in, or send a token as Authorization: Bearer.")
	}
	if !c.CanAdministrate() {
		return problem.New(problem.Forbidden, "Only an administrator of this installation may do this.")
	}
	return nil
}

func lacks(c Caller, team int64, s Scope) error {
	if levelOfRole[c.Roles[team]] >= s.Level {
		return problem.New(problem.Forbidden, "This token lacks the scope %s. Create one that has it under Account, Tokens.", s)
	}
	need := Owner
	for _, r := range Roles {
		if levelOfRole[r] >= s.Level {
			need = r
			break
		}
	}
	return problem.New(problem.Forbidden, "This needs the role %s in the team; you are %s. An owner of the team can change that.", need, c.Roles[team])
}
