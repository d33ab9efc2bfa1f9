package edge

import (
	"context"
	"slices"

	"github.com/signalbox/signalbox/server/platform/database"
)

type setRow struct {
	ID            int64 `gorm:"primaryKey"`
	TeamID        int64
	SHA256        string `gorm:"column:sha256"`
	PackageSystem string
	Packages      int64
	Body          []byte
	CreatedAt     int64 `gorm:"autoCreateTime:false"`
}

func (setRow) TableName() string { return "edge_sets" }

type setSourceRow struct {
	SetID           int64
	Source, Version string
}

func (setSourceRow) TableName() string { return "edge_set_sources" }

// setID is a set's; 0 when there is none.
func (r rows) setID(ctx context.Context, team int64, sha string) (id int64, err error) {
	return id, r.db.Reader(ctx).Raw("SELECT COALESCE(MAX(id), 0) FROM edge_sets WHERE team_id = ? AND sha256 = ?", team, sha).Scan(&id).Error
}

func (r rows) insertSet(ctx context.Context, set packageSet, sources []source, at int64) (int64, error) {
	// Two alike nodes may come at once.
	made := r.db.Writer(ctx).Exec(`INSERT INTO edge_sets (team_id, sha256, package_system, packages, body, created_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (team_id, sha256) DO NOTHING`,
		set.Team, set.SHA256, set.System, set.Packages, set.Body, at)
	if made.Error != nil {
		return 0, made.Error
	}
	id, err := r.setID(ctx, set.Team, set.SHA256)
	if err != nil || made.RowsAffected == 0 {
		return id, err
	}
	for part := range slices.Chunk(sources, 500) {
		list := make([]setSourceRow, len(part))
		for i, s := range part {
			list[i] = setSourceRow{id, s.Name, s.Version}
		}
		if err := r.db.Writer(ctx).Create(&list).Error; err != nil {
			return 0, err
		}
	}
	return id, nil
}

func (r rows) setInventory(ctx context.Context, n Node) error {
	if n.Held == nil {
		n.Held = []string{}
	}
	return r.db.Writer(ctx).Exec(`UPDATE edge_nodes SET set_id = ?, inventory_sha256 = ?, inventory_at = ?, held = ?, kernel = ?, booted_at = ?, os_id = ?, version_id = ?, codename = ?, variant = ? WHERE id = ?`,
		n.Set, n.InventorySHA256, int64(n.InventoryAt), text(n.Held), n.Kernel, int64(n.BootedAt), n.OSID, n.VersionID, n.Codename, n.Variant, n.ID).Error
}

func (r rows) setBody(ctx context.Context, team, id int64) ([]byte, error) {
	var row setRow
	err := r.db.Reader(ctx).Where("team_id = ? AND id = ?", team, id).Take(&row).Error
	return row.Body, database.NotFound(err, "There is no such list of packages.")
}

// dropSets forgets lists that no node has any more.
func (r rows) dropSets(ctx context.Context, before int64) error {
	return r.db.Writer(ctx).Exec("DELETE FROM edge_sets WHERE created_at < ? AND NOT EXISTS (SELECT 1 FROM edge_nodes n WHERE n.set_id = edge_sets.id)", before).Error
}
