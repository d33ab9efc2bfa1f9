package issues

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// maxBatch is how many items one transaction takes at most.
const maxBatch = 200

// digest turns a batch of the spool's items into events, issues and counters,
// in one transaction with the spool's new position: so each item counts once.
// An event whose id the project has already is dropped. What is wrong with an
// item puts that item aside; an error concerns all, or is for the spool's
// reader to narrow down.
func (s *Service) digest(ctx context.Context, batch []Accepted) error {
	for len(batch) > 0 {
		n := min(len(batch), maxBatch)
		list, err := s.prepare(ctx, batch[:n])
		if err != nil {
			return err
		}
		if err := s.digestReady(ctx, list); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return nil
}

// digestReady is the transaction.
func (s *Service) digestReady(ctx context.Context, list []ready) error {
	if err := s.compiled.compile(ctx, s.DB); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		b := &digestion{service: s, rows: s.rows(), ctx: ctx, now: s.Now(), projects: map[int64]*projectBatch{}}
		if err := b.open(list); err != nil {
			return err
		}
		for _, step := range []func() error{
			b.dropKnown, b.findIssues, b.countUsers, b.assign, b.store, b.storeTimings, b.storeAttachments, b.storeFeedback, b.tellHooks, b.announce,
		} {
			if err := step(); err != nil {
				return err
			}
		}
		if err := s.noteRest(ctx, list); err != nil {
			return err
		}
		return s.spoolDone(ctx, list[len(list)-1].from.Offset)
	})
}

// noteRest puts aside what could not be read, and counts what is not kept.
func (s *Service) noteRest(ctx context.Context, list []ready) error {
	for i := range list {
		r := &list[i]
		outcome, reason := OutcomeDropped, "unsupported"
		switch {
		case r.rejected != "":
			outcome, reason = OutcomeInvalid, "digestion"
			if err := s.insertRejected(ctx, *r.from, r.rejected); err != nil {
				return err
			}
		case !r.dropped:
			continue
		}
		s.DB.AfterCommit(ctx, func() { s.count(r.from.Project, r.from.Key, outcome, reason, categoryOf(*r.from), 1) })
	}
	return nil
}

// tellHooks hands on what other parts keep.
func (b *digestion) tellHooks() error {
	s := b.service
	for _, r := range b.list {
		if r.dropped || r.rejected != "" {
			continue
		}
		var err error
		switch {
		case r.session != nil || r.sessions != nil:
			err = s.OnSession(b.ctx, *r.from, r.session, r.sessions)
		case r.checkIn != nil:
			err = s.OnCheckIn(b.ctx, *r.from, *r.checkIn)
		case r.logs != nil:
			err = s.OnLogs(b.ctx, *r.from, r.logs)
		case r.metrics != nil:
			err = s.OnMetrics(b.ctx, *r.from, r.metrics)
		}
		if err != nil {
			return fmt.Errorf("hand on a %s: %w", r.from.ItemType, err)
		}
	}
	if s.OnIssueChange != nil {
		for _, c := range b.changes {
			if err := s.OnIssueChange(b.ctx, c); err != nil {
				return fmt.Errorf("tell of the change of issue %d: %w", c.Issue, err)
			}
		}
	}
	if s.OnEvents != nil && len(b.digested) > 0 {
		return s.OnEvents(b.ctx, b.digested)
	}
	return nil
}

// The topics of the live stream: a team's list, one issue, one project's issues.
const (
	topicIssues  = "issues"
	topicIssue   = "issues.issue"
	topicProject = "issues.project"
)

// mostTold bounds what one batch says to browsers: beyond it, a page hears of
// its issue through its project.
const mostTold = 20

func (b *digestion) announce() error {
	var errs []error
	teams := map[int64]bool{}
	for id, p := range b.projects {
		if len(p.fresh) == 0 {
			continue
		}
		errs = append(errs, b.service.publish(b.ctx, p.team, topicProject, strconv.FormatInt(id, 10)))
		if !teams[p.team] {
			teams[p.team] = true
			errs = append(errs, b.service.publish(b.ctx, p.team, topicIssues, ""))
		}
	}
	told := 0
	for _, i := range b.touched {
		if told++; told > mostTold {
			break
		}
		errs = append(errs, b.service.publish(b.ctx, i.row.TeamID, topicIssue, strconv.FormatInt(i.row.ID, 10)))
	}
	return errors.Join(errs...)
}

// issueChanged records a change that a person or the clock made: activity, hook
// and stream, in the context's transaction.
func (s *Service) issueChanged(ctx context.Context, i issueRow, kind ChangeKind, person, detail string) error {
	now := s.Now()
	err := s.rows().insertActivity(ctx, []activityRow{{IssueID: i.ID, Kind: kind, At: now.UnixMilli(), Person: person, Detail: detail}})
	if err != nil {
		return err
	}
	if s.OnIssueChange != nil {
		err = s.OnIssueChange(ctx, IssueChange{Kind: kind, Team: i.TeamID, Project: i.ProjectID, Issue: i.ID, Number: i.Number, Title: i.Title,
			Culprit: i.Culprit, Level: i.Level, At: now, Person: person, Detail: detail})
		if err != nil {
			return err
		}
	}
	return errors.Join(s.publish(ctx, i.TeamID, topicIssue, strconv.FormatInt(i.ID, 10)), s.publish(ctx, i.TeamID, topicIssues, ""))
}
