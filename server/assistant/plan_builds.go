package assistant

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/signalbox/signalbox/server/assistant/grammar"
)

type buildSeen struct {
	ID        int64                  `json:"id"`
	Name      string                 `json:"name"`
	Status    string                 `json:"status"`
	Pipeline  *struct{ Name string } `json:"pipeline"`
	Job       *struct{ Name string } `json:"job"`
	CreatedAt time.Time              `json:"created_at"`
	EndedAt   *time.Time             `json:"ended_at"`
}

func (b buildSeen) title() string {
	name := "#" + b.Name
	if b.Job != nil {
		name = b.Job.Name + " " + name
	}
	if b.Pipeline != nil {
		name = b.Pipeline.Name + " / " + name
	}
	return name
}

func (b buildSeen) ended() bool { return b.EndedAt != nil }

func (b buildSeen) failed() bool { return b.Status == "failed" || b.Status == "errored" }

// when is its end, or its beginning while it runs.
func (b buildSeen) when() time.Time {
	if b.EndedAt != nil {
		return *b.EndedAt
	}
	return b.CreatedAt
}

func (a *asked) buildRef(b buildSeen) string {
	url := a.page("/builds/" + strconv.FormatInt(b.ID, 10))
	a.source(b.title(), url)
	return link(plain(b.title()), url)
}

func (a *asked) buildsOf(ctx context.Context, pipeline string, limit int) ([]buildSeen, error) {
	args := map[string]any{"team": a.team.Name, "limit": limit}
	if pipeline != "" {
		args["pipeline"] = pipeline
	}
	var out struct {
		Items []buildSeen `json:"items"`
	}
	err := a.call(ctx, "ci_builds_list", args, &out)
	out.Items = slices.DeleteFunc(out.Items, func(b buildSeen) bool { return b.Job == nil }) // checks of resources are no builds to people
	return out.Items, err
}

func (a *asked) pipelines(ctx context.Context) ([]string, error) {
	if a.reading.Name != "" {
		return []string{a.reading.Name}, nil
	}
	var out struct {
		Pipelines []struct {
			Name     string `json:"name"`
			Archived bool   `json:"archived"`
		} `json:"pipelines"`
	}
	err := a.call(ctx, "ci_pipelines_list", map[string]any{"team": a.team.Name}, &out)
	var names []string
	for _, p := range out.Pipelines {
		if !p.Archived {
			names = append(names, p.Name)
		}
	}
	return names, err
}

// failing are the jobs whose last finished build failed.
func (a *asked) failing(ctx context.Context) (string, error) {
	names, err := a.pipelines(ctx)
	if err != nil {
		return "", err
	}
	if a.reading.Time != nil {
		return a.failedWithin(ctx)
	}
	var lines []string
	for i, name := range names {
		if i == maxCalls-2 {
			a.failures = append(a.failures, fmt.Sprintf("Only the first %d pipelines were looked at.", i))
			break
		}
		list, err := a.buildsOf(ctx, name, 50)
		if err != nil {
			return "", err
		}
		lines = append(lines, a.failingJobs(list)...)
	}
	if len(names) == 0 {
		return "There are no pipelines in " + a.team.Name + " yet.", nil
	}
	if len(lines) == 0 {
		return "No build is failing: the last finished build of every job succeeded.", nil
	}
	return fmt.Sprintf("**%s** failing now.", number(len(lines), "job")) + list(lines, len(lines), func(s string) string { return s }), nil
}

func (a *asked) failingJobs(list []buildSeen) []string {
	var lines []string
	decided, running := map[string]bool{}, map[string]buildSeen{}
	for _, b := range list { // the newest first
		job := b.Job.Name
		if decided[job] {
			continue
		}
		if !b.ended() {
			running[job] = b
			continue
		}
		decided[job] = true
		if b.failed() {
			text := a.buildRef(b) + " " + b.Status + " " + a.moment(b.when())
			if r, ok := running[job]; ok {
				text += ", while " + a.buildRef(r) + " runs"
			}
			lines = append(lines, text)
		}
	}
	return lines
}

// failedWithin are the builds that failed in a stretch of time.
func (a *asked) failedWithin(ctx context.Context) (string, error) {
	list100, err := a.buildsOf(ctx, a.reading.Name, 100)
	if err != nil {
		return "", err
	}
	found := slices.DeleteFunc(list100, func(b buildSeen) bool { return !b.failed() || !a.inStretch(b.when()) })
	if len(found) == 0 {
		return "No builds failed" + a.when() + ".", nil
	}
	return fmt.Sprintf("**%s** failed%s.", number(len(found), "build"), a.when()) + list(found, len(found), func(b buildSeen) string {
		return a.buildRef(b) + " " + b.Status + " " + a.moment(b.when())
	}), nil
}

func (a *asked) builds(ctx context.Context) (string, error) {
	found, err := a.buildsOf(ctx, a.reading.Name, 100)
	if err != nil {
		return "", err
	}
	what := ""
	if a.reading.Has("running") {
		what = "running "
		found = slices.DeleteFunc(found, func(b buildSeen) bool { return b.ended() })
	}
	found = slices.DeleteFunc(found, func(b buildSeen) bool { return !a.inStretch(b.when()) })
	if a.reading.Op == grammar.Latest && len(found) > 1 {
		found = found[:1]
	}
	if len(found) == 0 {
		return "No " + what + "builds" + a.when() + ".", nil
	}
	return fmt.Sprintf("**%s**%s.", number(len(found), what+"build"), a.when()) + list(found, len(found), func(b buildSeen) string {
		return a.buildRef(b) + " " + b.Status + " " + a.moment(b.when())
	}), nil
}

func (a *asked) whyFailed(ctx context.Context) (string, error) {
	if a.build != "" {
		return a.whyThis(ctx)
	}
	found, err := a.buildsOf(ctx, a.reading.Name, 100)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(found, func(b buildSeen) bool {
		return b.failed() && (a.reading.Number == 0 || b.Name == strconv.Itoa(a.reading.Number))
	})
	of := ""
	if a.reading.Name != "" {
		of = " of " + plain(a.reading.Name)
	}
	if i < 0 {
		return "No build" + of + " has failed lately.", nil
	}
	var whole buildWhole
	if err := a.call(ctx, "ci_build_get", map[string]any{"build": found[i].ID}, &whole); err != nil {
		return "", err
	}
	return a.explain(found[i], whole), nil
}

// whyThis is about the build that the asker looks at.
func (a *asked) whyThis(ctx context.Context) (string, error) {
	id, err := a.buildLookedAt(ctx)
	if err != nil {
		return "", err
	}
	var whole buildWhole
	if err := a.call(ctx, "ci_build_get", map[string]any{"build": id}, &whole); err != nil {
		return "", err
	}
	if !whole.failed() {
		return fmt.Sprintf("%s has not failed: it is %s since %s.", a.buildRef(whole.buildSeen), plain(whole.Status), a.moment(whole.when())), nil
	}
	return a.explain(whole.buildSeen, whole), nil
}

// buildLookedAt is the build's id: some pages name it by its job.
func (a *asked) buildLookedAt(ctx context.Context) (int64, error) {
	if p := a.question.Page; p.Job != "" {
		var out struct {
			Items []buildSeen `json:"items"`
		}
		if err := a.call(ctx, "ci_builds_list", map[string]any{"team": a.team.Name, "pipeline": p.Name, "job": p.Job, "limit": 100}, &out); err != nil {
			return 0, err
		}
		if i := slices.IndexFunc(out.Items, func(b buildSeen) bool { return b.Name == p.ID }); i >= 0 {
			return out.Items[i].ID, nil
		}
	} else if id, err := strconv.ParseInt(a.build, 10, 64); err == nil {
		return id, nil
	}
	return 0, refuse("The page that you look at is of no build among the latest that I know.")
}

// buildWhole is a build with why it failed.
type buildWhole struct {
	buildSeen
	Failure *struct {
		Step       string   `json:"step"`
		Name       string   `json:"name"`
		Message    string   `json:"message"`
		ExitStatus *int     `json:"exit_status"`
		LastLines  []string `json:"last_lines"`
		SameInLast int      `json:"same_in_last"`
	} `json:"failure"`
}

// explain says why a build failed.
func (a *asked) explain(b buildSeen, whole buildWhole) string {
	text := fmt.Sprintf("%s %s %s", a.buildRef(b), b.Status, a.moment(b.when()))
	f := whole.Failure
	if f == nil {
		return text + "; it does not say why."
	}
	if f.Name != "" {
		text += " in step **" + plain(f.Name) + "**"
	}
	if f.ExitStatus != nil {
		text += fmt.Sprintf(" with exit status %d", *f.ExitStatus)
	}
	text += "."
	if f.Message != "" {
		text += " " + plain(f.Message)
	}
	if f.SameInLast > 1 {
		text += fmt.Sprintf(" The last %d builds failed in the same way.", f.SameInLast)
	}
	if n := len(f.LastLines); n > 0 {
		text += "\n\nIts last lines:\n"
		for _, line := range f.LastLines[max(0, n-8):] {
			text += "\n> " + cutLine(plain(line), 200)
		}
	}
	return text
}
