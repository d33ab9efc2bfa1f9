package slack

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// Socket keeps a connection to Slack open, for servers that the outside cannot reach.
type Socket struct {
	Client *Client
	// Handle takes in what has come, durably; only what it took without an error is
	// acknowledged. Its answer goes back with the acknowledgement of a command.
	Handle func(ctx context.Context, in Incoming) (*Message, error)
	// Told hears how the connection stands: whether it is open, and what is wrong, "" for nothing.
	Told func(ctx context.Context, open bool, trouble string)
	Log  *slog.Logger
}

const (
	// alive is how often a connection is tried, and how long an answer may take.
	alive = 10 * time.Second
	// overlap is how long a connection that Slack is about to close is still read.
	overlap = time.Minute
	// maxFrame bounds what is read at once, in bytes.
	maxFrame = 1 << 20
	longest  = time.Minute
)

// hopeless are refusals that trying again does not change.
var hopeless = []string{"invalid_auth", "account_inactive", "not_authed", "token_revoked", "not_allowed_token_type", "missing_scope"}

// Run keeps a connection until ctx ends, or until Slack says that it never will open one.
// A connection that Slack announces to close is replaced first, so that nothing falls between two.
func (s *Socket) Run(ctx context.Context) error {
	var reading sync.WaitGroup
	defer reading.Wait()
	defer s.Told(context.WithoutCancel(ctx), false, "")
	for failures := 0; ctx.Err() == nil; {
		conn, err := s.open(ctx)
		if err == nil {
			over := make(chan bool, 2) // true: it had worked
			reading.Go(func() { s.read(ctx, conn, over) })
			if <-over {
				failures = 0
				continue
			}
			err = errors.New("the connection was closed before it began")
		}
		if ctx.Err() != nil {
			break
		}
		failures++
		s.Told(ctx, false, err.Error())
		if slices.Contains(hopeless, Code(err)) {
			return err
		}
		s.Log.Warn("no connection to Slack", "error", err, "failures", failures)
		pause(ctx, failures, err)
	}
	return nil
}

// pause waits longer each time, as long as Slack asks at least, and not as long as others do.
func pause(ctx context.Context, failures int, err error) {
	wait := min(time.Second<<min(failures-1, 10), longest)
	wait = time.Duration(float64(wait) * (0.5 + rand.Float64()/2))
	if asked, ok := Wait(err); ok {
		wait = max(wait, asked)
	}
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}

func (s *Socket) open(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	address, err := s.Client.Open(ctx)
	if err != nil {
		return nil, err
	}
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: s.Client.config.Socket})
	if err != nil {
		return nil, errors.New("the websocket could not be opened") // the error would name the address, which is a ticket
	}
	conn.SetReadLimit(maxFrame)
	return conn, nil
}

type frame struct {
	Type     string          `json:"type"`
	Reason   string          `json:"reason"`
	Envelope string          `json:"envelope_id"`
	Payload  json.RawMessage `json:"payload"`
	Answers  bool            `json:"accepts_response_payload"`
}

// read takes frames in, one after another, until the connection ends. It sends to over as
// soon as another connection is wanted.
func (s *Socket) read(ctx context.Context, conn *websocket.Conn, over chan<- bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer conn.CloseNow()
	go s.keep(ctx, conn, cancel)
	worked := false
	defer func() { over <- worked }()
	for {
		var f frame
		if err := wsjson.Read(ctx, conn, &f); err != nil {
			return
		}
		switch f.Type {
		case "hello":
			worked = true
			s.Told(ctx, true, "")
		case "disconnect":
			if f.Reason == "link_disabled" || f.Reason == "too_many_websockets" {
				worked = false
				s.Told(ctx, false, "Slack closed the connection: "+f.Reason)
				return
			}
			over <- worked
			over = make(chan bool, 1) // the next one is on its way; this one is read to its end
			time.AfterFunc(overlap, cancel)
		default:
			s.take(ctx, conn, f)
		}
	}
}

// keep tries the connection, which may be dead without having been closed.
func (s *Socket) keep(ctx context.Context, conn *websocket.Conn, cancel context.CancelFunc) {
	defer cancel()
	ticker := time.NewTicker(alive)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		try, done := context.WithTimeout(ctx, alive)
		err := conn.Ping(try)
		done()
		if err != nil {
			return
		}
	}
}

func (s *Socket) take(ctx context.Context, conn *websocket.Conn, f frame) {
	reader := map[string]func([]byte) (Incoming, error){"events_api": ReadEvent, "interactive": ReadPressed, "slash_commands": ReadCommand}[f.Type]
	ack := struct {
		Envelope string          `json:"envelope_id"`
		Payload  json.RawMessage `json:"payload,omitempty"`
	}{Envelope: f.Envelope}
	if reader != nil {
		in, err := reader(f.Payload)
		if err != nil {
			s.Log.Warn("Slack sent what cannot be read", "type", f.Type, "error", err)
		} else {
			answer, err := s.Handle(ctx, in)
			if err != nil {
				s.Log.Error("what Slack sent could not be taken in; it will come again", "type", f.Type, "error", err)
				return
			}
			if answer != nil && f.Answers {
				ack.Payload = answer.Payload()
			}
		}
	}
	if f.Envelope == "" {
		return
	}
	if err := wsjson.Write(ctx, conn, ack); err != nil {
		s.Log.Info("what Slack sent could not be acknowledged; it will come again", "error", err)
	}
}
