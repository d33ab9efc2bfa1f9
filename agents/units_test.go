package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/agenttest"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/protocol"
)

const deploy = "../deploy/"

// The units are such as systemd reads without a complaint.
func TestUnits(t *testing.T) {
	t.Parallel()
	analyse, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("there is no systemd-analyze here")
		return
	}
	dir := t.TempDir()
	files, err := filepath.Glob(deploy + "systemd/signalbox-agent*")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	args := []string{"verify"}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		// verify wants the program to be there
		unit := strings.ReplaceAll(string(raw), "/usr/local/bin/signalbox-agent", "/bin/true")
		agenttest.Write(t, dir, filepath.Base(f), unit, 0o644)
		args = append(args, filepath.Join(dir, filepath.Base(f)))
	}
	if out, err := exec.Command(analyse, args...).CombinedOutput(); err != nil || strings.Contains(string(out), dir) {
		t.Errorf("%v %s", err, out)
	}
}

// boot starts a system in a root folder and gives the way to run something in it.
func boot(t *testing.T, root string) func(line string) string {
	t.Helper()
	cmd := exec.Command("systemd-nspawn", "-D", root, "--register=no", "--keep-unit", "--console=pipe", "-b")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	init := ""
	inside := func(line string) (string, error) {
		out, err := exec.Command("nsenter", "-t", init, "-a", "sh", "-c", line).CombinedOutput()
		return string(out), err
	}
	t.Cleanup(func() {
		if _, err := inside("systemctl poweroff"); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	waitFor(t, "the system to be up", func() bool {
		out, _ := exec.Command("pgrep", "-x", "-P", strconv.Itoa(cmd.Process.Pid), "systemd").Output()
		if init = strings.TrimSpace(string(out)); init == "" {
			return false
		}
		said, _ := inside("systemctl is-system-running")
		return strings.TrimSpace(said) == "running"
	})
	return func(line string) string {
		t.Helper()
		out, err := inside(line)
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return out
	}
}

// waitFor polls for at most two minutes.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticks := time.NewTicker(200 * time.Millisecond)
	defer ticks.Stop()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); <-ticks.C {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestSoakUnits boots a Debian, runs the installer in it and lets a bundle come:
// the two halves as systemd runs them, the root half only while it is asked.
func TestSoakUnits(t *testing.T) {
	if os.Getenv("SIGNALBOX_SOAK") == "" || os.Geteuid() != 0 {
		t.Log("needs root, debootstrap and systemd-nspawn; runs under SIGNALBOX_SOAK=1")
		return
	}
	root := filepath.Join(t.TempDir(), "root")
	line(t, "debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus bookworm %s >/dev/null; mkdir %s/root/deploy; cp -r %s. %s/root/deploy; CGO_ENABLED=0 go build -o %s/root/deploy/agent .", root, root, deploy, root, root)
	agenttest.Install(t, host.Root(root), tillOld, dataOld)
	release, now := agenttest.NewRelease(t, time.Now()), time.Now()
	packed := agenttest.Pack(t, agenttest.Content{ID: "b2", Version: 2, Created: now.Add(-time.Hour), Packages: []agenttest.Deb{tillNew, dataNew}, Rollback: []agenttest.Deb{tillOld, dataOld}})
	release.Vouch(packed.Manifest)
	s := &station{t: t, name: "booted", root: host.Root(root), portal: agenttest.NewPortal(t, time.Now)}
	s.portal.Change(func(c *agenttest.Changes) { c.Publish(packed, release.Set()) })
	in := boot(t, root)
	in("cd /root/deploy; echo damaged > bad; sha256sum agent > bad.sha256; sed -i s/agent/bad/ bad.sha256; ! sh install-agent.sh bad --url " + s.portal.URL + " --token token; test ! -e /usr/local/bin/signalbox-agent")
	if said := in("cd /root/deploy; sha256sum agent > agent.sha256; sh install-agent.sh agent --url " + s.portal.URL + " --token token"); !strings.Contains(said, "node1 is accepted") {
		t.Fatal(said)
	}
	order := protocol.Assignment{Rollout: "r1", Node: "node1", Bundle: "b2", BundleVersion: 2, ManifestSHA256: agenttest.Hash(agenttest.Encode(t, packed.Manifest)), Action: protocol.ActionInstall,
		Issued: now.UTC(), Install: protocol.Install{Reboot: "never", HoldPolicy: "refuse", TimeoutSeconds: 300}, Rollback: protocol.Rollback{Enabled: true, Method: "auto", Keep: 1},
		Health: protocol.Health{TimeoutSeconds: 20, SuccessesInRow: 2, Checks: []protocol.Check{{Type: "unit", Name: "dbus.service"}}}}
	s.portal.Change(func(c *agenttest.Changes) { c.Order(release.Seal(order)) })
	s.until("installed", func() bool { return s.heard("succeeded(0)") })
	if got := s.versions()["till"]; got != "2.0" {
		t.Error(got)
	}
	seen := 0
	for _, what := range []string{"signalbox-agent rotate", "sh /root/deploy/install-agent.sh /root/deploy/agent", "signalbox-agent doctor"} {
		in(what + "; systemctl is-active signalbox-agent.service")
		seen = len(s.portal.CheckIns())
		s.until("goes on after "+what, func() bool { return len(s.portal.CheckIns()) > seen+1 })
	}
	in("systemctl stop signalbox-agent.service")
	waitFor(t, "the root half to go", func() bool {
		return strings.TrimSpace(in("systemctl is-active signalbox-agent-worker.service || true")) == "inactive"
	})
	in("systemctl start signalbox-agent.service; test -S /run/signalbox-agent/worker.sock")
	seen = len(s.portal.CheckIns())
	s.until("wakes it by asking", func() bool { return len(s.portal.CheckIns()) > seen })
	if said := in("systemctl show -p User,NRestarts signalbox-agent.service; journalctl -p err -u 'signalbox-agent*' -o cat"); !strings.Contains(said, "NRestarts=0") {
		t.Error(said)
	}
}
