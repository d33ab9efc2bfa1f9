package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	gogithub "github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/issues"
	"github.com/signalbox/signalbox/server/platform/github"
	"github.com/signalbox/signalbox/server/platform/github/payload"
	"github.com/signalbox/signalbox/server/platform/notify"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// alertEvent is what messages of alert rules are to channels, whatever the rule.
const alertEvent notify.Event = "issues.alert"

// wireIssuesAlerts lets rules about errors tell the team's channels and open issues at GitHub.
func (a *App) wireIssuesAlerts(context.Context) error {
	a.issues.UseAlerts(alertChannels{a.notify}, alertGitHub{a.github})
	return a.issues.RegisterAlertTools(a.tools)
}

// linkedIssueChanged tells issues what became of one at GitHub to which some are linked.
func (a *App) linkedIssueChanged(ctx context.Context, team int64, f payload.Facts) error {
	if f.Number == 0 || f.Event != "issues" && f.Event != "pull_request" {
		return nil
	}
	state := f.State
	switch state {
	case "open", "closed":
	case "merged":
		state = "closed"
	default:
		return nil
	}
	return a.issues.GitHubIssueChanged(ctx, team, f.Repository, issues.GitHubIssue{Number: int64(f.Number), URL: f.URL, Title: f.Title, State: state})
}

type alertChannels struct{ notify *notify.Service }

// Channels are those of the team.
func (c alertChannels) Channels(ctx context.Context, team int64) ([]issues.AlertChannel, error) {
	list, err := c.notify.Channels(ctx, team)
	out := make([]issues.AlertChannel, len(list))
	for i, one := range list {
		out[i] = issues.AlertChannel{ID: one.ID, Kind: issues.ActionType(one.Kind), Name: one.Name, Summary: one.Summary, Enabled: one.Enabled}
	}
	return out, err
}

// Tell queues a message for a channel.
func (c alertChannels) Tell(ctx context.Context, team int64, channel string, m issues.AlertMessage) (int64, error) {
	return c.notify.Send(ctx, team, channel, notify.Message{Event: alertEvent, Rule: "issues:" + m.Rule, Subject: m.Subject, Now: m.Test,
		Title: m.Title, Text: m.Text, URL: m.URL, Lines: append([]string{}, m.Lines...)})
}

// Told says how messages fared.
func (c alertChannels) Told(ctx context.Context, messages []int64) (map[int64]issues.AlertTold, error) {
	list, err := c.notify.Outcomes(ctx, messages)
	told := make(map[int64]issues.AlertTold, len(list))
	for _, d := range list {
		t := issues.AlertTold{State: string(d.State), Error: d.Error}
		if d.EndedAt != 0 {
			t.EndedAt = time.UnixMilli(int64(d.EndedAt))
		}
		told[d.ID] = t
	}
	return told, err
}

// alertGitHub reads and writes issues by whichever connection of a team reaches the repository.
type alertGitHub struct{ github *github.Service }

// Connected reports whether the team has a connection.
func (g alertGitHub) Connected(ctx context.Context, team int64) (bool, error) {
	list, err := g.github.Connections(ctx, team)
	return len(list) > 0, err
}

// reach calls do with each connection's client until one finds what it asks for.
func (g alertGitHub) reach(ctx context.Context, team int64, repository string, do func(client *gogithub.Client, owner, name string) error) error {
	list, err := g.github.Connections(ctx, team)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return problem.New(problem.Conflict, "This team is not connected to GitHub.")
	}
	owner, name, _ := strings.Cut(repository, "/")
	for _, c := range list {
		client, failed := g.github.Client(ctx, c.ID)
		if failed == nil {
			failed = do(client, owner, name)
		}
		if failed == nil {
			return nil
		}
		err = failed
		if status := gitHubStatus(failed); status != http.StatusNotFound && status != http.StatusForbidden && status != http.StatusUnauthorized {
			break
		}
	}
	return gitHubProblem(repository, err)
}

func gitHubStatus(err error) int {
	var answer *gogithub.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.StatusCode
	}
	return 0
}

// gitHubProblem says in our words what GitHub refuses for good; all else may be tried again.
func gitHubProblem(repository string, err error) error {
	switch gitHubStatus(err) {
	case http.StatusNotFound:
		return problem.Wrap(err, problem.NotFound, "GitHub knows no repository %s, or the connection may not see it.", repository)
	case http.StatusForbidden, http.StatusUnauthorized:
		return problem.Wrap(err, problem.Forbidden, "The connection may not write issues of %s. Give it the permission Issues: read and write.", repository)
	case http.StatusGone:
		return problem.Wrap(err, problem.Conflict, "Issues are switched off in %s.", repository)
	case http.StatusUnprocessableEntity:
		return problem.Wrap(err, problem.Invalid, "GitHub refused the issue: %s", err.Error())
	}
	if p := problem.From(err); p.Kind != problem.Internal {
		return err
	}
	return problem.Wrap(err, problem.Upstream, "GitHub could not be asked about %s.", repository)
}

func gitHubIssue(i *gogithub.Issue) issues.GitHubIssue {
	return issues.GitHubIssue{Number: int64(i.GetNumber()), URL: i.GetHTMLURL(), Title: i.GetTitle(), State: i.GetState()}
}

// Create opens an issue.
func (g alertGitHub) Create(ctx context.Context, team int64, repository, title, body string) (made issues.GitHubIssue, err error) {
	err = g.reach(ctx, team, repository, func(client *gogithub.Client, owner, name string) error {
		i, _, err := client.Issues.Create(ctx, owner, name, &gogithub.IssueRequest{Title: &title, Body: &body})
		if err == nil {
			made = gitHubIssue(i)
		}
		return err
	})
	return made, err
}

// Find pages through the newest issues for the marker.
func (g alertGitHub) Find(ctx context.Context, team int64, repository, marker string, since time.Time) (made issues.GitHubIssue, found bool, err error) {
	word := "<!-- signalbox:" + marker + " -->"
	err = g.reach(ctx, team, repository, func(client *gogithub.Client, owner, name string) error {
		options := &gogithub.IssueListByRepoOptions{State: "all", Sort: "created", Direction: "desc", Since: since, ListOptions: gogithub.ListOptions{PerPage: 100}}
		for {
			list, response, err := client.Issues.ListByRepo(ctx, owner, name, options)
			if err != nil {
				return err
			}
			for _, i := range list {
				if strings.Contains(i.GetBody(), word) {
					made, found = gitHubIssue(i), true
					return nil
				}
			}
			if response.NextPage == 0 {
				return nil
			}
			options.Page = response.NextPage
		}
	})
	return made, found, err
}

// Get reads one issue.
func (g alertGitHub) Get(ctx context.Context, team int64, repository string, number int64) (known issues.GitHubIssue, err error) {
	err = g.reach(ctx, team, repository, func(client *gogithub.Client, owner, name string) error {
		i, _, err := client.Issues.Get(ctx, owner, name, int(number))
		if err == nil {
			known = gitHubIssue(i)
		}
		return err
	})
	if err != nil {
		return known, fmt.Errorf("read issue %d: %w", number, err)
	}
	return known, nil
}
