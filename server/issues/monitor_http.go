package issues

import (
	"cmp"
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) monitorRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.GET("/monitors", read, api.Handle(s.httpMonitors))
	r.GET("/monitors/:id", read, api.Handle(s.httpMonitor))
	r.PATCH("/monitors/:id", write, api.Handle(s.httpMuteMonitor))
	r.DELETE("/monitors/:id", write, api.Handle(s.httpDeleteMonitor))
	r.GET("/monitors/:id/check-ins", read, api.Handle(s.httpCheckIns))
}

type monitorShape struct {
	ID      int64      `json:"id"`
	Slug    string     `json:"slug"`
	Project projectRef `json:"project"`
	// Schedule is for people; Crontab is "" when it is an interval or there is none.
	Schedule     string              `json:"schedule"`
	Crontab      string              `json:"crontab"`
	Timezone     string              `json:"timezone"`
	Margin       int64               `json:"margin_seconds"`
	MaxRuntime   int64               `json:"max_runtime_seconds"`
	Muted        bool                `json:"muted"`
	Environments []monitorStateShape `json:"environments"`
}

type monitorStateShape struct {
	Environment string     `json:"environment"`
	Status      string     `json:"status"`
	Failures    int64      `json:"failures"`
	LastAt      api.Millis `json:"last_at,omitzero"`
	NextAt      api.Millis `json:"next_at,omitzero"`
	FailingAt   api.Millis `json:"failing_at,omitzero"`
	// Recent are the latest check-ins, oldest first.
	Recent []checkInShape `json:"recent"`
}

type checkInShape struct {
	ID          int64  `json:"id"`
	Environment string `json:"environment"`
	Status      string `json:"status"`
	Late        bool   `json:"late"`
	// DurationMS is -1 when unknown.
	DurationMS int64      `json:"duration_ms"`
	Release    string     `json:"release"`
	ExpectedAt api.Millis `json:"expected_at,omitzero"`
	StartedAt  api.Millis `json:"started_at"`
	EndedAt    api.Millis `json:"ended_at,omitzero"`
}

func shapeCheckIn(c checkInRow) checkInShape {
	return checkInShape{c.ID, c.Environment, c.Status, c.Late, c.Duration, c.Release, api.Millis(c.ExpectedAt), api.Millis(c.StartedAt), api.Millis(c.EndedAt)}
}

// shownCheckIns is how many a line of the list shows.
const shownCheckIns = 30

func (s *Service) shapeMonitors(ctx context.Context, team int64, list []monitorRow) ([]monitorShape, error) {
	slugs, err := s.rows().projectSlugs(ctx, team)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(list))
	for i, m := range list {
		ids[i] = m.ID
	}
	states, err := s.rows().statesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]monitorShape, len(list))
	for i, m := range list {
		out[i] = monitorShape{ID: m.ID, Slug: m.Slug, Project: projectRef{m.ProjectID, slugs[m.ProjectID]}, Schedule: m.words(), Crontab: m.Crontab, Timezone: m.Timezone,
			Margin: m.Margin, MaxRuntime: m.MaxRuntime, Muted: m.Muted, Environments: []monitorStateShape{}}
		for _, st := range states[m.ID] {
			shape := monitorStateShape{st.Environment, st.Status, st.Failures, api.Millis(st.LastAt), api.Millis(st.NextAt), api.Millis(st.FailingAt), []checkInShape{}}
			recent, err := s.rows().checkIns(ctx, m.ID, st.Environment, 0, shownCheckIns)
			if err != nil {
				return nil, err
			}
			for j := len(recent) - 1; j >= 0; j-- {
				shape.Recent = append(shape.Recent, shapeCheckIn(recent[j]))
			}
			out[i].Environments = append(out[i].Environments, shape)
		}
	}
	return out, nil
}

type byProject struct {
	Team    string `form:"team" json:"-"`
	Project string `form:"project" json:"-"`
}

// resolve finds the team and, when it is named, the project's id.
func (in byProject) resolve(ctx context.Context, s *Service) (team identity.Team, project int64, err error) {
	if in.Team == "" {
		return team, 0, problem.FieldError("team", "say which team, as ?team=main")
	}
	if team, err = identity.RequireTeam(ctx, in.Team, reading); err != nil || in.Project == "" {
		return team, 0, err
	}
	p, err := s.projectBySlug(ctx, team.ID, in.Project)
	return team, p.ID, err
}

type monitorList struct {
	Items []monitorShape `json:"items"`
}

func (s *Service) httpMonitors(ctx context.Context, in byProject) (monitorList, error) {
	team, project, err := in.resolve(ctx, s)
	if err != nil {
		return monitorList{}, err
	}
	list, err := s.rows().listMonitors(ctx, team.ID, project)
	if err != nil {
		return monitorList{}, err
	}
	items, err := s.shapeMonitors(ctx, team.ID, list[:min(len(list), 500)])
	return monitorList{items}, err
}

func (s *Service) monitorOf(ctx context.Context, id int64, scope identity.Scope) (monitorRow, error) {
	m, err := s.rows().monitorByID(ctx, id)
	if err == nil {
		err = identity.Require(ctx, m.TeamID, scope)
	}
	return m, err
}

func (s *Service) httpMonitor(ctx context.Context, in byIssue) (monitorShape, error) {
	m, err := s.monitorOf(ctx, in.ID, reading)
	if err != nil {
		return monitorShape{}, err
	}
	list, err := s.shapeMonitors(ctx, m.TeamID, []monitorRow{m})
	if err != nil {
		return monitorShape{}, err
	}
	return list[0], nil
}

type muteIn struct {
	ID    int64 `uri:"id" json:"-" form:"-"`
	Muted *bool `json:"muted" form:"-"`
}

func (s *Service) httpMuteMonitor(ctx context.Context, in muteIn) (monitorShape, error) {
	m, err := s.monitorOf(ctx, in.ID, writing)
	if err != nil {
		return monitorShape{}, err
	}
	set(&m.Muted, in.Muted)
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.rows().saveMonitor(ctx, m); err != nil {
			return err
		}
		return s.audit(ctx, m.TeamID, "issues.monitor.change", m.Slug, "")
	})
	if err != nil {
		return monitorShape{}, err
	}
	return s.httpMonitor(ctx, byIssue{in.ID})
}

func (s *Service) httpDeleteMonitor(ctx context.Context, in byIssue) (api.Nothing, error) {
	m, err := s.monitorOf(ctx, in.ID, writing)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.rows().removeMonitor(ctx, m.ID); err != nil {
			return err
		}
		return s.audit(ctx, m.TeamID, "issues.monitor.delete", m.Slug, "")
	})
}

type checkInsIn struct {
	ID          int64  `uri:"id" json:"-" form:"-"`
	Environment string `form:"environment" json:"-"`
	Cursor      int64  `form:"cursor" json:"-"`
	Limit       int    `form:"limit" json:"-"`
}

type checkInPage struct {
	CheckIns []checkInShape `json:"check_ins"`
	// Next is the cursor of the following page; 0 on the last.
	Next int64 `json:"next"`
}

func (s *Service) httpCheckIns(ctx context.Context, in checkInsIn) (checkInPage, error) {
	out := checkInPage{CheckIns: []checkInShape{}}
	m, err := s.monitorOf(ctx, in.ID, reading)
	if err != nil {
		return out, err
	}
	limit := min(max(cmp.Or(in.Limit, 50), 1), 500)
	list, err := s.rows().checkIns(ctx, m.ID, in.Environment, in.Cursor, limit+1)
	if len(list) > limit {
		list = list[:limit]
		out.Next = list[limit-1].ID
	}
	for _, c := range list {
		out.CheckIns = append(out.CheckIns, shapeCheckIn(c))
	}
	return out, err
}
