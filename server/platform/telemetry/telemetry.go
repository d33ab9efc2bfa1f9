package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

// scope is what made the spans, as OpenTelemetry calls it.
const scope = "github.com/signalbox/signalbox"

// Deps is what tracing works with.
type Deps struct {
	// Endpoint is the collector's address, such as http://127.0.0.1:4318; /v1/traces
	// is added unless it is there.
	Endpoint string
	// Headers are sent along, each "Name=value".
	Headers []string
	// Sample is the share of traces that are kept where the caller has not decided.
	Sample float64
	// Version and Node say which server this is.
	Version, Node string
	Log           *slog.Logger
}

// Tracing makes spans and sends them.
type Tracing struct {
	provider *trace.TracerProvider
	tracer   api.Tracer
	// parents are of jobs that wait, causes of what comes of deliveries and of people.
	parents, causes parents
}

// New begins to send; the caller asks for it only when there is an endpoint.
func New(d Deps) (*Tracing, error) {
	e, err := newExporter(d.Endpoint, d.Headers)
	if err != nil {
		return nil, err
	}
	e.failed = func(err error, spans int) { d.Log.Warn("traces were lost", "spans", spans, "error", err) }
	service := resource.NewSchemaless(attribute.String("service.name", "signalbox"), attribute.String("service.version", d.Version), attribute.String("service.instance.id", d.Node))
	t := &Tracing{provider: trace.NewTracerProvider(
		trace.WithResource(service),
		trace.WithSampler(trace.ParentBased(trace.TraceIDRatioBased(d.Sample))),
		trace.WithBatcher(e, trace.WithBatchTimeout(flushEvery), trace.WithExportTimeout(sendWithin)),
	)}
	t.tracer = t.provider.Tracer(scope)
	return t, nil
}

const (
	flushEvery = 2 * time.Second
	sendWithin = 20 * time.Second
)

// Close sends what is left.
func (t *Tracing) Close(ctx context.Context) error {
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// propagator reads the header traceparent of W3C.
var propagator = propagation.TraceContext{}

// end closes a span; an error is its status.
func end(span api.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// Attribute is one thing that a span says of itself: a text, or a number when there is none.
type Attribute struct {
	Name, Text string
	Number     int64
}

func (a Attribute) value() attribute.KeyValue {
	if a.Text == "" {
		return attribute.Int64(a.Name, a.Number)
	}
	return attribute.String(a.Name, a.Text)
}

// Child begins a span "kind name" below the one in ctx, if that is recorded; end is to
// be called with "" or with what went wrong. Where nothing is recorded it costs one look.
func Child(ctx context.Context, kind, name string, attributes ...Attribute) (context.Context, func(wrong string)) {
	parent := api.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, nothing
	}
	list := make([]attribute.KeyValue, len(attributes))
	for i, a := range attributes {
		list[i] = a.value()
	}
	ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, kind+" "+name, api.WithAttributes(list...))
	return ctx, func(wrong string) {
		if wrong != "" {
			span.SetStatus(codes.Error, wrong)
		}
		span.End()
	}
}

// Note says more of the span in ctx, if that is recorded.
func Note(ctx context.Context, attributes ...Attribute) {
	span := api.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	for _, a := range attributes {
		span.SetAttributes(a.value())
	}
}

func nothing(string) {}
