package github

import (
	"context"
	"encoding/json"

	"github.com/signalbox/signalbox/server/platform/database"
)

const hookTable = "github_hooks"

type hookRow struct {
	ID             string `gorm:"primaryKey"`
	TeamID         int64
	Name           string
	ConnectionID   *string
	Secret         []byte
	PreviousSecret []byte
	PreviousUntil  int64
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	RotatedAt      int64
	LastDeliveryAt int64
	LastPingAt     int64

	Kind          HookKind
	Owner         string
	Repo          string
	GithubID      int64
	Managed       bool
	Events        string
	State         HookState
	Problem       string
	SecretPending bool
	GithubStamp   string

	ComparedAt      int64
	CompareNext     int64
	CompareError    string
	CompareFailures int64
	Missing         int64
	Recovered       int64
	MissedAt        int64
}

func (hookRow) TableName() string { return hookTable }

func (s *Service) hook(r hookRow) Hook {
	h := Hook{ID: r.ID, Team: r.TeamID, Name: r.Name, URL: s.hookURL(r.ID), PreviousUntil: Millis(r.PreviousUntil), CreatedAt: Millis(r.CreatedAt),
		RotatedAt: Millis(r.RotatedAt), LastDeliveryAt: Millis(r.LastDeliveryAt), LastPingAt: Millis(r.LastPingAt)}
	if r.ConnectionID != nil {
		h.Connection = *r.ConnectionID
	}
	h.Kind, h.Managed, h.State, h.Problem, h.Alive = r.Kind, r.Managed, r.State, r.Problem, r.proved(s.Now(), s.started)
	h.Repository = r.Owner
	if r.Repo != "" {
		h.Repository += "/" + r.Repo
	}
	h.Events = []string{}
	_ = json.Unmarshal([]byte(r.Events), &h.Events) // written by us
	h.Gap = Gap{Missing: r.Missing, Recovered: r.Recovered, LastComparedAt: Millis(r.ComparedAt), MissedAt: Millis(r.MissedAt), Error: r.CompareError, Possible: r.comparable()}
	return h
}

func (s *Service) insertHook(ctx context.Context, row hookRow) error {
	return s.DB.Writer(ctx).Create(&row).Error
}

func (s *Service) updateHookSecrets(ctx context.Context, row hookRow) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_hooks SET secret = ?, previous_secret = ?, previous_until = ?, rotated_at = ? WHERE id = ?",
		row.Secret, row.PreviousSecret, row.PreviousUntil, row.RotatedAt, row.ID).Error
}

func (s *Service) removeHook(ctx context.Context, id string) error {
	return s.DB.Writer(ctx).Where("id = ?", id).Delete(&hookRow{}).Error
}

func (s *Service) findHook(ctx context.Context, id string) (hookRow, error) {
	var row hookRow
	err := s.DB.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such hook.")
}

// Hooks lists those of the given teams.
func (s *Service) Hooks(ctx context.Context, teams ...int64) ([]Hook, error) {
	var rows []hookRow
	err := s.DB.Reader(ctx).Where("team_id IN ?", teams).Order("created_at, id").Find(&rows).Error
	list := make([]Hook, len(rows))
	for i, r := range rows {
		list[i] = s.hook(r)
	}
	return list, err
}

// touchHook notes that the hook is alive.
func (s *Service) touchHook(ctx context.Context, id string, at int64, ping bool) error {
	column := "last_delivery_at"
	if ping {
		column = "last_ping_at"
	}
	return s.DB.Writer(ctx).Exec("UPDATE github_hooks SET "+column+" = ? WHERE id = ?", at, id).Error
}
