package issues

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
)

const (
	previewDays = 7
	// shownPreview is how many firings are listed; all are counted.
	shownPreview = 50
	// A preview looks at no more than this, and says so.
	maxPreviewIssues = 2000
	maxPreviewEvents = 100_000
)

// past is one time that a rule would have fired.
type past struct {
	at      int64
	project int64
	issue   int64
	why     string
	subject string
}

// PreviewAlert says what a rule would have done within the last seven days, from
// what is stored: what retention or deletion took away is not in it.
func (s *Service) PreviewAlert(ctx context.Context, a Alert) (preview, error) {
	out := preview{Firings: []previewFiring{}, Days: make([]int64, previewDays)}
	if err := a.checkCondition(); err != nil {
		return out, err
	}
	if err := s.checkScopeOf(ctx, &a); err != nil {
		return out, err
	}
	slugs, err := s.rows().projectSlugs(ctx, a.Team)
	if err != nil {
		return out, err
	}
	names, err := s.channelNames(ctx, a.Team)
	if err != nil {
		return out, err
	}
	out.Sentence = a.sentence(slugs[a.Project], names.of)
	p := &previewer{service: s, ctx: ctx, alert: a, now: s.Now(), since: s.Now().Add(-previewDays * 24 * time.Hour)}
	if err := p.look(slugs); err != nil {
		return out, err
	}
	list := p.throttled()
	out.Count, out.Partial = int64(len(list)), p.partial
	for _, f := range list {
		day := previewDays - 1 - int(p.now.Sub(millisTime(f.at))/(24*time.Hour))
		out.Days[min(max(day, 0), previewDays-1)]++
	}
	slices.Reverse(list)
	list = list[:min(len(list), shownPreview)]
	out.Firings, err = s.shapePreview(ctx, list, slugs)
	return out, err
}

func (s *Service) shapePreview(ctx context.Context, list []past, slugs map[int64]string) ([]previewFiring, error) {
	var ids []int64
	for _, f := range list {
		ids = append(ids, f.issue)
	}
	known, err := s.rows().issuesByID(ctx, ids)
	out := make([]previewFiring, len(list))
	for i, f := range list {
		out[i] = previewFiring{At: api.Millis(f.at), Issue: refOf(known, slugs, f.issue), Why: f.why}
		if slug, ok := slugs[f.project]; ok {
			out[i].Project = &projectRef{f.project, slug}
		}
	}
	return out, err
}

// previewer collects when a condition held.
type previewer struct {
	service *Service
	ctx     context.Context
	alert   Alert
	now     time.Time
	since   time.Time
	found   []past
	partial bool
}

func (p *previewer) look(slugs map[int64]string) error {
	switch p.alert.Condition.Type {
	case WhenNew:
		return p.lookNew()
	case WhenRegressed:
		return p.lookRegressed()
	case WhenEvents, WhenUsers:
		return p.lookCounts()
	case WhenMonitor:
		return p.lookMonitors()
	}
	var projects []int64
	for id := range slugs {
		if p.alert.covers(id) {
			projects = append(projects, id)
		}
	}
	slices.Sort(projects)
	for _, project := range projects {
		look := p.lookSpikes
		if p.alert.Condition.Type == WhenCrashFree {
			look = p.lookCrashFree
		}
		if err := look(project); err != nil {
			return err
		}
	}
	return nil
}

// throttled sorts what was found and leaves out what the rule would have kept to itself.
func (p *previewer) throttled() []past {
	slices.SortStableFunc(p.found, func(a, b past) int { return int(min(max(a.at-b.at, -1), 1)) })
	last := map[string]int64{}
	var list []past
	for _, f := range p.found {
		at, before := last[f.subject]
		if f.subject != "" && before && f.at-at < p.alert.Throttle*time.Minute.Milliseconds() {
			continue
		}
		last[f.subject] = f.at
		list = append(list, f)
	}
	return list
}

// candidates are issues that the rule may be about, with a condition on them.
func (p *previewer) candidates(where string, args ...any) ([]issueRow, error) {
	f, err := p.service.filterOf(p.ctx, p.alert.Team, "", p.alert.Query)
	if err != nil {
		return nil, err
	}
	f.Where = append(f.Where, condition{where, args})
	if p.alert.Project != 0 {
		f.Where = append(f.Where, condition{"i.project_id = ?", []any{p.alert.Project}})
	}
	list, err := p.service.rows().candidates(p.ctx, f, maxPreviewIssues+1)
	if len(list) > maxPreviewIssues {
		p.partial, list = true, list[:maxPreviewIssues]
	}
	return list, err
}

func (p *previewer) lookNew() error {
	since := p.since.UnixMilli()
	if p.alert.Environment == "" {
		list, err := p.candidates("i.first_seen >= ?", since)
		for _, i := range list {
			p.found = append(p.found, past{at: i.FirstSeen, project: i.ProjectID, issue: i.ID, why: "It was new."})
		}
		return err
	}
	list, err := p.candidates("i.last_seen >= ? AND EXISTS (SELECT 1 FROM issues_tags t WHERE t.project_id = i.project_id AND t.key = 'environment' AND t.value = ? AND t.issue_id = i.id)",
		since, p.alert.Environment)
	if err != nil {
		return err
	}
	for _, i := range list {
		at, err := p.service.rows().firstIn(p.ctx, i.ID, p.alert.Environment)
		if err != nil {
			return err
		}
		if at >= since {
			p.found = append(p.found, past{at: at, project: i.ProjectID, issue: i.ID, why: "It was new in " + p.alert.Environment + "."})
		}
	}
	return nil
}

func (p *previewer) lookRegressed() error {
	list, err := p.candidates("EXISTS (SELECT 1 FROM issues_activity a WHERE a.issue_id = i.id AND a.kind = 'regressed' AND a.at >= ?)", p.since.UnixMilli())
	if err != nil || len(list) == 0 {
		return err
	}
	ids, projects := make([]int64, len(list)), map[int64]int64{}
	for n, i := range list {
		ids[n], projects[i.ID] = i.ID, i.ProjectID
	}
	changes, err := p.service.rows().regressions(p.ctx, ids, p.since.UnixMilli())
	if err != nil {
		return err
	}
	for _, c := range changes {
		if p.alert.Environment != "" {
			environment, err := p.service.rows().environmentAt(p.ctx, c.IssueID, c.At)
			if err != nil {
				return err
			}
			if environment != p.alert.Environment {
				continue
			}
		}
		p.found = append(p.found, past{at: c.At, project: projects[c.IssueID], issue: c.IssueID, why: cameBack(c.Detail), subject: aboutIssue(c.IssueID)})
	}
	return nil
}

// lookCounts slides the window over the events of issues that have enough of them.
func (p *previewer) lookCounts() error {
	c := p.alert.Condition
	list, err := p.candidates("i.events >= ? AND i.last_seen >= ?", c.Count, p.since.UnixMilli())
	if err != nil {
		return err
	}
	left := maxPreviewEvents
	for _, i := range list {
		if left <= 0 {
			p.partial = true
			return nil
		}
		events, err := p.service.rows().eventTimes(p.ctx, i.ID, p.since.UnixMilli()-c.Minutes*time.Minute.Milliseconds(), left)
		if err != nil {
			return err
		}
		if left -= len(events); left <= 0 {
			p.partial = true
		}
		for _, at := range crossings(c, p.alert.Environment, p.alert.Throttle, events) {
			if at < p.since.UnixMilli() {
				continue
			}
			what := "event"
			if c.Type == WhenUsers {
				what = "user"
			}
			p.found = append(p.found, past{at: at, project: i.ProjectID, issue: i.ID, subject: aboutIssue(i.ID),
				why: fmt.Sprintf("%s within %s.", plural(c.Count, what), span(c.Minutes))})
		}
	}
	return nil
}

// crossings are the times at which a window over events, oldest first, holds
// enough events or users, throttled.
func crossings(c Condition, environment string, throttle int64, events []eventTime) (list []int64) {
	window, pause := c.Minutes*time.Minute.Milliseconds(), throttle*time.Minute.Milliseconds()
	inside := map[int64]int64{} // events per user
	var from int
	var count, last int64
	for _, e := range events {
		for ; events[from].Timestamp <= e.Timestamp-window; from++ {
			if old := events[from]; old.counts(c, environment) {
				count--
				if inside[old.UserHash]--; inside[old.UserHash] == 0 {
					delete(inside, old.UserHash)
				}
			}
		}
		if !e.counts(c, environment) {
			continue
		}
		count++
		inside[e.UserHash]++
		n := count
		if c.Type == WhenUsers {
			n = int64(len(inside))
		}
		if n >= c.Count && (last == 0 || e.Timestamp-last >= pause) {
			list, last = append(list, e.Timestamp), e.Timestamp
		}
	}
	return list
}

func (e eventTime) counts(c Condition, environment string) bool {
	return (environment == "" || e.Environment == environment) && (c.Type != WhenUsers || e.UserHash != 0)
}
