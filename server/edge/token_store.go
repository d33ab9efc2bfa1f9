package edge

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
)

type tokenRow struct {
	ID                       string `gorm:"primaryKey"`
	TeamID                   int64
	Name, Hash, Site, Labels string
	Accepts                  bool
	MaxUses, Uses            int64
	CreatedBy                string
	CreatedAt                int64 `gorm:"autoCreateTime:false"`
	ExpiresAt, RevokedAt     int64
}

func (tokenRow) TableName() string { return "edge_tokens" }

func (r tokenRow) token() (Token, error) {
	t := Token{ID: r.ID, Team: r.TeamID, Name: r.Name, Site: r.Site, Accepts: r.Accepts, MaxUses: r.MaxUses, Uses: r.Uses, CreatedBy: r.CreatedBy,
		CreatedAt: api.Millis(r.CreatedAt), ExpiresAt: api.Millis(r.ExpiresAt), RevokedAt: api.Millis(r.RevokedAt)}
	if err := json.Unmarshal([]byte(r.Labels), &t.Labels); err != nil {
		return t, fmt.Errorf("read the labels of token %s: %w", r.ID, err)
	}
	return t, nil
}

func (r rows) insertToken(ctx context.Context, t Token, hash string) error {
	row := tokenRow{ID: t.ID, TeamID: t.Team, Name: t.Name, Hash: hash, Site: t.Site, Labels: text(t.Labels), Accepts: t.Accepts, MaxUses: t.MaxUses,
		CreatedBy: t.CreatedBy, CreatedAt: int64(t.CreatedAt), ExpiresAt: int64(t.ExpiresAt)}
	return r.db.Writer(ctx).Create(&row).Error
}

func (r rows) token(ctx context.Context, id string) (Token, error) {
	return r.tokenWhere(ctx, "id = ?", id)
}

func (r rows) tokenByHash(ctx context.Context, hash string) (Token, error) {
	return r.tokenWhere(ctx, "hash = ?", hash)
}

func (r rows) tokenWhere(ctx context.Context, query string, arg any) (Token, error) {
	var row tokenRow
	if err := r.db.Reader(ctx).Where(query, arg).Take(&row).Error; err != nil {
		return Token{}, database.NotFound(err, "There is no such token.")
	}
	return row.token()
}

// tokens are a team's, the newest first.
func (r rows) tokens(ctx context.Context, team int64) ([]Token, error) {
	var list []tokenRow
	if err := r.db.Reader(ctx).Where("team_id = ?", team).Order("created_at DESC, id").Limit(1000).Find(&list).Error; err != nil {
		return nil, err
	}
	out := make([]Token, len(list))
	for i, row := range list {
		t, err := row.token()
		if err != nil {
			return nil, err
		}
		out[i] = t
	}
	return out, nil
}

const tokenIsUsable = "revoked_at = 0 AND uses < max_uses AND expires_at > ?"

func (r rows) countTokens(ctx context.Context, team, now int64) (n int64, err error) {
	return n, r.db.Reader(ctx).Model(&tokenRow{}).Where("team_id = ? AND "+tokenIsUsable, team, now).Count(&n).Error
}

// spendToken counts a use; false when there is none left.
func (r rows) spendToken(ctx context.Context, id string, now int64) (bool, error) {
	done := r.db.Writer(ctx).Exec("UPDATE edge_tokens SET uses = uses + 1 WHERE id = ? AND "+tokenIsUsable, id, now)
	return done.RowsAffected == 1, done.Error
}

func (r rows) revokeToken(ctx context.Context, id string, now int64) error {
	return r.db.Writer(ctx).Exec("UPDATE edge_tokens SET revoked_at = ? WHERE id = ? AND revoked_at = 0", now, id).Error
}

// dropTokens forgets tokens that have not been usable for a while.
func (r rows) dropTokens(ctx context.Context, before int64) error {
	return r.db.Writer(ctx).Exec("DELETE FROM edge_tokens WHERE expires_at < ?", before).Error
}
