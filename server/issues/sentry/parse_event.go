package sentry

import (
	"fmt"
	"strings"
	"time"
)

// ParseEvent reads the payload of an event, transaction or feedback item.
// It fails only when raw is no JSON object; anything else is made to fit.
// sent is the envelope's sent_at, zero when unknown.
func ParseEvent(raw []byte, received, sent time.Time) (Event, error) {
	r := &reader{s: string(raw)}
	if r.peek() != '{' {
		return Event{}, errNoObject
	}
	p := eventParser{reader: r}
	r.open('{')
	for r.key() {
		p.field(r.k)
		if r.trimmed {
			p.trimmedFields = append(p.trimmedFields, r.k)
			r.trimmed = false
		}
	}
	if err := r.end(); err != nil {
		return Event{}, err
	}
	p.finish(received, sent)
	return p.e, nil
}

// eventParser collects an event; some fields are settled only when all others
// are known.
type eventParser struct {
	*reader
	e             Event
	kind          string
	oldMessage    string // sentry.interfaces.Message or a message beside logentry
	trimmedFields []string
}

// field reads the value of one member. Old clients name some of them after
// the classes that read them ("sentry.interfaces.Http").
func (p *eventParser) field(name string) {
	key := name
	defer func() { p.k = key }()
	name = strings.TrimPrefix(name, "sentry.interfaces.")
	if p.identity(name) || p.content(name) || p.surroundings(name) {
		return
	}
	p.skip()
}

// identity reads who and what the event is.
func (p *eventParser) identity(name string) bool {
	e := &p.e
	switch name {
	case "event_id":
		e.ID = normalID(p.text(64))
	case "type":
		p.kind = p.short()
	case "timestamp":
		e.Timestamp = p.when()
	case "start_timestamp":
		e.Started = p.when()
	case "platform":
		e.Platform = strings.ToLower(p.text(64))
	case "level":
		e.Level = p.level()
	case "logger":
		e.Logger = p.short()
	case "transaction":
		e.Transaction = p.short()
	case "culprit":
		e.Culprit = p.short()
	case "transaction_info":
		if p.open('{') {
			for p.key() {
				if p.k == "source" {
					e.TransactionSource = p.short()
				} else {
					p.skip()
				}
			}
		}
	case "server_name":
		e.ServerName = p.short()
	case "release":
		e.Release = p.short()
	case "dist":
		e.Dist = strings.TrimSpace(p.text(64))
	case "environment":
		e.Environment = strings.TrimSpace(p.text(64))
	default:
		return false
	}
	return true
}

// content reads what happened.
func (p *eventParser) content(name string) bool {
	e := &p.e
	switch name {
	case "message", "Message":
		p.message()
	case "logentry":
		if c := p.peek(); c == '{' {
			e.Message = p.logentry()
		} else {
			p.oldMessage = p.text(maxMessage)
		}
	case "exception", "Exception":
		e.Exceptions = p.exceptions()
	case "threads":
		e.Threads = p.threads()
	case "stacktrace", "Stacktrace":
		e.Stack = p.stack()
	case "template", "Template":
		e.Stack = p.template()
	case "breadcrumbs", "Breadcrumbs":
		e.Breadcrumbs = p.breadcrumbs()
	case "fingerprint":
		e.Fingerprint = p.fingerprint()
	case "spans":
		e.Spans = p.spans()
	case "measurements":
		e.Measurements = p.object(maxContext)
	case "errors":
		p.clientErrors()
	default:
		return false
	}
	return true
}

// surroundings reads where it happened, and to whom.
func (p *eventParser) surroundings(name string) bool {
	e := &p.e
	switch name {
	case "tags":
		e.Tags = p.tags()
	case "user", "User":
		e.User = p.user()
	case "request", "Http":
		e.Request = p.request()
	case "contexts":
		p.contexts()
	case "extra":
		p.extra()
	case "sdk":
		e.SDK = p.sdk()
	case "modules":
		e.Modules = p.modules()
	case "debug_meta":
		e.DebugImages = p.debugMeta()
	default:
		return false
	}
	return true
}

func (r *reader) level() string {
	switch s := strings.ToLower(r.text(32)); s {
	case LevelFatal, LevelError, LevelWarning, LevelInfo, LevelDebug:
		return s
	case "critical", "crit", "alert", "emergency", "panic":
		return LevelFatal
	case "warn":
		return LevelWarning
	case "log", "notice", "information", "success":
		return LevelInfo
	case "trace", "verbose":
		return LevelDebug
	default:
		return ""
	}
}

// message reads a text or the object that logentry usually is.
func (p *eventParser) message() {
	if p.peek() == '{' {
		if m := p.logentry(); p.e.Message.Text() == "" {
			p.e.Message = m
		}
		return
	}
	p.oldMessage = p.text(maxMessage)
}

func (r *reader) logentry() Message {
	var m Message
	r.open('{')
	for r.key() {
		switch r.k {
		case "message":
			m.Template = r.text(maxMessage)
		case "formatted":
			m.Formatted = r.text(maxMessage)
		case "params":
			b := &budget{maxContext}
			switch v := r.free(b, 2).(type) {
			case []any:
				m.Params = v
			case map[string]any:
				m.Params = []any{v}
			}
		default:
			r.skip()
		}
	}
	if len(m.Params) == 0 {
		m.Params = nil
	}
	return m
}

func (r *reader) fingerprint() []string {
	if c := r.peek(); c != '[' {
		if s := r.text(maxShort); s != "" {
			return []string{s}
		}
		return nil
	}
	r.open('[')
	var parts []string
	for r.elem() {
		if s := r.text(maxShort); len(parts) < maxPairs && s != "" {
			parts = append(parts, s)
		}
	}
	return parts
}

// tags reads an object or a list of pairs, drops empty ones, and keeps the
// last of each key at its first place.
func (r *reader) tags() []Pair {
	pairs := r.pairs(maxTags, maxTagKey, maxTagValue)
	out := pairs[:0]
next:
	for _, p := range pairs {
		p.Value = strings.TrimSpace(p.Value)
		if p.Value == "" {
			continue
		}
		if strings.IndexByte(p.Value, '\n') >= 0 {
			p.Value = strings.ReplaceAll(p.Value, "\n", " ")
		}
		for i := range out {
			if out[i].Key == p.Key {
				out[i].Value = p.Value
				continue next
			}
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// clientErrors reads [{"type":…,"name":…,"value":…}].
func (p *eventParser) clientErrors() {
	if !p.open('[') {
		return
	}
	for p.elem() {
		var kind, name string
		if p.peek() != '{' {
			kind = p.text(maxShort)
		} else {
			p.open('{')
			for p.key() {
				switch p.k {
				case "type":
					kind = p.short()
				case "name":
					name = p.short()
				default:
					p.skip()
				}
			}
		}
		if kind == "" || len(p.e.Errors) >= maxErrors {
			continue
		}
		if name != "" {
			kind += " in " + name
		}
		p.e.Errors = append(p.e.Errors, fmt.Sprintf("The client reports %s.", kind))
	}
}
