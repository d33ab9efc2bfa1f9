package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type requestIDKey struct{}

// RequestID is the id of the request being served, "" outside of one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

var acceptableID = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// WithRequestID takes the caller's X-Request-Id when it is harmless, else makes
// one, and answers with it.
func WithRequestID() gin.HandlerFunc {
	return func(c *gin.Context) {
		id := c.GetHeader("X-Request-Id")
		if !acceptableID.MatchString(id) {
			raw := make([]byte, 12)
			rand.Read(raw) // never fails
			id = hex.EncodeToString(raw)
		}
		c.Header("X-Request-Id", id)
		c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestIDKey{}, id))
		c.Next()
	}
}

// Recover answers a panic with a problem and logs its stack.
func Recover() gin.HandlerFunc {
	return gin.CustomRecoveryWithWriter(nil, func(c *gin.Context, cause any) {
		slog.ErrorContext(c.Request.Context(), "handler panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()),
			"request_id", RequestID(c.Request.Context()))
		if !c.Writer.Written() {
			WriteProblem(c, problem.New(problem.Internal, "Something went wrong on the server. The request id leads to its log line."))
		}
		c.Abort()
	})
}

// SecurityHeaders are on every answer; pages loosen the policy to their own scripts.
func SecurityHeaders(https bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if https {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		c.Next()
	}
}

// PagePolicy is the Content-Security-Policy of our HTML pages: nothing but this origin, no inline script or style element.
const PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Metrics counts and times requests by route, never by path: paths are unbounded.
type Metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// NewMetrics registers the request metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "signalbox_http_requests_total", Help: "Requests answered, by route and status."},
			[]string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "signalbox_http_request_duration_seconds",
			Help: "Time to answer, by route.", Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5}}, []string{"method", "route"}),
	}
	r.MustRegister(m.requests, m.duration)
	return m
}

// Log writes one line per request, without query strings: foreign protocols put tokens there.
func (m *Metrics) Log(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		start := time.Now()
		c.Next()
		route := c.FullPath()
		if route == "" {
			route = "unmatched"
		}
		took := time.Since(start)
		m.requests.WithLabelValues(c.Request.Method, route, strconv.Itoa(c.Writer.Status())).Inc()
		if c.Writer.Header().Get("Content-Type") != "text/event-stream" {
			m.duration.WithLabelValues(c.Request.Method, route).Observe(took.Seconds())
		}
		level := slog.LevelDebug
		if c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead || c.Writer.Status() >= 500 {
			level = slog.LevelInfo
		}
		ctx := c.Request.Context()
		log.Log(ctx, level, "request", "method", c.Request.Method, "route", route, "status", c.Writer.Status(), "ms", took.Milliseconds(),
			"bytes", c.Writer.Size(), "user", identity.From(ctx).Name, "address", c.ClientIP(), "request_id", RequestID(ctx))
	}
}

// NoStore keeps answers that carry secrets out of every cache.
func NoStore() gin.HandlerFunc {
	return func(c *gin.Context) { c.Header("Cache-Control", "no-store") }
}
