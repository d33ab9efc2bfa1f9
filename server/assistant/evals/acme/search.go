package acme

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func users(list []string) []map[string]string {
	out := []map[string]string{}
	for _, l := range list {
		out = append(out, map[string]string{"login": l})
	}
	return out
}

func named(list []string) []map[string]string {
	out := []map[string]string{}
	for _, l := range list {
		out = append(out, map[string]string{"name": l})
	}
	return out
}

// shape says a thing as GitHub does: its lists say merged:false of what has merged_at.
func shape(repo string, t thing) map[string]any {
	kind := "issues"
	if t.pull {
		kind = "pull"
	}
	out := map[string]any{"number": t.number, "title": t.title, "body": t.body, "state": t.state(), "draft": t.draft, "user": map[string]string{"login": t.author}, "assignees": users(t.assignees),
		"labels": named(t.labels), "created_at": t.created, "html_url": "https://github.com/" + repo + "/" + kind + "/" + strconv.Itoa(t.number), "merged": false,
		"head": map[string]string{"ref": "b", "sha": fmt.Sprintf("%040d", t.number)}, "base": map[string]string{"ref": "main"}, "mergeable_state": "clean",
		"requested_reviewers": users(t.asked), "requested_teams": named(t.teams)}
	if t.closed != "" || t.merged != "" {
		out["closed_at"] = t.closed + t.merged
	}
	if t.mergedBy != "" {
		out["merged_by"] = map[string]string{"login": t.mergedBy}
	}
	if t.pull {
		links := map[string]any{"merged_at": nil}
		if t.merged != "" {
			links["merged_at"], out["merged_at"] = t.merged, t.merged
		}
		out["pull_request"] = links
	}
	return out
}

var termForm = regexp.MustCompile(`(\S+?):("[^"]*"|\S+)|\S+`)

// search understands the terms that people and plans write, and refuses others aloud.
func (g *GitHub) search(w http.ResponseWriter, r *http.Request) {
	repo := ""
	keep := []func(thing) bool{}
	for _, m := range termForm.FindAllStringSubmatch(r.URL.Query().Get("q"), -1) {
		value := strings.Trim(m[2], `"`)
		if m[1] == "repo" {
			repo = value
			continue
		}
		test := term(m[1], value, m[0])
		if test == nil {
			http.Error(w, `{"message":"no such term `+m[1]+`"}`, http.StatusUnprocessableEntity)
			return
		}
		keep = append(keep, test)
	}
	items := []map[string]any{}
	for _, t := range g.things[repo] {
		if !slices.ContainsFunc(keep, func(ok func(thing) bool) bool { return !ok(t) }) {
			items = append(items, shape(repo, t))
		}
	}
	reply(w, map[string]any{"total_count": len(items), "items": page(r, items)})
}

func term(key, value, whole string) func(thing) bool {
	switch key {
	case "is":
		return isKind(value)
	case "state":
		return func(t thing) bool { return t.state() == value }
	case "label":
		return func(t thing) bool { return slices.Contains(t.labels, value) }
	case "no":
		return func(t thing) bool { return len(t.assignees) == 0 }
	case "author":
		return func(t thing) bool { return t.author == value }
	case "assignee":
		return func(t thing) bool { return slices.Contains(t.assignees, value) }
	case "review-requested":
		return func(t thing) bool { return slices.Contains(t.asked, value) }
	case "merged":
		return func(t thing) bool { return t.merged != "" && within(t.merged, value) }
	case "closed":
		return func(t thing) bool { return t.state() == "closed" && within(t.closed+t.merged, value) }
	case "created":
		return func(t thing) bool { return within(t.created, value) }
	case "":
		word := strings.ToLower(strings.Trim(whole, `"`))
		return func(t thing) bool { return strings.Contains(strings.ToLower(t.title+" "+t.body), word) }
	}
	return nil
}

func isKind(value string) func(thing) bool {
	return func(t thing) bool {
		switch value {
		case "issue":
			return !t.pull
		case "pr":
			return t.pull
		case "merged":
			return t.merged != ""
		case "draft":
			return t.draft
		}
		return t.state() == value
	}
}

// within compares as GitHub does: days count whole.
func within(at, stretch string) bool {
	moment := when(at, false)
	if from, ok := strings.CutPrefix(stretch, ">="); ok {
		return !moment.Before(when(from, false))
	}
	if to, ok := strings.CutPrefix(stretch, "<="); ok {
		return !moment.After(when(to, true))
	}
	from, to, _ := strings.Cut(stretch, "..")
	return !moment.Before(when(from, false)) && !moment.After(when(to, true))
}

func when(text string, end bool) time.Time {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		if end {
			return day.Add(24*time.Hour - 1)
		}
		return day
	}
	moment, _ := time.Parse(time.RFC3339, text)
	return moment
}

func (g *GitHub) searchCode(w http.ResponseWriter, r *http.Request) {
	items := []map[string]any{}
	if strings.Contains(strings.ToLower(r.URL.Query().Get("q")), "refund") {
		items = append(items, map[string]any{"path": "payments/refund.go", "html_url": "https://github.com/acme/shop/blob/main/payments/refund.go"})
	}
	reply(w, map[string]any{"total_count": len(items), "items": items})
}
