package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// DeleteTeam removes everything of a team, in the context's transaction if there
// is one. Running builds are stopped and their logs removed after the commit.
func (s *Service) DeleteTeam(ctx context.Context, team int64) error {
	open, err := s.openBuildsOfTeam(ctx, team)
	if err != nil {
		return err
	}
	builds, err := s.buildIDsOfTeam(ctx, team)
	if err != nil {
		return err
	}
	containers, err := s.containersOf(ctx, open)
	if err != nil {
		return err
	}
	if err := s.deleteTeamRows(ctx, team); err != nil {
		return err
	}
	for _, id := range open {
		if err := s.db.Notify(ctx, abortChannel, formatInt(id)); err != nil {
			return err
		}
	}
	s.db.AfterCommit(ctx, func() { s.forgetBuilds(context.WithoutCancel(ctx), builds, containers) })
	return nil
}

// WantedContainers are those that builds which go on, or may be looked into,
// still need; everything else that an earlier life left may be removed.
func (s *Service) WantedContainers(ctx context.Context) ([]runtime.ContainerID, error) {
	used, err := s.usedContainers(ctx)
	out := make([]runtime.ContainerID, 0, len(used))
	for id := range used {
		out = append(out, id)
	}
	return out, err
}
