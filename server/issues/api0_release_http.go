package issues

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// api0ReleaseRoutes answer under the organization and, for older tools, under a
// project, with one meaning: releases belong to the organization.
func (s *Service) api0ReleaseRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	for _, base := range []string{"/organizations/:team/releases/", "/projects/:team/:project/releases/"} {
		one := base + ":version/"
		r.GET(base, read, handle0(s.listReleases0))
		r.POST(base, write, handle0(s.postRelease0))
		r.GET(one, read, handle0(s.getRelease0))
		r.PUT(one, write, handle0(s.putRelease0))
		r.DELETE(one, write, handle0(s.deleteRelease0))
		r.GET(one+"previous-with-commits/", read, handle0(s.previousRelease0))
		r.GET(one+"commits/", read, handle0(s.listCommits0))
		r.GET(one+"deploys/", read, handle0(s.listDeploys0))
		r.POST(one+"deploys/", write, handle0(s.postDeploy0))
		r.GET(one+"files/", read, handle0(s.listFiles0))
	}
	r.GET("/organizations/:team/repos/", read, handle0(s.listRepos0))
}

// release0Body is a release in Sentry's shape.
type release0Body struct {
	ID           int64             `json:"id"`
	Version      string            `json:"version"`
	ShortVersion string            `json:"shortVersion"`
	Status       ReleaseStatus     `json:"status"`
	Ref          *string           `json:"ref"`
	URL          *string           `json:"url"`
	DateCreated  time.Time         `json:"dateCreated"`
	DateStarted  *time.Time        `json:"dateStarted"`
	DateReleased *time.Time        `json:"dateReleased"`
	FirstEvent   *time.Time        `json:"firstEvent"`
	LastEvent    *time.Time        `json:"lastEvent"`
	NewGroups    int64             `json:"newGroups"`
	CommitCount  int64             `json:"commitCount"`
	DeployCount  int64             `json:"deployCount"`
	LastCommit   *commit0Body      `json:"lastCommit"`
	Authors      []any             `json:"authors"`
	Data         map[string]string `json:"data"`
	VersionInfo  map[string]any    `json:"versionInfo"`
	Projects     []projectOf0      `json:"projects"`
}

type projectOf0 struct {
	ID       int64  `json:"id"`
	Slug     string `json:"slug"`
	Name     string `json:"name"`
	Platform string `json:"platform"`
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func timeOrNil(at int64) *time.Time {
	if at == 0 {
		return nil
	}
	t := millisTime(at)
	return &t
}

func (s *Service) shapeReleases0(ctx context.Context, list []releaseRow) ([]release0Body, error) {
	out := make([]release0Body, len(list))
	if len(list) == 0 {
		return out, nil
	}
	ids := make([]int64, len(list))
	for i, r := range list {
		ids[i] = r.ID
	}
	projects, err := s.rows().projectsOfReleases(ctx, ids)
	if err != nil {
		return nil, err
	}
	news, err := s.rows().releaseNews(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i, r := range list {
		n := news[r.ID]
		out[i] = release0Body{ID: r.ID, Version: r.Version, ShortVersion: shortVersion(r.Version), Status: r.Status, Ref: orNil(r.Ref), URL: orNil(r.URL),
			DateCreated: millisTime(r.CreatedAt), DateStarted: timeOrNil(r.StartedAt), DateReleased: timeOrNil(r.ReleasedAt), FirstEvent: timeOrNil(n.FirstEvent),
			LastEvent: timeOrNil(n.FirstEvent), NewGroups: n.FreshIssues, CommitCount: n.Commits, DeployCount: n.Deploys, Authors: []any{}, Data: map[string]string{},
			VersionInfo: map[string]any{"description": shortVersion(r.Version), "version": map[string]string{"raw": r.Version}}, Projects: []projectOf0{}}
		for _, p := range projects[r.ID] {
			out[i].Projects = append(out[i].Projects, projectOf0{p.ID, p.Slug, p.Name, p.Platform})
		}
	}
	return out, nil
}

func (s *Service) shapeRelease0(ctx context.Context, r releaseRow) (release0Body, error) {
	list, err := s.shapeReleases0(ctx, []releaseRow{r})
	if err != nil {
		return release0Body{}, err
	}
	commits, err := s.rows().commits(ctx, r.ID, 1)
	if err == nil && len(commits) > 0 {
		c := shapeCommit0(commits[0])
		list[0].LastCommit = &c
	}
	return list[0], err
}

// place0 is the team of a release's route, and the project when it names one.
func (s *Service) place0(c *gin.Context, scope identity.Scope) (team identity.Team, project Project, err error) {
	if team, err = team0(c, scope); err == nil && c.Param("project") != "" {
		project, err = s.project0(c, scope)
	}
	return team, project, err
}

func (s *Service) listReleases0(c *gin.Context) (int, any, error) {
	team, project, err := s.place0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	p, err := page0(c)
	if err != nil {
		return 0, nil, err
	}
	list, err := s.rows().listReleases(c.Request.Context(), team.ID, project.ID, "", p.offset, p.limit+1)
	if err != nil {
		return 0, nil, err
	}
	more := len(list) > p.limit
	link0(c, p, more)
	out, err := s.shapeReleases0(c.Request.Context(), list[:min(len(list), p.limit)])
	return http.StatusOK, out, err
}

func (s *Service) postRelease0(c *gin.Context) (int, any, error) {
	status, body, err := s.saveRelease0(c, "")
	return status, body, err
}

func (s *Service) putRelease0(c *gin.Context) (int, any, error) {
	_, body, err := s.saveRelease0(c, c.Param("version"))
	return http.StatusOK, body, err
}

// saveRelease0 takes what the tools send; version "" means that the body names it.
func (s *Service) saveRelease0(c *gin.Context, version string) (int, any, error) {
	ctx := c.Request.Context()
	team, project, err := s.place0(c, writing)
	if err != nil {
		return 0, nil, err
	}
	var in releaseChange
	if err := read0(c, &in); err != nil {
		return 0, nil, err
	}
	if version != "" {
		in.Version = version
		if project.ID == 0 {
			// Sentry's answer for a release that nobody made; under a project it may be made so.
			if _, err := s.rows().release(ctx, team.ID, version); err != nil {
				return 0, nil, err
			}
		}
	}
	if project.ID != 0 {
		in.Projects = append(in.Projects, project.Slug)
	}
	r, made, err := s.SaveRelease(ctx, team.ID, in)
	if err != nil {
		return 0, nil, err
	}
	status := http.StatusAlreadyReported
	if made {
		status = http.StatusCreated
	}
	body, err := s.shapeRelease0(ctx, r)
	return status, body, err
}

// release0 is the release that a route names.
func (s *Service) release0(c *gin.Context, scope identity.Scope) (releaseRow, error) {
	team, project, err := s.place0(c, scope)
	if err != nil {
		return releaseRow{}, err
	}
	if project.ID != 0 {
		return s.rows().releaseOfProject(c.Request.Context(), project.ID, c.Param("version"))
	}
	return s.rows().release(c.Request.Context(), team.ID, c.Param("version"))
}

func (s *Service) getRelease0(c *gin.Context) (int, any, error) {
	r, err := s.release0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	body, err := s.shapeRelease0(c.Request.Context(), r)
	return http.StatusOK, body, err
}

func (s *Service) deleteRelease0(c *gin.Context) (int, any, error) {
	r, err := s.release0(c, writing)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.DeleteRelease(c.Request.Context(), r.TeamID, r.Version)
}

// previousRelease0 is the release before this one that has commits, {} when none has:
// from where a tool without a repository's history begins to count.
func (s *Service) previousRelease0(c *gin.Context) (int, any, error) {
	ctx := c.Request.Context()
	team, project, err := s.place0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	list, err := s.rows().listReleases(ctx, team.ID, project.ID, "", 0, 200)
	if err != nil {
		return 0, nil, err
	}
	passed := false
	for _, r := range list {
		if r.Version == c.Param("version") {
			passed = true
			continue
		}
		if !passed {
			continue
		}
		commits, err := s.rows().commits(ctx, r.ID, 1)
		if err != nil {
			return 0, nil, err
		}
		if len(commits) > 0 {
			body, err := s.shapeRelease0(ctx, r)
			return http.StatusOK, body, err
		}
	}
	return http.StatusOK, map[string]any{}, nil
}

type commit0Body struct {
	ID          string            `json:"id"`
	Message     string            `json:"message"`
	DateCreated time.Time         `json:"dateCreated"`
	Author      map[string]string `json:"author"`
	Repository  map[string]string `json:"repository"`
}

func shapeCommit0(c commitRow) commit0Body {
	return commit0Body{c.SHA, c.Message, millisTime(c.At), map[string]string{"name": c.Author, "email": c.Email}, map[string]string{"name": c.Repository}}
}

func (s *Service) listCommits0(c *gin.Context) (int, any, error) {
	r, err := s.release0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	p, err := page0(c)
	if err != nil {
		return 0, nil, err
	}
	list, err := s.rows().commits(c.Request.Context(), r.ID, maxCommits)
	part, more := cut(list, p)
	link0(c, p, more)
	out := make([]commit0Body, len(part))
	for i, commit := range part {
		out[i] = shapeCommit0(commit)
	}
	return http.StatusOK, out, err
}

type deploy0Body struct {
	ID           string     `json:"id"`
	Environment  string     `json:"environment"`
	Name         *string    `json:"name"`
	URL          *string    `json:"url"`
	DateStarted  *time.Time `json:"dateStarted"`
	DateFinished *time.Time `json:"dateFinished"`
}

func shapeDeploy0(d deployRow) deploy0Body {
	return deploy0Body{formatID(d.ID), d.Environment, orNil(d.Name), orNil(d.URL), timeOrNil(d.StartedAt), timeOrNil(d.FinishedAt)}
}

func (s *Service) listDeploys0(c *gin.Context) (int, any, error) {
	r, err := s.release0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	list, err := s.rows().deploys(c.Request.Context(), r.ID)
	out := make([]deploy0Body, len(list))
	for i, d := range list {
		out[i] = shapeDeploy0(d)
	}
	return http.StatusOK, out, err
}

func (s *Service) postDeploy0(c *gin.Context) (int, any, error) {
	r, err := s.release0(c, writing)
	if err != nil {
		return 0, nil, err
	}
	var in struct {
		Environment  string
		Name, URL    *string
		DateStarted  *time.Time
		DateFinished *time.Time
	}
	if err := read0(c, &in); err != nil {
		return 0, nil, err
	}
	d := Deploy{Environment: in.Environment}
	set(&d.Name, in.Name)
	set(&d.URL, in.URL)
	set(&d.Started, in.DateStarted)
	set(&d.Finished, in.DateFinished)
	if d, err = s.AddDeploy(c.Request.Context(), r.TeamID, r.Version, d); err != nil {
		return 0, nil, err
	}
	row := deployRow{ID: d.ID, Environment: d.Environment, Name: d.Name, URL: d.URL, FinishedAt: d.Finished.UnixMilli()}
	if !d.Started.IsZero() {
		row.StartedAt = d.Started.UnixMilli()
	}
	return http.StatusCreated, shapeDeploy0(row), nil
}

type file0Body struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	SHA1        string            `json:"sha1"`
	Size        int64             `json:"size"`
	Dist        *string           `json:"dist"`
	Headers     map[string]string `json:"headers"`
	DateCreated time.Time         `json:"dateCreated"`
}

// listFiles0 lists the uploads for a release: whole bundles, as they are kept.
func (s *Service) listFiles0(c *gin.Context) (int, any, error) {
	ctx := c.Request.Context()
	r, err := s.release0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	projects, err := s.rows().projectsOfReleases(ctx, []int64{r.ID})
	if err != nil {
		return 0, nil, err
	}
	out := []file0Body{}
	for _, p := range projects[r.ID] {
		list, err := s.rows().artifacts(ctx, p.ID, kindBundle, r.Version, 0, maxPage)
		if err != nil {
			return 0, nil, err
		}
		for _, a := range list {
			out = append(out, file0Body{formatID(a.ID), cmp.Or(a.Name, "bundle "+a.Checksum[:12]), a.Checksum, a.Size, orNil(a.Dist), map[string]string{}, millisTime(a.CreatedAt)})
		}
	}
	return http.StatusOK, out, nil
}

// repo0Body is a repository in Sentry's shape.
type repo0Body struct {
	ID            string            `json:"id"`
	Name          string            `json:"name"`
	URL           string            `json:"url"`
	Provider      map[string]string `json:"provider"`
	Status        string            `json:"status"`
	DateCreated   time.Time         `json:"dateCreated"`
	IntegrationID string            `json:"integrationId"`
	ExternalSlug  string            `json:"externalSlug"`
}

// listRepos0 lists what the team's GitHub connections reach. A tool that finds
// the repository here sends a reference, and we ask for the commits; one that
// does not sends whole commits, as far as it has the history.
func (s *Service) listRepos0(c *gin.Context) (int, any, error) {
	ctx := c.Request.Context()
	team, err := team0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	p, err := page0(c)
	if err != nil {
		return 0, nil, err
	}
	list, err := s.repositoriesOf(ctx, team.ID)
	if err != nil {
		// GitHub's trouble is none of a tool's that can do without.
		s.Log.WarnContext(ctx, "listing a team's repositories failed", "team", team.ID, "error", err)
	}
	part, more := cut(list, p)
	link0(c, p, more)
	out := make([]repo0Body, len(part))
	for i, r := range part {
		out[i] = repo0Body{ID: strconv.FormatInt(hash64(r.Place)%1_000_000_000, 10), Name: r.Name, URL: r.URL, Status: "active", IntegrationID: "1", ExternalSlug: r.Name,
			DateCreated: millisTime(0), Provider: map[string]string{"id": "integrations:github", "name": "GitHub"}}
	}
	return http.StatusOK, out, nil
}
