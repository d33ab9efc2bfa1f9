package assistant

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/assistant/githubtools"
)

// linkForm finds what a pull request says of issues: "Fixes #12", "Part of #12".
var linkForm = regexp.MustCompile(`(?i)\b(fix(?:es|ed)?|close[sd]?|resolve[sd]?|refs?|references|relates to|related to|see|part of|addresses|towards)\s*:?\s+#(\d{1,7})\b`)

// linked joins issues with merged pull requests by what the pull requests say.
func (a *asked) linked(ctx context.Context) (string, error) {
	full, pulls, err := a.mergedPulls(ctx)
	if err != nil {
		return "", err
	}
	filters, err := a.filters(ctx, "assignee")
	if err != nil {
		return "", err
	}
	state := ""
	if a.reading.Has("open") {
		state = "is:open"
	}
	issues, err := a.search(ctx, "search_issues", full, strings.TrimSpace(state+" "+filters))
	if err != nil {
		return "", err
	}
	byNumber := map[int]githubtools.Item{}
	for _, i := range issues.Items {
		byNumber[i.Number] = i
	}
	joined, standing := joinIssues(pulls.Items, byNumber)
	what := a.issueWord(2)
	checked := fmt.Sprintf("%s looked at.", number(len(pulls.Items), "pull request"))
	if len(joined) == 0 {
		return fmt.Sprintf("No %s of %s are named by pull requests merged%s. %s", what, full, a.when(), checked), nil
	}
	head := fmt.Sprintf("**%s of %s related to pull requests merged%s**", upperFirst(what), full, a.when())
	summary := fmt.Sprintf("**Summary: %s found**: %d still open, %d closed. %s", number(standing.issues(), strings.TrimSuffix(what, "s")), standing.open, standing.closed, checked)
	return head + list(joined, len(joined), a.linkLine) + "\n\n" + summary, nil
}

// joint is an issue with a merged pull request that names it.
type joint struct {
	issue, pull githubtools.Item
	// said is how the pull request names it: "Fixes #12"; verb is its first word.
	said, verb string
}

// tally counts issues, each once, by how they stand.
type tally struct{ open, closed int }

func (t tally) issues() int { return t.open + t.closed }

// joinIssues finds which of the issues the pull requests name.
func joinIssues(pulls []githubtools.Item, issues map[int]githubtools.Item) ([]joint, tally) {
	var out []joint
	var t tally
	counted := map[int]bool{}
	for _, p := range pulls {
		for _, m := range linkForm.FindAllStringSubmatch(p.Body, 20) {
			n, err := strconv.Atoi(m[2])
			issue, known := issues[n]
			if err != nil || !known {
				continue
			}
			out = append(out, joint{issue, p, m[0], m[1]})
			switch {
			case counted[n]:
			case issue.State == "open":
				t.open++
			default:
				t.closed++
			}
			counted[n] = true
		}
	}
	return out, t
}

func (a *asked) linkLine(j joint) string {
	return fmt.Sprintf("%s — linked PR %s, merged %s, says “%s”. %s", a.ref(j.issue), a.ref(j.pull), a.moment(j.pull.MergedAt), plain(j.said), standing(j.issue, j.verb))
}

// standing says what became of an issue that a merged pull request has named.
func standing(issue githubtools.Item, verb string) string {
	closes := regexp.MustCompile(`(?i)^(fix|close|resolve)`).MatchString(verb)
	switch {
	case issue.State == "closed":
		return "The issue is closed."
	case closes:
		return "It said so, but the issue is open: it was reopened or never closed."
	}
	return "The issue is still open."
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
