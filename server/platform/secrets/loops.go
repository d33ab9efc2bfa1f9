package secrets

import (
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

// Loops are what the store wants run.
func (s *Store) Loops() []work.Loop {
	return []work.Loop{{Name: "secrets.used", Every: 30 * time.Second, Run: s.FlushUsed}}
}
