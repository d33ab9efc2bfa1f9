package accounts

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

// AuditLoop lets entries of the audit log go that are older than keep; 0 keeps them for
// ever. What of them goes is itself no entry: the configuration says it.
func (s *Service) AuditLoop(keep time.Duration) work.Loop {
	return work.Loop{Name: "accounts: let old audit entries go", Every: 6 * time.Hour, Run: func(ctx context.Context) error {
		if keep <= 0 {
			return nil
		}
		_, err := s.store.pruneAudit(ctx, s.now().Add(-keep))
		return err
	}}
}
