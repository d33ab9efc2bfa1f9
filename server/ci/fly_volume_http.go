package ci

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/identity"
)

type flyVolume struct {
	ID              string          `json:"id"`
	WorkerName      string          `json:"worker_name"`
	Type            string          `json:"type"`
	ContainerHandle string          `json:"container_handle"`
	Path            string          `json:"path"`
	ParentHandle    string          `json:"parent_handle"`
	ResourceType    *flyVolumeType  `json:"resource_type"`
	BaseType        json.RawMessage `json:"base_resource_type"`
	PipelineID      int64           `json:"pipeline_id"`
	PipelineName    string          `json:"pipeline_name"`
	InstanceVars    json.RawMessage `json:"pipeline_instance_vars"`
	JobName         string          `json:"job_name"`
	StepName        string          `json:"step_name"`
}

// flyVolumeType is what fly takes for granted of a volume of type resource.
type flyVolumeType struct {
	ResourceType *flyVolumeType   `json:"resource_type"`
	BaseType     *flyBaseType     `json:"base_resource_type"`
	Version      resource.Version `json:"version"`
}

type flyBaseType struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

func flyVolumeOf(id string, kind string) flyVolume {
	return flyVolume{ID: id, Type: kind, BaseType: json.RawMessage("null"), InstanceVars: json.RawMessage("null")}
}

// listVolumes are the team's volumes on disk: what was fetched, what tasks keep, and what
// steps of builds that are not given back have besides.
func (f fly) listVolumes(c *gin.Context) error {
	team, err := f.team(c, identity.Read)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	known, err := f.volumesOf(ctx, team.ID)
	if err != nil {
		return err
	}
	out := []flyVolume{}
	if f.deps.Executor == nil {
		return f.json(c, http.StatusOK, out)
	}
	there, err := f.deps.Executor.Volumes(ctx)
	if err != nil {
		return err
	}
	for _, v := range there {
		if shown, ours := known[v.ID]; ours {
			shown.WorkerName = f.deps.Executor.Name()
			out = append(out, shown)
		}
	}
	slices.SortFunc(out, func(a, b flyVolume) int { return cmp.Compare(a.ID, b.ID) })
	return f.json(c, http.StatusOK, out)
}

// volumesOf says of each volume what fly shows of it; one that both a cache and a step
// have is the cache's.
func (f fly) volumesOf(ctx context.Context, team int64) (map[runtime.VolumeID]flyVolume, error) {
	known := map[runtime.VolumeID]flyVolume{}
	rows, err := f.containers(ctx, team)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		volumes, err := decode[[]engine.StepVolume](r.Step.Volumes)
		if err != nil {
			return nil, fmt.Errorf("volumes of a step: %w", err)
		}
		for _, v := range volumes {
			shown := flyVolumeOf(string(v.ID), "container")
			shown.ContainerHandle, shown.Path, shown.PipelineID, shown.PipelineName = r.Step.Container, v.Path, r.PipelineID, r.PipelineName
			shown.JobName, shown.StepName = r.JobName, r.Step.Name
			known[v.ID] = shown
		}
	}
	fetched, err := f.resourceCachesOf(ctx, team)
	if err != nil {
		return nil, err
	}
	for _, r := range fetched {
		result, err := decode[resource.Result](r.Result)
		if err != nil {
			return nil, fmt.Errorf("result of a cache: %w", err)
		}
		shown := flyVolumeOf(r.Volume, "resource")
		shown.ResourceType = &flyVolumeType{Version: result.Version, ResourceType: &flyVolumeType{BaseType: &flyBaseType{Name: r.Type}}}
		shown.PipelineID = r.PipelineID
		known[runtime.VolumeID(r.Volume)] = shown
	}
	kept, err := f.taskCachesOf(ctx, team)
	for _, r := range kept {
		shown := flyVolumeOf(r.Volume, "task-cache")
		shown.Path, shown.PipelineID, shown.PipelineName, shown.JobName, shown.StepName = r.Path, r.PipelineID, r.PipelineName, r.JobName, r.Step
		known[runtime.VolumeID(r.Volume)] = shown
	}
	return known, err
}
