package issues

import (
	"context"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// digestion is one batch on its way into the database. Everything is read with
// a few statements, changed in memory in the order of arrival, and written
// with a few more: the cost of an event does not depend on what is stored.
type digestion struct {
	service *Service
	rows    rows
	ctx     context.Context
	now     time.Time
	list    []ready

	projects map[int64]*projectBatch
	// touched are the issues with new events, in the order of their first one.
	touched []*issueBatch
	byID    map[int64]*issueBatch
	changes []IssueChange
	// changed are the issues of the changes, whose ids are not known before they are stored.
	changed  []*issueBatch
	digested []Digested
}

// projectBatch is what a batch has for one project.
type projectBatch struct {
	id, team int64
	// fresh are the events that the project does not have.
	fresh []*readyEvent
	// issues by grouping hash.
	issues map[string]*issueBatch
	order  releaseOrder
}

// issueBatch is an issue in memory while events are added.
type issueBatch struct {
	row   issueRow
	isNew bool
	// hashes that lead here from now on.
	hashes []hashRow
	tags   tagCounts
	// newTags are values that the issue did not have.
	newTags []tagRow
	hours   map[int64]int64
	// thisHour is what was counted before for the current hour, for archived issues only.
	thisHour int64
	known    map[int64]bool // user hashes
	newUsers []userRow
	last     *readyEvent
	// words are what the full text is to hold from now on, "" when it stays.
	words    string
	activity []activityRow
}

// open sorts the batch by project and leaves out projects that are gone; the
// check is in the transaction, so that a project deleted meanwhile stays empty.
func (b *digestion) open(list []ready) error {
	b.list, b.byID = list, map[int64]*issueBatch{}
	ids := []int64{}
	for i := range list {
		if p := list[i].from.Project; !slices.Contains(ids, p) {
			ids = append(ids, p)
		}
	}
	slices.Sort(ids)
	if err := b.rows.lockProjects(b.ctx, ids); err != nil {
		return err
	}
	there, err := b.rows.projectTeams(b.ctx, ids)
	if err != nil {
		return err
	}
	for i := range list {
		r := &list[i]
		team, ok := there[r.from.Project]
		if !ok {
			r.dropped = true
			continue
		}
		p := b.projects[r.from.Project]
		if p == nil {
			p = &projectBatch{id: r.from.Project, team: team, issues: map[string]*issueBatch{}}
			p.order = b.service.releaseOrder(b.ctx, p.id)
			b.projects[p.id] = p
		}
		if !r.dropped && r.rejected == "" {
			p.fresh = append(p.fresh, r.events...)
		}
	}
	return nil
}

// dropKnown leaves out events that the project has, and doubles within the batch.
func (b *digestion) dropKnown() error {
	for _, p := range b.projects {
		if len(p.fresh) == 0 {
			continue
		}
		ids := make([]string, len(p.fresh))
		for i, e := range p.fresh {
			ids[i] = e.row.EventID
		}
		known, err := b.rows.knownEvents(b.ctx, p.id, ids)
		if err != nil {
			return err
		}
		seen := make(map[string]bool, len(ids))
		for _, id := range known {
			seen[id] = true
		}
		p.fresh = slices.DeleteFunc(p.fresh, func(e *readyEvent) bool {
			double := seen[e.row.EventID]
			seen[e.row.EventID] = true
			return double
		})
	}
	return nil
}

// findIssues loads the issues that the events' hashes lead to.
func (b *digestion) findIssues() error {
	var ids []int64
	found := map[int64][]hashRow{}
	for _, p := range b.projects {
		var wanted []string
		for _, e := range p.fresh {
			for _, h := range e.group.Hashes {
				wanted = append(wanted, h.Value)
			}
		}
		if len(wanted) == 0 {
			continue
		}
		slices.Sort(wanted)
		list, err := b.rows.hashes(b.ctx, p.id, slices.Compact(wanted))
		if err != nil {
			return err
		}
		for _, h := range list {
			if found[h.IssueID] == nil {
				ids = append(ids, h.IssueID)
			}
			found[h.IssueID] = append(found[h.IssueID], h)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	issues, err := b.rows.lockIssues(b.ctx, ids)
	if err != nil {
		return err
	}
	counts, err := b.rows.tagCounts(b.ctx, ids)
	if err != nil {
		return err
	}
	for _, row := range issues {
		i := &issueBatch{row: row, tags: parseTagCounts(counts[row.ID]), hours: map[int64]int64{}, known: map[int64]bool{}}
		if row.Status == Archived {
			hours, err := b.rows.hours(b.ctx, []int64{row.ID}, hourNumber(b.now))
			if err != nil {
				return err
			}
			i.thisHour = hours[row.ID][hourNumber(b.now)]
		}
		b.byID[row.ID] = i
		for _, h := range found[row.ID] {
			b.projects[h.ProjectID].issues[h.Hash] = i
		}
	}
	return nil
}

// countUsers finds out which users the issues know already.
func (b *digestion) countUsers() error {
	asked := map[userRow]bool{}
	var pairs []userRow
	for _, p := range b.projects {
		for _, e := range p.fresh {
			i := p.issueOf(e)
			if i == nil || e.row.UserHash == 0 || i.row.UserBelow != 0 && e.row.UserHash >= i.row.UserBelow {
				continue
			}
			pair := userRow{i.row.ID, e.row.UserHash}
			if !asked[pair] {
				asked[pair] = true
				pairs = append(pairs, pair)
			}
		}
	}
	known, err := b.rows.knownUsers(b.ctx, pairs)
	for _, k := range known {
		b.byID[k.IssueID].known[k.UserHash] = true
	}
	return err
}

// issueOf is where an event belongs: to the issue of the first of its hashes that has one.
func (p *projectBatch) issueOf(e *readyEvent) *issueBatch {
	for _, h := range e.group.Hashes {
		if i := p.issues[h.Value]; i != nil {
			return i
		}
	}
	return nil
}

// releaseOrder compares a project's releases; dates are asked for when names have no order.
func (s *Service) releaseOrder(ctx context.Context, project int64) releaseOrder {
	return orderReleases(func(release string) (time.Time, bool) {
		if release == "" {
			return time.Time{}, false
		}
		if s.ReleaseDate != nil {
			at, known, err := s.ReleaseDate(ctx, project, release)
			if err != nil {
				s.Log.WarnContext(ctx, "finding a release's date failed", "error", err, "project", project)
			}
			if known {
				return at, true
			}
		}
		at, err := s.rows().versionSeen(ctx, project, release)
		if err != nil && !problem.Is(err, problem.NotFound) {
			s.Log.WarnContext(ctx, "finding a release's first event failed", "error", err, "project", project)
		}
		return time.UnixMilli(at), at != 0
	})
}

func hourNumber(t time.Time) int64 { return t.Unix() / 3600 }
