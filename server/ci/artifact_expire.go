package ci

import (
	"context"
	"errors"
	"time"
)

// uploadLife is how long what `fly execute` has uploaded or made can be fetched, as in Concourse.
const uploadLife = 12 * time.Hour

// ReapArtifacts deletes what has expired: kept artifacts, also those of builds that
// are gone, and uploads of `fly execute`, whose volumes then go with the collector.
func (s *Service) ReapArtifacts(ctx context.Context) error {
	err := s.reapUploads(ctx, toMillis(s.now().Add(-uploadLife)))
	if s.deps.Blobs == nil {
		return err
	}
	return errors.Join(err, s.reapKept(ctx))
}

func (s *Service) reapKept(ctx context.Context) error {
	const batch = 200
	for {
		rows, err := s.expiredArtifacts(ctx, batch)
		if err != nil {
			return err
		}
		for _, a := range rows {
			if err := s.dropArtifact(ctx, a); err != nil {
				return err
			}
			s.changed(ctx, a.TeamID, topicBuild, a.BuildID)
		}
		if len(rows) < batch {
			return nil
		}
	}
}

// dropArtifact deletes the row and gives back its bytes.
func (s *Service) dropArtifact(ctx context.Context, a keptArtifactRow) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.deleteKeptArtifact(ctx, a.ID); err != nil {
			return err
		}
		return s.deps.Blobs.Disown(ctx, a.TeamID, a.SHA256, ownsArtifact, formatInt(a.ID))
	})
}
