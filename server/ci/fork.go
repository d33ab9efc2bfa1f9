package ci

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/github/payload"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// A pull request of a fork is code that anybody may have written. Its version says so
// (resource.ForkKey), is stored as untrusted, and is withheld from builds until a member
// of the team agrees to that very commit. A build that takes it is untrusted for good
// and gets no vars (engine/fork.go); so is what it puts, and every build that takes that,
// that is a rerun of it, or for which it vouched through passed.

const (
	forkWithdrawn = ApprovalWithdrawn // closed, or replaced by a newer commit
	// forkPatience is how long a question may wait.
	forkPatience = 30 * 24 * time.Hour
)

// askForFork puts the question about a fork's commit into the team's inbox, once.
func (s *Service) askForFork(ctx context.Context, r resourceRow, q forkRow) error {
	if r.Repository == "" {
		return nil
	}
	q.ID, q.TeamID, q.Repository, q.State, q.AskedAt = s.deps.NewID(), r.TeamID, r.Repository, ApprovalWaiting, toMillis(s.now())
	newer, err := s.newerFork(ctx, q)
	if err != nil {
		return err
	}
	if newer {
		q.State = forkWithdrawn // it came late
	}
	changed, err := s.saveFork(ctx, q)
	if err != nil || !changed {
		return err
	}
	if err := s.withdrawOlderForks(ctx, q); err != nil {
		return err
	}
	s.forksChanged(ctx, q.TeamID)
	return nil
}

// forkOf is the question that a payload gives rise to.
func forkOf(r resourceRow, p payload.PullRequest) forkRow {
	return forkRow{Repository: r.Repository, Number: int64(p.Number), SHA: p.Head, Title: p.Title, Author: p.Author, HeadRepository: p.HeadRepository,
		URL: p.URL, ToldAt: toMillis(p.Updated)}
}

// askForForks asks about the forks' commits among the versions of a resource, and
// gives those to the jobs that a member has agreed to already.
func (s *Service) askForForks(ctx context.Context, r resourceRow, found []resource.Result) error {
	for _, f := range found {
		if r.Type != pullType || f.Version[resource.ForkKey] == "" {
			continue
		}
		number, err := strconv.ParseInt(f.Version["pr"], 10, 64)
		if err != nil {
			continue
		}
		q, known, err := s.findFork(ctx, r.TeamID, r.Repository, number, f.Version["commit"])
		switch {
		case err != nil:
			return err
		case known && q.State == ApprovalApproved:
			if _, err := s.liftFork(ctx, r, q); err != nil {
				return err
			}
		case !known:
			if err := s.askForFork(ctx, r, checkedFork(number, f)); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkedFork(number int64, f resource.Result) forkRow {
	q := forkRow{Number: number, SHA: f.Version["commit"], HeadRepository: f.Version[resource.ForkKey]}
	for _, m := range f.Metadata {
		switch m.Name {
		case "title":
			q.Title = m.Value
		case "author":
			q.Author = m.Value
		case "url":
			q.URL = m.Value
		}
	}
	return q
}

// liftFork gives the commit's version of a resource to the jobs, as the newest.
func (s *Service) liftFork(ctx context.Context, r resourceRow, q forkRow) (bool, error) {
	rows, err := s.filterVersions(ctx, r, map[string]string{"pr": strconv.FormatInt(q.Number, 10), "commit": q.SHA}, 10, 0)
	if err != nil {
		return false, err
	}
	lifted := false
	for _, v := range rows {
		did, err := s.lift(ctx, r, v.ID)
		if err != nil {
			return false, err
		}
		lifted = lifted || did
	}
	if !lifted {
		return false, nil
	}
	return true, s.versionsChanged(ctx, r)
}

// withdrawForks takes back the questions about a pull request, except about one commit.
func (s *Service) withdrawForks(ctx context.Context, r resourceRow, number int, except string) error {
	n, err := s.withdrawFork(ctx, r.TeamID, r.Repository, int64(number), except)
	if err == nil && n > 0 {
		s.forksChanged(ctx, r.TeamID)
	}
	return err
}

func (s *Service) forksChanged(ctx context.Context, team int64) {
	s.approvalChanged(ctx, approvalRow{TeamID: team, ID: "forks"})
}

// decideFork stores what a member says about a fork's commit.
func (s *Service) decideFork(ctx context.Context, id string, d decision) (forkRow, error) {
	d.Reason = strings.TrimSpace(d.Reason)
	var q forkRow
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if q, err = s.fork(ctx, id); err != nil {
			return err
		}
		if err := s.mayDecideFork(ctx, q, d); err != nil {
			return err
		}
		q.State, q.DecidedBy, q.Reason, q.DecidedAt = ApprovalRejected, callerName(ctx), d.Reason, toMillis(s.now())
		action := "fork.reject"
		if d.Approve {
			q.State, action = ApprovalApproved, "fork.approve"
		}
		decided, err := s.settleFork(ctx, q)
		if err != nil {
			return err
		}
		if !decided {
			return problem.New(problem.Conflict, "Somebody else was faster.")
		}
		if err := s.audit(ctx, q.TeamID, action, q.label(), d.Reason); err != nil {
			return err
		}
		s.forksChanged(ctx, q.TeamID)
		if !d.Approve {
			return nil
		}
		rows, err := s.watching(ctx, q.TeamID, []string{q.Repository}, pullType)
		for _, r := range rows {
			if err := s.lockPipeline(ctx, r.PipelineID); err != nil {
				return err
			}
			if _, err := s.liftFork(ctx, r, q); err != nil {
				return err
			}
		}
		return err
	})
	return q, err
}

func (s *Service) mayDecideFork(ctx context.Context, q forkRow, d decision) error {
	if err := identity.Require(ctx, q.TeamID, scope(identity.Write)); err != nil {
		return err
	}
	caller := identity.From(ctx)
	switch {
	case d.Reviewer != "" && d.Reviewer != caller.Name:
		return problem.FieldError("reviewer", "must be you (%s); nobody decides in another's name", caller.Name)
	case q.state(s.now()) != ApprovalWaiting:
		return problem.New(problem.Conflict, "This was decided already: it is %s.", q.state(s.now()))
	case len(d.Reason) > maxReason:
		return problem.FieldError("reason", "is longer than %d characters", maxReason)
	}
	return nil
}

// markUntrusted finds out what a build that is about to start has taken, and keeps it
// for good. refusal says why it may not start.
func (s *Service) markUntrusted(ctx context.Context, b buildRow) (refusal string, err error) {
	t, err := s.trustOf(ctx, b)
	switch {
	case err != nil:
		return "", err
	case t.Waiting > 0:
		return "It takes a commit of a fork that no member has agreed to; see the team's approvals.", nil
	case t.Untrusted > 0:
		return "", s.setUntrusted(ctx, b.ID)
	}
	return "", nil
}

// untrusted is what was kept of a build, or what its plan says: plans of fly execute
// name their versions themselves.
func (s *Service) untrusted(ctx context.Context, b buildRow, p plan.Plan) (bool, error) {
	if b.Untrusted {
		return true, nil
	}
	found := false
	p.Each(func(step *plan.Plan) {
		if step.Get != nil && step.Get.Version != nil && (*step.Get.Version)[resource.ForkKey] != "" {
			found = found || step.Get.Type == pullType
		}
	})
	if !found {
		return false, nil
	}
	return true, s.setUntrusted(ctx, b.ID)
}
