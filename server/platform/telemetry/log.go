package telemetry

import (
	"context"
	"log/slog"

	api "go.opentelemetry.io/otel/trace"
)

// WithTrace puts trace_id and span_id on each line that is logged within a span,
// so that the lines and the trace lead to each other.
func WithTrace(next slog.Handler) slog.Handler { return traced{next} }

type traced struct{ slog.Handler }

// Handle adds the ids of ctx.
func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if at := api.SpanContextFromContext(ctx); at.IsValid() {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", at.TraceID().String()), slog.String("span_id", at.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps adding the ids.
func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }

// WithGroup keeps adding the ids, inside of the group as slog has it.
func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }
