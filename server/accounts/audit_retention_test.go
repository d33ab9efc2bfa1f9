package accounts

import (
	"testing"
	"time"
)

func TestOldAuditEntriesGo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	now := w.s.now()
	count := func() (n int64) {
		if err := w.s.db.Reader(t.Context()).Raw("SELECT COUNT(*) FROM accounts_audit WHERE action = 'test.age'").Scan(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	// Older than everything that the world wrote, so they come first by id as well.
	if err := w.s.db.Writer(t.Context()).Exec("DELETE FROM accounts_audit").Error; err != nil {
		t.Fatal(err)
	}
	for _, age := range []time.Duration{50 * 24 * time.Hour, 41 * 24 * time.Hour, 39 * 24 * time.Hour, 0} {
		if err := w.s.store.insertAudit(t.Context(), auditRow{At: now.Add(-age).UnixMilli(), Actor: "ann", Action: "test.age", Object: age.String()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.s.AuditLoop(0).Run(t.Context()); err != nil || count() != 4 {
		t.Errorf("%d entries, %v", count(), err)
	}
	if err := w.s.AuditLoop(40 * 24 * time.Hour).Run(t.Context()); err != nil || count() != 2 {
		t.Errorf("%d entries, %v", count(), err)
	}
}
