package logs

import (
	"context"

	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) searchRoutes(r api.Router) {
	read := api.Scoped("logs", identity.Read)
	r.POST("/search", read, api.Handle(s.Find))
	r.POST("/histogram", read, api.Handle(s.httpHistogram))
	r.POST("/names", read, api.Handle(s.httpNames))
	r.POST("/values", read, api.Handle(s.httpValues))
	r.POST("/field", read, api.Handle(s.httpField))
	r.POST("/patterns", read, api.Handle(s.httpPatterns))
	r.GET("/around", read, api.Handle(s.httpAround))
}

type histogramIn struct {
	Search
	// Bars is how many are wanted at most, 100 if 0.
	Bars int `json:"bars,omitempty" form:"-"`
}

func (s *Service) httpHistogram(ctx context.Context, in histogramIn) (Histogram, error) {
	return s.Count(ctx, in.Search, in.Bars)
}

type namesOut struct {
	Names []nameOut `json:"names"`
	Stats Cost      `json:"stats"`
}

type nameOut struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Lines int64  `json:"lines"`
	Label bool   `json:"label"`
}

func (s *Service) httpNames(ctx context.Context, in Search) (namesOut, error) {
	fields, stats, err := s.Names(ctx, in)
	out := namesOut{Names: make([]nameOut, 0, len(fields)), Stats: stats}
	for _, f := range fields {
		out.Names = append(out.Names, nameOut{f.Name, kindNames[f.Kind], f.Lines, f.Label})
	}
	return out, err
}

type valuesIn struct {
	Search
	Names []string `json:"names" form:"-"`
	Top   int      `json:"top,omitempty" form:"-"`
}

type valuesOut struct {
	Facets []store.Facet `json:"facets"`
	Stats  Cost          `json:"stats"`
}

func (s *Service) httpValues(ctx context.Context, in valuesIn) (valuesOut, error) {
	facets, stats, err := s.Values(ctx, in.Search, in.Names, in.Top)
	return valuesOut{facets, stats}, err
}

type fieldIn struct {
	Search
	Name string `json:"name" form:"-"`
}

type fieldOut struct {
	Facet
	Stats Cost `json:"stats"`
}

func (s *Service) httpField(ctx context.Context, in fieldIn) (fieldOut, error) {
	facet, stats, err := s.FieldStats(ctx, in.Search, in.Name)
	return fieldOut{facet, stats}, err
}

type aroundIn struct {
	Team   string `form:"team"`
	ID     string `form:"id"`
	Before int    `form:"before"`
	After  int    `form:"after"`
}

func (s *Service) httpAround(ctx context.Context, in aroundIn) (Context, error) {
	if in.Before == 0 && in.After == 0 {
		in.Before, in.After = 20, 20
	}
	return s.Around(ctx, in.Team, in.ID, in.Before, in.After)
}

type patternsOut struct {
	StepMS   int64          `json:"step_ms"`
	Patterns []PatternCount `json:"patterns"`
	Stats    Cost           `json:"stats"`
}

func (s *Service) httpPatterns(ctx context.Context, in histogramIn) (patternsOut, error) {
	q, err := s.ask(ctx, in.Search)
	if err != nil {
		return patternsOut{}, err
	}
	if in.Bars <= 0 || in.Bars > 200 {
		in.Bars = 40
	}
	step := stepFor(q.To.Sub(q.From), in.Bars)
	list, stats, err := s.patterns(ctx, q.Request, step)
	if list == nil {
		list = []PatternCount{}
	}
	return patternsOut{step.Milliseconds(), list, cost(stats)}, err
}
