package ci

import (
	"context"
	"strconv"

	"github.com/signalbox/signalbox/server/platform/database"
)

type approvalRow struct {
	ID             string `gorm:"primaryKey"`
	TeamID         int64
	BuildID        int64
	Handle         string
	Approvers      string
	ReasonRequired bool
	Excluded       string
	State          ApprovalState
	AskedAt        millis
	ExpiresAt      millis
	DecidedBy      string
	DecidedAt      millis
	Reason         string
}

func (approvalRow) TableName() string { return "ci_approvals" }

func (r approvalRow) approvers() []string { return nameList(r.Approvers) }
func (r approvalRow) excluded() []string  { return nameList(r.Excluded) }

// nameList reads a list that encode wrote.
func nameList(text string) []string {
	list, _ := decode[[]string](text)
	return list
}

func parseID(text string) int64 {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// insertApproval reports false when the handle has asked before.
func (s store) insertApproval(ctx context.Context, r approvalRow) (bool, error) {
	result := s.db.Writer(ctx).Exec(`INSERT INTO ci_approvals (id, team_id, build_id, handle, approvers, reason_required, excluded, state, asked_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (handle) DO NOTHING`, r.ID, r.TeamID, r.BuildID, r.Handle, r.Approvers, r.ReasonRequired,
		r.Excluded, r.State, r.AskedAt, r.ExpiresAt)
	return result.RowsAffected == 1, result.Error
}

func (s store) approval(ctx context.Context, id string) (approvalRow, error) {
	var row approvalRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such approval.")
}

func (s store) approvalByHandle(ctx context.Context, handle string) (approvalRow, error) {
	var row approvalRow
	err := s.db.Reader(ctx).Where("handle = ?", handle).Take(&row).Error
	return row, database.NotFound(err, "There is no such approval.")
}

// stepWaits is true for the approvals (a) whose step has not ended.
const stepWaits = `EXISTS (SELECT 1 FROM ci_steps w JOIN ci_builds b ON b.id = w.build_id
	WHERE w.build_id = a.build_id AND w.container = a.handle AND w.state <> 'ended' AND b.status = 'started')`

// decideApproval stores a person's decision; false when there was one before or the step waits no more.
func (s store) decideApproval(ctx context.Context, r approvalRow) (bool, error) {
	return s.settleApproval(ctx, r, " AND "+stepWaits)
}

// settleApproval ends the waiting under a further condition; false when it did not hold.
func (s store) settleApproval(ctx context.Context, r approvalRow, condition string) (bool, error) {
	result := s.db.Writer(ctx).Exec("UPDATE ci_approvals AS a SET state = ?, decided_by = ?, decided_at = ?, reason = ? WHERE id = ? AND state = 'waiting'"+condition,
		r.State, r.DecidedBy, r.DecidedAt, r.Reason, r.ID)
	return result.RowsAffected == 1, result.Error
}

// approvalListed is an approval with the names around it.
type approvalListed struct {
	Row          approvalRow `gorm:"embedded"`
	StepName     string
	BuildName    string
	CreatedBy    string
	PipelineID   int64
	PipelineName string
	JobID        int64
	JobName      string
	StepWaits    bool
}

// approvals lists those of a team: open ones with the oldest first, or the last decided.
func (s store) approvals(ctx context.Context, team int64, open bool, limit int) ([]approvalListed, error) {
	where, order := "NOT (a.state = 'waiting' AND "+stepWaits+")", "a.asked_at DESC, a.id"
	if open {
		where, order = "a.state = 'waiting' AND "+stepWaits, "a.asked_at, a.id"
	}
	return s.listApprovals(ctx, "a.team_id = ? AND "+where+" ORDER BY "+order+" LIMIT ?", team, limit)
}

func (s store) listedApproval(ctx context.Context, id string) (approvalListed, error) {
	list, err := s.listApprovals(ctx, "a.id = ?", id)
	if err != nil || len(list) == 0 {
		return approvalListed{}, err
	}
	return list[0], nil
}

func (s store) listApprovals(ctx context.Context, rest string, args ...any) ([]approvalListed, error) {
	var rows []approvalListed
	err := s.db.Reader(ctx).Raw(`SELECT a.*, COALESCE((SELECT MAX(t.name) FROM ci_steps t WHERE t.build_id = a.build_id AND t.container = a.handle), '') AS step_name,
		u.name AS build_name, u.created_by, u.pipeline_id, COALESCE(p.name, '') AS pipeline_name, u.job_id, COALESCE(j.name, '') AS job_name, `+
		stepWaits+` AS step_waits
		FROM ci_approvals a JOIN ci_builds u ON u.id = a.build_id LEFT JOIN ci_pipelines p ON p.id = u.pipeline_id LEFT JOIN ci_jobs j ON j.id = u.job_id
		WHERE `+rest, args...).Scan(&rows).Error
	return rows, err
}
