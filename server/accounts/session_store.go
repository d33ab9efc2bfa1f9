package accounts

import (
	"context"
	"time"
)

type sessionRow struct {
	Hash      string `gorm:"primaryKey"`
	UserID    int64
	CSRF      string `gorm:"column:csrf"`
	CreatedAt int64  `gorm:"autoCreateTime:false"`
	ExpiresAt int64
	Address   string
	Agent     string
}

func (sessionRow) TableName() string { return "accounts_sessions" }

func (s store) insertSession(ctx context.Context, n session) error {
	return s.db.Writer(ctx).Create(&sessionRow{Hash: n.Hash, UserID: n.UserID, CSRF: n.CSRF, CreatedAt: toMillis(n.Created),
		ExpiresAt: toMillis(n.Expires), Address: n.Address, Agent: n.Agent}).Error
}

func (s store) deleteSession(ctx context.Context, hash string) error {
	return s.db.Writer(ctx).Exec("DELETE FROM accounts_sessions WHERE hash = ?", hash).Error
}

// session finds a session that has not ended.
func (s store) session(ctx context.Context, hash string, now time.Time) (session, error) {
	var r sessionRow
	err := s.db.Reader(ctx).Take(&r, "hash = ? AND expires_at > ?", hash, toMillis(now)).Error
	return session{Hash: r.Hash, UserID: r.UserID, CSRF: r.CSRF, Created: fromMillis(r.CreatedAt), Expires: fromMillis(r.ExpiresAt),
		Address: r.Address, Agent: r.Agent}, err
}

// writeSeen moves ends of sessions and last uses of tokens forward, never back.
func (s store) writeSeen(ctx context.Context, sessions, tokens map[string]int64) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		for hash, expires := range sessions {
			if err := s.db.Writer(ctx).Exec("UPDATE accounts_sessions SET expires_at = ? WHERE hash = ? AND expires_at < ?", expires, hash, expires).Error; err != nil {
				return err
			}
		}
		for id, at := range tokens {
			if err := s.db.Writer(ctx).Exec("UPDATE accounts_tokens SET last_used_at = ? WHERE id = ? AND last_used_at < ?", at, id, at).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

// sweep deletes sessions that have ended, and fly logins that ended before kept.
func (s store) sweep(ctx context.Context, now, kept time.Time) error {
	if err := s.db.Writer(ctx).Exec("DELETE FROM accounts_sessions WHERE expires_at <= ?", toMillis(now)).Error; err != nil {
		return err
	}
	return s.db.Writer(ctx).Exec("DELETE FROM accounts_tokens WHERE kind = ? AND expires_at > 0 AND expires_at <= ?", flyToken, toMillis(kept)).Error
}
