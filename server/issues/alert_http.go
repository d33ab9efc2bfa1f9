package issues

import (
	"cmp"
	"context"
	"slices"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) alertRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.GET("/alerts", read, api.Handle(s.httpAlerts))
	r.POST("/alerts", write, api.Handle(s.httpCreateAlert))
	r.GET("/alerts/targets", read, api.Handle(s.httpAlertTargets))
	r.POST("/alerts/preview", read, api.Handle(s.httpPreviewAlert))
	r.GET("/alerts/:id", read, api.Handle(s.httpAlert))
	r.PATCH("/alerts/:id", write, api.Handle(s.httpChangeAlert))
	r.DELETE("/alerts/:id", write, api.Handle(s.httpDeleteAlert))
	r.GET("/alerts/:id/history", read, api.Handle(s.httpAlertHistory))
	r.POST("/alerts/:id/test", write, api.Handle(s.httpTestAlert))
}

// alertShape is a rule as pages see it.
type alertShape struct {
	ID   int64  `json:"id"`
	Team string `json:"team"`
	// Project is null for all projects of the team.
	Project     *projectRef   `json:"project"`
	Name        string        `json:"name"`
	Enabled     bool          `json:"enabled"`
	Condition   Condition     `json:"condition"`
	Environment string        `json:"environment"`
	Query       string        `json:"query"`
	Actions     []actionShape `json:"actions"`
	Throttle    int64         `json:"throttle_minutes"`
	// Sentence says all of it as people would.
	Sentence string `json:"sentence"`
	// Problem says why the rule cannot tell anybody, "" when it can as far as is known.
	Problem   string     `json:"problem"`
	FiredAt   api.Millis `json:"fired_at,omitzero"`
	CreatedBy string     `json:"created_by"`
	CreatedAt api.Millis `json:"created_at"`
	UpdatedAt api.Millis `json:"updated_at"`
}

type actionShape struct {
	Action
	Label string `json:"label"`
	// Problem says why this cannot be done, "" when it can as far as is known.
	Problem string `json:"problem"`
}

type alertList struct {
	Items []alertShape `json:"items"`
}

// shapeAlerts completes rules of one team.
func (s *Service) shapeAlerts(ctx context.Context, team int64, list []alertRow) ([]alertShape, error) {
	out := make([]alertShape, len(list))
	slugs, err := s.rows().projectSlugs(ctx, team)
	if err != nil {
		return nil, err
	}
	name, err := s.TeamName(ctx, team)
	if err != nil {
		return nil, err
	}
	labels, err := s.channelNames(ctx, team)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(list))
	for i, r := range list {
		ids[i] = r.ID
	}
	last, err := s.rows().lastFirings(ctx, ids)
	if err != nil {
		return nil, err
	}
	var newest []firingRow
	for _, f := range last {
		newest = append(newest, f)
	}
	fared, err := s.shapeDeliveries(ctx, newest)
	if err != nil {
		return nil, err
	}
	for i, r := range list {
		a, err := r.alert()
		if err != nil {
			return nil, err
		}
		out[i] = alertShape{ID: r.ID, Team: name, Name: a.Name, Enabled: a.Enabled, Condition: a.Condition, Environment: a.Environment, Query: a.Query, Throttle: a.Throttle,
			Sentence: a.sentence(slugs[a.Project], labels.of), FiredAt: api.Millis(r.FiredAt), CreatedBy: r.CreatedBy, CreatedAt: api.Millis(r.CreatedAt), UpdatedAt: api.Millis(r.UpdatedAt)}
		if a.Project != 0 {
			out[i].Project = &projectRef{a.Project, slugs[a.Project]}
		}
		out[i].Actions, out[i].Problem = shapeActions(a.Actions, labels, fared[last[r.ID].ID])
	}
	return out, nil
}

// shapeActions says of each action whether it can be done: by what is known of its
// channel, and by how it went the last time.
func shapeActions(list []Action, labels channelNames, last []deliveryShape) (out []actionShape, trouble string) {
	out = make([]actionShape, len(list))
	for i, act := range list {
		out[i] = actionShape{Action: act, Label: labels.of(act), Problem: labels.trouble(act)}
		for _, d := range last {
			if out[i].Problem == "" && d.Type == act.Type && d.Target == act.Target && (d.State == deliveryFailed || d.State == deliveryWaiting) {
				out[i].Problem = d.Error
			}
		}
		trouble = cmp.Or(trouble, out[i].Problem)
	}
	return out, trouble
}

type teamIn struct {
	Team string `form:"team" json:"-"`
}

func (s *Service) httpAlerts(ctx context.Context, in teamIn) (alertList, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return alertList{}, err
	}
	list, err := s.rows().alerts(ctx, team.ID)
	if err != nil {
		return alertList{}, err
	}
	items, err := s.shapeAlerts(ctx, team.ID, list)
	return alertList{items}, err
}

type newAlertIn struct {
	Team string `json:"team" form:"team"`
	AlertChange
}

func (s *Service) httpCreateAlert(ctx context.Context, in newAlertIn) (api.Created[alertShape], error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return api.Created[alertShape]{}, err
	}
	a, err := s.CreateAlert(ctx, team.ID, in.AlertChange)
	if err != nil {
		return api.Created[alertShape]{}, err
	}
	shape, err := s.httpAlert(ctx, byAlert{a.ID})
	return api.Created[alertShape]{Value: shape, Location: "/api/v1/issues/alerts/" + formatID(a.ID)}, err
}

type byAlert struct {
	ID int64 `uri:"id" json:"-" form:"-"`
}

func (s *Service) httpAlert(ctx context.Context, in byAlert) (alertShape, error) {
	row, _, err := s.alertFor(ctx, in.ID, reading)
	if err != nil {
		return alertShape{}, err
	}
	list, err := s.shapeAlerts(ctx, row.TeamID, []alertRow{row})
	if err != nil {
		return alertShape{}, err
	}
	return list[0], nil
}

type patchAlertIn struct {
	ID int64 `uri:"id" json:"-" form:"-"`
	AlertChange
}

func (s *Service) httpChangeAlert(ctx context.Context, in patchAlertIn) (alertShape, error) {
	if _, err := s.ChangeAlert(ctx, in.ID, in.AlertChange); err != nil {
		return alertShape{}, err
	}
	return s.httpAlert(ctx, byAlert{in.ID})
}

func (s *Service) httpDeleteAlert(ctx context.Context, in byAlert) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteAlert(ctx, in.ID)
}

type alertTargets struct {
	Channels []AlertChannel `json:"channels"`
	// GitHub says whether the team has a connection to it.
	GitHub bool `json:"github"`
	// Environments are those that the team's errors have named.
	Environments []string `json:"environments"`
}

func (s *Service) httpAlertTargets(ctx context.Context, in teamIn) (alertTargets, error) {
	out := alertTargets{Channels: []AlertChannel{}}
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return out, err
	}
	if s.alerts.teller != nil {
		list, err := s.alerts.teller.Channels(ctx, team.ID)
		if err != nil {
			return out, err
		}
		out.Channels = append(out.Channels, list...)
	}
	if s.alerts.github != nil {
		if out.GitHub, err = s.alerts.github.Connected(ctx, team.ID); err != nil {
			return out, err
		}
	}
	out.Environments, err = s.rows().environments(ctx, team.ID)
	return out, err
}

// firingShape is one time that a rule fired.
type firingShape struct {
	ID int64      `json:"id"`
	At api.Millis `json:"at"`
	// Issue is null when it was about no single issue, or that one is gone.
	Issue      *issueRef       `json:"issue"`
	Project    *projectRef     `json:"project"`
	EventID    string          `json:"event_id"`
	Why        string          `json:"why"`
	URL        string          `json:"url"`
	Test       bool            `json:"test"`
	Deliveries []deliveryShape `json:"deliveries"`
}

// issueRef names an issue beside what is about it.
type issueRef struct {
	ID      int64  `json:"id"`
	ShortID string `json:"short_id"`
	Title   string `json:"title"`
}

type historyIn struct {
	ID     int64 `uri:"id" json:"-" form:"-"`
	Cursor int64 `form:"cursor" json:"-"`
	Limit  int   `form:"limit" json:"-"`
}

type firingPage struct {
	Items []firingShape `json:"items"`
	// Next is the cursor of the next page, 0 on the last one.
	Next int64 `json:"next"`
}

func (s *Service) httpAlertHistory(ctx context.Context, in historyIn) (firingPage, error) {
	out := firingPage{Items: []firingShape{}}
	row, _, err := s.alertFor(ctx, in.ID, reading)
	if err != nil {
		return out, err
	}
	limit := min(max(cmp.Or(in.Limit, 50), 1), 200)
	list, err := s.rows().firings(ctx, row.ID, in.Cursor, limit+1)
	if err != nil {
		return out, err
	}
	if len(list) > limit {
		list = list[:limit]
		out.Next = list[limit-1].ID
	}
	out.Items, err = s.shapeFirings(ctx, row.TeamID, list)
	return out, err
}

func (s *Service) shapeFirings(ctx context.Context, team int64, list []firingRow) ([]firingShape, error) {
	slugs, err := s.rows().projectSlugs(ctx, team)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, f := range list {
		if f.IssueID != 0 && !slices.Contains(ids, f.IssueID) {
			ids = append(ids, f.IssueID)
		}
	}
	known, err := s.rows().issuesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	fared, err := s.shapeDeliveries(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make([]firingShape, len(list))
	for i, f := range list {
		out[i] = firingShape{ID: f.ID, At: api.Millis(f.At), Issue: refOf(known, slugs, f.IssueID), EventID: f.EventID, Why: f.Why, URL: f.URL, Test: f.Test, Deliveries: fared[f.ID]}
		if slug, ok := slugs[f.ProjectID]; ok {
			out[i].Project = &projectRef{f.ProjectID, slug}
		}
	}
	return out, nil
}

func refOf(known map[int64]issueRow, slugs map[int64]string, id int64) *issueRef {
	i, ok := known[id]
	if !ok || i.Status == Merged {
		return nil
	}
	return &issueRef{i.ID, ShortID(slugs[i.ProjectID], i.Number), i.Title}
}

func (s *Service) httpTestAlert(ctx context.Context, in byAlert) (firingShape, error) {
	row, a, err := s.alertFor(ctx, in.ID, writing)
	if err != nil {
		return firingShape{}, err
	}
	f, err := s.TestAlert(ctx, a)
	if err != nil {
		return firingShape{}, err
	}
	list, err := s.shapeFirings(ctx, row.TeamID, []firingRow{f})
	if err != nil {
		return firingShape{}, err
	}
	return list[0], nil
}

// previewIn is a rule that need not exist yet; what is not about its condition is allowed and ignored.
type previewIn struct {
	Team string `json:"team" form:"team"`
	AlertChange
}

// preview is what a rule would have done within the last seven days.
type preview struct {
	// Firings are the newest ones.
	Firings []previewFiring `json:"firings"`
	Count   int64           `json:"count"`
	// Days are the numbers of the last seven days, today last.
	Days []int64 `json:"days"`
	// Partial says that there was more than could be looked at.
	Partial  bool   `json:"partial"`
	Sentence string `json:"sentence"`
}

type previewFiring struct {
	At      api.Millis  `json:"at"`
	Issue   *issueRef   `json:"issue"`
	Project *projectRef `json:"project"`
	Why     string      `json:"why"`
}

func (s *Service) httpPreviewAlert(ctx context.Context, in previewIn) (preview, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return preview{}, err
	}
	if in.Condition == nil {
		return preview{}, problem.FieldError("condition", "say what has to happen")
	}
	a := Alert{Team: team.ID, Name: "preview", Throttle: defaultThrottle, Actions: []Action{}}
	a.apply(in.AlertChange)
	return s.PreviewAlert(ctx, a)
}
