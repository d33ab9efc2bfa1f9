package accounts

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// TeamAuth is Concourse's auth document: role, then "users" or "groups", then
// "connector:name".
type TeamAuth map[string]map[string][]string

const localConnector = "local:"

func (a TeamAuth) validate() error {
	if len(a) == 0 {
		return problem.FieldError("auth", "auth config for the team must not be empty")
	}
	for role, who := range a {
		if err := identity.Role(role).Validate(); err != nil {
			return err
		}
		if len(who["users"]) == 0 && len(who["groups"]) == 0 {
			return problem.FieldError("auth", "auth config for the team does not have users and groups configured")
		}
	}
	return nil
}

// roles gives each local user the highest role that the document names, and
// lists what it names besides.
func (a TeamAuth) roles() (local map[string]identity.Role, foreign []string) {
	local = map[string]identity.Role{}
	for _, role := range identity.Roles { // from least to most
		who := a[string(role)]
		for _, user := range who["users"] {
			if name, ok := strings.CutPrefix(user, localConnector); ok {
				local[strings.ToLower(name)] = role
			} else {
				foreign = append(foreign, user)
			}
		}
		foreign = append(foreign, who["groups"]...)
	}
	slices.Sort(foreign)
	return local, slices.Compact(foreign)
}

// foreign is what of the document cannot be a member here, kept so that fly
// get-team shows it again. Local users are rows, or were warned about.
func (a TeamAuth) foreign() TeamAuth {
	out := TeamAuth{}
	for role, who := range a {
		for _, user := range who["users"] {
			if !strings.HasPrefix(user, localConnector) {
				out.add(role, "users", user)
			}
		}
		for _, group := range who["groups"] {
			out.add(role, "groups", group)
		}
	}
	return out
}

func (a TeamAuth) add(role, kind, who string) {
	if a[role] == nil {
		a[role] = map[string][]string{"users": {}, "groups": {}}
	}
	if !slices.Contains(a[role][kind], who) {
		a[role][kind] = append(a[role][kind], who)
	}
}

// shown is the document as fly get-team prints it: the members as they are, and
// what has no effect here.
func (t Team) shown(members []Member) TeamAuth {
	out := t.Auth.foreign()
	for _, m := range members {
		out.add(string(m.Role), "users", localConnector+m.User.Name)
	}
	return out
}

// SetTeamAuth is fly set-team: it makes the team if there is none (for
// administrators), and its members exactly those local users that the document
// names. Without an owner among them the caller stays or becomes one, so that
// no team is without. The warnings name what has no effect here.
func (s *Service) SetTeamAuth(ctx context.Context, name string, auth TeamAuth) (t Team, created bool, warnings []string, err error) {
	if err := auth.validate(); err != nil {
		return Team{}, false, nil, err
	}
	err = s.change(ctx, func(ctx context.Context) error {
		var err error
		if t, created, err = s.teamToSet(ctx, name); err != nil {
			return err
		}
		if warnings, err = s.applyAuth(ctx, t, auth); err != nil {
			return err
		}
		t.Auth = auth.foreign()
		return s.store.updateTeam(ctx, t)
	})
	return t, created, warnings, err
}

func (s *Service) teamToSet(ctx context.Context, name string) (Team, bool, error) {
	t, err := s.store.teamByName(ctx, name)
	if problem.Is(err, problem.NotFound) {
		if err := identity.RequireAdmin(ctx); err != nil {
			return Team{}, false, err
		}
		t, err := s.createTeam(ctx, name)
		return t, true, err
	} else if err != nil {
		return Team{}, false, err
	}
	return t, false, identity.Require(ctx, t.ID, identity.Scope{Capability: "accounts", Level: identity.Admin})
}

func (s *Service) applyAuth(ctx context.Context, t Team, auth TeamAuth) (warnings []string, err error) {
	wanted, foreign := auth.roles()
	for _, who := range foreign {
		warnings = append(warnings, fmt.Sprintf("%s has no effect: only local users can sign in here", who))
	}
	caller := identity.From(ctx)
	keep := map[int64]bool{}
	hasOwner := false
	for name, role := range wanted {
		u, err := s.store.userByName(ctx, name)
		if problem.Is(err, problem.NotFound) {
			warnings = append(warnings, fmt.Sprintf("local:%s has no effect until an administrator creates the user and the team is set again", name))
			continue
		} else if err != nil {
			return nil, err
		}
		keep[u.ID] = true
		hasOwner = hasOwner || role == identity.Owner
		if err := s.setRole(ctx, t, u, role); err != nil {
			return nil, err
		}
	}
	if !hasOwner {
		warnings = append(warnings, fmt.Sprintf("%s stays an owner: a team cannot be without one", caller.Name))
		keep[caller.UserID] = true
		if err := s.setRole(ctx, t, User{ID: caller.UserID, Name: caller.Name}, identity.Owner); err != nil {
			return nil, err
		}
	}
	members, err := s.store.members(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if !keep[m.User.ID] {
			if err := s.removeMember(ctx, t, m.User); err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(warnings)
	return warnings, nil
}

// subject is Concourse's "sub" of a local user: a two-field protocol buffer in base64.
func subject(name string) string {
	raw := append([]byte{0x0a, byte(len(name))}, name...)
	raw = append(raw, 0x12, 5)
	return base64.RawURLEncoding.EncodeToString(append(raw, "local"...))
}
