package issues

import (
	"cmp"
	"context"
	"strings"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Change is what a person wants of an issue; what is nil stays.
type Change struct {
	Status *Status `json:"status,omitempty"`
	// Terms say how it is resolved or archived; at once, or for ever, when absent.
	Terms *Terms `json:"terms,omitempty"`
	// Assignee is a user's name, "" for nobody.
	Assignee *string `json:"assignee,omitempty"`
}

// check refuses what makes no sense for any issue.
func (c Change) check() error {
	if c.Status == nil && c.Assignee == nil {
		return problem.New(problem.Invalid, "Say what to change: status or assignee.")
	}
	if c.Terms != nil && (c.Status == nil || *c.Status == Unresolved) {
		return problem.FieldError("terms", "belong to the status resolved or archived")
	}
	if c.Status != nil {
		return c.Status.Validate()
	}
	return nil
}

// issueFor loads an issue and checks that the caller holds the scope in its team.
func (s *Service) issueFor(ctx context.Context, id int64, scope identity.Scope) (issueRow, error) {
	row, err := s.rows().issue(ctx, id)
	if err == nil {
		err = identity.Require(ctx, row.TeamID, scope)
	}
	return row, err
}

// ChangeIssues applies a person's change to issues of teams in which they may
// write. All are changed or none.
func (s *Service) ChangeIssues(ctx context.Context, ids []int64, c Change) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.lockFor(ctx, ids)
		if err != nil {
			return err
		}
		// Only now: whoever may not see the issues learns nothing of what would suit them.
		if err := c.check(); err != nil {
			return err
		}
		for _, i := range list {
			if err := s.change(ctx, i, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// lockFor reads issues for a change by the caller; a missing one is NotFound.
func (s *Service) lockFor(ctx context.Context, ids []int64) ([]issueRow, error) {
	list, err := s.rows().lockIssues(ctx, ids)
	if err != nil {
		return nil, err
	}
	found := map[int64]bool{}
	for _, i := range list {
		if i.Status != Merged {
			found[i.ID] = true
		}
	}
	for _, id := range ids {
		if !found[id] {
			return nil, problem.New(problem.NotFound, "There is no issue %d.", id)
		}
	}
	for _, i := range list {
		if err := identity.Require(ctx, i.TeamID, writing); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *Service) change(ctx context.Context, i issueRow, c Change) error {
	who := identity.From(ctx).Name
	if c.Status != nil {
		next, detail, err := s.decide(ctx, i, *c.Status, c.Terms)
		if err != nil {
			return err
		}
		if !next.same(i.state()) {
			i.setState(next, s.Now(), who)
			if err := s.rows().saveState(ctx, i); err != nil {
				return err
			}
			kind := map[Status]ChangeKind{Unresolved: ChangeUnresolved, Resolved: ChangeResolved, Archived: ChangeArchived}[next.Status]
			if err := s.issueChanged(ctx, i, kind, who, detail); err != nil {
				return err
			}
		}
	}
	if c.Assignee == nil || *c.Assignee == i.Assignee {
		return nil
	}
	return s.assignTo(ctx, i, *c.Assignee, who)
}

func (s *Service) assignTo(ctx context.Context, i issueRow, name, who string) error {
	kind := ChangeAssigned
	i.Assignee, i.AssigneeID = name, 0
	switch {
	case name == "":
		kind = ChangeUnassigned
	case len(name) > 200:
		return problem.FieldError("assignee", "is longer than 200 bytes")
	case s.Member != nil:
		id, err := s.Member(ctx, i.TeamID, name)
		if err != nil {
			return err
		}
		i.AssigneeID = id
	}
	if err := s.rows().saveState(ctx, i); err != nil {
		return err
	}
	return s.issueChanged(ctx, i, kind, who, name)
}

// decide completes a person's decision with what is known now; detail is for the activity.
func (s *Service) decide(ctx context.Context, i issueRow, status Status, given *Terms) (next state, detail string, err error) {
	if status == Unresolved {
		if i.Status == Unresolved {
			return i.state(), "", nil
		}
		return state{Status: Unresolved, Substate: Ongoing}, "", nil
	}
	t := Terms{Kind: AtOnce}
	if status == Archived {
		t.Kind = Forever
	}
	if given != nil {
		g := *given
		t = Terms{Kind: cmp.Or(g.Kind, t.Kind), Release: strings.TrimSpace(g.Release), Commit: strings.TrimSpace(g.Commit), Until: g.Until, Events: g.Events, Users: g.Users, Window: g.Window}
	}
	now := s.Now()
	switch t.Kind {
	case InNextRelease:
		t.Release, err = s.newestRelease(ctx, i.ProjectID)
	case InRelease:
		if t.Release == "current" || t.Release == "" {
			t.Release, err = s.newestRelease(ctx, i.ProjectID)
		}
	case InCommit:
		t.Release, err = s.releaseOfCommit(ctx, i.TeamID, t.Commit)
	case UntilEvents:
		t.FromEvents = i.Events
		if t.Window > 0 {
			t.WindowStart = &now
		}
	case UntilUsers:
		t.FromUsers = i.Users
	case UntilEscalating:
		var busiest int64
		busiest, err = s.rows().busiestHour(ctx, i.ID, hourNumber(now.Add(-freshFor)))
		t.Threshold = escalationThreshold(busiest)
	}
	if err != nil {
		return state{}, "", err
	}
	if err := t.check(status, now); err != nil {
		return state{}, "", err
	}
	return state{Status: status, Terms: t}, string(t.Kind) + detailOf(t), nil
}

// detailOf is what the activity says of terms behind their kind.
func detailOf(t Terms) string {
	if v := cmp.Or(t.Commit, t.Release); v != "" {
		return " " + v
	}
	return ""
}

// newestRelease is the newest that a project's events have named, "" when none has.
func (s *Service) newestRelease(ctx context.Context, project int64) (string, error) {
	list, err := s.rows().versions(ctx, project)
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = v.Version
	}
	return newest(names, s.releaseOrder(ctx, project)), err
}

// settleStates is the clock's part of the states' rules.
func (s *Service) settleStates(ctx context.Context) error {
	now := s.Now()
	for {
		list, err := s.rows().staleStates(ctx, now.Add(-freshFor).UnixMilli(), now.UnixMilli(), maxBatch)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := s.DB.Tx(ctx, func(ctx context.Context) error { return s.settleSome(ctx, list) }); err != nil {
			return err
		}
		if len(list) < maxBatch {
			return nil
		}
	}
}

func (s *Service) settleSome(ctx context.Context, list []issueRow) error {
	ids := make([]int64, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	list, err := s.rows().lockIssues(ctx, ids)
	if err != nil {
		return err
	}
	now := s.Now()
	for _, i := range list {
		next, kind := i.state().settle(millisTime(i.StateAt), now)
		if next.same(i.state()) {
			continue
		}
		i.setState(next, now, "")
		if err := s.rows().saveState(ctx, i); err != nil {
			return err
		}
		if kind == "" {
			continue
		}
		if err := s.issueChanged(ctx, i, kind, "", ""); err != nil {
			return err
		}
	}
	return nil
}

// DeleteIssues removes issues with all that hangs on them: what can be counted
// goes at once, their events in steps. New events of the kind make a new issue.
func (s *Service) DeleteIssues(ctx context.Context, ids []int64) error {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.lockFor(ctx, ids)
		if err != nil {
			return err
		}
		for _, i := range list {
			if err := s.audit(ctx, i.TeamID, "issues.issue.delete", i.Title, ""); err != nil {
				return err
			}
			if err := s.publish(ctx, i.TeamID, topicIssues, ""); err != nil {
				return err
			}
			if s.OnIssueChange != nil {
				if err := s.OnIssueChange(ctx, IssueChange{Kind: ChangeDeleted, Team: i.TeamID, Project: i.ProjectID, Issue: i.ID, Number: i.Number,
					Title: i.Title, Culprit: i.Culprit, Level: i.Level, At: s.Now(), Person: identity.From(ctx).Name}); err != nil {
					return err
				}
			}
		}
		return s.rows().dropIssues(ctx, ids)
	})
	if err != nil {
		return err
	}
	return s.sweepEvents(ctx)
}
