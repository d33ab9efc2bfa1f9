package ci

import (
	"testing"
	"time"
)

// TestFlyVolumes: every kind of volume has what fly takes for granted of it; a resource
// without its version makes fly panic.
func TestFlyVolumes(t *testing.T) {
	t.Parallel()
	c := newCollecting(t)
	c.yard.name = "here"
	c.set("p", "jobs: [{name: unit, plan: [{task: t, config: {platform: linux, run: {path: x}}}]}]")
	c.build("running", Started, 0)
	c.fetched("fetched", time.Hour, 0)
	c.exec("UPDATE ci_resource_caches SET result = ? WHERE volume = 'fetched'", `{"version":{"ref":"a1"}}`)
	c.kept(c.jobID("p", "unit"), "kept", 0, 0)
	c.fetched("gone", time.Hour, 0)
	delete(c.yard.volumes, "gone")
	c.yard.volumes["orphan"] = c.now
	list := must[[]flyVolume](c.world, 200, "GET", "/api/v1/teams/main/volumes", "")
	if len(list) != 3 {
		t.Fatalf("%+v", list)
	}
	fetched, kept, running := list[0], list[1], list[2]
	if fetched.ID != "fetched" || fetched.Type != "resource" || fetched.WorkerName != "here" || fetched.ResourceType == nil ||
		fetched.ResourceType.Version["ref"] != "a1" || fetched.ResourceType.ResourceType.BaseType.Name != "mock" {
		t.Errorf("fetched: %+v", fetched)
	}
	if kept.ID != "kept" || kept.Type != "task-cache" || kept.PipelineName != "p" || kept.JobName != "unit" || kept.StepName != "unit" {
		t.Errorf("kept: %+v", kept)
	}
	if running.ID != "running" || running.Type != "container" || running.ContainerHandle != "c-running" {
		t.Errorf("running: %+v", running)
	}
	if others := must[[]flyVolume](c.world, 200, "GET", "/api/v1/teams/other/volumes", "", as("stranger")); len(others) != 0 {
		t.Errorf("another team sees %+v", others)
	}
}
