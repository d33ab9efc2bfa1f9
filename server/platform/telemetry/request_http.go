package telemetry

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	api "go.opentelemetry.io/otel/trace"
)

// Requests makes a span of each request, below the caller's when it sent a
// traceparent. The span is named by route: paths hold ids, and of some foreign
// protocols secrets. id is the request's own, which its answer carries too.
func (t *Tracing) Requests(id func(*gin.Context) string) gin.HandlerFunc {
	return func(c *gin.Context) {
		route := c.FullPath()
		if route == "" {
			route = "unmatched"
		}
		ctx := propagator.Extract(c.Request.Context(), propagation.HeaderCarrier(c.Request.Header))
		ctx, span := t.tracer.Start(ctx, c.Request.Method+" "+route, api.WithSpanKind(api.SpanKindServer), api.WithAttributes(
			attribute.String("http.request.method", c.Request.Method), attribute.String("http.route", route), attribute.String("signalbox.request_id", id(c))))
		c.Request = c.Request.WithContext(context.WithValue(ctx, tracingKey{}, t))
		defer func() {
			status := c.Writer.Status()
			span.SetAttributes(attribute.Int("http.response.status_code", status), attribute.Int("http.response.body.size", max(0, c.Writer.Size())))
			if status >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, http.StatusText(status))
			}
			span.End()
		}()
		c.Next()
	}
}
