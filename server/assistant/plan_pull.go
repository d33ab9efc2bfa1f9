package assistant

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/assistant/githubtools"
	"github.com/signalbox/signalbox/server/assistant/grammar"
)

func (a *asked) mergedPulls(ctx context.Context) (string, githubtools.Found, error) {
	_, _, full, err := a.split()
	if err != nil {
		return "", githubtools.Found{}, err
	}
	author := ""
	if a.reading.Person != "" {
		author = "author:" + a.reading.Person
	} else if a.reading.Mine {
		login, err := a.login(ctx)
		if err != nil {
			return "", githubtools.Found{}, err
		}
		author = "author:" + login
	}
	text := ""
	if a.reading.Text != "" {
		text = quoteTerm(strings.ReplaceAll(a.reading.Text, `"`, ""))
	}
	query := strings.Join(strings.Fields("is:merged "+a.stretch("merged")+" "+author+" "+text), " ")
	found, err := a.search(ctx, "search_pull_requests", full, query)
	if err != nil {
		return full, found, err
	}
	all := len(found.Items)
	found.Items = slices.DeleteFunc(found.Items, func(i githubtools.Item) bool { return i.MergedAt.IsZero() || !a.inStretch(i.MergedAt) })
	found.TotalCount -= all - len(found.Items)
	slices.SortFunc(found.Items, func(x, y githubtools.Item) int { return x.MergedAt.Compare(y.MergedAt) })
	return full, found, nil
}

func (a *asked) merged(ctx context.Context) (string, error) {
	full, found, err := a.mergedPulls(ctx)
	if err != nil {
		return "", err
	}
	a.items = numbersOf(found.Items)
	by := ""
	if a.reading.Person != "" {
		by = " by " + a.reading.Person
	}
	if found.TotalCount == 0 {
		return "No pull requests" + by + " were merged in " + full + a.when() + ".", nil
	}
	head := fmt.Sprintf("**%s** merged%s in %s%s.", number(found.TotalCount, "pull request"), by, full, a.when())
	if a.reading.Op == grammar.Count {
		return head, nil
	}
	return head + list(found.Items, found.TotalCount, func(i githubtools.Item) string {
		return a.ref(i) + " — " + plain(i.Author) + ", merged " + a.moment(i.MergedAt)
	}), nil
}

func (a *asked) pullRead(ctx context.Context, full string, n int, method string, out any) error {
	owner, name, _ := strings.Cut(full, "/")
	return a.call(ctx, githubPrefix+"pull_request_read", map[string]any{"owner": owner, "repo": name, "pullNumber": n, "method": method}, out)
}

// verdicts are the last word of each reviewer; a comment takes no decision back.
func verdicts(list []githubtools.Review) (names []string, of map[string]string) {
	of = map[string]string{}
	for _, r := range list {
		if _, known := of[r.Author]; !known {
			names = append(names, r.Author)
		}
		if r.State != "COMMENTED" || of[r.Author] == "" {
			of[r.Author] = r.State
		}
	}
	return names, of
}

var verdictWords = map[string]string{"APPROVED": "approved", "CHANGES_REQUESTED": "asked for changes", "COMMENTED": "commented", "DISMISSED": "was dismissed", "PENDING": "has not sent it yet"}

func (a *asked) reviews(ctx context.Context, full string, n int) ([]string, map[string]string, error) {
	var out struct {
		Reviews []githubtools.Review `json:"reviews"`
	}
	err := a.pullRead(ctx, full, n, "get_reviews", &out)
	names, of := verdicts(out.Reviews)
	return names, of, err
}

func (a *asked) reviewsOf(ctx context.Context) (string, error) {
	_, _, full, err := a.split()
	if err != nil {
		return "", err
	}
	var whole struct {
		Pull githubtools.Pull `json:"pull_request"`
	}
	err = a.pullRead(ctx, full, a.reading.Number, "get", &whole)
	if missing(err) {
		return fmt.Sprintf("%s has no pull request #%d.", full, a.reading.Number), nil
	}
	if err != nil {
		return "", err
	}
	names, of, err := a.reviews(ctx, full, a.reading.Number)
	if err != nil {
		return "", err
	}
	pull := a.ref(whole.Pull.Item) + " of " + full
	a.items = []int{a.reading.Number}
	if a.reading.Has("approved") {
		names = slices.DeleteFunc(names, func(n string) bool { return of[n] != "APPROVED" })
		if len(names) == 0 {
			return "Nobody has approved " + pull + ".", nil
		}
	}
	if len(names) == 0 {
		return "Nobody has reviewed " + pull + " yet.", nil
	}
	return "Reviews of " + pull + ":" + list(names, len(names), func(n string) string { return plain(n) + " " + verdictWords[of[n]] }), nil
}

func (a *asked) myReviews(ctx context.Context) (string, error) {
	_, _, full, err := a.split()
	if err != nil {
		return "", err
	}
	login, err := a.login(ctx)
	if err != nil {
		return "", err
	}
	found, err := a.search(ctx, "search_pull_requests", full, "is:open review-requested:"+login)
	if err != nil {
		return "", err
	}
	if found.TotalCount == 0 {
		return fmt.Sprintf("No pull request of %s waits for a review by you (%s at GitHub).", full, login), nil
	}
	return fmt.Sprintf("**%s** of %s wait for a review by you (%s at GitHub).", number(found.TotalCount, "pull request"), full, login) +
		list(found.Items, found.TotalCount, func(i githubtools.Item) string {
			return a.ref(i) + " — " + plain(i.Author) + ", opened " + a.moment(i.CreatedAt)
		}), nil
}

// openPulls are those that the reading is about.
func (a *asked) openPulls(ctx context.Context) (string, githubtools.Found, error) {
	_, _, full, err := a.split()
	if err != nil {
		return "", githubtools.Found{}, err
	}
	filters, err := a.filters(ctx, "author")
	if err != nil {
		return "", githubtools.Found{}, err
	}
	state := "is:open"
	if a.reading.Has("closed") {
		state = "is:closed"
	}
	if a.reading.Has("draft") {
		state += " is:draft"
	}
	found, err := a.search(ctx, "search_pull_requests", full, strings.Join(strings.Fields(state+" "+filters+" "+a.stretch("created")), " "))
	return full, found, err
}

// looked bounds how many pull requests are read one by one.
const looked = 12

func (a *asked) pulls(ctx context.Context) (string, error) {
	full, found, err := a.openPulls(ctx)
	if err != nil {
		return "", err
	}
	a.items = numbersOf(found.Items)
	word := "open"
	if a.reading.Has("closed") {
		word = "closed"
	}
	if found.TotalCount == 0 {
		return "No " + word + " pull requests in " + full + a.when() + ".", nil
	}
	head := fmt.Sprintf("**%s** %s in %s%s.", number(found.TotalCount, "pull request"), word, full, a.when())
	if a.reading.Op == grammar.Count {
		return head, nil
	}
	said := map[int]string{}
	for i, p := range found.Items {
		if i == looked || word == "closed" {
			break
		}
		names, of, err := a.reviews(ctx, full, p.Number)
		if err != nil {
			return "", err
		}
		said[p.Number] = reviewWords(names, of)
	}
	return head + list(found.Items, found.TotalCount, func(i githubtools.Item) string {
		parts := []string{plain(i.Author)}
		if i.Draft {
			parts = append(parts, "draft")
		}
		if said[i.Number] != "" {
			parts = append(parts, said[i.Number])
		}
		return a.ref(i) + " — " + strings.Join(append(parts, "opened "+a.moment(i.CreatedAt)), ", ")
	}), nil
}

func reviewWords(names []string, of map[string]string) string {
	if len(names) == 0 {
		return "no review yet"
	}
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = plain(n) + " " + verdictWords[of[n]]
	}
	return strings.Join(parts, ", ")
}

func (a *asked) unreviewed(ctx context.Context) (string, error) {
	full, found, err := a.openPulls(ctx)
	if err != nil {
		return "", err
	}
	var without, drafts []githubtools.Item
	for i, p := range found.Items {
		if i == looked {
			break
		}
		names, _, err := a.reviews(ctx, full, p.Number)
		switch {
		case err != nil:
			return "", err
		case len(names) > 0:
		case p.Draft:
			drafts = append(drafts, p)
		default:
			without = append(without, p)
		}
	}
	text := "Every open pull request of " + full + " that is no draft has a review."
	if len(without) > 0 {
		text = fmt.Sprintf("**%s** of %s without a review.", number(len(without), "open pull request"), full) + list(without, len(without), func(i githubtools.Item) string {
			return a.ref(i) + " — " + plain(i.Author) + ", opened " + a.moment(i.CreatedAt)
		})
	}
	if len(drafts) > 0 {
		text += "\n\nDrafts without one, which nobody needs to review yet:" + list(drafts, len(drafts), a.ref)
	}
	if len(found.Items) > looked {
		text += fmt.Sprintf("\n\nThe newest %d of %d open ones were looked at.", looked, found.TotalCount)
	}
	return text, nil
}

func (a *asked) mergeable(ctx context.Context) (string, error) {
	full, found, err := a.openPulls(ctx)
	if err != nil {
		return "", err
	}
	var ready, not []string
	for i, p := range found.Items {
		if i == looked {
			not = append(not, fmt.Sprintf("%d older ones were not looked at", found.TotalCount-looked))
			break
		}
		why, err := a.hindrance(ctx, full, p)
		if err != nil {
			return "", err
		}
		if why == "" {
			ready = append(ready, a.ref(p)+" — approved, all checks passed")
		} else {
			not = append(not, a.ref(p)+" — "+why)
		}
	}
	text := "No pull request of " + full + " can be merged now."
	if len(ready) > 0 {
		text = fmt.Sprintf("**%s** of %s can be merged now.", number(len(ready), "pull request"), full) + list(ready, len(ready), func(s string) string { return s })
	}
	if len(not) > 0 {
		text += "\n\nNot yet:" + list(not, len(not), func(s string) string { return s })
	}
	return text, nil
}

// hindrance is why a pull request cannot be merged, "" when it can.
func (a *asked) hindrance(ctx context.Context, full string, p githubtools.Item) (string, error) {
	if p.Draft {
		return "a draft", nil
	}
	names, of, err := a.reviews(ctx, full, p.Number)
	if err != nil {
		return "", err
	}
	approved := false
	for _, n := range names {
		if of[n] == "CHANGES_REQUESTED" {
			return plain(n) + " asked for changes", nil
		}
		approved = approved || of[n] == "APPROVED"
	}
	var checks struct {
		Runs []githubtools.Check `json:"check_runs"`
	}
	if err := a.pullRead(ctx, full, p.Number, "get_check_runs", &checks); err != nil {
		return "", err
	}
	for _, c := range checks.Runs {
		switch {
		case c.Status != "completed":
			return "check " + plain(c.Name) + " is still running", nil
		case !slices.Contains([]string{"success", "neutral", "skipped"}, c.Conclusion):
			return "check " + plain(c.Name) + " failed", nil
		}
	}
	if !approved {
		return "nobody has approved it", nil
	}
	var out struct {
		Pull *githubtools.Pull `json:"pull_request"`
	}
	if err := a.pullRead(ctx, full, p.Number, "get", &out); err != nil || out.Pull == nil {
		return "", err
	}
	if slices.Contains([]string{"dirty", "blocked", "behind"}, out.Pull.Mergeable) {
		return map[string]string{"dirty": "it conflicts with its base", "blocked": "the branch's rules are not met", "behind": "it is behind its base"}[out.Pull.Mergeable], nil
	}
	return "", nil
}
