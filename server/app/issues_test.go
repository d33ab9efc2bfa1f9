package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// errorProject is a project that programs report to, with its first key.
type errorProject struct {
	ID   int64
	Slug string
	Key  string
}

func (c *client) errorProject(t testing.TB, team, name string) errorProject {
	t.Helper()
	var p errorProject
	c.call(t, "POST", "/api/v1/issues/projects", map[string]any{"team": team, "name": name, "platform": "python"}, &p)
	var keys struct{ Items []struct{ ID string } }
	c.call(t, "GET", fmt.Sprintf("/api/v1/issues/projects/%d/keys", p.ID), nil, &keys)
	p.Key = keys.Items[0].ID
	return p
}

// furnishIssues puts a project into the team, and one issue with an event, an
// attachment and a comment.
func (c *client) furnishIssues(t *testing.T, w team) {
	t.Helper()
	p := c.errorProject(t, w.name, "Shop")
	w.things["projects/:id"], w.things["keys/:id"], w.things["keys/:key"] = strconv.FormatInt(p.ID, 10), p.Key, p.Key
	w.things[":team/:project"], w.things[":team/:member"] = p.Slug, w.name
	event := strings.ReplaceAll(newGUID(), "-", "")
	envelope := fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"message\":\"out of stock\",\"level\":\"error\",\"platform\":\"python\"}\n"+
		"{\"type\":\"attachment\",\"length\":5,\"filename\":\"cart.txt\"}\nempty\n", event)
	answer := c.as("").request(t, "POST", fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", p.ID, p.Key), strings.NewReader(envelope))
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatal("envelope:", answer.StatusCode)
	}
	found := "/api/v1/issues/events/" + event + "?team=" + w.name
	eventually(t, "the event", func() bool { return c.status(t, "GET", found) == http.StatusOK })
	var shown struct {
		Issue       int64
		Attachments []struct{ ID int64 }
	}
	eventually(t, "its attachment", func() bool {
		c.call(t, "GET", found, nil, &shown)
		return len(shown.Attachments) == 1
	})
	issue := strconv.FormatInt(shown.Issue, 10)
	var comment struct{ ID int64 }
	c.call(t, "POST", "/api/v1/issues/issues/"+issue+"/comments", map[string]any{"text": "Again."}, &comment)
	w.things["issues/:id"], w.things["events/:event"], w.things["comments/:comment"] = issue, event, strconv.FormatInt(comment.ID, 10)
	w.things["attachments/:id"] = strconv.FormatInt(shown.Attachments[0].ID, 10)
	c.furnishReleases(t, w, p)
	c.furnishPrivacy(t, w, p)
	c.furnishAlerts(t, w)
}

// furnishAlerts makes a rule that calls the team's webhook.
func (c *client) furnishAlerts(t *testing.T, w team) {
	t.Helper()
	var alert struct{ ID int64 }
	c.call(t, "POST", "/api/v1/issues/alerts", map[string]any{"team": w.name, "name": "new ones", "condition": map[string]any{"type": "new"},
		"actions": []any{map[string]any{"type": "webhook", "target": w.things["channels/:id"]}}}, &alert)
	w.things["alerts/:id"] = strconv.FormatInt(alert.ID, 10)
}

// furnishPrivacy asks to forget somebody whom nothing mentions, and saves a search.
func (c *client) furnishPrivacy(t *testing.T, w team, p errorProject) {
	t.Helper()
	var erasure struct{ ID string }
	c.call(t, "POST", fmt.Sprintf("/api/v1/issues/projects/%d/erase", p.ID), map[string]any{"user": map[string]any{"email": "gone@example.org"}}, &erasure)
	var view struct{ ID int64 }
	c.call(t, "POST", "/api/v1/issues/views", map[string]any{"team": w.name, "name": "Mine", "query": "is:unresolved assigned:me"}, &view)
	w.things["erasures/:id"], w.things["views/:id"] = erasure.ID, strconv.FormatInt(view.ID, 10)
}

// furnishReleases puts a release with commits and a monitor into the team.
func (c *client) furnishReleases(t *testing.T, w team, p errorProject) {
	t.Helper()
	var release struct{ ID int64 }
	c.call(t, "POST", "/api/0/projects/"+w.name+"/"+p.Slug+"/releases/", map[string]any{"version": "shop@1.0"}, &release)
	w.things["releases/:id"], w.things["releases/:version"] = strconv.FormatInt(release.ID, 10), "shop@1.0"
	answer := c.as("").request(t, "POST", fmt.Sprintf("/api/%d/cron/nightly/%s/?status=ok", p.ID, p.Key), nil)
	answer.Body.Close()
	if answer.StatusCode >= 300 {
		t.Fatal("check-in:", answer.StatusCode)
	}
	var monitors struct{ Items []struct{ ID int64 } }
	eventually(t, "the monitor", func() bool {
		c.call(t, "GET", "/api/v1/issues/monitors?team="+w.name, nil, &monitors)
		return len(monitors.Items) == 1
	})
	w.things["monitors/:id"] = strconv.FormatInt(monitors.Items[0].ID, 10)
}

// sendError sends one event as a client does, and returns the status; 0 when the server did not answer.
func sendError(c *http.Client, url string, p errorProject, id string) int {
	body := fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"message\":\"out of stock %s\",\"level\":\"error\",\"platform\":\"python\",\"extra\":{\"pad\":%q}}\n", id, id[:4], strings.Repeat("x", 3000))
	answer, err := c.Post(fmt.Sprintf("%s/api/%d/envelope/?sentry_key=%s", url, p.ID, p.Key), "text/plain", strings.NewReader(body))
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0
	}
	return answer.StatusCode
}

// acceptedCount is how many errors the project's health page counts.
func (c *client) acceptedCount(t testing.TB, p errorProject) (accepted, waiting int64) {
	t.Helper()
	var health struct {
		Reasons []struct {
			Outcome, Category string
			Quantity          int64
		}
		Waiting int64 `json:"waiting_bytes"`
	}
	c.call(t, "GET", fmt.Sprintf("/api/v1/issues/projects/%d/ingest", p.ID), nil, &health)
	for _, r := range health.Reasons {
		if r.Outcome == "accepted" && r.Category == "error" {
			accepted += r.Quantity
		}
	}
	return accepted, health.Waiting
}

// TestKilledWhileReporting: four clients send as fast as they can, the server is
// killed with -9 in the middle, again and again; every event that was
// acknowledged is found.
func TestKilledWhileReporting(t *testing.T) {
	t.Parallel()
	kills, each := 2, int64(150)
	if soak {
		kills, each = 10, 3000
	}
	p := launch(t)
	project := p.errorProject(t, "main", "Shop")
	var url atomic.Value
	url.Store(p.url)
	var acknowledged atomic.Int64
	var mu sync.Mutex
	ids := map[string]bool{}
	done := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			c := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
			defer c.CloseIdleConnections()
			for {
				select {
				case <-done:
					return
				default:
				}
				id := strings.ReplaceAll(newGUID(), "-", "")
				if sendError(c, url.Load().(string), project, id) == http.StatusOK {
					acknowledged.Add(1)
					mu.Lock()
					ids[id] = true
					mu.Unlock()
				}
			}
		})
	}
	for range kills {
		before := acknowledged.Load()
		eventually(t, "events to be acknowledged", func() bool { return acknowledged.Load() >= before+each })
		p.end(syscall.SIGKILL)
		p.start()
		url.Store(p.url)
	}
	before := acknowledged.Load()
	eventually(t, "more to be acknowledged", func() bool { return acknowledged.Load() >= before+each })
	close(done)
	clients.Wait()
	eventually(t, "all to be digested", func() bool { _, waiting := p.acceptedCount(t, project); return waiting == 0 })
	lost := 0
	for id := range ids {
		if status := p.status(t, "GET", "/api/v1/issues/events/"+id+"?team=main"); status != http.StatusOK {
			if lost++; lost < 5 {
				t.Errorf("event %s was acknowledged and is not found: %d", id, status)
			}
		}
	}
	t.Logf("%d acknowledged over %d kills, %d lost", len(ids), kills, lost)
}

// TestDiskFullWhileReporting: clients hear 503 while nothing can be kept, 200
// when it can again, and what was acknowledged is there.
func TestDiskFullWhileReporting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	small := []string{"unshare", "-m"}
	if os.Getuid() != 0 {
		small = []string{"unshare", "-rm"}
	}
	p := launchOn(t, dir, "", append(small, "sh", "-c", `mount -t tmpfs -o size=16m none "$0" && exec "$@"`, filepath.Join(dir, "data"))...)
	project := p.errorProject(t, "main", "Shop")
	c := &http.Client{}
	filler := fmt.Sprintf("/proc/%d/root%s/data/filler", p.cmd.Process.Pid, dir)
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	f.Close()
	var kept []string
	refused := 0
	for range 60 {
		id := strings.ReplaceAll(newGUID(), "-", "")
		switch status := sendError(c, p.url, project, id); status {
		case http.StatusOK:
			kept = append(kept, id)
		case http.StatusServiceUnavailable:
			refused++
		default:
			t.Fatalf("with a full disk: %d\n%s", status, p.stderr.String())
		}
	}
	if refused == 0 {
		t.Error("nobody was refused")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	eventually(t, "intake to go on", func() bool {
		id := strings.ReplaceAll(newGUID(), "-", "")
		if sendError(c, p.url, project, id) != http.StatusOK {
			return false
		}
		kept = append(kept, id)
		return true
	})
	for _, id := range kept {
		eventually(t, "event "+id, func() bool {
			return p.status(t, "GET", "/api/v1/issues/events/"+id+"?team=main") == http.StatusOK
		})
	}
}

// TestFirstEvent is the way of somebody new: a project by Sentry's API, its DSN,
// a test event through the real intake, and the page that turns green.
func TestFirstEvent(t *testing.T) {
	t.Parallel()
	a := start(t)
	status, raw := a.send(t, "POST", "/api/0/teams/main/main/projects/", map[string]any{"name": "Web shop", "platform": "javascript-react"})
	var made struct{ ID, Slug string }
	if err := json.Unmarshal([]byte(raw), &made); err != nil || status != http.StatusCreated || made.Slug != "web-shop" {
		t.Fatal(status, raw, err)
	}
	var setup struct {
		DSN, Platform string
		FirstEventAt  string `json:"first_event_at"`
		EnvelopeURL   string `json:"envelope_url"`
	}
	path := "/api/v1/issues/projects/" + made.ID
	a.call(t, "GET", path+"/setup", nil, &setup)
	if !strings.HasSuffix(setup.DSN, "/"+made.ID) || setup.Platform != "react" || setup.FirstEventAt != "" {
		t.Errorf("%+v", setup)
	}
	var sent struct {
		EventID string `json:"event_id"`
	}
	a.call(t, "POST", path+"/test-event", nil, &sent)
	eventually(t, "the page to turn green", func() bool {
		a.call(t, "GET", path+"/setup", nil, &setup)
		return setup.FirstEventAt != ""
	})
	eventually(t, "the event", func() bool {
		return a.status(t, "GET", "/api/v1/issues/events/"+sent.EventID+"?team=main") == http.StatusOK
	})
	// A browser's first request needs no preflight and no Content-Type that we would refuse.
	answer := a.as("").request(t, "POST", strings.TrimPrefix(setup.EnvelopeURL, a.PublicURL()), bytes.NewReader([]byte("{}\n{\"type\":\"session\"}\n{\"sid\":\"1\"}\n")), "Content-Type", "text/plain;charset=UTF-8", "Origin", "https://a.example")
	defer answer.Body.Close()
	if answer.StatusCode != 200 || answer.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Error(answer.StatusCode, answer.Header)
	}
	for _, path := range []string{"/api/1/unreal/x/", "/api/0/nothing/", "/api/1/"} {
		if status, raw := a.as("").send(t, "POST", path, nil); status != 404 || !strings.HasPrefix(raw, "{") {
			t.Errorf("%s: %d %s", path, status, raw)
		}
	}
}
