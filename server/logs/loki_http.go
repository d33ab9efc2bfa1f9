package logs

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/query/logql"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// lokiVersion is what Grafana decides by which calls it may make.
const lokiVersion = "3.7.0"

// lokiQueryRoutes are what Grafana's data source and logcli call; each takes
// GET and a POSTed form.
func (s *Service) lokiQueryRoutes(r api.Router) {
	token := api.Foreign("a token with logs:read, as bearer or as password of basic authorization")
	both := func(path string, h func(*gin.Context, int64) (any, error)) {
		r.GET("/loki/api/v1"+path, token, s.lokiCall(h))
		r.POST("/loki/api/v1"+path, token, s.lokiCall(h))
	}
	both("/query_range", s.lokiQueryRange)
	both("/query", s.lokiQueryInstant)
	both("/labels", s.lokiLabelNames)
	both("/label", s.lokiLabelNames)
	r.GET("/loki/api/v1/label/:name/values", token, s.lokiCall(s.lokiLabelValues))
	both("/series", s.lokiSeries)
	both("/index/stats", s.lokiIndexStats)
	both("/index/volume", s.lokiVolume)
	both("/index/volume_range", s.lokiVolumeRange)
	both("/patterns", s.lokiPatterns)
	both("/detected_labels", s.lokiDetectedLabels)
	both("/detected_fields", s.lokiDetectedFields)
	both("/detected_field/:name/values", s.lokiDetectedValues)
	both("/format_query", s.lokiFormat)
	r.GET("/loki/api/v1/tail", token, s.lokiTail)
	fixed := api.Public("says what is here to clients that ask before they sign in")
	r.GET("/loki/api/v1/status/buildinfo", fixed, func(c *gin.Context) {
		c.JSON(http.StatusOK, gin.H{"version": lokiVersion, "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": ""})
	})
	r.GET("/loki/api/v1/drilldown-limits", fixed, func(c *gin.Context) {
		c.JSON(http.StatusOK, gin.H{"limits": gin.H{"discover_log_levels": true, "volume_enabled": true, "max_query_series": 2000, "max_entries_limit_per_query": maxLines, "retention_period": "0s"}, "pattern_ingester_enabled": true, "version": lokiVersion, "maxDetectedFields": 1000})
	})
	r.GET("/loki/api/v1/rules", fixed, func(c *gin.Context) { c.Data(http.StatusOK, "application/yaml", []byte("{}\n")) })
	r.GET("/ready", fixed, func(c *gin.Context) { c.String(http.StatusOK, "ready\n") })
}

// lokiCall answers as Loki does: JSON, or an error as plain text.
func (s *Service) lokiCall(h func(*gin.Context, int64) (any, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		team, err := s.tenant(c, reading)
		var out any
		if err == nil {
			c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, 1<<20)
			out, err = h(c, team.ID)
		}
		if err != nil {
			s.lokiRefuse(c, err)
			return
		}
		c.JSON(http.StatusOK, out)
	}
}

func (s *Service) lokiRefuse(c *gin.Context, err error) {
	var syntax *query.Error
	var limit *logql.LimitError
	switch {
	case errors.As(err, &syntax):
		c.String(http.StatusBadRequest, "parse error at line 1, col %d: %s\n", syntax.Pos+1, syntax.Message)
	case errors.As(err, &limit):
		c.String(http.StatusBadRequest, "%s\n", limit.Message)
	default:
		p := problem.From(err)
		if p.Kind == problem.Internal {
			s.Log.Error("a log query failed", "error", err)
		}
		if p.Kind == problem.Unauthorized {
			c.Header("WWW-Authenticate", `Basic realm="signalbox"`)
		}
		c.String(p.Status(), "%s\n", p.Detail)
	}
}

// argument is a value of the query or of a form.
func argument(c *gin.Context, name string) string {
	if v := c.Query(name); v != "" {
		return v
	}
	return c.PostForm(name)
}

// lokiRange reads start and end; the last hour unless said.
func (s *Service) lokiRange(c *gin.Context) (start, end time.Time, err error) {
	end = s.Now()
	if text := argument(c, "end"); text != "" {
		t, ok := lokiTime(text)
		if !ok {
			return start, end, problem.FieldError("end", "could not be read as a time")
		}
		end = t
	}
	start = end.Add(-time.Hour)
	if text := argument(c, "since"); text != "" {
		d, ok := lokiStep(text)
		if !ok {
			return start, end, problem.FieldError("since", "could not be read as a duration")
		}
		start = end.Add(-d)
	}
	if text := argument(c, "start"); text != "" {
		t, ok := lokiTime(text)
		if !ok {
			return start, end, problem.FieldError("start", "could not be read as a time")
		}
		start = t
	}
	if end.Before(start) {
		return start, end, problem.New(problem.Invalid, "end timestamp must not be before start time")
	}
	return start, end, nil
}

func (s *Service) lokiRead(c *gin.Context, team int64) (in lokiQuery, err error) {
	in = lokiQuery{team: team, text: argument(c, "query"), limit: 100, forward: strings.EqualFold(argument(c, "direction"), "forward"),
		categorize: strings.Contains(c.GetHeader("X-Loki-Response-Encoding-Flags"), "categorize-labels")}
	if text := argument(c, "limit"); text != "" {
		if in.limit, err = strconv.Atoi(text); err != nil || in.limit < 0 {
			return in, problem.FieldError("limit", "must be a positive number")
		}
	}
	if in.limit = min(in.limit, maxLines); in.limit == 0 {
		in.limit = 1
	}
	return in, nil
}

func (s *Service) lokiQueryRange(c *gin.Context, team int64) (any, error) {
	in, err := s.lokiRead(c, team)
	if err != nil {
		return nil, err
	}
	if in.start, in.end, err = s.lokiRange(c); err != nil {
		return nil, err
	}
	in.step = defaultStep(in.start, in.end)
	if text := argument(c, "step"); text != "" {
		step, ok := lokiStep(text)
		if !ok {
			return nil, problem.FieldError("step", "could not be read as a duration above zero")
		}
		in.step = step
	}
	return s.lokiAsk(c.Request.Context(), in)
}

func (s *Service) lokiQueryInstant(c *gin.Context, team int64) (any, error) {
	in, err := s.lokiRead(c, team)
	if err != nil {
		return nil, err
	}
	in.instant, in.end = true, s.Now()
	if text := argument(c, "time"); text != "" {
		t, ok := lokiTime(text)
		if !ok {
			return nil, problem.FieldError("time", "could not be read as a time")
		}
		in.end = t
	}
	in.start = in.end.Add(-time.Hour)
	return s.lokiAsk(c.Request.Context(), in)
}

type lokiList struct {
	Status string   `json:"status"`
	Data   []string `json:"data"`
}

// lokiRequest is a store's request for a selector, which may be missing.
func (s *Service) lokiRequest(c *gin.Context, team int64, selector string) (store.Request, error) {
	start, end, err := s.lokiRange(c)
	req := store.Request{Team: team, From: start, To: end}
	if err != nil || selector == "" || selector == "{}" {
		return req, err
	}
	e, err := logql.Parse(selector)
	if err != nil {
		return req, err
	}
	if e.Log == nil {
		return req, problem.FieldError("query", "must be a selector such as {service=\"api\"}")
	}
	req.Match, err = s.plan(c.Request.Context(), req, e.Log)
	return req, err
}

func (s *Service) lokiLabelNames(c *gin.Context, team int64) (any, error) {
	req, err := s.lokiRequest(c, team, argument(c, "query"))
	if err != nil {
		return nil, err
	}
	names, err := s.Store.Labels(c.Request.Context(), req)
	return lokiList{"success", append([]string{}, names...)}, err
}

func (s *Service) lokiLabelValues(c *gin.Context, team int64) (any, error) {
	req, err := s.lokiRequest(c, team, argument(c, "query"))
	if err != nil {
		return nil, err
	}
	values, err := s.Store.Values(c.Request.Context(), req, c.Param("name"))
	return lokiList{"success", append([]string{}, values...)}, err
}

func (s *Service) lokiSeries(c *gin.Context, team int64) (any, error) {
	var selectors []string
	for _, name := range []string{"match[]", "match"} { // Grafana's name and logcli's
		selectors = append(append(selectors, c.QueryArray(name)...), c.PostFormArray(name)...)
	}
	if len(selectors) == 0 {
		selectors = []string{"{}"}
	}
	out := []map[string]string{}
	seen := map[string]bool{}
	for _, selector := range selectors[:min(len(selectors), 20)] {
		req, err := s.lokiRequest(c, team, selector)
		if err != nil {
			return nil, err
		}
		list, _, err := s.Store.Streams(c.Request.Context(), req)
		if err != nil {
			return nil, err
		}
		for _, series := range list {
			if key := series.Labels.Key(); !seen[key] {
				seen[key] = true
				out = append(out, series.Labels.Map())
			}
		}
	}
	return gin.H{"status": "success", "data": out}, nil
}

func (s *Service) lokiIndexStats(c *gin.Context, team int64) (any, error) {
	req, err := s.lokiRequest(c, team, argument(c, "query"))
	if err != nil {
		return nil, err
	}
	list, stats, err := s.Store.Streams(c.Request.Context(), req)
	var lines, bytes int64
	for _, series := range list {
		lines += series.Lines
		bytes += series.Bytes
	}
	return gin.H{"streams": len(list), "chunks": stats.Units, "entries": lines, "bytes": bytes}, err
}

// lokiVolume is the bytes by labels: of the selector's labels, or of targetLabels.
func (s *Service) lokiVolume(c *gin.Context, team int64) (any, error) {
	_, end, err := s.lokiRange(c)
	if err != nil {
		return nil, err
	}
	volumes, err := s.volumes(c, team)
	samples := make([]lokiSample, 0, len(volumes))
	for _, v := range volumes {
		samples = append(samples, lokiSample{Metric: v.labels, Value: &lokiPoint{end, float64(v.bytes)}})
	}
	return lokiAnswer{"success", lokiData{ResultType: "vector", Result: samples}}, err
}

func (s *Service) lokiVolumeRange(c *gin.Context, team int64) (any, error) {
	in, err := s.lokiRead(c, team)
	if err != nil {
		return nil, err
	}
	names := volumeLabels(c)
	if len(names) == 0 {
		names = []string{"service"} // what matches everything would make a series of each stream
	}
	if in.start, in.end, err = s.lokiRange(c); err != nil {
		return nil, err
	}
	in.step = defaultStep(in.start, in.end)
	if step, ok := lokiStep(argument(c, "step")); ok {
		in.step = step
	}
	if in.text == "" {
		in.text = "{}"
	}
	in.text = fmt.Sprintf("sum by (%s) (bytes_over_time(%s[%s]))", strings.Join(names, ","), in.text, in.step)
	return s.lokiAsk(c.Request.Context(), in)
}

// volumeLabels are the labels that volumes are summed by: those asked for, or those that
// the selector names.
func volumeLabels(c *gin.Context) []string {
	if asked := strings.FieldsFunc(argument(c, "targetLabels"), func(r rune) bool { return r == ',' }); len(asked) > 0 {
		return asked
	}
	selector, _, _ := strings.Cut(quotedText.ReplaceAllString(argument(c, "query"), ""), "}")
	return matcherName.FindAllString(selector, -1)
}

var (
	quotedText  = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")
	matcherName = regexp.MustCompile(`[a-zA-Z_][a-zA-Z0-9_]*`)
)

type volume struct {
	labels map[string]string
	bytes  int64
}

func (s *Service) volumes(c *gin.Context, team int64) ([]volume, error) {
	req, err := s.lokiRequest(c, team, argument(c, "query"))
	if err != nil {
		return nil, err
	}
	list, _, err := s.Store.Streams(c.Request.Context(), req)
	if err != nil {
		return nil, err
	}
	names := volumeLabels(c)
	byKey := map[string]*volume{}
	for _, series := range list {
		labels := series.Labels.Map()
		if len(names) > 0 {
			for name := range labels {
				if !slices.Contains(names, name) {
					delete(labels, name)
				}
			}
		}
		key := fmt.Sprint(labels)
		if byKey[key] == nil {
			byKey[key] = &volume{labels: labels}
		}
		byKey[key].bytes += series.Bytes
	}
	out := make([]volume, 0, len(byKey))
	for _, key := range sortedKeys(byKey) {
		out = append(out, *byKey[key])
	}
	slices.SortStableFunc(out, func(a, b volume) int { return int(min(max(b.bytes-a.bytes, -1), 1)) })
	limit, err := strconv.Atoi(argument(c, "limit"))
	if err != nil || limit <= 0 {
		limit = 100
	}
	return out[:min(len(out), limit)], nil
}

func (s *Service) lokiFormat(c *gin.Context, _ int64) (any, error) {
	text := argument(c, "query")
	if _, err := logql.Parse(text); err != nil {
		return nil, err
	}
	return gin.H{"status": "success", "data": text}, nil
}
