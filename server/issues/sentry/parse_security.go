package sentry

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxReports bounds an array of the Reporting API.
const maxReports = 50

// ParseSecurity reads the body of the security endpoint (one report or an
// array of them) and gives an event for each.
func ParseSecurity(raw []byte, received time.Time) ([]Event, error) {
	r := &reader{s: string(raw)}
	var out []Event
	r.values(func() {
		if e, ok := r.securityEvent(); ok && len(out) < maxReports {
			e.Timestamp, e.Received = received.UTC(), received.UTC()
			out = append(out, e)
		}
	})
	if err := r.end(); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, &MalformedError{Reason: "the body is no security report"}
	}
	return out, nil
}

// securityEvent tells the kinds apart by their members.
func (r *reader) securityEvent() (Event, bool) {
	var s SecurityReport
	var kind, agent string
	r.open('{')
	for r.key() {
		switch r.k {
		case "csp-report":
			s.Kind = TypeCSP
			r.securityFields(&s)
		case "expect-ct-report":
			s.Kind = TypeExpectCT
			r.securityFields(&s)
		case "type":
			kind = r.text(64)
		case "user_agent":
			agent = r.text(maxPath)
		case "body":
			r.securityFields(&s)
		case "known-pins", "served-certificate-chain":
			s.Kind = TypeHPKP
			r.skip()
		default:
			r.securityField(&s)
		}
	}
	switch {
	case kind == "csp-violation" || s.Kind == TypeCSP:
		s.Kind = TypeCSP
	case s.Kind == "":
		return Event{}, false
	}
	s.BlockedHost = blockedHost(s.BlockedURI)
	// "script-src-elem https://… 'self'" of old browsers: the directive is the word.
	s.Directive, _, _ = strings.Cut(s.Directive, " ")
	e := Event{Type: s.Kind, Platform: "other", Level: LevelError, Environment: "production", Logger: s.Kind, Security: &s}
	e.Message.Formatted = s.sentence()
	e.Request = &Request{URL: s.DocumentURI}
	if s.Referrer != "" {
		e.Request.Headers = append(e.Request.Headers, Pair{"Referer", s.Referrer})
	}
	if agent != "" {
		e.Request.Headers = append(e.Request.Headers, Pair{"User-Agent", agent})
	}
	splitURL(e.Request)
	e.Tags = s.tags()
	return e, true
}

func (r *reader) securityFields(s *SecurityReport) {
	if !r.open('{') {
		return
	}
	for r.key() {
		r.securityField(s)
	}
}

// securityField knows the names of report-uri (dashes) and of the Reporting
// API (camel case).
func (r *reader) securityField(s *SecurityReport) {
	switch r.k {
	case "document-uri", "documentURL":
		s.DocumentURI = r.text(2048)
	case "referrer":
		s.Referrer = r.text(2048)
	case "effective-directive", "effectiveDirective":
		s.Directive = r.short()
	case "violated-directive":
		if d := r.short(); s.Directive == "" {
			s.Directive = d
		}
	case "blocked-uri", "blockedURL":
		s.BlockedURI = r.text(2048)
	case "original-policy", "originalPolicy":
		s.Policy = r.text(maxBody)
	case "disposition":
		s.Disposition = r.short()
	case "source-file", "sourceFile":
		s.SourceFile = r.text(2048)
	case "line-number", "lineNumber":
		s.Line = r.count()
	case "column-number", "columnNumber":
		s.Column = r.count()
	case "status-code", "statusCode":
		s.StatusCode = r.count()
	case "script-sample", "sample":
		s.Sample = r.short()
	case "hostname":
		s.Hostname = r.short()
	default:
		r.skip()
	}
}

func (s *SecurityReport) sentence() string {
	switch s.Kind {
	case TypeExpectCT:
		return fmt.Sprintf("Expect-CT failed for '%s'", s.Hostname)
	case TypeHPKP:
		return fmt.Sprintf("Public key pinning validation failed for '%s'", s.Hostname)
	}
	what := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(s.Directive, "-elem"), "-attr"), "-src")
	if what == "" || what == "default" {
		what = "resource"
	}
	if s.BlockedHost == "" {
		return fmt.Sprintf("Blocked unsafe '%s'", what)
	}
	return fmt.Sprintf("Blocked '%s' from '%s'", what, s.BlockedHost)
}

func (s *SecurityReport) tags() []Pair {
	var tags []Pair
	for _, p := range []Pair{{"effective-directive", s.Directive}, {"blocked-uri", s.BlockedURI}, {"hostname", s.Hostname}} {
		if p.Value != "" {
			tags = append(tags, Pair{p.Key, cut(p.Value, maxTagValue)})
		}
	}
	return tags
}

// blockedHost names what was blocked: a host, or the browser's word for it
// (inline, eval, data, blob, self).
func blockedHost(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return cut(uri, maxShort)
	}
	switch {
	case u.Host != "":
		return strings.ToLower(u.Host)
	case u.Scheme != "":
		return u.Scheme + ":"
	}
	return uri
}

// MinidumpEvent joins the form fields of a minidump upload ("sentry", cut into
// "sentry__1", "sentry__2" …, or "sentry[release]") to one JSON event.
func MinidumpEvent(fields map[string][]string) []byte {
	first := func(name string) string {
		if v := fields[name]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	if whole := first("sentry"); strings.HasPrefix(strings.TrimSpace(whole), "{") {
		return []byte(whole)
	}
	var b strings.Builder
	for n := 1; n <= 100; n++ {
		part := first(fmt.Sprintf("sentry__%d", n))
		if part == "" {
			break
		}
		b.WriteString(part)
	}
	if b.Len() > 0 {
		return []byte(b.String())
	}
	return bracketFields(fields)
}

// bracketFields builds {"tags":{"a":"b"}} from "sentry[tags][a]" = "b".
func bracketFields(fields map[string][]string) []byte {
	root := map[string]any{}
	names := slices.Sorted(maps.Keys(fields))
	for _, name := range names[:min(len(names), 1000)] {
		rest, ok := strings.CutPrefix(name, "sentry[")
		if !ok || !strings.HasSuffix(rest, "]") || len(fields[name]) == 0 {
			continue
		}
		path := strings.Split(strings.TrimSuffix(rest, "]"), "][")
		if len(path) > maxDepth {
			continue
		}
		at := root
		for _, part := range path[:len(path)-1] {
			next, ok := at[part].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[part] = next
			}
			at = next
		}
		at[path[len(path)-1]] = fields[name][0]
	}
	raw, err := json.Marshal(root)
	if err != nil { // cannot be: maps of strings
		return []byte("{}")
	}
	return raw
}
