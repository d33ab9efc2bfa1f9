package github

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/work"
)

// Comment is the one comment that a pull request should show for a Key. It is
// written once and edited from then on.
type Comment struct {
	Team       int64  `json:"-"`
	Connection string `json:"-"`
	Owner      string `json:"-"`
	Repo       string `json:"-"`
	Number     int    `json:"-"`
	Key        string `json:"-"`
	Body       string `json:"body"`
}

// maxComment is a little below GitHub's limit of 65,536 characters, for the marker.
const maxComment = 65000

func (c Comment) validate() error {
	if c.Connection == "" || c.Owner == "" || c.Repo == "" || c.Number < 1 || c.Key == "" || strings.TrimSpace(c.Body) == "" {
		return errors.New("a comment needs connection, owner, repo, number, key and body")
	}
	return nil
}

// PostComment has the comment written or edited by a durable job, in the
// context's transaction.
func (s *Service) PostComment(ctx context.Context, c Comment) error {
	if err := c.validate(); err != nil {
		return err
	}
	c.Body = truncate(c.Body, maxComment)
	return s.want(ctx, wish{team: c.Team, kind: PostedComment, connection: c.Connection, owner: c.Owner, repo: c.Repo,
		subject: strconv.Itoa(c.Number) + " " + c.Key, number: c.Number, content: c})
}

// writeComment edits our comment, found by its marker when its id is not known or
// no longer valid, and creates it when there is none.
func (s *Service) writeComment(ctx context.Context, client *github.Client, row *postRow) error {
	var c Comment
	if err := row.read(&c); err != nil {
		return work.GiveUp(err)
	}
	body := c.Body + "\n\n<!-- signalbox:" + row.Marker + " -->"
	if row.GithubID != 0 {
		_, _, err := client.Issues.EditComment(ctx, row.Owner, row.Repo, row.GithubID, &github.IssueComment{Body: &body})
		if err == nil || statusOf(err) != http.StatusNotFound {
			return err
		}
		row.GithubID = 0 // somebody deleted it
	}
	found, same, err := s.findMarked(ctx, client, row, body)
	if err != nil {
		return err
	}
	if found != 0 {
		if err := s.notePostID(ctx, row, found); err != nil || same {
			return err
		}
		_, _, err := client.Issues.EditComment(ctx, row.Owner, row.Repo, found, &github.IssueComment{Body: &body})
		return err
	}
	made, _, err := client.Issues.CreateComment(ctx, row.Owner, row.Repo, row.Number, &github.IssueComment{Body: &body})
	if err != nil {
		return err
	}
	return s.notePostID(ctx, row, made.GetID())
}

// findMarked pages through the comments for the marker. The marker is random and
// only in our own row until it is posted, so nobody can have it look as if a
// comment of theirs were ours.
func (s *Service) findMarked(ctx context.Context, client *github.Client, row *postRow, body string) (id int64, same bool, err error) {
	options := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 100}}
	for {
		list, response, err := client.Issues.ListComments(ctx, row.Owner, row.Repo, row.Number, options)
		if err != nil {
			return 0, false, err
		}
		for _, comment := range list {
			if strings.Contains(comment.GetBody(), "<!-- signalbox:"+row.Marker+" -->") {
				return comment.GetID(), comment.GetBody() == body, nil
			}
		}
		if response.NextPage == 0 {
			return 0, false, nil
		}
		options.Page = response.NextPage
	}
}

// statusOf is the status of GitHub's answer, 0 when there was none.
func statusOf(err error) int {
	var answer *github.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.StatusCode
	}
	return 0
}
