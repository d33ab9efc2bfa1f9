package assistant

import (
	"context"
	"encoding/json"

	"gorm.io/gorm/clause"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

const slackTable = "assistant_slack"

type slackRow struct {
	ID                                              int64 `gorm:"primaryKey"`
	Mode                                            string
	BotToken, AppToken, SigningSecret               []byte
	Workspace, WorkspaceName, WorkspaceURL, BotUser string
	UpdatedAt                                       int64
	UpdatedBy                                       string
}

func (slackRow) TableName() string { return slackTable }

// SealedColumns are where the assistant keeps what is sealed for Slack.
func SealedColumns() []secrets.Column {
	var out []secrets.Column
	for _, name := range []string{"bot_token", "app_token", "signing_secret"} {
		out = append(out, secrets.Column{Table: slackTable, Name: name, Keys: []string{"id"}, Row: func([]string) string { return name }})
	}
	return out
}

type socketRow struct {
	Node      string `gorm:"primaryKey"`
	Connected bool
	Trouble   string
	Since     int64
}

func (socketRow) TableName() string { return "assistant_slack_sockets" }

// The states of a question from Slack; the words are stored.
const (
	askWaiting     = "waiting"
	askRunning     = "running"
	askAnswered    = "answered"
	askStopped     = "stopped"
	askInterrupted = "interrupted"
)

type askRow struct {
	ID                             string `gorm:"primaryKey"`
	Workspace, Channel, Thread, TS string
	Direct, Shared                 bool
	SlackUser, Home, Text, State   string
	StatusTS                       string
	Streamed                       bool
	RunID                          string
	CreatedAt, EndedAt             int64
}

func (askRow) TableName() string { return "assistant_slack_asks" }

// The states of what is to be said; the words are stored.
const (
	outWaiting = "waiting"
	outSent    = "sent"
	outLost    = "lost"
)

type outRow struct {
	ID                               string `gorm:"primaryKey"`
	Subject, Part, Message, Replaces string
	Streamed                         bool
	SlackUser, State, SentTS         string
	CreatedAt                        int64
}

func (outRow) TableName() string { return "assistant_slack_outbox" }

// words reads a JSON list of a column.
func words(raw string) ([]string, error) {
	list := []string{}
	err := json.Unmarshal([]byte(raw), &list)
	return list, err
}

// slackStore is the tables of the assistant in Slack.
type slackStore struct{ db *database.DB }

func (s slackStore) settings(ctx context.Context) (slackRow, bool, error) {
	var list []slackRow
	err := s.db.Reader(ctx).Where("id = 1").Limit(1).Find(&list).Error
	if err != nil || len(list) == 0 {
		return slackRow{}, false, err
	}
	return list[0], true, nil
}

func (s slackStore) saveSettings(ctx context.Context, row slackRow) error {
	row.ID = 1
	return s.db.Writer(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
}

func (s slackStore) removeSettings(ctx context.Context) error {
	return s.db.Writer(ctx).Exec("DELETE FROM assistant_slack").Error
}

func (s slackStore) noteSocket(ctx context.Context, row socketRow) error {
	return s.db.Writer(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
}

func (s slackStore) sockets(ctx context.Context) ([]socketRow, error) {
	var list []socketRow
	err := s.db.Reader(ctx).Order("node").Find(&list).Error
	return list, err
}

// firstSight notes names of something that came in, and reports whether all are new.
func (s slackStore) firstSight(ctx context.Context, at int64, names ...string) (bool, error) {
	fresh := true
	for _, name := range names {
		r := s.db.Writer(ctx).Exec("INSERT INTO assistant_slack_seen (name, at) VALUES (?, ?) ON CONFLICT DO NOTHING", name, at)
		if r.Error != nil {
			return false, r.Error
		}
		fresh = fresh && r.RowsAffected == 1
	}
	return fresh, nil
}

func (s slackStore) addAsk(ctx context.Context, row askRow) error {
	return s.db.Writer(ctx).Create(&row).Error
}

func (s slackStore) ask(ctx context.Context, id string) (askRow, error) {
	var row askRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, err
}

// askedAt is the question that a message holds; without an id when it is none.
func (s slackStore) askedAt(ctx context.Context, channel, ts string) (askRow, error) {
	var list []askRow
	err := s.db.Reader(ctx).Where("channel = ? AND ts = ?", channel, ts).Limit(1).Find(&list).Error
	if err != nil || len(list) == 0 {
		return askRow{}, err
	}
	return list[0], nil
}

// latestOf are the newest runs of a person, in all teams.
func (s slackStore) latestOf(ctx context.Context, user int64, limit int) ([]runRow, error) {
	var list []runRow
	err := s.db.Reader(ctx).Where("user_id = ?", user).Order("started_at DESC, id").Limit(limit).Find(&list).Error
	return list, err
}

// open counts the questions of a thread that wait or run.
func (s slackStore) open(ctx context.Context, channel, thread string) (int64, error) {
	var n int64
	err := s.db.Reader(ctx).Model(&askRow{}).Where("channel = ? AND thread = ? AND state IN ?", channel, thread, []string{askWaiting, askRunning}).Count(&n).Error
	return n, err
}

// openIn lists them, in their order.
func (s slackStore) openIn(ctx context.Context, channel, thread string) ([]askRow, error) {
	var list []askRow
	err := s.db.Writer(ctx).Where("channel = ? AND thread = ? AND state IN ?", channel, thread, []string{askWaiting, askRunning}).Order("created_at, ts").Find(&list).Error
	return list, err
}

// turn moves a question from one state to another; false when it was in another.
func (s slackStore) turn(ctx context.Context, id, from, to string, at int64) (bool, error) {
	r := s.db.Writer(ctx).Exec("UPDATE assistant_slack_asks SET state = ?, ended_at = ? WHERE id = ? AND state = ?", to, at, id, from)
	return r.RowsAffected == 1, r.Error
}

func (s slackStore) noteStatus(ctx context.Context, id, thread, ts string, streamed bool) error {
	return s.db.Writer(ctx).Exec("UPDATE assistant_slack_asks SET thread = ?, status_ts = ?, streamed = ? WHERE id = ?", thread, ts, streamed, id).Error
}

func (s slackStore) noteRun(ctx context.Context, id, run string) error {
	return s.db.Writer(ctx).Exec("UPDATE assistant_slack_asks SET run_id = ? WHERE id = ?", run, id).Error
}

// joined reports whether the bot is part of a thread, and the first run there.
func (s slackStore) joined(ctx context.Context, channel, thread string) (run string, ok bool, err error) {
	var runs []string
	err = s.db.Reader(ctx).Raw("SELECT run_id FROM assistant_slack_threads WHERE channel = ? AND thread = ?", channel, thread).Scan(&runs).Error
	if err != nil || len(runs) == 0 {
		return "", false, err
	}
	return runs[0], true, nil
}

// join makes the bot part of a thread; run, once there is one, stays.
func (s slackStore) join(ctx context.Context, channel, thread, run string, at int64) error {
	return s.db.Writer(ctx).Exec(`INSERT INTO assistant_slack_threads (channel, thread, run_id, at) VALUES (?, ?, ?, ?)
		ON CONFLICT (channel, thread) DO UPDATE SET at = excluded.at,
		run_id = CASE WHEN assistant_slack_threads.run_id = '' THEN excluded.run_id ELSE assistant_slack_threads.run_id END`, channel, thread, run, at).Error
}

// addOut writes down what is to be said; false when that part has been.
func (s slackStore) addOut(ctx context.Context, row outRow) (bool, error) {
	r := s.db.Writer(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
	return r.RowsAffected == 1, r.Error
}

func (s slackStore) out(ctx context.Context, id string) (outRow, error) {
	var row outRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, err
}

// outOf finds a part of what is said about something.
func (s slackStore) outOf(ctx context.Context, subject, part string) (outRow, error) {
	var row outRow
	err := s.db.Reader(ctx).Where("subject = ? AND part = ?", subject, part).Take(&row).Error
	return row, err
}

func (s slackStore) settleOut(ctx context.Context, id, state, ts string) error {
	return s.db.Writer(ctx).Exec("UPDATE assistant_slack_outbox SET state = ?, sent_ts = ? WHERE id = ?", state, ts, id).Error
}

// outCounts says how much of what is to be said is in each state.
func (s slackStore) outCounts(ctx context.Context) (map[string]int64, error) {
	var rows []struct {
		State string
		N     int64
	}
	err := s.db.Reader(ctx).Raw("SELECT state, COUNT(*) AS n FROM assistant_slack_outbox GROUP BY state").Scan(&rows).Error
	out := map[string]int64{}
	for _, r := range rows {
		out[r.State] = r.N
	}
	return out, err
}

func (s slackStore) prune(ctx context.Context, seen, outbox, threads, now int64) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		for statement, before := range map[string]int64{
			"DELETE FROM assistant_slack_seen WHERE at < ?":                                                 seen,
			"DELETE FROM assistant_slack_outbox WHERE created_at < ? AND state <> 'waiting'":                outbox,
			"DELETE FROM assistant_slack_asks WHERE created_at < ? AND state NOT IN ('waiting', 'running')": outbox,
			"DELETE FROM assistant_slack_threads WHERE at < ?":                                              threads,
			"DELETE FROM assistant_slack_codes WHERE expires_at < ?":                                        now,
		} {
			if err := s.db.Writer(ctx).Exec(statement, before).Error; err != nil {
				return err
			}
		}
		return nil
	})
}
