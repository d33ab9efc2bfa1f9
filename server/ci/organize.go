package ci

import (
	"cmp"
	"context"
	"slices"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// rename gives all instances of a pipeline another name.
func (s *Service) rename(ctx context.Context, p pipelineRow, next string) ([]pipeline.Warning, error) {
	warning, bad := pipeline.CheckName(next, "pipeline")
	if bad != "" {
		return nil, problem.New(problem.Invalid, "%s", bad)
	}
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.renamePipelines(ctx, p.TeamID, p.Name, next); err != nil {
			return err
		}
		s.changed(ctx, p.TeamID, topicPipeline, p.ID)
		return s.audit(ctx, p.TeamID, "pipeline.rename", p.Name, next)
	})
	if database.IsDuplicate(err) {
		return nil, problem.New(problem.Conflict, "There is a pipeline %s already.", next)
	}
	if warning == nil {
		return nil, err
	}
	return []pipeline.Warning{*warning}, err
}

// destroy stops what runs and deletes the pipeline with its builds and logs.
func (s *Service) destroy(ctx context.Context, p pipelineRow) error {
	open, err := s.openBuilds(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, id := range open {
		b, err := s.build(ctx, id)
		if err != nil {
			return err
		}
		if err := s.abort(ctx, b); err != nil {
			return err
		}
	}
	builds, err := s.buildIDs(ctx, p.ID)
	if err != nil {
		return err
	}
	containers, err := s.containersOf(ctx, open)
	if err != nil {
		return err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.deletePipeline(ctx, p.ID); err != nil {
			return err
		}
		if err := s.archiveAbandoned(ctx); err != nil {
			return err
		}
		s.changed(ctx, p.TeamID, topicPipeline, p.ID)
		return s.audit(ctx, p.TeamID, "pipeline.delete", p.label(), "")
	})
	if err != nil {
		return err
	}
	s.forgetBuilds(ctx, builds, containers)
	return nil
}

// forgetBuilds removes the logs of deleted builds and what still ran for them.
// What fails is for the collector.
func (s *Service) forgetBuilds(ctx context.Context, builds []int64, containers []runtime.ContainerID) {
	for _, id := range builds {
		if err := s.deps.Logs.Remove(id); err != nil {
			s.deps.Log.WarnContext(ctx, "the log of a deleted build could not be removed", "build", id, "error", err)
		}
	}
	if s.deps.Executor == nil {
		return
	}
	for _, id := range containers {
		if err := s.deps.Executor.Remove(ctx, id); err != nil {
			s.deps.Log.WarnContext(ctx, "the container of a deleted build could not be removed; the collector tries again", "container", id, "error", err)
		}
	}
}

// order puts pipelines in the order of their names; the others follow as they were.
func (s *Service) order(ctx context.Context, team int64, names []string) error {
	rows, err := s.pipelines(ctx, []int64{team})
	if err != nil {
		return err
	}
	place := map[string]int{}
	for i, name := range names {
		place[name] = i + 1
	}
	for name := range place {
		if !containsPipeline(rows, name) {
			return problem.New(problem.Invalid, "pipeline '%s' not found", name)
		}
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		for i, row := range rows {
			at := int64(len(names) + i + 1)
			if n := place[row.Name]; n > 0 {
				at = int64(n)
			}
			if err := s.setOrdering(ctx, row.ID, at); err != nil {
				return err
			}
		}
		s.changed(ctx, team, topicPipeline, firstID(rows))
		return nil
	})
}

// orderInstances puts the instances of one pipeline in order, together at the place
// of the first of them; those that are not named follow.
func (s *Service) orderInstances(ctx context.Context, team int64, name string, instances []pipeline.InstanceVars) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		rank := map[int64]int{}
		for i, vars := range instances {
			row, err := s.pipelineByName(ctx, team, name, canonicalVars(vars))
			if err != nil {
				return problem.Wrap(err, problem.Invalid, "instance %s of pipeline '%s' not found", canonicalVars(vars), name)
			}
			rank[row.ID] = i + 1
		}
		rows, err := s.pipelines(ctx, []int64{team})
		if err != nil {
			return err
		}
		for i, row := range groupInstances(rows, name, rank) {
			if err := s.setOrdering(ctx, row.ID, int64(i+1)); err != nil {
				return err
			}
		}
		s.changed(ctx, team, topicPipeline, firstID(rows))
		return nil
	})
}

// groupInstances moves the rows of a name together, by rank; 0 is last.
func groupInstances(rows []pipelineRow, name string, rank map[int64]int) []pipelineRow {
	var group, out []pipelineRow
	at := -1
	for _, row := range rows {
		switch {
		case row.Name != name:
			out = append(out, row)
			continue
		case at < 0:
			at = len(out)
		}
		group = append(group, row)
	}
	slices.SortStableFunc(group, func(a, b pipelineRow) int {
		return cmp.Compare(uint(rank[a.ID]-1), uint(rank[b.ID]-1)) // 0 wraps to the largest
	})
	return slices.Insert(out, max(at, 0), group...)
}

func containsPipeline(rows []pipelineRow, name string) bool {
	for _, r := range rows {
		if r.Name == name {
			return true
		}
	}
	return false
}

func firstID(rows []pipelineRow) int64 {
	if len(rows) == 0 {
		return 0
	}
	return rows[0].ID
}
