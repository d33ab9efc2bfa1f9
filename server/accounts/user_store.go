package accounts

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/signalbox/signalbox/server/platform/database"
)

type userRow struct {
	ID                 int64 `gorm:"primaryKey"`
	Name               string
	PasswordHash       string
	IsAdmin            bool
	Disabled           bool
	MustChangePassword bool
	CreatedAt          int64 `gorm:"autoCreateTime:false"`
	LastLoginAt        int64
}

func (userRow) TableName() string { return "accounts_users" }

func (r userRow) user() User {
	return User{ID: r.ID, Name: r.Name, IsAdmin: r.IsAdmin, Disabled: r.Disabled, MustChangePassword: r.MustChangePassword,
		Created: fromMillis(r.CreatedAt), LastLogin: fromMillis(r.LastLoginAt)}
}

// fromMillis keeps 0 as the zero time.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// lock lets one change of accounts run at a time; SQLite has one writer anyway.
func (s store) lock(ctx context.Context) error {
	if s.db.Dialect != database.Postgres {
		return nil
	}
	return s.db.Writer(ctx).Exec("SELECT pg_advisory_xact_lock(7211)").Error
}

func (s store) insertUser(ctx context.Context, u User, hash string) (User, error) {
	row := userRow{Name: u.Name, PasswordHash: hash, IsAdmin: u.IsAdmin, MustChangePassword: u.MustChangePassword, CreatedAt: toMillis(u.Created)}
	err := s.db.Writer(ctx).Create(&row).Error
	return row.user(), err
}

func (s store) user(ctx context.Context, id int64) (User, error) {
	var row userRow
	err := s.db.Reader(ctx).Take(&row, "id = ?", id).Error
	return row.user(), database.NotFound(err, "There is no user %d.", id)
}

func (s store) userByName(ctx context.Context, name string) (User, error) {
	u, _, err := s.userForLogin(ctx, name)
	return u, database.NotFound(err, "There is no user named %s.", name)
}

// userForLogin also gives the password hash; a missing user is the database's own not-found.
func (s store) userForLogin(ctx context.Context, name string) (User, string, error) {
	var row userRow
	err := s.db.Reader(ctx).Take(&row, "lower(name) = lower(?)", name).Error
	return row.user(), row.PasswordHash, err
}

func (s store) passwordHash(ctx context.Context, id int64) (string, error) {
	var row userRow
	err := s.db.Reader(ctx).Take(&row, "id = ?", id).Error
	return row.PasswordHash, database.NotFound(err, "There is no user %d.", id)
}

func (s store) users(ctx context.Context) ([]User, error) {
	var rows []userRow
	err := s.db.Reader(ctx).Order(clause.OrderByColumn{Column: clause.Column{Name: "lower(name)", Raw: true}}).Find(&rows).Error
	users := make([]User, len(rows))
	for i, r := range rows {
		users[i] = r.user()
	}
	return users, err
}

func (s store) updateUser(ctx context.Context, u User) error {
	return s.db.Writer(ctx).Model(&userRow{}).Where("id = ?", u.ID).
		Updates(map[string]any{"is_admin": u.IsAdmin, "disabled": u.Disabled}).Error
}

func (s store) setPassword(ctx context.Context, id int64, hash string, mustChange bool) error {
	return s.db.Writer(ctx).Model(&userRow{}).Where("id = ?", id).
		Updates(map[string]any{"password_hash": hash, "must_change_password": mustChange}).Error
}

func (s store) setLastLogin(ctx context.Context, id int64, at time.Time) error {
	return s.db.Writer(ctx).Model(&userRow{}).Where("id = ?", id).Update("last_login_at", toMillis(at)).Error
}

func (s store) enabledAdmins(ctx context.Context) (n int64, err error) {
	err = s.db.Reader(ctx).Model(&userRow{}).Where("is_admin AND NOT disabled").Count(&n).Error
	return n, err
}

// endLogins deletes the user's sessions but one, and revokes what fly was given.
func (s store) endLogins(ctx context.Context, user int64, except string, now time.Time) error {
	if err := s.db.Writer(ctx).Exec("DELETE FROM accounts_sessions WHERE user_id = ? AND hash <> ?", user, except).Error; err != nil {
		return err
	}
	return s.db.Writer(ctx).Exec("UPDATE accounts_tokens SET revoked_at = ? WHERE user_id = ? AND kind = ? AND revoked_at = 0",
		toMillis(now), user, flyToken).Error
}
