package github

import (
	"context"
	"encoding/json"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type ruleRow struct {
	ID         string `gorm:"primaryKey"`
	TeamID     int64
	Name       string
	Events     string
	Actions    string
	Repository string
	Branch     string
	ChannelID  string
	Enabled    bool
	LastSentAt int64
	Sent       int64
	Failed     int64
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	UpdatedAt  int64 `gorm:"autoUpdateTime:false"`
}

func (ruleRow) TableName() string { return "github_rules" }

func (r ruleRow) rule() Rule {
	out := Rule{ID: r.ID, Team: r.TeamID, Name: r.Name, Events: []string{}, Actions: []string{}, Repository: r.Repository, Branch: r.Branch, Channel: r.ChannelID,
		Enabled: r.Enabled, LastSentAt: Millis(r.LastSentAt), Sent: r.Sent, Failed: r.Failed, CreatedAt: Millis(r.CreatedAt), UpdatedAt: Millis(r.UpdatedAt)}
	// Both were written by us, so they are lists of strings.
	_ = json.Unmarshal([]byte(r.Events), &out.Events)
	_ = json.Unmarshal([]byte(r.Actions), &out.Actions)
	return out
}

// words is a list of strings as a column keeps it.
func words(list []string) string {
	if list == nil {
		list = []string{}
	}
	text, _ := json.Marshal(list) // strings only: cannot fail
	return string(text)
}

func takenRule(err error) error {
	if database.IsDuplicate(err) {
		return problem.New(problem.Conflict, "The team has a rule of that name already.")
	}
	return err
}

func (s *Service) insertRule(ctx context.Context, r Rule) error {
	return takenRule(s.DB.Writer(ctx).Create(&ruleRow{ID: r.ID, TeamID: r.Team, Name: r.Name, Events: words(r.Events), Actions: words(r.Actions), Repository: r.Repository,
		Branch: r.Branch, ChannelID: r.Channel, Enabled: r.Enabled, CreatedAt: int64(r.CreatedAt), UpdatedAt: int64(r.UpdatedAt)}).Error)
}

func (s *Service) updateRule(ctx context.Context, r Rule) error {
	return takenRule(s.DB.Writer(ctx).Exec(`UPDATE github_rules SET name = ?, events = ?, actions = ?, repository = ?, branch = ?, channel_id = ?, enabled = ?, updated_at = ?
		WHERE id = ?`, r.Name, words(r.Events), words(r.Actions), r.Repository, r.Branch, r.Channel, r.Enabled, int64(r.UpdatedAt), r.ID).Error)
}

func (s *Service) removeRule(ctx context.Context, id string) error {
	return s.DB.Writer(ctx).Where("id = ?", id).Delete(&ruleRow{}).Error
}

func (s *Service) findRule(ctx context.Context, id string) (Rule, error) {
	var row ruleRow
	err := s.DB.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row.rule(), database.NotFound(err, "There is no such rule.")
}

// Rules lists those of the teams by name.
func (s *Service) Rules(ctx context.Context, teams ...int64) ([]Rule, error) {
	var rows []ruleRow
	err := s.DB.Reader(ctx).Where("team_id IN ?", teams).Order("name, id").Find(&rows).Error
	list := make([]Rule, len(rows))
	for i, r := range rows {
		list[i] = r.rule()
	}
	return list, err
}

type ruleMessageRow struct {
	ID         int64 `gorm:"primaryKey"`
	TeamID     int64
	RuleID     string
	DeliveryID string
	MessageID  int64
	Title      string
	State      ToldState
	Error      string
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	EndedAt    int64
}

func (ruleMessageRow) TableName() string { return "github_rule_messages" }

func (s *Service) wasTold(ctx context.Context, rule, delivery string) (bool, error) {
	var n int64
	err := s.DB.Reader(ctx).Model(&ruleMessageRow{}).Where("rule_id = ? AND delivery_id = ?", rule, delivery).Count(&n).Error
	return n > 0, err
}

func (s *Service) insertRuleMessage(ctx context.Context, m ruleMessageRow) error {
	if err := s.DB.Writer(ctx).Create(&m).Error; err != nil {
		return err
	}
	if m.State == TellFailed {
		if err := s.countTold(ctx, m.RuleID, Told{State: TellFailed, EndedAt: Millis(m.EndedAt)}); err != nil {
			return err
		}
	}
	return s.DB.Writer(ctx).Exec(`DELETE FROM github_rule_messages WHERE rule_id = ? AND state <> 'waiting' AND id <=
		(SELECT m.id FROM github_rule_messages m WHERE m.rule_id = ? ORDER BY m.id DESC LIMIT 1 OFFSET ?)`, m.RuleID, m.RuleID, keepRuleLog).Error
}

func (s *Service) waitingMessages(ctx context.Context, after int64, limit int) ([]ruleMessageRow, error) {
	var rows []ruleMessageRow
	err := s.DB.Reader(ctx).Where("state = 'waiting' AND id > ?", after).Order("id").Limit(limit).Find(&rows).Error
	return rows, err
}

func (s *Service) noteTold(ctx context.Context, r ruleMessageRow, t Told) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		done := s.DB.Writer(ctx).Exec("UPDATE github_rule_messages SET state = ?, error = ?, ended_at = ? WHERE id = ? AND state = 'waiting'", t.State, t.Error, int64(t.EndedAt), r.ID)
		if done.Error != nil || done.RowsAffected == 0 || t.State == TellWaiting {
			return done.Error
		}
		return s.countTold(ctx, r.RuleID, t)
	})
}

func (s *Service) countTold(ctx context.Context, rule string, t Told) error {
	if t.State == TellSent {
		return s.DB.Writer(ctx).Exec("UPDATE github_rules SET sent = sent + 1, last_sent_at = ? WHERE id = ?", int64(t.EndedAt), rule).Error
	}
	return s.DB.Writer(ctx).Exec("UPDATE github_rules SET failed = failed + 1 WHERE id = ?", rule).Error
}

func (s *Service) ruleMessages(ctx context.Context, rule string, before int64, limit int) ([]RuleMessage, error) {
	q := s.DB.Reader(ctx).Where("rule_id = ?", rule)
	if before > 0 {
		q = q.Where("id < ?", before)
	}
	var rows []ruleMessageRow
	err := q.Order("id DESC").Limit(limit).Find(&rows).Error
	list := make([]RuleMessage, len(rows))
	for i, r := range rows {
		list[i] = RuleMessage{ID: r.ID, Delivery: r.DeliveryID, Title: r.Title, State: r.State, Error: r.Error, At: Millis(r.CreatedAt), EndedAt: Millis(r.EndedAt)}
	}
	return list, err
}
