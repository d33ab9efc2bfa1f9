package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type bundleRow struct {
	TeamID                           int64
	ID                               string
	Version                          int64
	Channel                          string
	CreatedAt                        int64 `gorm:"autoCreateTime:false"`
	ExpiresAt                        int64
	ManifestSHA256                   string `gorm:"column:manifest_sha256"`
	SBOMSHA256                       string `gorm:"column:sbom_sha256"`
	Variants                         string
	Fixes, Packages, Size, DeltaSize int64
	Signers, PublishedBy             string
	PublishedAt                      int64
}

func (bundleRow) TableName() string { return "edge_bundles" }

func (r bundleRow) bundle() (Bundle, error) {
	b := Bundle{ID: r.ID, Team: r.TeamID, Version: r.Version, Channel: r.Channel, CreatedAt: api.Millis(r.CreatedAt), ExpiresAt: api.Millis(r.ExpiresAt), ManifestSHA256: r.ManifestSHA256, SBOMSHA256: r.SBOMSHA256,
		Fixes: r.Fixes, Packages: r.Packages, Size: r.Size, DeltaSize: r.DeltaSize, PublishedBy: r.PublishedBy, PublishedAt: api.Millis(r.PublishedAt)}
	if err := json.Unmarshal([]byte(r.Variants), &b.Variants); err != nil {
		return b, fmt.Errorf("read bundle %s: %w", r.ID, err)
	}
	if err := json.Unmarshal([]byte(r.Signers), &b.Signers); err != nil {
		return b, fmt.Errorf("read bundle %s: %w", r.ID, err)
	}
	return b, nil
}

func (r rows) insertBundle(ctx context.Context, b Bundle) error {
	row := bundleRow{b.Team, b.ID, b.Version, b.Channel, int64(b.CreatedAt), int64(b.ExpiresAt), b.ManifestSHA256, b.SBOMSHA256, text(b.Variants), b.Fixes, b.Packages, b.Size, b.DeltaSize, text(b.Signers), b.PublishedBy, int64(b.PublishedAt)}
	err := r.db.Writer(ctx).Create(&row).Error
	if database.IsDuplicate(err) {
		return problem.New(problem.Conflict, "There is a bundle %s already.", b.ID)
	}
	return err
}

func (r rows) bundle(ctx context.Context, team int64, id string) (Bundle, error) {
	var row bundleRow
	if err := r.db.Reader(ctx).Where("team_id = ? AND id = ?", team, id).Take(&row).Error; err != nil {
		return Bundle{}, database.NotFound(err, "There is no bundle %.128s.", id)
	}
	return row.bundle()
}

func (r rows) bundles(ctx context.Context, team int64) ([]Bundle, error) {
	var list []bundleRow
	if err := r.db.Reader(ctx).Where("team_id = ?", team).Order("published_at DESC, version DESC, id").Limit(1000).Find(&list).Error; err != nil {
		return nil, err
	}
	out := make([]Bundle, len(list))
	for i, row := range list {
		b, err := row.bundle()
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	return out, nil
}

// newest is the highest version that a channel has had.
func (r rows) newest(ctx context.Context, team int64, channel string) (n int64, err error) {
	return n, r.db.Reader(ctx).Raw("SELECT COALESCE(MAX(version), 0) FROM edge_bundles WHERE team_id = ? AND channel = ?", team, channel).Scan(&n).Error
}

func (r rows) nodesWith(ctx context.Context, team int64, id string) (map[string]int64, error) {
	var list []struct {
		AgentState string
		N          int64
	}
	err := r.db.Reader(ctx).Raw("SELECT agent_state, COUNT(*) AS n FROM edge_nodes WHERE team_id = ? AND bundle = ? AND state = ? GROUP BY agent_state", team, id, protocol.NodeAccepted).Scan(&list).Error
	out := map[string]int64{}
	for _, l := range list {
		out[l.AgentState] = l.N
	}
	return out, err
}

func (r rows) removeBundle(ctx context.Context, team int64, id string) error {
	return r.db.Writer(ctx).Where("team_id = ? AND id = ?", team, id).Delete(&bundleRow{}).Error
}

type blobRow struct {
	TeamID   int64
	SHA256   string `gorm:"column:sha256"`
	BundleID string
	Size     int64
}

func (blobRow) TableName() string { return "edge_bundle_blobs" }

func (r rows) insertBlobs(ctx context.Context, list []blobRow) error {
	for part := range slices.Chunk(list, 500) {
		if err := r.db.Writer(ctx).Create(&part).Error; err != nil {
			return err
		}
	}
	return nil
}

func (r rows) blobsOf(ctx context.Context, team int64, id string) (list []string, err error) {
	return list, r.db.Reader(ctx).Model(&blobRow{}).Where("team_id = ? AND bundle_id = ?", team, id).Order("sha256").Pluck("sha256", &list).Error
}

// hasBlob tells whether a bundle of the team has a blob: what else the team stores is not for nodes.
func (r rows) hasBlob(ctx context.Context, team int64, sha string) (bool, error) {
	var n int64
	err := r.db.Reader(ctx).Model(&blobRow{}).Where("team_id = ? AND sha256 = ?", team, sha).Limit(1).Count(&n).Error
	return n > 0, err
}

type fixRow struct {
	TeamID                                                           int64
	BundleID, Variant, CVE, Source, FixedVersion, Severity, Advisory string
}

func (fixRow) TableName() string { return "edge_fixes" }

func (r rows) insertFixes(ctx context.Context, list []fixRow) error {
	for part := range slices.Chunk(list, 500) {
		if err := r.db.Writer(ctx).Create(&part).Error; err != nil {
			return err
		}
	}
	return nil
}
