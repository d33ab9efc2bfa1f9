package accounts

import (
	"context"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type tokenRow struct {
	ID         string `gorm:"primaryKey"`
	Hash       string
	UserID     int64
	TeamID     int64
	Name       string
	Scopes     string
	Kind       string
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	ExpiresAt  int64
	LastUsedAt int64
	RevokedAt  int64
}

func (tokenRow) TableName() string { return "accounts_tokens" }

type foundToken struct {
	Row      tokenRow `gorm:"embedded"`
	UserName string
	TeamName string
}

func (f foundToken) token() Token {
	r := f.Row
	return Token{ID: r.ID, UserID: r.UserID, User: f.UserName, Team: identity.Team{ID: r.TeamID, Name: f.TeamName}, Name: r.Name,
		Scopes: strings.Split(r.Scopes, ","), Kind: tokenKind(r.Kind), Created: fromMillis(r.CreatedAt), Expires: fromMillis(r.ExpiresAt),
		LastUsed: fromMillis(r.LastUsedAt), Revoked: fromMillis(r.RevokedAt)}
}

const selectTokens = `SELECT k.*, u.name AS user_name, COALESCE(t.name, '') AS team_name FROM accounts_tokens k
	JOIN accounts_users u ON u.id = k.user_id LEFT JOIN accounts_teams t ON t.id = k.team_id `

func (s store) insertToken(ctx context.Context, t Token, hash string) error {
	return s.db.Writer(ctx).Create(&tokenRow{ID: t.ID, Hash: hash, UserID: t.UserID, TeamID: t.Team.ID, Name: t.Name, Scopes: strings.Join(t.Scopes, ","),
		Kind: string(t.Kind), CreatedAt: toMillis(t.Created), ExpiresAt: toMillis(t.Expires)}).Error
}

// tokenByHash finds a token that is still good.
func (s store) tokenByHash(ctx context.Context, hash string, now time.Time) (Token, error) {
	var row tokenRow
	err := s.db.Reader(ctx).Take(&row, "hash = ? AND revoked_at = 0 AND (expires_at = 0 OR expires_at > ?)", hash, toMillis(now)).Error
	return foundToken{Row: row}.token(), err
}

func (s store) token(ctx context.Context, id string) (Token, error) {
	var rows []foundToken
	err := s.db.Reader(ctx).Raw(selectTokens+"WHERE k.id = ?", id).Scan(&rows).Error
	if err == nil && len(rows) == 0 {
		err = problem.New(problem.NotFound, "There is no such token, or it is not yours.")
	}
	if err != nil {
		return Token{}, err
	}
	return rows[0].token(), nil
}

// tokens lists a user's that are not revoked, newest first; everybody's for 0.
// What fly was given is left out: it is a login.
func (s store) tokens(ctx context.Context, user int64) ([]Token, error) {
	var rows []foundToken
	err := s.db.Reader(ctx).Raw(selectTokens+"WHERE k.revoked_at = 0 AND k.kind = ? AND (? = 0 OR k.user_id = ?) ORDER BY k.created_at DESC, k.id",
		string(apiToken), user, user).Scan(&rows).Error
	out := make([]Token, len(rows))
	for i, r := range rows {
		out[i] = r.token()
	}
	return out, err
}

func (s store) revokeToken(ctx context.Context, id string, now time.Time) error {
	return s.db.Writer(ctx).Exec("UPDATE accounts_tokens SET revoked_at = ? WHERE id = ? AND revoked_at = 0", toMillis(now), id).Error
}
