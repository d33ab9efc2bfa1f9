package ci

import (
	"context"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// TestRoomIsMade: while the disk is too full, caches go, the longest unused first, but
// none that an open build has; then new steps wait and say why.
func TestRoomIsMade(t *testing.T) {
	t.Parallel()
	w, at := withWorker(t)
	ctx := t.Context()
	open := buildRow{TeamID: teamMain, Name: "1"}
	if err := w.ci.insertBuild(ctx, &open); err != nil {
		t.Fatal(err)
	}
	volumes := map[string]runtime.VolumeID{}
	for i, name := range []string{"old", "held", "new"} {
		id := runtime.VolumeID(newID())
		volumes[name] = id
		if err := at.CreateVolume(ctx, id); err != nil {
			t.Fatal(err)
		}
		row := resourceCacheRow{TeamID: teamMain, CacheKey: name, Volume: string(id), Type: "mock", Result: "{}", Resource: name, UsedAt: toMillis(w.ci.now()) + millis(i)}
		if err := w.db.Writer(ctx).Create(&row).Error; err != nil {
			t.Fatal(err)
		}
	}
	if err := w.ci.holdVolume(ctx, open.ID, string(volumes["held"])); err != nil {
		t.Fatal(err)
	}
	if err := at.Measure(ctx); err != nil {
		t.Fatal(err)
	}
	shown := must[struct {
		Items []struct {
			Kind   string
			Bytes  int64
			UsedBy []string `json:"used_by"`
		}
	}](w, 200, "GET", "/api/v1/ci/volumes?team=main", "").Items
	if len(shown) != 3 || shown[0].Bytes < 0 || shown[0].Kind != "resource-cache" || !strings.HasPrefix(shown[0].UsedBy[0], "resource ") {
		t.Errorf("volumes: %+v", shown)
	}
	if given, err := w.ci.giveUpCaches(ctx, 1); err != nil || given == 0 {
		t.Fatalf("%d, %v", given, err)
	}
	there := func() map[runtime.VolumeID]bool {
		list, err := at.Volumes(ctx)
		if err != nil {
			t.Fatal(err)
		}
		out := map[runtime.VolumeID]bool{}
		for _, v := range list {
			out[v.ID] = true
		}
		return out
	}
	if left := there(); left[volumes["old"]] || !left[volumes["held"]] {
		t.Errorf("the first to go was not the oldest: %v of %v", left, volumes)
	}
	w.ci.deps.Disk = func(context.Context) (runtime.Disk, error) {
		return runtime.Disk{Used: 3 << 30, Limit: 2 << 30, Size: 4 << 30}, nil
	}
	if err := w.ci.tendWorker(ctx); err != nil {
		t.Fatal(err)
	}
	if left := there(); left[volumes["new"]] || !left[volumes["held"]] {
		t.Errorf("left: %v of %v", left, volumes)
	}
	own, err := w.ci.worker(ctx)
	if err != nil || own.Message != "the worker's disk holds 3.0 GB, more than the 2.0 GB it may" {
		t.Errorf("%+v, %v", own, err)
	}
}
