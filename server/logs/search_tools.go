package logs

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// RegisterTools adds what machines may do with log lines.
func (s *Service) RegisterTools(r *tools.Registry) error {
	const language = "query takes words, \"phrases\", field:value (service:api, level:>=warn, status:[500..599], trace_id:…), /regex/, -not and or; " +
		"pipes behind | count: stats count() by (service), top 10 host, sort, limit, fields. Times are RFC 3339; without them it is the last hour."
	return r.Register(
		tools.New(tools.Spec{Name: "logs_line_search", Title: "Search log lines", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Log lines of a team, newest first, or the table that the query's pipes make. " + language}, s.toolSearch),
		tools.New(tools.Spec{Name: "logs_line_count", Title: "Count log lines over time", Class: tools.ReadOnly, Level: identity.Read,
			Description: "How many lines meet a query, in steps of time and by level. " + language}, s.toolCount),
		tools.New(tools.Spec{Name: "logs_pattern_list", Title: "List patterns of log lines", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Messages that are alike, as patterns with <*> where they differ, the most frequent first. " + language}, s.toolPatterns),
		tools.New(tools.Spec{Name: "logs_field_list", Title: "List fields of log lines", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Names of labels and fields in a range, with how many lines have each; with name also its most frequent values. " + language}, s.toolFields),
		tools.New(tools.Spec{Name: "logs_line_context", Title: "Read around a log line", Class: tools.ReadOnly, Level: identity.Read,
			Description: "The lines of the same stream before and after one, by the id that a search gave."}, s.toolContext),
	)
}

type toolSearchIn struct {
	Team  string    `json:"team"`
	Query string    `json:"query,omitempty"`
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"`
	Limit int       `json:"limit,omitempty"`
}

// toolLines is how many lines a machine gets that names no limit.
const toolLines = 50

func (in toolSearchIn) search() Search {
	s := Search{Team: in.Team, Query: in.Query, From: in.From, To: in.To, Limit: in.Limit}
	if s.Limit == 0 {
		s.Limit = toolLines
	}
	return s
}

func (s *Service) toolSearch(ctx context.Context, in toolSearchIn) (Found, error) {
	return s.Find(ctx, in.search())
}

func (s *Service) toolCount(ctx context.Context, in toolSearchIn) (Histogram, error) {
	return s.Count(ctx, in.search(), 30)
}

// toolPattern is a pattern without its course, which a model has no use for.
type toolPattern struct {
	Pattern string `json:"pattern"`
	Count   int64  `json:"count"`
	Sample  string `json:"sample"`
}

type toolPatternsOut struct {
	Patterns []toolPattern `json:"patterns"`
	Stats    Cost          `json:"stats"`
}

func (s *Service) toolPatterns(ctx context.Context, in toolSearchIn) (toolPatternsOut, error) {
	q, err := s.ask(ctx, in.search())
	if err != nil {
		return toolPatternsOut{}, err
	}
	list, stats, err := s.patterns(ctx, q.Request, q.To.Sub(q.From))
	out := toolPatternsOut{Patterns: []toolPattern{}, Stats: cost(stats)}
	for _, p := range list[:min(len(list), toolLines)] {
		out.Patterns = append(out.Patterns, toolPattern{p.Pattern, p.Count, p.Sample})
	}
	return out, err
}

type toolFieldsIn struct {
	toolSearchIn
	// Name asks for one field's values.
	Name string `json:"name,omitempty"`
}

type toolFieldsOut struct {
	Names  []nameOut     `json:"names"`
	Values []store.Count `json:"values,omitempty"`
}

func (s *Service) toolFields(ctx context.Context, in toolFieldsIn) (toolFieldsOut, error) {
	if in.Name != "" {
		facets, _, err := s.Values(ctx, in.search(), []string{in.Name}, toolLines)
		if err != nil || len(facets) == 0 {
			return toolFieldsOut{Names: []nameOut{}}, err
		}
		return toolFieldsOut{Names: []nameOut{{Name: in.Name, Lines: facets[0].Lines}}, Values: facets[0].Values}, nil
	}
	out, err := s.httpNames(ctx, in.search())
	return toolFieldsOut{Names: out.Names}, err
}

type toolContextIn struct {
	Team   string `json:"team"`
	ID     string `json:"id"`
	Before int    `json:"before,omitempty"`
	After  int    `json:"after,omitempty"`
}

func (s *Service) toolContext(ctx context.Context, in toolContextIn) (Context, error) {
	if in.Before == 0 && in.After == 0 {
		in.Before, in.After = 10, 10
	}
	return s.Around(ctx, in.Team, in.ID, in.Before, in.After)
}
