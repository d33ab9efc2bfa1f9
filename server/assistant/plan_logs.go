package assistant

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

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
	what := "error lines"
	if a.query != "" { // of the page that is looked at
		terms, what = []string{a.query}, "lines of the page's search"
		if strings.Contains(strings.ToLower(a.question.Text), "error") {
			terms, what = []string{"(" + a.query + ")", "level:>=error"}, "error lines of the page's search"
		}
	}
	args := map[string]any{"team": a.team.Name, "query": strings.Join(terms, " "), "from": from.UTC().Format(time.RFC3339)}
	if !to.IsZero() {
		args["to"] = to.UTC().Format(time.RFC3339)
	}
	var count struct {
		Total int64 `json:"total"`
		Bars  []struct {
			Start  time.Time        `json:"start"`
			Counts map[string]int64 `json:"counts"`
		} `json:"bars"`
	}
	if err := a.call(ctx, "logs_line_count", args, &count); err != nil {
		return "", err
	}
	of := ""
	if r.Name != "" {
		of = " of " + plain(r.Name)
	}
	if count.Total == 0 {
		return "No " + what + of + said + ".", nil
	}
	url := a.page("/teams/" + a.team.Name + "/logs")
	a.source("Logs", url)
	text := fmt.Sprintf("**%s** %s%s%s", thousands(count.Total), what, of, said)
	for _, bar := range count.Bars {
		if len(bar.Counts) > 0 {
			text += ", the first after " + a.moment(bar.Start)
			break
		}
	}
	text += "."
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
