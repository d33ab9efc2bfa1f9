package acme

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// Things are what a question may name: pipelines, services, projects.
var Things = []string{"web", "api", "nightly", "payments", "20260415-build-42"}

// Portal are the tools of the capabilities, as far as the world's questions need
// them: they take what the real ones take and answer in their form.
func Portal() []tools.Tool {
	read := func(name string) tools.Spec {
		return tools.Spec{Name: name, Title: strings.ReplaceAll(name, "_", " "), Description: "As the portal's " + name + ".", Class: tools.ReadOnly, Level: identity.Read}
	}
	return []tools.Tool{
		tools.New(read("ci_pipelines_list"), pipelines),
		tools.New(read("ci_builds_list"), listBuilds),
		tools.New(read("ci_build_get"), getBuild),
		tools.New(read("ci_build_log"), buildLog),
		tools.New(read("ci_approval_list"), func(context.Context, teamIn) (map[string]any, error) { return map[string]any{"items": []any{}}, nil }),
		tools.New(read("ci_delivery_list"), deliveries),
		tools.New(read("issues_issue_list"), listErrors),
		tools.New(read("issues_issue_get"), getError),
		tools.New(read("logs_line_count"), countLines),
		tools.New(read("logs_pattern_list"), patterns),
		tools.New(read("edge_patch_status"), func(context.Context, teamIn) (map[string]any, error) {
			return map[string]any{"under_way": []any{rollout}, "last": nil}, nil
		}),
		tools.New(read("edge_rollouts_list"), func(context.Context, rolloutsIn) (map[string]any, error) {
			return map[string]any{"rollouts": []any{rollout}}, nil
		}),
		tools.New(read("edge_nodes_list"), nodes),
		tools.New(read("accounts_timeline_list"), timeline),
		tools.New(read("accounts_services_list"), func(context.Context, teamIn) (map[string]any, error) {
			return map[string]any{"items": []any{map[string]any{"name": "payments", "pipeline": "api", "project": "api"}}}, nil
		}),
	}
}

// Faulty has tools meet faults, by name.
func Faulty(list []tools.Tool, faults map[string]Fault) []tools.Tool {
	out := slices.Clone(list)
	for i, t := range out {
		fault, ok := faults[t.Name]
		if !ok {
			continue
		}
		out[i].Run = func(ctx context.Context, in json.RawMessage) (any, error) {
			switch fault {
			case FaultEmpty:
				return json.RawMessage(`{}`), nil
			case FaultTimeout:
				return nil, problem.Wrap(context.DeadlineExceeded, problem.Upstream, "%s gave no answer in time.", t.Name)
			case FaultLimited:
				return nil, problem.New(problem.TooMany, "%s was called too often.", t.Name)
			case FaultTruncated, FaultMalformed:
				return nil, problem.New(problem.Upstream, "%s gave an answer that cannot be read.", t.Name)
			}
			return nil, problem.New(problem.Upstream, "%s does not answer: bad gateway.", t.Name)
		}
	}
	return out
}

type teamIn struct {
	Team string `json:"team"`
}

func pipelines(context.Context, teamIn) (map[string]any, error) {
	list := []map[string]any{}
	for n, name := range []string{"web", "api", "nightly"} {
		list = append(list, map[string]any{"id": n + 1, "name": name, "paused": false, "archived": false})
	}
	return map[string]any{"pipelines": list}, nil
}

type buildsIn struct {
	Team     string `json:"team"`
	Pipeline string `json:"pipeline,omitempty"`
	Job      string `json:"job,omitempty"`
	Limit    int    `json:"limit,omitempty"`
}

type thingName struct {
	Name string `json:"name"`
}

type build struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	Status    string     `json:"status"`
	Pipeline  thingName  `json:"pipeline"`
	Job       thingName  `json:"job"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	step      string
	line      string
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err) // written here
	}
	return t
}

func ended(id int64, pipeline, job, name, status, end, step, line string) build {
	e := at(end)
	return build{ID: id, Name: name, Status: status, Pipeline: thingName{pipeline}, Job: thingName{job}, CreatedAt: e.Add(-5 * time.Minute), EndedAt: &e, step: step, line: line}
}

const refused, relation = "expected 1000 got 999", "relation orders_v2 does not exist"

// builds are all, newest first.
var builds = []build{
	{ID: 43, Name: "43", Status: "started", Pipeline: thingName{"web"}, Job: thingName{"test"}, CreatedAt: at("2026-04-17T11:58:00Z")},
	ended(42, "web", "test", "42", "failed", "2026-04-17T07:55:00Z", "test", refused),
	ended(88, "nightly", "migrate", "88", "failed", "2026-04-17T02:05:00Z", "migrate", relation),
	ended(17, "api", "test", "17", "succeeded", "2026-04-16T10:00:00Z", "", ""),
	ended(41, "web", "test", "41", "succeeded", "2026-04-16T09:00:00Z", "", ""),
	ended(87, "nightly", "migrate", "87", "failed", "2026-04-16T02:05:00Z", "migrate", relation),
	ended(86, "nightly", "migrate", "86", "failed", "2026-04-15T02:05:00Z", "migrate", relation),
	ended(85, "nightly", "migrate", "85", "succeeded", "2026-04-14T02:05:00Z", "", ""),
}

func listBuilds(_ context.Context, in buildsIn) (map[string]any, error) {
	if in.Pipeline != "" && !slices.Contains([]string{"web", "api", "nightly"}, in.Pipeline) {
		return nil, problem.New(problem.NotFound, "There is no pipeline %.60s.", in.Pipeline)
	}
	found := []build{}
	for _, b := range builds {
		if (in.Pipeline == "" || b.Pipeline.Name == in.Pipeline) && (in.Job == "" || b.Job.Name == in.Job) {
			found = append(found, b)
		}
	}
	limit := in.Limit
	if limit <= 0 {
		limit = 20
	}
	return map[string]any{"items": found[:min(limit, len(found))]}, nil
}

type buildIn struct {
	Build int64 `json:"build"`
}

func buildOf(id int64) (build, error) {
	i := slices.IndexFunc(builds, func(b build) bool { return b.ID == id })
	if i < 0 {
		return build{}, problem.New(problem.NotFound, "There is no build %d.", id)
	}
	return builds[i], nil
}

func getBuild(_ context.Context, in buildIn) (map[string]any, error) {
	b, err := buildOf(in.Build)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"id": b.ID, "name": b.Name, "status": b.Status, "pipeline": b.Pipeline, "job": b.Job, "created_at": b.CreatedAt, "ended_at": b.EndedAt}
	if b.step != "" {
		same := 1
		if b.ID == 88 {
			same = 3
		}
		out["failure"] = map[string]any{"step": "s", "name": b.step, "exit_status": 1, "last_lines": []string{"--- FAIL", b.line}, "same_in_last": same}
	}
	return out, nil
}

type logIn struct {
	Build int64  `json:"build"`
	From  int64  `json:"from,omitempty"`
	Limit int    `json:"limit,omitempty"`
	Query string `json:"query,omitempty"`
	Regex bool   `json:"regex,omitempty"`
}

func buildLog(_ context.Context, in logIn) (map[string]any, error) {
	b, err := buildOf(in.Build)
	if err != nil {
		return nil, err
	}
	lines := []map[string]any{}
	if b.line != "" {
		lines = append(lines, map[string]any{"n": 1, "step": b.step, "text": "--- FAIL"}, map[string]any{"n": 2, "step": b.step, "text": b.line})
	}
	return map[string]any{"lines": lines, "total": len(lines)}, nil
}

type deliveriesIn struct {
	Team   string    `json:"team"`
	Since  time.Time `json:"since,omitzero"`
	Failed bool      `json:"failed,omitempty"`
}

func deliveries(_ context.Context, in deliveriesIn) (map[string]any, error) {
	out := map[string]any{"received": 40, "failed": 3, "refused": 1}
	if in.Since.After(Now) {
		out = map[string]any{"received": 0, "failed": 0, "refused": 0}
	}
	list := []map[string]any{}
	for _, id := range []string{"d-501", "d-502", "d-503"} {
		list = append(list, map[string]any{"id": id, "event": "push", "repository": "acme/shop", "state": "failed", "verdict": "accepted", "error": "pipeline web answered 500"})
	}
	out["deliveries"] = append(list, map[string]any{"id": "d-504", "event": "push", "repository": "", "state": "none", "verdict": "refused", "error": "bad signature"})
	return out, nil
}
