package issues

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/issues/query"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Sort is what a list of issues is ordered by, always downwards.
type Sort string

// The orders; their values are columns.
const (
	ByLastSeen  Sort = "last_seen"
	ByFirstSeen Sort = "first_seen"
	ByEvents    Sort = "events"
	ByUsers     Sort = "users"
)

// Validate refuses what is no order.
func (s Sort) Validate() error {
	switch s {
	case ByLastSeen, ByFirstSeen, ByEvents, ByUsers:
		return nil
	}
	return problem.FieldError("sort", "%q is not an order; use last_seen, first_seen, events or users", string(s))
}

// of gives the value that an issue is ordered by.
func (s Sort) of(i issueRow) int64 {
	switch s {
	case ByFirstSeen:
		return i.FirstSeen
	case ByEvents:
		return i.Events
	case ByUsers:
		return i.Users
	}
	return i.LastSeen
}

// place is where a page begins: behind this issue.
type place struct{ Value, ID int64 }

func (p place) cursor() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d:%d", p.Value, p.ID))
}

// parsePlace reads what cursor wrote.
func parsePlace(cursor string) (p place, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		value, id, _ := strings.Cut(string(raw), ":")
		if p.Value, err = strconv.ParseInt(value, 10, 64); err == nil {
			p.ID, err = strconv.ParseInt(id, 10, 64)
		}
	}
	if err != nil {
		return p, problem.FieldError("cursor", "is not one that this list gave")
	}
	return p, nil
}

// issueFilter selects issues of a team.
type issueFilter struct {
	Team int64
	// Statuses are never empty: the indexes begin with them.
	Statuses []Status
	// Where are further conditions on i, each with its arguments.
	Where []condition
	Sort  Sort
	Place place
	Limit int
}

type condition struct {
	sql  string
	args []any
}

// listIssues reads a page of each status, which the index gives in order, and
// merges them: so that a page costs the same however many issues there are.
func (r rows) listIssues(ctx context.Context, f issueFilter) ([]issueRow, error) {
	column := string(cmp.Or(f.Sort, ByLastSeen))
	if err := Sort(column).Validate(); err != nil {
		return nil, err
	}
	var parts []string
	var args []any
	for _, status := range f.Statuses {
		var b strings.Builder
		b.WriteString("SELECT * FROM (SELECT i.* FROM issues_issues i WHERE i.team_id = ? AND i.status = ?")
		args = append(args, f.Team, status)
		if f.Place.ID != 0 {
			b.WriteString(" AND (i." + column + ", i.id) < (?, ?)")
			args = append(args, f.Place.Value, f.Place.ID)
		}
		for _, c := range f.Where {
			b.WriteString(" AND (" + c.sql + ")")
			args = append(args, c.args...)
		}
		b.WriteString(" ORDER BY i." + column + " DESC, i.id DESC LIMIT ?) AS s" + strconv.Itoa(len(parts)))
		args = append(args, f.Limit)
		parts = append(parts, b.String())
	}
	var list []issueRow
	err := r.db.Reader(ctx).Raw(strings.Join(parts, " UNION ALL ")+" ORDER BY "+column+" DESC, id DESC LIMIT ?", append(args, f.Limit)...).Scan(&list).Error
	return list, err
}

// rare is how many matches of a condition are looked up one by one; of more
// frequent ones the list's own order finds a page sooner.
const rare = 1500

// hasTag is the condition that an issue has a value of any of the tags, or any value when it is nil.
func (r rows) hasTag(ctx context.Context, projects []int64, keys []string, value *query.Value) (condition, error) {
	match, args := "key IN ?", []any{keys}
	switch {
	case value == nil:
	case value.IsPattern():
		match, args = match+` AND value LIKE ? ESCAPE '\'`, append(args, value.Like())
	default:
		match, args = match+" AND value = ?", append(args, value.Text)
	}
	var n int64
	err := r.db.Reader(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM issues_tags WHERE project_id IN ? AND "+match+" LIMIT ?) AS few",
		slices.Concat([]any{projects}, args, []any{rare})...).Scan(&n).Error
	if err != nil {
		return condition{}, err
	}
	if n < rare {
		return condition{"i.id IN (SELECT issue_id FROM issues_tags WHERE project_id IN ? AND " + match + ")", slices.Concat([]any{projects}, args)}, nil
	}
	return condition{"EXISTS (SELECT 1 FROM issues_tags WHERE project_id = i.project_id AND " + match + " AND issue_id = i.id)", args}, nil
}

// hasWords is the condition that an issue's text has words beginning like these.
func (r rows) hasWords(ctx context.Context, words []string, not bool) (condition, error) {
	word := "IN"
	if not {
		word = "NOT IN"
	}
	quoted := make([]string, len(words)) // letters and digits only: nothing to escape
	if r.db.Dialect == database.Postgres {
		for i, w := range words {
			quoted[i] = "'" + w + "':*"
		}
		return condition{"i.id " + word + " (SELECT issue_id FROM issues_search WHERE words @@ CAST(? AS tsquery))", []any{strings.Join(quoted, " & ")}}, nil
	}
	for i, w := range words {
		quoted[i] = `"` + w + `"*`
	}
	match := strings.Join(quoted, " AND ")
	var n int64
	err := r.db.Reader(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM issues_search WHERE issues_search MATCH ? LIMIT ?)", match, rare).Scan(&n).Error
	column := "i.id"
	if n >= rare || not {
		column = "+i.id" // keeps SQLite to the list's order: a page is found soon
	}
	return condition{column + " " + word + " (SELECT rowid FROM issues_search WHERE issues_search MATCH ?)", []any{match}}, err
}

// projectSlugs gives a team's projects by id.
func (r rows) projectSlugs(ctx context.Context, team int64) (map[int64]string, error) {
	var list []struct {
		ID   int64
		Slug string
	}
	err := r.db.Reader(ctx).Raw("SELECT id, slug FROM issues_projects WHERE team_id = ?", team).Scan(&list).Error
	out := make(map[int64]string, len(list))
	for _, p := range list {
		out[p.ID] = p.Slug
	}
	return out, err
}
