package issues

import (
	"cmp"
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) releaseRoutes(r api.Router) {
	read := api.Scoped("issues", identity.Read)
	r.GET("/releases", read, api.Handle(s.httpReleases))
	r.GET("/releases/:id", read, api.Handle(s.httpRelease))
	r.GET("/releases/:id/health", read, api.Handle(s.httpReleaseHealth))
}

// releaseItem is a release in a list. Its health is that of the last 14 days.
type releaseItem struct {
	ID              int64         `json:"id"`
	Version         string        `json:"version"`
	ShortVersion    string        `json:"short_version"`
	Status          ReleaseStatus `json:"status"`
	Projects        []projectRef  `json:"projects"`
	CreatedAt       api.Millis    `json:"created_at"`
	ReleasedAt      api.Millis    `json:"released_at,omitzero"`
	FirstEventAt    api.Millis    `json:"first_event_at,omitzero"`
	NewIssues       int64         `json:"new_issues"`
	RegressedIssues int64         `json:"regressed_issues"`
	Commits         int64         `json:"commits"`
	Deploys         int64         `json:"deploys"`
	Health          health        `json:"health"`
}

type releaseShape struct {
	releaseItem
	URL        string         `json:"url"`
	Ref        string         `json:"ref"`
	CommitList []commitShape  `json:"commit_list"`
	DeployList []deployShape  `json:"deploy_list"`
	New        []issueItem    `json:"new"`
	Regressed  []issueItem    `json:"regressed"`
	Artifacts  []artifactPart `json:"artifacts"`
}

type commitShape struct {
	ID         string     `json:"id"`
	Repository string     `json:"repository"`
	Author     string     `json:"author"`
	Email      string     `json:"email"`
	Message    string     `json:"message"`
	At         api.Millis `json:"at,omitzero"`
	// URL leads to the commit, "" where its repository has no page.
	URL string `json:"url"`
}

type deployShape struct {
	ID          int64      `json:"id"`
	Environment string     `json:"environment"`
	Name        string     `json:"name"`
	URL         string     `json:"url"`
	StartedAt   api.Millis `json:"started_at,omitzero"`
	FinishedAt  api.Millis `json:"finished_at"`
}

type artifactPart struct {
	ID        int64      `json:"id"`
	Checksum  string     `json:"checksum"`
	Dist      string     `json:"dist"`
	Files     int64      `json:"files"`
	Size      int64      `json:"size"`
	CreatedAt api.Millis `json:"created_at"`
}

const healthDays = 14

func (s *Service) shapeReleases(ctx context.Context, list []releaseRow) ([]releaseItem, error) {
	out := make([]releaseItem, len(list))
	if len(list) == 0 {
		return out, nil
	}
	ids, versions := make([]int64, len(list)), make([]string, len(list))
	for i, r := range list {
		ids[i], versions[i] = r.ID, r.Version
	}
	news, err := s.rows().releaseNews(ctx, ids)
	if err != nil {
		return nil, err
	}
	projects, err := s.rows().projectsOfReleases(ctx, ids)
	if err != nil {
		return nil, err
	}
	var about []int64
	for _, of := range projects {
		for _, p := range of {
			about = append(about, p.ID)
		}
	}
	healths, err := s.healthOf(ctx, about, versions, healthDays)
	if err != nil {
		return nil, err
	}
	for i, r := range list {
		n := news[r.ID]
		out[i] = releaseItem{ID: r.ID, Version: r.Version, ShortVersion: shortVersion(r.Version), Status: r.Status, Projects: []projectRef{}, CreatedAt: api.Millis(r.CreatedAt),
			ReleasedAt: api.Millis(r.ReleasedAt), FirstEventAt: api.Millis(n.FirstEvent), NewIssues: n.FreshIssues, RegressedIssues: n.Regressed, Commits: n.Commits,
			Deploys: n.Deploys, Health: healths[r.Version]}
		for _, p := range projects[r.ID] {
			out[i].Projects = append(out[i].Projects, projectRef{p.ID, p.Slug})
		}
	}
	return out, nil
}

type releasesIn struct {
	byProject
	// Version finds the one release that is called so.
	Version string `form:"version" json:"-"`
	Offset  int    `form:"offset" json:"-"`
	Limit   int    `form:"limit" json:"-"`
}

type releaseList struct {
	Items []releaseItem `json:"items"`
	// Next is the offset of the following page; 0 on the last.
	Next int `json:"next"`
}

func (s *Service) httpReleases(ctx context.Context, in releasesIn) (releaseList, error) {
	team, project, err := in.resolve(ctx, s)
	if err != nil {
		return releaseList{}, err
	}
	limit, offset := min(max(cmp.Or(in.Limit, 25), 1), 100), max(in.Offset, 0)
	list, err := s.rows().listReleases(ctx, team.ID, project, in.Version, offset, limit+1)
	if err != nil {
		return releaseList{}, err
	}
	out := releaseList{}
	if len(list) > limit {
		list, out.Next = list[:limit], offset+limit
	}
	out.Items, err = s.shapeReleases(ctx, list)
	return out, err
}

// shownOfRelease bounds each list on a release's page.
const shownOfRelease = 100

func (s *Service) httpRelease(ctx context.Context, in byIssue) (releaseShape, error) {
	r, err := s.rows().releaseByID(ctx, in.ID)
	if err != nil {
		return releaseShape{}, err
	}
	if err := identity.Require(ctx, r.TeamID, reading); err != nil {
		return releaseShape{}, err
	}
	items, err := s.shapeReleases(ctx, []releaseRow{r})
	if err != nil {
		return releaseShape{}, err
	}
	out := releaseShape{releaseItem: items[0], URL: r.URL, Ref: r.Ref, CommitList: []commitShape{}, DeployList: []deployShape{}, Artifacts: []artifactPart{}}
	commits, err := s.rows().commits(ctx, r.ID, shownOfRelease)
	if err != nil {
		return out, err
	}
	home := ""
	if len(commits) > 0 && len(out.Projects) > 0 {
		p, err := s.project(ctx, out.Projects[0].ID)
		if err != nil {
			return out, err
		}
		home = p.Repository
	}
	for _, c := range commits {
		out.CommitList = append(out.CommitList, commitShape{c.SHA, c.Repository, c.Author, c.Email, c.Message, api.Millis(c.At), commitPage(c.Repository, home, c.SHA)})
	}
	deploys, err := s.rows().deploys(ctx, r.ID)
	if err != nil {
		return out, err
	}
	for _, d := range deploys {
		out.DeployList = append(out.DeployList, deployShape{d.ID, d.Environment, d.Name, d.URL, api.Millis(d.StartedAt), api.Millis(d.FinishedAt)})
	}
	for _, p := range out.Projects {
		list, err := s.rows().artifacts(ctx, p.ID, kindBundle, r.Version, 0, shownOfRelease)
		if err != nil {
			return out, err
		}
		for _, a := range list {
			out.Artifacts = append(out.Artifacts, artifactPart{a.ID, a.Checksum, a.Dist, a.Files, a.Size, api.Millis(a.CreatedAt)})
		}
	}
	for regressed, into := range map[bool]*[]issueItem{false: &out.New, true: &out.Regressed} {
		list, err := s.rows().issuesOfRelease(ctx, r, regressed, shownOfRelease)
		if err != nil {
			return out, err
		}
		if *into, err = s.shapeIssues(ctx, r.TeamID, list); err != nil {
			return out, err
		}
	}
	return out, nil
}
