package notify

import (
	"context"
	"encoding/json"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const channelTable = "notify_channels"

type channelRow struct {
	ID        string `gorm:"primaryKey"`
	TeamID    int64
	Name      string
	Kind      Kind
	Target    []byte
	Summary   string
	Events    string
	Pipelines string
	Enabled   bool
	Manner    string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
}

func (channelRow) TableName() string { return channelTable }

func (r channelRow) channel() Channel {
	c := Channel{Manner: r.manner(), ID: r.ID, Team: r.TeamID, Name: r.Name, Kind: r.Kind, Summary: r.Summary, Events: []Event{}, Pipelines: []string{}, Enabled: r.Enabled,
		CreatedAt: api.Millis(r.CreatedAt), UpdatedAt: api.Millis(r.UpdatedAt)}
	// Both were written by encode, so they are lists of strings.
	_ = json.Unmarshal([]byte(r.Events), &c.Events)
	_ = json.Unmarshal([]byte(r.Pipelines), &c.Pipelines)
	return c
}

// manner is how it tells; both lists are never null.
func (r channelRow) manner() (m Manner) {
	_ = json.Unmarshal([]byte(r.Manner), &m) // written by encode
	m.Quiet.Spans, m.Quiet.Pass = append([]Span{}, m.Quiet.Spans...), append([]Event{}, m.Quiet.Pass...)
	for i := range m.Quiet.Spans {
		m.Quiet.Spans[i].Days = append([]string{}, m.Quiet.Spans[i].Days...)
	}
	return m
}

func takenName(err error) error {
	if database.IsDuplicate(err) {
		return problem.New(problem.Conflict, "The team has a channel of that name already.")
	}
	return err
}

func (s *Service) insertChannel(ctx context.Context, row channelRow) error {
	return takenName(s.DB.Writer(ctx).Create(&row).Error)
}

func (s *Service) updateChannel(ctx context.Context, row channelRow) error {
	return takenName(s.DB.Writer(ctx).Exec(`UPDATE notify_channels SET name = ?, target = ?, summary = ?, events = ?, pipelines = ?, enabled = ?, manner = ?, updated_at = ?
		WHERE id = ?`, row.Name, row.Target, row.Summary, row.Events, row.Pipelines, row.Enabled, row.Manner, row.UpdatedAt, row.ID).Error)
}

func (s *Service) removeChannel(ctx context.Context, id string) error {
	return s.DB.Writer(ctx).Where("id = ?", id).Delete(&channelRow{}).Error
}

func (s *Service) findChannel(ctx context.Context, id string) (channelRow, error) {
	var row channelRow
	err := s.DB.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such channel.")
}

func (s *Service) enabledChannels(ctx context.Context, team int64) ([]channelRow, error) {
	var rows []channelRow
	return rows, s.DB.Reader(ctx).Where("team_id = ? AND enabled", team).Order("id").Find(&rows).Error
}

// tellable are the teams with channels.
func (s *Service) tellable(ctx context.Context) (teams []int64, err error) {
	return teams, s.DB.Reader(ctx).Raw("SELECT DISTINCT team_id FROM notify_channels WHERE enabled ORDER BY team_id").Scan(&teams).Error
}

// Channels lists those of the teams, each with its newest delivery.
func (s *Service) Channels(ctx context.Context, teams ...int64) ([]Channel, error) {
	var rows []channelRow
	if err := s.DB.Reader(ctx).Where("team_id IN ?", teams).Order("name, id").Find(&rows).Error; err != nil {
		return nil, err
	}
	var newest []deliveryRow
	err := s.DB.Reader(ctx).Where("id IN (SELECT MAX(d.id) FROM notify_deliveries d WHERE d.team_id IN ? GROUP BY d.channel_id)", teams).Find(&newest).Error
	if err != nil {
		return nil, err
	}
	last := map[string]*Delivery{}
	for _, r := range newest {
		d := r.delivery()
		last[r.ChannelID] = &d
	}
	list := make([]Channel, len(rows))
	for i, r := range rows {
		list[i] = r.channel()
		list[i].Last = last[r.ID]
	}
	return list, nil
}
