package edge

import (
	"context"
	"encoding/json"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/signalbox/signalbox/server/platform/api"
)

type expectedRow struct {
	TeamID                        int64  `gorm:"primaryKey"`
	Fingerprint                   string `gorm:"primaryKey"`
	Name, Site, Labels, CreatedBy string
	CreatedAt, ExpiresAt          int64
	NodeID                        string
	EnrolledAt                    int64
}

func (expectedRow) TableName() string { return "edge_expected" }

func (r expectedRow) expected() (Expected, error) {
	e := Expected{Fingerprint: r.Fingerprint, Name: r.Name, Site: r.Site, CreatedBy: r.CreatedBy, CreatedAt: api.Millis(r.CreatedAt), ExpiresAt: api.Millis(r.ExpiresAt), Node: r.NodeID, EnrolledAt: api.Millis(r.EnrolledAt)}
	return e, json.Unmarshal([]byte(r.Labels), &e.Labels)
}

// setExpected adds machines; one that is there already and has not come is replaced.
func (r rows) setExpected(ctx context.Context, team int64, list []Expected) error {
	out := make([]expectedRow, len(list))
	for i, e := range list {
		out[i] = expectedRow{team, e.Fingerprint, e.Name, e.Site, text(e.Labels), e.CreatedBy, int64(e.CreatedAt), int64(e.ExpiresAt), "", 0}
	}
	return r.db.Writer(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "team_id"}, {Name: "fingerprint"}},
		DoUpdates: clause.AssignmentColumns([]string{"name", "site", "labels", "created_by", "created_at", "expires_at"})}).CreateInBatches(&out, memberChunk).Error
}

func (r rows) allExpected(ctx context.Context, team int64) ([]Expected, error) {
	var list []expectedRow
	if err := r.db.Reader(ctx).Where("team_id = ?", team).Order("created_at DESC, fingerprint").Find(&list).Error; err != nil {
		return nil, err
	}
	out := make([]Expected, len(list))
	for i, row := range list {
		var err error
		if out[i], err = row.expected(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// expected is a machine that has not come yet and still may.
func (r rows) expected(ctx context.Context, team int64, fingerprint string, now int64) (Expected, bool, error) {
	var row expectedRow
	err := r.db.Reader(ctx).Where("team_id = ? AND fingerprint = ? AND expires_at > ? AND node_id = ''", team, fingerprint, now).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Expected{}, false, nil
	}
	if err != nil {
		return Expected{}, false, err
	}
	e, err := row.expected()
	return e, true, err
}

func (r rows) expectedCame(ctx context.Context, team int64, fingerprint, node string, at int64) error {
	return r.db.Writer(ctx).Exec("UPDATE edge_expected SET node_id = ?, enrolled_at = ? WHERE team_id = ? AND fingerprint = ?", node, at, team, fingerprint).Error
}

func (r rows) countExpected(ctx context.Context, team int64) (n int64, err error) {
	return n, r.db.Reader(ctx).Model(&expectedRow{}).Where("team_id = ?", team).Count(&n).Error
}

func (r rows) dropExpected(ctx context.Context, team int64, fingerprint string) (bool, error) {
	done := r.db.Writer(ctx).Exec("DELETE FROM edge_expected WHERE team_id = ? AND fingerprint = ?", team, fingerprint)
	return done.RowsAffected == 1, done.Error
}

// dropStaleExpected forgets machines that never came, or came long ago.
func (r rows) dropStaleExpected(ctx context.Context, before int64) error {
	return r.db.Writer(ctx).Exec("DELETE FROM edge_expected WHERE expires_at < ?", before).Error
}
