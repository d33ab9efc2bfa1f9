package accounts

import (
	"context"
	"time"
)

// auditBatch bounds one statement: others write in between.
const auditBatch = 5000

// pruneAudit deletes entries from before then and returns how many those were. Ids rise
// with time, so the oldest are found by them and no index on the time is needed.
func (s store) pruneAudit(ctx context.Context, before time.Time) (removed int64, err error) {
	for {
		r := s.db.Writer(ctx).Exec(`DELETE FROM accounts_audit WHERE id IN (SELECT id FROM accounts_audit ORDER BY id LIMIT ?) AND at < ?`, auditBatch, before.UnixMilli())
		removed += r.RowsAffected
		if r.Error != nil || r.RowsAffected < auditBatch {
			return removed, r.Error
		}
	}
}
