package health

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

var quick = Checker{Every: 5 * time.Millisecond, Most: 200 * time.Millisecond}

func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "check")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// answers serves the statuses one after the other and then the last for ever.
func answers(t *testing.T, statuses ...int) string {
	t.Helper()
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(statuses[min(int(n.Add(1))-1, len(statuses)-1)])
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestWait(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(func() { close(over); hangs.Close() })
	for name, c := range map[string]struct {
		checks []protocol.Check
		row    int
		says   string // empty: healthy
	}{
		"nothing to check":     {nil, 3, ""},
		"a page":               {[]protocol.Check{{Type: "http", URL: answers(t, 200)}}, 3, ""},
		"a page that comes up": {[]protocol.Check{{Type: "http", URL: answers(t, 503, 503, 204)}}, 3, ""},
		"it flaps":             {[]protocol.Check{{Type: "http", URL: answers(t, 200, 500, 200, 200, 500, 200, 200, 200)}}, 3, ""},
		"200, then 500":        {[]protocol.Check{{Type: "http", URL: answers(t, 200, 200, 500)}}, 3, "answered 500"},
		"another status":       {[]protocol.Check{{Type: "http", URL: answers(t, 401), Expect: 401}}, 1, ""},
		"a redirect is no 2xx": {[]protocol.Check{{Type: "http", URL: answers(t, 302)}}, 1, "answered 302"},
		"it hangs":             {[]protocol.Check{{Type: "http", URL: hangs.URL}}, 1, "deadline exceeded"},
		"nobody listens":       {[]protocol.Check{{Type: "http", URL: "http://127.0.0.1:1/"}}, 1, "refused"},
		"another machine":      {[]protocol.Check{{Type: "http", URL: "http://192.0.2.1/"}}, 1, "not on this machine"},
		"a program":            {[]protocol.Check{{Type: "exec", Path: script(t, "exit 0")}}, 2, ""},
		"a program that fails": {[]protocol.Check{{Type: "exec", Path: script(t, "echo no printer; exit 3")}}, 1, "ended with 3: no printer"},
		"a program that hangs": {[]protocol.Check{{Type: "exec", Path: script(t, "sleep 60")}}, 1, "too long"},
		"one of two":           {[]protocol.Check{{Type: "http", URL: answers(t, 200)}, {Type: "exec", Path: script(t, "exit 1")}}, 1, "ended with 1"},
		"no such unit":         {[]protocol.Check{{Type: "unit", Name: "no-such.service"}}, 1, "unit no-such.service"},
		"an unknown kind":      {[]protocol.Check{{Type: "ping"}}, 1, "no check of type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
			defer stop()
			err := quick.Wait(ctx, protocol.Health{Checks: c.checks, SuccessesInRow: c.row, TimeoutSeconds: 1})
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Error(err)
			}
		})
	}
}

func TestOnThisMachine(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"http://localhost:8080/health": true, "https://127.0.0.1/": true, "http://[::1]:80/": true, "http://127.9.9.9/": true,
		"http://localhost.example.com/": false, "http://10.0.0.1/": false, "file:///etc/passwd": false, "http://127.0.0.1@evil/": false, "": false, "http://169.254.169.254/": false,
	} {
		if got := OnThisMachine(address) == nil; got != ok {
			t.Errorf("%s: %v", address, got)
		}
	}
}
