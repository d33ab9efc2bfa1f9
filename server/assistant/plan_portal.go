package assistant

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/assistant/githubtools"
	"github.com/signalbox/signalbox/server/assistant/grammar"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func portalPlans() []plan {
	return []plan{
		{"why", "Why did the last web build fail?", is(grammar.Build, grammar.Why), (*asked).whyFailed},
		{"failing", "Which builds are failing?", with(is(grammar.Build, grammar.List, grammar.Count, grammar.Latest), "failed"), (*asked).failing},
		{"builds", "Which builds are running?", is(grammar.Build, grammar.List, grammar.Count, grammar.Latest), (*asked).builds},
		{"errors", "What new errors came in since the last release?", is(grammar.Error, grammar.List, grammar.Count, grammar.Latest), (*asked).errors},
		{"error", "", func(r grammar.Reading) bool { return r.Entity == grammar.Error && r.ShortID != "" }, (*asked).oneError},
		{"lines", "Any errors in payments in the last hour?", is(grammar.Log), (*asked).lines},
		{"deliveries", "Did any webhook deliveries fail today?", is(grammar.Delivery, grammar.List, grammar.Count), (*asked).deliveries},
		{"approvals", "Which builds are waiting for approval?", is(grammar.Approval, grammar.List, grammar.Count), (*asked).approvals},
	}
}

// page is the address of something of ours.
func (a *asked) page(path string) string {
	return strings.TrimRight(a.service.PublicURL, "/") + path
}

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
	b := found[i]
	var whole struct {
		Failure *struct {
			Step       string   `json:"step"`
			Name       string   `json:"name"`
			Message    string   `json:"message"`
			ExitStatus *int     `json:"exit_status"`
			LastLines  []string `json:"last_lines"`
			SameInLast int      `json:"same_in_last"`
		} `json:"failure"`
	}
	if err := a.call(ctx, "ci_build_get", map[string]any{"build": b.ID}, &whole); err != nil {
		return "", err
	}
	text := fmt.Sprintf("%s %s %s", a.buildRef(b), b.Status, a.moment(b.when()))
	f := whole.Failure
	if f == nil {
		return text + "; it does not say why.", nil
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
	return text, nil
}

type errorSeen struct {
	ID        int64     `json:"id"`
	ShortID   string    `json:"short_id"`
	Title     string    `json:"title"`
	Level     string    `json:"level"`
	State     string    `json:"state"`
	Events    int64     `json:"events"`
	Users     int64     `json:"users"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	Releases  struct{ First, Last string }
}

func (a *asked) errorLine(e errorSeen) string {
	url := a.page("/teams/" + a.team.Name + "/issues/" + strconv.FormatInt(e.ID, 10))
	a.source(e.ShortID, url)
	text := link(plain(e.ShortID+" "+cutLine(e.Title, 100)), url) + " — " + number(int(e.Events), "event") + ", " + number(int(e.Users), "user") + ", first seen " + a.moment(e.FirstSeen)
	if e.Releases.First != "" {
		text += " in " + plain(e.Releases.First)
	}
	return text
}

func (a *asked) errors(ctx context.Context) (string, error) {
	since, said, err := a.errorsSince(ctx)
	if err != nil {
		return "", err
	}
	terms := []string{"is:unresolved"}
	if a.reading.Has("closed") {
		terms[0] = "is:resolved"
	}
	if a.reading.Mine {
		terms = append(terms, "assigned:me")
	}
	for _, v := range a.reading.Versions {
		terms = append(terms, "release:"+v)
	}
	if a.reading.Text != "" {
		terms = append(terms, a.reading.Text)
	}
	key := "last_seen"
	if a.reading.Has("new") || a.reading.SinceRelease {
		key = "first_seen"
	}
	if !since.IsZero() {
		terms = append(terms, key+":>="+since.UTC().Format("2006-01-02T15:04:05Z"))
	}
	args := map[string]any{"team": a.team.Name, "query": strings.Join(terms, " "), "limit": 100}
	if a.reading.Name != "" {
		args["project"] = a.reading.Name
	}
	var out struct {
		Issues []errorSeen `json:"issues"`
		Next   string      `json:"next"`
	}
	if err := a.call(ctx, "issues_issue_list", args, &out); err != nil {
		return "", err
	}
	word := "error"
	if key == "first_seen" {
		word = "new error"
	}
	if len(out.Issues) == 0 {
		return "No " + word + "s" + said + ".", nil
	}
	more := ""
	if out.Next != "" {
		more = " There are more."
	}
	return fmt.Sprintf("**%s**%s.%s", number(len(out.Issues), word), said, more) + list(out.Issues, len(out.Issues), a.errorLine), nil
}

// errorsSince is where the asked time begins, and how the answer says it.
func (a *asked) errorsSince(ctx context.Context) (time.Time, string, error) {
	if a.reading.SinceRelease {
		owner, name, full, err := a.split()
		if err != nil {
			return time.Time{}, "", err
		}
		var r githubtools.Release
		err = a.call(ctx, githubPrefix+"get_latest_release", map[string]any{"owner": owner, "repo": name}, &r)
		if missing(err) {
			return time.Time{}, "", refuse(full + " has no release, so there is no “since”.")
		}
		if err != nil {
			return time.Time{}, "", err
		}
		a.source(r.Tag, r.URL)
		return r.PublishedAt, fmt.Sprintf(" since %s of %s (%s)", link(plain(r.Tag), r.URL), full, a.moment(r.PublishedAt)), nil
	}
	if t := a.reading.Time; t != nil {
		return t.From, a.when(), nil
	}
	return time.Time{}, "", nil
}

func (a *asked) oneError(ctx context.Context) (string, error) {
	var out struct {
		Issue    errorSeen `json:"issue"`
		Suspects []struct {
			SHA     string `json:"sha"`
			Message string `json:"message"`
			Author  string `json:"author"`
		} `json:"suspect_commits"`
	}
	err := a.call(ctx, "issues_issue_get", map[string]any{"team": a.team.Name, "issue": a.reading.ShortID}, &out)
	if missing(err) {
		return "There is no error " + plain(a.reading.ShortID) + " in this team.", nil
	}
	if err != nil {
		return "", err
	}
	text := a.errorLine(out.Issue) + fmt.Sprintf(", last seen %s. It is %s.", a.moment(out.Issue.LastSeen), plain(out.Issue.State))
	if len(out.Suspects) > 0 {
		text += "\n\nCommits that may have caused it:"
		for _, s := range out.Suspects[:min(3, len(out.Suspects))] {
			first, _, _ := strings.Cut(s.Message, "\n")
			text += "\n- " + plain(cutLine(s.SHA, 13)) + " " + plain(cutLine(first, 80)) + " — " + plain(s.Author)
		}
	}
	return text, nil
}

// lines answers about log lines: how many, and which patterns they have.
func (a *asked) lines(ctx context.Context) (string, error) {
	r := a.reading
	from, to, said := a.now.Add(-time.Hour), time.Time{}, " (the last hour)"
	if r.Time != nil {
		from, to, said = r.Time.From, r.Time.To, a.when()
	}
	terms := []string{"level:>=error"}
	if r.Name != "" {
		terms = append(terms, "service:"+quoteTerm(r.Name))
	}
	if r.Text != "" {
		terms = append(terms, `"`+strings.ReplaceAll(r.Text, `"`, "")+`"`)
	}
	args := map[string]any{"team": a.team.Name, "query": strings.Join(terms, " "), "from": from.UTC().Format(time.RFC3339)}
	if !to.IsZero() {
		args["to"] = to.UTC().Format(time.RFC3339)
	}
	var count struct {
		Total int64 `json:"total"`
	}
	if err := a.call(ctx, "logs_line_count", args, &count); err != nil {
		return "", err
	}
	of := ""
	if r.Name != "" {
		of = " of " + plain(r.Name)
	}
	if count.Total == 0 {
		return "No error lines" + of + said + ".", nil
	}
	url := a.page("/teams/" + a.team.Name + "/logs")
	a.source("Logs", url)
	text := fmt.Sprintf("**%s** error lines%s%s.", thousands(count.Total), of, said)
	var out struct {
		Patterns []struct {
			Pattern string `json:"pattern"`
			Count   int64  `json:"count"`
		} `json:"patterns"`
	}
	if err := a.call(ctx, "logs_pattern_list", args, &out); err != nil {
		a.failures = append(a.failures, sentence(problem.From(err)))
		return text, nil
	}
	top := out.Patterns[:min(5, len(out.Patterns))]
	return text + list(top, len(top), func(p struct {
		Pattern string `json:"pattern"`
		Count   int64  `json:"count"`
	}) string {
		return fmt.Sprintf("%s (%d %%): %s", thousands(p.Count), (200*p.Count+count.Total)/(2*count.Total), cutLine(plain(p.Pattern), 160))
	}), nil
}

func (a *asked) deliveries(ctx context.Context) (string, error) {
	since, said := a.now.Add(-24*time.Hour), " (the last 24 hours)"
	if t := a.reading.Time; t != nil {
		since, said = t.From, a.when()
	}
	var out struct {
		Received, Failed, Refused int
		Deliveries                []struct {
			ID, Event, Repository, Verdict, State, Error string
		} `json:"deliveries"`
	}
	onlyFailed := a.reading.Has("failed")
	if err := a.call(ctx, "ci_delivery_list", map[string]any{"team": a.team.Name, "since": since.UTC().Format(time.RFC3339), "failed": onlyFailed}, &out); err != nil {
		return "", err
	}
	text := fmt.Sprintf("**%s** received%s: %d failed, %d refused because of their signature.", number(out.Received, "delivery"), said, out.Failed, out.Refused)
	if onlyFailed && out.Failed+out.Refused == 0 {
		text = "No webhook deliveries failed" + said + fmt.Sprintf("; %d came in.", out.Received)
	}
	return text + list(out.Deliveries, len(out.Deliveries), func(d struct {
		ID, Event, Repository, Verdict, State, Error string
	}) string {
		url := a.page("/teams/" + a.team.Name + "/ci/deliveries/" + d.ID)
		a.source(d.ID, url)
		parts := []string{plain(d.Event), plain(d.Repository), plain(d.State)}
		if d.Verdict == "refused" {
			parts[2] = "refused"
		}
		if d.Error != "" {
			parts = append(parts, plain(cutLine(d.Error, 160)))
		}
		return link(plain(d.ID), url) + " — " + strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
	}), nil
}

func (a *asked) approvals(ctx context.Context) (string, error) {
	type named struct{ Name string }
	var out struct {
		Items []struct {
			Name          string
			Build         struct{ ID int64 }
			Pipeline, Job named
			CreatedBy     string `json:"created_by"`
		} `json:"items"`
	}
	if err := a.call(ctx, "ci_approval_list", map[string]any{"team": a.team.Name}, &out); err != nil {
		return "", err
	}
	if len(out.Items) == 0 {
		return "Nothing waits for approval.", nil
	}
	lines := make([]string, len(out.Items))
	for i, p := range out.Items {
		lines[i] = a.buildRef(buildSeen{ID: p.Build.ID, Name: p.Name, Pipeline: &struct{ Name string }{p.Pipeline.Name}, Job: &struct{ Name string }{p.Job.Name}})
		if p.CreatedBy != "" {
			lines[i] += " — asked by " + plain(p.CreatedBy)
		}
	}
	return fmt.Sprintf("**%s** waiting.", number(len(lines), "approval")) + list(lines, len(lines), func(s string) string { return s }), nil
}
