package ci

import (
	"context"
	"slices"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// RegisterTools adds what machines may do with pipelines and builds.
func (s *Service) RegisterTools(r *tools.Registry) error {
	if err := r.Register(slices.Concat(s.approvalTools(), s.artifactTools(), s.outcomeTools(), s.resourceTools())...); err != nil {
		return err
	}
	return r.Register(
		tools.New(tools.Spec{Name: "ci_pipelines_list", Title: "List pipelines", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Pipelines of a team with the status of their jobs' latest builds, their last builds and the last commit."}, s.toolPipelines),
		tools.New(tools.Spec{Name: "ci_builds_list", Title: "List builds", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Builds of a team, newest first; of one pipeline or job when named."}, s.toolBuilds),
		tools.New(tools.Spec{Name: "ci_build_get", Title: "Read a build", Class: tools.ReadOnly, Level: identity.Read,
			Description: "One build: status, cause, inputs with commits, why it waits, and for a failed one the step, its exit status and its last lines."}, s.toolBuild),
		tools.New(tools.Spec{Name: "ci_build_log", Title: "Read a build's log", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Lines of a build's log. Negative from counts from the end, so from -100 gives the last hundred; query searches the whole log instead."}, s.toolLog),
		tools.New(tools.Spec{Name: "ci_job_trigger", Title: "Start a build", Class: tools.Write, Level: identity.Operate,
			Description: "Starts a build of a job by hand, with the latest versions of its inputs."}, s.toolTrigger),
		tools.New(tools.Spec{Name: "ci_build_abort", Title: "Stop a build", Class: tools.Destructive, Level: identity.Operate,
			Description: "Stops a build that waits or runs. What it did so far stays done."}, s.toolAbort),
		tools.New(tools.Spec{Name: "ci_build_rerun", Title: "Run a build again", Class: tools.Write, Level: identity.Operate,
			Description: "Runs a build again with exactly the same inputs."}, s.toolRerun),
		tools.New(tools.Spec{Name: "ci_resource_check", Title: "Check a resource", Class: tools.Write, Level: identity.Operate,
			Description: "Looks for new versions of a resource now instead of at its interval."}, s.toolCheck),
	)
}

type toolTeam struct {
	Team string `json:"team"`
}

type toolPipeline struct {
	ID       int64        `json:"id"`
	Name     string       `json:"name"`
	Paused   bool         `json:"paused"`
	Status   Status       `json:"status"`
	Running  int          `json:"running"`
	Last     *changeShape `json:"last_change,omitempty"`
	Archived bool         `json:"archived"`
}

type toolPipelines struct {
	Pipelines []toolPipeline `json:"pipelines"`
}

func (s *Service) toolPipelines(ctx context.Context, in toolTeam) (toolPipelines, error) {
	out := toolPipelines{Pipelines: []toolPipeline{}}
	list, err := s.httpPipelines(ctx, byTeam(in))
	for _, p := range list.Items {
		out.Pipelines = append(out.Pipelines, toolPipeline{p.ID, p.Name, p.Paused, p.Status, p.Running, p.LastChange, p.Archived})
	}
	return out, err
}

type toolBuildsIn struct {
	Team     string `json:"team"`
	Pipeline string `json:"pipeline,omitempty"`
	Job      string `json:"job,omitempty"`
	Limit    int    `json:"limit,omitempty"`
}

func (s *Service) toolBuilds(ctx context.Context, in toolBuildsIn) (buildPage, error) {
	team, err := identity.RequireTeam(ctx, in.Team, scope(identity.Read))
	if err != nil {
		return buildPage{}, err
	}
	f := buildFilter{Teams: []int64{team.ID}, Limit: min(orDefault(in.Limit, 20), 100)}
	if in.Pipeline != "" {
		p, err := s.pipelineByName(ctx, team.ID, in.Pipeline, "")
		if err != nil {
			return buildPage{}, err
		}
		f.Pipeline = p.ID
		if in.Job != "" {
			j, err := s.jobByName(ctx, p.ID, in.Job)
			if err != nil {
				return buildPage{}, err
			}
			f.Job = j.ID
		}
	}
	return s.buildPageOf(ctx, f)
}

type toolBuildIn struct {
	Build int64 `json:"build"`
}

type toolBuild struct {
	buildItem
	Inputs  []usedShape `json:"inputs"`
	Outputs []usedShape `json:"outputs"`
	Waiting []string    `json:"waiting"`
	Failure *failure    `json:"failure,omitempty"`
}

func (s *Service) toolBuild(ctx context.Context, in toolBuildIn) (toolBuild, error) {
	b, err := s.httpBuild(ctx, byID{in.Build})
	return toolBuild{b.buildItem, b.Inputs, b.Outputs, b.Waiting, b.Failure}, err
}

type toolLogIn struct {
	Build int64  `json:"build"`
	From  int64  `json:"from,omitempty"`
	Limit int    `json:"limit,omitempty"`
	Query string `json:"query,omitempty"`
	Regex bool   `json:"regex,omitempty"`
}

type toolLogOut struct {
	Lines []toolLine `json:"lines"`
	Total int64      `json:"total"`
}

type toolLine struct {
	N    int64  `json:"n"`
	Step string `json:"step"`
	Text string `json:"text"`
}

func (s *Service) toolLog(ctx context.Context, in toolLogIn) (toolLogOut, error) {
	out := toolLogOut{Lines: []toolLine{}}
	limit := min(orDefault(in.Limit, 100), 500)
	if in.Query != "" {
		found, err := s.httpLogSearch(ctx, searchIn{ID: in.Build, Q: in.Query, Regex: in.Regex, Limit: limit})
		for _, m := range found.Matches {
			out.Lines = append(out.Lines, toolLine{m.N, m.Step, m.Text})
		}
		out.Total = found.Total
		return out, err
	}
	b, err := s.buildFor(ctx, in.Build, identity.Read)
	if err != nil {
		return out, err
	}
	if err := s.atHome(ctx, b); err != nil {
		return out, err
	}
	err = s.withLog(b.ID, func(l *buildlog.Log) error {
		page, err := pageOfLog(l, orDefault(in.From, -int64(limit)), limit, b.Status.Ended())
		for _, line := range page.Lines {
			out.Lines = append(out.Lines, toolLine{line.N, line.Step, line.Text})
		}
		out.Total = page.Total
		return err
	})
	return out, err
}

type toolTriggerIn struct {
	Team     string `json:"team"`
	Pipeline string `json:"pipeline"`
	Job      string `json:"job"`
	// Inputs are values for the job's typed inputs; ci_job_get lists them.
	Inputs map[string]any `json:"inputs,omitempty"`
}

func (s *Service) toolTrigger(ctx context.Context, in toolTriggerIn) (buildItem, error) {
	team, err := identity.RequireTeam(ctx, in.Team, scope(identity.Operate))
	if err != nil {
		return buildItem{}, err
	}
	p, err := s.pipelineByName(ctx, team.ID, in.Pipeline, "")
	if err != nil {
		return buildItem{}, err
	}
	j, err := s.jobByName(ctx, p.ID, in.Job)
	if err != nil {
		return buildItem{}, err
	}
	b, err := s.trigger(ctx, j, in.Inputs)
	if err != nil {
		return buildItem{}, err
	}
	return s.names().item(ctx, b)
}

func (s *Service) toolAbort(ctx context.Context, in toolBuildIn) (buildItem, error) {
	b, err := s.httpAbort(ctx, byID{in.Build})
	return b.buildItem, err
}

func (s *Service) toolRerun(ctx context.Context, in toolBuildIn) (buildItem, error) {
	b, err := s.httpRerun(ctx, byID{in.Build})
	return b.Value.buildItem, err
}

type toolCheckIn struct {
	Team     string `json:"team"`
	Pipeline string `json:"pipeline"`
	Resource string `json:"resource"`
}

func (s *Service) toolCheck(ctx context.Context, in toolCheckIn) (buildItem, error) {
	team, err := identity.RequireTeam(ctx, in.Team, scope(identity.Operate))
	if err != nil {
		return buildItem{}, err
	}
	p, err := s.pipelineByName(ctx, team.ID, in.Pipeline, "")
	if err != nil {
		return buildItem{}, err
	}
	r, err := s.resourceByName(ctx, p.ID, in.Resource)
	if problem.Is(err, problem.NotFound) {
		return buildItem{}, problem.New(problem.NotFound, "Pipeline %s has no resource %s.", in.Pipeline, in.Resource)
	}
	if err != nil {
		return buildItem{}, err
	}
	b, err := s.startCheck(ctx, r, nil, true, "Check asked for by "+orSomebody(callerName(ctx)))
	if err != nil {
		return buildItem{}, err
	}
	return s.names().item(ctx, b)
}
