package accounts

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

// keepEnded is how long a fly login that has ended stays readable for support.
const keepEnded = 7 * 24 * time.Hour

// Loops are what accounts wants run in the background.
func (s *Service) Loops() []work.Loop {
	return []work.Loop{
		{Name: "accounts: write down last uses", Every: 30 * time.Second, Local: true, Run: s.flushSeen},
		{Name: "accounts: sweep ended sessions", Every: time.Hour, Run: s.sweep},
	}
}

func (s *Service) sweep(ctx context.Context) error {
	now := s.now()
	return s.store.sweep(ctx, now, now.Add(-keepEnded))
}
