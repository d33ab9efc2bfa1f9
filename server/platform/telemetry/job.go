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
	// Cause is what Keep or Caused called that which the job does; "" when nobody calls it anything.
	Cause string
}

func (j Job) key() string { return j.Kind + " " + string(j.Payload) }

// Enqueued remembers which span made a job, until the job runs on this node. Rows
// have no place for it: what another node runs, or this one after a restart, has no link.
func (t *Tracing) Enqueued(ctx context.Context, job Job) {
	if made := api.SpanContextFromContext(ctx); made.IsSampled() {
		t.parents.put(job.key(), made)
	}
}

// Keep remembers the span in ctx as the cause "what id" of what comes later and elsewhere,
// such as a delivery's digestion. Outside of a request that is traced it does nothing.
func Keep(ctx context.Context, what, id string) {
	if t, traced := ctx.Value(tracingKey{}).(*Tracing); traced {
		t.causes.put(what+" "+id, api.SpanContextFromContext(ctx))
	}
}

type tracingKey struct{}

// Caused says that one thing came of another: a build of a delivery.
func (t *Tracing) Caused(cause, effect string) {
	if made, found := t.causes.look(cause); found {
		t.causes.put(effect, made)
	}
}

// Job makes a span of one attempt at a durable job: within the trace of its cause, if
// this node knows it, else one of its own, linked to what enqueued it.
func (t *Tracing) Job(ctx context.Context, job Job) (context.Context, func(error)) {
	options := []api.SpanStartOption{api.WithSpanKind(api.SpanKindConsumer), api.WithAttributes(
		attribute.String("signalbox.job.kind", job.Kind), attribute.Int64("signalbox.job.id", job.ID), attribute.Int("signalbox.job.attempt", job.Attempt), attribute.Int64("signalbox.team", job.Team))}
	if made, found := t.causes.look(job.Cause); found {
		ctx = api.ContextWithRemoteSpanContext(ctx, made)
	} else if made, found := t.parents.take(job.key()); found {
		options = append(options, api.WithLinks(api.Link{SpanContext: made}))
	}
	ctx, span := t.tracer.Start(ctx, "job "+job.Kind, options...)
	return ctx, func(err error) { end(span, err) }
}

// remembered is how many spans wait for the job that they made.
const remembered = 4096

// parents are spans by what they enqueued or caused; the oldest go first.
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

func (p *parents) look(key string) (api.SpanContext, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	made, found := p.made[key]
	return made, found
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
