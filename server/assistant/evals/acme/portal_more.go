package acme

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

type failure struct {
	ID        int64             `json:"id"`
	ShortID   string            `json:"short_id"`
	Title     string            `json:"title"`
	Level     string            `json:"level"`
	State     string            `json:"state"`
	Events    int64             `json:"events"`
	Users     int64             `json:"users"`
	FirstSeen time.Time         `json:"first_seen"`
	LastSeen  time.Time         `json:"last_seen"`
	Releases  map[string]string `json:"releases"`
}

// failures are what programs have reported.
var failures = []failure{
	{7, "SHOP-7", "TypeError: cannot read total of undefined", "error", "unresolved", 128, 54, at("2026-04-16T10:20:00Z"), at("2026-04-17T11:40:00Z"), map[string]string{"first": "v1.4.2", "last": "v1.4.2"}},
	{3, "SHOP-3", "TimeoutError payments", "error", "resolved", 40, 12, at("2026-04-05T10:00:00Z"), at("2026-04-12T10:00:00Z"), map[string]string{"first": "v1.4.1", "last": "v1.4.1"}},
	{1, "API-1", "nil dereference", "error", "unresolved", 3, 1, at("2026-04-17T06:00:00Z"), at("2026-04-17T09:00:00Z"), map[string]string{}},
}

type errorsIn struct {
	Team    string `json:"team"`
	Project string `json:"project,omitempty"`
	Query   string `json:"query,omitempty"`
	Sort    string `json:"sort,omitempty"`
	Limit   int    `json:"limit,omitempty"`
}

func listErrors(_ context.Context, in errorsIn) (map[string]any, error) {
	found := slices.DeleteFunc(slices.Clone(failures), func(f failure) bool {
		return slices.ContainsFunc(strings.Fields(in.Query), func(term string) bool { return !meets(f, term) })
	})
	return map[string]any{"issues": found, "next": ""}, nil
}

func meets(f failure, term string) bool {
	key, value, _ := strings.Cut(term, ":")
	since, dated := strings.CutPrefix(value, ">=")
	switch {
	case key == "is":
		return f.State == value
	case key == "release":
		return f.Releases["first"] == value || f.Releases["last"] == value
	case key == "first_seen" && dated:
		return !f.FirstSeen.Before(at(since))
	case key == "last_seen" && dated:
		return !f.LastSeen.Before(at(since))
	}
	return strings.Contains(strings.ToLower(f.Title), strings.ToLower(term))
}

type errorIn struct {
	Team  string `json:"team"`
	Issue string `json:"issue"`
}

func getError(_ context.Context, in errorIn) (map[string]any, error) {
	i := slices.IndexFunc(failures, func(f failure) bool { return strings.EqualFold(f.ShortID, in.Issue) })
	if i < 0 {
		return nil, problem.New(problem.NotFound, "There is no issue %.60s in this team.", in.Issue)
	}
	return map[string]any{"issue": failures[i], "suspect_commits": []any{}}, nil
}

type linesIn struct {
	Team  string    `json:"team"`
	Query string    `json:"query,omitempty"`
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"`
	Limit int       `json:"limit,omitempty"`
}

type pattern struct {
	Pattern string `json:"pattern"`
	Count   int64  `json:"count"`
	Sample  string `json:"sample"`
}

// linePatterns are the error lines of the last hour, by service; they begin at 11:12.
var linePatterns = map[string][]pattern{
	"payments": {{"connection to <*> refused", 5100, "connection to 10.0.4.7:5432 refused"}, {"retry <*> of <*> given up", 130, "retry 5 of 5 given up"}},
	"web":      {{"cannot read total of undefined", 12, "cannot read total of undefined"}},
}

var firstLine = at("2026-04-17T11:12:00Z")

// linesOf are the patterns that a search meets.
func linesOf(in linesIn) []pattern {
	if !in.To.IsZero() && in.To.Before(firstLine) {
		return nil
	}
	var out []pattern
	for service, list := range linePatterns {
		if !strings.Contains(in.Query, "service:") || strings.Contains(in.Query, "service:"+service) {
			out = append(out, list...)
		}
	}
	slices.SortFunc(out, func(x, y pattern) int { return int(y.Count - x.Count) })
	return out
}

func countLines(_ context.Context, in linesIn) (map[string]any, error) {
	total := int64(0)
	for _, p := range linesOf(in) {
		total += p.Count
	}
	out := map[string]any{"step_ms": 120_000, "total": total, "bars": []any{}}
	if total > 0 {
		out["bars"] = []any{map[string]any{"start": "2026-04-17T11:10:00Z", "counts": map[string]int64{}}, map[string]any{"start": firstLine, "counts": map[string]int64{"error": total}}}
	}
	return out, nil
}

func patterns(_ context.Context, in linesIn) (map[string]any, error) {
	return map[string]any{"patterns": append([]pattern{}, linesOf(in)...)}, nil
}

type rolloutsIn struct {
	Team  string `json:"team"`
	State string `json:"state,omitempty"`
	Limit int    `json:"limit,omitempty"`
}

var rollout = map[string]any{"id": "r1", "number": 3, "policy": "fleet", "bundle": "20260415-build-42", "state": "running", "reason": "", "waits": "", "batches": "1 of 1 begun",
	"nodes": map[string]int{"succeeded": 9, "quarantined": 1, "deferred": 2}, "total": 12, "failures": 1}

type nodesIn struct {
	Team  string `json:"team"`
	Query string `json:"query,omitempty"`
	Limit int    `json:"limit,omitempty"`
}

func nodes(_ context.Context, in nodesIn) (map[string]any, error) {
	list := []map[string]any{}
	for n := 1; n <= 12; n++ {
		name := "edge-" + string(rune('0'+n/10)) + string(rune('0'+n%10))
		node := map[string]any{"id": "n" + name[5:], "name": name, "site": "osl", "state": "active", "agent_state": "succeeded", "bundle": "20260415-build-42", "last_exit": "0: success", "seen_at": "2026-04-17T11:55:00Z", "offline": false}
		switch name {
		case "edge-07":
			node["agent_state"], node["bundle"], node["last_exit"] = "quarantined", "", "2: integrity (checksum)"
		case "edge-03", "edge-11":
			node["agent_state"], node["bundle"], node["last_exit"] = "deferred", "", "4: bundle missing"
		case "edge-09":
			node["seen_at"], node["offline"] = "2026-04-15T08:00:00Z", true
		}
		terms := strings.Fields(in.Query)
		left := slices.Contains(terms, "-agent_state:succeeded") && node["agent_state"] == "succeeded" || slices.Contains(terms, "offline") && node["offline"] != true
		if !left {
			list = append(list, node)
		}
	}
	return map[string]any{"total": len(list), "nodes": list}, nil
}
