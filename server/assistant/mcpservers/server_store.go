package mcpservers

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

const serverTable = "assistant_servers"

// SealedColumns are where the package keeps what is sealed.
func SealedColumns() []secrets.Column {
	return []secrets.Column{{Table: serverTable, Name: "secrets", Keys: []string{"id"}, Row: secrets.ByKey}}
}

type serverRow struct {
	ID                              string `gorm:"primaryKey"`
	TeamID                          int64
	Name, Kind, Command, URL        string
	SecretNames                     string
	Secrets                         []byte
	Inside                          bool
	Repositories                    bool `gorm:"column:github"`
	Enabled                         bool
	TimeoutMs, CreatedAt, UpdatedAt int64
	UpdatedBy                       string
}

func (serverRow) TableName() string { return serverTable }

type toolRow struct {
	ServerID           string `gorm:"primaryKey"`
	Name               string `gorm:"primaryKey"`
	Shown, Description string
	Schema, Pinned     string
	Permission         Permission
	UpdatedBy          string
	UpdatedAt          int64
}

func (toolRow) TableName() string { return "assistant_server_tools" }

func (r serverRow) server() (Server, error) {
	out := Server{ID: r.ID, Name: r.Name, Kind: Kind(r.Kind), Command: []string{}, URL: r.URL, Secrets: []string{}, Inside: r.Inside, Repositories: r.Repositories, Enabled: r.Enabled,
		TimeoutSeconds: int(r.TimeoutMs / 1000), UpdatedAt: time.UnixMilli(r.UpdatedAt).UTC(), UpdatedBy: r.UpdatedBy}
	for text, into := range map[string]any{r.Command: &out.Command, r.SecretNames: &out.Secrets} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return out, fmt.Errorf("read the outside server %s: %w", r.ID, err)
		}
	}
	return out, nil
}

type store struct{ db *database.DB }

// servers lists those of a team, or all of them when team is 0.
func (s store) servers(ctx context.Context, team int64) ([]serverRow, error) {
	q := s.db.Reader(ctx).Order("name")
	if team != 0 {
		q = q.Where("team_id = ?", team)
	}
	var list []serverRow
	err := q.Find(&list).Error
	return list, err
}

func (s store) server(ctx context.Context, id string) (serverRow, error) {
	var row serverRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such server.")
}

func (s store) add(ctx context.Context, row serverRow) error {
	return s.db.Writer(ctx).Create(&row).Error
}

func (s store) change(ctx context.Context, row serverRow) error {
	return s.db.Writer(ctx).Select("*").Where("id = ?", row.ID).Updates(&row).Error
}

func (s store) remove(ctx context.Context, id string) error {
	return s.db.Writer(ctx).Exec("DELETE FROM assistant_servers WHERE id = ?", id).Error
}

func (s store) tools(ctx context.Context, server string) ([]toolRow, error) {
	var list []toolRow
	err := s.db.Reader(ctx).Where("server_id = ?", server).Order("name").Find(&list).Error
	return list, err
}

// describe keeps what a server says of its tools now; permissions and pins stay, and tools that are gone go.
func (s store) describe(ctx context.Context, server string, now []toolRow) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		have, err := s.tools(ctx, server)
		if err != nil {
			return err
		}
		old := map[string]toolRow{}
		for _, row := range have {
			old[row.Name] = row
		}
		for _, row := range now {
			if before, ok := old[row.Name]; ok {
				delete(old, row.Name)
				if before.Description != row.Description || before.Schema != row.Schema || before.Shown != row.Shown {
					err := s.db.Writer(ctx).Exec("UPDATE assistant_server_tools SET shown = ?, description = ?, schema = ? WHERE server_id = ? AND name = ?", row.Shown, row.Description, row.Schema, server, row.Name).Error
					if err != nil {
						return err
					}
				}
			} else if err := s.db.Writer(ctx).Create(&row).Error; err != nil {
				return err
			}
		}
		for name, row := range old {
			// What was allowed is remembered, so that a tool that comes back in another form does not come back allowed.
			if row.Pinned != "" {
				continue
			}
			if err := s.db.Writer(ctx).Exec("DELETE FROM assistant_server_tools WHERE server_id = ? AND name = ?", server, name).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

func (s store) permit(ctx context.Context, row toolRow) (bool, error) {
	r := s.db.Writer(ctx).Exec("UPDATE assistant_server_tools SET permission = ?, pinned = ?, updated_by = ?, updated_at = ? WHERE server_id = ? AND name = ? AND description = ? AND schema = ?",
		row.Permission, row.Pinned, row.UpdatedBy, row.UpdatedAt, row.ServerID, row.Name, row.Description, row.Schema)
	return r.RowsAffected == 1, r.Error
}
