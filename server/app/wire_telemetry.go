package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/telemetry"
	"github.com/signalbox/signalbox/server/platform/work"
)

// tracedLog has each line name the trace that it belongs to, where traces are made.
func (a *App) tracedLog(log *slog.Logger) *slog.Logger {
	if a.config.Telemetry.Endpoint == "" {
		return log
	}
	return slog.New(telemetry.WithTrace(log.Handler()))
}

// wireTelemetry begins to make traces where there is somebody to send them to.
func (a *App) wireTelemetry(context.Context) (err error) {
	cfg := a.config.Telemetry
	if cfg.Endpoint == "" {
		return nil
	}
	a.tracing, err = telemetry.New(telemetry.Deps{Endpoint: cfg.Endpoint, Headers: cfg.Headers, Sample: cfg.Sample, Version: Version, Node: a.node, Log: a.log})
	if err != nil {
		return errUsage{err}
	}
	a.jobs.Trace(jobTracer{a.tracing})
	return nil
}

// traced adds the spans of requests to the middleware, if there are any.
func (a *App) traced(e *gin.Engine) {
	if a.tracing != nil {
		e.Use(a.tracing.Requests(func(c *gin.Context) string { return api.RequestID(c.Request.Context()) }))
	}
}

// jobTracer tells tracing of durable jobs.
type jobTracer struct{ to *telemetry.Tracing }

func tracedJob(j work.Job) telemetry.Job {
	out := telemetry.Job{Kind: j.Kind, ID: j.ID, Team: j.Team, Attempt: j.Attempt, Payload: j.Payload}
	var of struct{ Build int64 }
	if j.Kind == "ci.build" && json.Unmarshal(j.Payload, &of) == nil {
		out.Cause = "build " + strconv.FormatInt(of.Build, 10)
	}
	return out
}

// traceCaused puts a build into the trace of the delivery that it comes of, where that
// came to this node and traces are made.
func (a *App) traceCaused(b ci.BuildCaused) {
	if a.tracing != nil {
		a.tracing.Caused("delivery "+b.Delivery, "build "+b.Effect.ID)
	}
}

// Enqueued implements work.Tracer.
func (t jobTracer) Enqueued(ctx context.Context, job work.Job) { t.to.Enqueued(ctx, tracedJob(job)) }

// Job implements work.Tracer.
func (t jobTracer) Job(ctx context.Context, job work.Job) (context.Context, func(error)) {
	return t.to.Job(ctx, tracedJob(job))
}
