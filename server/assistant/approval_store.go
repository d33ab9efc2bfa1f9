package assistant

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
)

type approvalRow struct {
	ID                                   string `gorm:"primaryKey"`
	TeamID                               int64
	RunID, Tool, Title, Effect, Class    string
	Args, ArgsSha256                     string
	Target, TargetURL, Facts, Capability string
	Level                                int64
	ProposerID                           int64
	Proposer, Surface, Channel, Message  string
	State                                string
	CreatedAt, ExpiresAt                 int64 `gorm:"autoCreateTime:false"`
	DecidedBy                            string
	DecidedAt                            int64
	Reason, Node                         string
	EndedAt                              int64
	Outcome                              string
}

func (approvalRow) TableName() string { return "assistant_approvals" }

func (r approvalRow) scope() identity.Scope {
	return identity.Scope{Capability: r.Capability, Level: identity.Level(r.Level)}
}

func (s store) addApproval(ctx context.Context, row approvalRow) error {
	return s.db.Writer(ctx).Create(&row).Error
}

func (s store) approval(ctx context.Context, id string, teams []int64) (approvalRow, error) {
	var row approvalRow
	err := s.db.Reader(ctx).Where("id = ? AND team_id IN ?", id, teams).Take(&row).Error
	return row, database.NotFound(err, "There is no such approval, or it belongs to a team you are not in.")
}

// approvals are a team's newest: those that can be decided now, or the others.
func (s store) approvals(ctx context.Context, team int64, waiting bool, now int64) ([]approvalRow, error) {
	q := s.db.Reader(ctx).Where("team_id = ?", team)
	if waiting {
		q = q.Where("state = ? AND expires_at > ?", ApprovalPending, now)
	} else {
		q = q.Where("NOT (state = ? AND expires_at > ?)", ApprovalPending, now)
	}
	var list []approvalRow
	err := q.Order("created_at DESC, id").Limit(100).Find(&list).Error
	return list, err
}

func (s store) approvalsOf(ctx context.Context, run string) ([]approvalRow, error) {
	var list []approvalRow
	err := s.db.Reader(ctx).Where("run_id = ?", run).Order("created_at, id").Find(&list).Error
	return list, err
}

func (s store) approvalsWhere(ctx context.Context, where string, args ...any) ([]approvalRow, error) {
	var list []approvalRow
	err := s.db.Writer(ctx).Where(where, args...).Limit(500).Find(&list).Error
	return list, err
}

// waitingLike counts what waits in a team, and finds the same call of the same person.
func (s store) waitingLike(ctx context.Context, team, proposer int64, hash string, now int64) (waiting int64, same approvalRow, found bool, err error) {
	q := s.db.Writer(ctx).Model(&approvalRow{}).Where("team_id = ? AND state = ? AND expires_at > ?", team, ApprovalPending, now)
	if err = q.Count(&waiting).Error; err != nil {
		return 0, same, false, err
	}
	var list []approvalRow
	err = s.db.Writer(ctx).Where("team_id = ? AND state = ? AND expires_at > ? AND proposer_id = ? AND args_sha256 = ?", team, ApprovalPending, now, proposer, hash).Limit(1).Find(&list).Error
	if err != nil || len(list) == 0 {
		return waiting, same, false, err
	}
	return waiting, list[0], true, nil
}

// decideApproval is won by one: whoever comes later, or too late, changes no row.
func (s store) decideApproval(ctx context.Context, id string, to ApprovalState, by, reason, node string, now int64) (won bool, err error) {
	r := s.db.Writer(ctx).Exec("UPDATE assistant_approvals SET state = ?, decided_by = ?, decided_at = ?, reason = ?, node = ? WHERE id = ? AND state = ? AND expires_at > ?",
		to, by, now, reason, node, id, ApprovalPending, now)
	return r.RowsAffected == 1, r.Error
}

func (s store) moveApproval(ctx context.Context, id string, from, to ApprovalState, node, outcome string, now int64) (won bool, err error) {
	r := s.db.Writer(ctx).Exec("UPDATE assistant_approvals SET state = ?, node = ?, outcome = ?, ended_at = ? WHERE id = ? AND state = ?", to, node, outcome, now, id, from)
	return r.RowsAffected == 1, r.Error
}

func (s store) shownAt(ctx context.Context, id, channel, message string) error {
	return s.db.Writer(ctx).Exec("UPDATE assistant_approvals SET channel = ?, message = ? WHERE id = ?", channel, message, id).Error
}

// pruneApprovals drops those that ended before a time.
func (s store) pruneApprovals(ctx context.Context, before int64) error {
	return s.db.Writer(ctx).Exec("DELETE FROM assistant_approvals WHERE created_at < ? AND state IN ?", before,
		[]ApprovalState{ApprovalDenied, ApprovalExpired, ApprovalDone, ApprovalFailed}).Error
}
