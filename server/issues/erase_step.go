package issues

import (
	"context"
	"slices"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// erasing is one step of an erasure.
type erasing struct {
	*Erasure
	service *Service
	rows    rows
	ctx     context.Context
	eraser  *eraser
	deleted []eventRow
	issues  map[int64]*erasedIssue
	// owned are the ids of the user's events.
	owned []string
	bytes int64
}

// erasedIssue is what a step takes out of an issue.
type erasedIssue struct {
	gone, come []sentry.Pair
	users      []int64
	hours      map[int64]int64
	events     int64
}

// eraseSome is one transaction: some events, and at the end what is kept beside them.
func (s *Service) eraseSome(ctx context.Context, id string) (more bool, err error) {
	r := s.rows()
	e, err := r.erasure(ctx, id)
	if problem.Is(err, problem.NotFound) || err == nil && e.State == EraseDone {
		return false, nil // the project is gone, and everything with it
	}
	if err != nil {
		return false, err
	}
	if err := r.lockProjects(ctx, []int64{e.Project.ID}); err != nil {
		return false, err
	}
	p, err := s.findProject(ctx, e.Project.ID)
	if err != nil {
		return false, err
	}
	clean, err := p.Scrubbing.scrubber(p.salt)
	if err != nil {
		return false, err
	}
	x := &erasing{Erasure: &e, service: s, rows: r, ctx: ctx, eraser: newEraser(e.subject, clean), issues: map[int64]*erasedIssue{}}
	list, err := r.eventsAfter(ctx, p.ID, e.position, eraseStep)
	if err != nil {
		return false, err
	}
	e.State, e.Error = EraseRunning, ""
	if len(list) == 0 {
		err = x.finish()
	} else {
		e.position = list[len(list)-1].ID
		err = x.events(list)
	}
	if err != nil {
		return false, err
	}
	if err := r.saveErasure(ctx, e); err != nil {
		return false, err
	}
	return len(list) > 0, s.publish(ctx, e.Team, eraseTopic, e.ID)
}

// events rewrites or removes those of a step.
func (x *erasing) events(list []eventRow) error {
	for _, row := range list {
		x.Counts.Scanned++
		if err := x.event(row); err != nil {
			return err
		}
	}
	if err := x.attachments(); err != nil {
		return err
	}
	if len(x.deleted) > 0 {
		if err := x.service.deleteEvents(x.ctx, x.deleted); err != nil {
			return err
		}
	}
	if x.bytes != 0 {
		if err := x.rows.addUsage(x.ctx, x.Team, x.Project.ID, 0, x.bytes); err != nil {
			return err
		}
	}
	if len(x.owned) > 0 {
		n, err := x.rows.dropFeedbackOf(x.ctx, x.Project.ID, x.owned)
		if err != nil {
			return err
		}
		x.Counts.Feedback += n
	}
	return x.settle()
}

func (x *erasing) event(row eventRow) error {
	raw, err := unpacker().DecodeAll(row.Body, nil)
	if err == nil && !x.eraser.mayConcern(raw) {
		return nil
	}
	var r rewritten
	if err == nil {
		r, err = x.eraser.rewrite(raw)
	}
	if err != nil { // nobody can read it, so nobody can say that the user is not in it
		x.remove(row, &r.before)
		return nil
	}
	if !r.changed {
		return nil
	}
	if r.owner {
		x.owned = append(x.owned, row.EventID)
		if x.Mode == EraseDelete {
			x.remove(row, &r.before)
			return nil
		}
		row.UserLabel = ""
	}
	body := packer().EncodeAll(r.raw, make([]byte, 0, len(r.raw)/3))
	x.bytes += int64(len(body) - len(row.Body))
	i := x.issue(row.IssueID)
	i.gone, i.come = append(i.gone, eventTags(&r.before)...), append(i.come, eventTags(&r.after)...)
	if r.owner && row.UserHash != 0 {
		i.users = append(i.users, row.UserHash)
		row.UserHash = 0
	}
	row.Title, row.Culprit, row.UserLabel = eraseText(row.Title, r.mentions), eraseText(row.Culprit, r.mentions), eraseText(row.UserLabel, r.mentions)
	row.Body = body
	x.Counts.Rewritten++
	return x.rows.rewriteEvent(x.ctx, row)
}

func (x *erasing) remove(row eventRow, e *sentry.Event) {
	row.Size = int64(len(row.Body))
	x.deleted = append(x.deleted, row)
	x.Counts.Deleted++
	i := x.issue(row.IssueID)
	i.gone = append(i.gone, eventTags(e)...)
	if row.UserHash != 0 {
		i.users = append(i.users, row.UserHash)
	}
	i.events++
	i.hours[hourNumber(millisTime(row.Timestamp))]++
}

func (x *erasing) issue(id int64) *erasedIssue {
	if x.issues[id] == nil {
		x.issues[id] = &erasedIssue{hours: map[int64]int64{}}
	}
	return x.issues[id]
}

// attachments of the user's events go in any mode: nobody can look into them.
func (x *erasing) attachments() error {
	if len(x.owned) == 0 {
		return nil
	}
	list, err := x.rows.attachmentsOf(x.ctx, x.Project.ID, x.owned)
	if err != nil {
		return err
	}
	x.Counts.Attachments += int64(len(list))
	return x.service.deleteAttachments(x.ctx, list)
}

// settle takes what is gone out of what is counted of the issues.
func (x *erasing) settle() error {
	ids := make([]int64, 0, len(x.issues))
	for id := range x.issues {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	list, err := x.rows.lockIssues(x.ctx, ids)
	if err != nil {
		return err
	}
	counts, err := x.rows.tagCounts(x.ctx, ids)
	if err != nil {
		return err
	}
	for _, row := range list {
		i := x.issues[row.ID]
		tags := parseTagCounts(counts[row.ID])
		if err := x.recountTags(row, i, tags); err != nil {
			return err
		}
		if err := x.dropUsers(&row, i.users); err != nil {
			return err
		}
		if err := x.refresh(row); err != nil {
			return err
		}
		if i.events > 0 {
			if err := x.rows.subtract(x.ctx, row.ID, i.events, i.hours); err != nil {
				return err
			}
		}
		if !slices.Contains(x.seen, row.ID) {
			x.Counts.Issues++
			if len(x.seen) < mostSeen {
				x.seen = append(x.seen, row.ID)
			}
		}
	}
	return nil
}

// recountTags moves the counts of values that changed.
func (x *erasing) recountTags(row issueRow, i *erasedIssue, tags tagCounts) error {
	for _, t := range i.gone {
		if left := tags.sub(t); left > 0 || slices.Contains(i.come, t) {
			continue
		}
		if err := x.dropTag(tagRow{row.ProjectID, t.Key, t.Value, row.ID}); err != nil {
			return err
		}
	}
	var fresh []tagRow
	for _, t := range i.come {
		if tags.add(t, 1) {
			fresh = append(fresh, tagRow{row.ProjectID, t.Key, t.Value, row.ID})
		}
	}
	if err := x.rows.insertTags(x.ctx, fresh); err != nil {
		return err
	}
	return x.rows.saveTagCounts(x.ctx, []tagCountRow{{row.ID, tags.text()}})
}

func (x *erasing) dropTag(t tagRow) error {
	was, err := x.rows.dropTag(x.ctx, t)
	if was {
		x.Counts.Tags++
	}
	return err
}

func (x *erasing) dropUsers(row *issueRow, hashes []int64) error {
	slices.Sort(hashes)
	for _, h := range slices.Compact(hashes) {
		known, err := x.rows.dropUser(x.ctx, userRow{row.ID, h})
		if err != nil {
			return err
		}
		if known {
			row.UserRows--
		}
	}
	row.Users = max(estimateUsers(row.UserRows, row.UserBelow), 0)
	return nil
}

// refresh writes what an issue shows and what its full text holds anew.
func (x *erasing) refresh(row issueRow) error {
	m := x.eraser.mentions
	row.Title, row.Value, row.Culprit = eraseText(row.Title, m), eraseText(row.Value, m), eraseText(row.Culprit, m)
	words := joinWords(row.Title, row.Culprit)
	latest, err := x.rows.endEvent(x.ctx, row.ID, false)
	switch {
	case problem.Is(err, problem.NotFound):
	case err != nil:
		return err
	default:
		if e, err := unpackEvent(latest.Body); err == nil {
			words = searchWords(&e, row.Title, row.Culprit)
		}
	}
	if h := hash64(words); h != row.WordsHash {
		row.WordsHash, row.WordsAt = h, x.service.millis()
		if err := x.rows.saveWords(x.ctx, row.ID, words); err != nil {
			return err
		}
	}
	return x.rows.updateIssues(x.ctx, []*issueRow{&row})
}

// finish looks at what outlives events: issues, tags, feedback, comments and
// what could not be read. Then the erasure itself forgets who it was.
func (x *erasing) finish() error {
	for _, m := range x.eraser.mentions {
		for _, step := range []func(string) error{x.finishIssues, x.finishTags, x.finishTalk} {
			if err := step(m); err != nil {
				return err
			}
		}
	}
	if err := x.finishRejected(); err != nil {
		return err
	}
	x.State, x.subject, x.EndedAt = EraseDone, Subject{}, api.Millis(x.service.millis())
	return nil
}

func (x *erasing) finishIssues(mention string) error {
	ids, err := x.rows.issuesWithText(x.ctx, x.Project.ID, mention)
	if err != nil || len(ids) == 0 {
		return err
	}
	list, err := x.rows.lockIssues(x.ctx, ids)
	if err != nil {
		return err
	}
	for _, row := range list {
		if err := x.refresh(row); err != nil {
			return err
		}
	}
	return nil
}

// finishTags takes out values of events that are not kept any more.
func (x *erasing) finishTags(mention string) error {
	list, err := x.rows.tagsWithText(x.ctx, x.Project.ID, mention)
	if err != nil {
		return err
	}
	for _, t := range list {
		if eraseText(t.Value, []string{mention}) == t.Value {
			continue
		}
		counts, err := x.rows.tagCounts(x.ctx, []int64{t.IssueID})
		if err != nil {
			return err
		}
		tags := parseTagCounts(counts[t.IssueID])
		if values := tags[t.Key]; values[t.Value] > 0 {
			values[erased] += values[t.Value]
			delete(values, t.Value)
			if err := x.rows.saveTagCounts(x.ctx, []tagCountRow{{t.IssueID, tags.text()}}); err != nil {
				return err
			}
		}
		if err := x.dropTag(t); err != nil {
			return err
		}
	}
	return nil
}

func (x *erasing) finishTalk(mention string) error {
	n, err := x.rows.dropFeedbackBy(x.ctx, x.Project.ID, mention)
	if err != nil {
		return err
	}
	x.Counts.Feedback += n
	list, err := x.rows.commentsWithText(x.ctx, x.Project.ID, mention)
	for _, c := range list {
		text := eraseText(c.Text, []string{mention})
		if text == c.Text {
			continue
		}
		x.Counts.Comments++
		if err := x.rows.rewriteComment(x.ctx, commentText{c.ID, text}); err != nil {
			return err
		}
	}
	return err
}

func (x *erasing) finishRejected() error {
	list, err := x.rows.rejectedBodies(x.ctx, x.Project.ID)
	if err != nil {
		return err
	}
	var ids []int64
	for _, b := range list {
		if x.eraser.mayConcern(b.Payload) {
			ids = append(ids, b.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	x.Counts.Rejected += int64(len(ids))
	return x.rows.dropRejected(x.ctx, ids)
}
