package issues

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
)

// projectRef names a project beside what belongs to it.
type projectRef struct {
	ID   int64  `json:"id"`
	Slug string `json:"slug"`
}

// issueItem is an issue in a list.
type issueItem struct {
	ID       int64      `json:"id"`
	ShortID  string     `json:"short_id"`
	Title    string     `json:"title"`
	Culprit  string     `json:"culprit"`
	Type     string     `json:"type"`
	Value    string     `json:"value"`
	Level    string     `json:"level"`
	Platform string     `json:"platform"`
	State    Status     `json:"state"`
	Substate Substate   `json:"substate"`
	Project  projectRef `json:"project"`
	Events   int64      `json:"events"`
	Users    int64      `json:"users"`
	// UsersEstimated says that so many users were affected that they are estimated.
	UsersEstimated bool       `json:"users_estimated"`
	FirstSeen      api.Millis `json:"first_seen"`
	LastSeen       api.Millis `json:"last_seen"`
	// Sparkline has the events of the last 24 hours, the current one last.
	Sparkline []int64      `json:"sparkline"`
	Assignee  string       `json:"assignee"`
	Releases  releaseRange `json:"releases"`
}

// releaseRange are the releases of the first event and of the latest.
type releaseRange struct {
	First string `json:"first"`
	Last  string `json:"last"`
}

// issueShape is an issue on its page.
type issueShape struct {
	issueItem
	Logger string `json:"logger"`
	// Terms say how it was resolved or archived.
	Terms   *Terms     `json:"terms,omitempty"`
	StateAt api.Millis `json:"state_at"`
	StateBy string     `json:"state_by"`
	// Histogram has the events per hour of the last 14 days, without hours that had none.
	Histogram []hourCount `json:"histogram"`
	Comments  int64       `json:"comments"`
	Feedback  int64       `json:"feedback"`
	// Suspects are commits of its release that touched the crashing files.
	Suspects []suspectCommit `json:"suspect_commits"`
	// Links are issues at GitHub that belong to it.
	Links []linkShape `json:"links"`
}

type hourCount struct {
	Hour   api.Millis `json:"hour"`
	Events int64      `json:"events"`
}

const sparklineHours = 24

// shapeIssues completes rows of one team for a list.
func (s *Service) shapeIssues(ctx context.Context, team int64, list []issueRow) ([]issueItem, error) {
	out := make([]issueItem, len(list))
	if len(list) == 0 {
		return out, nil
	}
	slugs, err := s.rows().projectSlugs(ctx, team)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(list))
	for i, r := range list {
		ids[i] = r.ID
	}
	since := hourNumber(s.Now()) - sparklineHours + 1
	hours, err := s.rows().hours(ctx, ids, since)
	if err != nil {
		return nil, err
	}
	for i, r := range list {
		out[i] = itemOf(r, slugs[r.ProjectID])
		for h := range out[i].Sparkline {
			out[i].Sparkline[h] = hours[r.ID][since+int64(h)]
		}
	}
	return out, nil
}

func itemOf(r issueRow, slug string) issueItem {
	return issueItem{ID: r.ID, ShortID: ShortID(slug, r.Number), Title: r.Title, Culprit: r.Culprit, Type: r.Type, Value: r.Value, Level: r.Level,
		Platform: r.Platform, State: r.Status, Substate: r.Substate, Project: projectRef{r.ProjectID, slug}, Events: r.Events, Users: r.Users,
		UsersEstimated: r.UserBelow != 0, FirstSeen: api.Millis(r.FirstSeen), LastSeen: api.Millis(r.LastSeen), Sparkline: make([]int64, sparklineHours),
		Assignee: r.Assignee, Releases: releaseRange{r.FirstRelease, r.LastRelease}}
}

const histogramDays = 14

// shapeIssue completes one for its page.
func (s *Service) shapeIssue(ctx context.Context, r issueRow) (issueShape, error) {
	items, err := s.shapeIssues(ctx, r.TeamID, []issueRow{r})
	if err != nil {
		return issueShape{}, err
	}
	out := issueShape{issueItem: items[0], Logger: r.Logger, StateAt: api.Millis(r.StateAt), StateBy: r.StateBy, Histogram: []hourCount{}}
	if t := parseTerms(r.Terms); t.Kind != "" {
		out.Terms = &t
	}
	now := hourNumber(s.Now())
	hours, err := s.rows().hours(ctx, []int64{r.ID}, now-histogramDays*24+1)
	if err != nil {
		return out, err
	}
	for h := now - histogramDays*24 + 1; h <= now; h++ {
		if n := hours[r.ID][h]; n > 0 {
			out.Histogram = append(out.Histogram, hourCount{api.Millis(h * time.Hour.Milliseconds()), n})
		}
	}
	if out.Links, err = s.linksOf(ctx, r.ID); err != nil {
		return out, err
	}
	if out.Suspects, err = s.suspects(ctx, r); err != nil {
		return out, err
	}
	out.Comments, out.Feedback, err = s.rows().talk(ctx, r.ID)
	return out, err
}
