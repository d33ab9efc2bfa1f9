package telemetry

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	api "go.opentelemetry.io/otel/trace"
)

// Job is a durable job, as far as traces show it.
type Job struct {
	Kind     string
	ID, Team int64
	Attempt  int
	// Payload tells it from others of its kind; no trace shows it.
	Payload []byte
}

func (j Job) key() string { return j.Kind + " " + string(j.Payload) }

// Enqueued remembers which span made a job, until the job runs on this node. Rows
// have no place for it: what another node runs, or this one after a restart, has no link.
func (t *Tracing) Enqueued(ctx context.Context, job Job) {
	if made := api.SpanContextFromContext(ctx); made.IsSampled() {
		t.parents.put(job.key(), made)
	}
}

// Job makes a span of one attempt at a durable job, linked to what enqueued it.
func (t *Tracing) Job(ctx context.Context, job Job) (context.Context, func(error)) {
	options := []api.SpanStartOption{api.WithSpanKind(api.SpanKindConsumer), api.WithAttributes(
		attribute.String("signalbox.job.kind", job.Kind), attribute.Int64("signalbox.job.id", job.ID), attribute.Int("signalbox.job.attempt", job.Attempt), attribute.Int64("signalbox.team", job.Team))}
	if made, found := t.parents.take(job.key()); found {
		options = append(options, api.WithLinks(api.Link{SpanContext: made}))
	}
	ctx, span := t.tracer.Start(ctx, "job "+job.Kind, options...)
	return ctx, func(err error) { end(span, err) }
}

// remembered is how many spans wait for the job that they made.
const remembered = 4096

// parents are spans by what they enqueued; the oldest go first.
type parents struct {
	mu    sync.Mutex
	made  map[string]api.SpanContext
	order []string
}

func (p *parents) put(key string, made api.SpanContext) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made == nil {
		p.made = map[string]api.SpanContext{}
	}
	if _, known := p.made[key]; !known {
		p.order = append(p.order, key)
	}
	p.made[key] = made
	if len(p.order) > remembered {
		delete(p.made, p.order[0])
		p.order = p.order[1:]
	}
}

// take gives a span once. Its place in the order stays until it is pushed out.
func (p *parents) take(key string) (api.SpanContext, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	made, found := p.made[key]
	if found {
		delete(p.made, key)
	}
	return made, found
}
