package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

const (
	postJob   = "github.post"
	postTopic = "ci.post"
	// postAttempts take about nine hours with the usual delays.
	postAttempts = 28
)

// PostKind is what a post is at GitHub; the words are stored.
type PostKind string

// The kinds. A status has a table of its own and is only listed here.
const (
	PostedStatus  PostKind = "status"
	PostedCheck   PostKind = "check"
	PostedComment PostKind = "comment"
)

// PostState is where a post stands.
type PostState string

// The states.
const (
	PostWaiting  PostState = "waiting"  // for its first attempt
	PostRetrying PostState = "retrying" // after an attempt that failed
	PostDone     PostState = "posted"   // GitHub shows the newest wish
	PostFailed   PostState = "failed"   // given up; a new wish or a person revives it
)

// Post is one thing that GitHub shows, or should show, because we said so.
type Post struct {
	ID         int64     `json:"id"`
	Team       int64     `json:"-"`
	Kind       PostKind  `json:"kind"`
	Repository string    `json:"repository"`
	SHA        string    `json:"sha,omitempty"`
	Number     int       `json:"number,omitempty"`
	Subject    string    `json:"subject"`
	State      PostState `json:"state"`
	Error      string    `json:"error"`
	Attempts   int64     `json:"attempts"`
	UpdatedAt  Millis    `json:"updated_at"`
}

// wish is a check or comment as PostCheck and PostComment hand it on.
type wish struct {
	team                    int64
	kind                    PostKind
	connection, owner, repo string
	subject, sha            string
	number                  int
	content                 any
}

// want notes the wish and has the outbox write it. Of several wishes for one
// subject that wait only the newest is written.
func (s *Service) want(ctx context.Context, w wish) error {
	content, err := json.Marshal(w.content)
	if err != nil {
		return fmt.Errorf("encode the %s: %w", w.kind, err)
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		connection, err := s.findConnection(ctx, w.connection)
		if err != nil {
			return err
		}
		if connection.TeamID != w.team {
			return problem.New(problem.NotFound, "There is no such GitHub connection.")
		}
		id, changed, err := s.wishPost(ctx, w, string(content))
		if err != nil || !changed {
			return err
		}
		if err := s.publish(ctx, w.team, postTopic, strconv.FormatInt(id, 10)); err != nil {
			return err
		}
		key := strconv.FormatInt(id, 10)
		_, err = s.Jobs.EnqueueValue(ctx, work.Job{Kind: postJob, Team: w.team, UniqueKey: key, SerialKey: postJob + "/" + key}, statusPayload{ID: id})
		return err
	})
}

// post is the job: it brings GitHub to the newest wish for one subject.
func (s *Service) post(ctx context.Context, job work.Job) error {
	var in statusPayload
	if err := json.Unmarshal(job.Payload, &in); err != nil {
		return work.GiveUp(fmt.Errorf("read the payload: %w", err))
	}
	row, found, err := s.findPost(ctx, in.ID)
	if err != nil || !found || row.Posted >= row.Wanted {
		return err
	}
	client, err := s.Client(ctx, row.ConnectionID)
	if problem.Is(err, problem.NotFound) {
		return nil // the connection is gone, and with it the wish
	}
	if err == nil {
		// An earlier attempt may have written without our hearing of it; so may one of
		// a server that died, whose attempt was never counted.
		err = s.write(ctx, client, &row)
	}
	if err != nil {
		return s.postFailed(ctx, row, job, err)
	}
	return s.postDone(ctx, row)
}

func (s *Service) write(ctx context.Context, client *github.Client, row *postRow) error {
	switch row.Kind {
	case PostedCheck:
		return s.writeCheck(ctx, client, row)
	case PostedComment:
		return s.writeComment(ctx, client, row)
	}
	return work.GiveUp(fmt.Errorf("%q is no kind of post", row.Kind))
}

// postFailed notes the error and says when to try again, and whether at all.
func (s *Service) postFailed(ctx context.Context, row postRow, job work.Job, cause error) error {
	if ctx.Err() != nil {
		return work.ErrDetached
	}
	message := explainAPI(cause)
	final := finalAnswer(cause)
	if err := s.notePostError(ctx, row, message, final || job.Attempt >= postAttempts); err != nil {
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

// finalAnswer reports whether GitHub will not change its mind: the request itself
// is wrong for it, or the thing it is about is gone.
func finalAnswer(err error) bool {
	var answer *github.ErrorResponse
	if !errors.As(err, &answer) || answer.Response == nil {
		return false
	}
	switch answer.Response.StatusCode {
	case http.StatusUnprocessableEntity, http.StatusGone:
		return true
	}
	return false
}

// Posts lists what should be at GitHub, the newest change first.
func (s *Service) Posts(ctx context.Context, f PostFilter, teams ...int64) ([]Post, error) {
	return s.listPosts(ctx, f, teams)
}

// RetryPost writes a post that was given up again.
func (s *Service) RetryPost(ctx context.Context, kind PostKind, id int64) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		team, err := s.postTeam(ctx, kind, id)
		if err != nil {
			return err
		}
		if err := identity.Require(ctx, team, writing); err != nil {
			return err
		}
		changed, err := s.revivePost(ctx, kind, id)
		if err != nil {
			return err
		}
		if !changed {
			return problem.New(problem.Conflict, "GitHub shows the newest state already, or it is being written.")
		}
		job, key := postJob, strconv.FormatInt(id, 10)
		if kind == PostedStatus {
			job = statusJob
		}
		_, err = s.Jobs.EnqueueValue(ctx, work.Job{Kind: job, Team: team, UniqueKey: key, SerialKey: job + "/" + key}, statusPayload{ID: id})
		return errors.Join(err, s.audit(ctx, team, "github.post.retry", string(kind), key))
	})
}
