package assistant

import (
	"context"

	"gorm.io/gorm/clause"
)

type personRow struct {
	Workspace string `gorm:"primaryKey"`
	SlackUser string `gorm:"primaryKey"`
	SlackName string
	UserID    int64
	Team      string
	LinkedAt  int64
}

func (personRow) TableName() string { return "assistant_slack_people" }

type codeRow struct {
	Hash                            string `gorm:"primaryKey"`
	Workspace, SlackUser, SlackName string
	ExpiresAt                       int64
}

func (codeRow) TableName() string { return "assistant_slack_codes" }

type channelRow struct {
	Channel      string `gorm:"primaryKey"`
	Name         string
	TeamID       int64
	Repositories string
	UpdatedAt    int64
	UpdatedBy    string
}

func (channelRow) TableName() string { return "assistant_slack_channels" }

func (s slackStore) person(ctx context.Context, workspace, user string) (personRow, bool, error) {
	var list []personRow
	err := s.db.Reader(ctx).Where("workspace = ? AND slack_user = ?", workspace, user).Limit(1).Find(&list).Error
	if err != nil || len(list) == 0 {
		return personRow{}, false, err
	}
	return list[0], true, nil
}

// linksOf are the Slack users that are a user of ours; all when user is 0.
func (s slackStore) linksOf(ctx context.Context, workspace string, user int64) ([]personRow, error) {
	q := s.db.Reader(ctx).Where("workspace = ?", workspace)
	if user != 0 {
		q = q.Where("user_id = ?", user)
	}
	var list []personRow
	err := q.Order("slack_name, slack_user").Limit(5000).Find(&list).Error
	return list, err
}

func (s slackStore) savePerson(ctx context.Context, row personRow) error {
	return s.db.Writer(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
}

func (s slackStore) dropPerson(ctx context.Context, workspace, user string) error {
	return s.db.Writer(ctx).Exec("DELETE FROM assistant_slack_people WHERE workspace = ? AND slack_user = ?", workspace, user).Error
}

// addCode replaces what the same user was given before: one address is good at a time.
func (s slackStore) addCode(ctx context.Context, row codeRow) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.db.Writer(ctx).Exec("DELETE FROM assistant_slack_codes WHERE workspace = ? AND slack_user = ?", row.Workspace, row.SlackUser).Error; err != nil {
			return err
		}
		return s.db.Writer(ctx).Create(&row).Error
	})
}

func (s slackStore) code(ctx context.Context, hash string, now int64) (codeRow, bool, error) {
	var list []codeRow
	err := s.db.Reader(ctx).Where("hash = ? AND expires_at > ?", hash, now).Limit(1).Find(&list).Error
	if err != nil || len(list) == 0 {
		return codeRow{}, false, err
	}
	return list[0], true, nil
}

// useCode gives what a code stands for to the first who asks.
func (s slackStore) useCode(ctx context.Context, hash string, now int64) (codeRow, bool, error) {
	row, ok, err := s.code(ctx, hash, now)
	if err != nil || !ok {
		return row, false, err
	}
	r := s.db.Writer(ctx).Exec("DELETE FROM assistant_slack_codes WHERE hash = ?", hash)
	return row, r.RowsAffected == 1, r.Error
}

func (s slackStore) channel(ctx context.Context, channel string) (channelRow, bool, error) {
	var list []channelRow
	err := s.db.Reader(ctx).Where("channel = ?", channel).Limit(1).Find(&list).Error
	if err != nil || len(list) == 0 {
		return channelRow{}, false, err
	}
	return list[0], true, nil
}

func (s slackStore) channels(ctx context.Context, team int64) ([]channelRow, error) {
	var list []channelRow
	err := s.db.Reader(ctx).Where("team_id = ?", team).Order("name, channel").Find(&list).Error
	return list, err
}

// saveChannel maps a channel to a team; false when another team has it.
func (s slackStore) saveChannel(ctx context.Context, row channelRow) (bool, error) {
	r := s.db.Writer(ctx).Exec(`INSERT INTO assistant_slack_channels (channel, name, team_id, repositories, updated_at, updated_by) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (channel) DO UPDATE SET name = excluded.name, repositories = excluded.repositories, updated_at = excluded.updated_at, updated_by = excluded.updated_by
		WHERE assistant_slack_channels.team_id = excluded.team_id`, row.Channel, row.Name, row.TeamID, row.Repositories, row.UpdatedAt, row.UpdatedBy)
	return r.RowsAffected == 1, r.Error
}

func (s slackStore) dropChannel(ctx context.Context, team int64, channel string) (bool, error) {
	r := s.db.Writer(ctx).Exec("DELETE FROM assistant_slack_channels WHERE channel = ? AND team_id = ?", channel, team)
	return r.RowsAffected == 1, r.Error
}
