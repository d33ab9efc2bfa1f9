package issues

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) api0IssueRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.GET("/projects/:team/:project/issues/", read, handle0(s.listIssues0))
	r.PUT("/projects/:team/:project/issues/", write, handle0(s.putIssues0))
	r.GET("/projects/:team/:project/events/", read, handle0(s.listEvents0))
	r.GET("/organizations/:team/events/", read, handle0(s.exploreEvents0))
	r.GET("/organizations/:team/monitors/", read, handle0(s.listMonitors0))
}

// most0 bounds how deep a list of issues can be paged by an offset.
const most0 = 5000

type issue0Body struct {
	ID        string     `json:"id"`
	ShortID   string     `json:"shortId"`
	Title     string     `json:"title"`
	Culprit   string     `json:"culprit"`
	Level     string     `json:"level"`
	Status    string     `json:"status"`
	Substatus string     `json:"substatus"`
	Platform  string     `json:"platform"`
	Type      string     `json:"type"`
	Count     string     `json:"count"`
	UserCount int64      `json:"userCount"`
	FirstSeen time.Time  `json:"firstSeen"`
	LastSeen  time.Time  `json:"lastSeen"`
	Project   projectOf0 `json:"project"`
	Permalink string     `json:"permalink"`
}

// status0 is a status in Sentry's older words, which its tools know.
func status0(s Status) string {
	if s == Archived {
		return "ignored"
	}
	return string(s)
}

func (s *Service) listIssues0(c *gin.Context) (int, any, error) {
	ctx := c.Request.Context()
	project, err := s.project0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	p, err := page0(c)
	if err != nil {
		return 0, nil, err
	}
	if p.offset+p.limit > most0 {
		return 0, nil, problem.New(problem.Invalid, "Lists end after %d issues; narrow it by a query.", most0)
	}
	f, err := s.filterOf(ctx, project.Team, project.Slug, c.Query("query"))
	if err != nil {
		return 0, nil, err
	}
	f.Limit = p.offset + p.limit + 1
	list, err := s.rows().listIssues(ctx, f)
	if err != nil {
		return 0, nil, err
	}
	part, more := cut(list, p)
	link0(c, p, more)
	out := make([]issue0Body, len(part))
	for i, r := range part {
		out[i] = issue0Body{ID: formatID(r.ID), ShortID: ShortID(project.Slug, r.Number), Title: r.Title, Culprit: r.Culprit, Level: r.Level, Status: status0(r.Status),
			Substatus: string(r.Substate), Platform: r.Platform, Type: "error", Count: formatID(r.Events), UserCount: r.Users, FirstSeen: millisTime(r.FirstSeen),
			LastSeen: millisTime(r.LastSeen), Project: projectOf0{project.ID, project.Slug, project.Name, project.Platform},
			Permalink: s.PublicURL() + "/issues/" + formatID(r.ID)}
	}
	return http.StatusOK, out, nil
}

// change0 is a bulk change as sentry-cli and Sentry's pages send it.
type change0 struct {
	Status         string
	SnoozeDuration *int64 `json:"snoozeDuration"` // minutes
	StatusDetails  struct {
		InNextRelease  bool   `json:"inNextRelease"`
		InRelease      string `json:"inRelease"`
		IgnoreDuration int64  `json:"ignoreDuration"`
		IgnoreCount    int64  `json:"ignoreCount"`
		IgnoreWindow   int64  `json:"ignoreWindow"`
		InCommit       struct {
			Commit string `json:"commit"`
		} `json:"inCommit"`
	} `json:"statusDetails"`
}

// change is what it means here.
func (in change0) change(now time.Time) (Change, error) {
	status, terms, d := Resolved, Terms{Kind: AtOnce}, in.StatusDetails
	switch in.Status {
	case "resolved":
		switch {
		case d.InNextRelease:
			terms.Kind = InNextRelease
		case d.InRelease != "":
			terms.Kind, terms.Release = InRelease, d.InRelease
		case d.InCommit.Commit != "":
			terms.Kind, terms.Commit = InCommit, d.InCommit.Commit
		}
	case "resolvedInNextRelease":
		terms.Kind = InNextRelease
	case "unresolved":
		status = Unresolved
		return Change{Status: &status}, nil
	case "muted", "ignored":
		status, terms.Kind = Archived, Forever
		minutes := d.IgnoreDuration
		set(&minutes, in.SnoozeDuration)
		switch {
		case minutes > 0:
			until := now.Add(time.Duration(minutes) * time.Minute)
			terms.Kind, terms.Until = UntilTime, &until
		case d.IgnoreCount > 0:
			terms.Kind, terms.Events, terms.Window = UntilEvents, d.IgnoreCount, d.IgnoreWindow
		}
	default:
		return Change{}, problem.FieldError("status", "%q is not a status", in.Status)
	}
	return Change{Status: &status, Terms: &terms}, nil
}

func (s *Service) putIssues0(c *gin.Context) (int, any, error) {
	ctx := c.Request.Context()
	project, err := s.project0(c, writing)
	if err != nil {
		return 0, nil, err
	}
	var in change0
	if err := read0(c, &in); err != nil {
		return 0, nil, err
	}
	change, err := in.change(s.Now())
	if err != nil {
		return 0, nil, err
	}
	ids, err := s.chosen0(ctx, c, project)
	if err != nil {
		return 0, nil, err
	}
	if len(ids) > 0 {
		if err := s.ChangeIssues(ctx, ids, change); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusOK, map[string]any{"status": in.Status, "statusDetails": map[string]any{}}, nil
}

// chosen0 are the issues that ?id= names, those in the ?status=, or all.
func (s *Service) chosen0(ctx context.Context, c *gin.Context, project Project) (ids []int64, err error) {
	for _, text := range c.QueryArray("id") {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, problem.FieldError("id", "%.40q is no issue", text)
		}
		row, err := s.rows().issue(ctx, id)
		if err != nil {
			return nil, err
		}
		if row.ProjectID != project.ID {
			return nil, problem.New(problem.NotFound, "There is no issue %d in project %s.", id, project.Slug)
		}
		ids = append(ids, id)
	}
	if len(ids) > 0 {
		return ids, nil
	}
	words := map[string]string{"resolved": "is:resolved", "unresolved": "is:unresolved", "muted": "is:archived", "ignored": "is:archived"}
	query, known := words[c.Query("status")]
	if given := c.Request.URL.Query(); c.Query("status") == "" {
		// Nothing at all means every issue of the project: sentry-cli's --all.
		query, known = c.Query("query"), given.Has("query") || len(given) == 0
	}
	if !known {
		return nil, problem.New(problem.Invalid, "Say which issues: ?id= or ?status=.")
	}
	f, err := s.filterOf(ctx, project.Team, project.Slug, query)
	if err != nil {
		return nil, err
	}
	f.Limit = maxBulk
	list, err := s.rows().listIssues(ctx, f)
	for _, i := range list {
		ids = append(ids, i.ID)
	}
	return ids, err
}

type event0Body struct {
	ID          string         `json:"id"`
	EventID     string         `json:"eventID"`
	GroupID     string         `json:"groupID"`
	ProjectID   string         `json:"projectID"`
	Title       string         `json:"title"`
	Message     string         `json:"message"`
	Culprit     string         `json:"culprit"`
	Platform    string         `json:"platform"`
	DateCreated time.Time      `json:"dateCreated"`
	User        map[string]any `json:"user"`
	Tags        []tag0         `json:"tags"`
}

type tag0 struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// events0 is how far a project's events can be paged, each read whole for its tags.
const events0 = 50

func (s *Service) listEvents0(c *gin.Context) (int, any, error) {
	project, err := s.project0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	p, err := page0(c)
	if err != nil {
		return 0, nil, err
	}
	p.limit = min(p.limit, events0)
	list, err := s.rows().eventsOfProject(c.Request.Context(), project.ID, min(p.offset, most0), p.limit+1)
	if err != nil {
		return 0, nil, err
	}
	link0(c, p, len(list) > p.limit && p.offset+p.limit < most0)
	out := []event0Body{}
	for _, r := range list[:min(len(list), p.limit)] {
		e, err := unpackEvent(r.Body)
		if err != nil {
			return 0, nil, err
		}
		out = append(out, shapeEvent0(r, &e))
	}
	return http.StatusOK, out, nil
}

func shapeEvent0(r eventRow, e *sentry.Event) event0Body {
	out := event0Body{ID: r.EventID, EventID: r.EventID, GroupID: formatID(r.IssueID), ProjectID: formatID(r.ProjectID), Title: r.Title, Message: r.Title, Culprit: r.Culprit,
		Platform: e.Platform, DateCreated: millisTime(r.Timestamp), Tags: []tag0{}}
	if e.User.Key() != "" {
		out.User = map[string]any{"id": e.User.ID, "email": e.User.Email, "username": e.User.Username, "ip_address": orNil(e.User.IPAddress)}
	}
	for _, t := range eventTags(e) {
		out.Tags = append(out.Tags, tag0{t.Key, t.Value})
	}
	return out
}

// exploreEvents0 is where sentry-cli looks for logs; there are none here.
func (s *Service) exploreEvents0(c *gin.Context) (int, any, error) {
	if _, err := team0(c, reading); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"data": []any{}, "meta": map[string]any{"fields": map[string]string{}}}, nil
}

func (s *Service) listMonitors0(c *gin.Context) (int, any, error) {
	ctx := c.Request.Context()
	team, err := team0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	p, err := page0(c)
	if err != nil {
		return 0, nil, err
	}
	list, err := s.rows().listMonitors(ctx, team.ID, 0)
	if err != nil {
		return 0, nil, err
	}
	part, more := cut(list, p)
	link0(c, p, more)
	shapes, err := s.shapeMonitors(ctx, team.ID, part)
	out := make([]map[string]any, len(shapes))
	for i, m := range shapes {
		schedule := any(m.Crontab)
		kind := "crontab"
		if m.Crontab == "" {
			kind, schedule = "interval", []any{part[i].Every, part[i].Unit}
		}
		environments := []map[string]any{}
		for _, e := range m.Environments {
			environments = append(environments, map[string]any{"name": e.Environment, "status": e.Status, "lastCheckIn": timeOrNil(int64(e.LastAt)), "nextCheckIn": timeOrNil(int64(e.NextAt))})
		}
		out[i] = map[string]any{"id": formatID(m.ID), "slug": m.Slug, "name": m.Slug, "status": "active", "isMuted": m.Muted, "type": "cron_job", "dateCreated": millisTime(part[i].CreatedAt),
			"config": map[string]any{"schedule_type": kind, "schedule": schedule, "timezone": part[i].Timezone}, "environments": environments,
			"project": map[string]any{"id": formatID(m.Project.ID), "slug": m.Project.Slug, "name": m.Project.Slug}}
	}
	return http.StatusOK, out, err
}
