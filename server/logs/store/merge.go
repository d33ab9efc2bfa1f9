package store

import "context"

// mergeLoop merges small segments when a flush has made some.
func (s *Store) mergeLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wakeMerge:
		}
	}
}
