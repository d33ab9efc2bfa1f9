package logs

import (
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/logs/record"
)

func (s *Service) lokiPatterns(c *gin.Context, team int64) (any, error) {
	req, err := s.lokiRequest(c, team, argument(c, "query"))
	if err != nil {
		return nil, err
	}
	step := defaultStep(req.From, req.To)
	if asked, ok := lokiStep(argument(c, "step")); ok {
		step = max(asked, req.To.Sub(req.From)/1000, time.Second)
	}
	list, _, err := s.patterns(c.Request.Context(), req, step)
	type found struct {
		Pattern string     `json:"pattern"`
		Samples [][2]int64 `json:"samples"`
	}
	out := []found{}
	for _, p := range list {
		f := found{Pattern: p.Pattern, Samples: [][2]int64{}}
		for i, n := range p.Bars {
			if n > 0 {
				f.Samples = append(f.Samples, [2]int64{req.From.Add(time.Duration(i) * step).Unix(), n})
			}
		}
		out = append(out, f)
	}
	return gin.H{"status": "success", "data": out}, err
}

func (s *Service) lokiDetectedLabels(c *gin.Context, team int64) (any, error) {
	req, err := s.lokiRequest(c, team, argument(c, "query"))
	if err != nil {
		return nil, err
	}
	list, _, err := s.Store.Streams(c.Request.Context(), req)
	values := map[string]map[string]bool{}
	for _, series := range list {
		for _, l := range series.Labels {
			if values[l.Name] == nil {
				values[l.Name] = map[string]bool{}
			}
			values[l.Name][l.Value] = true
		}
	}
	type found struct {
		Label       string `json:"label"`
		Cardinality int    `json:"cardinality"`
	}
	out := []found{}
	for _, name := range sortedKeys(values) {
		out = append(out, found{name, len(values[name])})
	}
	return gin.H{"detectedLabels": out}, err
}

// lokiTypes are Loki's words for kinds of fields.
var lokiTypes = map[record.Kind]string{record.String: "string", record.Number: "float", record.Bool: "boolean", record.JSON: "string"}

func (s *Service) lokiDetectedFields(c *gin.Context, team int64) (any, error) {
	req, err := s.lokiRequest(c, team, argument(c, "query"))
	if err != nil {
		return nil, err
	}
	fields, _, err := s.Store.Fields(c.Request.Context(), req)
	limit, bad := strconv.Atoi(argument(c, "limit"))
	if bad != nil || limit <= 0 {
		limit = 1000
	}
	type found struct {
		Label       string   `json:"label"`
		Type        string   `json:"type"`
		Cardinality int64    `json:"cardinality"`
		Parsers     []string `json:"parsers"`
	}
	out := []found{}
	for _, f := range fields {
		if !f.Label && len(out) < limit {
			out = append(out, found{lokiName(f.Name), lokiTypes[f.Kind], f.Lines, nil})
		}
	}
	return gin.H{"fields": out, "limit": limit}, err
}
