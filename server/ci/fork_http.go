package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// forkShape is the commit that a question is about.
type forkShape struct {
	// Repository is host/owner/name; HeadRepository is the fork.
	Repository     string `json:"repository"`
	HeadRepository string `json:"head_repository"`
	Number         int64  `json:"number"`
	SHA            string `json:"sha"`
	Title          string `json:"title"`
	Author         string `json:"author"`
	URL            string `json:"url"`
}

// shapeFork shows the question about a fork among a team's other approvals.
func (s *Service) shapeFork(ctx context.Context, q forkRow) (approvalShape, error) {
	out := approvalShape{ID: q.ID, Name: "pull request #" + formatInt(q.Number), State: q.state(s.now()), CreatedBy: q.Author,
		Approvers: []string{string(identity.Member)}, AskedAt: q.AskedAt.Time(), ExpiresAt: q.expires(), DecidedBy: q.DecidedBy,
		DecidedAt: q.DecidedAt.pointer(), Reason: q.Reason,
		Fork: &forkShape{q.Repository, q.HeadRepository, q.Number, q.SHA, q.Title, q.Author, q.URL}}
	if out.State != ApprovalWaiting {
		out.Refusal = "It is " + string(out.State) + "."
		return out, nil
	}
	if err := s.mayDecideFork(ctx, q, decision{Approve: true}); err != nil {
		p := problem.From(err)
		if p.Kind == problem.Internal {
			return out, err
		}
		out.Refusal = p.Detail
	}
	return out, nil
}

// addForks puts the questions about forks behind the others of a list.
func (s *Service) addForks(ctx context.Context, team int64, open bool, list *approvalList) error {
	rows, err := s.forks(ctx, team, open, 100)
	if err != nil {
		return err
	}
	for _, q := range rows {
		shown, err := s.shapeFork(ctx, q)
		if err != nil {
			return err
		}
		list.Items = append(list.Items, shown)
	}
	return nil
}

// decideForkIn is httpDecide for the question about a fork; false when in names another one.
func (s *Service) decideForkIn(ctx context.Context, in decideIn, approve bool) (approvalShape, bool, error) {
	if _, err := s.fork(ctx, in.ID); err != nil {
		if problem.Is(err, problem.NotFound) {
			return approvalShape{}, false, nil
		}
		return approvalShape{}, true, err
	}
	q, err := s.decideFork(ctx, in.ID, decision{Approve: approve, Reviewer: in.Reviewer, Reason: in.Reason})
	if err != nil {
		return approvalShape{}, true, err
	}
	shown, err := s.shapeFork(ctx, q)
	return shown, true, err
}
