// Command serve is a GitHub in memory for browser tests. It serves the repositories
// named as arguments ("acme/web") at a free port of loopback and prints its address.
// Then it takes one JSON order per line and answers each with one line:
//
//	{"deliver": "push", "repository": "acme/web", "payload": {…}}   what the hooks answered
//	{"look": true, "repository": "acme/web"}                         hooks and statuses
//
// It ends with its input.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"

	"github.com/signalbox/signalbox/server/platform/github/githubtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, repositories []string, in io.Reader, out io.Writer) error {
	hub, stop := githubtest.Start()
	defer stop()
	for _, full := range repositories {
		owner, name, _ := strings.Cut(full, "/")
		hub.AddRepo(owner, name)
	}
	fmt.Fprintln(out, hub.URL)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return fmt.Errorf("read an order: %w", err)
		}
		if err := json.NewEncoder(out).Encode(o.do(ctx, hub)); err != nil {
			return fmt.Errorf("answer an order: %w", err)
		}
	}
	return lines.Err()
}

// order is one line of input.
type order struct {
	Deliver    string          `json:"deliver"`
	Look       bool            `json:"look"`
	Repository string          `json:"repository"`
	Payload    json.RawMessage `json:"payload"`
}

// sight is what a repository looks like at GitHub.
type sight struct {
	Hooks    []hook           `json:"hooks"`
	Statuses []map[string]any `json:"statuses"`
}

type hook struct {
	URL    string   `json:"url"`
	Events []string `json:"events"`
	Secret bool     `json:"secret"`
}

func (o order) do(ctx context.Context, hub *githubtest.Server) any {
	owner, name, _ := strings.Cut(o.Repository, "/")
	if o.Deliver != "" {
		return hub.Deliver(ctx, owner, name, o.Deliver, o.Payload)
	}
	seen := sight{Hooks: []hook{}, Statuses: []map[string]any{}}
	hub.Look(owner, name, func(r *githubtest.Repo) {
		for _, h := range r.Hooks {
			seen.Hooks = append(seen.Hooks, hook{h.URL, h.Events, h.Secret != ""})
		}
		seen.Statuses = append(seen.Statuses, r.Statuses...)
	})
	return seen
}
