package app_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestHostileBodies: whatever arrives, the answer is a 4xx and the memory stays bounded.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	p := launch(t)
	h := p.hook(t, "main", "")
	nested := strings.Repeat("[", 100_000)
	bodies := map[string][]byte{
		"26 MB":          append([]byte(`{"x":"`), bytes.Repeat([]byte("a"), 26<<20)...),
		"truncated":      []byte(`{"ref":"refs/heads/main","after":"`),
		"nested":         []byte(nested + strings.Repeat("]", 100_000)),
		"nested objects": []byte(strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)),
		"nested, open":   []byte(nested),
		"not UTF-8":      []byte("{\"ref\":\"refs/heads/\xff\xfe\",\"repository\":{\"full_name\":\"a/\xc3\"}}"),
		"empty":          {},
		"not JSON":       []byte("\x00\x01\x02"),
	}
	for name, body := range bodies {
		if name == "26 MB" {
			post(t, p.url+"/hooks/github/"+h.ID, body)
			post(t, p.url+"/api/v1/ci/pipelines/config", body)
			continue
		}
		if status := p.deliver(t, h, newGUID(), body); status < 400 || status > 499 {
			t.Errorf("webhook, %s: %d", name, status)
		}
		for kind, path := range map[string]string{"application/x-yaml": "/api/v1/teams/main/pipelines/p/config", "application/json": "/api/v1/ci/pipelines/config"} {
			status, raw := p.send(t, "PUT", path, bytes.NewReader(body), "Content-Type", kind)
			if status < 400 || status > 499 {
				t.Errorf("PUT %s, %s: %d %.200s", path, name, status, raw)
			}
		}
	}
	var flood sync.WaitGroup
	for range 16 {
		flood.Go(func() { post(t, p.url+"/hooks/github/"+h.ID, bodies["26 MB"]) })
	}
	for range 8 {
		flood.Go(func() { post(t, p.url+"/hooks/github/"+h.ID, bytes.Repeat([]byte("a"), 20<<20)) })
	}
	flood.Wait()
	if peak := p.memory(t, "VmHWM"); peak > 600 {
		t.Errorf("%d MB at the worst moment", peak)
	} else {
		t.Logf("%d MB at the worst moment", peak)
	}
	if status, _ := p.send(t, "GET", "/api/v1/teams/main/pipelines/p", nil); status != http.StatusNotFound {
		t.Errorf("a hostile pipeline was saved: %d", status)
	}
}

// post sends a body that may be refused before it has been read, which a client
// can see as a broken connection: no answer is as good as a refusal.
func post(t *testing.T, url string, body []byte) {
	t.Helper()
	answer, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode < 400 {
		t.Errorf("an oversized or unsigned body got %d", answer.StatusCode)
	}
}

// TestBodyThatNeverEnds: a client that announces more than it sends costs nothing and gets nothing.
func TestBodyThatNeverEnds(t *testing.T) {
	t.Parallel()
	r := start(t)
	h := r.hook(t, "main", "")
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /hooks/github/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: g\r\n\r\n{\"ref\":", h.ID)
	conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(conn)
	if err != nil || len(answer) > 0 && !strings.HasPrefix(string(answer), "HTTP/1.1 4") {
		t.Errorf("%v %.300s", err, answer)
	}
	if status, raw := r.send(t, "GET", "/api/v1/ci/deliveries?team=main", nil); status != 200 || strings.Contains(raw, "accepted") {
		t.Errorf("%d %s", status, raw)
	}
}
