package apply

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/agenttest"
	"github.com/signalbox/signalbox/agents/bundle/version"
	"github.com/signalbox/signalbox/agents/health"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/protocol"
)

// paper is a package manager that keeps versions in a file and changes one
// package at a time; between any two the process may be killed.
type paper struct {
	file string
	step func()
}

func (p *paper) read() (m map[string]string) {
	raw, err := os.ReadFile(p.file)
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		panic(err)
	}
	return m
}

func (p *paper) set(name, version string) {
	p.step()
	m := p.read()
	if m[name] = version; version == "" {
		delete(m, name)
	}
	raw, err := json.Marshal(m)
	if err == nil {
		err = journal.Replace(p.file, raw, 0o600)
	}
	if err != nil {
		panic(err)
	}
	p.step()
}

func (p *paper) Installed(context.Context) (list []protocol.Package, err error) {
	for name, version := range p.read() {
		list = append(list, protocol.Package{Name: name, Version: version, Arch: agenttest.Arch()})
	}
	return list, nil
}
func (p *paper) Held(context.Context) ([]string, error)          { return nil, nil }
func (p *paper) Locked() bool                                    { return false }
func (p *paper) Broken(context.Context) (string, error)          { return "", nil }
func (p *paper) Repair(context.Context) (o host.Output, _ error) { return o, nil }
func (p *paper) Compare(a, b string) int                         { return version.Deb(a, b) }
func (p *paper) Plan(context.Context, packages.Repository, packages.Rules) (packages.Plan, error) {
	return packages.Plan{Upgrade: after}, nil
}

func (p *paper) Install(context.Context, packages.Repository, packages.Rules) (o host.Output, _ error) {
	for name, version := range after {
		p.set(name, version)
	}
	return o, nil
}

func (p *paper) Restore(_ context.Context, files []packages.Want, _ []string, _ string) (o host.Output, _ error) {
	for _, f := range files {
		p.set(f.Name, f.Version)
	}
	return o, nil
}

// stageSet is everything that a run needs, in one folder that can be copied.
type stageSet struct {
	Order   Order
	Healthy bool
}

func (s stageSet) worker(t *testing.T, dir string, step func(int)) *Worker {
	t.Helper()
	n := 0
	count := func() {
		n++
		step(n)
	}
	script, limit := "exit 1", 100*time.Millisecond
	if s.Healthy {
		script, limit = "exit 0", 0
	}
	agenttest.Write(t, dir, "check", "#!/bin/sh\n"+script+"\n", 0o755)
	w, err := New(Options{Dir: filepath.Join(dir, "worker"), Root: host.Root(filepath.Join(dir, "root")), Spool: filepath.Join(dir, "spool"), Agent: "1.0.0",
		Identity: func() (string, string) { return "node1", "till-7" }, Now: func() time.Time { return noon }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Checker: health.Checker{Every: time.Millisecond, Limit: limit}, Power: dir, Wrote: func(int) { count() }, System: &paper{file: filepath.Join(dir, "versions"), step: count}})
	if err != nil {
		t.Fatal(err)
	}
	w.Checker.Root = "/"
	return w
}

func prepareKill(t *testing.T, healthy bool) (dir string, s stageSet) {
	t.Helper()
	dir = t.TempDir()
	agenttest.Write(t, dir, "root/etc/os-release", "ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\n", 0o644)
	agenttest.Write(t, dir, "root/var/lib/dpkg/status", "", 0o644)
	agenttest.Write(t, dir, "versions", `{"till":"1.0","till-data":"1.0"}`, 0o644)
	release := agenttest.NewRelease(t, noon)
	packed := agenttest.Pack(t, upgrade)
	release.Vouch(packed.Manifest)
	packed.Spool(t, filepath.Join(dir, "spool"))
	raw := agenttest.Encode(t, packed.Manifest)
	s = stageSet{Healthy: healthy, Order: Order{Set: release.Set(), Manifest: raw, Envelope: release.Seal(protocol.Assignment{Rollout: "r1", Node: "node1", Bundle: "b2",
		BundleVersion: 2, ManifestSHA256: agenttest.Hash(raw), Action: protocol.ActionInstall, Issued: noon, Install: protocol.Install{Reboot: "never"},
		Rollback: protocol.Rollback{Enabled: true, Method: "packages", Keep: 1}, Health: protocol.Health{TimeoutSeconds: 1, Checks: []protocol.Check{{Type: "exec", Path: "CHECK"}}}})}}
	return dir, s
}

// order names the check where this copy of the folder has it.
func (s stageSet) order(t *testing.T, dir string) Order {
	t.Helper()
	var a protocol.Assignment
	if err := json.Unmarshal(s.Order.Envelope.Payload, &a); err != nil {
		t.Fatal(err)
	}
	a.Health.Checks[0].Path = filepath.Join(dir, "check")
	o := s.Order
	o.Envelope = agenttest.NewRelease(t, noon).Seal(a)
	return o
}

// TestHelperIsKilled is the process that dies, at the step which the environment names.
func TestHelperIsKilled(t *testing.T) {
	dir := os.Getenv("APPLY_TEST_KILL_DIR")
	if dir == "" {
		return
	}
	at, err := strconv.Atoi(os.Getenv("APPLY_TEST_KILL_AT"))
	if err != nil {
		t.Fatal(err)
	}
	var s stageSet
	raw, err := os.ReadFile(filepath.Join(dir, "set.json"))
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := s.worker(t, dir, func(n int) {
		if n == at {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	w.Do(context.Background(), s.order(t, dir))
}

// The agent is killed before and after every write of its journal and between
// any two packages (each fourth of these places, and all under SIGNALBOX_SOAK); whoever comes next ends the run as if nothing had been.
func TestKillAtEveryStep(t *testing.T) {
	t.Parallel()
	for name, healthy := range map[string]bool{"and the machine is well": true, "and it is not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pattern, s := prepareKill(t, healthy)
			raw, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			agenttest.Write(t, pattern, "set.json", string(raw), 0o600)
			killed, every := 0, 4
			if os.Getenv("SIGNALBOX_SOAK") != "" {
				every = 1
			}
			for at := 1; ; at += every {
				dir := t.TempDir()
				if out, err := exec.Command("cp", "-a", pattern+"/.", dir).CombinedOutput(); err != nil {
					t.Fatalf("%v %s", err, out)
				}
				if !s.die(t, dir, at) {
					break
				}
				killed++
				s.survive(t, dir, at)
			}
			if killed < 16/every {
				t.Errorf("only %d places to die at", killed)
			}
		})
	}
}

// die runs the agent until the step; false where it came to its end before.
func (s stageSet) die(t *testing.T, dir string, at int) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestHelperIsKilled$")
	cmd.Env = append(os.Environ(), "APPLY_TEST_KILL_DIR="+dir, "APPLY_TEST_KILL_AT="+strconv.Itoa(at))
	out, err := cmd.CombinedOutput()
	var status *exec.ExitError
	if errors.As(err, &status) && status.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return true
	}
	if err != nil {
		t.Fatalf("at %d: %v\n%s", at, err, out)
	}
	return false
}

func (s stageSet) survive(t *testing.T, dir string, at int) {
	t.Helper()
	w := s.worker(t, dir, func(int) {})
	w.Recover(context.Background())
	out := w.Do(context.Background(), s.order(t, dir))
	state, exit, want := protocol.StateSucceeded, protocol.ExitOK, after
	if !s.Healthy {
		state, exit, want = protocol.StateRolledBack, protocol.ExitHealthFailed, before
	}
	if out.State != state || out.Exit != exit {
		t.Errorf("killed at %d: %s, exit %d: %s", at, out.State, out.Exit, out.Message)
	}
	if got := w.System.(*paper).read(); !maps.Equal(got, want) {
		t.Errorf("killed at %d: installed are %v", at, got)
	}
	reports, err := w.Reports(0, 100)
	if err != nil || len(reports) == 0 {
		t.Fatalf("killed at %d: %d reports, %v", at, len(reports), err)
	}
	if r, err := journal.Read(w.Dir); err != nil || r.Run.Installs > installMost || r.Run.Healths > healthMost {
		t.Errorf("killed at %d: %d installs, %d checks, %v", at, r.Run.Installs, r.Run.Healths, err)
	}
}
