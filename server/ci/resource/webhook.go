package resource

import (
	"archive/tar"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// webhookType sends one HTTP request when something is put.
type webhookType struct{ opts Options }

// webhookCall is a request to send.
type webhookCall struct {
	web     webSettings
	url     string
	method  string
	headers http.Header
	body    string
	user    string
	secret  string
}

var errNoAddress = errors.New("source.url is missing. Add it, or params.url")

func (t webhookType) source(req Request) (webhookCall, *fields) {
	f := sourceOf(req)
	f.only("url", "method", "headers", "username", "password", "token", "skip_ssl_verification", "ca_certs")
	c := webhookCall{
		url: f.text("url"), method: f.text("method"), headers: http.Header{},
		user: f.text("username"), secret: f.text("password"),
		web: webSettings{insecure: f.boolean("skip_ssl_verification"), certificates: f.texts("ca_certs")},
	}
	addHeaders(f, c.headers)
	if token := f.text("token"); token != "" {
		c.headers.Set("Authorization", "Bearer "+token)
		c.web.secrets = append(c.web.secrets, token)
	}
	if c.url != "" {
		checkAddress(f, "url", c.url)
	}
	return c, f
}

// checkAddress refuses what is no address of a web service, without repeating it: it
// may hold a token.
func checkAddress(f *fields, key, address string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		f.fail(key, "is not the address of a web service. Write it like https://example.com/path.")
	}
}

func addHeaders(f *fields, into http.Header) {
	for name, value := range f.object("headers") {
		text, ok := value.(string)
		if !ok || !headerName(name) {
			f.fail("headers", "must be a map of header names to strings. Correct it in the pipeline.")
			return
		}
		into.Set(name, text)
	}
}

func headerName(name string) bool {
	for _, r := range name {
		if r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return name != ""
}

// Check echoes the version it is given: only puts make versions.
func (t webhookType) Check(_ context.Context, req Request) ([]Version, error) {
	if _, f := t.source(req); f.err != nil {
		return nil, f.err
	}
	return echo(req.Version), nil
}

func echo(known Version) []Version {
	if known == nil {
		return []Version{}
	}
	return []Version{known}
}

// Get writes the version as a file: there is nothing to fetch.
func (t webhookType) Get(ctx context.Context, req Request) (Result, error) {
	if _, f := t.source(req); f.err != nil {
		return Result{}, f.err
	}
	return getVersionFile(ctx, req)
}

func getVersionFile(ctx context.Context, req Request) (Result, error) {
	data, err := json.Marshal(req.Version)
	if err != nil {
		return Result{}, err
	}
	err = fill(ctx, req.Executor, req.Dest, func(out *tar.Writer) error { return addFile(out, "version.json", data) })
	return Result{Version: req.Version}, err
}

// Put sends the request. A repetition carries the same Idempotency-Key.
func (t webhookType) Put(ctx context.Context, req Request) (Result, error) {
	c, err := t.call(ctx, req)
	if err != nil {
		return Result{}, err
	}
	// Addresses of hooks are passwords more often than not.
	if u, err := url.Parse(c.url); err == nil && len(u.RequestURI()) > 1 {
		c.web.secrets = append(c.web.secrets, u.RequestURI())
	}
	c.web.secrets = append(c.web.secrets, c.secret)
	c.web.authorize = c.authorize()
	w, err := newWeb(t.opts, req, "the receiver", c.web)
	if err != nil {
		return Result{}, err
	}
	defer w.close()
	x := exchange{method: c.method, url: c.url, header: c.headers, again: true}
	if c.body != "" {
		x.body = []byte(c.body)
	}
	a, err := w.do(ctx, x)
	if err != nil {
		return Result{}, failed(ctx, req, "out", err)
	}
	status := strconv.Itoa(a.status)
	if _, err := fmt.Fprintf(req.Log, "the receiver answered %s\n", status); err != nil {
		return Result{}, err
	}
	return Result{
		Version:  Version{"timestamp": t.opts.now().UTC().Format(time.RFC3339Nano)},
		Metadata: []Field{{Name: "status", Value: status}},
	}, nil
}

// authorize adds the password for the call's own host only.
func (c webhookCall) authorize() func(*http.Request) {
	u, err := url.Parse(c.url)
	if err != nil || c.user == "" && c.secret == "" {
		return nil
	}
	return func(r *http.Request) {
		if r.URL.Scheme == u.Scheme && r.URL.Host == u.Host {
			r.SetBasicAuth(c.user, c.secret)
		}
	}
}

// call joins source and params; what the params say wins.
func (t webhookType) call(ctx context.Context, req Request) (webhookCall, error) {
	c, sf := t.source(req)
	f := paramsOf(req)
	f.only("url", "method", "headers", "body", "body_file", "json")
	if own := f.text("url"); own != "" {
		c.url = expand(own, req.Env, nil)
		checkAddress(f, "url", c.url)
	}
	c.method = cmp.Or(f.text("method"), c.method, http.MethodPost)
	if !headerName(c.method) {
		f.fail("method", "is not the name of a method. Write one like POST.")
	}
	addHeaders(f, c.headers)
	body, file := f.text("body"), f.text("body_file")
	given := 0
	for _, is := range []bool{body != "", file != "", f.values["json"] != nil} {
		if is {
			given++
		}
	}
	if given > 1 {
		f.fail("body", "can stand only once: keep one of it, params.body_file and params.json.")
	}
	if err := errors.Join(sf.err, f.err); err != nil {
		return c, err
	}
	if c.url == "" {
		return c, errNoAddress
	}
	if c.headers.Get("Idempotency-Key") == "" {
		c.headers.Set("Idempotency-Key", string(req.Container))
	}
	return c, c.fillBody(ctx, req, f, body)
}

func (c *webhookCall) fillBody(ctx context.Context, req Request, f *fields, body string) error {
	replace := func(text string) string { return expand(text, req.Env, nil) }
	for name, values := range c.headers {
		c.headers.Set(name, replace(values[0]))
	}
	c.body = replace(body)
	kind := "text/plain; charset=utf-8"
	if value := f.values["json"]; value != nil {
		data, err := json.Marshal(expandAll(value, replace))
		if err != nil {
			return fmt.Errorf("params.json: %w", err)
		}
		c.body, kind = string(data), "application/json"
	}
	// A file is sent as it is: a build wrote it, with its own variables if it wanted.
	text, err := paramFile(ctx, req, f, "body_file")
	if err != nil {
		return failed(ctx, req, "out", err)
	}
	if text != "" {
		c.body = text
	}
	if json.Valid([]byte(c.body)) {
		kind = "application/json"
	}
	if c.body != "" && c.headers.Get("Content-Type") == "" {
		c.headers.Set("Content-Type", kind)
	}
	return nil
}
