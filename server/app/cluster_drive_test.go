package app_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

// driver does to a cluster what the world does, each part one after another, and
// remembers what was acknowledged.
type driver struct {
	c       *cluster
	hook    hook
	project errorProject
	node    string
	key     ed25519.PrivateKey
	seq     int64
	ended   chan struct{}
	running sync.WaitGroup

	mu     sync.Mutex
	done   map[string]int             // acknowledged, by part
	kept   map[string]map[string]bool // what was acknowledged, by part
	failed map[string]int             // answers that were no acknowledgement, by part and status
	heard  map[string]bool            // changes that the stream told of
	resets int
	unseen []string // changes that it did not
}

// drive begins; stop ends it.
func (c *cluster) drive(t testing.TB) *driver {
	t.Helper()
	d := &driver{c: c, ended: make(chan struct{}), done: map[string]int{}, kept: map[string]map[string]bool{}, failed: map[string]int{}, heard: map[string]bool{}}
	var connection struct{ ID string }
	c.call(t, "POST", "/api/v1/ci/connections", map[string]any{"team": "main", "name": "GitHub", "api_url": "http://127.0.0.1:9/", "token": "t"}, &connection)
	d.hook = c.client.hook(t, "main", connection.ID)
	d.project = c.errorProject(t, "main", "Shop")
	var token struct{ Token string }
	c.call(t, "POST", "/api/v1/edge/tokens", map[string]any{"team": "main", "name": "shop", "accepts": true}, &token)
	c.publishBundle(t, "main", "a package")
	var err error
	if _, d.key, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	d.enrol(t, token.Token)
	for part, once := range map[string]func(t testing.TB) (what string, status int){
		"signing in": d.signIn, "reading": d.read, "delivering": d.deliver, "reporting": d.report, "shipping": d.ship, "checking in": d.checkIn,
	} {
		d.running.Go(func() { d.repeat(t, part, once) })
	}
	d.running.Go(func() { d.listen(t) })
	d.running.Go(func() { d.repeat(t, "changing", d.change) })
	d.more(t)
	return d
}

func (d *driver) repeat(t testing.TB, part string, once func(t testing.TB) (string, int)) {
	for {
		select {
		case <-d.ended:
			return
		case <-time.After(20 * time.Millisecond): // one client, not a flood
		}
		what, status := once(t)
		d.mu.Lock()
		if status >= 200 && status < 300 {
			d.done[part]++
			if d.kept[part] == nil {
				d.kept[part] = map[string]bool{}
			}
			d.kept[part][what] = true
		} else {
			d.failed[fmt.Sprint(part, " ", status)]++
		}
		d.mu.Unlock()
	}
}

// more waits until each part has been done again a few times.
func (d *driver) more(t testing.TB) {
	t.Helper()
	d.mu.Lock()
	before := map[string]int{}
	for _, part := range driven {
		before[part] = d.done[part]
	}
	d.mu.Unlock()
	for _, part := range driven {
		eventually(t, part+" to go on", func() bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.done[part] >= before[part]+3
		})
	}
}

var driven = []string{"signing in", "reading", "delivering", "reporting", "shipping", "checking in", "changing"}

func (d *driver) stop() {
	close(d.ended)
	d.running.Wait()
}

// say is one request of one's own; 0 when nobody answered.
func (d *driver) say(t testing.TB, method, path, body string, header ...string) (int, string) {
	r, err := http.NewRequestWithContext(t.Context(), method, d.c.url+path, strings.NewReader(body))
	if err != nil {
		return 0, ""
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, ""
	}
	return answer.StatusCode, string(raw)
}

func (d *driver) bearer() []string {
	return []string{"Authorization", "Bearer " + d.c.token, "Content-Type", "application/json"}
}

func (d *driver) signIn(t testing.TB) (string, int) {
	form := url.Values{"grant_type": {"password"}, "scope": {"openid"}, "username": {"admin"}, "password": {adminPassword}}
	status, _ := d.say(t, "POST", "/sky/issuer/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "Basic Zmx5OlpteDU=")
	return "", status
}

func (d *driver) read(t testing.TB) (string, int) {
	status, _ := d.say(t, "GET", "/api/v1/ci/pipelines?team=main", "", d.bearer()...)
	return "", status
}

func (d *driver) deliver(t testing.TB) (string, int) {
	guid := newGUID()
	body := fmt.Sprintf(`{"zen":%q,"hook_id":1}`, guid)
	status, _ := d.say(t, "POST", "/hooks/github/"+d.hook.ID, body, "X-GitHub-Event", "ping", "X-GitHub-Delivery", guid,
		"X-Hub-Signature-256", d.hook.sign([]byte(body)), "Content-Type", "application/json")
	return guid, status
}

func (d *driver) report(t testing.TB) (string, int) {
	id := newGUID()
	body := fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"message\":\"out of stock\",\"level\":\"error\",\"platform\":\"python\"}\n", id)
	status, _ := d.say(t, "POST", fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", d.project.ID, d.project.Key), body)
	return id, status
}

func (d *driver) ship(t testing.TB) (string, int) {
	id := newGUID()
	body := fmt.Sprintf(`{"time":%q,"service":"till","msg":"sold %s"}`+"\n", time.Now().UTC().Format(time.RFC3339Nano), id)
	status, _ := d.say(t, "POST", "/insert/jsonline?_stream_fields=service", body, d.bearer()...)
	return id, status
}

// enrol makes the driver a node of the fleet.
func (d *driver) enrol(t testing.TB, token string) {
	t.Helper()
	var node protocol.EnrollAnswer
	status, raw := d.speak(t, protocol.PathEnroll, protocol.EnrollRequest{Token: token, Name: "edge-1", Site: "osl", PublicKey: d.key.Public().(ed25519.PublicKey), Agent: "1.0.0",
		Machine: protocol.Machine{Hostname: "edge-1", OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: "apt"}})
	if err := json.Unmarshal([]byte(raw), &node); err != nil || status >= 300 {
		t.Fatal(status, raw, err)
	}
	d.node = node.Node
}

func (d *driver) checkIn(t testing.TB) (string, int) {
	status, _ := d.speak(t, protocol.PathCheckIn, protocol.CheckIn{State: protocol.StateIdle, Clock: time.Now()})
	return "", status
}

// speak posts what an agent says, signed.
func (d *driver) speak(t testing.TB, path string, in any) (int, string) {
	body, err := json.Marshal(in)
	if err != nil {
		return 0, ""
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.c.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, ""
	}
	d.seq++
	protocol.Sign(r, body, d.node, d.key, time.Now(), d.seq)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, ""
	}
	return answer.StatusCode, string(raw)
}

// listen follows the stream of changes as a browser does, wherever it is answered.
func (d *driver) listen(t testing.TB) {
	last := ""
	for {
		select {
		case <-d.ended:
			return
		default:
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			select {
			case <-d.ended:
			case <-ctx.Done():
			}
			cancel()
		}()
		// What ends the stream is what the test does to the servers.
		_ = d.c.frames(ctx, "/api/v1/stream?topics=ci", last, func(f frame) bool {
			if f.id != "" {
				last = f.id
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			switch f.event {
			case "reset":
				d.resets++
			case "change":
				var of struct{ ID string }
				if json.Unmarshal([]byte(f.data), &of) == nil {
					d.heard[of.ID] = true
				}
			}
			return false
		})
		cancel()
		select {
		case <-d.ended:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// change changes something on one server and waits until the stream, which may come
// from another one, tells of it, or of having been away.
func (d *driver) change(t testing.TB) (string, int) {
	d.mu.Lock()
	resets := d.resets
	d.mu.Unlock()
	name := "p" + newGUID()[:12]
	status, raw := d.say(t, "PUT", "/api/v1/ci/pipelines/config", fmt.Sprintf(`{"team":"main","name":%q,"yaml":"jobs: [{name: j, plan: [{get: t}]}]\nresources: [{name: t, type: time, check_every: never, source: {interval: 24h}}]"}`, name), d.bearer()...)
	var set struct {
		Pipeline struct{ ID json.Number }
	}
	if status != http.StatusOK {
		return "", status
	}
	if err := json.Unmarshal([]byte(raw), &set); err != nil {
		return "", -1
	}
	id := set.Pipeline.ID.String()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		d.mu.Lock()
		told := d.heard[id] || d.resets > resets
		d.mu.Unlock()
		if told {
			return id, status
		}
		select {
		case <-d.ended:
			return id, status
		case <-time.After(10 * time.Millisecond):
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unseen = append(d.unseen, id)
	return id, status
}

// check compares what was acknowledged with what there is.
func (d *driver) check(t testing.TB) {
	t.Helper()
	t.Logf("acknowledged %v, not acknowledged %v, %d resets of the stream", d.done, d.failed, d.resets)
	if len(d.unseen) > 0 {
		t.Errorf("the stream never told of the changes of %v", d.unseen)
	}
	d.checkDeliveries(t)
	d.checkEvents(t)
	d.checkLines(t)
	d.checkNode(t)
}

func (d *driver) checkDeliveries(t testing.TB) {
	t.Helper()
	seen := map[string]int{}
	for cursor := ""; ; {
		var page struct {
			Items []struct{ ID, GUID string }
			Next  string
		}
		d.c.call(t, "GET", "/api/v1/ci/deliveries?team=main&limit=100"+cursor, nil, &page)
		for _, one := range page.Items {
			seen[one.GUID]++
		}
		if page.Next == "" {
			break
		}
		cursor = "&before=" + page.Next
	}
	for guid := range d.kept["delivering"] {
		if seen[guid] != 1 {
			t.Errorf("the acknowledged delivery %s is there %d times", guid, seen[guid])
		}
	}
}

func (d *driver) checkEvents(t testing.TB) {
	t.Helper()
	for id := range d.kept["reporting"] {
		eventually(t, "the acknowledged event "+id, func() bool {
			return d.c.status(t, "GET", "/api/v1/issues/events/"+id+"?team=main") == http.StatusOK
		})
	}
}

func (d *driver) checkLines(t testing.TB) {
	t.Helper()
	var found struct {
		Lines []struct{ Message string }
		Stats struct{ Partial string }
	}
	d.c.call(t, "POST", "/api/v1/logs/search", map[string]any{"team": "main", "query": "service:till sold", "from": time.Now().Add(-time.Hour), "limit": 5000}, &found)
	seen := map[string]int{}
	for _, line := range found.Lines {
		seen[strings.TrimPrefix(line.Message, "sold ")]++
	}
	missing := 0
	for id := range d.kept["shipping"] {
		if seen[id] != 1 {
			missing++
		}
	}
	if missing > 0 || found.Stats.Partial != "" {
		t.Errorf("%d of %d acknowledged lines are not there once; partial: %q", missing, len(d.kept["shipping"]), found.Stats.Partial)
	}
}

func (d *driver) checkNode(t testing.TB) {
	t.Helper()
	var node struct {
		SeenAt time.Time `json:"seen_at"`
	}
	eventually(t, "the node's last check-in", func() bool {
		d.c.call(t, "GET", "/api/v1/edge/nodes/"+d.node, nil, &node)
		return time.Since(node.SeenAt) < 2*time.Minute
	})
}
