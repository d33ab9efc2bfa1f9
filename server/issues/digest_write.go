package issues

import (
	"cmp"
	"slices"
)

// store writes what assign changed.
func (b *digestion) store() error {
	if len(b.touched) == 0 {
		return nil
	}
	for _, step := range []func() error{b.storeIssues, b.storeEvents, b.storeCounters, b.storeUsers, b.storeWords} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (b *digestion) storeIssues() error {
	var made, known []*issueRow
	perProject := map[int64][]*issueBatch{}
	for _, i := range b.touched {
		i.refreshWords(b.now)
		if i.isNew {
			made = append(made, &i.row)
			perProject[i.row.ProjectID] = append(perProject[i.row.ProjectID], i)
		} else {
			known = append(known, &i.row)
		}
	}
	for _, p := range b.sorted() {
		list := perProject[p.id]
		if len(list) == 0 {
			continue
		}
		last, err := b.rows.nextNumbers(b.ctx, p.id, len(list))
		if err != nil {
			return err
		}
		for n, i := range list {
			i.row.Number = last - int64(len(list)-1-n)
		}
	}
	if err := b.rows.insertIssues(b.ctx, made); err != nil {
		return err
	}
	slices.SortFunc(known, func(x, y *issueRow) int { return cmp.Compare(x.ID, y.ID) })
	if err := b.rows.updateIssues(b.ctx, known); err != nil {
		return err
	}
	return b.storeHashes()
}

func (b *digestion) storeHashes() error {
	var hashes []hashRow
	var activity []activityRow
	for _, i := range b.touched {
		for _, h := range i.hashes {
			h.IssueID = i.row.ID
			hashes = append(hashes, h)
		}
		for _, a := range i.activity {
			a.IssueID = i.row.ID
			activity = append(activity, a)
		}
	}
	if err := b.rows.insertHashes(b.ctx, hashes); err != nil {
		return err
	}
	return b.rows.insertActivity(b.ctx, activity)
}

// storeEvents also completes the changes, which did not know the ids of new issues.
func (b *digestion) storeEvents() error {
	var list []*eventRow
	for _, p := range b.sorted() {
		var bytes int64
		for _, e := range p.fresh {
			i := p.issueOf(e)
			e.row.IssueID = i.row.ID
			list = append(list, &e.row)
			bytes += int64(len(e.row.Body))
			b.digested = append(b.digested, Digested{Team: p.team, Project: p.id, Issue: i.row.ID, EventID: e.row.EventID, At: e.event.Timestamp,
				Received: e.event.Received, Level: e.row.Level, Environment: e.row.Environment, Release: e.row.Release, UserHash: e.row.UserHash,
				First: e.first})
		}
		if len(p.fresh) == 0 {
			continue
		}
		if err := b.rows.addUsage(b.ctx, p.team, p.id, int64(len(p.fresh)), bytes); err != nil {
			return err
		}
	}
	for n, i := range b.changed {
		b.changes[n].Issue, b.changes[n].Number = i.row.ID, i.row.Number
	}
	return b.rows.insertEvents(b.ctx, list)
}

func (b *digestion) storeCounters() error {
	var hours []hourRow
	var counts []tagCountRow
	var tags []tagRow
	for _, i := range b.touched {
		for hour, n := range i.hours {
			hours = append(hours, hourRow{i.row.ID, hour, n})
		}
		counts = append(counts, tagCountRow{i.row.ID, i.tags.text()})
		for _, t := range i.newTags {
			t.IssueID = i.row.ID
			tags = append(tags, t)
		}
	}
	if err := b.rows.addHours(b.ctx, hours); err != nil {
		return err
	}
	if err := b.rows.saveTagCounts(b.ctx, counts); err != nil {
		return err
	}
	return b.rows.insertTags(b.ctx, tags)
}

func (b *digestion) storeUsers() error {
	var pairs []userRow
	var full []*issueBatch
	for _, i := range b.touched {
		for _, u := range i.newUsers {
			pairs = append(pairs, userRow{i.row.ID, u.UserHash})
		}
		if len(i.newUsers) > 0 && i.row.UserRows > keptUsers+slackUsers {
			full = append(full, i)
		}
	}
	if err := b.rows.insertUsers(b.ctx, pairs); err != nil {
		return err
	}
	var changed []*issueRow
	for _, i := range full {
		hashes, err := b.rows.userHashes(b.ctx, i.row.ID)
		if err != nil {
			return err
		}
		keep, below := keepSmallest(hashes)
		i.row.UserRows, i.row.UserBelow = int64(len(keep)), below
		i.row.Users = max(estimateUsers(i.row.UserRows, below), i.row.UserRows)
		if err := b.rows.dropUsersFrom(b.ctx, i.row.ID, below); err != nil {
			return err
		}
		changed = append(changed, &i.row)
	}
	return b.rows.updateIssues(b.ctx, changed)
}

func (b *digestion) storeWords() error {
	for _, i := range b.touched {
		if i.words == "" {
			continue
		}
		if err := b.rows.saveWords(b.ctx, i.row.ID, i.words); err != nil {
			return err
		}
	}
	return nil
}
