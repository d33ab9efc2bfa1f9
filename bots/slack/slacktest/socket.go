package slacktest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// patience is how long Slack waits for an acknowledgement before it sends again.
const patience = 3 * time.Second

// socketSide is what Slack keeps of Socket Mode.
type socketSide struct {
	open   []*link
	opened int
	// queue are frames that no socket has taken, unacked those without an acknowledgement.
	queue   []*frame
	unacked map[string]*frame
	serial  int
}

type link struct {
	conn *websocket.Conn
	out  chan any
	// leaving was told to disconnect and gets nothing new.
	leaving bool
}

// frame is an envelope on its way.
type frame struct {
	kind    string
	payload any
	answers bool
	attempt int
	sent    time.Time
}

func (s *Server) accept(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	l := &link{conn: conn, out: make(chan any, 100)}
	l.out <- map[string]any{"type": "hello", "num_connections": 1, "connection_info": map[string]any{"app_id": "A111"}}
	s.mu.Lock()
	s.socket.open = append(s.socket.open, l)
	s.socket.opened++
	s.flush()
	s.touched()
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go s.write(ctx, cancel, l)
	s.listen(ctx, l)
	s.mu.Lock()
	s.socket.open = slices.DeleteFunc(s.socket.open, func(o *link) bool { return o == l })
	s.touched()
	s.mu.Unlock()
}

func (s *Server) write(ctx context.Context, cancel context.CancelFunc, l *link) {
	defer cancel()
	again := time.NewTicker(patience / 6)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-l.out:
			if wsjson.Write(ctx, l.conn, f) != nil {
				return
			}
		case <-again.C:
			s.resend()
		}
	}
}

func (s *Server) listen(ctx context.Context, l *link) {
	for {
		var ack struct {
			Envelope string          `json:"envelope_id"`
			Payload  json.RawMessage `json:"payload"`
		}
		if wsjson.Read(ctx, l.conn, &ack) != nil {
			return
		}
		s.mu.Lock()
		if f := s.socket.unacked[ack.Envelope]; f != nil {
			delete(s.socket.unacked, ack.Envelope)
			if len(ack.Payload) > 20<<10 {
				s.broken = append(s.broken, "an acknowledgement is too large")
			}
			if f.answers && len(ack.Payload) > 0 {
				s.answers = append(s.answers, ack.Payload)
			}
		}
		s.touched()
		s.mu.Unlock()
	}
}

// resend sends again what nobody has acknowledged in time, under another envelope.
func (s *Server) resend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, f := range s.socket.unacked {
		if time.Since(f.sent) > patience {
			delete(s.socket.unacked, id)
			f.attempt++
			s.socket.queue = append(s.socket.queue, f)
		}
	}
	s.flush()
}

// flush gives queued frames to open sockets, each to one; with the lock held.
func (s *Server) flush() {
	if s.socket.unacked == nil {
		s.socket.unacked = map[string]*frame{}
	}
	for len(s.socket.queue) > 0 {
		var to *link
		for i := range s.socket.open {
			if l := s.socket.open[(i+s.socket.serial)%len(s.socket.open)]; !l.leaving {
				to = l
				break
			}
		}
		if to == nil {
			return
		}
		f := s.socket.queue[0]
		s.socket.serial++
		id := "envelope-" + seconds(s.socket.serial)
		select {
		case to.out <- map[string]any{"type": f.kind, "envelope_id": id, "accepts_response_payload": f.answers, "retry_attempt": f.attempt, "payload": f.payload}:
		default:
			return
		}
		f.sent = time.Now()
		s.socket.unacked[id] = f
		s.socket.queue = s.socket.queue[1:]
	}
}

// push sends an envelope over some socket, when there is one.
func (s *Server) push(kind string, payload any, answers bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.socket.queue = append(s.socket.queue, &frame{kind: kind, payload: payload, answers: answers})
	s.flush()
}

// Disconnect tells every socket to go, for a reason, as Slack does every few hours.
func (s *Server) Disconnect(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.socket.open {
		l.leaving = reason != "link_disabled"
		l.out <- map[string]any{"type": "disconnect", "reason": reason, "debug_info": map[string]any{"host": "applink"}}
	}
}

// Drop cuts every socket without a word.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.socket.open {
		go l.conn.CloseNow()
	}
}

// Opened counts sockets since the beginning, Open those there are.
func (s *Server) Opened() int { s.mu.Lock(); defer s.mu.Unlock(); return s.socket.opened }

// Open counts the sockets that may be given something.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, l := range s.socket.open {
		if !l.leaving {
			n++
		}
	}
	return n
}

// Settled reports whether everything sent was acknowledged.
func (s *Server) Settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.socket.queue) == 0 && len(s.socket.unacked) == 0
}
