package accounts

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
)

type memberRow struct {
	TeamID int64
	UserID int64
	Role   string
}

func (memberRow) TableName() string { return "accounts_members" }

// memberships are the user's teams; an administrator owns all.
func (s store) memberships(ctx context.Context, u User) ([]membership, error) {
	var rows []struct {
		ID         int64
		Name, Role string
	}
	q := s.db.Reader(ctx)
	if u.IsAdmin {
		q = q.Raw("SELECT id, name, ? AS role FROM accounts_teams", string(identity.Owner))
	} else {
		q = q.Raw("SELECT t.id, t.name, m.role FROM accounts_members m JOIN accounts_teams t ON t.id = m.team_id WHERE m.user_id = ?", u.ID)
	}
	err := q.Scan(&rows).Error
	out := make([]membership, len(rows))
	for i, r := range rows {
		out[i] = membership{Team: identity.Team{ID: r.ID, Name: r.Name}, Role: identity.Role(r.Role)}
	}
	return out, err
}

func (s store) members(ctx context.Context, team int64) ([]Member, error) {
	var rows []struct {
		Row  userRow `gorm:"embedded"`
		Role string
	}
	err := s.db.Reader(ctx).Raw(`SELECT u.*, m.role FROM accounts_members m JOIN accounts_users u ON u.id = m.user_id
		WHERE m.team_id = ? ORDER BY lower(u.name)`, team).Scan(&rows).Error
	out := make([]Member, len(rows))
	for i, r := range rows {
		out[i] = Member{User: r.Row.user(), Role: identity.Role(r.Role)}
	}
	return out, err
}

// role is "" for a stranger.
func (s store) role(ctx context.Context, team, user int64) (identity.Role, error) {
	var row memberRow
	err := s.db.Reader(ctx).Take(&row, "team_id = ? AND user_id = ?", team, user).Error
	if database.IsNotFound(err) {
		return "", nil
	}
	return identity.Role(row.Role), err
}

func (s store) setRole(ctx context.Context, team, user int64, role identity.Role) error {
	return s.db.Writer(ctx).Exec(`INSERT INTO accounts_members (team_id, user_id, role) VALUES (?, ?, ?)
		ON CONFLICT (team_id, user_id) DO UPDATE SET role = excluded.role`, team, user, string(role)).Error
}

func (s store) removeMember(ctx context.Context, team, user int64) (bool, error) {
	r := s.db.Writer(ctx).Exec("DELETE FROM accounts_members WHERE team_id = ? AND user_id = ?", team, user)
	return r.RowsAffected > 0, r.Error
}

func (s store) owners(ctx context.Context, team int64) (ids []int64, err error) {
	err = s.db.Reader(ctx).Model(&memberRow{}).Where("team_id = ? AND role = ?", team, string(identity.Owner)).Pluck("user_id", &ids).Error
	return ids, err
}
