package assistant

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
)

type runRow struct {
	ID                                                                  string `gorm:"primaryKey"`
	TeamID, UserID                                                      int64
	Person, Surface, Thread, Question, Reading, Planner, Status, Answer string
	Calls, StartedAt, Millis, Feedback                                  int64
	Channel                                                             string
	TokensIn, TokensOut, Cost, Scrubbed                                 int64
	TokensCached, SettingsVersion                                       int64
	Turns, PromptVersion, ReplayOf, Asked                               string
	Flagged                                                             bool
}

func (runRow) TableName() string { return "assistant_runs" }

type stepRow struct {
	RunID        string
	Number       int
	Tool         string
	Args, Result string
	Bytes        int64
	Failed       bool
	Millis       int64
	Kind         StepKind
	Began        int64
}

func (stepRow) TableName() string { return "assistant_steps" }

type settingsRow struct {
	TeamID                          int64 `gorm:"primaryKey"`
	Repositories, DefaultRepository string
	UpdatedAt                       int64 `gorm:"autoUpdateTime:false"` // milliseconds, of our clock
	UpdatedBy                       string
	Writes                          string
	FourEyes                        bool
	LinkHosts, Budgets              string
}

func (settingsRow) TableName() string { return "assistant_settings" }

// store is the assistant's tables.
type store struct{ db *database.DB }

func (s store) beginRun(ctx context.Context, r runRow) error {
	return s.db.Writer(ctx).Create(&r).Error
}

// endRun writes the outcome with its steps, so that a run is never half a story.
func (s store) endRun(ctx context.Context, r runRow, steps []stepRow) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if len(steps) > 0 {
			if err := s.db.Writer(ctx).CreateInBatches(steps, 50).Error; err != nil {
				return err
			}
		}
		return s.db.Writer(ctx).Select("*").Where("id = ?", r.ID).Updates(&r).Error
	})
}

// interrupt ends the runs that a server has left behind; nobody waits for them any more.
func (s store) interrupt(ctx context.Context, before int64) error {
	return s.db.Writer(ctx).Exec("UPDATE assistant_runs SET status = ? WHERE status = ? AND started_at < ?", Interrupted, Running, before).Error
}

// run finds one of the teams' runs.
func (s store) run(ctx context.Context, id string, teams []int64) (runRow, error) {
	var row runRow
	err := s.db.Reader(ctx).Where("id = ? AND team_id IN ?", id, teams).Take(&row).Error
	return row, database.NotFound(err, "There is no such run, or it is not yours to see.")
}

// runs lists the newest first; those of one person when user is not 0.
func (s store) runs(ctx context.Context, team, user, before int64, status string, show Show, limit int) ([]runRow, error) {
	q := s.db.Reader(ctx).Where("team_id = ? AND replay_of = ''", team)
	if where, ok := shownWhere[show]; ok {
		q = q.Where(where)
	}
	if user != 0 {
		q = q.Where("user_id = ?", user)
	}
	if before != 0 {
		q = q.Where("started_at < ?", before)
	}
	if status != "" {
		q = q.Where("status = ?", status)
	}
	var list []runRow
	err := q.Order("started_at DESC, id").Limit(limit).Find(&list).Error
	return list, err
}

// latestOf is the newest answered run of a conversation.
func (s store) latestOf(ctx context.Context, thread string, team, user int64) (runRow, bool, error) {
	var list []runRow
	err := s.db.Reader(ctx).Where("(thread = ? OR id = ?) AND replay_of = '' AND team_id = ? AND user_id = ? AND status = ?", thread, thread, team, user, Answered).
		Order("started_at DESC").Limit(1).Find(&list).Error
	if err != nil || len(list) == 0 {
		return runRow{}, false, err
	}
	return list[0], true, nil
}

// replays are the runs that asked a run's question again.
func (s store) replays(ctx context.Context, id string, team int64) ([]runRow, error) {
	var list []runRow
	err := s.db.Reader(ctx).Where("replay_of = ? AND team_id = ?", id, team).Order("started_at DESC, id").Limit(20).Find(&list).Error
	return list, err
}

func (s store) steps(ctx context.Context, run string) ([]stepRow, error) {
	var list []stepRow
	err := s.db.Reader(ctx).Where("run_id = ?", run).Order("number").Find(&list).Error
	return list, err
}

func (s store) setFeedback(ctx context.Context, run string, feedback int64) error {
	return s.db.Writer(ctx).Exec("UPDATE assistant_runs SET feedback = ? WHERE id = ?", feedback, run).Error
}

// prune drops what is older than a time, steps with it.
func (s store) prune(ctx context.Context, before int64) error {
	return s.db.Writer(ctx).Exec("DELETE FROM assistant_runs WHERE started_at < ?", before).Error
}

func (s store) settings(ctx context.Context, team int64) (settingsRow, error) {
	var list []settingsRow
	err := s.db.Reader(ctx).Where("team_id = ?", team).Limit(1).Find(&list).Error
	if err != nil || len(list) == 0 {
		return settingsRow{TeamID: team, Repositories: "[]", Writes: string(WritesOff), LinkHosts: "[]", Budgets: "{}"}, err
	}
	return list[0], nil
}

func (s store) saveSettings(ctx context.Context, row settingsRow) error {
	return s.db.Writer(ctx).Save(&row).Error
}

// link is what a user is called elsewhere, "" when nobody has said.
func (s store) link(ctx context.Context, user int64, kind string) (string, error) {
	var name string
	err := s.db.Reader(ctx).Raw("SELECT name FROM assistant_links WHERE user_id = ? AND kind = ?", user, kind).Scan(&name).Error
	return name, err
}

func (s store) setLink(ctx context.Context, user int64, kind, name string) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.db.Writer(ctx).Exec("DELETE FROM assistant_links WHERE user_id = ? AND kind = ?", user, kind).Error; err != nil || name == "" {
			return err
		}
		return s.db.Writer(ctx).Exec("INSERT INTO assistant_links (user_id, kind, name) VALUES (?, ?, ?)", user, kind, name).Error
	})
}
