package work

import (
	"context"
	"encoding/json"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type jobRow struct {
	ID          int64 `gorm:"primaryKey"`
	Kind        string
	TeamID      int64
	Payload     string
	UniqueKey   *string
	SerialKey   *string
	Node        string
	State       string
	Attempts    int
	MaxAttempts int
	RunAt       int64
	LeaseOwner  string
	LeaseUntil  int64
	LastError   string
	CreatedAt   int64
	UpdatedAt   int64
}

func (jobRow) TableName() string { return "work_jobs" }

func (r jobRow) job() Job {
	j := Job{ID: r.ID, Kind: r.Kind, Team: r.TeamID, Payload: json.RawMessage(r.Payload), Node: r.Node, RunAt: time.UnixMilli(r.RunAt), Attempt: r.Attempts,
		LastError: r.LastError, State: State(r.State), Created: time.UnixMilli(r.CreatedAt), Updated: time.UnixMilli(r.UpdatedAt)}
	if r.UniqueKey != nil {
		j.UniqueKey = *r.UniqueKey
	}
	if r.SerialKey != nil {
		j.SerialKey = *r.SerialKey
	}
	return j
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

type store struct {
	db  *database.DB
	now func() time.Time
}

// insert reports false when a waiting job with the unique key stands for it.
func (s store) insert(ctx context.Context, j Job, maxAttempts int) (bool, error) {
	now := s.now()
	if j.RunAt.IsZero() {
		j.RunAt = now
	}
	if j.Payload == nil {
		j.Payload = json.RawMessage("{}")
	}
	r := s.db.Writer(ctx).Exec(`INSERT INTO work_jobs
		(kind, team_id, payload, unique_key, serial_key, node, state, max_attempts, run_at, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		j.Kind, j.Team, string(j.Payload), optional(j.UniqueKey), optional(j.SerialKey), j.Node, Waiting, maxAttempts,
		j.RunAt.UnixMilli(), now.UnixMilli(), now.UnixMilli())
	return r.RowsAffected == 1, r.Error
}

// claim takes up to n due jobs of the kind. A job waits for earlier unfinished
// ones with its serial key; a dead one holds nobody up.
func (s store) claim(ctx context.Context, kind, owner string, lease time.Duration, n int) ([]Job, error) {
	lock := ""
	if s.db.Dialect == database.Postgres {
		lock = "FOR UPDATE SKIP LOCKED"
	}
	now := s.now()
	var rows []jobRow
	err := s.db.Writer(ctx).Raw(`UPDATE work_jobs SET state = 'running', attempts = attempts + 1, lease_owner = ?, lease_until = ?, updated_at = ?
		WHERE id IN (SELECT id FROM work_jobs j WHERE kind = ?
			AND (state = 'waiting' AND run_at <= ? OR state = 'running' AND lease_until < ?) AND node IN ('', ?)
			AND (serial_key IS NULL OR NOT EXISTS (SELECT 1 FROM work_jobs e
				WHERE e.serial_key = j.serial_key AND e.id < j.id AND e.state <> 'dead'))
			ORDER BY run_at, id LIMIT ? `+lock+`)
		RETURNING *`, owner, now.Add(lease).UnixMilli(), now.UnixMilli(), kind, now.UnixMilli(), now.UnixMilli(), owner, n).Scan(&rows).Error
	jobs := make([]Job, len(rows))
	for i, r := range rows {
		jobs[i] = r.job()
	}
	return jobs, err
}

// nextDue is when the earliest job of the kind may run here; zero when there is none.
func (s store) nextDue(ctx context.Context, kind, owner string) (time.Time, error) {
	var at *int64
	err := s.db.Reader(ctx).Raw(`SELECT MIN(CASE WHEN state = 'waiting' THEN run_at ELSE lease_until END) FROM work_jobs
		WHERE kind = ? AND state <> 'dead' AND node IN ('', ?)`, kind, owner).Scan(&at).Error
	if err != nil || at == nil {
		return time.Time{}, err
	}
	return time.UnixMilli(*at), nil
}

func (s store) extend(ctx context.Context, owner string, ids []int64, lease time.Duration) (held []int64, err error) {
	err = s.db.Writer(ctx).Raw("UPDATE work_jobs SET lease_until = ? WHERE lease_owner = ? AND state = 'running' AND id IN ? RETURNING id",
		s.now().Add(lease).UnixMilli(), owner, ids).Scan(&held).Error
	return held, err
}

// releaseAll makes the jobs that a former life of this node was running due at once.
func (s store) releaseAll(ctx context.Context, owner string) error {
	return s.db.Writer(ctx).Exec("UPDATE work_jobs SET lease_until = 0 WHERE lease_owner = ? AND state = 'running'", owner).Error
}

// bind lets only that node run the job from now on.
func (s store) bind(ctx context.Context, id int64, node string) error {
	return s.db.Writer(ctx).Exec("UPDATE work_jobs SET node = ? WHERE id = ?", node, id).Error
}

func (s store) finish(ctx context.Context, id int64) error {
	return s.db.Writer(ctx).Exec("DELETE FROM work_jobs WHERE id = ?", id).Error
}

func (s store) release(ctx context.Context, id int64) error {
	return s.db.Writer(ctx).Exec("UPDATE work_jobs SET lease_until = 0, attempts = attempts - 1, updated_at = ? WHERE id = ?",
		s.now().UnixMilli(), id).Error
}

// retry puts a failed job back. When another waiting job took its unique key
// meanwhile, that one stands for it and this one goes.
func (s store) retry(ctx context.Context, id int64, at time.Time, message string) error {
	err := s.db.Writer(ctx).Exec("UPDATE work_jobs SET state = 'waiting', run_at = ?, lease_owner = '', lease_until = 0, last_error = ?, updated_at = ? WHERE id = ?",
		at.UnixMilli(), message, s.now().UnixMilli(), id).Error
	if database.IsDuplicate(err) {
		return s.finish(ctx, id)
	}
	return err
}

func (s store) bury(ctx context.Context, id int64, message string) error {
	return s.db.Writer(ctx).Exec("UPDATE work_jobs SET state = 'dead', lease_owner = '', lease_until = 0, last_error = ?, updated_at = ? WHERE id = ?",
		message, s.now().UnixMilli(), id).Error
}

func (s store) dead(ctx context.Context, before int64, limit int) ([]Job, error) {
	var rows []jobRow
	q := s.db.Reader(ctx).Where("state = ?", Dead).Order("id DESC").Limit(limit)
	if before > 0 {
		q = q.Where("id < ?", before)
	}
	if err := q.Find(&rows).Error; err != nil {
		return nil, err
	}
	jobs := make([]Job, len(rows))
	for i, r := range rows {
		jobs[i] = r.job()
	}
	return jobs, nil
}

// revive makes a dead job wait again, with all its attempts.
func (s store) revive(ctx context.Context, id int64) (kind string, err error) {
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		var row jobRow
		if err := s.db.Writer(ctx).Where("id = ? AND state = ?", id, Dead).Take(&row).Error; err != nil {
			return database.NotFound(err, "There is no dead job %d. Somebody may have retried or discarded it.", id)
		}
		kind = row.Kind
		now := s.now().UnixMilli()
		err := s.db.Writer(ctx).Exec("UPDATE work_jobs SET state = 'waiting', attempts = 0, run_at = ?, updated_at = ? WHERE id = ?", now, now, id).Error
		if database.IsDuplicate(err) {
			return problem.New(problem.Conflict, "The same work is already waiting; discard this one.")
		}
		return err
	})
	return kind, err
}

func (s store) discard(ctx context.Context, id int64) error {
	r := s.db.Writer(ctx).Exec("DELETE FROM work_jobs WHERE id = ? AND state = ?", id, Dead)
	if r.Error == nil && r.RowsAffected == 0 {
		return problem.New(problem.NotFound, "There is no dead job %d. Somebody may have retried or discarded it.", id)
	}
	return r.Error
}

func (s store) counts(ctx context.Context) (map[State]int64, error) {
	var rows []struct {
		State string
		N     int64
	}
	err := s.db.Reader(ctx).Raw("SELECT state, COUNT(*) AS n FROM work_jobs GROUP BY state").Scan(&rows).Error
	out := map[State]int64{}
	for _, r := range rows {
		out[State(r.State)] = r.N
	}
	return out, err
}
