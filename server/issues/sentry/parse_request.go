package sentry

import (
	"net/url"
	"strings"
)

func (r *reader) user() User {
	var u User
	if !r.open('{') {
		return u
	}
	b := &budget{maxContext}
	data := map[string]any{}
	for r.key() {
		switch k := r.k; k {
		case "id":
			u.ID = r.short()
		case "username":
			u.Username = r.short()
		case "email":
			u.Email = r.short()
		case "name":
			u.Name = r.short()
		case "ip_address":
			u.IPAddress = strings.TrimSpace(r.text(64))
		case "geo":
			u.Geo = r.object(maxContext)
		case "data":
			for k, v := range r.object(maxContext) {
				data[k] = v
			}
		default: // what people add themselves ("plan", "segment")
			if v := r.free(b, maxDepth-1); v != nil && len(data) < maxPairs {
				data[cut(k, maxShort)] = v
			}
		}
	}
	if len(data) > 0 {
		u.Data = data
	}
	return u
}

func (r *reader) request() *Request {
	if !r.open('{') {
		return nil
	}
	q := &Request{}
	for r.key() {
		switch r.k {
		case "method":
			q.Method = strings.ToUpper(r.text(32))
		case "url":
			q.URL = r.text(2048)
		case "fragment":
			q.Fragment = r.short()
		case "query_string", "query":
			q.Query = r.query()
		case "data", "body":
			q.Data = r.body()
		case "cookies":
			q.Cookies = r.cookies()
		case "headers":
			q.Headers = r.pairs(maxPairs, maxShort, 1024)
		case "env":
			q.Env = r.object(maxContext)
		default:
			r.skip()
		}
	}
	splitURL(q)
	return q
}

// splitURL moves the query and the fragment out of the URL, so that each is
// shown and scrubbed once.
func splitURL(q *Request) {
	if before, fragment, ok := strings.Cut(q.URL, "#"); ok {
		q.URL = before
		if q.Fragment == "" {
			q.Fragment = cut(fragment, maxShort)
		}
	}
	if before, query, ok := strings.Cut(q.URL, "?"); ok {
		q.URL = before
		if len(q.Query) == 0 {
			q.Query = parseQuery(query)
		}
	}
}

// query reads a query string in any of its shapes: text, object, pairs.
func (r *reader) query() []Pair {
	if r.peek() == '"' {
		return parseQuery(r.str(maxBody))
	}
	return r.pairs(maxPairs, maxShort, 2048)
}

// parseQuery splits "a=1&b=2"; what cannot be unescaped stays as it is.
func parseQuery(s string) []Pair {
	var out []Pair
	for part := range strings.SplitSeq(strings.TrimPrefix(s, "?"), "&") {
		if part == "" || len(out) >= maxPairs {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		out = append(out, Pair{cleanText(unescapeQuery(k), maxShort), cleanText(unescapeQuery(v), 2048)})
	}
	return out
}

func unescapeQuery(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

// body keeps structure when there is some.
func (r *reader) body() any {
	if r.peek() == '"' {
		if s := r.str(maxBody); s != "" {
			return s
		}
		return nil
	}
	switch v := r.free(&budget{maxBody}, maxDepth).(type) {
	case map[string]any:
		if len(v) > 0 {
			return v
		}
	case []any:
		if len(v) > 0 {
			return v
		}
	default:
		return v
	}
	return nil
}

func (r *reader) cookies() []Pair {
	if r.peek() != '"' {
		return r.pairs(maxPairs, maxShort, 1024)
	}
	var out []Pair
	for part := range strings.SplitSeq(r.str(maxBody), ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		if k != "" && len(out) < maxPairs {
			out = append(out, Pair{cut(k, maxShort), cut(v, 1024)})
		}
	}
	return out
}

// contexts reads the named objects; trace and feedback are also fields of the
// event.
func (p *eventParser) contexts() {
	if !p.open('{') {
		return
	}
	all := map[string]map[string]any{}
	for p.key() {
		name := cut(p.k, maxShort)
		if len(all) >= maxPairs {
			p.trimmed = true
			p.skip()
			continue
		}
		if name == "feedback" && p.peek() == '{' {
			p.e.Feedback = p.feedback()
			continue
		}
		if m := p.context(); m != nil {
			all[name] = m
		}
	}
	if trace := all["trace"]; trace != nil {
		p.e.TraceID, _ = trace["trace_id"].(string)
		p.e.SpanID, _ = trace["span_id"].(string)
	}
	if len(all) > 0 {
		p.e.Contexts = all
	}
}

func (r *reader) context() map[string]any {
	if r.peek() == '{' {
		return r.object(maxContext)
	}
	v := r.free(&budget{maxContext}, maxDepth)
	if v == nil {
		return nil
	}
	return map[string]any{"value": v}
}

func (p *eventParser) feedback() *Feedback {
	f := &Feedback{}
	p.open('{')
	for p.key() {
		switch p.k {
		case "message":
			f.Message = p.text(maxMessage)
		case "name":
			f.Name = p.short()
		case "contact_email", "email":
			f.Email = p.short()
		case "url":
			f.URL = p.text(2048)
		case "source":
			f.Source = p.short()
		case "associated_event_id":
			f.EventID = normalID(p.text(64))
		default:
			p.skip()
		}
	}
	return f
}

func (p *eventParser) extra() {
	if !p.open('{') {
		return
	}
	all := map[string]any{}
	left := maxExtra
	for p.key() {
		if len(all) >= 4*maxPairs || left <= 0 {
			p.trimmed = true
			p.skip()
			continue
		}
		k := cut(p.k, maxShort)
		b := &budget{min(maxExtraItem, left)}
		was := b.left
		all[k] = p.free(b, maxDepth)
		left -= was - b.left + len(k)
	}
	if len(all) > 0 {
		p.e.Extra = all
	}
}

func (r *reader) sdk() SDK {
	var s SDK
	if !r.open('{') {
		return s
	}
	for r.key() {
		switch r.k {
		case "name":
			s.Name = r.short()
		case "version":
			s.Version = r.short()
		case "integrations":
			s.Integrations = r.names(100)
		case "packages":
			r.values(func() {
				if name := r.namedVersion(); name != "" && len(s.Packages) < maxPairs {
					s.Packages = append(s.Packages, name)
				}
			})
		default:
			r.skip()
		}
	}
	return s
}

// namedVersion reads {"name":…,"version":…} as "name@version".
func (r *reader) namedVersion() string {
	var name, version string
	r.open('{')
	for r.key() {
		switch r.k {
		case "name":
			name = r.short()
		case "version":
			version = r.short()
		default:
			r.skip()
		}
	}
	if version != "" && name != "" {
		return name + "@" + version
	}
	return name
}

func (r *reader) names(most int) []string {
	if !r.open('[') {
		return nil
	}
	var out []string
	for r.elem() {
		if s := r.short(); s != "" && len(out) < most {
			if out == nil {
				out = make([]string, 0, 16)
			}
			out = append(out, s)
		}
	}
	return out
}

func (r *reader) modules() map[string]string {
	if !r.open('{') {
		return nil
	}
	m := make(map[string]string)
	for r.key() {
		k := cut(r.k, maxShort)
		if v := r.short(); len(m) < maxModules {
			m[k] = v
		} else {
			r.trimmed = true
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

func (r *reader) debugMeta() []DebugImage {
	var out []DebugImage
	if !r.open('{') {
		return nil
	}
	for r.key() {
		if r.k != "images" {
			r.skip()
			continue
		}
		r.values(func() {
			image := r.debugImage()
			if len(out) < maxImages {
				out = append(out, image)
			} else {
				r.trimmed = true
			}
		})
	}
	return out
}

func (r *reader) debugImage() DebugImage {
	var d DebugImage
	r.open('{')
	for r.key() {
		switch r.k {
		case "type":
			d.Type = r.short()
		case "code_file", "name":
			if s := r.text(maxPath); s != "" {
				d.CodeFile = s
			}
		case "debug_file":
			d.DebugFile = r.text(maxPath)
		case "debug_id", "uuid", "id":
			if s := r.text(64); s != "" {
				d.DebugID = NormalDebugID(s)
			}
		case "code_id":
			d.CodeID = r.text(64)
		case "arch":
			d.Arch = r.short()
		case "image_addr":
			d.Address = r.address()
		case "image_size":
			d.Size = r.integer()
		default:
			r.skip()
		}
	}
	return d
}

// breadcrumbs keeps the last ones.
func (r *reader) breadcrumbs() []Breadcrumb {
	var out []Breadcrumb
	r.values(func() {
		c := r.breadcrumb()
		if len(out) >= maxCrumbs {
			copy(out, out[1:])
			out = out[:maxCrumbs-1]
			r.trimmed = true
		}
		out = append(out, c)
	})
	return out
}

func (r *reader) breadcrumb() Breadcrumb {
	var c Breadcrumb
	r.open('{')
	for r.key() {
		switch r.k {
		case "timestamp":
			c.Timestamp = r.when()
		case "type":
			c.Type = r.short()
		case "category":
			c.Category = r.short()
		case "level":
			c.Level = r.level()
		case "message":
			c.Message = r.text(2048)
		case "event_id":
			c.EventID = normalID(r.text(64))
		case "data":
			c.Data = r.object(maxCrumbData)
		default:
			r.skip()
		}
	}
	return c
}
