package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// soak makes the fault tests longer and meaner.
var soak = os.Getenv("SIGNALBOX_SOAK") != ""

// counting is a pipeline of jobs that each print numbered lines, slowly.
func counting(jobs, lines int) string {
	var b strings.Builder
	b.WriteString("jobs:\n")
	for i := range jobs {
		fmt.Fprintf(&b, "- name: j%d\n  plan:\n  - %s}\n", i, shell("count", fmt.Sprintf("i=0; while [ $i -lt %d ]; do i=$((i+1)); echo line $i; sleep 0.05; done", lines)))
	}
	return b.String()
}

// wantLines fails unless text holds "line 1" … "line n", each once and in order.
func wantLines(t testing.TB, who, text string, n int) {
	t.Helper()
	next := 1
	for _, l := range strings.Split(strings.ReplaceAll(text, "\r", ""), "\n") {
		at := strings.Index(l, "line ")
		if at < 0 {
			continue
		}
		if l[at:] != fmt.Sprintf("line %d", next) {
			t.Errorf("%s: %q where line %d belongs", who, l, next)
			return
		}
		next++
	}
	if next != n+1 {
		t.Errorf("%s: %d lines instead of %d", who, next-1, n)
	}
}

// follower reads a build's events as fly does, and resumes where it was cut off.
type follower struct {
	text strings.Builder
	last string
	end  string
	seen *atomic.Int64
}

func (f *follower) take(fr frame) bool {
	if fr.id != "" {
		f.last = fr.id
	}
	if fr.event == "end" {
		return true
	}
	var e struct {
		Event string
		Data  struct{ Payload, Status string }
	}
	if err := json.Unmarshal([]byte(fr.data), &e); err != nil {
		f.text.WriteString("\nline of garbage: " + fr.data + "\n")
		return true
	}
	switch e.Event {
	case "log":
		f.text.WriteString(e.Data.Payload)
		f.seen.Add(1)
	case "status":
		f.end = e.Data.Status
	}
	return false
}

// followAll follows builds across restarts of the server; current gives the one that serves now.
func followAll(t testing.TB, builds []build, current *atomic.Pointer[client], seen *atomic.Int64) ([]*follower, func()) {
	followers := make([]*follower, len(builds))
	var wait sync.WaitGroup
	for i, b := range builds {
		f := &follower{seen: seen}
		followers[i] = f
		wait.Go(func() {
			for t.Context().Err() == nil {
				if current.Load().frames(t.Context(), fmt.Sprintf("/api/v1/builds/%d/events", b.ID), f.last, f.take) == nil {
					return
				}
				select {
				case <-time.After(50 * time.Millisecond): // as a client waits before it connects again
				case <-t.Context().Done():
				}
			}
		})
	}
	return followers, wait.Wait
}

// TestKilledInTheMiddleOfTenBuilds is the promise: no build is "started" for
// ever, no line is lost or doubled, not even for who was watching.
func TestKilledInTheMiddleOfTenBuilds(t *testing.T) {
	t.Parallel()
	jobs, lines, kills := 10, 80, 1
	if soak {
		lines, kills = 600, 8
	}
	p := launch(t)
	p.pipeline(t, "main", "count", counting(jobs, lines))
	builds := make([]build, jobs)
	for i := range builds {
		builds[i] = p.trigger(t, "main", "count", fmt.Sprintf("j%d", i))
	}
	var current atomic.Pointer[client]
	current.Store(p.client)
	var seen atomic.Int64
	followers, wait := followAll(t, builds, &current, &seen)
	for kill := range kills {
		before := seen.Load()
		eventually(t, "lines to be seen", func() bool { return seen.Load() > before+int64(jobs*10) })
		p.end(syscall.SIGKILL)
		p.start()
		current.Store(p.client)
		t.Logf("kill %d after %d pieces of log", kill, seen.Load())
	}
	for i, b := range builds {
		ended := p.finish(t, b.ID)
		if ended.Status != "succeeded" {
			t.Errorf("job %d: %s, %+v\n%s", i, ended.Status, ended.Steps, p.log(t, b.ID))
			continue
		}
		wantLines(t, fmt.Sprintf("log of job %d", i), p.log(t, b.ID), lines)
	}
	wait()
	for i, f := range followers {
		wantLines(t, fmt.Sprintf("who followed job %d", i), f.text.String(), lines)
		if f.end != "succeeded" {
			t.Errorf("who followed job %d last heard %q", i, f.end)
		}
	}
}

func TestKilledBetweenAcceptingAndHandling(t *testing.T) {
	t.Parallel()
	p := launch(t)
	repo := newRepository(t, filepath.Join(p.dir, "repositories"), "shop")
	h := p.hook(t, "main", "")
	id := p.pipeline(t, "main", "shop", gitPipeline(repo, ""))
	p.awaitVersion(t, p.resourceID(t, id, "code"))
	const pushes = 5
	bodies := make([][]byte, pushes)
	sha := ""
	for i := range bodies {
		sha = repo.commit(t, "README", fmt.Sprint(i), fmt.Sprintf("commit %d", i))
		bodies[i] = repo.push(t, "main")
	}
	for _, body := range bodies {
		if status := p.deliver(t, h, newGUID(), body); status != http.StatusAccepted {
			t.Fatal(status)
		}
	}
	p.end(syscall.SIGKILL)
	p.start()
	eventually(t, "every delivery to be handled", func() bool {
		var list struct{ Items []struct{ State string } }
		p.call(t, "GET", "/api/v1/ci/deliveries?team=main", nil, &list)
		done := 0
		for _, d := range list.Items {
			if d.State == "done" {
				done++
			}
		}
		return done == pushes
	})
	eventually(t, "the newest commit to be built", func() bool {
		list := p.builds(t, "main", "shop", "unit")
		if len(list) == 0 || !list[0].ended() {
			return false
		}
		_, shown := p.send(t, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", list[0].ID), nil)
		return list[0].Status == "succeeded" && strings.Contains(shown, sha)
	})
}

func TestStoppedWhileBuilding(t *testing.T) {
	t.Parallel()
	p := launch(t)
	p.pipeline(t, "main", "count", counting(1, 80))
	b := p.trigger(t, "main", "count", "j0")
	eventually(t, "the first lines", func() bool { return strings.Contains(p.log(t, b.ID), "line 5") })
	fell := make(chan bool, 1)
	go func() { fell <- readinessFalls(p.url) }()
	p.end(syscall.SIGTERM)
	if !<-fell {
		t.Error("/readyz did not fall while the server still answered")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d: %s", code, p.stderr.String())
	}
	p.start()
	ended := p.finish(t, b.ID)
	if ended.Status != "succeeded" {
		t.Errorf("%+v", ended)
	}
	wantLines(t, "the log", p.log(t, b.ID), 80)
}

// readinessFalls asks without a pause, until the answer is no or there is none.
func readinessFalls(url string) bool {
	for {
		answer, err := http.Get(url + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusServiceUnavailable {
			return true
		}
	}
}

// TestDiskFull: intake says 503 while nothing can be kept, and goes on when it can.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	// A small file system in a mount namespace of its own, which ends with the program.
	small := []string{"unshare", "-m"}
	if os.Getuid() != 0 {
		small = []string{"unshare", "-rm"}
	}
	p := launchOn(t, dir, "", append(small, "sh", "-c", `mount -t tmpfs -o size=16m none "$0" && exec "$@"`, filepath.Join(dir, "data"))...)
	h := p.hook(t, "main", "")
	body := []byte(`{"ref":"refs/heads/main","after":"` + strings.Repeat("a", 40) + `","pad":"` + strings.Repeat("x", 20_000) + `"}`)
	if status := p.deliver(t, h, newGUID(), body); status != http.StatusAccepted {
		t.Fatal(status)
	}
	filler := fmt.Sprintf("/proc/%d/root%s/data/filler", p.cmd.Process.Pid, dir)
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	f.Close()
	accepted := map[string]bool{}
	refused := 0
	for range 40 {
		guid := newGUID()
		switch status := p.deliver(t, h, guid, body); status {
		case http.StatusAccepted:
			accepted[guid] = true
		case http.StatusServiceUnavailable:
			refused++
		default:
			t.Fatalf("with a full disk: %d\n%s", status, p.stderr.String())
		}
	}
	if refused == 0 || p.as("").status(t, "GET", "/healthz") != 200 {
		t.Errorf("refused %d", refused)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	eventually(t, "intake to go on", func() bool { return p.deliver(t, h, newGUID(), body) == http.StatusAccepted })
	// What was acknowledged is there.
	_, raw := p.send(t, "GET", "/api/v1/ci/deliveries?team=main&limit=200", nil)
	for guid := range accepted {
		if !strings.Contains(raw, guid) {
			t.Errorf("delivery %s was acknowledged and is gone", guid)
		}
	}
}
