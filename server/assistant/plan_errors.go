package assistant

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/assistant/githubtools"
)

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
