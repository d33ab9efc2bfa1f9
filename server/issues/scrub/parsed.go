package scrub

import "github.com/signalbox/signalbox/server/issues/sentry"

// parsed walks over an event's fields in the paths of its stored form.
type parsed struct{ *run }

func (p parsed) event(e *sentry.Event) {
	p.field("culprit", &e.Culprit)
	p.field("transaction", &e.Transaction)
	p.push("message")
	p.field("template", &e.Message.Template)
	p.field("formatted", &e.Message.Formatted)
	p.push("params")
	for i := range e.Message.Params {
		p.pushIndex(i)
		e.Message.Params[i] = p.any(e.Message.Params[i])
		p.pop()
	}
	p.pop()
	p.pop()
	p.pairs("tags", e.Tags)
	p.user(&e.User)
	p.request(e.Request)
	p.push("contexts")
	for name, m := range e.Contexts {
		// A context's name is a key as well: contexts.session, contexts.auth.
		if left, done := p.context(name, m); done {
			e.Contexts[name] = left
		}
	}
	p.pop()
	p.mappingAt("extra", e.Extra)
	p.exceptions(e)
	for i := range e.Breadcrumbs {
		p.push("breadcrumbs")
		p.pushIndex(i)
		p.field("message", &e.Breadcrumbs[i].Message)
		p.mappingAt("data", e.Breadcrumbs[i].Data)
		p.pop()
		p.pop()
	}
	for i := range e.Spans {
		p.push("spans")
		p.pushIndex(i)
		p.field("name", &e.Spans[i].Name)
		p.mappingAt("attributes", e.Spans[i].Attributes)
		p.pop()
		p.pop()
	}
	p.reports(e)
}

// field scrubs a text field; its name is a key like any other.
func (p parsed) field(name string, text *string) {
	if *text == "" {
		return
	}
	v, done := p.member(name, *text)
	if !done {
		return
	}
	*text, _ = v.(string) // nil drops it
}

func (p parsed) mappingAt(name string, m map[string]any) {
	if len(m) == 0 {
		return
	}
	p.push(name)
	if !p.isSafe(name) {
		p.mapping(m)
	}
	p.pop()
}

func (p parsed) pairs(name string, pairs []sentry.Pair) {
	p.push(name)
	for i := range pairs {
		p.pushIndex(i)
		p.field(pairs[i].Key, &pairs[i].Value)
		p.pop()
	}
	p.pop()
}

func (p parsed) user(u *sentry.User) {
	p.push("user")
	p.field("id", &u.ID)
	p.field("username", &u.Username)
	p.field("email", &u.Email)
	p.field("name", &u.Name)
	p.field("ip_address", &u.IPAddress)
	p.mappingAt("geo", u.Geo)
	p.mappingAt("data", u.Data)
	p.pop()
}

func (p parsed) request(q *sentry.Request) {
	if q == nil {
		return
	}
	p.push("request")
	p.field("url", &q.URL)
	p.field("fragment", &q.Fragment)
	p.pairs("query", q.Query)
	p.pairs("headers", q.Headers)
	p.push("cookies")
	for i := range q.Cookies {
		p.pushIndex(i)
		if !p.rules.NoDefaults {
			if p.cookie(q.Cookies[i].Key, q.Cookies[i].Value) {
				q.Cookies[i].Value = Filtered
			}
		} else {
			p.field(q.Cookies[i].Key, &q.Cookies[i].Value)
		}
		p.pop()
	}
	p.pop()
	if q.Data != nil {
		if v, done := p.member("data", q.Data); done {
			q.Data = v
		}
	}
	p.mappingAt("env", q.Env)
	p.pop()
}

func (p parsed) exceptions(e *sentry.Event) {
	for i := range e.Exceptions {
		x := &e.Exceptions[i]
		p.push("exceptions")
		p.pushIndex(i)
		p.push("value")
		x.Value = p.text(x.Value)
		p.pop()
		if m := x.Mechanism; m != nil {
			p.push("mechanism")
			p.push("description")
			m.Description = p.text(m.Description)
			p.pop()
			p.mappingAt("data", m.Data)
			p.pop()
		}
		p.stack("stack", x.Stack)
		p.stack("raw_stack", x.RawStack)
		p.pop()
		p.pop()
	}
	for i := range e.Threads {
		p.push("threads")
		p.pushIndex(i)
		p.stack("stack", e.Threads[i].Stack)
		p.pop()
		p.pop()
	}
	p.stack("stack", e.Stack)
}

func (p parsed) stack(name string, s *sentry.Stack) {
	if s == nil {
		return
	}
	p.push(name)
	p.push("frames")
	for i := range s.Frames {
		f := &s.Frames[i]
		p.pushIndex(i)
		p.mappingAt("vars", f.Vars)
		if len(p.patterns) > 0 {
			p.sourceAt("context", &f.Context)
			p.sourcesAt("pre_context", f.PreContext)
			p.sourcesAt("post_context", f.PostContext)
		}
		p.pop()
	}
	p.pop()
	p.pop()
}

func (p parsed) sourceAt(name string, line *string) {
	p.push(name)
	*line = p.source(*line)
	p.pop()
}

func (p parsed) sourcesAt(name string, lines []string) {
	p.push(name)
	for i := range lines {
		p.pushIndex(i)
		lines[i] = p.source(lines[i])
		p.pop()
	}
	p.pop()
}

func (p parsed) reports(e *sentry.Event) {
	if f := e.Feedback; f != nil {
		p.push("feedback")
		p.field("message", &f.Message)
		p.field("name", &f.Name)
		p.field("email", &f.Email)
		p.field("url", &f.URL)
		p.pop()
	}
	if s := e.Security; s != nil {
		p.push("security")
		p.field("document_uri", &s.DocumentURI)
		p.field("referrer", &s.Referrer)
		p.field("blocked_uri", &s.BlockedURI)
		p.field("source_file", &s.SourceFile)
		p.field("sample", &s.Sample)
		p.pop()
	}
}
