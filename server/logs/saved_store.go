package logs

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
)

type savedRow struct {
	ID        string `gorm:"primaryKey"`
	TeamID    int64
	UserID    int64
	Name      string
	Query     string
	StartTime string
	EndTime   string
	Columns   string
	Shared    bool
	CreatedBy string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
}

func (savedRow) TableName() string { return "logs_searches" }

func (r savedRow) search() (SavedSearch, error) {
	v := SavedSearch{ID: r.ID, Team: r.TeamID, User: r.UserID, Name: r.Name, Query: r.Query, From: r.StartTime, To: r.EndTime, Columns: []string{}, Shared: r.Shared,
		CreatedBy: r.CreatedBy, CreatedAt: api.Millis(r.CreatedAt), UpdatedAt: api.Millis(r.UpdatedAt)}
	if err := json.Unmarshal([]byte(r.Columns), &v.Columns); err != nil {
		return v, fmt.Errorf("read the columns of saved search %s: %w", r.ID, err)
	}
	return v, nil
}

func savedRowOf(v SavedSearch) *savedRow {
	return &savedRow{ID: v.ID, TeamID: v.Team, UserID: v.User, Name: v.Name, Query: v.Query, StartTime: v.From, EndTime: v.To, Columns: written(v.Columns), Shared: v.Shared,
		CreatedBy: v.CreatedBy, CreatedAt: int64(v.CreatedAt), UpdatedAt: int64(v.UpdatedAt)}
}

func (r rows) savedSearches(ctx context.Context, team, user int64) ([]SavedSearch, error) {
	var list []savedRow
	err := r.db.Reader(ctx).Where("team_id = ? AND name <> '' AND (shared OR user_id = ?)", team, user).Order("LOWER(name), id").Limit(maxSaved).Find(&list).Error
	if err != nil {
		return nil, err
	}
	out := make([]SavedSearch, len(list))
	for i, row := range list {
		if out[i], err = row.search(); err != nil {
			return nil, err
		}
		out[i].Mine = row.UserID == user
	}
	return out, nil
}

func (r rows) savedSearch(ctx context.Context, id string) (SavedSearch, error) {
	var row savedRow
	if err := r.db.Reader(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return SavedSearch{}, database.NotFound(err, "There is no saved search %.40s.", id)
	}
	return row.search()
}

func (r rows) countSaved(ctx context.Context, team int64) (n int64, err error) {
	err = r.db.Writer(ctx).Model(&savedRow{}).Where("team_id = ? AND name <> ''", team).Count(&n).Error
	return n, err
}

func (r rows) insertSaved(ctx context.Context, v SavedSearch) error {
	return r.db.Writer(ctx).Create(savedRowOf(v)).Error
}

func (r rows) updateSaved(ctx context.Context, v SavedSearch) error {
	row := savedRowOf(v)
	return r.db.Writer(ctx).Exec("UPDATE logs_searches SET name = ?, query = ?, start_time = ?, end_time = ?, columns = ?, shared = ?, updated_at = ? WHERE id = ?",
		row.Name, row.Query, row.StartTime, row.EndTime, row.Columns, row.Shared, row.UpdatedAt, row.ID).Error
}

func (r rows) removeSaved(ctx context.Context, id string) error {
	return r.db.Writer(ctx).Where("id = ?", id).Delete(&savedRow{}).Error
}

// saveLink keeps a link that is there already for longer.
func (r rows) saveLink(ctx context.Context, v SavedSearch) error {
	row := savedRowOf(v)
	return r.db.Writer(ctx).Exec(`INSERT INTO logs_searches (id, team_id, user_id, name, query, start_time, end_time, columns, shared, created_by, created_at, updated_at)
		VALUES (?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at`,
		row.ID, row.TeamID, row.UserID, row.Query, row.StartTime, row.EndTime, row.Columns, true, row.CreatedBy, row.CreatedAt, row.UpdatedAt).Error
}

// forgetLinks removes those that nobody has asked for since.
func (r rows) forgetLinks(ctx context.Context, before int64) error {
	return r.db.Writer(ctx).Where("name = '' AND updated_at < ?", before).Delete(&savedRow{}).Error
}
