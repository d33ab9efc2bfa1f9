package edge

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"gorm.io/gorm"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/database"
)

type rolloutRow struct {
	ID                                      string `gorm:"primaryKey"`
	TeamID, Number                          int64
	PolicyID, Policy                        string
	Revision                                int64
	Body, BundleID                          string
	BundleVersion                           int64
	ManifestSHA256                          string `gorm:"column:manifest_sha256"`
	Severities                              string
	State                                   rollout.State
	Reason, Waits                           string
	Batches, Batch                          int
	ClosedAt                                int64
	Proceeds                                bool
	SinceAt, DeadlineAt, AgainAt, OrderedAt int64
	CreatedBy                               string
	CreatedAt, StartedAt, EndedAt           int64
}

func (rolloutRow) TableName() string { return "edge_rollouts" }

// mends is what severities its bundle mends.
func (r *rolloutRow) mends() []string {
	var list []string
	if json.Unmarshal([]byte(r.Severities), &list) != nil {
		return nil // written by us
	}
	return list
}

type batchRow struct {
	RolloutID          string `gorm:"primaryKey"`
	Number             int    `gorm:"primaryKey"`
	Size               int
	Canary             bool
	OpenedAt, ClosedAt int64
}

func (batchRow) TableName() string { return "edge_rollout_batches" }

type memberRow struct {
	RolloutID, NodeID                           string
	TeamID                                      int64
	Name, Site, Variant, Zone                   string
	Batch                                       int
	State                                       rollout.NodeState
	AgentState                                  protocol.State
	Reason                                      string
	ExitCode                                    int64
	ReleasedAt, DeliveredAt, EndedAt, ChangedAt int64
}

func (memberRow) TableName() string { return "edge_rollout_nodes" }

type rolloutEventRow struct {
	ID                         int64 `gorm:"primaryKey"`
	RolloutID                  string
	At                         int64
	Kind, State, Actor, Reason string
}

func (rolloutEventRow) TableName() string { return "edge_rollout_events" }

type approvalRow struct {
	RolloutID     string
	UserID        int64
	Name, Comment string
	At            int64
}

func (approvalRow) TableName() string { return "edge_rollout_approvals" }

// lockTeam makes changes of a team's rollouts wait for each other; SQLite has one
// writer anyway.
func (r rows) lockTeam(ctx context.Context, team int64) error {
	if r.db.Dialect != database.Postgres {
		return nil
	}
	var id int64
	return r.db.Writer(ctx).Raw("SELECT id FROM accounts_teams WHERE id = ? FOR UPDATE", team).Scan(&id).Error
}

// rollout reads one; lock makes others who change it wait for this transaction.
func (r rows) rollout(ctx context.Context, id string, lock bool) (rolloutRow, error) {
	var row rolloutRow
	q := r.db.Reader(ctx)
	if lock && r.db.Dialect == database.Postgres {
		q = q.Raw("SELECT * FROM edge_rollouts WHERE id = ? FOR UPDATE", id)
	} else {
		q = q.Raw("SELECT * FROM edge_rollouts WHERE id = ?", id)
	}
	if err := q.Take(&row).Error; err != nil {
		return row, database.NotFound(err, "There is no such rollout.")
	}
	return row, nil
}

// rolloutFilter chooses a team's rollouts; zero fields do not narrow.
type rolloutFilter struct {
	team          int64
	state, policy string
	before        int64
	limit         int
}

func (r rows) rollouts(ctx context.Context, f rolloutFilter) ([]rolloutRow, error) {
	q := r.db.Reader(ctx).Where("team_id = ?", f.team)
	if f.state != "" {
		q = q.Where("state = ?", f.state)
	}
	if f.policy != "" {
		q = q.Where("policy_id = ?", f.policy)
	}
	if f.before > 0 {
		q = q.Where("number < ?", f.before)
	}
	var list []rolloutRow
	err := q.Order("number DESC").Limit(f.limit).Find(&list).Error
	return list, err
}

// activeStates are those in which nodes may have orders.
var activeStates = []rollout.State{rollout.Running, rollout.Paused, rollout.RollingBack}

// openStates are those in which the loop has something to look after.
var openStates = append(slices.Clone(activeStates), rollout.AwaitingApproval)

func (r rows) openRollouts(ctx context.Context) ([]rolloutRow, error) {
	var list []rolloutRow
	err := r.db.Reader(ctx).Where("state IN ?", openStates).Order("team_id, number").Find(&list).Error
	return list, err
}

// involved gives the nodes that have orders, and in which rollout.
func (r rows) involved(ctx context.Context) (map[string]string, error) {
	var list []struct{ NodeID, RolloutID string }
	err := r.db.Reader(ctx).Raw(`SELECT m.node_id, m.rollout_id FROM edge_rollouts r JOIN edge_rollout_nodes m ON m.rollout_id = r.id
		WHERE r.state IN ? AND m.batch >= 0 ORDER BY r.created_at`, activeStates).Scan(&list).Error
	out := make(map[string]string, len(list))
	for _, l := range list {
		out[l.NodeID] = l.RolloutID
	}
	return out, err
}

// busy gives a team's nodes that take part in a rollout which is not over, with
// its number.
func (r rows) busy(ctx context.Context, team int64) (map[string]int64, error) {
	var list []struct {
		NodeID string
		Number int64
	}
	err := r.db.Reader(ctx).Raw(`SELECT m.node_id, r.number FROM edge_rollouts r JOIN edge_rollout_nodes m ON m.rollout_id = r.id
		WHERE r.team_id = ? AND r.state IN ? AND m.batch >= 0 AND m.state NOT IN ?`, team, openStates, finalStates()).Scan(&list).Error
	out := make(map[string]int64, len(list))
	for _, l := range list {
		out[l.NodeID] = l.Number
	}
	return out, err
}

func finalStates() (list []rollout.NodeState) {
	for _, s := range rollout.NodeStates {
		if s.Final() {
			list = append(list, s)
		}
	}
	return list
}

// reached gives the highest version of a channel that each of a team's nodes has installed.
func (r rows) reached(ctx context.Context, team int64, channel string) (map[string]int64, error) {
	var list []struct {
		NodeID  string
		Version int64
	}
	err := r.db.Reader(ctx).Raw(`SELECT m.node_id, MAX(r.bundle_version) AS version FROM edge_rollouts r
		JOIN edge_bundles b ON b.team_id = r.team_id AND b.id = r.bundle_id AND b.channel = ?
		JOIN edge_rollout_nodes m ON m.rollout_id = r.id
		WHERE r.team_id = ? AND m.state = ? GROUP BY m.node_id`, channel, team, rollout.Succeeded).Scan(&list).Error
	out := make(map[string]int64, len(list))
	for _, l := range list {
		out[l.NodeID] = l.Version
	}
	return out, err
}

// installedLater has the nodes that a later rollout reached, or is about to.
func (r rows) installedLater(ctx context.Context, team, number int64) (map[string]bool, error) {
	var list []string
	err := r.db.Reader(ctx).Raw(`SELECT DISTINCT m.node_id FROM edge_rollouts r JOIN edge_rollout_nodes m ON m.rollout_id = r.id
		WHERE r.team_id = ? AND r.number > ? AND m.batch >= 0 AND m.state IN ?`, team, number,
		[]rollout.NodeState{rollout.Waiting, rollout.Released, rollout.Installing, rollout.Deferred, rollout.Away, rollout.Succeeded, rollout.Silent, rollout.Reverting}).Scan(&list).Error
	out := make(map[string]bool, len(list))
	for _, id := range list {
		out[id] = true
	}
	return out, err
}

func (r rows) nextRolloutNumber(ctx context.Context, team int64) (int64, error) {
	var n int64
	err := r.db.Reader(ctx).Raw("SELECT COALESCE(MAX(number), 0) + 1 FROM edge_rollouts WHERE team_id = ?", team).Scan(&n).Error
	return n, err
}

// activeOf is the rollout of a policy that is not over.
func (r rows) activeOf(ctx context.Context, policy string) (rolloutRow, bool, error) {
	var row rolloutRow
	err := r.db.Reader(ctx).Where("policy_id = ? AND state IN ?", policy, openStates).Order("number DESC").Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, false, nil
	}
	return row, err == nil, err
}

// newestRollouts gives the last rollout of each of a team's policies.
func (r rows) newestRollouts(ctx context.Context, team int64) (map[string]rolloutRow, error) {
	var list []rolloutRow
	err := r.db.Reader(ctx).Raw(`SELECT id, number, policy_id, state FROM edge_rollouts WHERE team_id = ? AND number IN
		(SELECT MAX(number) FROM edge_rollouts WHERE team_id = ? GROUP BY policy_id)`, team, team).Scan(&list).Error
	out := make(map[string]rolloutRow, len(list))
	for _, row := range list {
		out[row.PolicyID] = row
	}
	return out, err
}

// lastOf is the newest rollout of a policy that anything was installed by.
func (r rows) lastOf(ctx context.Context, policy string) (rolloutRow, bool, error) {
	var row rolloutRow
	err := r.db.Reader(ctx).Where("policy_id = ? AND started_at > 0", policy).Order("number DESC").Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, false, nil
	}
	return row, err == nil, err
}

// dropRollouts removes those that ended before an instant and are not their policy's last.
func (r rows) dropRollouts(ctx context.Context, before int64) error {
	return r.db.Writer(ctx).Exec(`DELETE FROM edge_rollouts WHERE ended_at > 0 AND ended_at < ? AND EXISTS
		(SELECT 1 FROM edge_rollouts AS newer WHERE newer.policy_id = edge_rollouts.policy_id AND newer.number > edge_rollouts.number)`, before).Error
}

const memberChunk = 400

func (r rows) insertRollout(ctx context.Context, row rolloutRow, batches []batchRow, members []memberRow) error {
	w := r.db.Writer(ctx)
	if err := w.Create(&row).Error; err != nil {
		return err
	}
	if len(batches) > 0 {
		if err := w.CreateInBatches(&batches, memberChunk).Error; err != nil {
			return err
		}
	}
	if len(members) > 0 {
		return w.CreateInBatches(&members, memberChunk).Error
	}
	return nil
}

func (r rows) insertBatch(ctx context.Context, row batchRow) error {
	return r.db.Writer(ctx).Create(&row).Error
}

// setRollout writes what a rollout's life changes.
func (r rows) setRollout(ctx context.Context, row rolloutRow) error {
	return r.db.Writer(ctx).Model(&rolloutRow{}).Where("id = ?", row.ID).Updates(map[string]any{
		"state": row.State, "reason": row.Reason, "waits": row.Waits, "batches": row.Batches, "batch": row.Batch, "closed_at": row.ClosedAt, "proceeds": row.Proceeds, "since_at": row.SinceAt,
		"again_at": row.AgainAt, "ordered_at": row.OrderedAt, "started_at": row.StartedAt, "ended_at": row.EndedAt,
	}).Error
}

// reorder notes that the orders of a team's nodes changed.
func (r rows) reorder(ctx context.Context, team, at int64) error {
	return r.db.Writer(ctx).Model(&rolloutRow{}).Where("team_id = ? AND state IN ?", team, openStates).Updates(map[string]any{"ordered_at": at}).Error
}

func (r rows) setBatch(ctx context.Context, id string, number int, column string, at int64) error {
	return r.db.Writer(ctx).Exec("UPDATE edge_rollout_batches SET "+column+" = ? WHERE rollout_id = ? AND number = ?", at, id, number).Error
}

func (r rows) batches(ctx context.Context, id string) ([]batchRow, error) {
	var list []batchRow
	err := r.db.Reader(ctx).Where("rollout_id = ?", id).Order("number").Find(&list).Error
	return list, err
}

func (r rows) insertRolloutEvent(ctx context.Context, row rolloutEventRow) error {
	return r.db.Writer(ctx).Create(&row).Error
}

func (r rows) rolloutEvents(ctx context.Context, id string, limit int) ([]rolloutEventRow, error) {
	var list []rolloutEventRow
	err := r.db.Reader(ctx).Where("rollout_id = ?", id).Order("id DESC").Limit(limit).Find(&list).Error
	return list, err
}

func (r rows) insertApproval(ctx context.Context, row approvalRow) error {
	return r.db.Writer(ctx).Create(&row).Error
}

func (r rows) approvals(ctx context.Context, id string) ([]approvalRow, error) {
	var list []approvalRow
	err := r.db.Reader(ctx).Where("rollout_id = ?", id).Order("at, user_id").Find(&list).Error
	return list, err
}

// severities of what a bundle mends.
func (r rows) severities(ctx context.Context, team int64, bundle string) ([]string, error) {
	var list []string
	err := r.db.Reader(ctx).Raw("SELECT DISTINCT LOWER(severity) FROM edge_fixes WHERE team_id = ? AND bundle_id = ? AND severity <> '' ORDER BY 1", team, bundle).Scan(&list).Error
	return list, err
}
