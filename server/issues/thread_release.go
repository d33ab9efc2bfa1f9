package issues

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// shownCommits is how many commits of a release other pages name.
const shownCommits = 20

func issuesPage(team, rest string) string { return "/teams/" + url.PathEscape(team) + "/issues" + rest }

func releasePage(team string, id int64) string { return issuesPage(team, "/releases/"+formatID(id)) }

// ThreadEvent gives what an event leads to: its release, the newest commits in that, its trace and its machine.
func (s *Service) ThreadEvent(ctx context.Context, team identity.Team, event string) (thread.Reported, error) {
	found, err := s.httpFindEvent(ctx, findEventIn{team.Name, event})
	if err != nil {
		return thread.Reported{}, err
	}
	row, err := s.rows().issue(ctx, found.Issue)
	if err != nil {
		return thread.Reported{}, err
	}
	p, err := s.project(ctx, row.ProjectID)
	if err != nil {
		return thread.Reported{}, err
	}
	e := found.Event
	out := thread.Reported{Event: e.ID, At: e.Timestamp.UTC(), Project: p.Slug, Repository: placeless(p.Repository), Release: e.Release, Trace: e.TraceID, Server: e.ServerName, Commits: []thread.Commit{}}
	if e.Release == "" {
		return out, nil
	}
	r, err := s.rows().release(ctx, team.ID, e.Release)
	if problem.Is(err, problem.NotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.ReleasePath = releasePage(team.Name, r.ID)
	out.Commits, err = s.threadCommits(ctx, r, p.Repository)
	return out, err
}

// placeless is a repository as owner/name in lower case, however its project names it.
func placeless(repository string) string {
	parts := strings.Split(strings.TrimSuffix(strings.ToLower(repository), ".git"), "/")
	if len(parts) < 2 {
		return ""
	}
	return strings.Join(parts[len(parts)-2:], "/")
}

// threadCommits are a release's newest commits; of a release that is named by its commit alone, that one.
func (s *Service) threadCommits(ctx context.Context, r releaseRow, home string) ([]thread.Commit, error) {
	list, err := s.rows().commits(ctx, r.ID, shownCommits)
	out := []thread.Commit{}
	for _, c := range list {
		one := thread.Commit{SHA: c.SHA, Repository: c.Repository, Author: cmp.Or(c.Author, c.Email), Message: c.Message, URL: commitPage(c.Repository, home, c.SHA)}
		if c.At > 0 {
			one.At = time.UnixMilli(c.At).UTC()
		}
		out = append(out, one)
	}
	if len(out) > 0 || err != nil {
		return out, err
	}
	var refs []ReleaseRef
	_ = json.Unmarshal([]byte(r.Refs), &refs) // written by us; without any it names none
	for _, ref := range refs {
		out = append(out, thread.Commit{SHA: ref.Commit, Repository: ref.Repository, URL: commitPage(ref.Repository, home, ref.Commit)})
	}
	for _, sha := range []string{r.Ref, r.Version} {
		if whole := len(sha) == 40 && strings.Trim(sha, "0123456789abcdef") == ""; whole && len(out) == 0 {
			out = append(out, thread.Commit{SHA: sha, Repository: placeless(home), URL: commitPage("", home, sha)})
		}
	}
	return out, nil
}

// ThreadRelease gives a release by its id, or by its version where that is 0, beside the one before it.
func (s *Service) ThreadRelease(ctx context.Context, team identity.Team, id int64, version string) (thread.Shipped, error) {
	if err := identity.Require(ctx, team.ID, reading); err != nil {
		return thread.Shipped{}, err
	}
	r, err := s.rows().releaseByID(ctx, id)
	if id == 0 {
		r, err = s.rows().release(ctx, team.ID, version)
	}
	if err == nil && r.TeamID != team.ID {
		err = problem.New(problem.NotFound, "There is no such release in team %s.", team.Name)
	}
	if err != nil {
		return thread.Shipped{}, err
	}
	before, err := s.rows().releaseBefore(ctx, r)
	if err != nil {
		return thread.Shipped{}, err
	}
	both := append([]releaseRow{r}, before...)
	// The younger of the two decides how many hours are compared.
	hours := math.Min(24, math.Max(1, s.Now().Sub(time.UnixMilli(r.CreatedAt)).Hours()))
	healths, err := s.threadHealth(ctx, both, hours)
	if err != nil {
		return thread.Shipped{}, err
	}
	out := thread.Shipped{ID: r.ID, Version: r.Version, Short: shortVersion(r.Version), Projects: []string{}, At: time.UnixMilli(r.CreatedAt).UTC(), Path: releasePage(team.Name, r.ID), MadeBy: r.URL, Health: healths[0]}
	if len(before) > 0 {
		out.Previous = &thread.Earlier{ID: before[0].ID, Version: before[0].Version, Short: shortVersion(before[0].Version), Path: releasePage(team.Name, before[0].ID), Health: healths[1]}
	}
	return out, s.fillShipped(ctx, r, &out)
}

func (s *Service) fillShipped(ctx context.Context, r releaseRow, out *thread.Shipped) error {
	projects, err := s.rows().projectsOfReleases(ctx, []int64{r.ID})
	if err != nil {
		return err
	}
	home := ""
	for i, p := range projects[r.ID] {
		out.Projects = append(out.Projects, p.Slug)
		if i > 0 {
			continue
		}
		whole, err := s.project(ctx, p.ID)
		if err != nil {
			return err
		}
		home = whole.Repository
	}
	out.Repository = placeless(home)
	if out.Commits, err = s.threadCommits(ctx, r, home); err != nil {
		return err
	}
	news, err := s.rows().releaseNews(ctx, []int64{r.ID})
	if err != nil {
		return err
	}
	out.CommitCount = max(news[r.ID].Commits, int64(len(out.Commits)))
	seen, err := s.rows().threadEnvironments(ctx, r)
	if err != nil {
		return err
	}
	deploys, err := s.rows().deploys(ctx, r.ID)
	byName := map[string]*thread.Environment{}
	for i := range seen {
		byName[seen[i].Name] = &thread.Environment{Name: seen[i].Name, Errors: seen[i].Events, LastSeen: time.UnixMilli(seen[i].Last).UTC()}
	}
	for _, d := range deploys {
		at := time.UnixMilli(d.FinishedAt).UTC()
		if byName[d.Environment] == nil {
			byName[d.Environment] = &thread.Environment{Name: d.Environment}
		}
		if e := byName[d.Environment]; at.After(e.DeployedAt) {
			e.DeployedAt = at
		}
	}
	out.Environments = []thread.Environment{}
	for _, e := range byName {
		out.Environments = append(out.Environments, *e)
	}
	slices.SortFunc(out.Environments, func(a, b thread.Environment) int {
		return cmp.Or(cmp.Compare(b.Errors, a.Errors), cmp.Compare(a.Name, b.Name))
	})
	return err
}

// threadHealth compares releases over as many of their first hours each.
func (s *Service) threadHealth(ctx context.Context, list []releaseRow, hours float64) ([]thread.Health, error) {
	items, err := s.shapeReleases(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make([]thread.Health, len(list))
	for i, r := range list {
		// Its first event may have come before anybody said that there is such a release.
		from := r.CreatedAt
		if first := int64(items[i].FirstEventAt); first > 0 {
			from = min(from, first)
		}
		n, err := s.rows().threadEvents(ctx, r, from, from+int64(hours*3_600_000))
		if err != nil {
			return nil, err
		}
		users, err := s.rows().threadUsers(ctx, r)
		if err != nil {
			return nil, err
		}
		h := items[i].Health
		out[i] = thread.Health{Sessions: h.Sessions, CrashFree: h.CrashFree, NewErrors: items[i].NewIssues, Regressed: items[i].RegressedIssues, Hours: hours, Errors: n, PerHour: float64(n) / hours, Users: users}
	}
	return out, nil
}

// ThreadErrors gives the unresolved errors that reported from one of the machines, the latest first.
func (s *Service) ThreadErrors(ctx context.Context, team identity.Team, servers []string, limit int) (thread.Problems, error) {
	var names []string
	for _, name := range servers {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	out := thread.Problems{Items: []thread.Problem{}}
	if len(names) == 0 {
		return out, nil
	}
	for i, name := range names {
		names[i] = strconv.Quote(name)
	}
	out.Query = "is:unresolved server_name:" + names[0]
	if len(names) > 1 {
		out.Query = "is:unresolved server_name:[" + strings.Join(names, ",") + "]"
	}
	out.Path = issuesPage(team.Name, "?query="+url.QueryEscape(out.Query))
	list, err := s.httpIssues(ctx, issuesIn{Team: team.Name, Query: out.Query, Sort: ByLastSeen, Limit: limit})
	out.More = list.Next != ""
	for _, i := range list.Issues {
		out.Items = append(out.Items, thread.Problem{ShortID: i.ShortID, Title: i.Title, State: string(i.State), Events: i.Events, Users: i.Users, LastSeen: time.UnixMilli(int64(i.LastSeen)).UTC(),
			Path: issuesPage(team.Name, "/"+formatID(i.ID))})
	}
	return out, err
}
