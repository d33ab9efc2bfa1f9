package sentry

func (w *writer) event(e *Event) {
	w.open('{')
	w.always("event_id", e.ID)
	w.always("type", e.Type)
	w.time("timestamp", e.Timestamp)
	w.time("received", e.Received)
	if !e.Started.IsZero() {
		w.time("started", e.Started)
	}
	w.integer("clock_drift", int64(e.ClockDrift))
	w.always("platform", e.Platform)
	w.always("level", e.Level)
	w.text("logger", e.Logger)
	w.text("transaction", e.Transaction)
	w.text("transaction_source", e.TransactionSource)
	w.text("server_name", e.ServerName)
	w.text("release", e.Release)
	w.text("dist", e.Dist)
	w.always("environment", e.Environment)
	w.text("culprit", e.Culprit)
	w.message(&e.Message)
	w.pairs("tags", e.Tags)
	w.user(&e.User)
	w.request(e.Request)
	if len(e.Contexts) > 0 {
		w.name("contexts")
		sortedMembers(w, e.Contexts, (*writer).mapping)
		w.comma()
	}
	w.object("extra", e.Extra)
	list(w, "exceptions", e.Exceptions, (*writer).exception)
	list(w, "threads", e.Threads, (*writer).thread)
	list(w, "breadcrumbs", e.Breadcrumbs, (*writer).breadcrumb)
	w.texts("fingerprint", e.Fingerprint)
	w.sdk(&e.SDK)
	if len(e.Modules) > 0 {
		w.name("modules")
		sortedMembers(w, e.Modules, (*writer).str)
		w.comma()
	}
	list(w, "debug_images", e.DebugImages, (*writer).debugImage)
	w.texts("errors", e.Errors)
	w.text("trace_id", e.TraceID)
	w.text("span_id", e.SpanID)
	if e.Feedback != nil {
		w.member("feedback", e.Feedback)
	}
	if e.Security != nil {
		w.member("security", e.Security)
	}
	w.stack("stack", e.Stack)
	if len(e.Spans) > 0 {
		w.member("spans", e.Spans)
	}
	w.object("measurements", e.Measurements)
	w.closing('}')
}

func (w *writer) message(m *Message) {
	if m.Template == "" && m.Formatted == "" && m.Params == nil {
		return
	}
	w.name("message")
	w.open('{')
	w.text("template", m.Template)
	w.text("formatted", m.Formatted)
	list(w, "params", m.Params, func(w *writer, v *any) { w.value(*v) })
	w.closing('}')
	w.comma()
}

func (w *writer) user(u *User) {
	if u.ID == "" && u.Username == "" && u.Email == "" && u.Name == "" && u.IPAddress == "" && u.Geo == nil && u.Data == nil {
		return
	}
	w.name("user")
	w.open('{')
	w.text("id", u.ID)
	w.text("username", u.Username)
	w.text("email", u.Email)
	w.text("name", u.Name)
	w.text("ip_address", u.IPAddress)
	w.object("geo", u.Geo)
	w.object("data", u.Data)
	w.closing('}')
	w.comma()
}

func (w *writer) request(r *Request) {
	if r == nil {
		return
	}
	w.name("request")
	w.open('{')
	w.text("method", r.Method)
	w.text("url", r.URL)
	w.pairs("query", r.Query)
	w.text("fragment", r.Fragment)
	if r.Data != nil {
		w.name("data")
		w.value(r.Data)
		w.comma()
	}
	w.pairs("cookies", r.Cookies)
	w.pairs("headers", r.Headers)
	w.object("env", r.Env)
	w.closing('}')
	w.comma()
}

func (w *writer) exception(x *Exception) {
	w.open('{')
	w.text("type", x.Type)
	w.text("value", x.Value)
	w.text("module", x.Module)
	w.text("thread_id", x.ThreadID)
	w.mechanism(x.Mechanism)
	w.stack("stack", x.Stack)
	w.stack("raw_stack", x.RawStack)
	w.closing('}')
}

func (w *writer) mechanism(m *Mechanism) {
	if m == nil {
		return
	}
	w.name("mechanism")
	w.open('{')
	w.text("type", m.Type)
	if m.Handled != nil {
		w.truth("handled", *m.Handled)
	}
	w.yes("synthetic", m.Synthetic)
	w.text("source", m.Source)
	w.text("description", m.Description)
	w.text("help_link", m.HelpLink)
	w.number("exception_id", m.ExceptionID)
	w.number("parent_id", m.ParentID)
	w.yes("is_exception_group", m.IsGroup)
	w.object("data", m.Data)
	w.closing('}')
	w.comma()
}

func (w *writer) stack(name string, s *Stack) {
	if s == nil {
		return
	}
	w.name(name)
	w.open('{')
	if s.Frames == nil {
		w.b = append(w.b, `"frames":null,`...)
	} else {
		elements(w, "frames", s.Frames, (*writer).frame)
	}
	w.integer("omitted", int64(s.Omitted))
	w.integer("omitted_at", int64(s.OmittedAt))
	w.closing('}')
	w.comma()
}

func (w *writer) frame(f *Frame) {
	w.open('{')
	w.text("filename", f.Filename)
	w.text("abs_path", f.AbsPath)
	w.text("module", f.Module)
	w.text("function", f.Function)
	w.text("package", f.Package)
	w.text("platform", f.Platform)
	w.integer("line", int64(f.Line))
	w.integer("column", int64(f.Column))
	w.truth("in_app", f.InApp)
	w.text("context", f.Context)
	w.texts("pre_context", f.PreContext)
	w.texts("post_context", f.PostContext)
	w.object("vars", f.Vars)
	w.text("instruction_addr", f.Address)
	w.text("symbol_addr", f.Symbol)
	if m := f.Minified; m != nil {
		w.name("minified")
		w.open('{')
		w.text("filename", m.Filename)
		w.text("abs_path", m.AbsPath)
		w.text("function", m.Function)
		w.integer("line", int64(m.Line))
		w.integer("column", int64(m.Column))
		w.closing('}')
		w.comma()
	}
	w.text("unmapped", f.Unmapped)
	w.closing('}')
}

func (w *writer) thread(t *Thread) {
	w.open('{')
	w.text("id", t.ID)
	w.text("name", t.Name)
	w.text("state", t.State)
	w.yes("crashed", t.Crashed)
	w.yes("current", t.Current)
	w.stack("stack", t.Stack)
	w.closing('}')
}

func (w *writer) breadcrumb(b *Breadcrumb) {
	w.open('{')
	if !b.Timestamp.IsZero() {
		w.time("timestamp", b.Timestamp)
	}
	w.text("type", b.Type)
	w.text("category", b.Category)
	w.text("level", b.Level)
	w.text("message", b.Message)
	w.text("event_id", b.EventID)
	w.object("data", b.Data)
	w.closing('}')
}

func (w *writer) sdk(s *SDK) {
	if s.Name == "" && s.Version == "" && s.Integrations == nil && s.Packages == nil {
		return
	}
	w.name("sdk")
	w.open('{')
	w.text("name", s.Name)
	w.text("version", s.Version)
	w.texts("integrations", s.Integrations)
	w.texts("packages", s.Packages)
	w.closing('}')
	w.comma()
}

func (w *writer) debugImage(d *DebugImage) {
	w.open('{')
	w.text("type", d.Type)
	w.text("code_file", d.CodeFile)
	w.text("debug_file", d.DebugFile)
	w.text("debug_id", d.DebugID)
	w.text("code_id", d.CodeID)
	w.text("arch", d.Arch)
	w.text("image_addr", d.Address)
	w.integer("image_size", d.Size)
	w.closing('}')
}
