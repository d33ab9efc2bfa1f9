package issues

import (
	"context"
	"strconv"
	"strings"
	"time"
)

const (
	// sweepStep is how many events one transaction of a sweep touches, so that
	// digestion never waits long for the writer.
	sweepStep = 500
	// sweepTime bounds one run of a sweep; the next run goes on.
	sweepTime = 5 * time.Second
)

func joinWords(texts ...string) string {
	w := wordList{seen: map[string]struct{}{}}
	for _, t := range texts {
		w.add(t)
	}
	return strings.Join(w.words, " ")
}

// step runs fn in transactions of its own until it says that it is done or the time is over.
func (s *Service) steps(ctx context.Context, fn func(ctx context.Context) (more bool, err error)) error {
	end := s.Now().Add(sweepTime)
	for ctx.Err() == nil && s.Now().Before(end) {
		var more bool
		err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
			more, err = fn(ctx)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
	return ctx.Err()
}

// sweepEvents moves and deletes the events of issues that were merged, split or deleted.
func (s *Service) sweepEvents(ctx context.Context) error {
	return s.steps(ctx, s.moveSome)
}

func (s *Service) moveSome(ctx context.Context) (more bool, err error) {
	r := s.rows()
	if err := r.lockProjects(ctx, []int64{0}); err != nil { // one node at a time
		return false, err
	}
	m, err := r.oldestMove(ctx)
	if err != nil || m.ID == 0 {
		return false, err
	}
	list, err := r.eventsToMove(ctx, m, sweepStep, m.Hash != "")
	if err != nil {
		return false, err
	}
	if len(list) == 0 {
		return true, r.endMove(ctx, m)
	}
	m.CursorAt, m.CursorID = list[len(list)-1].Timestamp, list[len(list)-1].ID
	var ids []int64
	var moved []eventRow
	for _, e := range list {
		if m.Hash == "" || e.Hash == m.Hash {
			ids, moved = append(ids, e.ID), append(moved, e)
		}
	}
	switch {
	case len(ids) == 0:
	case m.ToIssue == 0:
		err = s.deleteEvents(ctx, moved)
	default:
		if err = r.repointEvents(ctx, ids, m.ToIssue); err == nil && m.Hash != "" {
			err = s.recount(ctx, m, moved)
		}
	}
	if err != nil {
		return false, err
	}
	return true, r.advanceMove(ctx, m)
}

// recount moves the numbers of events that leave an issue for one of their own.
func (s *Service) recount(ctx context.Context, m moveRow, moved []eventRow) error {
	r := s.rows()
	list, err := r.lockIssues(ctx, []int64{m.ToIssue})
	if err != nil || len(list) == 0 {
		return err
	}
	to := list[0]
	counts, err := r.tagCounts(ctx, []int64{to.ID})
	if err != nil {
		return err
	}
	i := issueBatch{row: to, tags: parseTagCounts(counts[to.ID]), hours: map[int64]int64{}, known: map[int64]bool{}}
	for _, e := range moved {
		i.row.Events++
		i.row.FirstSeen, i.row.LastSeen = min(i.row.FirstSeen, e.Timestamp), max(i.row.LastSeen, e.Timestamp)
		i.hours[hourNumber(millisTime(e.Timestamp))]++
		if e.UserHash != 0 && !i.known[e.UserHash] {
			i.known[e.UserHash] = true
			i.newUsers = append(i.newUsers, userRow{to.ID, e.UserHash})
		}
		event, err := unpackEvent(e.Body)
		if err != nil {
			continue // shown as broken where it is opened; its tags are not counted
		}
		for _, t := range eventTags(&event) {
			if i.tags.add(t, 1) {
				i.newTags = append(i.newTags, tagRow{to.ProjectID, t.Key, t.Value, to.ID})
			}
		}
	}
	if err := r.insertUsers(ctx, i.newUsers); err != nil {
		return err
	}
	hashes, err := r.userHashes(ctx, to.ID)
	if err != nil {
		return err
	}
	i.row.UserRows, i.row.Users = int64(len(hashes)), int64(len(hashes))
	var hours []hourRow
	for hour, n := range i.hours {
		hours = append(hours, hourRow{to.ID, hour, n})
	}
	if err := r.addHours(ctx, hours); err != nil {
		return err
	}
	if err := r.saveTagCounts(ctx, []tagCountRow{{to.ID, i.tags.text()}}); err != nil {
		return err
	}
	if err := r.insertTags(ctx, i.newTags); err != nil {
		return err
	}
	if err := r.saveTotals(ctx, i.row); err != nil {
		return err
	}
	return r.subtract(ctx, m.FromIssue, int64(len(moved)), i.hours)
}

// deleteEvents removes events with their attachments. All are of one project.
func (s *Service) deleteEvents(ctx context.Context, list []eventRow) error {
	r := s.rows()
	project, team := list[0].ProjectID, list[0].TeamID
	ids, names := make([]int64, len(list)), make([]string, len(list))
	var bytes int64
	for i, e := range list {
		ids[i], names[i] = e.ID, e.EventID
		bytes += e.Size
	}
	attachments, err := r.attachmentsOf(ctx, project, names)
	if err != nil {
		return err
	}
	if err := s.deleteAttachments(ctx, attachments); err != nil {
		return err
	}
	if err := r.removeEvents(ctx, ids); err != nil {
		return err
	}
	return r.addUsage(ctx, team, project, -int64(len(list)), -bytes)
}

func (s *Service) deleteAttachments(ctx context.Context, list []attachmentRow) error {
	for _, a := range list {
		if err := s.Blobs.Disown(ctx, a.TeamID, a.SHA256, attachmentKind, strconv.FormatInt(a.ID, 10)); err != nil {
			return err
		}
		if err := s.rows().removeAttachment(ctx, a.ID); err != nil {
			return err
		}
	}
	return nil
}

// Sweep is retention: what is too old or too much goes, oldest first, and so
// does what deleted projects left behind.
func (s *Service) Sweep(ctx context.Context) error {
	if err := s.sweepEvents(ctx); err != nil {
		return err
	}
	list, err := s.rows().usages(ctx)
	if err != nil {
		return err
	}
	for _, u := range list {
		keep := Retention{}
		if u.Exists {
			keep = Retention{Days: u.RetentionDays, Events: u.RetentionEvents, Bytes: u.RetentionBytes}.or(s.Retention)
		}
		if err := s.steps(ctx, func(ctx context.Context) (bool, error) { return s.sweepSome(ctx, u.ProjectID, u.Exists, keep) }); err != nil {
			return err
		}
	}
	return s.sweepEvents(ctx)
}

// sweepSome is one step for a project.
func (s *Service) sweepSome(ctx context.Context, project int64, exists bool, keep Retention) (more bool, err error) {
	r := s.rows()
	u, err := r.usage(ctx, project)
	if err != nil {
		return false, err
	}
	before := int64(0)
	if keep.Days > 0 {
		before = s.Now().Add(-time.Duration(keep.Days) * 24 * time.Hour).UnixMilli()
	}
	list, err := r.oldestEvents(ctx, project, sweepStep)
	if err != nil {
		return false, err
	}
	events, bytes, n := u.Events, u.Bytes, 0
	for ; n < len(list); n++ {
		e := list[n]
		tooMany := keep.Events > 0 && events > keep.Events || keep.Bytes > 0 && bytes > keep.Bytes
		if exists && e.Received >= before && !tooMany {
			break
		}
		events, bytes = events-1, bytes-e.Size
	}
	if n > 0 {
		return true, s.deleteEvents(ctx, list[:n])
	}
	return s.sweepRest(ctx, project, exists, before)
}

// sweepRest removes issues that nothing is known of any more, and the rest of deleted projects.
func (s *Service) sweepRest(ctx context.Context, project int64, exists bool, before int64) (more bool, err error) {
	r := s.rows()
	if exists && before == 0 {
		return false, nil
	}
	ids, err := r.emptyIssues(ctx, project, exists, before, sweepStep)
	if err != nil {
		return false, err
	}
	if len(ids) > 0 {
		return true, r.dropIssues(ctx, ids)
	}
	attachments, err := r.oldAttachments(ctx, project, exists, before, sweepStep)
	if err != nil {
		return false, err
	}
	if len(attachments) > 0 {
		return true, s.deleteAttachments(ctx, attachments)
	}
	if exists {
		return false, r.dropOld(ctx, project, before)
	}
	return false, r.dropProject(ctx, project)
}
