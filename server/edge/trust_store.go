package edge

import (
	"context"
	"encoding/hex"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

const keyTable = "edge_timestamp_keys"

// SealedColumns are where the service keeps what is sealed.
func SealedColumns() []secrets.Column {
	return []secrets.Column{{Table: keyTable, Name: "sealed", Keys: []string{"id"}, Row: secrets.ByKey}}
}

type metadataRow struct {
	TeamID    int64
	Role      string
	Version   int64
	Body      string
	ExpiresAt int64
	AddedBy   string
	AddedAt   int64
}

func (metadataRow) TableName() string { return "edge_metadata" }

func metadataOf(role string, d bundle.Document, body []byte) metadataRow {
	return metadataRow{Role: role, Version: d.Version, Body: string(body), ExpiresAt: d.Expires.UnixMilli()}
}

// metadata is everything that a team has accepted; roots ascend.
func (r rows) metadata(ctx context.Context, team int64) (bundle.Set, error) {
	var list []metadataRow
	if err := r.db.Reader(ctx).Where("team_id = ?", team).Order("role, version").Find(&list).Error; err != nil {
		return bundle.Set{}, err
	}
	var set bundle.Set
	for _, row := range list {
		switch row.Role {
		case "root":
			set.Roots = append(set.Roots, []byte(row.Body))
		case "targets":
			set.Targets = []byte(row.Body)
		case "snapshot":
			set.Snapshot = []byte(row.Body)
		case "timestamp":
			set.Timestamp = []byte(row.Body)
		}
	}
	return set, nil
}

func (r rows) insertRoot(ctx context.Context, team int64, row metadataRow, by string, at int64) error {
	row.TeamID, row.AddedBy, row.AddedAt = team, by, at
	err := r.db.Writer(ctx).Create(&row).Error
	if database.IsDuplicate(err) {
		return problem.New(problem.Conflict, "Root %d was brought by somebody else meanwhile.", row.Version)
	}
	return err
}

// setMetadata replaces a role's document; only roots keep their past.
func (r rows) setMetadata(ctx context.Context, team int64, row metadataRow, by string, at int64) error {
	row.TeamID, row.AddedBy, row.AddedAt = team, by, at
	if err := r.db.Writer(ctx).Where("team_id = ? AND role = ?", team, row.Role).Delete(&metadataRow{}).Error; err != nil {
		return err
	}
	return r.db.Writer(ctx).Create(&row).Error
}

func (r rows) metadataVersion(ctx context.Context, team int64, role string) (n int64, err error) {
	return n, r.db.Reader(ctx).Raw("SELECT COALESCE(MAX(version), 0) FROM edge_metadata WHERE team_id = ? AND role = ?", team, role).Scan(&n).Error
}

func (r rows) staleTimestamps(ctx context.Context, before int64) (teams []int64, err error) {
	return teams, r.db.Reader(ctx).Raw("SELECT team_id FROM edge_metadata WHERE role = 'timestamp' AND expires_at < ? ORDER BY team_id", before).Scan(&teams).Error
}

type keyRow struct {
	ID        string `gorm:"primaryKey"`
	TeamID    int64
	PublicKey string
	Sealed    []byte
	CreatedBy string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
}

func (keyRow) TableName() string { return keyTable }

func (r rows) timestampKeys(ctx context.Context, team int64) (list []keyRow, err error) {
	return list, r.db.Reader(ctx).Where("team_id = ?", team).Order("created_at DESC, id").Find(&list).Error
}

func (r rows) insertTimestampKey(ctx context.Context, team int64, k timestampKey, sealed []byte) error {
	return r.db.Writer(ctx).Create(&keyRow{k.ID, team, hex.EncodeToString(k.Public), sealed, k.CreatedBy, int64(k.CreatedAt)}).Error
}

// rootVersions counts accepted nodes by the root that they trust.
func (r rows) rootVersions(ctx context.Context, team int64) (map[int64]int, error) {
	var list []struct {
		RootVersion int64
		N           int
	}
	err := r.db.Reader(ctx).Raw("SELECT root_version, COUNT(*) AS n FROM edge_nodes WHERE team_id = ? AND state = 'accepted' GROUP BY root_version", team).Scan(&list).Error
	out := map[int64]int{}
	for _, l := range list {
		out[l.RootVersion] = l.N
	}
	return out, err
}
