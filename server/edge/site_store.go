package edge

import (
	"context"

	"github.com/signalbox/signalbox/agents/protocol"
)

func (r rows) setSite(ctx context.Context, team int64, s Site) error {
	return r.db.Writer(ctx).Exec(`INSERT INTO edge_sites (team_id, name, description, kbps, hours, timezone) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (team_id, name) DO UPDATE SET description = excluded.description, kbps = excluded.kbps, hours = excluded.hours, timezone = excluded.timezone`,
		team, s.Name, s.Description, s.KBps, s.Hours, s.Timezone).Error
}

func (r rows) removeSite(ctx context.Context, team int64, name string) error {
	return r.db.Writer(ctx).Exec("DELETE FROM edge_sites WHERE team_id = ? AND name = ?", team, name).Error
}

func (r rows) siteRate(ctx context.Context, team int64, name string) (kbps int64, err error) {
	return kbps, r.db.Reader(ctx).Raw("SELECT COALESCE(MAX(kbps), 0) FROM edge_sites WHERE team_id = ? AND name = ?", team, name).Scan(&kbps).Error
}

// siteHours are the sites of a team whose nodes may not always fetch.
func (r rows) siteHours(ctx context.Context, team int64) (list []Site, err error) {
	return list, r.db.Reader(ctx).Raw("SELECT name, hours, timezone FROM edge_sites WHERE team_id = ? AND hours <> ''", team).Scan(&list).Error
}

// sites are those described and those that accepted nodes name, by name.
func (r rows) sites(ctx context.Context, team, silentSince int64) (list []Site, err error) {
	return list, r.db.Reader(ctx).Raw(`SELECT name, MAX(description) AS description, MAX(kbps) AS k_bps, MAX(hours) AS hours, MAX(timezone) AS timezone, SUM(nodes) AS nodes, SUM(offline) AS offline FROM (
			SELECT name, description, kbps, hours, timezone, 0 AS nodes, 0 AS offline FROM edge_sites WHERE team_id = ?
			UNION ALL
			SELECT site, '', 0, '', '', COUNT(*), SUM(CASE WHEN seen_at < ? THEN 1 ELSE 0 END) FROM edge_nodes WHERE team_id = ? AND state = ? AND site <> '' GROUP BY site
		) all_sites GROUP BY name ORDER BY name`, team, silentSince, team, protocol.NodeAccepted).Scan(&list).Error
}
