package system

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/work"
)

const jobsPage = 100

type deadJobOut struct {
	ID        string          `json:"id"`
	Kind      string          `json:"kind"`
	Attempts  int             `json:"attempts"`
	Error     string          `json:"error"`
	Failed    time.Time       `json:"failed_at"`
	Created   time.Time       `json:"created_at"`
	Payload   json.RawMessage `json:"payload,omitempty"`
	UniqueKey string          `json:"unique_key,omitempty"`
}

type deadJobsOut struct {
	Items []deadJobOut `json:"items"`
	// Next is the before= of the following page; empty on the last.
	Next string `json:"next,omitempty"`
}

type deadJobsIn struct {
	Before int64 `form:"before"`
}

func (s *Service) handleDead(ctx context.Context, in deadJobsIn) (deadJobsOut, error) {
	jobs, err := s.deps.Jobs.DeadLetters(ctx, in.Before, jobsPage)
	if err != nil {
		return deadJobsOut{}, err
	}
	out := deadJobsOut{Items: make([]deadJobOut, len(jobs))}
	for i, j := range jobs {
		out.Items[i] = outOf(j)
	}
	if len(jobs) == jobsPage {
		out.Next = out.Items[jobsPage-1].ID
	}
	return out, nil
}

func outOf(j work.Job) deadJobOut {
	out := deadJobOut{ID: strconv.FormatInt(j.ID, 10), Kind: j.Kind, Attempts: j.Attempt, Error: j.LastError, Failed: j.Updated.UTC(),
		Created: j.Created.UTC(), UniqueKey: j.UniqueKey}
	if json.Valid(j.Payload) {
		out.Payload = j.Payload // a payload that is no JSON would spoil the whole answer
	}
	return out
}

type jobIn struct {
	ID int64 `uri:"id" json:"-"`
}

func (s *Service) handleRetry(ctx context.Context, in jobIn) (api.Nothing, error) {
	return api.Nothing{}, s.audited(ctx, in.ID, "job.retry", s.deps.Jobs.Retry)
}

func (s *Service) handleDiscard(ctx context.Context, in jobIn) (api.Nothing, error) {
	return api.Nothing{}, s.audited(ctx, in.ID, "job.discard", s.deps.Jobs.Discard)
}

func (s *Service) audited(ctx context.Context, id int64, action string, do func(context.Context, int64) error) error {
	return s.deps.DB.Tx(ctx, func(ctx context.Context) error {
		if err := do(ctx, id); err != nil {
			return err
		}
		return s.deps.Audit(ctx, 0, action, strconv.FormatInt(id, 10), "")
	})
}
