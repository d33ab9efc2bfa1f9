package issues

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// encode compresses as a Content-Encoding says.
func encode(t testing.TB, encoding string, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch encoding {
	case "", "identity":
		return body
	case "gzip":
		w = gzip.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	case "deflate-raw":
		w, err = flate.NewWriter(&out, 5)
	case "br":
		w = brotli.NewWriter(&out)
	case "zstd":
		w, err = zstd.NewWriter(&out)
	default:
		t.Fatalf("cannot encode %q", encoding)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(body)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestRecordedRequests replays what real clients have sent, compressed as they sent it.
func TestRecordedRequests(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	w.run(t)
	p, first := w.newProject(t, "shop")
	files, err := filepath.Glob("sentry/testdata/requests/*.txt")
	if err != nil || len(files) < 100 {
		t.Fatal(len(files), err)
	}
	known := map[string]bool{first.Public: true}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, body, found := bytes.Cut(raw, []byte("\r\n\r\n"))
		if !found {
			head, body, _ = bytes.Cut(raw, []byte("\n\n"))
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append(head, "\r\n\r\n"...))))
		if err != nil {
			t.Fatal(file, err)
		}
		key := r.URL.Query().Get("sentry_key")
		if key == "" {
			_, after, _ := strings.Cut(r.Header.Get("X-Sentry-Auth"), "sentry_key=")
			key, _, _ = strings.Cut(after, ",")
		}
		if !known[key] {
			known[key] = true
			if _, err := w.insertKey(t.Context(), Key{Project: p.ID, Public: key, Active: true}); err != nil {
				t.Fatal(err)
			}
			w.projects.forget("")
		}
		var header []string
		for name := range r.Header {
			header = append(header, name, r.Header.Get(name))
		}
		a := w.do(r.Method, r.URL.String(), bytes.NewReader(encode(t, r.Header.Get("Content-Encoding"), body)), header...)
		if a.Code != 200 || !strings.Contains(a.Body.String(), `"id":"`) {
			t.Errorf("%s: %s %q", filepath.Base(file), status(a), a.Header().Get("X-Sentry-Error"))
		}
	}
	digested, durable := w.spool.state()
	if durable == 0 {
		t.Fatalf("%d %d", digested, durable)
	}
	until(t, "all are digested", func() bool { d, e := w.spool.state(); return d == e })
	types := map[string]int{}
	for _, a := range c.list() {
		types[a.ItemType]++
		if a.Project != p.ID || a.Team != 1 || a.Key == 0 || a.Client == "" || a.ItemType == "event" && len(a.EventID) != 32 {
			t.Errorf("%+v", a)
		}
	}
	for _, kind := range []string{"event", "transaction", "span", "session", "attachment", "check_in", "feedback"} {
		if types[kind] == 0 {
			t.Errorf("no %s among %v", kind, types)
		}
	}
	if types["log"] != 0 || types["client_report"] != 0 {
		t.Errorf("kept: %v", types)
	}
	out := w.outcome(t, p.ID)
	if out["accepted//error"] == 0 || out["dropped/not_kept/log_item"] == 0 {
		t.Errorf("%v", out)
	}
}

func TestWhoMaySend(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "shop")
	_, foreign := w.newProject(t, "other")
	off := false
	inactive, err := w.CreateKey(w.as(t.Context()), p.ID, "old", nil)
	if err != nil {
		t.Fatal(err)
	}
	w.call(t, "PATCH", "/api/v1/issues/keys/"+inactive.Public, map[string]any{"active": off}, 200, nil)
	body := func(dsn string) string {
		return fmt.Sprintf("{\"event_id\":%q,\"dsn\":%q}\n{\"type\":\"event\"}\n{}\n", newID(), dsn)
	}
	dsn := fmt.Sprintf("https://%s@h.example/%d", k.Public, p.ID)
	for _, c := range []struct {
		name, query, auth, body string
		status                  int
		contains                string
	}{
		{"query", "?sentry_key=" + k.Public, "", body(""), 200, `{"id":"`},
		{"header", "", "Sentry sentry_key=" + k.Public + ", sentry_version=7", body(""), 200, ""},
		{"header without spaces", "", "Sentry sentry_version=7,sentry_key=" + k.Public, body(""), 200, ""},
		{"envelope", "", "", body(dsn), 200, ""},
		{"all three", "?sentry_key=" + k.Public, "Sentry sentry_key=" + k.Public, body(dsn), 200, ""},
		{"header and query differ", "?sentry_key=" + k.Public, "Sentry sentry_key=" + foreign.Public, body(""), 400, "conflicting"},
		{"query and envelope differ", "?sentry_key=" + foreign.Public, "", body(dsn), 403, "bad DSN"},
		{"envelope and query differ", "?sentry_key=" + k.Public, "", body("https://" + foreign.Public + "@h/1"), 400, "conflicting"},
		{"nothing", "", "", body(""), 401, "missing"},
		{"another project's key", "?sentry_key=" + foreign.Public, "", body(""), 403, "bad DSN"},
		{"unknown key", "?sentry_key=" + strings.Repeat("0", 32), "", body(""), 403, "bad DSN"},
		{"inactive key", "?sentry_key=" + inactive.Public, "", body(""), 403, "bad DSN"},
		{"not an envelope, and a stranger", "?sentry_key=x", "", "garbage", 403, "bad DSN"},
	} {
		a := w.do("POST", fmt.Sprintf("/api/%d/envelope/%s", p.ID, c.query), strings.NewReader(c.body), "X-Sentry-Auth", c.auth)
		if a.Code != c.status || !strings.Contains(a.Body.String(), c.contains) {
			t.Errorf("%s: %s", c.name, status(a))
		}
		if a.Header().Get("Access-Control-Allow-Origin") != "*" || a.Code != 200 && a.Header().Get("X-Sentry-Error") == "" {
			t.Errorf("%s: %v", c.name, a.Header())
		}
	}
	// What does not exist looks like what one may not see.
	missing := w.do("POST", "/api/99999/envelope/?sentry_key="+k.Public, strings.NewReader(body("")))
	wrong := w.do("POST", fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", p.ID, foreign.Public), strings.NewReader(body("")))
	if status(missing) != status(wrong) {
		t.Errorf("%s against %s", status(missing), status(wrong))
	}
	for _, path := range []string{"/api/abc/envelope/", "/api/0x1/envelope", "/api/-1/store/", "/api/99999999999999999999/envelope/"} {
		if a := w.do("POST", path+"?sentry_key="+k.Public, strings.NewReader(body(""))); a.Code != 403 {
			t.Errorf("%s: %s", path, status(a))
		}
	}
}

func TestRevokedKeyIsForgottenAtOnce(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	_, k := w.newProject(t, "shop")
	if a := w.send(k, event(newID(), "x")); a.Code != 200 {
		t.Fatal(status(a))
	}
	w.call(t, "DELETE", "/api/v1/issues/keys/"+k.Public, nil, 204, nil)
	until(t, "the key is refused", func() bool { return w.send(k, event(newID(), "x")).Code == 403 })
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	w.run(t)
	_, k := w.newProject(t, "shop")
	n := 0
	for _, encoding := range []string{"", "identity", "gzip", "deflate", "deflate-raw", "br", "zstd"} {
		id := newID()
		name := strings.TrimSuffix(encoding, "-raw")
		for _, contentType := range []string{"application/x-sentry-envelope", "text/plain;charset=UTF-8", "application/json", ""} {
			a := w.do("POST", fmt.Sprintf("/api/%d/envelope?sentry_key=%s", k.Project, k.Public), bytes.NewReader(encode(t, encoding, []byte(event(id, "hé")))),
				"Content-Encoding", name, "Content-Type", contentType)
			if a.Code != 200 || !strings.Contains(a.Body.String(), id) {
				t.Errorf("%s: %s", encoding, status(a))
			}
			n++
		}
	}
	for i, a := range c.await(t, n) {
		if !strings.Contains(string(a.Payload), "hé") {
			t.Errorf("%d: %q", i, a.Payload)
		}
	}
	for _, bad := range []struct{ encoding, body string }{{"gzip", "not gzip"}, {"br", "\xff\xff\xff"}, {"lzma", "x"}, {"zstd", "nope"}} {
		if a := w.send(k, bad.body, "Content-Encoding", bad.encoding); a.Code != 400 || a.Header().Get("X-Sentry-Error") == "" {
			t.Errorf("%s: %s", bad.encoding, status(a))
		}
	}
}

func TestBombsAndLimits(t *testing.T) {
	t.Parallel()
	w := prepare(t, func(d *Deps) {
		d.Limits.Compressed, d.Limits.Decoded, d.Limits.Event, d.Limits.Attachment = 200_000, 4<<20, 100_000, 1<<20
	})
	collect(w.Service)
	w.run(t)
	_, k := w.newProject(t, "shop")
	pad := func(n int) string { return strings.Repeat("a", n) }
	for _, c := range []struct {
		name, encoding, body string
		status               int
	}{
		{"a bomb", "gzip", event(newID(), pad(20<<20)), 413},
		{"a bomb in brotli", "br", event(newID(), pad(20<<20)), 413},
		{"a bomb in zstd", "zstd", event(newID(), pad(20<<20)), 413},
		{"too much on the wire", "", event(newID(), pad(300_000)), 413},
		{"a large event", "gzip", event(newID(), pad(150_000)), 413},
		{"fits", "gzip", event(newID(), pad(90_000)), 200},
		{"a large attachment with an event", "gzip", event(newID(), "x") + fmt.Sprintf("{\"type\":\"attachment\",\"length\":%d}\n%s\n", 2<<20, pad(2<<20)), 200},
	} {
		if a := w.send(k, string(encode(t, c.encoding, []byte(c.body))), "Content-Encoding", c.encoding); a.Code != c.status {
			t.Errorf("%s: %s", c.name, status(a))
		}
	}
	// A body that is not announced is cut off too.
	r, _ := io.Pipe()
	defer r.Close()
	a := w.do("POST", fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", k.Project, k.Public), io.MultiReader(strings.NewReader("{}\n{\"type\":\"event\"}\n"), io.LimitReader(zeros{}, 1<<30)))
	if a.Code != 413 {
		t.Errorf("endless: %s", status(a))
	}
	out := w.outcome(t, k.Project)
	if out["invalid/too_large/default"] == 0 || out["invalid/too_large/error"] != 1 || out["invalid/too_large/attachment"] != 1 || out["accepted//error"] != 2 {
		t.Errorf("%v", out)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'z'
	}
	return len(p), nil
}

func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "shop")
	for _, c := range []struct {
		path, name, body string
		status           int
	}{
		{"envelope", "empty", "", 400},
		{"envelope", "no JSON", "hello", 400},
		{"envelope", "an array", "[]", 400},
		{"envelope", "no type", "{}\n{}\nx", 400},
		{"envelope", "item header", "{}\n{\"type\":\n", 400},
		{"envelope", "short", "{}\n{\"type\":\"event\",\"length\":100}\n{}", 400},
		{"envelope", "length then no newline", "{}\n{\"type\":\"event\",\"length\":1}\n{}\n", 400},
		{"envelope", "only a header", "{}", 200},
		{"envelope", "only a header and a newline", "{}\n", 200},
		{"envelope", "an unknown type", "{}\n{\"type\":\"something_new\"}\n{}\n", 200},
		{"store", "empty", "", 400},
		{"store", "no JSON", "hello!", 400},
		{"store", "an object", `{"message":"x"}`, 200},
		{"security", "no JSON", "x", 400},
		{"security", "nothing of it", `{"a":1}`, 400},
		{"minidump", "no form", "x", 400},
	} {
		a := w.do("POST", fmt.Sprintf("/api/%d/%s/?sentry_key=%s", p.ID, c.path, k.Public), strings.NewReader(c.body))
		if a.Code != c.status || a.Code == 400 && (!strings.Contains(a.Body.String(), `"detail":`) || !strings.Contains(a.Body.String(), `"causes":`) || a.Header().Get("X-Sentry-Error") == "") {
			t.Errorf("%s, %s: %s", c.path, c.name, status(a))
		}
	}
	if out := w.outcome(t, p.ID); out["invalid/malformed/default"] != 12 || out["dropped/unknown_type/default"] != 1 || out["accepted//error"] != 1 {
		t.Errorf("%v", out)
	}
}

func TestPreflightAndSlashes(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "shop")
	for _, path := range []string{"envelope", "store", "minidump", "security", "cron/job/" + k.Public} {
		for _, slash := range []string{"", "/"} {
			a := w.do("OPTIONS", fmt.Sprintf("/api/%d/%s%s", p.ID, path, slash), nil, "Origin", "https://a.example", "Access-Control-Request-Method", "POST")
			h := a.Header()
			if a.Code != 204 || h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "x-sentry-auth") ||
				!strings.Contains(h.Get("Access-Control-Expose-Headers"), "x-sentry-rate-limits") || h.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s%s: %s %v", path, slash, status(a), h)
			}
			if a := w.do("POST", fmt.Sprintf("/api/%d/%s%s?sentry_key=%s", p.ID, path, slash, k.Public), strings.NewReader("x")); a.Code == 404 || a.Code/100 == 3 {
				t.Errorf("POST %s%s: %s", path, slash, status(a))
			}
		}
	}
}

func TestAllowedOrigins(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "shop")
	w.call(t, "PATCH", fmt.Sprintf("/api/v1/issues/projects/%d", p.ID), map[string]any{"origins": []string{"https://*.example.com", "shop.example", "http://localhost:3000"}}, 200, nil)
	until(t, "the origins hold", func() bool { return w.send(k, event(newID(), "x"), "Origin", "https://evil.example").Code == 403 })
	for origin, want := range map[string]int{"": 200, "https://a.example.com": 200, "http://a.example.com": 403, "http://shop.example": 200, "https://shop.example:8443": 200,
		"http://localhost:3000": 200, "http://localhost:3001": 403, "null": 403, "https://example.com.evil.org": 403} {
		if a := w.send(k, event(newID(), "x"), "Origin", origin); a.Code != want || a.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%q: %s", origin, status(a))
		}
	}
}

func TestStoreEndpoint(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "shop")
	id := newID()
	dashedID := dashed(id)
	a := w.do("POST", fmt.Sprintf("/api/%d/store/", p.ID), strings.NewReader(`{"event_id":"`+strings.ToUpper(dashedID)+`","message":"x"}`), "X-Sentry-Auth", "Sentry sentry_key="+k.Public+",sentry_client=raven/1")
	if a.Code != 200 || !strings.Contains(a.Body.String(), id) {
		t.Fatal(status(a))
	}
	got := c.await(t, 1)[0]
	if got.EventID != id || got.ItemType != "event" || got.Client != "raven/1" || got.Address != "192.0.2.1" || !got.Sent.IsZero() {
		t.Errorf("%+v", got)
	}
	if time.Since(got.Received) > time.Minute {
		t.Error(got.Received)
	}
}

func TestLargeAttachmentsGoToBlobs(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	adopted := make(chan error, 1)
	content := strings.Repeat("0123456789", 20_000)
	c.fail = func(batch []Accepted) error { return nil }
	w.run(t)
	_, k := w.newProject(t, "shop")
	id := newID()
	body := event(id, "x") + fmt.Sprintf("{\"type\":\"attachment\",\"length\":%d,\"filename\":\"dump.txt\",\"content_type\":\"text/plain\"}\n%s\n{\"type\":\"attachment\",\"length\":2,\"filename\":\"s\"}\nhi\n", len(content), content)
	if a := w.send(k, body); a.Code != 200 {
		t.Fatal(status(a))
	}
	list := c.await(t, 3)
	big, small := list[1], list[2]
	if string(small.Payload) != "hi" || small.Header[headerFilename] != "s" || len(big.Payload) != 0 || big.Header[headerSize] != "200000" || big.Header[headerFilename] != "dump.txt" || big.EventID != id {
		t.Fatalf("%+v %+v", big, small)
	}
	close(adopted)
	// Nobody adopted it, so it goes with the hour.
	until(t, "the hold ends", func() bool {
		holds, err := w.holdsBefore(t.Context(), w.clock.now().Add(time.Hour).UnixMilli())
		return err == nil && len(holds) == 0
	})
	w.clock.advance(2 * time.Hour)
	if n, err := w.Blobs.Collect(t.Context()); n != 1 || err != nil {
		t.Errorf("collected %d, %v", n, err)
	}
}

func TestHoldsOfADeadServerAreSwept(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	ref, err := w.Blobs.Put(t.Context(), 1, strings.NewReader("content"), 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.hold(t.Context(), 1, ref.SHA256, "lost"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		wait time.Duration
		left int
	}{{0, 1}, {2 * time.Hour, 0}} {
		w.clock.advance(step.wait)
		if err := w.sweepHolds(t.Context()); err != nil {
			t.Fatal(err)
		}
		holds, err := w.holdsBefore(t.Context(), w.clock.now().Add(time.Hour).UnixMilli())
		if err != nil || len(holds) != step.left {
			t.Errorf("after %s: %d holds, %v", step.wait, len(holds), err)
		}
	}
}

func TestMinidump(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "game")
	form := func(dump string, fields ...string) (string, string) {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for i := 0; i+1 < len(fields); i += 2 {
			m.WriteField(fields[i], fields[i+1])
		}
		f, _ := m.CreateFormFile("upload_file_minidump", "crash.dmp")
		io.WriteString(f, dump)
		g, _ := m.CreateFormFile("log", "game.log")
		io.WriteString(g, "last words")
		m.Close()
		return m.FormDataContentType(), b.String()
	}
	for _, c := range []struct {
		dump   string
		status int
	}{{"MDMP" + strings.Repeat("\x00", 100), 200}, {"ELF", 400}} {
		kind, body := form(c.dump, "sentry", `{"release":"game@1","tags":{"a":"b"}}`)
		a := w.do("POST", fmt.Sprintf("/api/%d/minidump/?sentry_key=%s", p.ID, k.Public), strings.NewReader(body), "Content-Type", kind)
		if a.Code != c.status || c.status == 200 && len(a.Body.String()) != 36 {
			t.Errorf("%s", status(a))
		}
	}
	list := c.await(t, 3)
	if list[0].ItemType != "event" || !strings.Contains(string(list[0].Payload), "game@1") || list[1].Header[headerAttachmentType] != "event.minidump" || list[2].Header[headerFilename] != "game.log" {
		t.Errorf("%+v", list)
	}
	kind, body := form("MDMP")
	if a := w.do("POST", fmt.Sprintf("/api/%d/minidump/?sentry_key=%s", p.ID, k.Public), strings.NewReader(body[:len(body)/2]), "Content-Type", kind); a.Code != 400 {
		t.Errorf("cut off: %s", status(a))
	}
}

func TestSecurityReports(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "site")
	csp := `{"csp-report":{"document-uri":"https://a.example/","violated-directive":"img-src 'self'","effective-directive":"img-src","blocked-uri":"https://evil.example/x.png","original-policy":"img-src 'self'"}}`
	a := w.do("POST", fmt.Sprintf("/api/%d/security/?sentry_key=%s", p.ID, k.Public), strings.NewReader(csp), "Content-Type", "application/csp-report")
	if a.Code != 201 {
		t.Fatal(status(a))
	}
	if a := w.do("POST", fmt.Sprintf("/api/%d/csp-report?sentry_key=%s", p.ID, k.Public), strings.NewReader("["+csp+","+csp+",{}]")); a.Code != 201 {
		t.Fatal(status(a))
	}
	ids := map[string]bool{}
	for _, a := range c.await(t, 3) {
		ids[a.EventID] = true
		if a.ItemType != "security" {
			t.Errorf("%+v", a)
		}
	}
	if len(ids) != 3 {
		t.Errorf("%v", ids)
	}
	if a := w.do("POST", fmt.Sprintf("/api/%d/security/?sentry_key=%s", p.ID, k.Public), strings.NewReader(strings.Repeat(" ", 70<<10))); a.Code != 413 {
		t.Errorf("large: %s", status(a))
	}
}

func TestCheckInByAddress(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "jobs")
	id := newID()
	for _, step := range []struct {
		method, path, body string
		status             int
		contains           []string
	}{
		{"GET", "/cron/nightly/" + k.Public + "/?status=in_progress&check_in_id=" + id, "", 202, []string{`"in_progress"`, id}},
		{"POST", "/cron/nightly/" + k.Public + "?status=ok&duration=1.5&environment=prod", "", 202, []string{`"ok"`, "1.5", "prod"}},
		{"GET", "/cron/nightly?sentry_key=" + k.Public, "", 202, []string{`"ok"`, `"monitor_slug":"nightly"`}},
		{"POST", "/cron/nightly/" + k.Public + "/?status=error", `{"monitor_config":{"schedule":{"type":"crontab","value":"0 * * * *"}},"monitor_slug":"other"}`, 202, []string{"crontab", `"monitor_slug":"nightly"`}},
		{"GET", "/cron/nightly/" + k.Public + "/?status=late", "", 400, nil},
		{"GET", "/cron/a%20b/" + k.Public + "/", "", 400, nil},
		{"POST", "/cron/nightly/" + k.Public + "/", "[]", 400, nil},
		{"GET", "/cron/nightly/" + strings.Repeat("1", 32) + "/", "", 403, nil},
	} {
		before := len(c.list())
		a := w.do(step.method, fmt.Sprintf("/api/%d%s", p.ID, step.path), strings.NewReader(step.body))
		if a.Code != step.status {
			t.Errorf("%s %s: %s", step.method, step.path, status(a))
			continue
		}
		if step.contains == nil {
			continue
		}
		got := c.await(t, before+1)[before]
		for _, want := range step.contains {
			if !strings.Contains(string(got.Payload), want) || got.ItemType != "check_in" {
				t.Errorf("%s: no %s in %s", step.path, want, got.Payload)
			}
		}
	}
}
