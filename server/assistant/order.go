package assistant

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/assistant/grammar"
)

// order is something that a person tells the assistant to do: words that say it, and the call that does it. The whole
// sentence must be understood; what is left over is asked back and never guessed.
type order struct {
	form    *regexp.Regexp
	example string
	tool    string
	// args makes the arguments of what the form has found; a *saying asks back.
	args func(a *asked, ctx context.Context, found map[string]string) (map[string]any, error)
}

const (
	jobWords   = `(?P<pipeline>[\w.-]+)\s*/\s*(?P<job>[\w.-]+)`
	becauseWhy = `(?:,?\s+because\s+(?:of\s+)?(?P<reason>.{3,300}?))?`
)

func orderForm(words string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:(?:please|can you|could you|would you|now)[\s,]+)*` + words + `(?:[\s,]+(?:please|now|thanks|thank you))*[.!?\s]*$`)
}

var orderForms = []order{
	{orderForm(`(?:rerun|re-run|retry|run again)\s+(?:the\s+)?(?:build\s+)?#?(?P<build>\d+)\s+(?:of|in|for)\s+` + jobWords), "rerun build 12 of web/unit", "ci_build_rerun", (*asked).orderBuild},
	{orderForm(`(?:rerun|re-run|retry|run again)\s+(?:the\s+)?(?P<last>last|latest)\s+(?:failed\s+)?build\s+(?:of|in|for)\s+` + jobWords), "rerun the last build of web/unit", "ci_build_rerun", (*asked).orderBuild},
	{orderForm(`(?:rerun|re-run|retry|run again)\s+` + jobWords + `\s*#(?P<build>\d+)`), "", "ci_build_rerun", (*asked).orderBuild},
	{orderForm(`(?:abort|stop|cancel)\s+(?:the\s+)?(?:build\s+)?#?(?P<build>\d+)\s+(?:of|in|for)\s+` + jobWords), "abort build 12 of web/unit", "ci_build_abort", (*asked).orderBuild},
	{orderForm(`(?:abort|stop|cancel)\s+` + jobWords + `\s*#(?P<build>\d+)`), "", "ci_build_abort", (*asked).orderBuild},
	{orderForm(`(?:trigger|start|run)\s+(?:(?:the\s+)?job\s+|a\s+build\s+of\s+)?` + jobWords), "trigger web/unit", "ci_job_trigger", (*asked).orderJob},
	{orderForm(`(?P<verb>pause|unpause)\s+(?:the\s+)?pipeline\s+(?P<pipeline>[\w.-]+)`), "pause pipeline web", "", (*asked).orderPipeline},
	{orderForm(`resolve\s+(?:the\s+)?(?:issue|error)?\s*(?P<issue>[A-Za-z][A-Za-z0-9-]*-\d+)(?P<next>\s+in\s+the\s+next\s+release)?`), "resolve issue SHOP-7", "issues_issue_resolve", (*asked).orderIssue},
	{orderForm(`archive\s+(?:the\s+)?(?:issue|error)?\s*(?P<issue>[A-Za-z][A-Za-z0-9-]*-\d+)`), "archive issue SHOP-7", "issues_issue_archive", (*asked).orderIssue},
	{orderForm(`reopen\s+(?:the\s+)?(?:issue|error)?\s*(?P<issue>[A-Za-z][A-Za-z0-9-]*-\d+)`), "", "issues_issue_reopen", (*asked).orderIssue},
	{orderForm(`redeliver\s+(?:the\s+)?(?:webhook\s+)?(?:delivery\s+)?(?P<delivery>[\w-]{3,80})`), "redeliver d-501", "ci_webhook_redeliver", (*asked).orderDelivery},
	{orderForm(`(?P<verb>approve|reject)\s+(?:the\s+)?(?:gate|approval)\s+(?P<gate>[\w.-]+)(?:\s+of\s+` + jobWords + `(?:\s*#(?P<build>\d+))?)?` + becauseWhy), "approve gate release of web/deploy", "", (*asked).orderGate},
	{orderForm(`(?P<verb>pause|resume|abort)\s+(?:the\s+)?rollout\s+#?(?P<rollout>\d+)` + becauseWhy), "pause rollout 3 because nodes fail", "", (*asked).orderRollout},
	{orderForm(`start\s+(?:a\s+|the\s+)?rollout\s+(?:of\s+)?(?:policy\s+)?(?P<policy>[\w.-]+)` + becauseWhy), "start rollout fleet because of CVE-2026-1234", "edge_rollout_start", (*asked).orderStart},
}

// ordered finds the order that a question is, with what it names.
func ordered(text string) (order, map[string]string, bool) {
	text = strings.TrimSpace(text)
	for _, o := range orderForms {
		m := o.form.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		found := map[string]string{}
		for i, name := range o.form.SubexpNames() {
			if name != "" && m[i] != "" {
				found[name] = strings.TrimSpace(m[i])
			}
		}
		return o, found, true
	}
	return order{}, nil, false
}

// order proposes what the asker has ordered. The call is made of the asker's own words and of ids looked up by them.
func (a *asked) order(ctx context.Context) (Answer, Status, error) {
	if a.settings.Writes != WritesConfirm {
		return a.help("I only look things up: I change nothing here. An owner can let me propose changes, which a person then approves, under Assistant, Settings. What I can answer is, for example:"), Refused, nil
	}
	o, found, ok := ordered(a.question.Text)
	if !ok {
		var try []string
		for _, known := range orderForms {
			if known.example != "" {
				try = append(try, known.example)
			}
		}
		return Answer{Text: "I did not understand all of that order, and will not guess. What I can propose, for a person to approve:" + list(try, len(try), func(s string) string { return s }), Try: try[:3]}, Refused, nil
	}
	args, err := o.args(a, ctx, found)
	if err != nil {
		return Answer{}, Refused, err
	}
	tool := o.tool
	if tool == "" {
		tool, _ = args["tool"].(string)
		delete(args, "tool")
	}
	var out json.RawMessage
	if err := a.call(ctx, tool, args, &out); err != nil {
		return Answer{}, Failed, err
	}
	return Answer{}, Answered, nil
}

func (a *asked) orderBuild(ctx context.Context, found map[string]string) (map[string]any, error) {
	var builds struct {
		Items []struct {
			ID   int64
			Name string
		}
	}
	err := a.call(ctx, "ci_builds_list", map[string]any{"team": a.team.Name, "pipeline": found["pipeline"], "job": found["job"], "limit": 100}, &builds)
	if err != nil {
		return nil, err
	}
	for _, b := range builds.Items {
		if found["last"] != "" || b.Name == found["build"] {
			return map[string]any{"build": b.ID}, nil
		}
	}
	return nil, refuse(fmt.Sprintf("%s/%s has no build %s among its last hundred.", plain(found["pipeline"]), plain(found["job"]), plain(found["build"])))
}

func (a *asked) orderJob(_ context.Context, found map[string]string) (map[string]any, error) {
	return map[string]any{"team": a.team.Name, "pipeline": found["pipeline"], "job": found["job"]}, nil
}

func (a *asked) orderPipeline(_ context.Context, found map[string]string) (map[string]any, error) {
	return map[string]any{"tool": "ci_pipeline_" + strings.ToLower(found["verb"]), "team": a.team.Name, "pipeline": found["pipeline"]}, nil
}

func (a *asked) orderIssue(_ context.Context, found map[string]string) (map[string]any, error) {
	args := map[string]any{"team": a.team.Name, "issue": strings.ToUpper(found["issue"])}
	if found["next"] != "" {
		args["kind"] = "in_next_release"
	}
	return args, nil
}

func (a *asked) orderDelivery(_ context.Context, found map[string]string) (map[string]any, error) {
	return map[string]any{"delivery": found["delivery"]}, nil
}

// orderGate finds the build that waits at a gate; a name that several have is asked back.
func (a *asked) orderGate(ctx context.Context, found map[string]string) (map[string]any, error) {
	type waiting struct {
		ID, Name             string
		Build, Pipeline, Job struct{ Name string }
	}
	var out struct{ Items []waiting }
	if err := a.call(ctx, "ci_approval_list", map[string]any{"team": a.team.Name}, &out); err != nil {
		return nil, err
	}
	var fits []waiting
	for _, w := range out.Items {
		if w.ID == found["gate"] || strings.EqualFold(w.Name, found["gate"]) && (found["job"] == "" || w.Pipeline.Name == found["pipeline"] && w.Job.Name == found["job"]) && (found["build"] == "" || w.Build.Name == found["build"]) {
			fits = append(fits, w)
		}
	}
	switch len(fits) {
	case 0:
		return nil, refuse("No build waits at the gate " + plain(found["gate"]) + ".")
	case 1:
		args := map[string]any{"tool": "ci_approval_" + strings.ToLower(found["verb"]), "approval": fits[0].ID}
		if found["reason"] != "" {
			args["reason"] = found["reason"]
		}
		return args, nil
	}
	return nil, refuse("Several builds wait at that gate. Which one?" + list(fits, len(fits), func(w waiting) string {
		return fmt.Sprintf("%s gate %s of %s/%s #%s", found["verb"], plain(w.Name), plain(w.Pipeline.Name), plain(w.Job.Name), plain(w.Build.Name))
	}))
}

func (a *asked) orderRollout(_ context.Context, found map[string]string) (map[string]any, error) {
	verb := strings.ToLower(found["verb"])
	if found["reason"] == "" {
		return nil, refuse(fmt.Sprintf("Say why, so that others can read it: %s rollout %s because …", verb, found["rollout"]))
	}
	number, err := strconv.ParseInt(found["rollout"], 10, 64)
	if err != nil {
		return nil, refuse("That is no number of a rollout.")
	}
	return map[string]any{"tool": "edge_rollout_" + verb, "team": a.team.Name, "number": number, "reason": found["reason"]}, nil
}

func (a *asked) orderStart(_ context.Context, found map[string]string) (map[string]any, error) {
	reason := found["reason"]
	if reason == "" {
		reason = "asked for by " + a.caller.Name
	}
	return map[string]any{"team": a.team.Name, "policy": found["policy"], "reason": reason}, nil
}

// isOrder tells an order from a question.
func (a *asked) isOrder() bool {
	_, _, ok := ordered(a.question.Text)
	return ok || a.reading.Op == grammar.Change
}

// plannedOrder tells whether the plans take an order: one they understand, or any where nothing may be changed.
func (a *asked) plannedOrder() bool {
	_, _, ok := ordered(a.question.Text)
	return ok || a.reading.Op == grammar.Change && a.settings.Writes != WritesConfirm
}
