package slacktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The workspace, and the app in it.
const (
	Workspace = "T111"
	BotUser   = "U222"
	BotID     = "B222"
	BotToken  = "xoxb-test-bot"
	AppToken  = "xapp-test-app"
	Secret    = "8f742231b10e8888abcd99yyyzzz85a5"
)

// User is somebody in Slack.
type User struct {
	ID, Name, Email, Zone, Workspace string
	Bot, Guest, Stranger             bool
}

// Channel is a place to talk.
type Channel struct {
	ID, Name string
	// Shared is open to another workspace; Closed refuses the app.
	Shared, Private, Closed bool
}

// Message is what stands in a channel.
type Message struct {
	Channel, TS, Thread, User, Text string
	Blocks                          json.RawMessage
	Key                             string
	// OnlyFor sees it alone; Stream is still growing; Gone was taken back.
	OnlyFor      string
	Stream, Gone bool
	// Edits counts changes, Tasks are titles that a stream has shown.
	Edits int
	Tasks []string
	// At is when it came.
	At time.Time
}

// FromBot reports whether the app said it.
func (m Message) FromBot() bool { return m.User == BotUser }

// Said is all of a message that people read: text of its blocks, or its text.
func (m Message) Said() string {
	if len(m.Blocks) == 0 {
		return m.Text
	}
	var blocks []struct {
		Type string `json:"type"`
		Text struct {
			Text string `json:"text"`
		} `json:"text"`
		Elements []json.RawMessage `json:"elements"`
	}
	if json.Unmarshal(m.Blocks, &blocks) != nil {
		return m.Text
	}
	var parts []string
	for _, b := range blocks {
		if b.Text.Text != "" {
			parts = append(parts, b.Text.Text)
		}
		for _, raw := range b.Elements {
			var plain struct {
				Text json.RawMessage `json:"text"`
			}
			var inner struct {
				Text string `json:"text"`
			}
			var text string
			if json.Unmarshal(raw, &plain) == nil && json.Unmarshal(plain.Text, &text) == nil {
				parts = append(parts, text)
			} else if json.Unmarshal(plain.Text, &inner) == nil && inner.Text != "" {
				parts = append(parts, "["+inner.Text+"]")
			}
		}
	}
	return strings.Join(parts, "\n")
}

// Button is one of a message.
type Button struct {
	Action string `json:"action_id"`
	Value  string `json:"value"`
	URL    string `json:"url"`
	Text   struct {
		Text string `json:"text"`
	} `json:"text"`
}

// Buttons are those of a message.
func (m Message) Buttons() []Button {
	var blocks []struct {
		Type     string            `json:"type"`
		Elements []json.RawMessage `json:"elements"`
	}
	if json.Unmarshal(m.Blocks, &blocks) != nil {
		return nil
	}
	var out []Button
	for _, b := range blocks {
		if b.Type != "actions" {
			continue
		}
		for _, raw := range b.Elements {
			var button Button
			if json.Unmarshal(raw, &button) == nil {
				out = append(out, button)
			}
		}
	}
	return out
}

// Fault is how a method misbehaves: for the next Times calls, or forever when that is negative.
type Fault struct {
	Times int
	// RetryAfter answers 429, in seconds; Status another one; Code refuses in words.
	RetryAfter, Status int
	Code               string
	// After lets the call happen first, as when only the answer is lost.
	After bool
}

// Server is one workspace.
type Server struct {
	mux *http.ServeMux

	mu       sync.Mutex
	url      string
	Scopes   []string
	users    map[string]User
	channels map[string]Channel
	messages []*Message
	homes    map[string]json.RawMessage
	prompts  []string
	answers  []json.RawMessage // what commands were answered with at once
	faults   map[string]*Fault
	calls    map[string]int
	last     int64
	socket   socketSide
	changed  chan struct{}
	// broken are answers of the app that Slack would refuse, and other breaches of its rules.
	broken []string
}

// New makes a workspace with Ann, a guest, a stranger and a program in it, and two channels.
func New() *Server {
	s := &Server{mux: http.NewServeMux(), users: map[string]User{}, channels: map[string]Channel{}, homes: map[string]json.RawMessage{}, faults: map[string]*Fault{}, calls: map[string]int{},
		last: 1763650000_000000, changed: make(chan struct{})}
	for _, scope := range strings.Fields("app_mentions:read assistant:write chat:write commands im:history im:read im:write channels:history channels:read groups:history groups:read users:read users:read.email") {
		s.Scopes = append(s.Scopes, scope)
	}
	for _, u := range []User{{ID: "U1", Name: "ann", Email: "ann@acme.test", Zone: "Europe/London"}, {ID: "U3", Name: "ben", Zone: "America/New_York"}, {ID: "UGUEST", Name: "guest", Guest: true},
		{ID: "USTRANGER", Name: "stranger", Stranger: true, Workspace: "T999"}, {ID: "UBOT", Name: "another bot", Bot: true}} {
		s.AddUser(u)
	}
	for _, c := range []Channel{{ID: "C111", Name: "dev"}, {ID: "C333", Name: "random"}, {ID: "CSHARED", Name: "with-others", Shared: true}, {ID: "CCLOSED", Name: "closed", Closed: true}} {
		s.channels[c.ID] = c
	}
	s.routes()
	return s
}

// At tells the server under which address it is reached, for what it hands out.
func (s *Server) At(url string) { s.mu.Lock(); s.url = url; s.mu.Unlock() }

// API is what an app sets as the Web API's address.
func (s *Server) API() string { s.mu.Lock(); defer s.mu.Unlock(); return s.url + "/api/" }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// AddUser puts somebody into the workspace.
func (s *Server) AddUser(u User) {
	if u.Workspace == "" {
		u.Workspace = Workspace
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[u.ID] = u
}

// AddChannel opens a channel.
func (s *Server) AddChannel(c Channel) { s.mu.Lock(); s.channels[c.ID] = c; s.mu.Unlock() }

// Fail makes a method misbehave.
func (s *Server) Fail(method string, f Fault) { s.mu.Lock(); s.faults[method] = &f; s.mu.Unlock() }

// Heal ends every fault.
func (s *Server) Heal() { s.mu.Lock(); clear(s.faults); s.mu.Unlock() }

// Calls counts how often a method was called, faults included.
func (s *Server) Calls(method string) int { s.mu.Lock(); defer s.mu.Unlock(); return s.calls[method] }

// Broken are rules of Slack that the app has broken.
func (s *Server) Broken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.broken)
}

// Messages are those that stand in a channel, oldest first; of all channels when it is "".
func (s *Server) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for _, m := range s.messages {
		if (channel == "" || m.Channel == channel) && !m.Gone {
			out = append(out, *m)
		}
	}
	return out
}

// Thread is what stands below a message.
func (s *Server) Thread(channel, ts string) []Message {
	return slices.DeleteFunc(s.Messages(channel), func(m Message) bool { return m.Thread != ts && m.TS != ts })
}

// Home is the app's page as a user sees it, nil before there is one.
func (s *Server) Home(user string) json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.homes[user]
}

// Prompts are the questions that were suggested last.
func (s *Server) Prompts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.prompts)
}

// Answers are what commands were answered with at once.
func (s *Server) Answers() []json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.answers)
}

// Changed is closed at the next change of anything.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// touched wakes who waits; with the lock held.
func (s *Server) touched() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// stamp is the next time, as Slack writes them; with the lock held.
func (s *Server) stamp() string {
	s.last++
	return fmt.Sprintf("%d.%06d", s.last/1_000_000, s.last%1_000_000)
}

func (s *Server) find(channel, ts string) *Message {
	for _, m := range s.messages {
		if m.Channel == channel && m.TS == ts && !m.Gone && m.OnlyFor == "" {
			return m
		}
	}
	return nil
}

func seconds(n int) string { return strconv.Itoa(n) }
