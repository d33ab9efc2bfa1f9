package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
)

type teamRow struct {
	ID         int64 `gorm:"primaryKey"`
	Name       string
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	Privileged bool
	Auth       string
}

func (teamRow) TableName() string { return "accounts_teams" }

func (r teamRow) team() (Team, error) {
	t := Team{Team: identity.Team{ID: r.ID, Name: r.Name}, Created: fromMillis(r.CreatedAt), Privileged: r.Privileged}
	if r.Auth == "" {
		return t, nil
	}
	if err := json.Unmarshal([]byte(r.Auth), &t.Auth); err != nil {
		return t, fmt.Errorf("read the auth document of team %s: %w", r.Name, err)
	}
	return t, nil
}

func (s store) insertTeam(ctx context.Context, name string, now time.Time) (Team, error) {
	row := teamRow{Name: name, CreatedAt: toMillis(now), Auth: "{}"}
	if err := s.db.Writer(ctx).Create(&row).Error; err != nil {
		return Team{}, err
	}
	return row.team()
}

func (s store) teamByName(ctx context.Context, name string) (Team, error) {
	var row teamRow
	if err := s.db.Reader(ctx).Take(&row, "name = ?", name).Error; err != nil {
		return Team{}, database.NotFound(err, "There is no team %q, or you are not in it.", name)
	}
	return row.team()
}

func (s store) teamByID(ctx context.Context, id int64) (Team, error) {
	var row teamRow
	if err := s.db.Reader(ctx).Take(&row, "id = ?", id).Error; err != nil {
		return Team{}, database.NotFound(err, "There is no such team.")
	}
	return row.team()
}

// teams lists those with the ids, all when nil, with their numbers of members.
func (s store) teams(ctx context.Context, ids []int64) ([]Team, error) {
	q := s.db.Reader(ctx).Table("accounts_teams AS t").Order("t.name").
		Select("t.*, (SELECT COUNT(*) FROM accounts_members m WHERE m.team_id = t.id) AS members")
	if ids != nil {
		q = q.Where("t.id IN ?", ids)
	}
	var rows []struct {
		Row     teamRow `gorm:"embedded"`
		Members int64
	}
	if err := q.Scan(&rows).Error; err != nil {
		return nil, err
	}
	teams := make([]Team, len(rows))
	for i, r := range rows {
		t, err := r.Row.team()
		if err != nil {
			return nil, err
		}
		t.Members = r.Members
		teams[i] = t
	}
	return teams, nil
}

func (s store) updateTeam(ctx context.Context, t Team) error {
	auth, err := json.Marshal(t.Auth)
	if err != nil {
		return err
	}
	return s.db.Writer(ctx).Model(&teamRow{}).Where("id = ?", t.ID).
		Updates(map[string]any{"name": t.Name, "privileged": t.Privileged, "auth": string(auth)}).Error
}

func (s store) deleteTeam(ctx context.Context, id int64) error {
	if err := s.db.Writer(ctx).Exec("DELETE FROM accounts_tokens WHERE team_id = ?", id).Error; err != nil {
		return err
	}
	return s.db.Writer(ctx).Exec("DELETE FROM accounts_teams WHERE id = ?", id).Error
}
