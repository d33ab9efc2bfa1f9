package ci

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
)

type resourceRow struct {
	ID              int64 `gorm:"primaryKey"`
	TeamID          int64
	PipelineID      int64
	Name            string
	Type            string
	Active          bool
	Scope           string
	Repository      string
	PinnedVersionID int64
	PinComment      string
	PinnedBy        string
	CheckEvery      int64
	NextCheckAt     millis
	Triggers        bool
	CheckFrom       string
	CheckStartedAt  millis
	CheckEndedAt    millis
	CheckError      string
	CheckBuildID    int64
}

func (resourceRow) TableName() string { return "ci_resources" }

// checkNow as next_check_at means that somebody asked: the pause of the pipeline
// does not matter then.
const checkNow millis = 1

func (s store) resource(ctx context.Context, id int64) (resourceRow, error) {
	var row resourceRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no resource %d.", id)
}

func (s store) resourceByName(ctx context.Context, pipeline int64, name string) (resourceRow, error) {
	var row resourceRow
	err := s.db.Reader(ctx).Where("pipeline_id = ? AND name = ? AND active", pipeline, name).Take(&row).Error
	return row, database.NotFound(err, "There is no resource %s in this pipeline.", name)
}

// resources lists the active ones of a pipeline by name.
func (s store) resources(ctx context.Context, pipeline int64) ([]resourceRow, error) {
	var rows []resourceRow
	err := s.db.Reader(ctx).Where("pipeline_id = ? AND active", pipeline).Order("name").Find(&rows).Error
	return rows, err
}

// visibleResources lists the active ones of the teams, and those of exposed pipelines.
func (s store) visibleResources(ctx context.Context, teams []int64) ([]resourceRow, error) {
	var rows []resourceRow
	err := s.db.Reader(ctx).Where("(team_id IN ? OR pipeline_id IN (SELECT id FROM ci_pipelines WHERE public)) AND active", teams).Order("pipeline_id, name").Find(&rows).Error
	return rows, err
}

func (s store) allResources(ctx context.Context, pipeline int64) ([]resourceRow, error) {
	var rows []resourceRow
	err := s.db.Reader(ctx).Where("pipeline_id = ?", pipeline).Find(&rows).Error
	return rows, err
}

func (s store) insertResource(ctx context.Context, r *resourceRow) error {
	return s.db.Writer(ctx).Create(r).Error
}

// configureResource stores what the configuration says of an existing row.
func (s store) configureResource(ctx context.Context, r resourceRow) error {
	return s.db.Writer(ctx).Exec(`UPDATE ci_resources SET name = ?, type = ?, active = ?, scope = ?, repository = ?, check_every = ?,
		triggers = ?, next_check_at = ?, check_error = ?, check_ended_at = ?, check_started_at = ? WHERE id = ?`,
		r.Name, r.Type, r.Active, r.Scope, r.Repository, r.CheckEvery, r.Triggers, r.NextCheckAt, r.CheckError, r.CheckEndedAt, r.CheckStartedAt, r.ID).Error
}

// requestCheck makes the checker look at once. from, if not empty, is the version to
// begin with, unless a check that begins with another waits already.
func (s store) requestCheck(ctx context.Context, ids []int64, from string) error {
	if from != "" {
		return s.db.Writer(ctx).Exec("UPDATE ci_resources SET next_check_at = ?, check_from = CASE WHEN check_from = '' THEN ? ELSE check_from END WHERE id IN ?", checkNow, from, ids).Error
	}
	return s.db.Writer(ctx).Exec("UPDATE ci_resources SET next_check_at = ? WHERE id IN ?", checkNow, ids).Error
}

// claimChecks takes up to n resources whose time has come and books them until
// lease, so that a crash delays a check and no other node does it too. Those of
// paused pipelines wait unless somebody asked.
func (s store) claimChecks(ctx context.Context, lease millis, busy []int64, n int) ([]resourceRow, error) {
	if len(busy) == 0 {
		busy = []int64{0}
	}
	lock := ""
	if s.db.Dialect == database.Postgres {
		lock = "FOR UPDATE OF r SKIP LOCKED"
	}
	now := toMillis(s.now())
	var rows []resourceRow
	err := s.db.Writer(ctx).Raw(`UPDATE ci_resources SET next_check_at = ? WHERE id IN (
		SELECT r.id FROM ci_resources r JOIN ci_pipelines p ON p.id = r.pipeline_id
		WHERE r.next_check_at > 0 AND r.active AND r.next_check_at <= ? AND r.id NOT IN ?
			AND NOT p.archived AND (r.next_check_at = ? OR NOT p.paused)
		ORDER BY r.next_check_at LIMIT ? `+lock+`) RETURNING *`, lease, now, busy, checkNow, n).Scan(&rows).Error
	return rows, err
}

// extendCheck books a resource for longer, unless its check has ended or another was asked for.
func (s store) extendCheck(ctx context.Context, id int64, held, until millis) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_resources SET next_check_at = ? WHERE id = ? AND next_check_at = ?", until, id, held).Error
}

// anyDue saves the writer a look when nothing is due.
func (s store) anyDue(ctx context.Context) (bool, error) {
	var n int
	err := s.db.Reader(ctx).Raw(`SELECT COUNT(*) FROM (SELECT 1 FROM ci_resources r JOIN ci_pipelines p ON p.id = r.pipeline_id
		WHERE r.next_check_at > 0 AND r.active AND r.next_check_at <= ? AND NOT p.archived AND (r.next_check_at = ? OR NOT p.paused) LIMIT 1) x`,
		toMillis(s.now()), checkNow).Scan(&n).Error
	return n > 0, err
}

// nextCheck is when the next check of an unpaused pipeline is due; 0 when none is.
func (s store) nextCheck(ctx context.Context) (millis, error) {
	var at *int64
	err := s.db.Reader(ctx).Raw(`SELECT MIN(r.next_check_at) FROM ci_resources r JOIN ci_pipelines p ON p.id = r.pipeline_id
		WHERE r.next_check_at > 0 AND r.active AND NOT p.archived AND NOT p.paused`).Scan(&at).Error
	if err != nil || at == nil {
		return 0, err
	}
	return millis(*at), nil
}

func (s store) checkStarted(ctx context.Context, id int64, at millis, build int64) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_resources SET check_started_at = ?, check_build_id = CASE WHEN CAST(? AS BIGINT) <> 0 THEN ? ELSE check_build_id END WHERE id = ?",
		at, build, build, id).Error
}

// checkEnded stores the result and the next time, unless somebody asked for another check meanwhile.
func (s store) checkEnded(ctx context.Context, id int64, at millis, message string, next millis) error {
	return s.db.Writer(ctx).Exec(`UPDATE ci_resources SET check_ended_at = ?, check_error = ?, check_from = CASE WHEN next_check_at = ? THEN check_from ELSE '' END,
		next_check_at = CASE WHEN next_check_at = ? THEN next_check_at ELSE ? END WHERE id = ?`, at, message, checkNow, checkNow, next, id).Error
}

func (s store) pin(ctx context.Context, id, version int64, by, comment string) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_resources SET pinned_version_id = ?, pinned_by = ?, pin_comment = ? WHERE id = ?", version, by, comment, id).Error
}

func (s store) setPinComment(ctx context.Context, id int64, comment string) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_resources SET pin_comment = ? WHERE id = ?", comment, id).Error
}

// imageCheckRow is what is known of the image of a task or a resource type.
type imageCheckRow struct {
	TeamID    int64
	Config    string
	StartedAt millis
	EndedAt   millis
	Error     string
	Latest    string
}

func (imageCheckRow) TableName() string { return "ci_image_checks" }

func (s store) imageCheck(ctx context.Context, team int64, config string) (imageCheckRow, error) {
	var row imageCheckRow
	err := s.db.Reader(ctx).Where("team_id = ? AND config = ?", team, config).Take(&row).Error
	if database.IsNotFound(err) {
		return imageCheckRow{TeamID: team, Config: config}, nil
	}
	return row, err
}

func (s store) imageCheckStarted(ctx context.Context, team int64, config string, at millis) error {
	return s.db.Writer(ctx).Exec(`INSERT INTO ci_image_checks (team_id, config, started_at) VALUES (?, ?, ?)
		ON CONFLICT (team_id, config) DO UPDATE SET started_at = excluded.started_at`, team, config, at).Error
}

// imageCheckEnded keeps the latest version when the check found none.
func (s store) imageCheckEnded(ctx context.Context, row imageCheckRow) error {
	return s.db.Writer(ctx).Exec(`INSERT INTO ci_image_checks (team_id, config, ended_at, error, latest) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (team_id, config) DO UPDATE SET ended_at = excluded.ended_at, error = excluded.error,
		latest = CASE WHEN excluded.latest = '' THEN ci_image_checks.latest ELSE excluded.latest END`,
		row.TeamID, row.Config, row.EndedAt, row.Error, row.Latest).Error
}

// postpone tries a check again in ten seconds that was claimed and not recorded.
func (s store) postpone(ctx context.Context, id int64) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_resources SET next_check_at = ? WHERE id = ? AND next_check_at <> ?",
		toMillis(s.now().Add(10*time.Second)), id, checkNow).Error
}

// jobsWithPending names the jobs of a pipeline that have builds waiting.
func (s store) jobsWithPending(ctx context.Context, pipeline int64) (names []string, err error) {
	err = s.db.Reader(ctx).Raw(`SELECT DISTINCT j.name FROM ci_jobs j JOIN ci_builds b ON b.job_id = j.id AND b.status = 'pending'
		WHERE j.pipeline_id = ? AND j.active`, pipeline).Scan(&names).Error
	return names, err
}
