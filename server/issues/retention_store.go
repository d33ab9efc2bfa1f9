package issues

import "context"

type usageRow struct {
	ProjectID, TeamID int64
	Events, Bytes     int64
}

// projectUsage is what a project holds and may hold.
type projectUsage struct {
	ProjectID       int64
	Exists          bool
	RetentionDays   int
	RetentionEvents int64
	RetentionBytes  int64
}

func (r rows) usages(ctx context.Context) ([]projectUsage, error) {
	var list []projectUsage
	err := r.db.Reader(ctx).Raw(`SELECT u.project_id, p.id IS NOT NULL AS "exists", COALESCE(p.retention_days, 0) AS retention_days,
		COALESCE(p.retention_events, 0) AS retention_events, COALESCE(p.retention_bytes, 0) AS retention_bytes
		FROM issues_usage u LEFT JOIN issues_projects p ON p.id = u.project_id ORDER BY u.project_id`).Scan(&list).Error
	return list, err
}

func (r rows) usage(ctx context.Context, project int64) (u usageRow, err error) {
	err = r.db.Writer(ctx).Raw("SELECT * FROM issues_usage WHERE project_id = ?", project).Scan(&u).Error
	return u, err
}

// oldestEvents are those that came first.
func (r rows) oldestEvents(ctx context.Context, project int64, limit int) ([]eventRow, error) {
	var list []eventRow
	err := r.db.Writer(ctx).Raw("SELECT "+eventList+", LENGTH(e.body) AS size FROM issues_events e WHERE e.project_id = ? ORDER BY e.id LIMIT ?", project, limit).Scan(&list).Error
	return list, err
}

func (r rows) removeEvents(ctx context.Context, ids []int64) error {
	return r.db.Writer(ctx).Exec("DELETE FROM issues_events WHERE id IN ?", ids).Error
}

func (r rows) attachmentsOf(ctx context.Context, project int64, events []string) ([]attachmentRow, error) {
	var list []attachmentRow
	err := r.db.Writer(ctx).Where("project_id = ? AND event_id IN ?", project, events).Find(&list).Error
	return list, err
}

// oldAttachments are those whose events never came, or whose project is gone.
func (r rows) oldAttachments(ctx context.Context, project int64, exists bool, before int64, limit int) ([]attachmentRow, error) {
	q := r.db.Writer(ctx).Where("project_id = ?", project)
	if exists {
		q = q.Where("created_at < ?", before)
	}
	var list []attachmentRow
	err := q.Limit(limit).Find(&list).Error
	return list, err
}

func (r rows) removeAttachment(ctx context.Context, id int64) error {
	return r.db.Writer(ctx).Exec("DELETE FROM issues_attachments WHERE id = ?", id).Error
}

// emptyIssues are those last seen before, of which no event is kept; all when the project is gone.
func (r rows) emptyIssues(ctx context.Context, project int64, exists bool, before int64, limit int) (ids []int64, err error) {
	query, args := "SELECT i.id FROM issues_issues i WHERE i.project_id = ?", []any{project}
	if exists {
		query += " AND i.last_seen < ? AND NOT EXISTS (SELECT 1 FROM issues_events e WHERE e.issue_id = i.id)"
		args = append(args, before)
	}
	err = r.db.Writer(ctx).Raw(query+" LIMIT ?", append(args, limit)...).Scan(&ids).Error
	return ids, err
}

// dropOld removes counters that are older than everything else.
func (r rows) dropOld(ctx context.Context, project, before int64) error {
	if err := r.db.Writer(ctx).Exec("DELETE FROM issues_transactions WHERE project_id = ? AND day < ?", project, before/86400000).Error; err != nil {
		return err
	}
	return r.db.Writer(ctx).Exec("DELETE FROM issues_feedback WHERE project_id = ? AND issue_id = 0 AND created_at < ?", project, before).Error
}

// dropProject removes the last rows of a deleted project.
func (r rows) dropProject(ctx context.Context, project int64) error {
	for _, table := range []string{"issues_transactions", "issues_versions", "issues_feedback", "issues_numbers", "issues_hashes", "issues_tags", "issues_usage"} {
		if err := r.db.Writer(ctx).Exec("DELETE FROM "+table+" WHERE project_id = ?", project).Error; err != nil {
			return err
		}
	}
	return nil
}
