package edge

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/signalbox/signalbox/server/platform/database"
)

type policyRow struct {
	ID                        string `gorm:"primaryKey"`
	TeamID                    int64
	Name                      string
	Revision                  int64
	Body                      string
	SourceID, Path, CommitSHA string
	Wanted                    bool
	Problem                   string
	CreatedBy                 string
	CreatedAt                 int64
	ChangedBy                 string
	ChangedAt                 int64
}

func (policyRow) TableName() string { return "edge_policies" }

type revisionRow struct {
	PolicyID                string
	Revision                int64
	Body, CommitSHA, Reason string
	ChangedBy               string
	ChangedAt               int64
}

func (revisionRow) TableName() string { return "edge_policy_revisions" }

func (r rows) policies(ctx context.Context, team int64) ([]policyRow, error) {
	var list []policyRow
	err := r.db.Reader(ctx).Where("team_id = ?", team).Order("name").Find(&list).Error
	return list, err
}

func (r rows) policy(ctx context.Context, id string) (policyRow, error) {
	var row policyRow
	err := r.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such policy.")
}

func (r rows) policyNamed(ctx context.Context, team int64, name string) (policyRow, bool, error) {
	var row policyRow
	err := r.db.Reader(ctx).Where("team_id = ? AND name = ?", team, name).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, false, nil
	}
	return row, err == nil, err
}

func (r rows) policiesOf(ctx context.Context, source string) ([]policyRow, error) {
	var list []policyRow
	err := r.db.Reader(ctx).Where("source_id = ?", source).Order("name").Find(&list).Error
	return list, err
}

// wantedPolicies are those that wait for their bundle, of all teams.
func (r rows) wantedPolicies(ctx context.Context) ([]policyRow, error) {
	var list []policyRow
	err := r.db.Reader(ctx).Where("wanted = ?", true).Order("team_id, name").Find(&list).Error
	return list, err
}

func (r rows) insertPolicy(ctx context.Context, row policyRow, reason string) error {
	if err := r.db.Writer(ctx).Create(&row).Error; err != nil {
		return err
	}
	return r.insertRevision(ctx, row, reason)
}

func (r rows) insertRevision(ctx context.Context, row policyRow, reason string) error {
	return r.db.Writer(ctx).Create(&revisionRow{row.ID, row.Revision, row.Body, row.CommitSHA, reason, row.ChangedBy, row.ChangedAt}).Error
}

// setPolicy writes a new revision, unless another came first; false then.
func (r rows) setPolicy(ctx context.Context, row policyRow, reason string) (bool, error) {
	done := r.db.Writer(ctx).Model(&policyRow{}).Where("id = ? AND revision = ?", row.ID, row.Revision-1).Updates(map[string]any{
		"name": row.Name, "revision": row.Revision, "body": row.Body, "source_id": row.SourceID, "path": row.Path, "commit_sha": row.CommitSHA,
		"changed_by": row.ChangedBy, "changed_at": row.ChangedAt,
	})
	if done.Error != nil || done.RowsAffected == 0 {
		return false, done.Error
	}
	return true, r.insertRevision(ctx, row, reason)
}

// setWanted notes whether a policy waits to be rolled out, and what hinders it.
func (r rows) setWanted(ctx context.Context, id string, wanted bool, problem string) error {
	return r.db.Writer(ctx).Model(&policyRow{}).Where("id = ?", id).Updates(map[string]any{"wanted": wanted, "problem": problem}).Error
}

func (r rows) setPolicySource(ctx context.Context, id, source, path, commit string) error {
	return r.db.Writer(ctx).Model(&policyRow{}).Where("id = ?", id).Updates(map[string]any{"source_id": source, "path": path, "commit_sha": commit}).Error
}

func (r rows) deletePolicy(ctx context.Context, id string) error {
	return r.db.Writer(ctx).Where("id = ?", id).Delete(&policyRow{}).Error
}

func (r rows) revisions(ctx context.Context, policy string, limit int) ([]revisionRow, error) {
	var list []revisionRow
	err := r.db.Reader(ctx).Where("policy_id = ?", policy).Order("revision DESC").Limit(limit).Find(&list).Error
	return list, err
}

type freezeRow struct {
	ID           string `gorm:"primaryKey"`
	TeamID       int64
	Reason       string
	FromAt, ToAt int64
	Allow        string
	CreatedBy    string
	CreatedAt    int64
}

func (freezeRow) TableName() string { return "edge_freezes" }

// freezes of a team that end after an instant.
func (r rows) freezes(ctx context.Context, team, after int64) ([]freezeRow, error) {
	var list []freezeRow
	err := r.db.Reader(ctx).Where("team_id = ? AND to_at > ?", team, after).Order("from_at, id").Find(&list).Error
	return list, err
}

func (r rows) freeze(ctx context.Context, id string) (freezeRow, error) {
	var row freezeRow
	err := r.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such freeze.")
}

func (r rows) insertFreeze(ctx context.Context, row freezeRow) error {
	return r.db.Writer(ctx).Create(&row).Error
}

func (r rows) setFreeze(ctx context.Context, row freezeRow) error {
	return r.db.Writer(ctx).Model(&freezeRow{}).Where("id = ?", row.ID).Updates(map[string]any{"reason": row.Reason, "from_at": row.FromAt, "to_at": row.ToAt, "allow": row.Allow}).Error
}

func (r rows) deleteFreeze(ctx context.Context, id string) error {
	return r.db.Writer(ctx).Where("id = ?", id).Delete(&freezeRow{}).Error
}

type sourceRow struct {
	ID                         string `gorm:"primaryKey"`
	TeamID                     int64
	Repository, Branch, Folder string
	Starts                     bool
	OnRevert, CommitSHA        string
	SyncedAt                   int64
	Problems                   string
	CreatedBy                  string
	CreatedAt                  int64
}

func (sourceRow) TableName() string { return "edge_policy_sources" }

func (r rows) policySources(ctx context.Context, team int64) ([]sourceRow, error) {
	var list []sourceRow
	err := r.db.Reader(ctx).Where("team_id = ?", team).Order("repository, branch, folder").Find(&list).Error
	return list, err
}

// sourcesOf are those that read a branch of a repository.
func (r rows) sourcesOf(ctx context.Context, team int64, repository, branch string) ([]sourceRow, error) {
	var list []sourceRow
	err := r.db.Reader(ctx).Where("team_id = ? AND repository = ? AND branch = ?", team, repository, branch).Find(&list).Error
	return list, err
}

// staleSources are those of any team at which nobody has looked since an instant.
func (r rows) staleSources(ctx context.Context, since int64) ([]sourceRow, error) {
	var list []sourceRow
	err := r.db.Reader(ctx).Where("synced_at < ?", since).Order("synced_at").Limit(100).Find(&list).Error
	return list, err
}

func (r rows) policySource(ctx context.Context, id string) (sourceRow, error) {
	var row sourceRow
	err := r.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such source of policies.")
}

func (r rows) insertPolicySource(ctx context.Context, row sourceRow) error {
	return r.db.Writer(ctx).Create(&row).Error
}

// changePolicySource writes what people may change of one.
func (r rows) changePolicySource(ctx context.Context, row sourceRow) error {
	return r.db.Writer(ctx).Model(&sourceRow{}).Where("id = ?", row.ID).Updates(map[string]any{"branch": row.Branch, "folder": row.Folder, "starts": row.Starts, "on_revert": row.OnRevert}).Error
}

// setSynced notes how the last look at a repository went; an empty commit keeps the last.
func (r rows) setSynced(ctx context.Context, id, commit string, at int64, problems string) error {
	set := map[string]any{"synced_at": at, "problems": problems}
	if commit != "" {
		set["commit_sha"] = commit
	}
	return r.db.Writer(ctx).Model(&sourceRow{}).Where("id = ?", id).Updates(set).Error
}

func (r rows) deletePolicySource(ctx context.Context, id string) error {
	if err := r.db.Writer(ctx).Model(&policyRow{}).Where("source_id = ?", id).Updates(map[string]any{"source_id": "", "path": "", "commit_sha": ""}).Error; err != nil {
		return err
	}
	return r.db.Writer(ctx).Where("id = ?", id).Delete(&sourceRow{}).Error
}
