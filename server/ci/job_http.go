package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) jobRoutes(r api.Router) {
	r.GET("/jobs/:id", exposable(), api.Handle(s.httpJob))
	r.GET("/jobs/:id/builds", exposable(), api.Handle(s.httpJobBuilds))
	r.POST("/jobs/:id/builds", operating(), api.Handle(s.httpTrigger))
	r.POST("/jobs/:id/trigger", operating(), api.Handle(s.httpTrigger))
	r.POST("/jobs/:id/pause", operating(), api.Handle(s.httpPauseJob(true)))
	r.POST("/jobs/:id/unpause", operating(), api.Handle(s.httpPauseJob(false)))
}

func (s *Service) httpJob(ctx context.Context, in byID) (jobShape, error) {
	j, err := s.seenJob(ctx, in.ID)
	if err != nil {
		return jobShape{}, err
	}
	p, config, err := s.pipelineConfig(ctx, j.PipelineID)
	if err != nil {
		return jobShape{}, err
	}
	shown, err := s.shapeJobs(ctx, p, config, []jobRow{j})
	if err != nil {
		return jobShape{}, err
	}
	return shown[0], nil
}

func (s *Service) httpPauseJob(paused bool) func(context.Context, byID) (jobShape, error) {
	return func(ctx context.Context, in byID) (jobShape, error) {
		j, err := s.jobFor(ctx, in.ID, identity.Operate)
		if err != nil {
			return jobShape{}, err
		}
		if err := s.pauseJob(ctx, j, paused); err != nil {
			return jobShape{}, err
		}
		return s.httpJob(ctx, in)
	}
}

type triggerIn struct {
	ID int64 `uri:"id" json:"-"`
	// Inputs are values for the typed inputs of the job, by name.
	Inputs map[string]any `json:"inputs" form:"-"`
}

func (s *Service) httpTrigger(ctx context.Context, in triggerIn) (api.Created[buildShape], error) {
	j, err := s.jobFor(ctx, in.ID, identity.Operate)
	if err != nil {
		return api.Created[buildShape]{}, err
	}
	b, err := s.trigger(ctx, j, in.Inputs)
	if err != nil {
		return api.Created[buildShape]{}, err
	}
	return s.createdBuild(ctx, b)
}

func (s *Service) createdBuild(ctx context.Context, b buildRow) (api.Created[buildShape], error) {
	shown, err := s.shapeBuild(ctx, b)
	return api.Created[buildShape]{Value: shown, Location: "/api/v1/ci/builds/" + formatInt(b.ID)}, err
}

type pageIn struct {
	ID     int64  `uri:"id" json:"-"`
	Team   string `form:"team" json:"-"`
	Before int64  `form:"before" json:"-"`
	Limit  int    `form:"limit" json:"-"`
}

// Validate bounds the page.
func (in *pageIn) Validate() error {
	if in.Limit == 0 {
		in.Limit = 50
	}
	if in.Limit < 1 || in.Limit > 200 {
		return problem.FieldError("limit", "is not between 1 and 200")
	}
	return nil
}

type buildPage struct {
	Items []buildItem `json:"items"`
	More  bool        `json:"more"`
}

func (s *Service) httpJobBuilds(ctx context.Context, in pageIn) (buildPage, error) {
	j, err := s.seenJob(ctx, in.ID)
	if err != nil {
		return buildPage{}, err
	}
	return s.buildPageOf(ctx, buildFilter{Job: j.ID, Below: in.Before, Limit: in.Limit})
}

// buildPageOf reads one row more than it shows, to know whether there are more.
func (s *Service) buildPageOf(ctx context.Context, f buildFilter) (buildPage, error) {
	limit := f.Limit
	f.Limit++
	rows, err := s.builds(ctx, f)
	if err != nil {
		return buildPage{}, err
	}
	out := buildPage{Items: []buildItem{}, More: len(rows) > limit}
	n := s.names()
	for _, b := range rows[:min(limit, len(rows))] {
		item, err := n.item(ctx, b)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}
