package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/bots/slack/slacktest"
)

const (
	// demoRoom is the channel of the demo's Slack, by its id and name.
	demoRoom     = "C111"
	demoRoomName = "shop-alerts"
	// demoPerson is who sits in front of it.
	demoPerson = "U1"
	// demoSlackKept is how many messages it keeps.
	demoSlackKept = 200
)

// demoSlack is a Slack of the demo's own, on a port that only this machine reaches:
// incoming webhooks and the assistant's app come to it as they would to the real one.
type demoSlack struct {
	// address is the host and port that the server must be allowed to call.
	address string
	app     *slacktest.Server
	server  *http.Server
	file    string

	mu    sync.Mutex
	posts []slackPost
}

// slackPost is a message as people read it, in Slack's own marking.
type slackPost struct {
	At     time.Time `json:"at"`
	From   string    `json:"from"`
	Text   string    `json:"text"`
	Thread bool      `json:"thread"`
}

// openDemoSlack lets it listen. What was said before a restart is remembered.
func openDemoSlack(ctx context.Context, folder string) (*demoSlack, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the demo's Slack: %w", err)
	}
	s := &demoSlack{address: l.Addr().String(), app: slacktest.New(), file: filepath.Join(folder, "slack-of-the-demo")}
	s.app.At("http://" + s.address)
	s.app.From(now())
	s.app.AddChannel(slacktest.Channel{ID: demoRoom, Name: demoRoomName})
	raw, err := os.ReadFile(s.file)
	if err == nil {
		err = json.Unmarshal(raw, &s.posts)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("read what the demo's Slack has kept: %w", err), l.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/", s.webhook)
	mux.Handle("/", s.app)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go s.server.Serve(l) //nolint:errcheck // it ends when it is closed
	return s, nil
}

func (s *demoSlack) close() { s.server.Close() }

// api is where apps reach it, hook where incoming webhooks do.
func (s *demoSlack) api() string  { return s.app.API() }
func (s *demoSlack) hook() string { return "http://" + s.address + "/services/T111/B111/of-the-demo" }

// webhook takes a message as Slack's incoming webhooks do.
func (s *demoSlack) webhook(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text   string `json:"text"`
		Blocks []struct {
			Text struct {
				Text string `json:"text"`
			} `json:"text"`
		} `json:"blocks"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&in); err != nil {
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	var parts []string
	for _, b := range in.Blocks {
		if b.Text.Text != "" {
			parts = append(parts, b.Text.Text)
		}
	}
	if len(parts) == 0 {
		parts = []string{in.Text}
	}
	if err := s.keep(slackPost{At: now(), From: "Signalbox", Text: strings.Join(parts, "\n")}); err != nil {
		http.Error(w, "not kept", http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, "ok")
}

func (s *demoSlack) keep(p slackPost) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts = append(s.posts, p)
	s.posts = s.posts[max(0, len(s.posts)-demoSlackKept):]
	raw, err := json.Marshal(s.posts)
	if err != nil {
		return err
	}
	return os.WriteFile(s.file, raw, 0o600)
}

// messages are all that stand in the channel, the oldest first. What the assistant
// and people say to each other is forgotten with the server.
func (s *demoSlack) messages() []slackPost {
	s.mu.Lock()
	list := append([]slackPost{}, s.posts...)
	s.mu.Unlock()
	for _, m := range s.app.Messages(demoRoom) {
		if m.OnlyFor != "" {
			continue
		}
		from := "you"
		if m.FromBot() {
			from = "Signalbox assistant"
		}
		list = append(list, slackPost{At: m.At.UTC(), From: from, Text: strings.ReplaceAll(m.Said(), "<@"+slacktest.BotUser+">", "@Signalbox"), Thread: m.Thread != "" && m.Thread != m.TS})
	}
	slices.SortStableFunc(list, func(a, b slackPost) int { return a.At.Compare(b.At) })
	return list
}

// answered reports whether the assistant has said something final below a message.
func (s *demoSlack) answered(thread string) bool {
	return slices.ContainsFunc(s.app.Thread(demoRoom, thread), func(m slacktest.Message) bool {
		return m.FromBot() && !m.Stream && m.TS != thread && !strings.HasPrefix(m.Said(), "…")
	})
}

var slackCode = regexp.MustCompile(`/link-slack#([A-Za-z0-9_-]+)`)

// invitation types the command that links an account, and gives the code that is in the answer.
func (s *demoSlack) invitation(ctx context.Context) (string, error) {
	before := len(s.app.Answers())
	s.app.Type(demoPerson, demoRoom, "link")
	for range 200 {
		for _, said := range s.app.Answers()[before:] {
			if m := slackCode.FindSubmatch(said); m != nil {
				return string(m[1]), nil
			}
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return "", err
		}
	}
	return "", errors.New("the assistant did not answer in Slack")
}
