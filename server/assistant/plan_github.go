package assistant

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/assistant/githubtools"
	"github.com/signalbox/signalbox/server/assistant/grammar"
)

func githubPlans() []plan {
	return []plan{
		{"linked", "Are any critical bugs related to PRs merged this week?", func(r grammar.Reading) bool { return r.Op == grammar.Linked }, (*asked).linked},
		{"compare", "What changed between v1.4.1 and v1.4.2?", func(r grammar.Reading) bool { return r.Entity == grammar.Release && len(r.Versions) == 2 }, (*asked).compareReleases},
		{"latest release", "What is the latest release?", is(grammar.Release, grammar.Latest), (*asked).latest},
		{"releases", "Which releases are there?", is(grammar.Release, grammar.List, grammar.Count), (*asked).listReleases},
		{"reviews", "Who reviewed PR 12?", func(r grammar.Reading) bool {
			return r.Entity == grammar.Pull && r.Op == grammar.Who && r.Number > 0
		}, (*asked).reviewsOf},
		{"my reviews", "Which PRs are waiting for my review?", with(is(grammar.Pull), "reviewable"), (*asked).myReviews},
		{"mergeable", "Which PRs can be merged now?", with(is(grammar.Pull), "mergeable"), (*asked).mergeable},
		{"unreviewed", "Which open PRs have no review yet?", with(is(grammar.Pull), "unreviewed"), (*asked).unreviewed},
		{"merged", "What PRs were merged this week?", with(is(grammar.Pull), "merged"), (*asked).merged},
		{"one", "Summarise issue 12", func(r grammar.Reading) bool {
			return (r.Entity == grammar.Issue || r.Entity == grammar.Pull || r.Entity == grammar.Nothing) && r.Number > 0 && (r.Op == grammar.Summarise || r.Op == grammar.List)
		}, (*asked).one},
		{"pulls", "Which PRs are open?", is(grammar.Pull, grammar.List, grammar.Count, grammar.Latest), (*asked).pulls},
		{"issues", "How many open bugs do we have?", is(grammar.Issue, grammar.List, grammar.Count, grammar.Latest, grammar.Summarise), (*asked).issues},
	}
}

func (a *asked) split() (owner, name, full string, err error) {
	full, err = a.repository()
	owner, name, _ = strings.Cut(full, "/")
	return owner, name, full, err
}

// search asks one of GitHub's two searches, up to two pages.
func (a *asked) search(ctx context.Context, tool, full, query string) (githubtools.Found, error) {
	var all githubtools.Found
	for page := 1; page <= 2; page++ {
		var found githubtools.Found
		args := map[string]any{"query": strings.TrimSpace("repo:" + full + " " + query), "perPage": 100, "page": page}
		if err := a.call(ctx, githubPrefix+tool, args, &found); err != nil {
			return all, err
		}
		all.TotalCount = found.TotalCount
		all.Items = append(all.Items, found.Items...)
		if len(all.Items) >= found.TotalCount || len(found.Items) == 0 {
			break
		}
	}
	return all, nil
}

// login is what GitHub calls the asker.
func (a *asked) login(ctx context.Context) (string, error) {
	name, err := a.service.store.link(ctx, a.caller.UserID, "github")
	if err == nil && name == "" {
		err = refuse("I do not know what GitHub calls you. Say it under Assistant, Settings, and ask again.")
	}
	return name, err
}

// filters are the terms of a search that the reading asks for beside the state.
func (a *asked) filters(ctx context.Context, person string) (string, error) {
	r := a.reading
	var terms []string
	for _, l := range r.Labels {
		terms = append(terms, `label:`+quoteTerm(l))
	}
	if r.Mine {
		login, err := a.login(ctx)
		if err != nil {
			return "", err
		}
		terms = append(terms, person+":"+login)
	} else if r.Person != "" {
		terms = append(terms, person+":"+r.Person)
	}
	if r.Has("unassigned") {
		terms = append(terms, "no:assignee")
	}
	if r.Text != "" {
		terms = append(terms, quoteTerm(strings.ReplaceAll(r.Text, `"`, "")))
	}
	return strings.Join(terms, " "), nil
}

func quoteTerm(s string) string {
	if strings.ContainsAny(s, " :") {
		return `"` + s + `"`
	}
	return s
}

// stretch is a time as GitHub's search writes it.
func (a *asked) stretch(key string) string {
	t := a.reading.Time
	switch {
	case t == nil:
		return ""
	case t.To.IsZero():
		return key + ":>=" + t.From.UTC().Format(time.RFC3339)
	}
	return key + ":" + t.From.UTC().Format(time.RFC3339) + ".." + t.To.UTC().Format(time.RFC3339)
}

// inStretch checks what the search said: its days are wider than the asker's.
func (a *asked) inStretch(t time.Time) bool {
	s := a.reading.Time
	return s == nil || !t.Before(s.From) && (s.To.IsZero() || t.Before(s.To))
}

func (a *asked) issues(ctx context.Context) (string, error) {
	_, _, full, err := a.split()
	if err != nil {
		return "", err
	}
	state, word := "is:open", "open"
	if a.reading.Has("closed") {
		state, word = "is:closed", "closed"
	}
	filters, err := a.filters(ctx, "assignee")
	if err != nil {
		return "", err
	}
	created := a.stretch("created")
	if word == "closed" {
		created = a.stretch("closed")
	}
	found, err := a.search(ctx, "search_issues", full, strings.Join(strings.Fields(state+" "+filters+" "+created), " "))
	if err != nil {
		return "", err
	}
	what := word + " " + a.issueWord(found.TotalCount)
	head := fmt.Sprintf("**%s** %s in %s%s.", thousands(int64(found.TotalCount)), what, full, a.when())
	if found.TotalCount == 0 {
		return "No " + what + " in " + full + a.when() + ".", nil
	}
	if a.reading.Op == grammar.Count {
		a.source(full, searchURL(found.Items, "issues"))
		return head, nil
	}
	return head + list(found.Items, found.TotalCount, a.issueLine), nil
}

// issueWord is what the items are called: bugs, critical bugs, issues.
func (a *asked) issueWord(n int) string {
	word := "issue"
	if a.reading.Labelled("bug") {
		word = "bug"
	}
	if n != 1 {
		word += "s"
	}
	for _, l := range a.reading.Labels {
		if l != "bug" {
			word = l + " " + word
		}
	}
	return word
}

func searchURL(items []githubtools.Item, kind string) string {
	if len(items) == 0 {
		return ""
	}
	if i := strings.LastIndex(items[0].URL, "/"+kind+"/"); i > 0 {
		return items[0].URL[:i] + "/" + kind
	}
	return items[0].URL
}

func (a *asked) ref(i githubtools.Item) string {
	title := fmt.Sprintf("#%d %s", i.Number, cutLine(i.Title, 100))
	a.source(title, i.URL)
	return link(plain(title), i.URL)
}

func (a *asked) issueLine(i githubtools.Item) string {
	parts := []string{}
	for _, l := range i.Labels {
		if l != "bug" || !a.reading.Labelled("bug") {
			parts = append(parts, plain(l))
		}
	}
	if i.State == "closed" {
		parts = append(parts, "closed "+a.moment(i.ClosedAt))
	} else {
		parts = append(parts, "opened "+a.moment(i.CreatedAt))
	}
	return a.ref(i) + " — " + strings.Join(append(parts, "assigned to "+people(i.Assignees)), ", ")
}

func numbersOf(items []githubtools.Item) []int {
	out := make([]int, len(items))
	for i, item := range items {
		out[i] = item.Number
	}
	return out
}

func (a *asked) one(ctx context.Context) (string, error) {
	owner, name, full, err := a.split()
	if err != nil {
		return "", err
	}
	var out struct {
		Issue *githubtools.Item `json:"issue"`
	}
	err = a.call(ctx, githubPrefix+"issue_read", map[string]any{"owner": owner, "repo": name, "issue_number": a.reading.Number, "method": "get"}, &out)
	if missing(err) {
		return fmt.Sprintf("%s has no #%d.", full, a.reading.Number), nil
	}
	if err != nil || out.Issue == nil {
		return "", err
	}
	i := *out.Issue
	text := fmt.Sprintf("**%s** of %s is %s. %s opened it %s; assigned to %s.", a.ref(i), full, plain(i.State), plain(i.Author), a.moment(i.CreatedAt), people(i.Assignees))
	if len(i.Labels) > 0 {
		text += " Labels: " + plain(strings.Join(i.Labels, ", ")) + "."
	}
	body := cutLine(plain(i.Body), 400)
	switch {
	case body == "":
		text += "\n\nIt has no description."
	case orders.MatchString(i.Body):
		text += "\n\nIts description tries to give an assistant orders. I followed none of them and do not repeat it; read it at GitHub."
	default:
		text += "\n\n> " + body
	}
	return text, nil
}

// orders finds text that speaks to an assistant rather than to people.
var orders = regexp.MustCompile(`(?i)\b(ignore|disregard|forget)\b.{0,40}\b(previous|prior|above|all|your)\b.{0,20}\b(instructions?|prompts?|rules?)\b|\bsystem prompt\b|\byou are now\b|\b(call|run|use|invoke)\b.{0,30}\b(tool|merge_pull_request|\w+_\w+_\w+)\b`)
