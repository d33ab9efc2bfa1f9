package ci

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/database"
)

type resourceCacheRow struct {
	TeamID     int64
	CacheKey   string
	Volume     string
	Type       string
	Result     string
	PipelineID int64
	Resource   string
	UsedAt     millis
}

func (resourceCacheRow) TableName() string { return "ci_resource_caches" }

// teamOfBuild is 0 when the build is gone.
func (s store) teamOfBuild(ctx context.Context, build int64) (team int64, err error) {
	err = s.db.Reader(ctx).Raw("SELECT team_id FROM ci_builds WHERE id = ?", build).Scan(&team).Error
	return team, err
}

func (s store) useCache(ctx context.Context, build int64, key engine.CacheKey) (engine.ResourceCache, bool, error) {
	team, err := s.teamOfBuild(ctx, build)
	if err != nil {
		return engine.ResourceCache{}, false, err
	}
	var row resourceCacheRow
	err = s.db.Writer(ctx).Raw("UPDATE ci_resource_caches SET used_at = ? WHERE team_id = ? AND cache_key = ? RETURNING *",
		toMillis(s.now()), team, string(key)).Scan(&row).Error
	if err != nil || row.Volume == "" {
		return engine.ResourceCache{}, false, err
	}
	result, err := decode[resource.Result](row.Result)
	if err != nil {
		return engine.ResourceCache{}, false, err
	}
	return engine.ResourceCache{Key: key, Volume: runtime.VolumeID(row.Volume), Type: row.Type, Result: result, Resource: row.Resource},
		true, s.holdVolume(ctx, build, row.Volume)
}

func (s store) holdVolume(ctx context.Context, build int64, volume string) error {
	return s.db.Writer(ctx).Exec("INSERT INTO ci_cache_uses (build_id, volume) VALUES (?, ?) ON CONFLICT DO NOTHING", build, volume).Error
}

func (s store) saveCache(ctx context.Context, build int64, c engine.ResourceCache) error {
	team, err := s.teamOfBuild(ctx, build)
	if err != nil {
		return err
	}
	err = s.db.Writer(ctx).Exec(`INSERT INTO ci_resource_caches (team_id, cache_key, volume, type, result, pipeline_id, resource, used_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, team, string(c.Key), string(c.Volume), c.Type, encode(c.Result),
		c.Build.PipelineID, c.Resource, toMillis(s.now())).Error
	if err != nil {
		return err
	}
	return s.holdVolume(ctx, build, string(c.Volume))
}

func (s store) forgetCache(ctx context.Context, key engine.CacheKey, volume runtime.VolumeID) error {
	return s.db.Writer(ctx).Exec("DELETE FROM ci_resource_caches WHERE cache_key = ? AND volume = ?", string(key), string(volume)).Error
}

type taskCacheRow struct {
	JobID     int64
	Step      string
	Path      string
	Volume    string
	ExpiresAt millis
	ClaimedBy int64
}

func (taskCacheRow) TableName() string { return "ci_task_caches" }

// claimTaskCache gives the volume to the build when no other running build has it.
func (s store) claimTaskCache(ctx context.Context, build int64, key engine.TaskCacheKey) (engine.TaskCache, bool, error) {
	var row taskCacheRow
	err := s.db.Writer(ctx).Where("job_id = ? AND step = ? AND path = ?", key.JobID, key.Step, key.Path).Take(&row).Error
	if database.IsNotFound(err) {
		return engine.TaskCache{}, false, nil
	}
	if err != nil || row.ExpiresAt != 0 && row.ExpiresAt < toMillis(s.now()) {
		return engine.TaskCache{}, false, err
	}
	cache := engine.TaskCache{Volume: runtime.VolumeID(row.Volume)}
	if row.ClaimedBy != 0 && row.ClaimedBy != build {
		var status Status
		if err := s.db.Writer(ctx).Raw("SELECT status FROM ci_builds WHERE id = ?", row.ClaimedBy).Scan(&status).Error; err != nil {
			return cache, false, err
		}
		if cache.Busy = status == Started; cache.Busy {
			return cache, true, nil
		}
	}
	err = s.db.Writer(ctx).Exec("UPDATE ci_task_caches SET claimed_by = ? WHERE job_id = ? AND step = ? AND path = ?", build, key.JobID, key.Step, key.Path).Error
	return cache, true, err
}

func (s store) saveTaskCache(ctx context.Context, key engine.TaskCacheKey, volume runtime.VolumeID, ttl time.Duration) error {
	var expires millis
	if ttl > 0 {
		expires = toMillis(s.now().Add(ttl))
	}
	return s.db.Writer(ctx).Exec(`INSERT INTO ci_task_caches (job_id, step, path, volume, expires_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (job_id, step, path) DO UPDATE SET volume = excluded.volume, expires_at = excluded.expires_at, claimed_by = 0`,
		key.JobID, key.Step, key.Path, string(volume), expires).Error
}

// resourceCachesOf are those of a team.
func (s store) resourceCachesOf(ctx context.Context, team int64) (rows []resourceCacheRow, err error) {
	err = s.db.Reader(ctx).Where("team_id = ?", team).Find(&rows).Error
	return rows, err
}

// namedTaskCache is a task's cache with the names of what it belongs to.
type namedTaskCache struct {
	Volume, Path, Step    string
	JobName, PipelineName string
	PipelineID            int64
}

// taskCachesOf are those of a team.
func (s store) taskCachesOf(ctx context.Context, team int64) (rows []namedTaskCache, err error) {
	err = s.db.Reader(ctx).Raw(`SELECT c.volume, c.path, c.step, j.name AS job_name, p.name AS pipeline_name, p.id AS pipeline_id FROM ci_task_caches c
		JOIN ci_jobs j ON j.id = c.job_id JOIN ci_pipelines p ON p.id = j.pipeline_id WHERE p.team_id = ?`, team).Scan(&rows).Error
	return rows, err
}

// clearTaskCache forgets the caches of a step, or one of its paths.
func (s store) clearTaskCache(ctx context.Context, job int64, step, path string) (int64, error) {
	q := s.db.Writer(ctx).Where("job_id = ? AND step = ?", job, step)
	if path != "" {
		q = q.Where("path = ?", path)
	}
	r := q.Delete(&taskCacheRow{})
	return r.RowsAffected, r.Error
}

// clearResourceCache forgets what was fetched of a resource, or of one version of it.
func (s store) clearResourceCache(ctx context.Context, r resourceRow, version resource.Version) (n int64, err error) {
	var rows []resourceCacheRow
	if err := s.db.Reader(ctx).Where("team_id = ? AND pipeline_id = ? AND resource = ?", r.TeamID, r.PipelineID, r.Name).Find(&rows).Error; err != nil {
		return 0, err
	}
	for _, row := range rows {
		result, err := decode[resource.Result](row.Result)
		if err != nil {
			return n, err
		}
		if len(version) > 0 && encode(result.Version) != encode(version) {
			continue
		}
		d := s.db.Writer(ctx).Exec("DELETE FROM ci_resource_caches WHERE team_id = ? AND cache_key = ?", row.TeamID, row.CacheKey)
		if d.Error != nil {
			return n, d.Error
		}
		n += d.RowsAffected
	}
	return n, nil
}

// keptVolumes are those of the volumes that a cache or an artifact owns.
func (s store) keptVolumes(ctx context.Context, volumes []runtime.VolumeID) (kept []runtime.VolumeID, err error) {
	if len(volumes) == 0 {
		return nil, nil
	}
	ids := make([]string, len(volumes))
	for i, v := range volumes {
		ids[i] = string(v)
	}
	err = s.db.Reader(ctx).Raw(`SELECT volume FROM ci_resource_caches WHERE volume IN ? UNION SELECT volume FROM ci_task_caches WHERE volume IN ?
		UNION SELECT volume FROM ci_artifacts WHERE volume IN ?`, ids, ids, ids).Scan(&kept).Error
	return kept, err
}

// usedVolumes are all volumes that somebody may still need: of caches, artifacts,
// and of the steps of builds that were not released.
func (s store) usedVolumes(ctx context.Context) (map[runtime.VolumeID]bool, error) {
	var owned []string
	err := s.db.Reader(ctx).Raw(`SELECT volume FROM ci_resource_caches UNION SELECT volume FROM ci_task_caches UNION SELECT volume FROM ci_artifacts
		UNION SELECT u.volume FROM ci_cache_uses u JOIN ci_builds b ON b.id = u.build_id WHERE b.status IN ('pending', 'started')`).Scan(&owned).Error
	if err != nil {
		return nil, err
	}
	var lists []string
	err = s.db.Reader(ctx).Raw("SELECT s.volumes FROM ci_builds b JOIN ci_steps s ON s.build_id = b.id WHERE NOT b.released AND s.volumes <> '[]'").Scan(&lists).Error
	if err != nil {
		return nil, err
	}
	used := map[runtime.VolumeID]bool{}
	for _, v := range owned {
		used[runtime.VolumeID(v)] = true
	}
	for _, list := range lists {
		volumes, err := decode[[]engine.StepVolume](list)
		if err != nil {
			return nil, fmt.Errorf("volumes of a step: %w", err)
		}
		for _, v := range volumes {
			used[v.ID] = true
		}
	}
	return used, nil
}

// usedContainers are those that steps of unreleased builds name.
func (s store) usedContainers(ctx context.Context) (map[runtime.ContainerID]bool, error) {
	var ids []string
	err := s.db.Reader(ctx).Raw("SELECT s.container FROM ci_builds b JOIN ci_steps s ON s.build_id = b.id WHERE NOT b.released AND s.container <> ''").Scan(&ids).Error
	used := map[runtime.ContainerID]bool{}
	for _, id := range ids {
		used[runtime.ContainerID(id)] = true
	}
	return used, err
}

// containersOf are those that steps of the builds name.
func (s store) containersOf(ctx context.Context, builds []int64) (ids []runtime.ContainerID, err error) {
	if len(builds) == 0 {
		return nil, nil
	}
	err = s.db.Reader(ctx).Raw("SELECT container FROM ci_steps WHERE build_id IN ? AND container <> ''", builds).Scan(&ids).Error
	return ids, err
}

// forgetOldCaches forgets what no build has used since a time and no open build holds.
func (s store) forgetOldCaches(ctx context.Context, since millis) error {
	return s.db.Writer(ctx).Exec(`DELETE FROM ci_resource_caches WHERE used_at < ? AND NOT EXISTS (SELECT 1 FROM ci_cache_uses u
		JOIN ci_builds b ON b.id = u.build_id WHERE u.volume = ci_resource_caches.volume AND b.status IN ('pending', 'started'))`, since).Error
}

// forgetExpiredCaches forgets the caches of tasks whose time is over and that no running build has.
func (s store) forgetExpiredCaches(ctx context.Context) error {
	return s.db.Writer(ctx).Exec(`DELETE FROM ci_task_caches WHERE expires_at <> 0 AND expires_at < ? AND NOT EXISTS (SELECT 1 FROM ci_builds b
		WHERE b.id = ci_task_caches.claimed_by AND b.status = 'started')`, toMillis(s.now())).Error
}

type artifactRow struct {
	ID      int64 `gorm:"primaryKey"`
	TeamID  int64
	BuildID int64
	Name    string
	Volume  string
	// Node is the server where the volume is; '' where there is one.
	Node      string
	CreatedAt millis
}

func (artifactRow) TableName() string { return "ci_artifacts" }

func (s store) artifact(ctx context.Context, team, id int64) (artifactRow, error) {
	var row artifactRow
	err := s.db.Reader(ctx).Where("team_id = ? AND id = ?", team, id).Take(&row).Error
	return row, database.NotFound(err, "There is no artifact %d in this team.", id)
}

func (s store) saveArtifact(ctx context.Context, row *artifactRow) error {
	row.CreatedAt = toMillis(s.now())
	if row.BuildID == 0 {
		return s.db.Writer(ctx).Create(row).Error
	}
	return s.db.Writer(ctx).Exec("INSERT INTO ci_artifacts (team_id, build_id, name, volume, node, created_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		row.TeamID, row.BuildID, row.Name, row.Volume, row.Node, row.CreatedAt).Error
}

// moveArtifact notes that the volume is on another server, too.
func (s store) moveArtifact(ctx context.Context, id int64, node string) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_artifacts SET node = ? WHERE id = ?", node, id).Error
}

func (s store) artifacts(ctx context.Context, build int64) ([]artifactRow, error) {
	var rows []artifactRow
	err := s.db.Reader(ctx).Where("build_id = ?", build).Order("id").Find(&rows).Error
	return rows, err
}

type wallRow struct {
	ID        int64
	Message   string
	ExpiresAt millis
}

func (wallRow) TableName() string { return "ci_wall" }

// wall is empty when nothing is written on it, or not any more.
func (s store) wall(ctx context.Context) (wallRow, error) {
	var row wallRow
	err := s.db.Reader(ctx).Raw("SELECT * FROM ci_wall WHERE id = 1 AND (expires_at = 0 OR expires_at > ?)", toMillis(s.now())).Scan(&row).Error
	return row, err
}

func (s store) setWall(ctx context.Context, message string, expires millis) error {
	return s.db.Writer(ctx).Exec(`INSERT INTO ci_wall (id, message, expires_at) VALUES (1, ?, ?)
		ON CONFLICT (id) DO UPDATE SET message = excluded.message, expires_at = excluded.expires_at`, message, expires).Error
}
