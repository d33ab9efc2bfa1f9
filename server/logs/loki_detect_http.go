package logs

import (
	"maps"
	"slices"
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

// detectLines is how many of the newest lines are looked at for their fields, unless
// the caller says otherwise; Loki, too, looks at a sample.
const (
	detectLines = 1000
	detectMost  = 5000
	detectNames = 1000
)

// detectFields collects the fields of the newest lines that a query finds, with their values.
func (s *Service) detectFields(c *gin.Context, team int64) (kinds map[string]record.Kind, values map[string]map[string]bool, err error) {
	req, err := s.lokiRequest(c, team, argument(c, "query"))
	if err != nil {
		return nil, nil, err
	}
	req.Newest, req.Limit = true, min(count(c, "line_limit", detectLines), detectMost)
	kinds, values = map[string]record.Kind{}, map[string]map[string]bool{}
	rows := s.Store.Search(c.Request.Context(), req)
	for row := range rows.All() {
		for _, f := range row.Fields {
			name := lokiName(f.Name)
			if values[name] == nil {
				values[name], kinds[name] = map[string]bool{}, f.Kind
			}
			if kinds[name] != f.Kind {
				kinds[name] = record.String
			}
			values[name][f.Value] = true
		}
	}
	return kinds, values, rows.Err()
}

// count is a positive number among the arguments.
func count(c *gin.Context, name string, otherwise int) int {
	if n, err := strconv.Atoi(argument(c, name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

func (s *Service) lokiDetectedFields(c *gin.Context, team int64) (any, error) {
	kinds, values, err := s.detectFields(c, team)
	limit := min(count(c, "limit", detectNames), detectNames)
	type found struct {
		Label       string   `json:"label"`
		Type        string   `json:"type"`
		Cardinality int      `json:"cardinality"`
		Parsers     []string `json:"parsers"`
	}
	out := []found{}
	for _, name := range sortedKeys(values) {
		if len(out) < limit {
			out = append(out, found{name, lokiTypes[kinds[name]], len(values[name]), nil})
		}
	}
	return gin.H{"fields": out, "limit": limit}, err
}

// lokiDetectedValues lists the values of one of these fields.
func (s *Service) lokiDetectedValues(c *gin.Context, team int64) (any, error) {
	_, values, err := s.detectFields(c, team)
	limit := min(count(c, "limit", detectNames), detectNames)
	list := slices.AppendSeq([]string{}, maps.Keys(values[c.Param("name")]))
	slices.Sort(list)
	return gin.H{"values": list[:min(len(list), limit)], "limit": limit}, err
}
