package ci

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/runtime"
)

// yard is an executor that has volumes and containers of known ages and removes them.
type yard struct {
	runtime.Executor
	volumes, containers map[string]time.Time
	stuck               string // cannot be removed
	name                string
}

func (y *yard) Name() string { return y.name }

func (y *yard) Volumes(context.Context) (list []runtime.VolumeInfo, _ error) {
	for id, at := range y.volumes {
		list = append(list, runtime.VolumeInfo{ID: runtime.VolumeID(id), Created: at})
	}
	return list, nil
}

func (y *yard) Containers(context.Context) (list []runtime.ContainerInfo, _ error) {
	for id, at := range y.containers {
		list = append(list, runtime.ContainerInfo{ID: runtime.ContainerID(id), Created: at})
	}
	return list, nil
}

func (y *yard) remove(from map[string]time.Time, id string) error {
	if id == y.stuck {
		return errors.New(id + " is stuck")
	}
	delete(from, id)
	return nil
}

func (y *yard) RemoveVolume(_ context.Context, id runtime.VolumeID) error {
	return y.remove(y.volumes, string(id))
}

func (y *yard) Remove(_ context.Context, id runtime.ContainerID) error {
	return y.remove(y.containers, string(id))
}

// collecting is a world with a yard at a standing clock, and rows to collect.
type collecting struct {
	*world
	yard *yard
	now  time.Time
}

func newCollecting(t *testing.T) *collecting {
	t.Helper()
	w := setup(t)
	c := &collecting{world: w, yard: &yard{volumes: map[string]time.Time{}, containers: map[string]time.Time{}}, now: time.Now()}
	w.ci.deps.Executor = c.yard
	w.ci.deps.Now, w.ci.store.now = func() time.Time { return c.now }, func() time.Time { return c.now }
	return c
}

func (c *collecting) exec(query string, args ...any) {
	c.t.Helper()
	if err := c.db.Writer(c.t.Context()).Exec(query, args...).Error; err != nil {
		c.t.Fatal(err)
	}
}

func (c *collecting) ago(d time.Duration) int64 { return c.now.Add(-d).UnixMilli() }

// build has one step, which has a container and a volume that are named after it.
func (c *collecting) build(name string, status Status, endedAgo time.Duration) int64 {
	c.t.Helper()
	b := buildRow{TeamID: teamMain, Name: name}
	if err := c.ci.insertBuild(c.t.Context(), &b); err != nil {
		c.t.Fatal(err)
	}
	ended := int64(0)
	if status.Ended() {
		ended = c.ago(endedAgo)
	}
	c.exec("UPDATE ci_builds SET status = ?, ended_at = ? WHERE id = ?", string(status), ended, b.ID)
	c.exec("INSERT INTO ci_steps (build_id, plan_id, kind, name, state, container, volumes) VALUES (?, '1', 'task', 't', 'ended', ?, ?)",
		b.ID, "c-"+name, encode([]engine.StepVolume{{ID: runtime.VolumeID(name), Made: true}}))
	c.yard.volumes[name], c.yard.containers["c-"+name] = c.now.Add(-time.Hour), c.now.Add(-time.Hour)
	return b.ID
}

func (c *collecting) fetched(volume string, unusedFor time.Duration, heldBy int64) {
	c.exec("INSERT INTO ci_resource_caches (team_id, cache_key, volume, type, result, used_at) VALUES (?, ?, ?, 'mock', '{}', ?)",
		teamMain, "key-"+volume, volume, c.ago(unusedFor))
	if heldBy != 0 {
		c.exec("INSERT INTO ci_cache_uses (build_id, volume) VALUES (?, ?)", heldBy, volume)
	}
	c.yard.volumes[volume] = c.now.Add(-30 * 24 * time.Hour)
}

func (c *collecting) kept(job int64, volume string, expiresIn time.Duration, claimedBy int64) {
	expires := int64(0)
	if expiresIn != 0 {
		expires = c.ago(-expiresIn)
	}
	c.exec("INSERT INTO ci_task_caches (job_id, step, path, volume, expires_at, claimed_by) VALUES (?, 'unit', ?, ?, ?, ?)", job, volume, volume, expires, claimedBy)
	c.yard.volumes[volume] = c.now.Add(-30 * 24 * time.Hour)
}

func (c *collecting) collect() (volumes, containers string, err error) {
	err = c.ci.Collect(c.t.Context())
	return strings.Join(slices.Sorted(maps.Keys(c.yard.volumes)), " "), strings.Join(slices.Sorted(maps.Keys(c.yard.containers)), " "), err
}

// TestCollect: each volume and container is there for one reason, named by it; those go
// whose reason has passed, and no others.
func TestCollect(t *testing.T) {
	t.Parallel()
	c := newCollecting(t)
	c.set("p", "jobs: [{name: unit, plan: [{task: t, config: {platform: linux, run: {path: x}}}]}]")
	job := c.jobID("p", "unit")

	running := c.build("stays-running", Started, 0)
	c.build("stays-failed-lately", Failed, 59*time.Minute)
	ended := c.build("goes-failed-long-ago", Failed, 61*time.Minute)
	c.build("goes-succeeded", Succeeded, time.Minute)
	for name, age := range map[string]time.Duration{"goes-orphan": 11 * time.Minute, "stays-newborn": 9 * time.Minute} {
		c.yard.volumes[name], c.yard.containers["c-"+name] = c.now.Add(-age), c.now.Add(-age)
	}
	c.fetched("stays-fetched", 6*24*time.Hour, 0)
	c.fetched("goes-fetched-unused", 8*24*time.Hour, 0)
	c.fetched("stays-fetched-held", 8*24*time.Hour, running)
	c.fetched("goes-fetched-was-held", 8*24*time.Hour, ended)
	c.kept(job, "stays-kept", 0, 0)
	c.kept(job, "stays-kept-for-now", time.Minute, 0)
	c.kept(job, "goes-kept-expired", -time.Minute, 0)
	c.kept(job, "goes-kept-expired-once-claimed", -time.Minute, ended)
	c.kept(job, "stays-kept-expired-claimed", -time.Minute, running)
	c.exec("INSERT INTO ci_artifacts (team_id, build_id, name, volume, created_at) VALUES (?, 0, 'up', 'stays-uploaded', ?)", teamMain, c.ago(time.Hour))
	c.yard.volumes["stays-uploaded"] = c.now.Add(-time.Hour)

	volumes, containers, err := c.collect()
	if err != nil {
		t.Fatal(err)
	}
	want := "stays-failed-lately stays-fetched stays-fetched-held stays-kept stays-kept-expired-claimed stays-kept-for-now stays-newborn stays-running stays-uploaded"
	if volumes != want {
		t.Errorf("volumes left: %s\nwant          %s", volumes, want)
	}
	if want := "c-stays-failed-lately c-stays-newborn c-stays-running"; containers != want {
		t.Errorf("containers left: %s\nwant             %s", containers, want)
	}
	if len(c.engine.released) != 2 {
		t.Errorf("released: %v", c.engine.released)
	}
	if again, _, err := c.collect(); again != want || err != nil || len(c.engine.released) != 2 {
		t.Errorf("a second round: %s, %v, released %v", again, err, c.engine.released)
	}
}

// TestCollectGoesOn: one thing that cannot be removed keeps nothing else.
func TestCollectGoesOn(t *testing.T) {
	t.Parallel()
	c := newCollecting(t)
	for i := range 3 {
		name := fmt.Sprintf("v%d", i)
		c.yard.volumes[name], c.yard.containers["c"+name] = c.now.Add(-time.Hour), c.now.Add(-time.Hour)
	}
	c.yard.stuck = "v1"
	if volumes, containers, err := c.collect(); volumes != "v1" || containers != "" || err == nil || !strings.Contains(err.Error(), "v1 is stuck") {
		t.Errorf("left %s and %s: %v", volumes, containers, err)
	}
	c.yard.stuck = ""
	if volumes, _, err := c.collect(); volumes != "" || err != nil {
		t.Errorf("left %s: %v", volumes, err)
	}
}

// TestTaskCacheLife: who gets a task's cache, by its age and by who has it.
func TestTaskCacheLife(t *testing.T) {
	t.Parallel()
	c := newCollecting(t)
	c.set("p", "jobs: [{name: unit, plan: [{task: t, config: {platform: linux, run: {path: x}}}]}]")
	job := c.jobID("p", "unit")
	running, ended, asking := c.build("running", Started, 0), c.build("ended", Failed, time.Minute), c.build("asking", Started, 0)
	for _, tc := range []struct {
		name        string
		expiresIn   time.Duration
		claimedBy   int64
		found, busy bool
	}{
		{"free", 0, 0, true, false},
		{"young", time.Minute, 0, true, false},
		{"expired", -time.Minute, 0, false, false},
		{"of a running build", 0, running, true, true},
		{"of an ended build", 0, ended, true, false},
		{"its own", 0, asking, true, false},
		{"of a build that is gone", 0, 4711, true, false},
	} {
		c.kept(job, tc.name, tc.expiresIn, tc.claimedBy)
		got, found, err := c.ci.claimTaskCache(t.Context(), asking, engine.TaskCacheKey{JobID: job, Step: "unit", Path: tc.name})
		if err != nil || found != tc.found || got.Busy != tc.busy || found && string(got.Volume) != tc.name {
			t.Errorf("%s: %+v %t %v", tc.name, got, found, err)
		}
	}
	key := engine.TaskCacheKey{JobID: job, Step: "unit", Path: "saved"}
	for _, tc := range []struct {
		life, later time.Duration
		found       bool
	}{{0, 365 * 24 * time.Hour, true}, {time.Hour, 59 * time.Minute, true}, {time.Hour, 61 * time.Minute, false}} {
		if err := c.ci.saveTaskCache(t.Context(), key, "v", tc.life); err != nil {
			t.Fatal(err)
		}
		saved := c.now
		c.now = saved.Add(tc.later)
		if _, found, err := c.ci.claimTaskCache(t.Context(), asking, key); found != tc.found || err != nil {
			t.Errorf("kept for %s, after %s: %t %v", tc.life, tc.later, found, err)
		}
		c.now = saved
	}
}
