package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// releaseTools are what machines may read of projects, releases and events.
func (s *Service) releaseTools() []tools.Tool {
	return []tools.Tool{
		tools.New(tools.Spec{Name: "issues_project_list", Title: "List projects", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Projects of a team that report errors, with platform, repository and when the latest event came."}, s.toolProjects),
		tools.New(tools.Spec{Name: "issues_event_list", Title: "List an issue's events", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Events of an issue, newest first: time, release, environment, user. issues_event_get reads one."}, s.toolEvents),
		tools.New(tools.Spec{Name: "issues_event_find", Title: "Find an event", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Leads from an event id, as a program's log has it, to the event and its issue."}, s.toolFindEvent),
		tools.New(tools.Spec{Name: "issues_release_list", Title: "List releases", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Releases of a team or a project, newest first: new and regressed issues, commits, deploys, and how many sessions were free of crashes in the last 14 days."}, s.toolReleases),
		tools.New(tools.Spec{Name: "issues_release_get", Title: "Read a release", Class: tools.ReadOnly, Level: identity.Read,
			Description: "One release by its version: its commits with authors, its deploys, and the issues that it brought or brought back."}, s.toolRelease),
	}
}

type toolProjectsIn struct {
	Team string `json:"team"`
}

func (s *Service) toolProjects(ctx context.Context, in toolProjectsIn) (projectsOut, error) {
	if _, err := identity.RequireTeam(ctx, in.Team, reading); err != nil {
		return projectsOut{}, err
	}
	return s.listProjects(ctx, projectsIn{in.Team})
}

type toolEventsIn struct {
	Team   string `json:"team"`
	Issue  string `json:"issue"`
	Cursor string `json:"cursor,omitempty"`
	Limit  int    `json:"limit,omitempty"`
}

func (s *Service) toolEvents(ctx context.Context, in toolEventsIn) (eventPage, error) {
	i, err := s.namedIssue(ctx, in.Team, in.Issue, reading)
	if err != nil {
		return eventPage{}, err
	}
	return s.httpEvents(ctx, eventsIn{ID: i.ID, Cursor: in.Cursor, Limit: in.Limit})
}

type toolFindIn struct {
	Team  string `json:"team"`
	Event string `json:"event"`
}

type toolFound struct {
	Issue issueItem `json:"issue"`
	Event toolEvent `json:"event"`
}

func (s *Service) toolFindEvent(ctx context.Context, in toolFindIn) (toolFound, error) {
	found, err := s.httpFindEvent(ctx, findEventIn{in.Team, in.Event})
	if err != nil {
		return toolFound{}, err
	}
	shown, err := s.httpIssue(ctx, byIssue{found.Issue})
	return toolFound{shown.issueItem, toolEventOf(&found.Event)}, err
}

type toolReleasesIn struct {
	Team    string `json:"team"`
	Project string `json:"project,omitempty"`
	Offset  int    `json:"offset,omitempty"`
	Limit   int    `json:"limit,omitempty"`
}

func (s *Service) toolReleases(ctx context.Context, in toolReleasesIn) (releaseList, error) {
	return s.httpReleases(ctx, releasesIn{byProject: byProject{in.Team, in.Project}, Offset: in.Offset, Limit: in.Limit})
}

type toolReleaseIn struct {
	Team    string `json:"team"`
	Version string `json:"version"`
}

func (s *Service) toolRelease(ctx context.Context, in toolReleaseIn) (releaseShape, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return releaseShape{}, err
	}
	r, err := s.rows().release(ctx, team.ID, in.Version)
	if err != nil {
		return releaseShape{}, err
	}
	return s.httpRelease(ctx, byIssue{r.ID})
}
