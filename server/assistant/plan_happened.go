package assistant

import (
	"context"
	"slices"
	"strings"
	"time"
)

// happening is an event of the timeline.
type happening struct {
	At                        time.Time
	Kind, Title, Detail, Path string
	Actor, Pipeline, Project  string
}

// kindWords are how kinds of events are counted.
var kindWords = map[string]string{"push": "push", "pull_request": "pull request", "build": "build", "release": "release", "deploy": "deploy", "error": "error", "alert": "alert", "rollout": "turn of rollouts",
	"bundle": "bundle", "node": "event of nodes"}

// happened tells what happened in a stretch of time, over everything that the asker may read.
func (a *asked) happened(ctx context.Context) (string, error) {
	from, to, said := a.now.Add(-24*time.Hour), a.now, " (the last 24 hours)"
	if t := a.reading.Time; t != nil {
		from, said = t.From, a.when()
		if !t.To.IsZero() {
			to = t.To
		}
	}
	args := map[string]any{"team": a.team.Name, "from": from.UTC().Format(time.RFC3339), "to": to.UTC().Format(time.RFC3339)}
	if a.reading.Name != "" {
		service, err := a.serviceOf(ctx, a.reading.Name)
		if err != nil {
			return "", err
		}
		args["service"] = service
		said = " to " + plain(service) + said
	}
	var out struct {
		Events  []happening
		Cut     bool
		Missing []string
	}
	if err := a.call(ctx, "accounts_timeline_list", args, &out); err != nil {
		return "", err
	}
	if len(out.Events) == 0 {
		return "Nothing happened" + said + "." + notAsked(out.Missing), nil
	}
	text := "**" + number(len(out.Events), "event") + "**" + said + ": " + counted(out.Events) + "."
	if out.Cut {
		text += " More happened: these are the newest."
	}
	return text + notAsked(out.Missing) + list(out.Events, len(out.Events), func(h happening) string {
		url := a.page(h.Path)
		a.source(h.Title, url)
		line := h.At.In(a.now.Location()).Format("15:04") + " " + link(plain(cutLine(h.Title, 120)), url)
		if to.Sub(from) > 24*time.Hour {
			line = h.At.In(a.now.Location()).Format("Mon 2 Jan ") + line
		}
		if h.Detail != "" {
			line += " — " + plain(cutLine(h.Detail, 100))
		}
		if h.Actor != "" {
			line += ", by " + plain(h.Actor)
		}
		return line
	}), nil
}

func notAsked(missing []string) string {
	if len(missing) == 0 {
		return ""
	}
	return " What " + strings.Join(missing, " and ") + " knows is missing: it did not answer."
}

// counted says how many events there are of each kind, the most frequent first.
func counted(events []happening) string {
	of := map[string]int{}
	var kinds []string
	for _, e := range events {
		if of[e.Kind]++; of[e.Kind] == 1 {
			kinds = append(kinds, e.Kind)
		}
	}
	slices.SortStableFunc(kinds, func(x, y string) int { return of[y] - of[x] })
	for i, k := range kinds {
		word := kindWords[k]
		switch {
		case word == "":
			word = "event of kind " + plain(k)
		case of[k] > 1 && word == "push":
			kinds[i] = thousands(int64(of[k])) + " pushes"
			continue
		case of[k] > 1 && strings.Contains(word, " of "):
			kinds[i] = thousands(int64(of[k])) + " " + strings.Replace(word, " of ", "s of ", 1)
			continue
		}
		kinds[i] = number(of[k], word)
	}
	return strings.Join(kinds, ", ")
}

// serviceOf finds the service that is called so, or that has a pipeline or project of the name.
func (a *asked) serviceOf(ctx context.Context, name string) (string, error) {
	var out struct {
		Items []struct{ Name, Pipeline, Project string }
	}
	if err := a.call(ctx, "accounts_services_list", map[string]any{"team": a.team.Name}, &out); err != nil {
		return "", err
	}
	for _, s := range out.Items {
		if strings.EqualFold(s.Name, name) || strings.EqualFold(s.Pipeline, name) || strings.EqualFold(s.Project, name) {
			return s.Name, nil
		}
	}
	return "", refuse("No service of the team is called " + plain(name) + " or ties a pipeline or project of that name. Describe one under Services, or ask without it.")
}
