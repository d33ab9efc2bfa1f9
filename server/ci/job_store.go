package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
)

type jobRow struct {
	ID                int64 `gorm:"primaryKey"`
	TeamID            int64
	PipelineID        int64
	Name              string
	Active            bool
	Ordering          int64
	Paused            bool
	PausedBy          string
	PausedAt          millis
	BuildNumber       int64
	ScheduleRequested int64
	Scheduled         int64
	HasNewInputs      bool
	InputErrors       string
	FinishedBuildID   int64
	NextBuildID       int64
}

func (jobRow) TableName() string { return "ci_jobs" }

func (j jobRow) inputErrors() map[string]string {
	m, _ := decode[map[string]string](j.InputErrors)
	return m
}

func (s store) job(ctx context.Context, id int64) (jobRow, error) {
	var row jobRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no job %d.", id)
}

func (s store) jobByName(ctx context.Context, pipeline int64, name string) (jobRow, error) {
	var row jobRow
	err := s.db.Reader(ctx).Where("pipeline_id = ? AND name = ? AND active", pipeline, name).Take(&row).Error
	return row, database.NotFound(err, "There is no job %s in this pipeline.", name)
}

// jobs lists a pipeline's active jobs in the order of the configuration.
func (s store) jobs(ctx context.Context, pipelines ...int64) ([]jobRow, error) {
	var rows []jobRow
	err := s.db.Reader(ctx).Where("pipeline_id IN ? AND active", pipelines).Order("pipeline_id, ordering, id").Find(&rows).Error
	return rows, err
}

// allJobs lists those that the configuration has no more as well.
func (s store) allJobs(ctx context.Context, pipeline int64) ([]jobRow, error) {
	var rows []jobRow
	err := s.db.Reader(ctx).Where("pipeline_id = ?", pipeline).Find(&rows).Error
	return rows, err
}

func (s store) insertJob(ctx context.Context, j *jobRow) error {
	j.InputErrors = "{}"
	return s.db.Writer(ctx).Create(j).Error
}

// placeJob stores name, order and activity.
func (s store) placeJob(ctx context.Context, j jobRow) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_jobs SET name = ?, ordering = ?, active = ? WHERE id = ?", j.Name, j.Ordering, j.Active, j.ID).Error
}

func (s store) setJobPaused(ctx context.Context, id int64, paused bool, by string) error {
	at := toMillis(s.now())
	if !paused {
		by, at = "", 0
	}
	return s.db.Writer(ctx).Exec("UPDATE ci_jobs SET paused = ?, paused_by = ?, paused_at = ? WHERE id = ?", paused, by, at, id).Error
}

func (s store) nextBuildNumber(ctx context.Context, job int64) (n int64, err error) {
	err = s.db.Writer(ctx).Raw("UPDATE ci_jobs SET build_number = build_number + 1 WHERE id = ? RETURNING build_number", job).Scan(&n).Error
	return n, err
}

// requestSchedule counts a request on the named jobs, or on all when names is nil.
func (s store) requestSchedule(ctx context.Context, pipeline int64, names []string) (int64, error) {
	q := "UPDATE ci_jobs SET schedule_requested = schedule_requested + 1 WHERE pipeline_id = ? AND active"
	args := []any{pipeline}
	if names != nil {
		q, args = q+" AND name IN ?", append(args, names)
	}
	r := s.db.Writer(ctx).Exec(q, args...)
	return r.RowsAffected, r.Error
}

// jobScheduled notes that the requests up to one were served, and what came out.
func (s store) jobScheduled(ctx context.Context, job, request int64, hasNew bool, inputErrors string) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_jobs SET scheduled = ?, has_new_inputs = ?, input_errors = ? WHERE id = ?",
		request, hasNew, inputErrors, job).Error
}

// refreshJob recomputes which build ended last and which comes next.
func (s store) refreshJob(ctx context.Context, job int64) error {
	return s.db.Writer(ctx).Exec(`UPDATE ci_jobs SET
		finished_build_id = COALESCE((SELECT id FROM ci_builds WHERE job_id = ci_jobs.id AND status NOT IN ('pending', 'started')
			ORDER BY original DESC, id DESC LIMIT 1), 0),
		next_build_id = COALESCE((SELECT MIN(id) FROM ci_builds WHERE job_id = ci_jobs.id AND pipeline_id = ci_jobs.pipeline_id
			AND status IN ('pending', 'started')), 0)
		WHERE id = ?`, job).Error
}

// duePipelines lists pipelines with unserved requests, for a start and the safety net.
func (s store) duePipelines(ctx context.Context) (ids []int64, err error) {
	err = s.db.Reader(ctx).Raw("SELECT DISTINCT pipeline_id FROM ci_jobs WHERE schedule_requested <> scheduled AND active").Scan(&ids).Error
	return ids, err
}
