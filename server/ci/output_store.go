package ci

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
)

// lately lists builds that ended since a moment, looking at the newest of all only.
func (s store) lately(ctx context.Context, since time.Time, newest int) (ids []int64, err error) {
	err = s.db.Reader(ctx).Raw(`SELECT id FROM ci_builds WHERE id > (SELECT COALESCE(MAX(id), 0) FROM ci_builds) - ? AND ended_at >= ? AND resource_id = 0 ORDER BY id`,
		newest, toMillis(since)).Scan(&ids).Error
	return ids, err
}

// outputRow finds a build without its plan.
func (s store) outputRow(ctx context.Context, id int64) (buildRow, error) {
	var row buildRow
	err := s.db.Reader(ctx).Select("id, team_id, pipeline_id, job_id, resource_id, name, status, message, started_at, ended_at, reaped_at").Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no build %d.", id)
}
