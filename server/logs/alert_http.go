package logs

import (
	"cmp"
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) alertRoutes(r api.Router) {
	read, write := api.Scoped("logs", identity.Read), api.Scoped("logs", identity.Write)
	r.GET("/alerts", read, api.Handle(s.httpAlerts))
	r.POST("/alerts", write, api.Handle(s.httpCreateAlert))
	r.GET("/alerts/targets", read, api.Handle(s.httpAlertTargets))
	r.POST("/alerts/preview", read, api.Handle(s.httpPreviewAlert))
	r.GET("/alerts/:alert", read, api.Handle(s.httpAlert))
	r.PATCH("/alerts/:alert", write, api.Handle(s.httpChangeAlert))
	r.DELETE("/alerts/:alert", write, api.Handle(s.httpDeleteAlert))
	r.GET("/alerts/:alert/history", read, api.Handle(s.httpAlertHistory))
	r.POST("/alerts/:alert/test", write, api.Handle(s.httpTestAlert))
}

// alertState is how an alert stands, for pages.
type alertState string

// The states.
const (
	alertOff     alertState = "off"     // not enabled
	alertWaiting alertState = "waiting" // not looked yet
	alertFailing alertState = "error"   // its last look failed
	alertFiring  alertState = "firing"
	alertWell    alertState = "ok"
)

// alertShape is an alert as pages see it.
type alertShape struct {
	ID        string         `json:"id"`
	Team      string         `json:"team"`
	Name      string         `json:"name"`
	Enabled   bool           `json:"enabled"`
	Condition AlertCondition `json:"condition"`
	Actions   []actionShape  `json:"actions"`
	Throttle  int64          `json:"throttle_minutes"`
	Remind    int64          `json:"remind_minutes"`
	Resolve   bool           `json:"resolve"`
	// MutedUntil is absent while the alert is not muted.
	MutedUntil api.Millis `json:"muted_until,omitzero"`
	State      alertState `json:"state"`
	// Since is when it began to fire, or to fail.
	Since api.Millis `json:"since,omitzero"`
	// Value is that of the last look, of several groups the worst; null when there was none.
	Value *float64 `json:"value"`
	// Error is why the last look failed.
	Error string `json:"error"`
	// Firing are the groups or patterns that it fires about, the newest first.
	Firing    []firingShape `json:"firing"`
	CheckedAt api.Millis    `json:"checked_at,omitzero"`
	FiredAt   api.Millis    `json:"fired_at,omitzero"`
	// Sentence says all of it as people would.
	Sentence string `json:"sentence"`
	// Problem says why the alert cannot tell anybody, "" when it can as far as is known.
	Problem   string     `json:"problem"`
	CreatedBy string     `json:"created_by"`
	CreatedAt api.Millis `json:"created_at"`
	UpdatedAt api.Millis `json:"updated_at"`
}

type actionShape struct {
	AlertAction
	Label string `json:"label"`
	// Problem says why this cannot be done, "" when it can as far as is known.
	Problem string `json:"problem"`
}

// firingShape is one thing that an alert fires about now.
type firingShape struct {
	// Subject is a group's value or a pattern, "" for an alert without groups.
	Subject string     `json:"subject"`
	Since   api.Millis `json:"since"`
	Value   *float64   `json:"value"`
}

type alertList struct {
	Items []alertShape `json:"items"`
}

// maxFiringShown bounds what an alert lists of what it fires about.
const maxFiringShown = 50

// shapeAlerts completes alerts of one team.
func (s *Service) shapeAlerts(ctx context.Context, team int64, list []alertRow) ([]alertShape, error) {
	out := make([]alertShape, len(list))
	name, err := s.TeamName(ctx, team)
	if err != nil {
		return nil, err
	}
	labels, err := s.channelNames(ctx, team)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(list))
	for i, r := range list {
		ids[i] = r.ID
	}
	firing, err := s.rows.firingStates(ctx, ids)
	if err != nil {
		return nil, err
	}
	last, err := s.rows.lastFirings(ctx, ids)
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
		out[i] = alertShape{ID: r.ID, Team: name, Name: a.Name, Enabled: a.Enabled, Condition: a.Condition, Throttle: a.Throttle, Remind: a.Remind, Resolve: a.Resolve,
			Value: r.Value, Error: r.Error, Firing: []firingShape{}, CheckedAt: api.Millis(r.CheckedAt), FiredAt: api.Millis(r.FiredAt),
			Sentence: a.sentence(labels.of), CreatedBy: r.CreatedBy, CreatedAt: api.Millis(r.CreatedAt), UpdatedAt: api.Millis(r.UpdatedAt)}
		if r.MutedUntil > s.Now().UnixMilli() {
			out[i].MutedUntil = api.Millis(r.MutedUntil)
		}
		out[i].stand(r, firing[r.ID])
		out[i].Actions, out[i].Problem = shapeActions(a.Actions, labels, fared[last[r.ID].ID])
	}
	return out, nil
}

// stand fills in how the alert stands.
func (a *alertShape) stand(r alertRow, firing []stateRow) {
	for _, f := range firing[:min(len(firing), maxFiringShown)] {
		a.Firing = append(a.Firing, firingShape{f.Subject, api.Millis(f.Since), f.Value})
		a.Since = api.Millis(f.Since) // the oldest comes last
	}
	switch {
	case !r.Enabled:
		a.State = alertOff
	case r.Error != "":
		a.State, a.Since = alertFailing, api.Millis(r.ErrorSince)
	case r.CheckedAt == 0:
		a.State = alertWaiting
	case len(firing) > 0:
		a.State = alertFiring
	default:
		a.State = alertWell
	}
}

// shapeActions says of each action whether it can be done: by what is known of its
// channel, and by how it went the last time.
func shapeActions(list []AlertAction, labels channelNames, last []deliveryShape) (out []actionShape, trouble string) {
	out = make([]actionShape, len(list))
	for i, act := range list {
		out[i] = actionShape{AlertAction: act, Label: labels.of(act), Problem: labels.trouble(act)}
		for _, d := range last {
			if out[i].Problem == "" && d.Target == act.Target && (d.State == "failed" || d.State == "waiting") {
				out[i].Problem = d.Error
			}
		}
		trouble = cmp.Or(trouble, out[i].Problem)
	}
	return out, trouble
}

func (s *Service) httpAlerts(ctx context.Context, in teamIn) (alertList, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return alertList{}, err
	}
	list, err := s.rows.alerts(ctx, team.ID)
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
	return api.Created[alertShape]{Value: shape, Location: "/api/v1/logs/alerts/" + a.ID}, err
}

type byAlert struct {
	ID string `uri:"alert" json:"-" form:"-"`
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
	ID string `uri:"alert" json:"-" form:"-"`
	AlertChange
}

func (s *Service) httpChangeAlert(ctx context.Context, in patchAlertIn) (alertShape, error) {
	if err := s.ChangeAlert(ctx, in.ID, in.AlertChange); err != nil {
		return alertShape{}, err
	}
	return s.httpAlert(ctx, byAlert{in.ID})
}

func (s *Service) httpDeleteAlert(ctx context.Context, in byAlert) (api.Nothing, error) {
	return api.Nothing{}, s.DeleteAlert(ctx, in.ID)
}

type alertTargets struct {
	Channels []AlertChannel `json:"channels"`
}

func (s *Service) httpAlertTargets(ctx context.Context, in teamIn) (alertTargets, error) {
	out := alertTargets{Channels: []AlertChannel{}}
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil || s.AlertTeller == nil {
		return out, err
	}
	list, err := s.AlertTeller.Channels(ctx, team.ID)
	out.Channels = append(out.Channels, list...)
	return out, err
}

// pastFiring is one time that an alert fired.
type pastFiring struct {
	ID      int64      `json:"id"`
	Subject string     `json:"subject"`
	At      api.Millis `json:"at"`
	// EndedAt is absent while it lasts.
	EndedAt    api.Millis      `json:"ended_at,omitzero"`
	Value      *float64        `json:"value"`
	Why        string          `json:"why"`
	URL        string          `json:"url"`
	Test       bool            `json:"test"`
	Deliveries []deliveryShape `json:"deliveries"`
}

type historyIn struct {
	ID     string `uri:"alert" json:"-" form:"-"`
	Cursor int64  `form:"cursor" json:"-"`
	Limit  int    `form:"limit" json:"-"`
}

type firingPage struct {
	Items []pastFiring `json:"items"`
	// Next is the cursor of the next page, 0 on the last one.
	Next int64 `json:"next"`
}

func (s *Service) httpAlertHistory(ctx context.Context, in historyIn) (firingPage, error) {
	out := firingPage{Items: []pastFiring{}}
	row, _, err := s.alertFor(ctx, in.ID, reading)
	if err != nil {
		return out, err
	}
	limit := min(max(cmp.Or(in.Limit, 50), 1), 200)
	list, err := s.rows.firings(ctx, row.ID, in.Cursor, limit+1)
	if err != nil {
		return out, err
	}
	if len(list) > limit {
		list = list[:limit]
		out.Next = list[limit-1].ID
	}
	out.Items, err = s.shapeFirings(ctx, list)
	return out, err
}

func (s *Service) shapeFirings(ctx context.Context, list []firingRow) ([]pastFiring, error) {
	fared, err := s.shapeDeliveries(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make([]pastFiring, len(list))
	for i, f := range list {
		out[i] = pastFiring{ID: f.ID, Subject: f.Subject, At: api.Millis(f.At), EndedAt: api.Millis(f.EndedAt), Value: f.Value, Why: f.Why, URL: f.URL, Test: f.Test, Deliveries: fared[f.ID]}
	}
	return out, nil
}

func (s *Service) httpTestAlert(ctx context.Context, in byAlert) (pastFiring, error) {
	_, a, err := s.alertFor(ctx, in.ID, writing)
	if err != nil {
		return pastFiring{}, err
	}
	f, err := s.TestAlert(ctx, a)
	if err != nil {
		return pastFiring{}, err
	}
	list, err := s.shapeFirings(ctx, []firingRow{f})
	if err != nil {
		return pastFiring{}, err
	}
	return list[0], nil
}

// previewIn is an alert that need not exist yet; what is not about its condition is
// allowed and ignored.
type previewIn struct {
	Team string `json:"team" form:"team"`
	// Days is how far back to look: 1, or 7.
	Days int `json:"days" form:"-"`
	AlertChange
}

func (s *Service) httpPreviewAlert(ctx context.Context, in previewIn) (AlertPreview, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return AlertPreview{}, err
	}
	a := draft(team.ID)
	if err := a.apply(in.AlertChange, s.Now()); err != nil {
		return AlertPreview{}, err
	}
	return s.PreviewAlert(ctx, a, in.Days)
}
