package assistant

import (
	"context"

	"gorm.io/gorm/clause"

	"github.com/signalbox/signalbox/server/platform/database"
)

type digestRow struct {
	ID                             string `gorm:"primaryKey"`
	TeamID                         int64
	Channel, Schedule, Zone, Parts string
	UserID                         int64
	Muted                          bool
	NextAt, LastAt                 int64
	Trouble                        string
	CreatedAt                      int64
}

func (digestRow) TableName() string { return "assistant_slack_digests" }

type reviewRow struct {
	TeamID              int64  `gorm:"primaryKey"`
	Repository          string `gorm:"primaryKey"`
	Number              int64  `gorm:"primaryKey"`
	Login               string `gorm:"primaryKey"`
	Title, URL, AskedBy string
	AskedAt             int64
	Told                int64
	NextAt              int64
}

func (reviewRow) TableName() string { return "assistant_slack_reviews" }

func (s slackStore) digests(ctx context.Context, team int64) ([]digestRow, error) {
	var list []digestRow
	err := s.db.Reader(ctx).Where("team_id = ?", team).Order("created_at, id").Find(&list).Error
	return list, err
}

func (s slackStore) digest(ctx context.Context, team int64, id string) (digestRow, error) {
	var row digestRow
	err := s.db.Reader(ctx).Where("team_id = ? AND id = ?", team, id).Take(&row).Error
	return row, database.NotFound(err, "There is no such digest, or it is another team's.")
}

func (s slackStore) anyDigest(ctx context.Context, id string) (digestRow, error) {
	var row digestRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such digest.")
}

func (s slackStore) saveDigest(ctx context.Context, row digestRow) error {
	return s.db.Writer(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
}

func (s slackStore) dropDigest(ctx context.Context, id string) error {
	return s.db.Writer(ctx).Exec("DELETE FROM assistant_slack_digests WHERE id = ?", id).Error
}

func (s slackStore) mute(ctx context.Context, id string, muted bool) error {
	return s.db.Writer(ctx).Exec("UPDATE assistant_slack_digests SET muted = ? WHERE id = ?", muted, id).Error
}

func (s slackStore) digestsDue(ctx context.Context, now int64) ([]digestRow, error) {
	var list []digestRow
	err := s.db.Reader(ctx).Where("next_at <= ?", now).Order("next_at, id").Limit(50).Find(&list).Error
	return list, err
}

// moveDigest goes on to the next period; false when somebody else has, or has changed the digest.
func (s slackStore) moveDigest(ctx context.Context, id string, from, next, last int64, trouble string) (bool, error) {
	r := s.db.Writer(ctx).Exec("UPDATE assistant_slack_digests SET next_at = ?, last_at = ?, trouble = ? WHERE id = ? AND next_at = ?", next, last, trouble, id, from)
	return r.RowsAffected == 1, r.Error
}

// askReview notes that somebody is asked for a review; being asked again begins anew.
func (s slackStore) askReview(ctx context.Context, row reviewRow) error {
	return s.db.Writer(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
}

// dropReviews forgets who was asked about a pull request; only one person when login is not "".
func (s slackStore) dropReviews(ctx context.Context, team int64, repository string, number int64, login string) error {
	q := "DELETE FROM assistant_slack_reviews WHERE team_id = ? AND repository = ? AND number = ?"
	args := []any{team, repository, number}
	if login != "" {
		q, args = q+" AND login = ?", append(args, login)
	}
	return s.db.Writer(ctx).Exec(q, args...).Error
}

func (s slackStore) reviewsDue(ctx context.Context, now int64) ([]reviewRow, error) {
	var list []reviewRow
	err := s.db.Reader(ctx).Where("next_at <= ?", now).Order("next_at").Limit(100).Find(&list).Error
	return list, err
}

// moveReview notes that somebody was told; false when another server has, or the review was given meanwhile.
func (s slackStore) moveReview(ctx context.Context, row reviewRow, told, next int64) (bool, error) {
	r := s.db.Writer(ctx).Exec("UPDATE assistant_slack_reviews SET told = ?, next_at = ? WHERE team_id = ? AND repository = ? AND number = ? AND login = ? AND next_at = ?",
		told, next, row.TeamID, row.Repository, row.Number, row.Login, row.NextAt)
	return r.RowsAffected == 1, r.Error
}

// slackOf are the Slack users that are who GitHub calls login.
func (s slackStore) slackOf(ctx context.Context, workspace, login string) ([]personRow, error) {
	var list []personRow
	err := s.db.Reader(ctx).Raw(`SELECT p.* FROM assistant_slack_people p JOIN assistant_links l ON l.user_id = p.user_id AND l.kind = 'github'
		WHERE p.workspace = ? AND lower(l.name) = lower(?) ORDER BY p.slack_user`, workspace, login).Scan(&list).Error
	return list, err
}
