package issues

import (
	"cmp"
	"context"
	"maps"
	"slices"
)

type countKey struct{ issue, slot int64 }

// sortedKeys gives a map's keys in a fixed order, so that two nodes lock alike.
func sortedKeys[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	return slices.SortedFunc(maps.Keys(m), compare)
}

func (r rows) addAlertCounts(ctx context.Context, alert int64, added map[countKey]int64) error {
	values := make([]any, 0, len(added)*4)
	for _, k := range sortedKeys(added, func(a, b countKey) int { return cmp.Or(cmp.Compare(a.issue, b.issue), cmp.Compare(a.slot, b.slot)) }) {
		values = append(values, alert, k.issue, k.slot, added[k])
	}
	return r.insertMany(ctx, "issues_alert_counts (alert_id, issue_id, slot, events)", 4, values,
		"ON CONFLICT (alert_id, issue_id, slot) DO UPDATE SET events = issues_alert_counts.events + excluded.events")
}

type numberOf struct{ IssueID, N int64 }

func numbersOf(list []numberOf) map[int64]int64 {
	out := make(map[int64]int64, len(list))
	for _, n := range list {
		out[n.IssueID] = n.N
	}
	return out
}

// alertSums adds up what a rule counted of issues after a slot.
func (r rows) alertSums(ctx context.Context, alert int64, issues []int64, after int64) (map[int64]int64, error) {
	var list []numberOf
	err := r.db.Writer(ctx).Raw(`SELECT issue_id, CAST(SUM(events) AS BIGINT) AS n FROM issues_alert_counts WHERE alert_id = ? AND issue_id IN ? AND slot > ? GROUP BY issue_id`,
		alert, issues, after).Scan(&list).Error
	return numbersOf(list), err
}

func (r rows) seeAlertUsers(ctx context.Context, alert int64, seen map[userRow]int64) error {
	values := make([]any, 0, len(seen)*4)
	for _, u := range sortedKeys(seen, func(a, b userRow) int {
		return cmp.Or(cmp.Compare(a.IssueID, b.IssueID), cmp.Compare(a.UserHash, b.UserHash))
	}) {
		values = append(values, alert, u.IssueID, u.UserHash, seen[u])
	}
	return r.insertMany(ctx, "issues_alert_users (alert_id, issue_id, user_hash, at)", 4, values,
		`ON CONFLICT (alert_id, issue_id, user_hash) DO UPDATE SET at = CASE WHEN excluded.at > issues_alert_users.at THEN excluded.at ELSE issues_alert_users.at END`)
}

// alertUsers counts the users of issues that were seen after a time.
func (r rows) alertUsers(ctx context.Context, alert int64, issues []int64, after int64) (map[int64]int64, error) {
	var list []numberOf
	err := r.db.Writer(ctx).Raw(`SELECT issue_id, COUNT(*) AS n FROM issues_alert_users WHERE alert_id = ? AND issue_id IN ? AND at > ? GROUP BY issue_id`,
		alert, issues, after).Scan(&list).Error
	return numbersOf(list), err
}

// cutAlertUsers keeps the users of an issue that were seen last.
func (r rows) cutAlertUsers(ctx context.Context, alert, issue, keep int64) error {
	return r.db.Writer(ctx).Exec(`DELETE FROM issues_alert_users WHERE alert_id = ? AND issue_id = ? AND user_hash NOT IN
		(SELECT user_hash FROM issues_alert_users WHERE alert_id = ? AND issue_id = ? ORDER BY at DESC, user_hash LIMIT ?)`, alert, issue, alert, issue, keep).Error
}

type paceKey struct {
	project, slot int64
	environment   string
}

func (r rows) addPace(ctx context.Context, added map[paceKey]int64) error {
	values := make([]any, 0, len(added)*4)
	for _, k := range sortedKeys(added, paceKey.compare) {
		values = append(values, k.project, k.slot, k.environment, added[k])
	}
	return r.insertMany(ctx, "issues_pace (project_id, slot, environment, events)", 4, values,
		"ON CONFLICT (project_id, slot, environment) DO UPDATE SET events = issues_pace.events + excluded.events")
}

// pace gives a project's events per slot, from one slot up to but not including another.
func (r rows) pace(ctx context.Context, project int64, environment string, from, to int64) (map[int64]int64, error) {
	q, args := "", []any{project, from, to}
	if environment != "" {
		q, args = " AND environment = ?", append(args, environment)
	}
	var list []struct{ Slot, N int64 }
	err := r.db.Reader(ctx).Raw("SELECT slot, CAST(SUM(events) AS BIGINT) AS n FROM issues_pace WHERE project_id = ? AND slot >= ? AND slot < ?"+q+" GROUP BY slot", args...).Scan(&list).Error
	out := make(map[int64]int64, len(list))
	for _, p := range list {
		out[p.Slot] = p.N
	}
	return out, err
}

// firstPace is the first slot of a project that is known, 0 when none is.
func (r rows) firstPace(ctx context.Context, project int64) (slot int64, err error) {
	err = r.db.Reader(ctx).Raw("SELECT COALESCE(MIN(slot), 0) FROM issues_pace WHERE project_id = ?", project).Scan(&slot).Error
	return slot, err
}
