package issues

import (
	"cmp"
	"slices"
	"time"
)

// assign adds each event to its issue, in the order of arrival.
func (b *digestion) assign() error {
	for _, p := range b.sorted() {
		if err := b.noteVersions(p); err != nil {
			return err
		}
		for _, e := range p.fresh {
			i := p.issueOf(e)
			if i == nil {
				i = newIssue(e)
			}
			if i.last == nil {
				b.touched = append(b.touched, i)
			}
			b.add(p, i, e)
		}
	}
	return nil
}

// sorted gives the projects in a fixed order, so that two nodes lock alike.
func (b *digestion) sorted() []*projectBatch {
	list := make([]*projectBatch, 0, len(b.projects))
	for _, p := range b.projects {
		list = append(list, p)
	}
	slices.SortFunc(list, func(x, y *projectBatch) int { return cmp.Compare(x.id, y.id) })
	return list
}

// noteVersions stores releases before the rules ask for their order.
func (b *digestion) noteVersions(p *projectBatch) error {
	var list []versionRow
	for _, e := range p.fresh {
		if e.row.Release != "" && !slices.ContainsFunc(list, func(v versionRow) bool { return v.Version == e.row.Release }) {
			list = append(list, versionRow{p.id, e.row.Release, e.row.Received})
		}
	}
	return b.rows.insertVersions(b.ctx, list)
}

func newIssue(e *readyEvent) *issueBatch {
	row := issueRow{TeamID: e.row.TeamID, ProjectID: e.row.ProjectID, Status: Unresolved, Substate: Recent, StateAt: e.row.Received,
		FirstSeen: e.row.Timestamp, LastSeen: e.row.Timestamp, FirstRelease: e.row.Release}
	return &issueBatch{row: row, isNew: true, tags: tagCounts{}, hours: map[int64]int64{}, known: map[int64]bool{}}
}

// add counts an event and lets the state's rules see it.
func (b *digestion) add(p *projectBatch, i *issueBatch, e *readyEvent) {
	i.describe(e)
	i.countUser(e.row.UserHash)
	i.row.Events++
	i.row.FirstSeen = min(i.row.FirstSeen, e.row.Timestamp)
	i.row.LastSeen = max(i.row.LastSeen, e.row.Timestamp)
	if e.row.Release != "" {
		i.row.LastRelease = e.row.Release
	}
	hour := hourNumber(e.event.Timestamp)
	i.hours[hour]++
	for _, t := range e.tags {
		if i.tags.add(t, 1) {
			i.newTags = append(i.newTags, tagRow{ProjectID: p.id, Key: t.Key, Value: t.Value})
		}
	}
	for _, h := range e.group.Hashes {
		if p.issues[h.Value] == nil {
			p.issues[h.Value] = i
			i.hashes = append(i.hashes, hashRow{ProjectID: p.id, Hash: h.Value, Kind: string(h.Kind), CreatedAt: b.now.UnixMilli()})
		}
	}
	kind := ChangeKind("")
	if i.isNew && i.row.Events == 1 {
		kind, e.first = ChangeNew, true
	} else {
		var next state
		before := i.row.state()
		next, kind = before.advance(sighting{At: b.now, Release: e.row.Release, Events: i.row.Events, Users: i.row.Users, Hour: i.thisHour + i.hours[hourNumber(b.now)]}, p.order)
		switch {
		case kind != "":
			i.row.setState(next, b.now, "")
		case before.Status == Archived:
			i.row.Terms = next.Terms.text() // the window may have moved
		}
	}
	if kind != "" {
		i.activity = append(i.activity, activityRow{Kind: kind, At: b.now.UnixMilli(), Detail: e.row.Release})
		b.changed = append(b.changed, i)
		b.changes = append(b.changes, IssueChange{Kind: kind, Team: p.team, Project: p.id, Title: e.row.Title, Culprit: e.row.Culprit,
			Level: e.row.Level, At: b.now, Detail: e.row.Release, Event: e.event})
	}
	i.last = e
}

// describe makes the issue look like its latest event.
func (i *issueBatch) describe(e *readyEvent) {
	if !i.isNew && e.row.Timestamp < i.row.LastSeen {
		return // late: the issue has newer ones
	}
	i.row.Title, i.row.Culprit, i.row.Level = e.row.Title, e.row.Culprit, e.row.Level
	i.row.Type, i.row.Value = clipText(e.group.Type, 200), clipText(e.group.Value, 1000)
	i.row.Platform, i.row.Logger = e.event.Platform, clipText(e.event.Logger, 200)
}

func (i *issueBatch) countUser(hash int64) {
	if hash == 0 || i.known[hash] || i.row.UserBelow != 0 && hash >= i.row.UserBelow {
		return
	}
	i.known[hash] = true
	i.newUsers = append(i.newUsers, userRow{UserHash: hash})
	i.row.UserRows++
	i.row.Users = estimateUsers(i.row.UserRows, i.row.UserBelow)
}

// wordsEvery is how often the full text follows messages that differ from event to event.
const wordsEvery = time.Minute

// refreshWords notes the words of the latest event when the full text has to be
// written anew. They are cut only here: most events change nothing.
func (i *issueBatch) refreshWords(now time.Time) {
	if !i.isNew && now.UnixMilli()-i.row.WordsAt < wordsEvery.Milliseconds() {
		return
	}
	words := searchWords(i.last.event, i.last.row.Title, i.last.row.Culprit)
	i.row.WordsAt = now.UnixMilli()
	if hash := hash64(words); hash != i.row.WordsHash {
		i.row.WordsHash, i.words = hash, words
	}
}
