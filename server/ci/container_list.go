package ci

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/runtime"
)

// shownContainers are a team's containers that the worker has, with the state that the
// worker says.
func (s *Service) shownContainers(ctx context.Context, team int64) ([]containerShape, error) {
	out := []containerShape{}
	if s.deps.Executor == nil {
		return out, nil
	}
	rows, err := s.containers(ctx, team)
	if err != nil {
		return nil, err
	}
	there, err := s.deps.Executor.Containers(ctx)
	if err != nil {
		return nil, err
	}
	known := make(map[runtime.ContainerID]runtime.ContainerInfo, len(there))
	for _, c := range there {
		known[c.ID] = c
	}
	for _, r := range rows {
		c, there := known[runtime.ContainerID(r.Step.Container)]
		if !there {
			continue
		}
		volumes, err := decode[[]engine.StepVolume](r.Step.Volumes)
		if err != nil {
			return nil, fmt.Errorf("volumes of a step: %w", err)
		}
		shown := containerShape{Handle: r.Step.Container, Kind: r.Step.Kind, Step: r.Step.Name, Image: imageOf(volumes), Worker: s.deps.Executor.Name(),
			State: "ended", StartedAt: c.Created, Build: &containerBuild{r.Step.BuildID, r.BuildName, r.JobName, r.PipelineName}}
		if c.Running {
			shown.State = "running"
		}
		out = append(out, shown)
	}
	slices.SortFunc(out, func(a, b containerShape) int { return b.StartedAt.Compare(a.StartedAt) })
	return out, nil
}

// imageOf is the volume that a step's image is in.
func imageOf(volumes []engine.StepVolume) string {
	for _, v := range volumes {
		if v.Role == engine.RoleImage {
			return string(v.ID)
		}
	}
	return "host"
}

// volumeKinds are the words for what a step uses a volume as.
var volumeKinds = map[engine.Role]string{engine.RoleOutput: "output", engine.RoleInput: "input", engine.RoleTaskCache: "task-cache",
	engine.RoleResource: "resource", engine.RoleImage: "image"}

// shownVolumes are the volumes on disk that something of the team needs.
func (s *Service) shownVolumes(ctx context.Context, team int64) ([]volumeShape, error) {
	out := []volumeShape{}
	if s.deps.Executor == nil {
		return out, nil
	}
	needs, err := s.volumeNeeds(ctx, team)
	if err != nil {
		return nil, err
	}
	there, err := s.deps.Executor.Volumes(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range there {
		need, ours := needs[string(v.ID)]
		if !ours {
			continue
		}
		out = append(out, volumeShape{Handle: string(v.ID), Kind: need.Kind, Path: need.Path, Bytes: v.Bytes, UsedBy: need.By, CreatedAt: v.Created})
	}
	slices.SortFunc(out, func(a, b volumeShape) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), b.CreatedAt.Compare(a.CreatedAt))
	})
	return out, nil
}

// volumeNeed is why a volume is kept.
type volumeNeed struct {
	Kind, Path string
	By         []string
}

// volumeNeeds tells of each volume of a team what it is and who needs it; where a cache
// and a step have the same one, it is shown as the cache.
func (s *Service) volumeNeeds(ctx context.Context, team int64) (map[string]volumeNeed, error) {
	kept, err := s.keptVolumesOf(ctx, team)
	if err != nil {
		return nil, err
	}
	needs := map[string]volumeNeed{}
	add := func(id, kind, path, by string) {
		need, known := needs[id]
		if !known {
			need = volumeNeed{Kind: kind, Path: path}
		}
		if !slices.Contains(need.By, by) {
			need.By = append(need.By, by)
		}
		needs[id] = need
	}
	for _, k := range kept {
		add(k.Volume, k.Kind, k.Path, k.Owner)
	}
	rows, err := s.stepVolumesOf(ctx, team)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		volumes, err := decode[[]engine.StepVolume](r.Step.Volumes)
		if err != nil {
			return nil, fmt.Errorf("volumes of a step: %w", err)
		}
		for _, v := range volumes {
			add(string(v.ID), volumeKinds[v.Role], v.Path, r.whose())
		}
	}
	return needs, nil
}

// whose names the step: "web/unit #7 compile".
func (r containerRow) whose() string {
	if r.JobName == "" {
		return fmt.Sprintf("build %d %s", r.Step.BuildID, r.Step.Name)
	}
	return fmt.Sprintf("%s/%s #%s %s", r.PipelineName, r.JobName, r.BuildName, r.Step.Name)
}
