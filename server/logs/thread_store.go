package logs

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
)

func (r rows) threadFired(ctx context.Context, team, from, to int64, limit int) (list []threadRow, err error) {
	err = r.db.Reader(ctx).Raw(`SELECT 'alert' AS kind, a.id, a.name, f.why AS detail, f.at FROM logs_alert_firings f JOIN logs_alerts a ON a.id = f.alert_id
		WHERE f.team_id = ? AND NOT f.test AND f.at >= ? AND f.at < ? ORDER BY f.at DESC LIMIT ?`, team, from, to, limit).Scan(&list).Error
	return list, err
}

func (r rows) threadLike(ctx context.Context, team, user int64, text string, limit int) (list []threadRow, err error) {
	like := database.Containing(text)
	err = r.db.Reader(ctx).Raw(`SELECT * FROM (
		SELECT 'saved search' AS kind, id, name, query AS detail FROM logs_searches WHERE team_id = ? AND (shared OR user_id = ?) AND (LOWER(name) LIKE ? ESCAPE '\' OR LOWER(query) LIKE ? ESCAPE '\')
		UNION ALL SELECT 'alert', id, name, '' FROM logs_alerts WHERE team_id = ? AND LOWER(name) LIKE ? ESCAPE '\'
		) x ORDER BY name LIMIT ?`, team, user, like, like, team, like, limit).Scan(&list).Error
	return list, err
}

func (r rows) threadFiring(ctx context.Context, team int64) (list []threadRow, err error) {
	err = r.db.Reader(ctx).Raw(`SELECT 'alert' AS kind, a.id, a.name, MAX(s.subject) AS detail, MIN(s.since) AS at FROM logs_alert_states s JOIN logs_alerts a ON a.id = s.alert_id
		WHERE a.team_id = ? AND a.enabled AND s.firing GROUP BY a.id, a.name ORDER BY MIN(s.since) DESC LIMIT 50`, team).Scan(&list).Error
	return list, err
}
