package issues

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/content"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// intakeRoutes are the addresses that SDKs send to, each with and without the
// last slash: clients do not follow a redirected POST.
func (s *Service) intakeRoutes(r api.Router) {
	byKey := api.Foreign("the DSN's public key, in a header, the query or the envelope")
	preflight := api.Public("a browser asks before it sends; the answer is the same for every project")
	for path, h := range map[string]gin.HandlerFunc{"envelope": s.receiving(s.receiveEnvelope), "store": s.receiving(s.receiveStore),
		"minidump": s.receiving(s.receiveMinidump), "security": s.receiving(s.receiveSecurity), "csp-report": s.receiving(s.receiveSecurity)} {
		for _, slash := range []string{"", "/"} {
			r.POST("/api/:project/"+path+slash, byKey, h)
			r.OPTIONS("/api/:project/"+path+slash, preflight, s.preflight)
		}
	}
	for _, path := range []string{"/api/:project/cron/:slug", "/api/:project/cron/:slug/", "/api/:project/cron/:slug/:key", "/api/:project/cron/:slug/:key/"} {
		r.POST(path, byKey, s.receiving(s.receiveCheckIn))
		r.GET(path, byKey, s.receiving(s.receiveCheckIn))
		r.OPTIONS(path, preflight, s.preflight)
	}
}

// cors lets browsers send from any page and read what limits we tell them.
// Allowed origins are checked with the request itself.
func cors(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "x-sentry-error, x-sentry-rate-limits, retry-after")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

func (s *Service) preflight(c *gin.Context) {
	cors(c)
	h := c.Writer.Header()
	h.Set("Access-Control-Allow-Methods", "POST, GET, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "sentry-trace, baggage, x-sentry-auth, x-requested-with, x-forwarded-for, content-type, content-encoding, authorization, origin, accept, authentication, transfer-encoding")
	h.Set("Access-Control-Max-Age", "86400")
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
}

// reply is what an endpoint answers when all is well.
type reply struct {
	receipt
	status int
	text   bool
}

// receiving makes a handler of an endpoint. It takes the raw context because
// bodies come in many encodings and are read as streams.
func (s *Service) receiving(endpoint func(*gin.Context, source) (reply, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		cors(c)
		src := source{project: c.Param("project"), header: c.Request.Header, query: c.Request.URL.Query(), address: c.ClientIP(), origin: c.GetHeader("Origin")}
		out, err := endpoint(c, src)
		if err != nil {
			s.refuse(c, err)
			return
		}
		if len(out.limits) > 0 {
			header, _ := rateLimits(out.limits, s.Now())
			c.Header("X-Sentry-Rate-Limits", header)
		}
		if out.status == 0 {
			out.status = http.StatusOK
		}
		if out.text {
			c.Data(out.status, "text/plain; charset=utf-8", []byte(dashed(out.id)))
			return
		}
		c.Data(out.status, "application/json", []byte(`{"id":"`+out.id+`"}`)) // hex digits
	}
}

// dashed is an event id as minidump uploaders expect it.
func dashed(id string) string {
	if len(id) != 32 {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

// refusal is Sentry's form of an error.
type refusalBody struct {
	Detail string   `json:"detail"`
	Causes []string `json:"causes,omitempty"`
}

func (s *Service) refuse(c *gin.Context, err error) {
	var r *refused
	if !errors.As(err, &r) {
		p := problem.From(err)
		if p.Kind == problem.Internal {
			s.Log.ErrorContext(c.Request.Context(), "taking a request failed", "error", err, "request_id", api.RequestID(c.Request.Context()))
		}
		r = &refused{status: p.Status(), detail: p.Detail, retry: p.RetryAfter}
	}
	if len(r.limits) > 0 {
		header, retry := rateLimits(r.limits, s.Now())
		c.Header("X-Sentry-Rate-Limits", header)
		if r.status == http.StatusTooManyRequests {
			r.retry = retry
		}
	}
	if r.retry > 0 {
		c.Header("Retry-After", strconv.Itoa(r.retry))
	}
	c.Header("X-Sentry-Error", clip(r.Error(), 500))
	c.Header("Cache-Control", "no-store")
	body, _ := json.Marshal(refusalBody{r.detail, r.causes}) // strings only: cannot fail
	c.Data(r.status, "application/json", body)
}

// open gives the body decompressed, within the limits and the memory that all
// bodies share; release gives the memory back.
func (s *Service) open(c *gin.Context) (body io.Reader, release func(), err error) {
	if c.Request.ContentLength > s.Limits.Compressed {
		return nil, nil, &refused{status: http.StatusRequestEntityTooLarge, detail: "the body is larger than allowed"}
	}
	limited := http.MaxBytesReader(c.Writer, c.Request.Body, s.Limits.Compressed)
	decoded, err := content.Decode(limited, c.GetHeader("Content-Encoding"), s.Limits.Decoded)
	if err != nil {
		return nil, nil, explainBody(err)
	}
	m := &metered{ctx: c.Request.Context(), from: decoded, room: s.memory}
	return m, m.release, nil
}

func (s *Service) receiveEnvelope(c *gin.Context, src source) (reply, error) {
	body, release, err := s.open(c)
	if err != nil {
		return reply{}, err
	}
	defer release()
	r, err := s.takeEnvelope(c.Request.Context(), src, body)
	return reply{receipt: r}, err
}

func (s *Service) receiveStore(c *gin.Context, src source) (reply, error) {
	body, release, err := s.open(c)
	if err != nil {
		return reply{}, err
	}
	defer release()
	r, err := s.takeStore(c.Request.Context(), src, body)
	return reply{receipt: r}, err
}

func (s *Service) receiveSecurity(c *gin.Context, src source) (reply, error) {
	body, release, err := s.open(c)
	if err != nil {
		return reply{}, err
	}
	defer release()
	r, err := s.takeSecurity(c.Request.Context(), src, body)
	return reply{receipt: r, status: http.StatusCreated}, err
}

func (s *Service) receiveMinidump(c *gin.Context, src source) (reply, error) {
	body, release, err := s.open(c)
	if err != nil {
		return reply{}, err
	}
	defer release()
	r, err := s.takeMinidump(c.Request.Context(), src, c.GetHeader("Content-Type"), body)
	return reply{receipt: r, text: true}, err
}

// receiveCheckIn is for jobs that are shell scripts: a check-in is one curl.
func (s *Service) receiveCheckIn(c *gin.Context, src source) (reply, error) {
	if key := c.Param("key"); key != "" {
		src.query.Set("sentry_key", key)
	}
	body, release, err := s.open(c)
	if err != nil {
		return reply{}, err
	}
	defer release()
	r, err := s.takeCheckIn(c.Request.Context(), src, c.Param("slug"), body)
	return reply{receipt: r, status: http.StatusAccepted}, err
}
