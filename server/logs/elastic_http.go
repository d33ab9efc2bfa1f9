package logs

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/logs/wire/elastic"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// elasticRoutes are the part of Elasticsearch that shippers talk to: all of it
// below /elasticsearch, and at the root what clients without a path need.
func (s *Service) elasticRoutes(r api.Router) {
	token := api.Foreign("a token with logs:write, as bearer, ApiKey, or as password of basic authorization")
	h := s.receiving("elastic", elasticRefusal, s.receiveElastic)
	for _, path := range []string{"/_bulk", "/elasticsearch", "/elasticsearch/*path"} {
		r.POST(path, token, h)
		r.PUT(path, token, h)
		if path != "/_bulk" {
			r.GET(path, token, h)
		}
	}
	r.GET("/_cat/health", token, h)
	r.GET("/:index/_refresh", token, h)
	r.POST("/:index/_refresh", token, h)
}

// elasticRefusal words an error as Elasticsearch does.
func elasticRefusal(c *gin.Context, err error) {
	p := problem.From(err)
	kind := map[problem.Kind]string{problem.Unauthorized: "security_exception", problem.Forbidden: "security_exception", problem.TooMany: "es_rejected_execution_exception",
		problem.Unavailable: "es_rejected_execution_exception", problem.TooLarge: "content_too_long_exception", problem.Internal: "exception"}[p.Kind]
	if kind == "" {
		kind = "illegal_argument_exception"
	}
	c.Header("X-Elastic-Product", "Elasticsearch")
	if p.Kind == problem.Unauthorized {
		c.Header("WWW-Authenticate", `Basic realm="signalbox", ApiKey`)
	}
	cause := gin.H{"type": kind, "reason": p.Detail}
	c.JSON(p.Status(), gin.H{"error": gin.H{"root_cause": []gin.H{cause}, "type": kind, "reason": p.Detail}, "status": p.Status()})
}

func (s *Service) receiveElastic(c *gin.Context, team identity.Team) error {
	c.Header("X-Elastic-Product", "Elasticsearch")
	path := strings.TrimSuffix(strings.TrimPrefix(c.Request.URL.Path, "/elasticsearch"), "/")
	index, last := "", path
	if at := strings.LastIndexByte(path, '/'); at > 0 {
		index, last = strings.TrimPrefix(path[:at], "/"), path[at:]
	}
	switch {
	case last == "/_bulk" && c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead:
		return s.receiveBulk(c, team, index)
	case path == "/_cat/health":
		c.String(http.StatusOK, elastic.Health)
	case last == "/_refresh":
		c.JSON(http.StatusOK, gin.H{"_shards": gin.H{"total": 1, "successful": 1, "failed": 0}})
	case c.Request.Method == http.MethodPost || c.Request.Method == http.MethodPut:
		// Templates, policies and pipelines: there is nothing to set up here.
		c.JSON(http.StatusOK, gin.H{"acknowledged": true})
	default:
		answer, ok := elastic.Fixed[path]
		if !ok {
			answer = "{}"
		}
		c.Data(http.StatusOK, "application/json", []byte(answer))
	}
	return nil
}

func (s *Service) receiveBulk(c *gin.Context, team identity.Team, index string) error {
	began := s.Now()
	raw, release, err := s.whole(c)
	if err != nil {
		return err
	}
	defer release()
	o := elastic.Options{Index: index, Time: c.Query("_time_field"), Message: c.Query("_msg_field"), Actions: maxBatch, Line: maxLine}
	if names := c.Query("_stream_fields"); names != "" {
		o.Stream = strings.Split(names, ",")
	}
	b, err := elastic.Read(raw, o)
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "%s", sentence(err))
	}
	rejected := map[string]int{}
	for _, item := range b.Items {
		if item.Reason != "" {
			rejected[item.Reason]++
		}
	}
	if err := s.Accept(c.Request.Context(), Batch{Team: team.ID, Source: "elastic", Records: b.Records, Rejected: rejected}); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := elastic.Write(&out, b.Items, s.Now().Sub(began).Milliseconds()); err != nil {
		return err
	}
	kind := "application/json"
	if strings.Contains(c.GetHeader("Accept"), "vnd.elasticsearch+json") {
		kind = "application/vnd.elasticsearch+json;compatible-with=8"
	}
	c.Data(http.StatusOK, kind, out.Bytes())
	return nil
}
