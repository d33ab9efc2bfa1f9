package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/outbound"
)

// seen is a request that a fake service got.
type seen struct {
	method, path, query string
	header              http.Header
	body                string
}

// fakeService answers as its test says and remembers what it was asked.
type fakeService struct {
	*httptest.Server
	mu      sync.Mutex
	got     []seen
	paused  []time.Duration
	handler http.HandlerFunc
}

func newFakeService(t testing.TB, handler http.HandlerFunc) *fakeService {
	t.Helper()
	s := &fakeService{handler: handler}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.got = append(s.got, seen{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Clone(), string(body)})
		s.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		s.handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// options do not wait: they note how long they were asked to.
func (s *fakeService) options() Options {
	return Options{Now: func() time.Time { return epoch }, pause: func(_ context.Context, d time.Duration) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.paused = append(s.paused, d)
		return nil
	}}
}

func (s *fakeService) native(name string) Type {
	typ, _ := NewNatives(s.options()).Native(name)
	return typ
}

func (s *fakeService) requests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen{}, s.got...)
}

// methods is "GET /path, POST /path", for comparing.
func (s *fakeService) methods() string {
	var out []string
	for _, r := range s.requests() {
		out = append(out, r.method+" "+r.path)
	}
	return strings.Join(out, ", ")
}

func answerJSON(t testing.TB, w http.ResponseWriter, status int, value any) {
	t.Helper()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		t.Error(err)
	}
}

func say(t testing.TB, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Error(err)
	}
}

func TestWebPatience(t *testing.T) {
	t.Parallel()
	type reply struct {
		status int
		header map[string]string
		body   string
	}
	busy := reply{500, nil, "oops"}
	for _, c := range []struct {
		name    string
		replies []reply // the last one for ever
		once    bool    // the request must not be repeated
		want    string  // of the body, or the error
		asked   int
		paused  string
	}{
		{name: "well", replies: []reply{{200, nil, "fine"}}, want: "fine", asked: 1},
		{name: "500s pass", replies: []reply{busy, busy, {200, nil, "fine"}}, want: "fine", asked: 3, paused: "1s 2s"},
		{name: "500 of what may have been done", replies: []reply{busy}, once: true, want: "answered 500 Internal Server Error: oops", asked: 1},
		{name: "500 for ever", replies: []reply{busy}, want: "answered 500", asked: 6, paused: "1s 2s 4s 8s 16s"},
		{name: "429", replies: []reply{{429, map[string]string{"Retry-After": "7"}, ""}, {200, nil, "fine"}}, once: true, want: "fine", asked: 2, paused: "7s"},
		{name: "429 without more", replies: []reply{{429, nil, ""}, {204, nil, ""}}, want: "", asked: 2, paused: "1s"},
		{name: "a date", replies: []reply{{503, map[string]string{"Retry-After": epoch.Add(9 * time.Second).Format(http.TimeFormat)}, ""}, {200, nil, "fine"}}, once: true, want: "fine", asked: 2, paused: "9s"},
		{name: "too long", replies: []reply{{429, map[string]string{"Retry-After": "600"}, "slow down"}}, want: "answered 429 Too Many Requests: slow down. It asks to wait 10m0s, longer than this step waits", asked: 1},
		{name: "long in all", replies: []reply{{429, map[string]string{"Retry-After": "50"}, ""}}, want: "longer than this step waits", asked: 3, paused: "50s 50s"},
		{name: "rate limit", replies: []reply{{403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(epoch.Unix() + 30)}, ""}, {200, nil, "fine"}}, once: true, want: "fine", asked: 2, paused: "30s"},
		{name: "forbidden", replies: []reply{{403, nil, `{"message":"Resource not accessible"}`}}, want: "answered 403 Forbidden: Resource not accessible", asked: 1},
		{name: "a page", replies: []reply{{404, nil, "<html>lots</html>"}}, want: "answered 404 Not Found", asked: 1},
		{name: "not implemented", replies: []reply{{501, nil, ""}}, want: "answered 501", asked: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := 0
			s := newFakeService(t, func(w http.ResponseWriter, _ *http.Request) {
				r := c.replies[min(n, len(c.replies)-1)]
				n++
				for k, v := range r.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(r.status)
				if r.status != 204 {
					say(t, w, r.body)
				}
			})
			w, err := newWeb(s.options(), newRequest(nil, nil, nil).Request, "the service", webSettings{})
			if err != nil {
				t.Fatal(err)
			}
			defer w.close()
			a, err := w.do(t.Context(), exchange{url: s.URL, again: !c.once})
			got := string(a.body)
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) || len(s.requests()) != c.asked || strings.Trim(fmt.Sprint(s.paused), "[]") != c.paused {
				t.Errorf("%q after %d requests and %v", got, len(s.requests()), s.paused)
			}
		})
	}
}

func TestWebKeepsSecrets(t *testing.T) {
	t.Parallel()
	const token = "tok/en+1234"
	other := newFakeService(t, func(w http.ResponseWriter, r *http.Request) { say(t, w, "auth:"+r.Header.Get("Authorization")) })
	s := newFakeService(t, nil)
	s.handler = func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			say(t, w, "short")
		default:
			w.WriteHeader(400)
			say(t, w, "no such token: "+token+" at "+r.URL.RawQuery)
		}
	}
	g, err := s.options().github(newRequest(nil, nil, nil).Request, githubAccess{api: s.URL, token: token})
	if err != nil {
		t.Fatal(err)
	}
	defer g.web.close()
	for path, want := range map[string]string{
		"/x?t=tok%2Fen%2B1234": "GitHub answered 400 Bad Request: no such token: ((redacted)) at t=((redacted))",
		"/loop":                "redirects more than five times",
		"/cut":                 "GitHub did not finish its answer: unexpected EOF",
	} {
		if _, err := g.web.do(t.Context(), exchange{url: s.URL + path}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "1234") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if a, err := g.web.do(t.Context(), exchange{url: s.URL + "/away"}); err != nil || string(a.body) != "auth:" {
		t.Errorf("%s %v", a.body, err)
	}
	if _, err := g.web.do(t.Context(), exchange{method: "POST", url: s.URL + "/away"}); err == nil || !strings.Contains(err.Error(), "which is followed only when reading") {
		t.Errorf("%v", err)
	}
	for _, r := range s.requests() {
		if r.header.Get("Authorization") != "Bearer "+token {
			t.Errorf("%v", r)
		}
	}
}

// Addresses inside are refused at once, and without the address's path.
func TestWebIsGuarded(t *testing.T) {
	t.Parallel()
	guard, err := outbound.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newFakeService(t, func(http.ResponseWriter, *http.Request) { t.Error("it was called") })
	opts := s.options()
	opts.Dial = guard.DialContext
	for name, source := range map[string]map[string]any{
		"webhook":            {"url": s.URL + "/secret"},
		"slack-notification": {"url": s.URL + "/secret"},
		"github-webhook":     {"github_api": s.URL + "/secret", "github_token": "t"},
	} {
		typ, _ := NewNatives(opts).Native(name)
		req := newRequest(nil, source, map[string]any{
			"webhook": map[string]any{"body": "x"}, "slack-notification": map[string]any{"text": "x"},
			"github-webhook": hookParams(nil),
		}[name].(map[string]any))
		req.Env = hookEnv()
		_, err := typ.Put(t.Context(), req.Request)
		if err == nil || !strings.Contains(err.Error(), "loopback") || strings.Contains(err.Error(), "secret") || len(s.paused) > 0 {
			t.Errorf("%s: %v %v", name, err, s.paused)
		}
	}
}

func TestWebUnreachable(t *testing.T) {
	t.Parallel()
	s := newFakeService(t, nil)
	opts := s.options()
	opts.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	w, err := newWeb(opts, newRequest(nil, nil, nil).Request, "the service", webSettings{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.do(t.Context(), exchange{method: "POST", url: s.URL})
	if err == nil || err.Error() != "the service cannot be reached: dial: connection refused" || len(s.paused) != 5 {
		t.Errorf("%v %v", err, s.paused)
	}
	if _, err := newWeb(opts, Request{}, "x", webSettings{certificates: []string{"no"}}); err == nil {
		t.Error("a certificate that is none")
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	env := []string{"BUILD_ID=1", "BUILD_ID=2", "ATC_EXTERNAL_URL=https://ci"}
	for in, want := range map[string]string{
		"":                    "",
		"$BUILD_ID":           "2",
		"a${BUILD_ID}b":       "a2b",
		"$BUILD_IDX":          "",
		"$ATC_EXTERNAL_URL/x": "https://ci/x",
		"costs $5, or $HOME":  "costs $5, or $HOME",
		"${BUILD_ID":          "${BUILD_ID",
		"$BUILD_ID$BUILD_ID$": "22$",
		"$EXTRA ${EXTRA}":     "$BUILD_ID $BUILD_ID",
		"$$BUILD_ID ${} $":    "$2 ${} $",
	} {
		if got := expand(in, env, map[string]string{"EXTRA": "$BUILD_ID"}); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestOwnWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                          "",
		"invalid_payload":           "invalid_payload",
		"<!DOCTYPE html>":           "",
		`{"message":"Not Found"}`:   "Not Found",
		`{"error":{"message":"x"}}`: "x",
		`{"message":"Validation Failed","errors":[{"resource":"Hook","code":"custom","message":"Hook already exists"}]}`: "Validation Failed; Hook already exists",
		`{"message":"Validation Failed","errors":[{"resource":"Release","field":"tag_name","code":"already_exists"}]}`:   "Validation Failed; Release; tag_name; already_exists",
		`{"other":1}`:        `{"other":1}`,
		"two\nlines\x1b[31m": "two lines [31m",
	} {
		if got := ownWords([]byte(in)); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	if got := ownWords([]byte(strings.Repeat("x", 5000))); len(got) > maxWords+10 {
		t.Errorf("%d bytes", len(got))
	}
}

func FuzzOwnWords(f *testing.F) {
	f.Add([]byte(`{"message":"a","errors":["b",{"field":"c"}]}`))
	f.Add([]byte("a\nb\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		got := ownWords(body)
		if len(got) > maxWords+16 || strings.ContainsAny(got, "\n\r\x1b\x00") {
			t.Errorf("%q", got)
		}
	})
}

func FuzzNextPage(f *testing.F) {
	f.Add(`<https://api/x?page=2>; rel="next", <https://api/x?page=9>; rel="last"`)
	f.Add(`<a>; rel=prev, <b,c>; title="x"; rel=next`)
	f.Fuzz(func(t *testing.T, header string) {
		if next := nextPage([]string{header}); next != "" && !strings.Contains(header, "<"+next+">") {
			t.Errorf("%q", next)
		}
	})
}

func TestNextPage(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "x": "", "<a": "",
		`<https://api/x?page=2>; rel="next", <https://api/x?page=9>; rel="last"`: "https://api/x?page=2",
		`<https://api/x?page=1>; rel="prev", <https://api/x?page=3>; rel="next"`: "https://api/x?page=3",
		`<https://api/x?page=1>; rel="prev"`:                                     "",
		`<b>; title=x; rel=next`:                                                 "b",
	} {
		if got := nextPage([]string{in}); got != want {
			t.Errorf("%s: %q", in, got)
		}
	}
}
