package assistant

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// target is how what a call would change is looked at: before it is proposed, for people to see what it is about,
// and before it runs, because it may have changed meanwhile.
type target struct {
	// tool reads it, with these arguments of the call; those named in extra are added.
	tool  string
	pass  []string
	extra map[string]any
	// at is where it stands in the answer; with by, at is a list and by[0] of its item equals the argument by[1].
	at string
	by [2]string
	// name is a pattern: {path} stands for a value.
	name, page string
	// facts are paths of what must still be the same.
	facts []string
}

var (
	aBuild    = target{tool: "ci_build_get", pass: []string{"build"}, name: "build #{name} of {pipeline.name} / {job.name}", page: "/builds/{id}", facts: []string{"status"}}
	aPipeline = target{tool: "ci_pipelines_list", pass: []string{"team"}, at: "pipelines", by: [2]string{"name", "pipeline"}, name: "pipeline {name}", facts: []string{"paused"}}
	aResource = target{tool: "ci_resource_get", pass: []string{"team", "pipeline", "resource"}, name: "resource {name} of {pipeline.name}", facts: []string{"pinned_version"}}
	anIssue   = target{tool: "issues_issue_get", pass: []string{"team", "issue"}, at: "issue", name: "{short_id}: {title}", page: "/issues/{id}", facts: []string{"status", "state"}}
	aRollout  = target{tool: "edge_rollout_get", pass: []string{"team", "rollout", "number"}, name: "rollout #{number} of {bundle} by policy {policy}", page: "/teams/{team}/edge/rollouts/{id}", facts: []string{"state", "bundle"}}
	anAsking  = target{tool: "ci_approval_list", pass: []string{"team"}, at: "items", by: [2]string{"id", "approval"}, name: "approval {name} of build #{build.name} of {pipeline.name} / {job.name}", page: "/builds/{build.id}", facts: []string{"state", "build.name"}}
)

// targets by tool; what is not here is shown by its arguments alone.
var targets = map[string]target{
	"ci_build_rerun": aBuild, "ci_build_abort": aBuild,
	"ci_job_trigger":    {tool: "ci_job_get", pass: []string{"team", "pipeline", "job"}, name: "job {pipeline.name} / {name}", facts: []string{"paused", "disable_manual_trigger"}},
	"ci_pipeline_pause": aPipeline, "ci_pipeline_unpause": aPipeline,
	"ci_resource_check": aResource, "ci_resource_pin": aResource, "ci_resource_unpin": aResource,
	"ci_approval_approve": anAsking, "ci_approval_reject": anAsking,
	"ci_webhook_redeliver": {tool: "ci_delivery_list", pass: []string{"team"}, at: "deliveries", by: [2]string{"id", "delivery"}, name: "delivery {id} ({event} {repository})", facts: []string{"verdict"}},
	"ci_webhook_delete":    {tool: "ci_webhook_list", pass: []string{"team"}, at: "hooks", by: [2]string{"id", "hook"}, name: "hook {name} ({repository})", facts: []string{"state", "managed"}},
	"issues_issue_resolve": anIssue, "issues_issue_archive": anIssue, "issues_issue_reopen": anIssue, "issues_issue_assign": anIssue,
	"issues_monitor_mute": {tool: "issues_monitor_get", pass: []string{"team", "monitor"}, name: "monitor {name}"},
	// A dry run begins nothing: it says who would take part.
	"edge_rollout_start": {tool: "edge_rollout_start", pass: []string{"team", "policy", "reason"}, extra: map[string]any{"dry_run": true}, name: "policy {policy}", facts: []string{"problems", "batches"}},
	"edge_rollout_pause": aRollout, "edge_rollout_resume": aRollout, "edge_rollout_abort": aRollout,
}

// seenTarget is a target as it stands.
type seenTarget struct {
	Name, URL string
	Facts     []Fact
}

// inTeam is a caller with the rights of one team only: nothing of another can be meant.
func inTeam(c identity.Caller, team identity.Team) identity.Caller {
	role, member := c.Roles[team.ID]
	c.Admin, c.Roles, c.Teams = false, map[int64]identity.Role{}, map[string]identity.Team{}
	if member {
		c.Roles[team.ID], c.Teams[team.Name] = role, team
	}
	return c
}

// look reads what a call is about as the context's caller, who should be one inTeam.
func (s *Service) look(ctx context.Context, team identity.Team, tool string, args json.RawMessage) (seenTarget, error) {
	var given map[string]any
	if err := json.Unmarshal(args, &given); err != nil {
		return seenTarget{}, fmt.Errorf("read the arguments of %s: %w", tool, err)
	}
	t, known := targets[tool]
	if !known {
		return seenTarget{Facts: []Fact{}}, nil
	}
	ask := map[string]any{}
	for _, name := range t.pass {
		if value, ok := given[name]; ok {
			ask[name] = value
		} else if name == "team" {
			ask[name] = team.Name
		}
	}
	for name, value := range t.extra {
		ask[name] = value
	}
	in, err := json.Marshal(ask)
	if err != nil {
		return seenTarget{}, err
	}
	raw, err := s.Tools.Call(ctx, t.tool, in)
	if err != nil {
		return seenTarget{}, err
	}
	found, ok := t.find(raw, given)
	if !ok {
		return seenTarget{}, problem.New(problem.NotFound, "There is no %v in team %s.", given[t.by[1]], team.Name)
	}
	found["team"] = team.Name
	for name, value := range given {
		if _, taken := found[name]; !taken {
			found[name] = value
		}
	}
	out := seenTarget{Name: cutLine(fill(t.name, found), 200), Facts: []Fact{}}
	if t.page != "" {
		out.URL = strings.TrimRight(s.PublicURL, "/") + fill(t.page, found)
	}
	for _, path := range t.facts {
		if value := pick(found, path); value != "" {
			out.Facts = append(out.Facts, Fact{path, value})
		}
	}
	return out, nil
}

// find takes the thing out of an answer.
func (t target) find(raw json.RawMessage, given map[string]any) (map[string]any, bool) {
	var answer any
	if json.Unmarshal(raw, &answer) != nil {
		return nil, false
	}
	if t.at != "" {
		answer = walk(answer, t.at)
	}
	if t.by[0] != "" {
		list, _ := answer.([]any)
		i := slices.IndexFunc(list, func(item any) bool { return fmt.Sprint(walk(item, t.by[0])) == fmt.Sprint(given[t.by[1]]) })
		if i < 0 {
			return nil, false
		}
		answer = list[i]
	}
	found, ok := answer.(map[string]any)
	return found, ok
}

// walk follows a dotted path.
func walk(value any, path string) any {
	for _, name := range strings.Split(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

// pick is what stands at a path, as text; "" when nothing does.
func pick(object map[string]any, path string) string {
	switch v := walk(object, path).(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return fmt.Sprintf("%.0f", v)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(raw)
	}
}

// fill puts values into a pattern.
func fill(pattern string, object map[string]any) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(pattern, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		path, after, _ := strings.Cut(rest, "}")
		b.WriteString(pick(object, path))
		pattern = after
	}
}

// unchanged refuses when what a call is about is not as it was shown.
func (s *Service) unchanged(ctx context.Context, row approvalRow) error {
	team, ok := teamByID(identity.From(ctx), row.TeamID)
	if !ok {
		return problem.New(problem.NotFound, "There is no such approval, or it belongs to a team you are not in.")
	}
	now, err := s.look(identity.With(ctx, inTeam(identity.From(ctx), team)), team, row.Tool, json.RawMessage(row.Args))
	if err != nil {
		return problem.Wrap(err, problem.Conflict, "It could not be looked at again, so nothing was done: %s", problem.From(err).Detail)
	}
	var was []Fact
	if err := json.Unmarshal([]byte(row.Facts), &was); err != nil {
		return fmt.Errorf("read the facts of approval %s: %w", row.ID, err)
	}
	for _, f := range was {
		i := slices.IndexFunc(now.Facts, func(n Fact) bool { return n.Name == f.Name })
		if i < 0 || now.Facts[i].Value != f.Value {
			stands := "nothing"
			if i >= 0 {
				stands = now.Facts[i].Value
			}
			return problem.New(problem.Conflict, "%s was %s when this was proposed and is %s now, so nothing was done. Ask again.", f.Name, f.Value, stands)
		}
	}
	return nil
}

func teamByID(c identity.Caller, id int64) (identity.Team, bool) {
	for _, team := range c.Teams {
		if team.ID == id {
			return team, true
		}
	}
	return identity.Team{}, false
}

// toolOf finds a tool that the caller may use.
func (s *Service) toolOf(caller identity.Caller, name string) (tools.Tool, bool) {
	list := s.Tools.List(caller)
	i := slices.IndexFunc(list, func(t tools.Tool) bool { return t.Name == name })
	if i < 0 {
		return tools.Tool{}, false
	}
	return list[i], true
}
