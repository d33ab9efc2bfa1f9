package stream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// writeTimeout ends a stream whose reader takes nothing for so long.
const writeTimeout = 20 * time.Second

// Routes registers the stream below /api/v1.
func (h *Hub) Routes(r api.Router) {
	r.GET("/stream", api.SignedIn(), h.serve)
}

// serve takes the raw context because it answers for as long as the reader stays.
func (h *Hub) serve(c *gin.Context) {
	topics, err := parseTopics(c.Query("topics"))
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	caller := identity.From(c.Request.Context())
	last := c.GetHeader("Last-Event-ID")
	if last == "" {
		last = c.Query("last_event_id")
	}
	r, missed, ok := h.join(caller.UserID, last)
	if !ok {
		p := problem.New(problem.TooMany, "You have %d streams open, or the server is stopping.", maxPerUser)
		p.RetryAfter = 5
		api.WriteProblem(c, p)
		return
	}
	defer h.leave(r)
	header := c.Writer.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	c.Status(http.StatusOK)
	if c.Request.Method == http.MethodHead {
		return
	}
	s := session{hub: h, reader: r, topics: topics, caller: caller, out: c.Writer, control: http.NewResponseController(c.Writer)}
	s.begin(missed)
	s.follow(c)
}

func parseTopics(list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	topics := strings.Split(list, ",")
	for _, t := range topics {
		if !slices.Contains(identity.Capabilities, capability(t)) {
			return nil, problem.FieldError("topics", "%q is no topic; begin with one of %s", t, strings.Join(identity.Capabilities, ", "))
		}
	}
	return topics, nil
}

// session is one reader's stream.
type session struct {
	hub     *Hub
	reader  *reader
	topics  []string
	caller  identity.Caller
	out     http.ResponseWriter
	control *http.ResponseController
	buf     bytes.Buffer
}

func (s *session) begin(missed bool) {
	s.buf.WriteString("retry: 2000\n\n")
	if missed {
		s.reset(s.reader.at)
		return
	}
	fmt.Fprintf(&s.buf, "id: %s\n\n", s.hub.id(s.reader.at))
}

func (s *session) follow(c *gin.Context) {
	ctx := c.Request.Context()
	beat := time.NewTicker(s.hub.deps.Heartbeat)
	defer beat.Stop()
	for s.flush() == nil {
		select {
		case <-ctx.Done():
			return
		case <-s.hub.done:
			return
		case <-s.reader.wake:
			s.catchUp()
		case <-beat.C:
			if s.hub.deps.Recheck != nil {
				caller, err := s.hub.deps.Recheck(ctx)
				if err != nil || caller.UserID != s.caller.UserID {
					return
				}
				s.caller = caller
			}
			// The id without data moves the reader's Last-Event-ID past events that were not for them.
			s.catchUp()
			fmt.Fprintf(&s.buf, ": alive\nid: %s\n\n", s.hub.id(s.reader.at))
		}
	}
}

func (s *session) catchUp() {
	list, reset := s.hub.next(s.reader)
	if reset {
		s.reset(s.reader.at)
		return
	}
	for _, e := range list {
		switch {
		case e.reset:
			s.reset(e.n)
		case s.wants(e.Event):
			s.event(e)
		}
	}
}

func (s *session) wants(e Event) bool {
	scope := identity.Scope{Capability: capability(e.Topic), Level: identity.Read}
	if e.Team == 0 && !s.caller.CanAdministrate() || e.Team != 0 && !s.caller.Can(e.Team, scope) {
		return false
	}
	if s.topics == nil {
		return true
	}
	for _, t := range s.topics {
		if e.Topic == t || strings.HasPrefix(e.Topic, t+".") {
			return true
		}
	}
	return false
}

func (s *session) event(e entry) {
	team := ""
	for name, t := range s.caller.Teams {
		if t.ID == e.Team {
			team = name
		}
	}
	data, _ := json.Marshal(struct { // strings only: cannot fail
		Topic string `json:"topic"`
		ID    string `json:"id"`
		Team  string `json:"team"`
	}{e.Topic, e.ID, team})
	fmt.Fprintf(&s.buf, "event: change\nid: %s\ndata: %s\n\n", s.hub.id(e.n), data)
}

func (s *session) reset(n uint64) {
	fmt.Fprintf(&s.buf, "event: reset\nid: %s\ndata: {}\n\n", s.hub.id(n))
}

func (s *session) flush() error {
	// Not every test writer knows deadlines; the write's own error decides.
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := s.out.Write(s.buf.Bytes()); err != nil {
		return err
	}
	s.buf.Reset()
	return s.control.Flush()
}
