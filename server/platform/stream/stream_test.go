package stream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func TestRing(t *testing.T) {
	t.Parallel()
	r := newRing("e", 4)
	for i := range 6 {
		r.add(entry{Event: Event{Topic: "ci", ID: fmt.Sprint(i + 1)}})
	}
	for _, c := range []struct {
		after uint64
		want  string
		ok    bool
	}{{6, "", true}, {5, "6", true}, {2, "3456", true}, {1, "", false}, {0, "", false}, {7, "", false}} {
		list, ok := r.after(c.after)
		got := ""
		for _, e := range list {
			got += e.ID
		}
		if got != c.want || ok != c.ok {
			t.Errorf("after(%d) = %q, %v, want %q, %v", c.after, got, ok, c.want, c.ok)
		}
	}
	for id, want := range map[string]bool{"e-3": true, "x-3": false, "e-": false, "e": false, "e--1": false, "": false, "e-99999999999999999999": false} {
		if _, ok := r.parse(id); ok != want {
			t.Errorf("parse(%q) = %v", id, ok)
		}
	}
}

type bundle struct {
	hub    *Hub
	db     *database.DB
	url    string
	caller atomic.Pointer[identity.Caller]
}

func member() *identity.Caller {
	return &identity.Caller{UserID: 7, Name: "ada", Roles: map[int64]identity.Role{1: identity.Viewer}, Teams: map[string]identity.Team{"main": {ID: 1, Name: "main"}}}
}

func setup(t *testing.T, heartbeat time.Duration) *bundle {
	t.Helper()
	b := &bundle{db: databasetest.Open(t)}
	b.caller.Store(member())
	b.hub = New(Deps{DB: b.db, Heartbeat: heartbeat, Recheck: func(context.Context) (identity.Caller, error) {
		if c := b.caller.Load(); c != nil {
			return *c, nil
		}
		return identity.Caller{}, errors.New("revoked")
	}})
	t.Cleanup(b.hub.Close)
	gin.SetMode(gin.TestMode)
	engine := gin.New()
	engine.Use(func(c *gin.Context) {
		c.Request = c.Request.WithContext(identity.With(c.Request.Context(), *member()))
	})
	b.hub.Routes(api.NewRouter(engine, &api.Table{}).Group("/api/v1"))
	server := httptest.NewServer(engine)
	t.Cleanup(server.Close)
	t.Cleanup(b.hub.Close) // before the server, which waits for its streams
	b.url = server.URL + "/api/v1/stream"
	return b
}

// message is one dispatched block of a stream.
type message struct{ id, event, data string }

type client struct {
	t        *testing.T
	messages chan message
	header   http.Header
	status   int
}

// open connects and returns once the first id has come, so that what is published later is heard.
func (b *bundle) open(t *testing.T, query, lastID string) *client {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, b.url+query, nil)
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, messages: make(chan message, 5000), header: response.Header, status: response.StatusCode}
	go func() {
		defer response.Body.Close()
		defer close(c.messages)
		lines := bufio.NewScanner(response.Body)
		var m message
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				m.id = value
			case "event":
				m.event = value
			case "data":
				m.data = value
			case "":
				if m != (message{}) {
					c.messages <- m
				}
				m = message{}
			}
		}
	}()
	return c
}

// next is the next message; those that only move the id are passed over when data is wanted.
func (c *client) next(data bool) message {
	c.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case m, open := <-c.messages:
			if !open {
				c.t.Fatal("the stream ended")
			}
			if !data || m.data != "" {
				return m
			}
		case <-deadline:
			c.t.Fatal("nothing came")
		}
	}
}

func (c *client) ended() {
	c.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case _, open := <-c.messages:
			if !open {
				return
			}
		case <-deadline:
			c.t.Fatal("the stream goes on")
		}
	}
}

func (b *bundle) publish(t *testing.T, e Event) {
	t.Helper()
	if err := b.hub.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func TestEventsReachWhoMayRead(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Minute)
	c := b.open(t, "?topics=ci.build,logs", "")
	if c.header.Get("Content-Type") != "text/event-stream" || c.header.Get("X-Accel-Buffering") != "no" {
		t.Errorf("headers: %v", c.header)
	}
	first := c.next(false)
	if !strings.HasSuffix(first.id, "-0") || first.event != "" {
		t.Errorf("first: %+v", first)
	}
	for _, e := range []Event{{2, "ci.build", "other-team"}, {0, "ci.build", "installation"}, {1, "ci.job", "other-topic"}, {1, "ci.builds", "not-below"}, {1, "ci.build", "41"}, {1, "logs.tail", "x"}} {
		b.publish(t, e)
	}
	if m := c.next(true); m.data != `{"topic":"ci.build","id":"41","team":"main"}` || !strings.HasSuffix(m.id, "-5") {
		t.Errorf("got %+v", m)
	}
	if m := c.next(true); m.data != `{"topic":"logs.tail","id":"x","team":"main"}` {
		t.Errorf("got %+v", m)
	}
}

func TestPublishAfterCommitOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Minute)
	c := b.open(t, "", "")
	c.next(false)
	_ = b.db.Tx(t.Context(), func(ctx context.Context) error {
		if err := b.hub.Publish(ctx, Event{1, "ci", "rolled-back"}); err != nil {
			t.Error(err)
		}
		return errors.New("no")
	})
	b.publish(t, Event{1, "ci", "kept"})
	if m := c.next(true); !strings.Contains(m.data, "kept") {
		t.Errorf("got %+v", m)
	}
	for _, e := range []Event{{1, "nothing", ""}, {1, "", ""}, {1, "ci", strings.Repeat("x", 3000)}} {
		if b.hub.Publish(t.Context(), e) == nil {
			t.Errorf("published %.40v", e)
		}
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Minute)
	c := b.open(t, "", "")
	c.next(false)
	b.publish(t, Event{1, "ci", "a"})
	a := c.next(true)
	b.publish(t, Event{1, "ci", "b"})
	c.next(true)
	for _, again := range []*client{b.open(t, "", a.id), b.open(t, "?last_event_id="+a.id, "")} {
		if m := again.next(true); !strings.Contains(m.data, `"b"`) {
			t.Errorf("resumed with %+v", m)
		}
	}
	for _, unknown := range []string{"0123-4", "nonsense", strings.Split(a.id, "-")[0] + "-900"} {
		if m := b.open(t, "", unknown).next(true); m.event != "reset" {
			t.Errorf("last id %s: %+v", unknown, m)
		}
	}
}

func TestSlowReaderIsReset(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Minute)
	r, _, _ := b.hub.join(1, "")
	for i := range ringSize + 10 {
		b.hub.hear(fmt.Sprintf(`{"team":1,"topic":"ci","id":"%d"}`, i))
	}
	if _, reset := b.hub.next(r); !reset {
		t.Error("a reader that the ring has left behind was not reset")
	}
	b.hub.hear(`{"team":1,"topic":"ci","id":"again"}`)
	if list, reset := b.hub.next(r); reset || len(list) != 1 {
		t.Errorf("after the reset: %v %v", list, reset)
	}
}

func TestLostConnectionResetsEverybody(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Minute)
	c := b.open(t, "", "")
	c.next(false)
	b.hub.hear("")
	if m := c.next(true); m.event != "reset" {
		t.Errorf("got %+v", m)
	}
	b.hub.hear("not json")
}

func TestBurstsAreCoalesced(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Minute)
	c := b.open(t, "", "")
	c.next(false)
	for range 50 {
		b.hub.hear(`{"team":1,"topic":"ci","id":"busy"}`)
	}
	first, last := c.next(true), c.next(true)
	b.hub.mu.Lock()
	head := b.hub.ring.head
	b.hub.mu.Unlock()
	if head != 2 || !strings.HasSuffix(first.id, "-1") || !strings.HasSuffix(last.id, "-2") {
		t.Errorf("fifty became %d: %v, %v", head, first, last)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		b.hub.mu.Lock()
		left := len(b.hub.recent)
		b.hub.mu.Unlock()
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("what was heard is never forgotten")
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestHeartbeatAndRevocation(t *testing.T) {
	t.Parallel()
	b := setup(t, 10*time.Millisecond)
	c := b.open(t, "", "")
	start := c.next(false)
	b.publish(t, Event{2, "ci", "not for ada"})
	for {
		if m := c.next(false); m.id != start.id { // the heartbeat moves past what was not ours
			break
		}
	}
	b.caller.Store(nil)
	c.ended()
}

func TestRoleLossIsHeard(t *testing.T) {
	t.Parallel()
	b := setup(t, 10*time.Millisecond)
	c := b.open(t, "", "")
	c.next(false)
	b.caller.Store(&identity.Caller{UserID: 7, Roles: map[int64]identity.Role{3: identity.Viewer}, Teams: map[string]identity.Team{"third": {ID: 3, Name: "third"}}})
	c.next(false)
	c.next(false) // a heartbeat since
	b.publish(t, Event{1, "ci", "lost"})
	b.publish(t, Event{3, "ci", "gained"})
	if m := c.next(true); m.data != `{"topic":"ci","id":"gained","team":"third"}` {
		t.Errorf("got %+v", m)
	}
}

func TestCloseEndsStreams(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Minute)
	c := b.open(t, "", "")
	c.next(false)
	b.hub.Close()
	c.ended()
	if again := b.open(t, "", ""); again.status != http.StatusTooManyRequests {
		t.Errorf("a stream of a stopping server: %d", again.status)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Minute)
	if c := b.open(t, "?topics=cake", ""); c.status != http.StatusBadRequest {
		t.Errorf("unknown topic: %d", c.status)
	}
	for range maxPerUser {
		if _, _, ok := b.hub.join(7, ""); !ok {
			t.Fatal("refused too early")
		}
	}
	if c := b.open(t, "", ""); c.status != http.StatusTooManyRequests || c.header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d", c.status)
	}
	response, err := http.Head(b.url)
	if err != nil || response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("HEAD: %v %v", response, err)
	}
}
