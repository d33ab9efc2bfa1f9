package issues

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// term is one condition of a query: key, operator and values, any of which may hold.
type term struct {
	key    string
	op     string // "", "<", "<=", ">", ">="
	values []string
	not    bool
	at     int
}

// filterBuilder turns terms into conditions on issues_issues i.
type filterBuilder struct {
	service  *Service
	team     int64
	projects []int64
	slugs    map[int64]string
	filter   issueFilter
	statuses []Status
}

// build makes the filter of a team's list; project is a slug or an id, "" for all.
func (s *Service) build(ctx context.Context, team int64, project string, terms []term) (issueFilter, error) {
	b := &filterBuilder{service: s, team: team, filter: issueFilter{Team: team, Sort: ByLastSeen}}
	var err error
	if b.slugs, err = s.rows().projectSlugs(ctx, team); err != nil {
		return b.filter, err
	}
	for id := range b.slugs {
		b.projects = append(b.projects, id)
	}
	slices.Sort(b.projects)
	if len(b.projects) == 0 {
		b.projects = []int64{0}
	}
	if project != "" {
		if err := b.add(ctx, term{key: "project", values: []string{project}}); err != nil {
			return b.filter, err
		}
	}
	for _, t := range terms {
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

func (b *filterBuilder) where(sql string, args ...any) {
	b.filter.Where = append(b.filter.Where, condition{sql, args})
}

// columns that a key compares directly.
var textColumns = map[string]string{"level": "i.level", "platform": "i.platform", "logger": "i.logger", "first_release": "i.first_release", "type": "i.type",
	"title": "i.title", "culprit": "i.culprit", "error.type": "i.type", "error.value": "i.value"}
var numberColumns = map[string]string{"events": "i.events", "times_seen": "i.events", "users": "i.users"}
var timeColumns = map[string]string{"first_seen": "i.first_seen", "age": "i.first_seen", "last_seen": "i.last_seen"}

// tagNames are other names of tags.
var tagNames = map[string]string{"env": "environment", "user": "user.id", "server": "server_name", "browser.name": "browser", "os.name": "os"}

func (b *filterBuilder) add(ctx context.Context, t term) error {
	switch {
	case t.key == "":
		return b.addText(ctx, t)
	case t.key == "is":
		return b.addIs(t)
	case t.key == "project":
		return b.addProject(t)
	case t.key == "assigned" || t.key == "assignee":
		return b.addAssigned(ctx, t)
	case t.key == "has":
		return b.addHas(ctx, t)
	case t.key == "issue" || t.key == "id":
		return b.addIssue(t)
	case t.key == "trace" || t.key == "event":
		return b.addEvent(t)
	case textColumns[t.key] != "":
		b.addColumn(textColumns[t.key], t)
		return nil
	case numberColumns[t.key] != "":
		return b.addNumber(numberColumns[t.key], t)
	case timeColumns[t.key] != "":
		return b.addTime(timeColumns[t.key], t)
	}
	return b.addTag(ctx, t)
}

func (b *filterBuilder) addText(ctx context.Context, t term) error {
	for _, v := range t.values {
		words := queryWords(v)
		if len(words) == 0 {
			continue
		}
		c, err := b.service.rows().hasWords(ctx, words, t.not)
		if err != nil {
			return err
		}
		b.where(c.sql, c.args...)
	}
	return nil
}

// addIs narrows the state. Several is: terms must all hold.
func (b *filterBuilder) addIs(t term) error {
	var list []Status
	var parts []string
	for _, v := range t.values {
		switch strings.ToLower(v) {
		case "unresolved":
			list = append(list, Unresolved)
		case "resolved":
			list = append(list, Resolved)
		case "archived", "ignored", "muted":
			list = append(list, Archived)
		case "new", "ongoing", "escalating", "regressed":
			parts = append(parts, "i.substate = '"+strings.ToLower(v)+"'")
		case "assigned":
			parts = append(parts, "i.assignee <> ''")
		case "unassigned":
			parts = append(parts, "i.assignee = ''")
		default:
			return problem.FieldError("query", "is:%s is not known; use unresolved, resolved, archived, new, ongoing, escalating, regressed, assigned or unassigned", v)
		}
	}
	if len(parts) > 0 {
		for _, s := range list {
			parts = append(parts, "i.status = '"+string(s)+"'")
		}
		b.where(not(t.not) + "(" + strings.Join(parts, " OR ") + ")")
		return nil
	}
	all := []Status{Unresolved, Resolved, Archived}
	if b.statuses == nil {
		b.statuses = all
	}
	b.statuses = slices.DeleteFunc(slices.Clone(b.statuses), func(s Status) bool { return slices.Contains(list, s) == t.not })
	if len(b.statuses) == 0 {
		b.statuses = all[:1]
		b.where("1 = 0")
	}
	return nil
}

func not(is bool) string {
	if is {
		return "NOT "
	}
	return ""
}

func (b *filterBuilder) addProject(t term) error {
	var ids []int64
	for id, slug := range b.slugs {
		if slices.ContainsFunc(t.values, func(v string) bool { return v == slug || v == formatID(id) }) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 && !t.not {
		return problem.New(problem.NotFound, "There is no project %s in this team.", strings.Join(t.values, " or "))
	}
	if len(ids) > 0 {
		slices.Sort(ids)
		b.where("i.project_id "+not(t.not)+"IN ?", ids)
		if !t.not {
			b.projects = ids
		}
	}
	return nil
}

func (b *filterBuilder) addAssigned(ctx context.Context, t term) error {
	names := slices.Clone(t.values)
	for i, v := range names {
		switch v {
		case "me":
			names[i] = identity.From(ctx).Name
		case "none", "nobody":
			names[i] = ""
		}
	}
	b.where("i.assignee "+not(t.not)+"IN ?", names)
	return nil
}

func (b *filterBuilder) addHas(ctx context.Context, t term) error {
	for _, key := range t.values {
		switch key {
		case "assignee", "assigned":
			b.where(not(t.not) + "(i.assignee <> '')")
			continue
		case "feedback":
			b.where(not(t.not) + "EXISTS (SELECT 1 FROM issues_feedback f WHERE f.issue_id = i.id)")
			continue
		case "comments", "comment":
			b.where(not(t.not) + "EXISTS (SELECT 1 FROM issues_comments c WHERE c.issue_id = i.id)")
			continue
		case "user":
			b.where(not(t.not) + "(i.users > 0)")
			continue
		}
		c, err := b.service.rows().hasTag(ctx, b.projects, tagName(key), nil, t.not)
		if err != nil {
			return err
		}
		b.where(c.sql, c.args...)
	}
	return nil
}

func tagName(key string) string {
	if name := tagNames[key]; name != "" {
		return name
	}
	return key
}

// addIssue takes ids and short ids.
func (b *filterBuilder) addIssue(t term) error {
	var parts []string
	var args []any
	for _, v := range t.values {
		if id, err := strconv.ParseInt(v, 10, 64); err == nil {
			parts, args = append(parts, "i.id = ?"), append(args, id)
			continue
		}
		slug, number, ok := ParseShortID(v)
		if !ok {
			return problem.FieldError("query", "%q is not the name of an issue, such as WEB-142", v)
		}
		project := int64(0)
		for id, s := range b.slugs {
			if s == slug {
				project = id
			}
		}
		parts, args = append(parts, "(i.project_id = ? AND i.number = ?)"), append(args, project, number)
	}
	b.where(not(t.not)+"("+strings.Join(parts, " OR ")+")", args...)
	return nil
}

// addEvent finds the issues of an event's or a trace's id.
func (b *filterBuilder) addEvent(t term) error {
	var parts []string
	var args []any
	for _, v := range t.values {
		if t.key == "trace" {
			parts, args = append(parts, "i.id IN (SELECT e.issue_id FROM issues_events e WHERE e.trace_hash = ? AND e.trace_hash <> 0)"), append(args, hash64(plainOr(v)))
			continue
		}
		parts, args = append(parts, "i.id IN (SELECT e.issue_id FROM issues_events e WHERE e.project_id IN ? AND e.event_id = ?)"), append(args, b.projects, plainID(v))
	}
	b.where(not(t.not)+"("+strings.Join(parts, " OR ")+")", args...)
	return nil
}

func plainOr(id string) string {
	if plain := plainID(id); plain != "" {
		return plain
	}
	return id
}

func (b *filterBuilder) addColumn(column string, t term) {
	var parts []string
	var args []any
	for _, v := range t.values {
		if strings.Contains(v, "*") {
			parts, args = append(parts, "LOWER("+column+`) LIKE ? ESCAPE '\'`), append(args, strings.ToLower(likePattern(v)))
		} else {
			parts, args = append(parts, column+" = ?"), append(args, v)
		}
	}
	b.where(not(t.not)+"("+strings.Join(parts, " OR ")+")", args...)
}

func operator(op string) string {
	if op == "" {
		return "="
	}
	return op
}

func (b *filterBuilder) addNumber(column string, t term) error {
	for _, v := range t.values {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return problem.FieldError("query", "%s wants a number, such as %s:>100", t.key, t.key)
		}
		b.where(not(t.not)+"("+column+" "+operator(t.op)+" ?)", n)
	}
	return nil
}

// addTime takes -24h (within the last day), +7d (longer ago) and dates with an operator.
func (b *filterBuilder) addTime(column string, t term) error {
	for _, v := range t.values {
		op, at, ok := parseMoment(v, t.op, b.service.Now())
		if !ok {
			return problem.FieldError("query", "%s wants a time, such as %s:-24h or %s:>2026-01-31", t.key, t.key, t.key)
		}
		b.where(not(t.not)+"("+column+" "+op+" ?)", at.UnixMilli())
	}
	return nil
}

func parseMoment(v, op string, now time.Time) (string, time.Time, bool) {
	if len(v) > 2 && (v[0] == '-' || v[0] == '+') {
		units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
		n, err := strconv.Atoi(v[1 : len(v)-1])
		unit := units[v[len(v)-1]]
		if err != nil || unit == 0 || n > 100000 {
			return "", now, false
		}
		return map[byte]string{'-': ">=", '+': "<="}[v[0]], now.Add(-time.Duration(n) * unit), true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
		if at, err := time.Parse(layout, v); err == nil {
			if op == "" {
				op = ">="
			}
			return op, at, true
		}
	}
	return "", now, false
}

func (b *filterBuilder) addTag(ctx context.Context, t term) error {
	if t.op != "" {
		return problem.FieldError("query", "%s cannot be compared with %s", t.key, t.op)
	}
	var parts []string
	var args []any
	for _, v := range t.values {
		v := v
		if t.key == "release" && v == "latest" {
			var err error
			if v, err = b.service.newestRelease(ctx, b.projects[0]); err != nil {
				return err
			}
		}
		c, err := b.service.rows().hasTag(ctx, b.projects, tagName(t.key), &v, t.not)
		if err != nil {
			return err
		}
		parts, args = append(parts, c.sql), append(args, c.args...)
	}
	joint := " OR "
	if t.not {
		joint = " AND "
	}
	b.where(strings.Join(parts, joint), args...)
	return nil
}
