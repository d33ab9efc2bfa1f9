package github

import (
	"context"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Organization is one that a connection's token belongs to.
type Organization struct {
	Name string         `json:"name"`
	Hook RepositoryHook `json:"hook"`
}

// Organizations lists those that the connection's token belongs to, with their hooks.
// Which of them let it manage hooks GitHub tells only when it is tried; and a token may
// reach others, whose names people know.
func (s *Service) Organizations(ctx context.Context, connection string) ([]Organization, error) {
	row, err := s.connectionFor(ctx, connection, reading)
	if err != nil {
		return nil, err
	}
	if row.Kind == KindApp {
		return nil, wholeApp()
	}
	client, err := s.clientOf(row)
	if err != nil {
		return nil, err
	}
	hooks, err := s.Hooks(ctx, row.TeamID)
	if err != nil {
		return nil, err
	}
	list, options := []Organization{}, &github.ListOptions{PerPage: 100}
	for {
		page, response, err := client.client.Organizations.List(remembering(ctx), "", options)
		if err != nil {
			return nil, upstream(err)
		}
		for _, o := range page {
			list = append(list, Organization{Name: o.GetLogin(), Hook: organizationHookFor(row, hooks, o.GetLogin())})
		}
		if response.NextPage == 0 {
			return list, nil
		}
		options.Page = response.NextPage
	}
}

func organizationHookFor(c connectionRow, hooks []Hook, name string) RepositoryHook {
	found := RepositoryHook{State: HookNone}
	for _, h := range hooks {
		if h.Kind != HookOrganization || !strings.EqualFold(h.Repository, name) {
			continue
		}
		if h.Connection != c.ID || !h.Managed {
			found = RepositoryHook{State: HookForeign, ID: h.ID}
			continue
		}
		return h.ours()
	}
	return found
}

// ours is how a hook of ours stands.
func (h Hook) ours() RepositoryHook {
	state := HookOurs
	if h.State == HookBroken || h.Problem != "" {
		state = HookAtFault
	}
	return RepositoryHook{State: state, ID: h.ID, Problem: h.Problem}
}

// covers reports whether the hook is of the organization that has the repository.
func (h Hook) covers(repository string) bool {
	owner, _, _ := strings.Cut(repository, "/")
	return h.Kind == HookOrganization && owner != "" && strings.EqualFold(h.Repository, owner)
}

func wholeApp() error {
	return problem.New(problem.Conflict, "The App tells of every repository it is installed at. Install it at the organization at GitHub.")
}

// EnsureOrganizationHook has the events of all repositories of an organization reach us
// through one hook, as EnsureHook does for one repository. Hooks of ours at its
// repositories are then removed, so that nothing is told twice.
func (s *Service) EnsureOrganizationHook(ctx context.Context, connection, organization string) (Hook, error) {
	c, err := s.organizationConnection(ctx, connection, organization)
	if err != nil {
		return Hook{}, err
	}
	return s.ensure(ctx, c, HookOrganization, organization, "")
}

// RemoveOrganizationHook removes the managed hook of an organization here and at GitHub.
func (s *Service) RemoveOrganizationHook(ctx context.Context, connection, organization string) error {
	if _, err := s.organizationConnection(ctx, connection, organization); err != nil {
		return err
	}
	row, found, err := s.managedHook(ctx, connection, HookOrganization, organization, "")
	if err != nil {
		return err
	}
	if !found {
		return problem.New(problem.NotFound, "There is no hook of ours at this organization.")
	}
	return s.DeleteHook(ctx, row.ID)
}

func (s *Service) organizationConnection(ctx context.Context, connection, organization string) (connectionRow, error) {
	c, err := s.connectionFor(ctx, connection, writing)
	if err != nil {
		return c, err
	}
	if c.Kind == KindApp {
		return c, wholeApp()
	}
	if !validOrganization.MatchString(organization) {
		return c, problem.New(problem.Invalid, "That is no name of an organization.")
	}
	return c, nil
}

// noRepositoryHook says why there is none to remove.
func (s *Service) noRepositoryHook(ctx context.Context, connection, owner string) error {
	if _, whole, err := s.managedHook(ctx, connection, HookOrganization, owner, ""); err != nil {
		return err
	} else if whole {
		return problem.New(problem.Conflict, "The hook of the organization %s tells of every repository it has. Remove that one.", owner)
	}
	return problem.New(problem.NotFound, "There is no hook of ours at this repository.")
}

// replaceRepositoryHooks ends the connection's hooks at repositories of an organization
// whose own hook stands now. Their deliveries become that one's.
func (s *Service) replaceRepositoryHooks(ctx context.Context, row hookRow) error {
	c, err := s.findConnection(ctx, *row.ConnectionID)
	if err != nil {
		return err
	}
	rows, err := s.managedHooks(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, old := range rows {
		if old.Kind != HookRepository || !strings.EqualFold(old.Owner, row.Owner) {
			continue
		}
		if _, err := s.queueRemoval(ctx, old, c); err != nil {
			return err
		}
		if err := s.inheritHook(ctx, old.ID, row.ID); err != nil {
			return err
		}
		if err := s.dropHook(ctx, old); err != nil {
			return err
		}
		if err := s.audit(ctx, old.TeamID, "github.hook.delete", old.Name, "replaced by that of "+row.Owner); err != nil {
			return err
		}
	}
	return nil
}
