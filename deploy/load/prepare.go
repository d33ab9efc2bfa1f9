package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

// nodes is how many machines check in; stack is how many check-ins are signed at a time.
const (
	nodes = 50
	stack = 50
)

const pipeline = `
jobs:
- name: hello
  plan:
  - task: say
    config: {platform: linux, run: {path: sh, args: [-c, "for i in 1 2 3 4 5 6 7 8 9 10; do echo line $i of the build; done"]}}
`

// world is what the scripts find: made through the API, as a person makes it.
type world struct {
	server *server
	file   string
	hook   struct{ ID, Secret string }
	// project of errors.
	project struct {
		ID  int64  `json:"id"`
		Key string `json:"key"`
	}
	pipeline, job int64
	began         time.Time

	signer *httptest.Server
	mu     sync.Mutex
	nodes  map[string]*node
}

type node struct {
	key ed25519.PrivateKey
	seq int64
}

func prepare(ctx context.Context, s *server, dir string) (*world, error) {
	w := &world{server: s, file: filepath.Join(dir, "world.json"), nodes: map[string]*node{}, began: time.Now()}
	var token struct{ Token string }
	var keys struct{ Items []struct{ ID string } }
	var set struct{ Pipeline struct{ ID int64 } }
	var jobs []struct{ ID int64 }
	var enrol struct{ Token string }
	for _, step := range []func() error{
		func() error {
			return s.call(ctx, "POST", "/api/v1/accounts/tokens", map[string]any{"name": "load", "team": team, "scopes": []string{"*"}}, &token)
		},
		func() error {
			return s.call(ctx, "POST", "/api/v1/ci/hooks", map[string]any{"team": team, "name": "load"}, &w.hook)
		},
		func() error {
			return s.call(ctx, "POST", "/api/v1/issues/projects", map[string]any{"team": team, "name": "Load", "platform": "python"}, &w.project)
		},
		func() error {
			return s.call(ctx, "GET", fmt.Sprintf("/api/v1/issues/projects/%d/keys", w.project.ID), nil, &keys)
		},
		func() error {
			return s.call(ctx, "PUT", "/api/v1/ci/pipelines/config", map[string]any{"team": team, "name": "load", "yaml": pipeline}, &set)
		},
		func() error {
			return s.call(ctx, "POST", fmt.Sprintf("/api/v1/ci/pipelines/%d/unpause", set.Pipeline.ID), nil, nil)
		},
		func() error {
			return s.call(ctx, "GET", "/api/v1/teams/"+team+"/pipelines/load/jobs", nil, &jobs)
		},
		func() error {
			return s.call(ctx, "POST", "/api/v1/edge/tokens", map[string]any{"team": team, "name": "load", "accepts": true, "max_uses": nodes, "hours": 24}, &enrol)
		},
		func() error { return w.enrol(ctx, enrol.Token) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if len(keys.Items) == 0 || len(jobs) == 0 {
		return nil, fmt.Errorf("no key or no job: %+v %+v", keys, jobs)
	}
	w.project.Key, w.pipeline, w.job = keys.Items[0].ID, set.Pipeline.ID, jobs[0].ID
	w.signer = httptest.NewServer(http.HandlerFunc(w.sign))
	ids := []string{}
	for id := range w.nodes {
		ids = append(ids, id)
	}
	raw, err := json.Marshal(map[string]any{"url": s.url, "token": token.Token, "team": team, "user": user, "password": password,
		"hook": map[string]string{"id": w.hook.ID, "secret": w.hook.Secret}, "project": w.project, "pipeline": w.pipeline, "job": w.job, "nodes": ids, "sign": w.signer.URL})
	if err != nil {
		return nil, err
	}
	return w, os.WriteFile(w.file, raw, 0o600)
}

func (w *world) close() { w.signer.Close() }

// enrol makes machines nodes.
func (w *world) enrol(ctx context.Context, token string) error {
	for i := range nodes {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("edge-%03d", i)
		body, err := json.Marshal(protocol.EnrollRequest{Token: token, Name: name, Site: fmt.Sprintf("site-%d", i/10), PublicKey: public, Agent: "1.0.0",
			Machine: protocol.Machine{Hostname: name, OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: "apt"}})
		if err != nil {
			return err
		}
		r := signed(ctx, w.server.url+protocol.PathEnroll, "", private, 1, body)
		var answer protocol.EnrollAnswer
		if err := do(r, &answer); err != nil {
			return err
		}
		w.nodes[answer.Node] = &node{private, 1}
	}
	return nil
}

// signed is what an agent says. The addresses are our own and always fit.
func signed(ctx context.Context, url, id string, key ed25519.PrivateKey, seq int64, body []byte) *http.Request {
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	protocol.Sign(r, body, id, key, time.Now(), seq)
	return r
}

type presigned struct {
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// sign gives a node's next check-ins; signatures hold for a day.
func (w *world) sign(out http.ResponseWriter, in *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := in.URL.Query().Get("node")
	n := w.nodes[id]
	if n == nil {
		http.NotFound(out, in)
		return
	}
	list := make([]presigned, stack)
	for i := range list {
		n.seq++
		exit := protocol.ExitOK
		body, err := json.Marshal(protocol.CheckIn{State: protocol.StateIdle, Agent: "1.0.0", Clock: time.Now(), DiskFree: 1 << 34, BootID: "c0ffee00-0000-4000-8000-000000000000", LastExit: &exit})
		if err != nil {
			http.Error(out, err.Error(), http.StatusInternalServerError)
			return
		}
		list[i] = presigned{Path: protocol.PathCheckIn, Headers: map[string]string{"Content-Type": "application/json"}, Body: string(body)}
		for name, values := range signed(in.Context(), w.server.url+protocol.PathCheckIn, id, n.key, n.seq, body).Header {
			list[i].Headers[name] = values[0]
		}
	}
	json.NewEncoder(out).Encode(list) // an error is k6's, which then says so
}
