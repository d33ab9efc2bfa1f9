package app

import (
	"context"
	"strings"
	"time"

	gogithub "github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/notify"
)

// issueDesk lets channels open issues at GitHub and comment on them.
type issueDesk struct{ at alertGitHub }

// Connected implements notify.IssueDesk.
func (d issueDesk) Connected(ctx context.Context, team int64) (bool, error) {
	return d.at.Connected(ctx, team)
}

// Open implements notify.IssueDesk.
func (d issueDesk) Open(ctx context.Context, team int64, repository, title, body string) (notify.Issue, error) {
	i, err := d.at.Create(ctx, team, repository, title, body)
	return notify.Issue{Number: i.Number, URL: i.URL, Closed: i.State == "closed"}, err
}

// Find implements notify.IssueDesk.
func (d issueDesk) Find(ctx context.Context, team int64, repository, text string, since time.Time) (notify.Issue, bool, error) {
	marker := strings.TrimSuffix(strings.TrimPrefix(text, "<!-- signalbox:"), " -->")
	i, found, err := d.at.Find(ctx, team, repository, marker, since)
	return notify.Issue{Number: i.Number, URL: i.URL, Closed: i.State == "closed"}, found, err
}

// Get implements notify.IssueDesk.
func (d issueDesk) Get(ctx context.Context, team int64, repository string, number int64) (notify.Issue, error) {
	i, err := d.at.Get(ctx, team, repository, number)
	return notify.Issue{Number: i.Number, URL: i.URL, Closed: i.State == "closed"}, err
}

// Comment implements notify.IssueDesk: it pages through the comments since then first.
func (d issueDesk) Comment(ctx context.Context, team int64, repository string, number int64, text, body string, since time.Time) error {
	return d.at.reach(ctx, team, repository, func(client *gogithub.Client, owner, name string) error {
		options := &gogithub.IssueListCommentsOptions{Since: &since, ListOptions: gogithub.ListOptions{PerPage: 100}}
		for {
			list, response, err := client.Issues.ListComments(ctx, owner, name, int(number), options)
			if err != nil {
				return err
			}
			for _, c := range list {
				if strings.Contains(c.GetBody(), text) {
					return nil
				}
			}
			if response.NextPage == 0 {
				break
			}
			options.Page = response.NextPage
		}
		_, _, err := client.Issues.CreateComment(ctx, owner, name, int(number), &gogithub.IssueComment{Body: &body})
		return err
	})
}
