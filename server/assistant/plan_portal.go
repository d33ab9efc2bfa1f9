package assistant

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/assistant/grammar"
)

func portalPlans() []plan {
	return []plan{
		{"why", "Why did the last web build fail?", is(grammar.Build, grammar.Why), (*asked).whyFailed},
		{"failing", "Which builds are failing?", with(is(grammar.Build, grammar.List, grammar.Count, grammar.Latest), "failed"), (*asked).failing},
		{"builds", "Which builds are running?", is(grammar.Build, grammar.List, grammar.Count, grammar.Latest), (*asked).builds},
		{"error", "", func(r grammar.Reading) bool { return r.Entity == grammar.Error && r.ShortID != "" }, (*asked).oneError},
		{"errors", "What new errors came in since the last release?", is(grammar.Error, grammar.List, grammar.Count, grammar.Latest), (*asked).errors},
		{"lines", "Any errors in payments in the last hour?", is(grammar.Log), (*asked).lines},
		{"deliveries", "Did any webhook deliveries fail today?", is(grammar.Delivery, grammar.List, grammar.Count), (*asked).deliveries},
		{"approvals", "Which builds are waiting for approval?", is(grammar.Approval, grammar.List, grammar.Count), (*asked).approvals},
		{"happened", "What happened between 14:00 and 15:00?", is(grammar.Happening), (*asked).happened},
	}
}

// page is the address of something of ours.
func (a *asked) page(path string) string {
	return strings.TrimRight(a.service.PublicURL, "/") + path
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
