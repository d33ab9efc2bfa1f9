package ci

import (
	"context"
	"encoding/json"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// store holds the queries; its methods are spread over the *_store.go files by noun.
type store struct {
	db  *database.DB
	now func() time.Time
}

type buildRow struct {
	ID             int64 `gorm:"primaryKey"`
	TeamID         int64
	PipelineID     int64
	JobID          int64
	ResourceID     int64
	Name           string
	Status         Status
	Manual         bool
	CreatedBy      string
	Cause          string
	Comment        string
	RerunOf        int64
	RerunNumber    int64
	Original       int64
	Plan           string
	InputsReady    bool
	AbortRequested bool
	Message        string
	CreatedAt      millis
	StartedAt      millis
	EndedAt        millis
	ReapedAt       millis
	Released       bool
	// Untrusted is set when it starts: what it took was written outside of the team.
	Untrusted bool
	// SupersededBy is the newer build that made this one pointless, 0 when none did.
	SupersededBy int64
	// Parked is true while a started build waits for people alone and has no durable job.
	Parked bool
	// Node is the server it runs or ran on, where its log and volumes are; '' before it
	// starts, and where there is one server.
	Node string
}

func (buildRow) TableName() string { return "ci_builds" }

// duration is how long the build ran, or runs so far.
func (b buildRow) duration(now time.Time) time.Duration {
	switch {
	case b.StartedAt == 0:
		return 0
	case b.EndedAt == 0:
		return max(now.Sub(b.StartedAt.Time()), 0)
	}
	return b.EndedAt.Time().Sub(b.StartedAt.Time())
}

// listColumns leaves out the plan, which is large.
const listColumns = `b.id, b.team_id, b.pipeline_id, b.job_id, b.resource_id, b.name, b.status, b.manual, b.created_by, b.cause, b.comment,
	b.rerun_of, b.rerun_number, b.original, b.inputs_ready, b.abort_requested, b.message, b.created_at, b.started_at, b.ended_at, b.reaped_at, b.untrusted, b.superseded_by, b.parked, b.node`

// insertBuild stores a new pending build and gives it its id and place.
func (s store) insertBuild(ctx context.Context, b *buildRow) error {
	b.Status, b.CreatedAt = Pending, toMillis(s.now())
	if err := s.db.Writer(ctx).Create(b).Error; err != nil {
		return err
	}
	if b.Original == 0 {
		b.Original = b.ID
		return s.db.Writer(ctx).Exec("UPDATE ci_builds SET original = id WHERE id = ?", b.ID).Error
	}
	return nil
}

// build finds one with its plan; the caller checks its team.
func (s store) build(ctx context.Context, id int64) (buildRow, error) {
	var row buildRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no build %d.", id)
}

func (s store) buildByName(ctx context.Context, job int64, name string) (buildRow, error) {
	var row buildRow
	err := s.db.Reader(ctx).Where("job_id = ? AND name = ?", job, name).Take(&row).Error
	return row, database.NotFound(err, "There is no build %s of this job.", name)
}

// buildFilter selects builds for lists. Zero fields do not filter.
type buildFilter struct {
	Teams []int64
	// Exposed adds the builds of jobs of exposed pipelines to those of Teams.
	Exposed bool
	// JobsOnly leaves out checks and what was executed without a job.
	JobsOnly bool
	Pipeline int64
	Job      int64
	Resource int64
	// Below and Above bound ids, exclusive.
	Below, Above int64
	// Since and Until bound creation times, inclusive.
	Since, Until millis
	OldestFirst  bool
	Limit        int
}

// builds lists without plans, newest first unless asked otherwise.
func (s store) builds(ctx context.Context, f buildFilter) ([]buildRow, error) {
	q := s.db.Reader(ctx).Table("ci_builds b").Select(listColumns)
	switch {
	case f.Teams != nil && f.Exposed:
		q = q.Where("(b.team_id IN ? OR b.job_id <> 0 AND b.pipeline_id IN (SELECT id FROM ci_pipelines WHERE public))", f.Teams)
	case f.Teams != nil:
		q = q.Where("b.team_id IN ?", f.Teams)
	}
	if f.JobsOnly {
		q = q.Where("b.job_id <> 0")
	}
	for column, value := range map[string]int64{"b.pipeline_id = ?": f.Pipeline, "b.job_id = ?": f.Job, "b.resource_id = ?": f.Resource,
		"b.id < ?": f.Below, "b.id > ?": f.Above, "b.created_at >= ?": int64(f.Since), "b.created_at <= ?": int64(f.Until)} {
		if value != 0 {
			q = q.Where(column, value)
		}
	}
	if f.OldestFirst {
		q = q.Order("b.id")
	} else {
		q = q.Order("b.id DESC")
	}
	var rows []buildRow
	err := q.Limit(f.Limit).Find(&rows).Error
	return rows, err
}

// lastBuilds gives the newest n builds of each job, newest first.
func (s store) lastBuilds(ctx context.Context, jobs []int64, n int) (map[int64][]buildRow, error) {
	var rows []buildRow
	err := s.db.Reader(ctx).Raw(`SELECT `+listColumns+` FROM ci_jobs j JOIN ci_builds b ON b.job_id = j.id
		WHERE j.id IN ? AND b.id >= COALESCE((SELECT o.id FROM ci_builds o WHERE o.job_id = j.id ORDER BY o.id DESC LIMIT 1 OFFSET ?), 0)
		ORDER BY b.id DESC`, jobs, n-1).Scan(&rows).Error
	out := map[int64][]buildRow{}
	for _, r := range rows {
		out[r.JobID] = append(out[r.JobID], r)
	}
	return out, err
}

// lastBuildsOfPipelines gives the newest n builds of jobs in each pipeline, newest first.
func (s store) lastBuildsOfPipelines(ctx context.Context, pipelines []int64, n int) (map[int64][]buildRow, error) {
	var rows []buildRow
	err := s.db.Reader(ctx).Raw(`SELECT `+listColumns+` FROM ci_pipelines p JOIN ci_builds b ON b.pipeline_id = p.id
		WHERE p.id IN ? AND b.job_id <> 0
		AND b.id >= COALESCE((SELECT o.id FROM ci_builds o WHERE o.pipeline_id = p.id AND o.job_id <> 0 ORDER BY o.id DESC LIMIT 1 OFFSET ?), 0)
		ORDER BY b.id DESC`, pipelines, n-1).Scan(&rows).Error
	out := map[int64][]buildRow{}
	for _, r := range rows {
		out[r.PipelineID] = append(out[r.PipelineID], r)
	}
	return out, err
}

// pendingBuilds lists those of a job, oldest place first.
func (s store) pendingBuilds(ctx context.Context, pipeline, job int64) ([]buildRow, error) {
	var rows []buildRow
	err := s.db.Reader(ctx).Raw(`SELECT `+listColumns+` FROM ci_builds b WHERE b.pipeline_id = ? AND b.job_id = ? AND b.status = 'pending'
		AND NOT b.abort_requested ORDER BY b.original, b.id`, pipeline, job).Scan(&rows).Error
	return rows, err
}

// running counts the started builds of the jobs.
func (s store) running(ctx context.Context, pipeline int64, jobs []int64) (n int64, err error) {
	err = s.db.Reader(ctx).Raw("SELECT COUNT(*) FROM ci_builds WHERE pipeline_id = ? AND job_id IN ? AND status = 'started'", pipeline, jobs).Scan(&n).Error
	return n, err
}

// startBuild makes a pending build started; false when it is not pending any more.
func (s store) startBuild(ctx context.Context, id int64, plan []byte) (bool, error) {
	r := s.db.Writer(ctx).Exec(`UPDATE ci_builds SET status = 'started', started_at = ?, inputs_ready = ?, plan = ?
		WHERE id = ? AND status = 'pending' AND NOT abort_requested`, toMillis(s.now()), true, string(plan), id)
	return r.RowsAffected == 1, r.Error
}

// endBuild stores the final status; false when the build had ended before.
func (s store) endBuild(ctx context.Context, id int64, status Status, message string) (bool, error) {
	r := s.db.Writer(ctx).Exec("UPDATE ci_builds SET status = ?, ended_at = ?, message = ? WHERE id = ? AND status IN ('pending', 'started')",
		status, toMillis(s.now()), message, id)
	return r.RowsAffected == 1, r.Error
}

// claimNode makes the node the build's unless it has one, and gives the one it has.
func (s store) claimNode(ctx context.Context, id int64, node string) (has string, err error) {
	err = s.db.Writer(ctx).Raw("UPDATE ci_builds SET node = CASE WHEN node = '' THEN ? ELSE node END WHERE id = ? RETURNING node", node, id).Scan(&has).Error
	return has, err
}

func (s store) requestAbort(ctx context.Context, id int64) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_builds SET abort_requested = ? WHERE id = ? AND status IN ('pending', 'started')", true, id).Error
}

func (s store) setComment(ctx context.Context, id int64, comment string) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_builds SET comment = ? WHERE id = ?", comment, id).Error
}

// rerunCount is how many reruns the original has.
func (s store) rerunCount(ctx context.Context, original int64) (n int64, err error) {
	err = s.db.Writer(ctx).Raw("SELECT COALESCE(MAX(rerun_number), 0) FROM ci_builds WHERE original = ?", original).Scan(&n).Error
	return n, err
}

// medianSample gives the durations of the last ten succeeded builds, in milliseconds.
func (s store) medianSample(ctx context.Context, job int64) (durations []int64, err error) {
	err = s.db.Reader(ctx).Raw(`SELECT ended_at - started_at FROM ci_builds WHERE job_id = ? AND status = 'succeeded'
		ORDER BY original DESC, id DESC LIMIT 10`, job).Scan(&durations).Error
	return durations, err
}

// neighbours are the builds of the job before and after one; 0 at the ends.
func (s store) neighbours(ctx context.Context, job, id int64) (previous, next int64, err error) {
	err = s.db.Reader(ctx).Raw(`SELECT COALESCE((SELECT MAX(id) FROM ci_builds WHERE job_id = ? AND id < ?), 0),
		COALESCE((SELECT MIN(id) FROM ci_builds WHERE job_id = ? AND id > ?), 0)`, job, id, job, id).Row().Scan(&previous, &next)
	return previous, next, err
}

// deleteBuild removes a build and what hangs on it.
func (s store) deleteBuild(ctx context.Context, id int64) error {
	return s.db.Writer(ctx).Exec("DELETE FROM ci_builds WHERE id = ?", id).Error
}

// openBuilds lists the ids of a pipeline's builds that have not ended.
func (s store) openBuilds(ctx context.Context, pipeline int64) (ids []int64, err error) {
	err = s.db.Reader(ctx).Raw("SELECT id FROM ci_builds WHERE pipeline_id = ? AND status IN ('pending', 'started')", pipeline).Scan(&ids).Error
	return ids, err
}

// releasable lists ended builds that still hold containers and volumes: those
// that succeeded at once, the others since keep.
func (s store) releasable(ctx context.Context, node string, before millis, limit int) ([]buildRow, error) {
	var rows []buildRow
	err := s.db.Reader(ctx).Raw(`SELECT * FROM ci_builds WHERE ended_at > 0 AND NOT released AND node IN ('', ?)
		AND (status = 'succeeded' OR ended_at < ?) ORDER BY ended_at LIMIT ?`, node, before, limit).Scan(&rows).Error
	return rows, err
}

func (s store) markReleased(ctx context.Context, id int64) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_builds SET released = ? WHERE id = ?", true, id).Error
}

// decode reads JSON that this package wrote; broken JSON is a broken database.
func decode[T any](text string) (v T, err error) {
	if text == "" {
		return v, nil
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return v, problem.Wrap(err, problem.Internal, "A stored document cannot be read.")
	}
	return v, nil
}

// encode writes JSON of values that always can be written.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}

// copyInputs gives a rerun the inputs of its original; none of them is new.
func (s store) copyInputs(ctx context.Context, from, to int64) error {
	err := s.db.Writer(ctx).Exec(`INSERT INTO ci_build_versions (build_id, direction, name, resource_id, version_id, job_id, first)
		SELECT ?, direction, name, resource_id, version_id, job_id, ? FROM ci_build_versions WHERE build_id = ? AND direction = 'in'`, to, false, from).Error
	if err != nil {
		return err
	}
	return s.db.Writer(ctx).Exec("INSERT INTO ci_build_pipes (build_id, upstream_id) SELECT ?, upstream_id FROM ci_build_pipes WHERE build_id = ?", to, from).Error
}

func (s store) nameBuild(ctx context.Context, id int64, name string) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_builds SET name = ? WHERE id = ?", name, id).Error
}
