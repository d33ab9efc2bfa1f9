package ci

import "context"

type workerRow struct {
	Name       string
	Landing    bool
	Message    string
	Running    int
	Places     int
	Containers int
	Volumes    int
	DiskUsed   int64
	DiskLimit  int64
	SeenAt     millis
}

func (workerRow) TableName() string { return "ci_workers" }

func (s store) workerRows(ctx context.Context) ([]workerRow, error) {
	var rows []workerRow
	err := s.db.Reader(ctx).Order("name").Find(&rows).Error
	return rows, err
}

// isLanding is false for a worker that has not reported yet.
func (s store) isLanding(ctx context.Context, name string) (landing bool, err error) {
	err = s.db.Reader(ctx).Raw("SELECT landing FROM ci_workers WHERE name = ?", name).Scan(&landing).Error
	return landing, err
}

func (s store) setLanding(ctx context.Context, name string, landing bool) error {
	return s.db.Writer(ctx).Exec(`INSERT INTO ci_workers (name, landing, seen_at) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET landing = excluded.landing`, name, landing, toMillis(s.now())).Error
}

// reportWorker stores how a worker stands; whether it is to land is not its to say.
func (s store) reportWorker(ctx context.Context, w workerState) error {
	return s.db.Writer(ctx).Exec(`INSERT INTO ci_workers (name, message, running, places, containers, volumes, disk_used, disk_limit, seen_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET message = excluded.message, running = excluded.running, places = excluded.places, containers = excluded.containers,
			volumes = excluded.volumes, disk_used = excluded.disk_used, disk_limit = excluded.disk_limit, seen_at = excluded.seen_at`,
		w.Name, w.Message, w.Running, w.Limit, w.Containers, w.Volumes, w.DiskUsed, w.DiskLimit, toMillis(s.now())).Error
}

func (s store) deleteWorker(ctx context.Context, name string) error {
	return s.db.Writer(ctx).Exec("DELETE FROM ci_workers WHERE name = ?", name).Error
}

// idleCache is a volume that only makes later builds faster, and that no open build has.
type idleCache struct {
	TeamID   int64
	CacheKey string
	UsedAt   millis
	JobID    int64
	Step     string
	Path     string
	Volume   string
}

// idleCaches lists them, what was not used for longest first; of the caches of tasks
// nobody knows when they were used, so they come last.
func (s store) idleCaches(ctx context.Context) ([]idleCache, error) {
	var fetched, kept []idleCache
	err := s.db.Reader(ctx).Raw(`SELECT team_id, cache_key, volume, used_at FROM ci_resource_caches c WHERE NOT EXISTS (SELECT 1 FROM ci_cache_uses u
		JOIN ci_builds b ON b.id = u.build_id WHERE u.volume = c.volume AND b.status IN ('pending', 'started')) ORDER BY used_at, cache_key`).Scan(&fetched).Error
	if err != nil {
		return nil, err
	}
	err = s.db.Reader(ctx).Raw(`SELECT job_id, step, path, volume FROM ci_task_caches c WHERE NOT EXISTS (SELECT 1 FROM ci_builds b
		WHERE b.job_id = c.job_id AND b.status = 'started') ORDER BY job_id, step, path`).Scan(&kept).Error
	return append(fetched, kept...), err
}

// forgetIdle drops a cache unless somebody has begun to use it since it was listed.
func (s store) forgetIdle(ctx context.Context, c idleCache) (forgotten bool, err error) {
	r := s.db.Writer(ctx).Exec("DELETE FROM ci_resource_caches WHERE team_id = ? AND cache_key = ? AND volume = ? AND used_at = ?", c.TeamID, c.CacheKey, c.Volume, c.UsedAt)
	if c.CacheKey == "" {
		r = s.db.Writer(ctx).Exec(`DELETE FROM ci_task_caches WHERE job_id = ? AND step = ? AND path = ? AND volume = ?
			AND NOT EXISTS (SELECT 1 FROM ci_builds b WHERE b.job_id = ci_task_caches.job_id AND b.status = 'started')`, c.JobID, c.Step, c.Path, c.Volume)
	}
	return r.RowsAffected > 0, r.Error
}
