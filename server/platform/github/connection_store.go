package github

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const connectionTable = "github_connections"

type connectionRow struct {
	ID           string `gorm:"primaryKey"`
	TeamID       int64
	Name         string
	APIURL       string `gorm:"column:api_url"`
	Token        []byte
	Login        string
	Error        string
	TestedAt     int64
	Kind         Kind
	AppID        int64
	AppSlug      string
	AppURL       string `gorm:"column:app_url"`
	AppKey       []byte
	Installation int64
	RemovedAt    int64
	State        ConnectionState
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
	UpdatedAt    int64 `gorm:"autoUpdateTime:false"`
}

func (connectionRow) TableName() string { return connectionTable }

func (r connectionRow) connection() Connection {
	return Connection{ID: r.ID, Team: r.TeamID, Name: r.Name, APIURL: r.APIURL, Kind: r.Kind, AppSlug: r.AppSlug, AppURL: r.AppURL, Installation: r.Installation, Login: r.Login, Error: r.Error, TestedAt: Millis(r.TestedAt),
		State: r.State, Problem: r.State.explain(),
		CreatedAt: Millis(r.CreatedAt), UpdatedAt: Millis(r.UpdatedAt)}
}

func takenName(err error) error {
	if database.IsDuplicate(err) {
		return problem.New(problem.Conflict, "The team has a connection of that name already.")
	}
	return err
}

func (s *Service) insertConnection(ctx context.Context, row connectionRow) error {
	return takenName(s.DB.Writer(ctx).Create(&row).Error)
}

func (s *Service) updateConnection(ctx context.Context, row connectionRow) error {
	return takenName(s.DB.Writer(ctx).Exec(`UPDATE github_connections SET name = ?, api_url = ?, token = ?, installation = ?, state = ?, login = ?, error = ?, tested_at = ?,
		updated_at = ? WHERE id = ?`, row.Name, row.APIURL, row.Token, row.Installation, row.State, row.Login, row.Error, row.TestedAt, row.UpdatedAt, row.ID).Error)
}

// changeConnectionState reports false when that was the state already, or when another
// installation was chosen.
func (s *Service) changeConnectionState(ctx context.Context, row connectionRow, state ConnectionState) (bool, error) {
	r := s.DB.Writer(ctx).Exec("UPDATE github_connections SET state = ? WHERE id = ? AND installation = ? AND state <> ?", state, row.ID, row.Installation, state)
	return r.RowsAffected == 1, r.Error
}

// connectionState is that of a connection; one that is gone has none.
func (s *Service) connectionState(ctx context.Context, id string) (state ConnectionState, err error) {
	var states []ConnectionState
	err = s.DB.Reader(ctx).Model(&connectionRow{}).Where("id = ?", id).Pluck("state", &states).Error
	if err != nil || len(states) == 0 {
		return ConnectionWorks, err
	}
	return states[0], nil
}

func (s *Service) removeConnection(ctx context.Context, id string) error {
	return s.DB.Writer(ctx).Where("id = ?", id).Delete(&connectionRow{}).Error
}

func (s *Service) findConnection(ctx context.Context, id string) (connectionRow, error) {
	var row connectionRow
	err := s.DB.Reader(ctx).Where("id = ? AND removed_at = 0", id).Take(&row).Error
	return row, notFoundConnection(err)
}

// retiredConnection finds one also when a person has removed it.
func (s *Service) retiredConnection(ctx context.Context, id string) (connectionRow, error) {
	var row connectionRow
	err := s.DB.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, notFoundConnection(err)
}

// retireConnection hides a connection from everybody, and frees its name.
func (s *Service) retireConnection(ctx context.Context, row connectionRow) error {
	err := s.DB.Writer(ctx).Exec("UPDATE github_connections SET removed_at = ?, name = ? WHERE id = ?", s.millis(), row.Name+" removed "+row.ID, row.ID).Error
	if err != nil {
		return err
	}
	return s.DB.Writer(ctx).Exec("UPDATE github_hooks SET connection_id = NULL WHERE connection_id = ?", row.ID).Error
}

// Connections lists those of a team, or of all the given teams.
func (s *Service) Connections(ctx context.Context, teams ...int64) ([]Connection, error) {
	var rows []connectionRow
	err := s.DB.Reader(ctx).Where("team_id IN ? AND removed_at = 0", teams).Order("name, id").Find(&rows).Error
	list := make([]Connection, len(rows))
	for i, r := range rows {
		list[i] = r.connection()
		list[i].Rate = s.heardRate(r.ID)
	}
	return list, err
}

func (s *Service) noteTest(ctx context.Context, id, login, message string) error {
	if err := s.DB.Writer(ctx).Exec("UPDATE github_connections SET login = ?, error = ?, tested_at = ? WHERE id = ?", login, message, s.millis(), id).Error; err != nil || message != "" {
		return err
	}
	return s.compareSoon(ctx, id)
}
