package sentry

import (
	"fmt"
	"strings"
	"time"
)

const (
	// A clock is believed within this; less is the time a request travels.
	minDrift = 55 * time.Second
	// What lies further ahead or back than these, after correction, is not
	// believed and gets the time of arrival.
	maxFuture = time.Minute
	maxPast   = 30 * 24 * time.Hour
)

// finish settles what depends on several fields.
func (p *eventParser) finish(received, sent time.Time) {
	e := &p.e
	p.settleMessage()
	p.settleType()
	p.settleTime(received.UTC(), sent)
	if e.Platform == "" {
		e.Platform = "other"
	}
	if e.Level == "" {
		e.Level = LevelError
		if e.Type == TypeTransaction || e.Type == TypeFeedback {
			e.Level = LevelInfo
		}
	}
	if e.Environment == "" {
		e.Environment = "production"
	}
	if r := e.Request; r != nil && r.empty() {
		e.Request = nil
	}
	if len(p.trimmedFields) > 0 {
		e.Errors = append(e.Errors, fmt.Sprintf("Too long and therefore cut: %s.",
			strings.Join(cleanNames(p.trimmedFields), ", ")))
	}
}

func cleanNames(names []string) []string {
	names = names[:min(len(names), 10)]
	for i := range names {
		names[i] = cut(names[i], 40)
	}
	return names
}

func (p *eventParser) settleMessage() {
	m := &p.e.Message
	old := p.oldMessage
	switch {
	case m.Text() == "":
		m.Formatted = old
	case m.Formatted == "" && old != "" && old != m.Template:
		m.Formatted = old
	}
	if m.Formatted == "" && m.Template != "" && len(m.Params) > 0 {
		m.Formatted = cut(fillTemplate(m.Template, m.Params), maxMessage)
	}
	if m.Formatted == m.Template && len(m.Params) == 0 {
		m.Template = ""
	}
	// The message of an exception, said twice, is no message.
	if n := len(p.e.Exceptions); n > 0 && m.Template == "" {
		x := p.e.Exceptions[n-1]
		if m.Formatted == x.Value || m.Formatted == x.Type+": "+x.Value {
			*m = Message{}
		}
	}
}

// fillTemplate puts parameters in for %s, %d, %r, {} in their order.
func fillTemplate(template string, params []any) string {
	var b strings.Builder
	next := 0
	param := func() string {
		v := params[next]
		next++
		return fmt.Sprint(v)
	}
	for i := 0; i < len(template); i++ {
		switch c := template[i]; {
		case next >= len(params) || i+1 >= len(template):
			b.WriteByte(c)
		case c == '%' && template[i+1] == '%':
			b.WriteByte('%')
			i++
		case c == '%' && strings.IndexByte("sdifrvxu", template[i+1]) >= 0,
			c == '{' && template[i+1] == '}':
			b.WriteString(param())
			i++
		default:
			b.WriteByte(c)
		}
		if b.Len() > 2*maxMessage {
			break
		}
	}
	return b.String()
}

func (p *eventParser) settleType() {
	e := &p.e
	switch {
	case p.kind == TypeTransaction:
		e.Type = TypeTransaction
	case p.kind == TypeFeedback || e.Feedback != nil:
		e.Type = TypeFeedback
		if e.Feedback == nil {
			e.Feedback = &Feedback{Message: e.Message.Text()}
		}
	case p.kind == TypeCSP || p.kind == TypeExpectCT || p.kind == TypeHPKP:
		e.Type = p.kind
	case len(e.Exceptions) > 0:
		e.Type = TypeError
	case e.Stack != nil || e.crashStack() != nil && e.Level == LevelFatal:
		e.Type = TypeError
	default:
		e.Type = TypeDefault
	}
}

// crashStack is the stack of the thread that crashed, or else of the current one.
func (e *Event) crashStack() *Stack {
	if t := e.CrashThread(); t != nil {
		return t.Stack
	}
	return nil
}

// CrashThread is the thread that crashed, else the current one, else the only
// one; nil when none of these has a stack.
func (e *Event) CrashThread() *Thread {
	var current *Thread
	for i := range e.Threads {
		t := &e.Threads[i]
		if t.Stack == nil {
			continue
		}
		if t.Crashed {
			return t
		}
		if t.Current && current == nil {
			current = t
		}
	}
	if current == nil && len(e.Threads) == 1 && e.Threads[0].Stack != nil {
		return &e.Threads[0]
	}
	return current
}

func (p *eventParser) settleTime(received, sent time.Time) {
	e := &p.e
	e.Received = received
	if drift := received.Sub(sent); !sent.IsZero() && drift.Abs() >= minDrift {
		e.ClockDrift = drift
		p.shift(drift)
	}
	switch {
	case e.Timestamp.IsZero():
		e.Timestamp = received
	case e.Timestamp.After(received.Add(maxFuture)):
		e.Errors = append(e.Errors, "The time lay in the future; the time of arrival stands instead.")
		e.Timestamp = received
	case e.Timestamp.Before(received.Add(-maxPast)):
		e.Errors = append(e.Errors, "The time lay more than 30 days back; the time of arrival stands instead.")
		e.Timestamp = received
	}
	if e.Started.After(e.Timestamp) {
		e.Started = e.Timestamp
	}
}

// shift corrects everything that the client's clock said.
func (p *eventParser) shift(drift time.Duration) {
	e := &p.e
	move := func(t *time.Time) {
		if !t.IsZero() {
			*t = t.Add(drift)
		}
	}
	move(&e.Timestamp)
	move(&e.Started)
	for i := range e.Breadcrumbs {
		move(&e.Breadcrumbs[i].Timestamp)
	}
	for i := range e.Spans {
		move(&e.Spans[i].Start)
		move(&e.Spans[i].End)
	}
}

func (q *Request) empty() bool {
	return q.Method == "" && q.URL == "" && len(q.Query) == 0 && q.Data == nil && len(q.Cookies) == 0 &&
		len(q.Headers) == 0 && len(q.Env) == 0 && q.Fragment == ""
}
