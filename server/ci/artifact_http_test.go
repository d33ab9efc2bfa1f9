package ci

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
)

const leaving = `
signalbox:
  jobs:
    pack:
      artifacts: [{path: "dist/*.tgz", keep: 2h}]
      test_reports: ["dist/**/*.xml"]
      sbom: ["dist/bom.json"]
jobs:
- name: pack
  plan:
  - task: %s
    config: {platform: linux, run: {path: "true"}}
`

// clock can be set forward while the service reads it.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// leaver makes a stopped world whose builds leave dist with what is in the volume.
func leaver(t *testing.T, db *database.DB, logs *buildlog.Store, clock *clock, volume []byte) (*world, *blobs.Store) {
	t.Helper()
	w := stopped(t, db, logs)
	dir := t.TempDir()
	disk, err := blobs.NewDisk(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := blobs.New(blobs.Deps{DB: db, Backend: disk, Spool: filepath.Join(dir, "spool"), Now: clock.now})
	if err != nil {
		t.Fatal(err)
	}
	w.ci.now, w.ci.deps.Now = clock.now, clock.now
	w.ci.deps.Blobs, w.ci.deps.Scratch = kept, t.TempDir()
	w.ci.deps.Executor = shelf{volumes: map[runtime.VolumeID][]byte{"dist": volume}}
	w.engine.first = func(b engine.Build) {
		err := w.engine.ledger.SaveStep(t.Context(), engine.StepRecord{BuildID: b.ID, PlanID: "99", Kind: engine.KindTask, Name: "made", State: engine.StateEnded,
			Outcome: engine.Succeeded, StartedAt: time.Now(), EndedAt: time.Now(), Volumes: []engine.StepVolume{{ID: "dist", Role: engine.RoleOutput, Name: "dist"}}})
		if err != nil {
			t.Error(err)
		}
	}
	return w, kept
}

// withTeams opens a database in which the teams of the callers exist.
func withTeams(t *testing.T) *database.DB {
	t.Helper()
	db := databasetest.Open(t)
	for _, name := range []string{"main", "other"} {
		if err := db.Writer(t.Context()).Exec("INSERT INTO accounts_teams (name, created_at) VALUES (?, 0)", name).Error; err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func logsIn(t *testing.T) *buildlog.Store {
	return &buildlog.Store{Dir: filepath.Join(t.TempDir(), "logs")}
}

func (w *world) artifactsOf(build int64) []artifactShape {
	w.t.Helper()
	return must[artifactList](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d/artifacts", build), "").Items
}

func (w *world) triggerPack() {
	w.t.Helper()
	must[flyBuild](w, 200, "POST", "/api/v1/teams/main/pipelines/p/jobs/pack/builds", "")
}

func TestArtifactsOverHTTP(t *testing.T) {
	t.Parallel()
	clock := &clock{}
	w, kept := leaver(t, withTeams(t), logsIn(t), clock, volumeOf(t, entry{tar.TypeReg, "x.tgz", "<b>x</b>"}, entry{tar.TypeReg, "é \".tgz", "y"}, entry{tar.TypeReg, "notes", "n"}))
	w.start()
	w.set("p", fmt.Sprintf(leaving, "fail"))
	w.triggerPack()
	b := w.waitBuild("p", "pack", "1", Failed) // what a failed build leaves is kept as well
	items := w.artifactsOf(b.ID)
	if len(items) != 2 || items[0].Path != "dist/x.tgz" || items[0].Name != "x.tgz" || items[0].Size != 8 || items[0].ExpiresAt == nil || items[0].ExpiresAt.Sub(items[0].CreatedAt) != 2*time.Hour {
		t.Fatalf("%+v", items)
	}
	if shown := must[buildShape](w, 200, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), ""); shown.Artifacts != 2 {
		t.Errorf("the build says %d", shown.Artifacts)
	}
	if events := eventsOf(w, b.ID, ""); !strings.Contains(events, "No file matches dist/**/*.xml (test_reports).") {
		t.Errorf("the log does not say what is missing:\n%s", events)
	}
	path := fmt.Sprintf("/api/v1/ci/artifacts/%d", items[0].ID)
	got := w.call("GET", path+"/content", "", as("viewer"))
	if got.status != 200 || got.body != "<b>x</b>" || got.header.Get("Content-Disposition") != "attachment; filename=x.tgz" ||
		!strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox") || got.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%+v", got)
	}
	for _, c := range []struct {
		user, method, path string
		status             int
	}{
		{"stranger", "GET", fmt.Sprintf("/api/v1/ci/builds/%d/artifacts", b.ID), 404},
		{"stranger", "GET", path + "/content", 404},
		{"stranger", "DELETE", path, 404},
		{"stranger", "POST", path + "/keep", 404},
		{"viewer", "POST", path + "/keep", 403},
		{"viewer", "DELETE", path, 403},
		{"operator", "DELETE", path, 403},
		{"owner", "GET", "/api/v1/ci/artifacts/999/content", 404},
		{"owner", "GET", "/api/v1/ci/artifacts/x/content", 404},
		{"operator", "POST", path + "/keep", 200},
		{"member", "DELETE", fmt.Sprintf("/api/v1/ci/artifacts/%d", items[1].ID), 204},
	} {
		if a := w.call(c.method, c.path, "", as(c.user)); a.status != c.status {
			t.Errorf("%s may %s %s: %d %s", c.user, c.method, c.path, a.status, a.body)
		}
	}
	clock.ahead.Store(int64(3 * time.Hour))
	w.reap()
	if left := w.artifactsOf(b.ID); len(left) != 1 || left[0].ID != items[0].ID || left[0].ExpiresAt != nil {
		t.Errorf("%+v", left)
	}
	clock.ahead.Store(int64(6 * time.Hour))
	if n, err := kept.Collect(t.Context()); n != 1 || err != nil {
		t.Errorf("%d blobs collected, %v", n, err)
	}
	if err := w.ci.deleteBuild(t.Context(), b.ID); err != nil {
		t.Fatal(err)
	}
	w.reap()
	clock.ahead.Store(int64(9 * time.Hour))
	if n, err := kept.Collect(t.Context()); n != 1 || err != nil {
		t.Errorf("of a build that is gone: %d blobs collected, %v", n, err)
	}
}

func (w *world) reap() {
	w.t.Helper()
	if err := w.ci.ReapArtifacts(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func TestArtifactsExpire(t *testing.T) {
	t.Parallel()
	clock := &clock{}
	w, kept := leaver(t, withTeams(t), logsIn(t), clock, volumeOf(t, entry{tar.TypeReg, "x.tgz", "x"}))
	w.start()
	w.set("p", fmt.Sprintf(leaving, "ok"))
	w.triggerPack()
	b := w.waitBuild("p", "pack", "1", Succeeded)
	id := w.artifactsOf(b.ID)[0].ID
	clock.ahead.Store(int64(2*time.Hour + time.Second))
	path := fmt.Sprintf("/api/v1/ci/artifacts/%d/content", id)
	if a := w.call("GET", path, ""); a.status != 404 || len(w.artifactsOf(b.ID)) != 0 {
		t.Errorf("before the loop has run: %d", a.status)
	}
	w.reap()
	clock.ahead.Store(int64(4 * time.Hour))
	if n, err := kept.Collect(t.Context()); n != 1 || err != nil {
		t.Errorf("%d blobs collected, %v", n, err)
	}
}

// stuck holds every Put until the test lets go of it, or the server stops.
type stuck struct {
	*blobs.Store
	reached chan struct{}
	once    sync.Once
}

func (s *stuck) Put(ctx context.Context, _ int64, _ io.Reader, _ int64) (blobs.Ref, error) {
	s.once.Do(func() { close(s.reached) })
	<-ctx.Done()
	return blobs.Ref{}, context.Cause(ctx)
}

// TestCollectsOnce stops a server while it collects; the next one does it, and what is
// asked of it once more changes nothing.
func TestCollectsOnce(t *testing.T) {
	t.Parallel()
	db, logs, clock := withTeams(t), logsIn(t), &clock{}
	volume := volumeOf(t, entry{tar.TypeReg, "x.tgz", "x"}, entry{tar.TypeReg, "a/r.xml", "<testsuite/>"})
	first, kept := leaver(t, db, logs, clock, volume)
	held := &stuck{Store: kept, reached: make(chan struct{})}
	first.ci.deps.Blobs = held
	if err := first.jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop := first.ci.Start(t.Context())
	first.set("p", fmt.Sprintf(leaving, "ok"))
	first.triggerPack()
	select {
	case <-held.reached:
	case <-time.After(time.Minute):
		t.Fatal("nothing is collected")
	}
	stop()
	if err := first.jobs.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if b := first.builds("p", "pack")[0]; b.Status != Started || len(first.artifactsOf(b.ID)) != 0 {
		t.Fatalf("after the stop: %+v", b)
	}
	second, _ := leaver(t, db, logs, clock, volume)
	calls := 0
	second.ci.reports = func(_ context.Context, _ buildRow, files []collectedFile) (keepRead, []string, error) {
		calls++
		if len(files) != 1 || files[0].Path != "dist/a/r.xml" {
			t.Errorf("%+v", files)
		}
		return nil, []string{"One report is odd."}, nil
	}
	second.start()
	b := second.waitBuild("p", "pack", "1", Succeeded)
	row, err := second.ci.build(t.Context(), b.ID)
	if err != nil {
		t.Fatal(err)
	}
	before := eventsOf(second, b.ID, "")
	if err := second.ci.collectOutputs(t.Context(), t.Context(), row, engine.Succeeded); err != nil {
		t.Fatal(err)
	}
	if items := second.artifactsOf(b.ID); len(items) != 1 || calls != 1 {
		t.Errorf("%+v after %d calls", items, calls)
	}
	if after := eventsOf(second, b.ID, ""); after != before || strings.Count(after, "One report is odd.") != 1 {
		t.Errorf("the log is\n%s\nafter\n%s", after, before)
	}
}

// TestAKeeperThatFails: a build ends as it ended, whatever cannot be stored.
func TestAKeeperThatFails(t *testing.T) {
	t.Parallel()
	w, _ := leaver(t, withTeams(t), logsIn(t), &clock{}, volumeOf(t, entry{tar.TypeReg, "x.tgz", "x"}, entry{tar.TypeReg, "bom.json", "{}"}))
	w.ci.components = func(context.Context, buildRow, []collectedFile) (keepRead, []string, error) {
		return func(ctx context.Context) error {
			return w.db.Writer(ctx).Exec("INSERT INTO no_such_table VALUES (1)").Error
		}, nil, nil
	}
	w.start()
	w.set("p", fmt.Sprintf(leaving, "ok"))
	w.triggerPack()
	b := w.waitBuild("p", "pack", "1", Succeeded)
	if events := eventsOf(w, b.ID, ""); !strings.Contains(events, "could not be stored") || len(w.artifactsOf(b.ID)) != 0 {
		t.Error(events)
	}
}

// TestAReaderThatFails: the same when what the files say cannot be read; the artifacts stay.
func TestAReaderThatFails(t *testing.T) {
	t.Parallel()
	w, _ := leaver(t, withTeams(t), logsIn(t), &clock{}, volumeOf(t, entry{tar.TypeReg, "x.tgz", "x"}, entry{tar.TypeReg, "bom.json", "{}"}))
	tries := 0
	w.ci.components = func(context.Context, buildRow, []collectedFile) (keepRead, []string, error) {
		tries++
		return nil, []string{"said in vain"}, errors.New("no")
	}
	w.start()
	w.set("p", fmt.Sprintf(leaving, "ok"))
	w.triggerPack()
	b := w.waitBuild("p", "pack", "1", Succeeded)
	if events := eventsOf(w, b.ID, ""); tries != 2 || !strings.Contains(events, "could not be read") || strings.Contains(events, "in vain") || len(w.artifactsOf(b.ID)) == 0 {
		t.Errorf("%d tries, %+v: %s", tries, w.artifactsOf(b.ID), events)
	}
}

func TestAbortedBuildsLeaveNothing(t *testing.T) {
	t.Parallel()
	w, _ := leaver(t, withTeams(t), logsIn(t), &clock{}, volumeOf(t, entry{tar.TypeReg, "x.tgz", "x"}))
	defer w.engine.gate("pack")()
	w.start()
	w.set("p", fmt.Sprintf(leaving, "ok"))
	w.triggerPack()
	b := w.waitBuild("p", "pack", "1", Started)
	w.eventually("it runs", func() bool { return w.engine.ran() == 1 })
	must[any](w, 200, "POST", fmt.Sprintf("/api/v1/ci/builds/%d/abort", b.ID), "")
	w.waitBuild("p", "pack", "1", Aborted)
	if _, known, err := w.ci.buildOutputs(t.Context(), b.ID); known || err != nil || len(w.artifactsOf(b.ID)) != 0 {
		t.Errorf("%t %v", known, err)
	}
}

func TestUploadsExpire(t *testing.T) {
	t.Parallel()
	clock := &clock{}
	w, _ := leaver(t, withTeams(t), logsIn(t), clock, nil)
	count := func() int {
		n := 0
		for id := range int64(5) {
			if _, err := w.ci.artifact(t.Context(), teamMain, id); err == nil {
				n++
			}
		}
		return n
	}
	if err := w.ci.saveArtifact(t.Context(), &artifactRow{TeamID: teamMain, Volume: "v"}); err != nil {
		t.Fatal(err)
	}
	w.reap()
	open := buildRow{TeamID: teamMain, Name: "1"}
	if err := w.ci.insertBuild(t.Context(), &open); err != nil || count() != 1 {
		t.Fatal(err, count())
	}
	clock.ahead.Store(int64(uploadLife + time.Minute))
	if w.reap(); count() != 1 {
		t.Error("gone although a build of the team may want it")
	}
	if _, err := w.ci.endBuild(t.Context(), open.ID, Succeeded, ""); err != nil {
		t.Fatal(err)
	}
	if w.reap(); count() != 0 {
		t.Error("an upload stays")
	}
}
