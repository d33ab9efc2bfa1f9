package issues

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/issues/query"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// filterBuilder turns the terms of a query into conditions on issues_issues i.
type filterBuilder struct {
	service  *Service
	projects []int64
	slugs    map[int64]string
	filter   issueFilter
	statuses []Status
}

// filterOf reads a query into the filter of a team's list; project is a slug or an id, "" for all.
func (s *Service) filterOf(ctx context.Context, team int64, project, text string) (issueFilter, error) {
	q, err := query.Parse(text)
	if err != nil {
		return issueFilter{}, queryProblem(err)
	}
	b := &filterBuilder{service: s, filter: issueFilter{Team: team, Sort: ByLastSeen}}
	if b.slugs, err = s.rows().projectSlugs(ctx, team); err != nil {
		return b.filter, err
	}
	b.projects = []int64{0} // never an empty IN
	for id := range b.slugs {
		b.projects = append(b.projects, id)
	}
	slices.Sort(b.projects)
	if project != "" {
		if err := b.addProject(query.Term{Values: []query.Value{{Text: project}}}); err != nil {
			return b.filter, err
		}
	}
	// Projects first: they narrow what the other terms look at.
	slices.SortStableFunc(q.Terms, func(x, y query.Term) int { return btoi(y.Key == "project") - btoi(x.Key == "project") })
	for _, t := range q.Terms {
		if err := b.add(ctx, t); err != nil {
			return b.filter, err
		}
	}
	b.filter.Statuses = b.statuses
	if b.statuses == nil {
		b.filter.Statuses = []Status{Unresolved, Resolved, Archived}
	}
	return b.filter, nil
}

// queryProblem keeps the place of a mistake, so that a page can mark it.
func queryProblem(err error) error {
	var wrong *query.Error
	if !errors.As(err, &wrong) {
		return err
	}
	return &problem.Error{Kind: problem.Invalid, Detail: wrong.Sentence,
		Fields: []problem.Field{{Field: "query:" + strconv.Itoa(wrong.Pos) + "-" + strconv.Itoa(wrong.End), Message: wrong.Sentence}}}
}

// Keys that compare a column; all others but the special ones are tags.
var (
	textColumns = map[string]string{"title": "i.title", "culprit": "i.culprit", "type": "i.type", "value": "i.value", "level": "i.level",
		"platform": "i.platform", "logger": "i.logger", "first_release": "i.first_release"}
	numberColumns = map[string]string{"events": "i.events", "users": "i.users"}
	timeColumns   = map[string]string{"first_seen": "i.first_seen", "last_seen": "i.last_seen"}
	userKeys      = []string{"user.id", "user.email", "user.username", "user.ip"}
)

func (b *filterBuilder) add(ctx context.Context, t query.Term) error {
	switch {
	case t.Op == query.FreeWords:
		return b.addText(ctx, t)
	case t.Op == query.Has:
		return b.addHas(ctx, t)
	case t.Type == query.State:
		return b.addStates(t)
	case t.Type == query.Person:
		return b.addAssigned(ctx, t)
	case t.Key == "project":
		return b.addProject(t)
	case t.Key == "issue":
		return b.addIssue(t)
	case t.Key == "trace" || t.Key == "event":
		return b.addEvent(t)
	case t.Key == "message":
		return b.addMessage(t)
	case textColumns[t.Key] != "":
		return b.addColumn(textColumns[t.Key], t)
	case numberColumns[t.Key] != "":
		return b.addNumber(numberColumns[t.Key], t)
	case timeColumns[t.Key] != "":
		b.addTime(timeColumns[t.Key], t)
		return nil
	}
	return b.addTag(ctx, t)
}

func (b *filterBuilder) where(sql string, args ...any) {
	b.filter.Where = append(b.filter.Where, condition{sql, args})
}

// any adds a condition of which any part may hold; with not, none may.
func (b *filterBuilder) any(not bool, parts []string, args []any) error {
	word := ""
	if not {
		word = "NOT "
	}
	b.where(word+"("+strings.Join(parts, " OR ")+")", args...)
	return nil
}

func (b *filterBuilder) addText(ctx context.Context, t query.Term) error {
	for _, v := range t.Values {
		words := queryWords(v.Text)
		if len(words) == 0 {
			continue
		}
		c, err := b.service.rows().hasWords(ctx, words, t.Not)
		if err != nil {
			return err
		}
		b.where(c.sql, c.args...)
	}
	return nil
}

// addStates narrows the state. Statuses choose the parts of the index that are read.
func (b *filterBuilder) addStates(t query.Term) error {
	var list []Status
	var parts []string
	for _, v := range t.Values {
		switch v.Text {
		case "unresolved", "resolved", "archived":
			list = append(list, Status(v.Text))
		case "assigned":
			parts = append(parts, "i.assignee <> ''")
		case "unassigned":
			parts = append(parts, "i.assignee = ''")
		case "for_review":
			parts = append(parts, "i.status = 'unresolved' AND i.substate <> 'ongoing' AND i.assignee = ''")
		default: // the parser lets only known ones through
			parts = append(parts, "i.status = 'unresolved' AND i.substate = '"+string(Substate(v.Text))+"'")
		}
	}
	if len(parts) > 0 {
		for _, s := range list {
			parts = append(parts, "i.status = '"+string(s)+"'")
		}
		return b.any(t.Not, parts, nil)
	}
	all := []Status{Unresolved, Resolved, Archived}
	if b.statuses == nil {
		b.statuses = all
	}
	b.statuses = slices.DeleteFunc(slices.Clone(b.statuses), func(s Status) bool { return slices.Contains(list, s) == t.Not })
	if len(b.statuses) == 0 {
		b.statuses = all[:1]
		b.where("1 = 0")
	}
	return nil
}

func (b *filterBuilder) addProject(t query.Term) error {
	var ids []int64
	var names []string
	for _, v := range t.Values {
		names = append(names, v.Text)
	}
	for id, slug := range b.slugs {
		if slices.Contains(names, slug) || slices.Contains(names, formatID(id)) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	switch {
	case t.Not && len(ids) == 0:
	case t.Not:
		b.where("i.project_id NOT IN ?", ids)
	case len(ids) == 0:
		return problem.New(problem.NotFound, "There is no project %s in this team.", strings.Join(names, " or "))
	default:
		b.where("i.project_id IN ?", ids)
		b.projects = ids
	}
	return nil
}

func (b *filterBuilder) addAssigned(ctx context.Context, t query.Term) error {
	var names []string
	for _, v := range t.Values {
		switch v.Text {
		case "me":
			names = append(names, identity.From(ctx).Name)
		case "none":
			names = append(names, "")
		default:
			names = append(names, v.Text)
		}
	}
	return b.any(t.Not, []string{"i.assignee IN ?"}, []any{names})
}

// presence are keys of which has: asks something else than a tag.
var presence = map[string]string{
	"assigned": "i.assignee <> ''", "user": "i.users > 0", "release": "i.last_release <> ''",
	"feedback": "EXISTS (SELECT 1 FROM issues_feedback f WHERE f.issue_id = i.id)",
	"comments": "EXISTS (SELECT 1 FROM issues_comments c WHERE c.issue_id = i.id)",
	"trace":    "EXISTS (SELECT 1 FROM issues_events e WHERE e.issue_id = i.id AND e.trace_hash <> 0)",
}

func (b *filterBuilder) addHas(ctx context.Context, t query.Term) error {
	if sql := presence[t.Key]; sql != "" {
		return b.any(t.Not, []string{sql}, nil)
	}
	if column := textColumns[t.Key]; column != "" {
		return b.any(t.Not, []string{column + " <> ''"}, nil)
	}
	c, err := b.service.rows().hasTag(ctx, b.projects, []string{t.Key}, nil)
	if err != nil {
		return err
	}
	return b.any(t.Not, []string{c.sql}, c.args)
}

// addIssue takes ids and short ids.
func (b *filterBuilder) addIssue(t query.Term) error {
	var parts []string
	var args []any
	for _, v := range t.Values {
		if id, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			parts, args = append(parts, "i.id = ?"), append(args, id)
			continue
		}
		slug, number, ok := ParseShortID(v.Text)
		if !ok {
			return queryProblem(&query.Error{Pos: t.Pos, End: t.End, Sentence: "“" + v.Text + "” is not the name of an issue, such as WEB-142."})
		}
		project := int64(0)
		for id, s := range b.slugs {
			if s == slug {
				project = id
			}
		}
		parts, args = append(parts, "i.project_id = ? AND i.number = ?"), append(args, project, number)
	}
	return b.any(t.Not, parts, args)
}

// addEvent finds the issues of an event's or a trace's id.
func (b *filterBuilder) addEvent(t query.Term) error {
	var parts []string
	var args []any
	for _, v := range t.Values {
		if t.Key == "trace" {
			parts, args = append(parts, "i.id IN (SELECT e.issue_id FROM issues_events e WHERE e.trace_hash = ? AND e.trace_hash <> 0)"), append(args, hash64(plainID(v.Text)))
			continue
		}
		parts, args = append(parts, "i.id IN (SELECT e.issue_id FROM issues_events e WHERE e.project_id IN ? AND e.event_id = ?)"), append(args, b.projects, plainID(v.Text))
	}
	return b.any(t.Not, parts, args)
}

func (b *filterBuilder) addMessage(t query.Term) error {
	var parts []string
	var args []any
	for _, v := range t.Values {
		like := strings.ToLower(v.Contains())
		parts, args = append(parts, `LOWER(i.title) LIKE ? ESCAPE '\' OR LOWER(i.value) LIKE ? ESCAPE '\'`), append(args, like, like)
	}
	return b.any(t.Not, parts, args)
}

func (b *filterBuilder) addColumn(column string, t query.Term) error {
	var parts []string
	var args []any
	for _, v := range t.Values {
		if v.IsPattern() {
			parts, args = append(parts, "LOWER("+column+`) LIKE ? ESCAPE '\'`), append(args, strings.ToLower(v.Like()))
		} else {
			parts, args = append(parts, column+" = ?"), append(args, v.Text)
		}
	}
	return b.any(t.Not, parts, args)
}

func (b *filterBuilder) addNumber(column string, t query.Term) error {
	var parts []string
	var args []any
	for _, v := range t.Values {
		parts, args = append(parts, column+" "+string(t.Op)+" ?"), append(args, v.Number)
	}
	return b.any(t.Not, parts, args)
}

func (b *filterBuilder) addTime(column string, t query.Term) {
	from, to := t.Between(b.service.Now())
	parts, args := []string{"1 = 1"}, []any{}
	if !from.IsZero() {
		parts, args = append(parts, column+" >= ?"), append(args, from.UnixMilli())
	}
	if !to.IsZero() {
		parts, args = append(parts, column+" < ?"), append(args, to.UnixMilli())
	}
	sql := "(" + strings.Join(parts, " AND ") + ")"
	if t.Not {
		sql = "NOT " + sql
	}
	b.where(sql, args...)
}

func (b *filterBuilder) addTag(ctx context.Context, t query.Term) error {
	keys := []string{t.Key}
	if t.Key == "user" {
		keys = userKeys
	}
	var parts []string
	var args []any
	for _, v := range t.Values {
		if t.Key == "release" && v.Text == "latest" && len(b.projects) > 0 {
			release, err := b.service.newestRelease(ctx, b.projects[len(b.projects)-1])
			if err != nil {
				return err
			}
			v = query.Value{Text: release}
		}
		c, err := b.service.rows().hasTag(ctx, b.projects, keys, &v)
		if err != nil {
			return err
		}
		parts, args = append(parts, c.sql), append(args, c.args...)
	}
	return b.any(t.Not, parts, args)
}
