package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

const (
	statusJob = "github.status"
	// statusAttempts take about five hours with the usual delays.
	statusAttempts = 20
	// maxDescription is GitHub's limit, in characters.
	maxDescription = 140
	// limitPause is how long to wait when a secondary limit names no time.
	limitPause = time.Minute
)

// CommitState is a word of GitHub's.
type CommitState string

// GitHub's states of a commit.
const (
	Pending CommitState = "pending"
	Success CommitState = "success"
	Failure CommitState = "failure"
	Broken  CommitState = "error"
)

// Status is what a commit should show at GitHub in one context.
type Status struct {
	Connection  string
	Owner, Repo string
	SHA         string
	// Context names the check, such as "signalbox/web/unit".
	Context     string
	State       CommitState
	Description string
	// TargetURL is the deep link, absolute.
	TargetURL string
}

func (st Status) validate() error {
	switch {
	case st.Connection == "" || st.Owner == "" || st.Repo == "" || st.SHA == "" || st.Context == "":
		return errors.New("a commit status needs connection, owner, repo, sha and context")
	case st.State != Pending && st.State != Success && st.State != Failure && st.State != Broken:
		return fmt.Errorf("%q is no commit state", st.State)
	}
	return nil
}

// PostStatus has the status posted by a durable job, in the context's
// transaction. Of several wishes for one commit and context that wait, only the
// last is posted; a wish equal to the one before is none. GitHub's order is
// therefore that of the calls, with steps left out.
func (s *Service) PostStatus(ctx context.Context, st Status) error {
	if err := st.validate(); err != nil {
		return err
	}
	st.Description = truncate(st.Description, maxDescription)
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		connection, err := s.findConnection(ctx, st.Connection)
		if err != nil {
			return err
		}
		id, changed, err := s.wishStatus(ctx, connection.TeamID, st)
		if err != nil || !changed {
			return err
		}
		key := strconv.FormatInt(id, 10)
		_, err = s.Jobs.EnqueueValue(ctx, work.Job{Kind: statusJob, Team: connection.TeamID, UniqueKey: key, SerialKey: statusJob + "/" + key}, statusPayload{ID: id})
		return err
	})
}

type statusPayload struct {
	ID int64 `json:"id"`
}

func truncate(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// postStatus is the job: it brings GitHub to the last wish.
func (s *Service) postStatus(ctx context.Context, job work.Job) error {
	var in statusPayload
	if err := json.Unmarshal(job.Payload, &in); err != nil {
		return work.GiveUp(fmt.Errorf("read the payload: %w", err))
	}
	row, found, err := s.findStatus(ctx, in.ID)
	if err != nil || !found || row.Posted >= row.Wanted {
		return err
	}
	client, err := s.Client(ctx, row.ConnectionID)
	if problem.Is(err, problem.NotFound) {
		return nil // the connection is gone, and with it the wish
	}
	if err != nil {
		return err
	}
	// After an attempt that broke off, the status may be there already.
	there := false
	if job.Attempt > 1 {
		if there, err = statusIsThere(ctx, client, row); err != nil {
			return s.statusFailed(ctx, row, job.Attempt, err)
		}
	}
	if !there {
		_, _, err := client.Repositories.CreateStatus(ctx, row.Owner, row.Repo, row.SHA, &github.RepoStatus{
			State: &row.State, Description: &row.Description, TargetURL: optional(row.TargetURL), Context: &row.Context,
		})
		if err != nil {
			return s.statusFailed(ctx, row, job.Attempt, err)
		}
	}
	return s.statusPosted(ctx, row)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// statusIsThere asks whether the newest status of the context is the wished one.
// GitHub lists them from the newest.
func statusIsThere(ctx context.Context, client *github.Client, row statusRow) (bool, error) {
	options := &github.ListOptions{PerPage: 100}
	for page := 0; page < 5; page++ {
		list, response, err := client.Repositories.ListStatuses(ctx, row.Owner, row.Repo, row.SHA, options)
		if err != nil {
			return false, err
		}
		for _, st := range list {
			if st.GetContext() == row.Context {
				return st.GetState() == row.State && st.GetDescription() == row.Description && st.GetTargetURL() == row.TargetURL, nil
			}
		}
		if response.NextPage == 0 {
			break
		}
		options.Page = response.NextPage
	}
	return false, nil
}

// statusFailed notes the error and says when to try again, and whether at all.
func (s *Service) statusFailed(ctx context.Context, row statusRow, attempt int, cause error) error {
	if ctx.Err() != nil {
		return work.ErrDetached
	}
	message := explainAPI(cause)
	final := finalAnswer(cause) // no such commit, or a thousand statuses already
	if err := s.noteStatusError(ctx, row, message, final || attempt >= statusAttempts); err != nil {
		return errors.Join(cause, err)
	}
	if wait, known := retryAfter(cause, s.Now()); known {
		return work.RetryAfter(wait, errors.New(message))
	}
	if final {
		return work.GiveUp(errors.New(message))
	}
	return errors.New(message)
}

// retryAfter is how long GitHub wants to be left alone: the primary limit names
// when it ends, a secondary one how long it lasts, other answers may have a
// Retry-After header.
func retryAfter(err error, now time.Time) (time.Duration, bool) {
	var primary *github.RateLimitError
	if errors.As(err, &primary) {
		return max(primary.Rate.Reset.Sub(now), 0) + time.Second, true
	}
	var secondary *github.AbuseRateLimitError
	if errors.As(err, &secondary) {
		if secondary.RetryAfter == nil {
			return limitPause, true
		}
		return *secondary.RetryAfter, true
	}
	var answer *github.ErrorResponse
	if !errors.As(err, &answer) || answer.Response == nil {
		return 0, false
	}
	header := answer.Response.Header
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds >= 0 {
		return min(time.Duration(seconds)*time.Second, time.Hour), true
	}
	if answer.Response.StatusCode != http.StatusTooManyRequests {
		return 0, false
	}
	if reset, err := strconv.ParseInt(header.Get("X-RateLimit-Reset"), 10, 64); err == nil && header.Get("X-RateLimit-Remaining") == "0" {
		return min(max(time.Unix(reset, 0).Sub(now), 0)+time.Second, time.Hour), true
	}
	return limitPause, true
}
