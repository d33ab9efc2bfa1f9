package acme

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

type timelineIn struct {
	Team       string `json:"team"`
	From       string `json:"from,omitempty"`
	To         string `json:"to,omitempty"`
	Service    string `json:"service,omitempty"`
	Capability string `json:"capability,omitempty"`
}

// What happened in the world on the day before its questions are asked, newest first.
var happened = []map[string]any{
	{"at": "2026-04-16T13:40:00Z", "capability": "issues", "kind": "error", "title": "New error: TypeError in checkout", "path": "/teams/main/issues/7", "tone": "bad", "project": "shop"},
	{"at": "2026-04-16T13:12:00Z", "capability": "ci", "kind": "build", "title": "web/test #42 failed", "detail": "push a1b2c3d after 2m3s", "path": "/builds/42", "tone": "bad", "pipeline": "web"},
	{"at": "2026-04-16T13:10:00Z", "capability": "ci", "kind": "push", "title": "Push to acme/shop main", "path": "/teams/main/ci/hooks/deliveries?delivery=d-1", "actor": "bob", "tone": "plain", "repository": "acme/shop"},
	{"at": "2026-04-16T09:00:00Z", "capability": "edge", "kind": "rollout", "title": "Rollout 3 of 20260415-build-42 running", "path": "/teams/main/edge/rollouts/r1", "tone": "plain"},
}

func timeline(_ context.Context, in timelineIn) (map[string]any, error) {
	from, err := time.Parse(time.RFC3339, in.From)
	if err != nil {
		return nil, problem.FieldError("from", "is no time")
	}
	to, err := time.Parse(time.RFC3339, in.To)
	if err != nil {
		return nil, problem.FieldError("to", "is no time")
	}
	events := []any{}
	for _, e := range happened {
		text, _ := e["at"].(string)
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, err
		}
		if !at.Before(from) && at.Before(to) && (in.Service == "" || e["pipeline"] == in.Service) {
			events = append(events, e)
		}
	}
	return map[string]any{"from": in.From, "to": in.To, "events": events, "cut": false, "missing": []string{}}, nil
}
