package assistant

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) ownRoutes(r api.Router) {
	r.POST("/ask", api.Scoped("assistant", identity.Read), api.Handle(s.httpAsk))
	r.GET("/runs", api.Scoped("assistant", identity.Read), api.Handle(s.httpRuns))
	r.GET("/runs/:id", api.Scoped("assistant", identity.Read), api.Handle(s.httpRun))
	r.POST("/runs/:id/feedback", api.Scoped("assistant", identity.Read), api.Handle(s.httpFeedback))
	r.GET("/settings", api.Scoped("assistant", identity.Read), api.Handle(s.httpSettings))
	r.PUT("/settings", api.Scoped("assistant", identity.Admin), api.Handle(s.httpSaveSettings))
	r.GET("/me", api.SignedIn(), api.Handle(s.httpMe))
	r.PUT("/me", api.SignedIn(), api.Handle(s.httpSaveMe))
	s.approvalRoutes(r)
	s.replayRoutes(r)
}

type askIn struct {
	Team       string `json:"team"`
	Question   string `json:"question"`
	Zone       string `json:"zone,omitempty"`
	Repository string `json:"repository,omitempty"`
	Thread     string `json:"thread,omitempty"`
	Surface    string `json:"surface,omitempty"`
	// Page is what the asker looks at.
	Page Page `json:"page,omitzero"`
	// Follow gives the run at once instead of its answer; it ends by itself.
	Follow bool `json:"follow,omitempty"`
}

// longestQuestion is refused beyond, in bytes; what is longer is no question.
const longestQuestion = 8000

// Validate bounds the question.
func (in *askIn) Validate() error {
	if len(in.Question) > longestQuestion {
		return problem.FieldError("question", "is longer than %d characters; ask about one thing at a time", longestQuestion)
	}
	switch in.Surface {
	case "":
		in.Surface = "api"
	case "api", "web", "cli":
	default:
		return problem.FieldError("surface", "is none of api, web and cli")
	}
	return in.Page.validate()
}

func (s *Service) httpAsk(ctx context.Context, in askIn) (Run, error) {
	q := Question{Team: in.Team, Text: in.Question, Zone: in.Zone, Repository: in.Repository, Thread: in.Thread, Surface: in.Surface, Page: in.Page}
	if in.Follow {
		return s.Begin(ctx, q)
	}
	return s.Ask(ctx, q)
}

type runsIn struct {
	Team   string    `form:"team" json:"-"`
	All    bool      `form:"all" json:"-"`
	Status string    `form:"status" json:"-"`
	Show   Show      `form:"show" json:"-"`
	Before time.Time `form:"before" json:"-" time_format:"2006-01-02T15:04:05.999999999Z07:00"`
}

// Show is a part of the runs that somebody wants to look at.
type Show string

// shownWhere are the parts: what did not work, what looked nothing up, what somebody should look at, what took
// longer than ten seconds or cost more than five cents, and what did not help.
var shownWhere = map[Show]string{
	"failed":    "status IN ('failed', 'interrupted')",
	"untouched": "calls = 0 AND status = 'answered'",
	"flagged":   "flagged",
	"slow":      "millis > 10000",
	"dear":      "cost > 50000",
	"down":      "feedback < 0",
}

// Validate knows the parts.
func (in *runsIn) Validate() error {
	if _, known := shownWhere[in.Show]; !known && in.Show != "" {
		return problem.FieldError("show", "is none of failed, untouched, flagged, slow, dear and down")
	}
	return nil
}

type runsOut struct {
	Items []Run `json:"items"`
	More  bool  `json:"more"`
}

const runsPage = 50

// httpRuns lists the caller's runs; an owner may see everybody's.
func (s *Service) httpRuns(ctx context.Context, in runsIn) (runsOut, error) {
	out := runsOut{Items: []Run{}}
	team, err := identity.RequireTeam(ctx, in.Team, asking)
	if err != nil {
		return out, err
	}
	user := identity.From(ctx).UserID
	if in.All {
		if err := identity.Require(ctx, team.ID, identity.Scope{Capability: "assistant", Level: identity.Admin}); err != nil {
			return out, err
		}
		user = 0
	}
	before := int64(0)
	if !in.Before.IsZero() {
		before = in.Before.UnixMilli()
	}
	list, err := s.store.runs(ctx, team.ID, user, before, in.Status, in.Show, runsPage+1)
	if err != nil {
		return out, err
	}
	out.More = len(list) > runsPage
	for _, row := range list[:min(len(list), runsPage)] {
		run, err := shape(row)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, run)
	}
	return out, nil
}

type runIn struct {
	ID string `uri:"id" json:"-"`
}

// mayRead gives a run to who asked it, and to owners of its team.
func (s *Service) mayRead(ctx context.Context, id string) (runRow, error) {
	caller := identity.From(ctx)
	row, err := s.store.run(ctx, id, caller.TeamIDs(asking))
	if err == nil && row.UserID != caller.UserID && !caller.Can(row.TeamID, identity.Scope{Capability: "assistant", Level: identity.Admin}) {
		err = problem.New(problem.NotFound, "There is no such run, or it is not yours to see.")
	}
	return row, err
}

func (s *Service) httpRun(ctx context.Context, in runIn) (Run, error) {
	row, err := s.mayRead(ctx, in.ID)
	if err != nil {
		return Run{}, err
	}
	run, err := shape(row)
	if err != nil {
		return run, err
	}
	if row.Status == Running {
		run.Steps, run.Turns = s.soFar(in.ID)
		return run, nil
	}
	steps, err := s.store.steps(ctx, in.ID)
	for _, st := range steps {
		run.Steps = append(run.Steps, Step{Number: st.Number, Kind: st.Kind, Tool: st.Tool, Args: []byte(st.Args), Result: st.Result, Bytes: st.Bytes, Failed: st.Failed, Began: st.Began, Millis: st.Millis})
	}
	if err == nil {
		run.Approvals, err = s.ApprovalsOf(ctx, in.ID)
	}
	return run, err
}

type feedbackIn struct {
	ID       string `uri:"id" json:"-"`
	Feedback int    `json:"feedback"`
}

func (s *Service) httpFeedback(ctx context.Context, in feedbackIn) (api.Nothing, error) {
	if in.Feedback < -1 || in.Feedback > 1 {
		return api.Nothing{}, problem.FieldError("feedback", "is not -1, 0 or 1")
	}
	row, err := s.mayRead(ctx, in.ID)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.store.setFeedback(ctx, row.ID, int64(in.Feedback))
}

type teamIn struct {
	Team string `form:"team" json:"-"`
}

// settingsOut are the settings, with what could be added.
type settingsOut struct {
	Settings
	// Reachable are repositories that the team's connections reach; Problem says why they are not known.
	Reachable []string `json:"reachable"`
	Problem   string   `json:"problem,omitempty"`
}

func (s *Service) httpSettings(ctx context.Context, in teamIn) (settingsOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, asking)
	if err != nil {
		return settingsOut{}, err
	}
	out := settingsOut{Reachable: []string{}}
	if out.Settings, err = s.settings(ctx, team.ID); err != nil {
		return out, err
	}
	list, err := s.GitHub.Repositories(ctx, team.ID)
	if err != nil {
		out.Problem = problem.From(err).Detail
		return out, nil
	}
	out.Reachable = append(out.Reachable, list...)
	return out, nil
}

// saveSettingsIn changes what it names; what it leaves out stays.
type saveSettingsIn struct {
	Team              string    `json:"team"`
	Repositories      []string  `json:"repositories"`
	DefaultRepository string    `json:"default_repository"`
	Writes            Writes    `json:"writes,omitempty"`
	FourEyes          *bool     `json:"four_eyes,omitempty"`
	LinkHosts         *[]string `json:"link_hosts,omitempty"`
	Budgets           *Budgets  `json:"budgets,omitempty"`
}

func (s *Service) httpSaveSettings(ctx context.Context, in saveSettingsIn) (Settings, error) {
	team, err := identity.RequireTeam(ctx, in.Team, identity.Scope{Capability: "assistant", Level: identity.Admin})
	if err != nil {
		return Settings{}, err
	}
	next, err := s.settings(ctx, team.ID)
	if err != nil {
		return Settings{}, err
	}
	next.Repositories, next.DefaultRepository = in.Repositories, in.DefaultRepository
	if in.Writes != "" {
		next.Writes = in.Writes
	}
	if in.FourEyes != nil {
		next.FourEyes = *in.FourEyes
	}
	if in.LinkHosts != nil {
		next.LinkHosts = *in.LinkHosts
	}
	if in.Budgets != nil {
		next.Budgets = *in.Budgets
	}
	return s.SaveSettings(ctx, team, next)
}

// me is who the caller is elsewhere.
type me struct {
	GitHub string `json:"github"`
}

func (s *Service) httpMe(ctx context.Context, _ struct{}) (me, error) {
	name, err := s.store.link(ctx, identity.From(ctx).UserID, "github")
	return me{name}, err
}

func (s *Service) httpSaveMe(ctx context.Context, in me) (me, error) {
	if in.GitHub != "" && !loginForm.MatchString(in.GitHub) {
		return me{}, problem.FieldError("github", "%.60q is no name that GitHub gives", in.GitHub)
	}
	return in, s.store.setLink(ctx, identity.From(ctx).UserID, "github", in.GitHub)
}
