package edge

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
)

func (r rows) threadBetween(ctx context.Context, team, from, to int64, limit int) (list []threadRow, err error) {
	err = r.db.Reader(ctx).Raw(`SELECT * FROM (
		SELECT 'rollout' AS kind, o.id, o.policy AS name, e.reason AS detail, e.state, e.actor, o.bundle_id AS bundle, o.number, e.at
			FROM edge_rollout_events e JOIN edge_rollouts o ON o.id = e.rollout_id WHERE o.team_id = ? AND e.kind IN ('created', 'state') AND e.at >= ? AND e.at < ?
		UNION ALL SELECT 'bundle', id, id, '', '', published_by, id, 0, published_at FROM edge_bundles WHERE team_id = ? AND published_at >= ? AND published_at < ?
		UNION ALL SELECT 'node', n.id, n.name, e.message, CASE WHEN e.kind = 'report' THEN e.state ELSE e.kind END, e.actor, e.bundle, 0, e.received_at
			FROM edge_events e JOIN edge_nodes n ON n.id = e.node_id WHERE e.team_id = ? AND e.received_at >= ? AND e.received_at < ?
			AND ((e.kind = 'report' AND e.exit_code > 0) OR e.kind IN ('doubled', 'revoked', 'returned'))
		) x ORDER BY at DESC LIMIT ?`, team, from, to, team, from, to, team, from, to, limit).Scan(&list).Error
	return list, err
}

func (r rows) threadLike(ctx context.Context, team int64, text string, limit int) (list []threadRow, err error) {
	like := database.Containing(text)
	err = r.db.Reader(ctx).Raw(`SELECT * FROM (
		SELECT 'node' AS kind, id, name, site || ' · ' || variant AS detail, 0 AS place, seen_at AS at FROM edge_nodes WHERE team_id = ? AND (LOWER(name) LIKE ? ESCAPE '\' OR LOWER(hostname) LIKE ? ESCAPE '\')
		UNION ALL SELECT 'bundle', id, id, channel, 1, published_at FROM edge_bundles WHERE team_id = ? AND LOWER(id) LIKE ? ESCAPE '\'
		UNION ALL SELECT 'rollout', id, 'Rollout ' || number || ' of ' || bundle_id, policy || ' · ' || state, 2, created_at FROM edge_rollouts WHERE team_id = ? AND LOWER('rollout ' || number || ' of ' || bundle_id || policy) LIKE ? ESCAPE '\'
		UNION ALL SELECT 'policie', id, name, '', 3, 0 FROM edge_policies WHERE team_id = ? AND LOWER(name) LIKE ? ESCAPE '\'
		UNION ALL SELECT 'site', name, name, description, 3, 0 FROM edge_sites WHERE team_id = ? AND LOWER(name) LIKE ? ESCAPE '\'
		UNION ALL SELECT 'cve', cve, cve, MAX(source), 3, 0 FROM edge_fixes WHERE team_id = ? AND LOWER(cve) LIKE ? ESCAPE '\' GROUP BY cve
		) x ORDER BY place, at DESC, name LIMIT ?`, team, like, like, team, like, team, like, team, like, team, like, team, like, limit).Scan(&list).Error
	return list, err
}

func (r rows) threadStanding(ctx context.Context, team int64) (list []threadRow, err error) {
	err = r.db.Reader(ctx).Raw(`SELECT 'rollout' AS kind, id, policy AS name, reason AS detail, state, bundle_id AS bundle, number, COALESCE((SELECT MAX(at) FROM edge_rollout_events e WHERE e.rollout_id = o.id AND e.kind IN ('created', 'state')), created_at) AS at
		FROM edge_rollouts o WHERE team_id = ? AND state IN ('paused', 'awaiting-approval') ORDER BY number DESC LIMIT 50`, team).Scan(&list).Error
	return list, err
}

func (r rows) threadPending(ctx context.Context, team int64) (n, since int64, err error) {
	var row struct{ N, Since int64 }
	err = r.db.Reader(ctx).Raw("SELECT COUNT(*) AS n, COALESCE(MIN(enrolled_at), 0) AS since FROM edge_nodes WHERE team_id = ? AND state = 'pending'", team).Scan(&row).Error
	return row.N, row.Since, err
}

// threadBundles gives bundles by their ids.
func (r rows) threadBundles(ctx context.Context, team int64, ids []string) (map[string]Bundle, error) {
	var list []bundleRow
	if err := r.db.Reader(ctx).Where("team_id = ? AND id IN ?", team, append([]string{""}, ids...)).Find(&list).Error; err != nil {
		return nil, err
	}
	out := map[string]Bundle{}
	for _, row := range list {
		b, err := row.bundle()
		if err != nil {
			return nil, err
		}
		out[b.ID] = b
	}
	return out, nil
}

// A node's part in a rollout.
type threadPatch struct {
	Rollout, Bundle, State, Reason string
	Number, At                     int64
}

func (r rows) threadPatches(ctx context.Context, team int64, node string, limit int) (list []threadPatch, err error) {
	err = r.db.Reader(ctx).Raw(`SELECT o.id AS rollout, o.bundle_id AS bundle, o.number, m.state, m.reason, CASE WHEN m.ended_at > 0 THEN m.ended_at ELSE m.changed_at END AS at
		FROM edge_rollout_nodes m JOIN edge_rollouts o ON o.id = m.rollout_id WHERE m.node_id = ? AND o.team_id = ? AND m.batch >= 0 ORDER BY o.number DESC LIMIT ?`, node, team, limit).Scan(&list).Error
	return list, err
}

// setsInUse are the lists of packages that accepted nodes have.
func (r rows) setsInUse(ctx context.Context, team int64) (ids []int64, err error) {
	err = r.db.Reader(ctx).Raw("SELECT DISTINCT set_id FROM edge_nodes WHERE team_id = ? AND state = 'accepted' AND set_id <> 0 ORDER BY set_id", team).Scan(&ids).Error
	return ids, err
}
