package resource

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// inputFiles makes an input of a put.
func inputFiles(t testing.TB, s *shelf, name string, files map[string]any) Input {
	t.Helper()
	made := newRequest(s, map[string]any{"create_files": files}, nil)
	made.Version = Version{"version": "1"}
	typ, _ := NewNatives(Options{}).Native("mock")
	if _, err := typ.Get(t.Context(), made.Request); err != nil {
		t.Fatal(err)
	}
	return Input{Name: name, Volume: made.Dest}
}

func TestWebhookPut(t *testing.T) {
	t.Parallel()
	env := []string{"BUILD_ID=42", "BUILD_TEAM_NAME=main"}
	for _, c := range []struct {
		name           string
		source, params map[string]any
		method, path   string
		body           string
		header         map[string]string
	}{
		{name: "source alone", source: map[string]any{"url": "/a?x=1"}, method: "POST", path: "/a"},
		{name: "a body", params: map[string]any{"url": "/b/$BUILD_ID", "method": "PUT", "body": "build ${BUILD_ID} costs $5"},
			method: "PUT", path: "/b/42", body: "build 42 costs $5", header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}},
		{name: "json", source: map[string]any{"url": "/a", "headers": map[string]any{"X-Team": "$BUILD_TEAM_NAME", "X-Kept": "1"}, "token": "tokentoken"},
			params: map[string]any{"json": map[string]any{"id": "$BUILD_ID", "n": 1}, "headers": map[string]any{"x-kept": "2"}},
			method: "POST", path: "/a", body: `{"id":"42","n":1}`,
			header: map[string]string{"Content-Type": "application/json", "X-Team": "main", "X-Kept": "2", "Authorization": "Bearer tokentoken"}},
		{name: "a file", source: map[string]any{"url": "/a", "username": "u", "password": "passpass"}, params: map[string]any{"body_file": "in/b.json"},
			method: "POST", path: "/a", body: `{"raw":"$BUILD_ID"}`, header: map[string]string{"Content-Type": "application/json", "Authorization": "Basic dTpwYXNzcGFzcw=="}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			s := newFakeService(t, func(w http.ResponseWriter, _ *http.Request) {
				if calls++; calls == 1 {
					w.WriteHeader(502)
					return
				}
				w.WriteHeader(202)
			})
			shelf := newShelf()
			for _, m := range []map[string]any{c.source, c.params} {
				if address, ok := m["url"].(string); ok {
					m["url"] = s.URL + address
				}
			}
			req := newRequest(shelf, c.source, c.params)
			req.Env, req.Inputs = env, []Input{inputFiles(t, shelf, "in", map[string]any{"b.json": `{"raw":"$BUILD_ID"}`})}
			got, err := s.native("webhook").Put(t.Context(), req.Request)
			if err != nil || got.Version["timestamp"] == "" || got.Metadata[0].Value != "202" {
				t.Fatalf("%v %v", got, err)
			}
			list := s.requests()
			if len(list) != 2 || list[0].header.Get("Idempotency-Key") != string(req.Container) || list[1].header.Get("Idempotency-Key") != string(req.Container) {
				t.Errorf("%v", list)
			}
			if r := list[1]; r.method != c.method || r.path != c.path || r.body != c.body {
				t.Errorf("%v", r)
			}
			for name, want := range c.header {
				if list[1].header.Get(name) != want {
					t.Errorf("%s: %q", name, list[1].header.Get(name))
				}
			}
			if log := req.log.String(); log != "the receiver answered 502 Bad Gateway; trying again in 1s\nthe receiver answered 202\n" {
				t.Errorf("%q", log)
			}
		})
	}
}

func TestWebhookRefusals(t *testing.T) {
	t.Parallel()
	s := newFakeService(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(422)
		say(t, w, "bad "+r.URL.Path)
	})
	for _, c := range []struct {
		source, params map[string]any
		words          string
	}{
		{nil, nil, "source.url is missing. Add it, or params.url"},
		{map[string]any{"url": "x"}, nil, "source.url is not the address of a web service"},
		{map[string]any{"url": s.URL, "uri": ""}, nil, "source.uri is unknown"},
		{nil, map[string]any{"url": "file:///etc/passwd"}, "params.url is not the address"},
		{map[string]any{"url": s.URL}, map[string]any{"method": "A B"}, "params.method is not the name of a method"},
		{map[string]any{"url": s.URL, "headers": map[string]any{"a b": "c"}}, nil, "source.headers must be a map"},
		{map[string]any{"url": s.URL}, map[string]any{"body": "a", "json": 1}, "params.body can stand only once"},
		{map[string]any{"url": s.URL}, map[string]any{"body_file": "no/file"}, `params.body_file: there is no input "no"`},
		{map[string]any{"url": s.URL + "/hook/secret-path"}, nil, "the receiver answered 422 Unprocessable Entity: bad ((redacted))"},
	} {
		_, err := s.native("http").Put(t.Context(), newRequest(newShelf(), c.source, c.params).Request)
		if err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v %v: %v", c.source, c.params, err)
		}
	}
}

func TestSlackPut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		params map[string]any
		want   string // the bodies
	}{
		{"text", map[string]any{"text": "build $BUILD_ID of <$ATC_EXTERNAL_URL|here>"}, `{"text":"build 7 of <https://ci|here>"}`},
		{"channels", map[string]any{"text": "x", "channel": "#a @b", "username": "$BUILD_JOB_NAME", "icon_emoji": ":x:", "icon_url": "http://i"},
			`{"text":"x","channel":"#a","username":"job","icon_url":"http://i","icon_emoji":":x:"} {"text":"x","channel":"@b","username":"job","icon_url":"http://i","icon_emoji":":x:"}`},
		{"file", map[string]any{"text_file": "in/text"}, `{"text":"from a file in 7"}`},
		{"file in text", map[string]any{"text_file": "in/text", "text": "a: $TEXT_FILE_CONTENT"}, `{"text":"a: from a file in $BUILD_ID"}`},
		{"file missing", map[string]any{"text_file": "in/none"}, `{"text":"_(no notification provided)_"}`},
		{"input missing", map[string]any{"text_file": "out/none", "text": "a $TEXT_FILE_CONTENT"}, `{"text":"a _(no notification provided)_"}`},
		{"file empty", map[string]any{"text_file": "in/empty"}, `{"text":"_(missing notification text)_"}`},
		{"text empty", map[string]any{"text": "$BUILD_STATUS"}, `{"text":"_(missing notification text)_"}`},
		{"always", map[string]any{"always_notify": true}, `{"text":"_(missing notification text)_"}`},
		{"attachments", map[string]any{"attachments": []any{map[string]any{"text": "$BUILD_ID", "color": "danger", "n": 1}}}, `{"attachments":[{"color":"danger","n":1,"text":"7"}]}`},
		{"blocks", map[string]any{"text": "x", "blocks": []any{map[string]any{"type": "divider"}}}, `{"text":"x","blocks":[{"type":"divider"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			s := newFakeService(t, func(w http.ResponseWriter, _ *http.Request) {
				if calls++; calls == 1 {
					w.Header().Set("Retry-After", "3")
					w.WriteHeader(429)
					return
				}
				say(t, w, "ok")
			})
			shelf := newShelf()
			req := newRequest(shelf, map[string]any{"url": s.URL + "/services/T0/B0/verysecret"}, c.params)
			req.Env = []string{"BUILD_ID=7", "BUILD_JOB_NAME=job", "ATC_EXTERNAL_URL=https://ci"}
			req.Inputs = []Input{inputFiles(t, shelf, "in", map[string]any{"text": "from a file in $BUILD_ID", "empty": ""})}
			got, err := s.native("slack-notification").Put(t.Context(), req.Request)
			if err != nil || got.Version["timestamp"] != "1767323045" {
				t.Fatalf("%v %v", got, err)
			}
			var bodies []string
			for _, r := range s.requests()[1:] {
				var decoded any
				if err := json.Unmarshal([]byte(r.body), &decoded); err != nil {
					t.Error(err)
				}
				bodies = append(bodies, strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(r.body))
			}
			if got := strings.Join(bodies, " "); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if len(s.paused) != 1 || s.paused[0].String() != "3s" || strings.Contains(req.log.String(), "verysecret") {
				t.Errorf("%v %s", s.paused, req.log)
			}
		})
	}
}

func TestSlackRefusals(t *testing.T) {
	t.Parallel()
	s := newFakeService(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(404)
		say(t, w, "no_service "+r.URL.Path)
	})
	url := map[string]any{"url": s.URL + "/services/secret"}
	for _, c := range []struct {
		source, params map[string]any
		words          string
	}{
		{nil, nil, "source.url is missing"},
		{map[string]any{"url": "hooks.slack.com/x"}, nil, "source.url is not the address"},
		{map[string]any{"url": s.URL, "ca_certs": []any{map[string]any{"domain": "x"}}}, nil, "source.ca_certs.cert is missing"},
		{url, nil, "params.text is missing. Add it, or params.text_file"},
		{url, map[string]any{"attachments": "x"}, `params.attachments must be a list, but is the string "x"`},
		{url, map[string]any{"text": "x"}, "Slack answered 404 Not Found: no_service /((redacted))"},
	} {
		_, err := s.native("slack-notification").Put(t.Context(), newRequest(newShelf(), c.source, c.params).Request)
		if err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v %v: %v", c.source, c.params, err)
		}
	}
	n := len(s.requests())
	off := newRequest(newShelf(), map[string]any{"url": s.URL, "disable": true}, map[string]any{"text": "x"})
	if _, err := s.native("slack-notification").Put(t.Context(), off.Request); err != nil || len(s.requests()) != n {
		t.Errorf("%v %v", err, s.requests())
	}
}
