package assistant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signalbox/signalbox/bots/slack"
)

const (
	// reviewSLA is after which a review that was asked for is asked for again, and maxNudges how often.
	reviewSLA = 24 * time.Hour
	maxNudges = 3
	// never is when nobody is told again: the row goes when the review comes.
	never = int64(1) << 61
)

// PullEvent is what GitHub tells of a pull request, as far as reviews are concerned.
type PullEvent struct {
	// Event and Action are GitHub's words, such as pull_request and review_requested.
	Event, Action      string
	Repository         string
	Number             int
	Title, URL, Sender string
	// Reviewers are who is asked or no longer asked; Reviewer who has reviewed.
	Reviewers []string
}

// PullChanged notes who is asked for a review and who has given it, in the
// context's transaction; it calls nobody.
func (s *Slack) PullChanged(ctx context.Context, team int64, e PullEvent) error {
	if e.Repository == "" || e.Number == 0 {
		return nil
	}
	if _, ok, err := s.rows.settings(ctx); err != nil || !ok {
		return err
	}
	repository, number := strings.ToLower(e.Repository), int64(e.Number)
	switch {
	case e.Event == "pull_request" && e.Action == "review_requested":
		for _, login := range e.Reviewers {
			if strings.EqualFold(login, e.Sender) {
				continue
			}
			now := s.Now().UnixMilli()
			row := reviewRow{TeamID: team, Repository: repository, Number: number, Login: strings.ToLower(login), Title: clip(e.Title, 300), URL: e.URL, AskedBy: e.Sender, AskedAt: now, NextAt: now}
			if err := s.rows.askReview(ctx, row); err != nil {
				return err
			}
		}
	case e.Event == "pull_request" && e.Action == "review_request_removed":
		for _, login := range e.Reviewers {
			if err := s.rows.dropReviews(ctx, team, repository, number, strings.ToLower(login)); err != nil {
				return err
			}
		}
	case e.Event == "pull_request" && e.Action == "closed":
		return s.rows.dropReviews(ctx, team, repository, number, "")
	case e.Event == "pull_request_review" && e.Action == "submitted":
		return s.rows.dropReviews(ctx, team, repository, number, strings.ToLower(e.Sender))
	}
	return nil
}

// dueReviews tells people directly that a review is asked of them, and again after a day.
func (s *Slack) dueReviews(ctx context.Context) error {
	l, err := s.linked(ctx)
	if errors.Is(err, errNoSlack) {
		return nil
	}
	if err != nil {
		return err
	}
	rows, err := s.rows.reviewsDue(ctx, s.Now().UnixMilli())
	if err != nil {
		return err
	}
	var failed []error
	for _, row := range rows {
		failed = append(failed, s.tellReview(ctx, l, row))
	}
	return errors.Join(failed...)
}

func (s *Slack) tellReview(ctx context.Context, l *slackLink, row reviewRow) error {
	people, err := s.rows.slackOf(ctx, l.settings.Workspace, row.Login)
	if err != nil {
		return err
	}
	told, next := row.Told+1, s.Now().Add(reviewSLA).UnixMilli()
	if told > maxNudges || len(people) == 0 {
		next = never
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		moved, err := s.rows.moveReview(ctx, row, told, next)
		if err != nil || !moved {
			return err
		}
		for _, p := range people {
			// A person who has left the team since is told nothing of it.
			caller, err := s.Caller(ctx, p.UserID)
			if err != nil || !caller.Can(row.TeamID, asking) {
				continue
			}
			subject := fmt.Sprintf("review %d %s#%d %s %d", row.TeamID, row.Repository, row.Number, row.Login, row.AskedAt)
			out := outRow{Subject: subject, Part: fmt.Sprintf("%d %s", told, p.SlackUser), SlackUser: p.SlackUser}
			if err := s.putOut(ctx, out, s.reviewMessage(ctx, row, told)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Slack) reviewMessage(ctx context.Context, row reviewRow, told int64) slack.Message {
	may := s.mayLink(ctx, row.TeamID)
	what := slack.Mrkdwn(link(fmt.Sprintf("%s#%d", row.Repository, row.Number), row.URL), may) + " " + slack.Escape(row.Title)
	if told == 1 {
		return slack.Message{Text: slack.Escape(row.AskedBy) + " asks for your review: " + what}
	}
	days := int(s.Now().Sub(time.UnixMilli(row.AskedAt)) / (24 * time.Hour))
	return slack.Message{Text: "Your review is still asked for, since " + number(max(days, 1), "day") + ": " + what}
}
