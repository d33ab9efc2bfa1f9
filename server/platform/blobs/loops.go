package blobs

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

// Loops are what the store wants run.
func (s *Store) Loops() []work.Loop {
	return []work.Loop{{Name: "blobs.collect", Every: 10 * time.Minute, Run: func(ctx context.Context) error {
		_, err := s.Collect(ctx)
		return err
	}}}
}
