package ci

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type byID struct {
	ID int64 `uri:"id" json:"-"`
}

type byTeam struct {
	Team string `form:"team" json:"-"`
}

// Validate asks for the team: a list of everything the caller may see is not what pages show.
func (in byTeam) Validate() error {
	if in.Team == "" {
		return problem.FieldError("team", "say which team, as ?team=main")
	}
	return nil
}

func (s *Service) pipelineRoutes(r api.Router) {
	r.GET("/pipelines", exposable(), api.Handle(s.httpPipelines))
	r.PUT("/pipelines/config", writing(), api.Handle(s.httpSetPipeline))
	r.POST("/validate", reading(), api.Handle(s.httpValidate))
	r.GET("/pipelines/:id", exposable(), api.Handle(s.httpPipeline))
	r.DELETE("/pipelines/:id", writing(), api.Handle(s.httpDestroy))
	r.GET("/pipelines/:id/graph", exposable(), api.Handle(s.httpGraph))
	r.GET("/pipelines/:id/config", reading(), api.Handle(s.httpConfig))
	r.POST("/pipelines/:id/:action", operating(), api.Handle(s.httpPipelineAction))
}

type pipelineList struct {
	Items []pipelineShape `json:"items"`
}

func (s *Service) httpPipelines(ctx context.Context, in byTeam) (pipelineList, error) {
	rows, err := s.pipelinesOfTeam(ctx, in.Team)
	if err != nil {
		return pipelineList{}, err
	}
	items, err := s.shapePipelines(ctx, rows)
	return pipelineList{items}, err
}

// PipelineNames are those of a team that the caller may see, each once.
func (s *Service) PipelineNames(ctx context.Context, team string) ([]string, error) {
	rows, err := s.pipelinesOfTeam(ctx, team)
	var names []string
	for _, p := range rows {
		if !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names, err
}

func (s *Service) shapeOne(ctx context.Context, id int64) (pipelineShape, error) {
	p, err := s.pipeline(ctx, id)
	if err != nil {
		return pipelineShape{}, err
	}
	items, err := s.shapePipelines(ctx, []pipelineRow{p})
	if err != nil {
		return pipelineShape{}, err
	}
	return items[0], nil
}

func (s *Service) httpPipeline(ctx context.Context, in byID) (pipelineShape, error) {
	if _, err := s.seenPipeline(ctx, in.ID); err != nil {
		return pipelineShape{}, err
	}
	return s.shapeOne(ctx, in.ID)
}

func (s *Service) httpDestroy(ctx context.Context, in byID) (api.Nothing, error) {
	p, err := s.pipelineFor(ctx, in.ID, identity.Write)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.destroy(ctx, p)
}

func (s *Service) httpGraph(ctx context.Context, in byID) (graphShape, error) {
	p, err := s.seenPipeline(ctx, in.ID)
	if err != nil {
		return graphShape{}, err
	}
	return s.graph(ctx, p)
}

type configShape struct {
	YAML    string `json:"yaml"`
	Version int64  `json:"version"`
}

func (s *Service) httpConfig(ctx context.Context, in byID) (configShape, error) {
	p, err := s.pipelineFor(ctx, in.ID, identity.Read)
	if err != nil {
		return configShape{}, err
	}
	return configShape{p.Source, p.Version}, nil
}

type actionIn struct {
	ID     int64  `uri:"id" json:"-"`
	Action string `uri:"action" json:"-"`
}

func (s *Service) httpPipelineAction(ctx context.Context, in actionIn) (pipelineShape, error) {
	level, ok := pipelineActions[in.Action]
	if !ok {
		return pipelineShape{}, problem.New(problem.NotFound, "A pipeline cannot be asked to %s.", in.Action)
	}
	p, err := s.pipelineFor(ctx, in.ID, level)
	if err != nil {
		return pipelineShape{}, err
	}
	if err := s.changePipeline(ctx, p, in.Action); err != nil {
		return pipelineShape{}, err
	}
	return s.shapeOne(ctx, p.ID)
}

type setPipelineIn struct {
	Team         string                `json:"team"`
	Name         string                `json:"name"`
	InstanceVars pipeline.InstanceVars `json:"instance_vars"`
	YAML         string                `json:"yaml"`
	Version      int64                 `json:"version"`
}

type setPipelineOut struct {
	Pipeline pipelineShape      `json:"pipeline"`
	Created  bool               `json:"created"`
	Warnings []pipeline.Warning `json:"warnings"`
}

func (s *Service) httpSetPipeline(ctx context.Context, in setPipelineIn) (setPipelineOut, error) {
	out := setPipelineOut{Warnings: []pipeline.Warning{}}
	team, err := identity.RequireTeam(ctx, in.Team, scope(identity.Write))
	if err != nil {
		return out, err
	}
	warning, bad := pipeline.CheckName(in.Name, "pipeline")
	if bad != "" {
		return out, problem.FieldError("name", "%s", bad)
	}
	if warning != nil {
		out.Warnings = append(out.Warnings, *warning)
	}
	config, messages, warnings := validate([]byte(in.YAML))
	if len(messages) > 0 {
		return out, s.refuseYAML(in.YAML, messages)
	}
	out.Warnings = append(out.Warnings, warnings...)
	from := in.Version
	if from == 0 {
		from = anyVersion
	}
	saved, err := s.setPipeline(ctx, setRequest{Team: team.ID, Name: in.Name, InstanceVars: in.InstanceVars, Config: config, Source: []byte(in.YAML),
		From: from, By: callerName(ctx)})
	if errors.Is(err, errComparison) {
		return out, problem.Wrap(err, problem.Conflict, "Somebody saved another version of this pipeline meanwhile. Load it, and apply your changes to it.")
	}
	if err != nil {
		return out, err
	}
	out.Created = saved.Created
	out.Pipeline, err = s.shapeOne(ctx, saved.Pipeline.ID)
	return out, err
}

// refuseYAML says every mistake with its place.
func (s *Service) refuseYAML(source string, messages []string) error {
	var fields []problem.Field
	for _, d := range pipeline.Diagnose([]byte(source)) {
		if d.Severity == pipeline.SeverityError {
			fields = append(fields, problem.Field{Field: fmt.Sprintf("%d:%d %s", d.Line, d.Column, d.Path), Message: d.Message})
		}
	}
	if len(fields) == 0 {
		for _, m := range messages {
			fields = append(fields, problem.Field{Field: "yaml", Message: m})
		}
	}
	err := problem.New(problem.Invalid, "The configuration has %s; nothing was saved.", countMistakes(len(fields)))
	err.Fields = fields
	return err
}

func countMistakes(n int) string {
	if n == 1 {
		return "a mistake"
	}
	return fmt.Sprintf("%d mistakes", n)
}

type validateIn struct {
	Team string `json:"team"`
	YAML string `json:"yaml"`
}

type validateOut struct {
	Diagnostics []pipeline.Diagnostic `json:"diagnostics"`
}

func (s *Service) httpValidate(_ context.Context, in validateIn) (validateOut, error) {
	found := pipeline.Diagnose([]byte(in.YAML))
	if found == nil {
		found = []pipeline.Diagnostic{}
	}
	return validateOut{found}, nil
}
