package github

import (
	"context"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"
)

const (
	// listedPages of a hundred are what a search looks through.
	listedPages = 30
	// repositoriesPerPage is what one answer of ours holds.
	repositoriesPerPage = 30
)

// HookAt is how a repository stands towards us.
type HookAt string

// The ways.
const (
	HookNone    HookAt = "none"    // nothing tells us of it
	HookOurs    HookAt = "ours"    // a hook that we manage, or the App's
	HookAtFault HookAt = "broken"  // ours, and its problem says what is wrong
	HookForeign HookAt = "foreign" // one that was entered by hand, or of another connection
)

// RepositoryHook is a repository's hook in a list.
type RepositoryHook struct {
	State   HookAt `json:"state"`
	ID      string `json:"id,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// Listed is a repository that a connection reaches.
type Listed struct {
	Owner    string         `json:"owner"`
	Name     string         `json:"name"`
	Private  bool           `json:"private"`
	Archived bool           `json:"archived"`
	Admin    bool           `json:"admin"`
	Hook     RepositoryHook `json:"hook"`
}

// ListedPage is one page of them. Next is 0 on the last.
type ListedPage struct {
	Items []Listed `json:"items"`
	Total int      `json:"total"`
	Next  int      `json:"next"`
	// Cut says that GitHub has more than were looked through.
	Cut bool `json:"cut"`
}

// Repositories lists those the connection reaches whose name contains query, with
// their hooks. GitHub's pages are remembered by ETag, so that leafing costs little.
func (s *Service) Repositories(ctx context.Context, connection, query string, page int) (ListedPage, error) {
	out := ListedPage{Items: []Listed{}}
	row, err := s.connectionFor(ctx, connection, reading)
	if err != nil {
		return out, err
	}
	client, err := s.clientOf(row)
	if err != nil {
		return out, err
	}
	all, cut, err := client.repositories(remembering(ctx))
	if err != nil {
		return out, upstream(err)
	}
	query = strings.ToLower(strings.TrimSpace(query))
	all = slices.DeleteFunc(all, func(r *github.Repository) bool { return !strings.Contains(strings.ToLower(r.GetFullName()), query) })
	page = max(page, 1)
	from := min((page-1)*repositoriesPerPage, len(all))
	to := min(from+repositoriesPerPage, len(all))
	out.Total, out.Cut = len(all), cut
	if to < len(all) {
		out.Next = page + 1
	}
	for _, r := range all[from:to] {
		out.Items = append(out.Items, Listed{Owner: r.GetOwner().GetLogin(), Name: r.GetName(), Private: r.GetPrivate(), Archived: r.GetArchived(),
			Admin: row.Kind == KindApp || r.GetPermissions()["admin"]})
	}
	return out, s.addHooks(ctx, row, out.Items)
}

// repositories pages through all, the last pushed to first; cut says that there are more.
func (c *apiClient) repositories(ctx context.Context) (all []*github.Repository, cut bool, err error) {
	options := github.ListOptions{PerPage: 100}
	for range listedPages {
		var page []*github.Repository
		var response *github.Response
		if c.app != nil {
			var listed *github.ListRepositories
			if listed, response, err = c.client.Apps.ListRepos(ctx, &options); err == nil {
				page = listed.Repositories
			}
		} else {
			page, response, err = c.client.Repositories.ListByAuthenticatedUser(ctx, &github.RepositoryListByAuthenticatedUserOptions{Sort: "pushed", ListOptions: options})
		}
		if err != nil {
			return nil, false, err
		}
		all = append(all, page...)
		if response.NextPage == 0 {
			return all, false, nil
		}
		options.Page = response.NextPage
	}
	return all, true, nil
}

// addHooks says of each repository which of the team's hooks tells of it.
func (s *Service) addHooks(ctx context.Context, c connectionRow, list []Listed) error {
	hooks, err := s.Hooks(ctx, c.TeamID)
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Hook = hookFor(c, hooks, list[i].Owner+"/"+list[i].Name)
	}
	return nil
}

// hookFor chooses, of several, our own before others'.
func hookFor(c connectionRow, hooks []Hook, repository string) RepositoryHook {
	found := RepositoryHook{State: HookNone}
	for _, h := range hooks {
		own := h.Connection == c.ID
		switch {
		case own && h.Kind == HookApp, own && h.Managed && (strings.EqualFold(h.Repository, repository) || h.covers(repository)):
			return h.ours()
		case h.Kind == HookRepository && strings.EqualFold(h.Repository, repository),
			h.covers(repository):
			found = RepositoryHook{State: HookForeign, ID: h.ID}
		}
	}
	return found
}
