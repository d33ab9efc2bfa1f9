package secrets

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

// Loops are what the store wants run.
func (s *Store) Loops() []work.Loop {
	return []work.Loop{
		{Name: "secrets.used", Every: 5 * time.Second, Local: true, Run: s.FlushUsed},
		{Name: "secrets.key", Every: time.Minute, Local: true, Run: s.FollowKeyFile},
	}
}

// FollowKeyFile takes up a key that was added to the file, and seals with the newest what
// is not: after each change, after a start, and again while something does not open.
func (s *Store) FollowKeyFile(ctx context.Context) error {
	if _, err := s.deps.Box.Reload(); err != nil {
		return err
	}
	now := s.deps.Box.ring.Load()
	if s.resealed.Load() == now {
		return nil
	}
	if _, err := Reseal(ctx, s.deps.DB, s.deps.Box, s.columns()); err != nil {
		return err
	}
	s.resealed.Store(now)
	return nil
}

func (s *Store) columns() []Column {
	if s.deps.Columns == nil {
		return Columns()
	}
	return s.deps.Columns
}
