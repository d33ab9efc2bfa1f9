package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/agenttest"
	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/protocol"
)

// asAgent has the test binary be the agent: the two halves are real processes.
const asAgent = "AGENT_TEST_IS_AGENT"

func TestMain(m *testing.M) {
	if os.Getenv(asAgent) != "" {
		main()
	}
	agenttest.Main(m)
}

// station is a node: a root, a network namespace with one link, two processes.
type station struct {
	t      *testing.T
	name   string
	ns     string
	outer  string // this side's end of its link
	root   host.Root
	state  string
	portal *agenttest.Portal
}

func line(t *testing.T, format string, args ...any) {
	t.Helper()
	cmd := exec.Command("sh", "-ec", fmt.Sprintf(format, args...))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// station makes the node's machine and its link.
func newStation(t *testing.T, name string, number int) *station {
	t.Helper()
	s := &station{t: t, name: name, ns: fmt.Sprintf("sbx%d-%s", os.Getpid(), name), outer: fmt.Sprintf("sbx%d%s", os.Getpid()%100000, name), root: machine(t), state: t.TempDir()}
	here, there := fmt.Sprintf("198.18.%d.1", number), fmt.Sprintf("198.18.%d.2", number)
	line(t, "ip netns add %s; ip link add %s type veth peer name eth0 netns %s; ip addr add %s/30 dev %s; ip link set %s up; ip -n %s addr add %s/30 dev eth0; ip -n %s link set eth0 up",
		s.ns, s.outer, s.ns, here, s.outer, s.outer, s.ns, there, s.ns)
	t.Cleanup(func() { line(t, "ip netns del %s; ip link del %s 2>/dev/null || true", s.ns, s.outer) })
	l, err := net.Listen("tcp", here+":0")
	if err != nil {
		t.Fatal(err)
	}
	s.portal = agenttest.NewPortalOn(t, l, time.Now)
	return s
}

// machine is a debootstrap root in the long form, a small one otherwise.
func machine(t *testing.T) host.Root {
	t.Helper()
	if os.Getenv("SIGNALBOX_SOAK") == "" {
		return agenttest.Machine(t)
	}
	root := filepath.Join(t.TempDir(), "root")
	line(t, "debootstrap --variant=minbase bookworm %s >/dev/null", root)
	return host.Root(root)
}

func (s *station) agent(ctx context.Context, around []string, args ...string) *exec.Cmd {
	args = append(append(around, os.Args[0]), args...)
	args = append(args, "--root", string(s.root), "--state-dir", s.state, "--socket", filepath.Join(s.state, "sock"))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), asAgent+"=1")
	return cmd
}

func (s *station) inside() []string { return []string{"ip", "netns", "exec", s.ns} }

// start begins a half and ends it with the test.
func (s *station) start(around []string, half string) {
	s.t.Helper()
	log, err := os.Create(filepath.Join(s.state, half+".log"))
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	cmd := s.agent(ctx, around, half)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		stop()
		err := cmd.Wait()
		if s.t.Failed() {
			raw, _ := os.ReadFile(log.Name())
			s.t.Logf("%s %s ended: %v\n%s", s.name, half, err, raw)
		}
	})
}

func (s *station) until(what string, holds func() bool) {
	s.t.Helper()
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	begun := time.Now()
	defer func() { s.t.Logf("%s: %s after %s", s.name, what, time.Since(begun).Round(10*time.Millisecond)) }()
	for deadline := time.Now().Add(5 * time.Minute); !holds(); <-ticks.C {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: never: %s; said %v", s.name, what, s.said())
		}
	}
}

// said is what the portal has heard.
func (s *station) said() (all []string) {
	for _, r := range s.portal.Reports() {
		text := string(r.State)
		if r.Exit != nil {
			text += fmt.Sprintf("(%d)", int(*r.Exit))
		}
		all = append(all, text)
	}
	return all
}

func (s *station) heard(text string) bool {
	for _, t := range s.said() {
		if t == text {
			return true
		}
	}
	return false
}

func (s *station) versions() map[string]string {
	s.t.Helper()
	list, err := (&packages.Apt{Root: s.root, Native: agenttest.Arch()}).Installed(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return packages.Versions(list, agenttest.Arch())
}

var (
	tillOld = agenttest.Deb{Name: "till", Version: "1.0", Depends: "till-data", Files: map[string]string{"opt/ballast": strings.Repeat("one ", 100_000)}}
	dataOld = agenttest.Deb{Name: "till-data", Version: "1.0", Arch: "all"}
	tillNew = agenttest.Deb{Name: "till", Version: "2.0", Depends: "till-data (>= 2)", Files: map[string]string{"opt/ballast": strings.Repeat("two ", 100_000)}}
	dataNew = agenttest.Deb{Name: "till-data", Version: "2.0", Arch: "all"}
)

// prepare puts the old packages in, enrols, and starts both halves: the one that
// installs without any network at all.
func (s *station) prepare(release *agenttest.Release, packed *agenttest.Packed) {
	s.t.Helper()
	agenttest.Install(s.t, s.root, tillOld, dataOld)
	s.portal.Change(func(c *agenttest.Changes) { c.Publish(packed, release.Set()) })
	out, err := s.agent(context.Background(), s.inside(), "enroll", "--url", s.portal.URL, "--token", "token", "--label", "role=till").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "node1 is accepted") {
		s.t.Fatalf("%v %s", err, out)
	}
	s.start([]string{"unshare", "-n"}, "worker")
	s.start(s.inside(), "run")
}

// Two nodes behind links of their own. A's link breaks off all the time while it
// stages and is then taken away: it installs in its window and tells when the
// link is back. B is not well afterwards and goes back by itself.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("network namespaces and installing into a folder need root")
		return
	}
	release, now := agenttest.NewRelease(t, time.Now()), time.Now()
	packed := agenttest.Pack(t, agenttest.Content{ID: "b2", Version: 2, Created: now.Add(-time.Hour), Packages: []agenttest.Deb{tillNew, dataNew}, Rollback: []agenttest.Deb{tillOld, dataOld}, Deltas: true})
	release.Vouch(packed.Manifest)
	a, b := newStation(t, "a", os.Getpid()%100*2), newStation(t, "b", os.Getpid()%100*2+1)
	a.prepare(release, packed)
	b.prepare(release, packed)
	before := b.versions()

	plan := protocol.Assignment{Rollout: "r1", Node: "node1", Bundle: "b2", BundleVersion: 2, ManifestSHA256: agenttest.Hash(agenttest.Encode(t, packed.Manifest)), Action: protocol.ActionStage,
		Issued: now.UTC(), Staging: protocol.Staging{Kbps: 256, Mode: "delta-preferred"},
		Install: protocol.Install{Reboot: "never", HoldPolicy: "refuse", TimeoutSeconds: 300}, Rollback: protocol.Rollback{Enabled: true, Method: "auto", Keep: 1},
		Health: protocol.Health{TimeoutSeconds: 4, SuccessesInRow: 2, Checks: []protocol.Check{{Type: "exec", Path: "/opt/healthy"}}}}
	agenttest.Write(t, string(a.root), "/opt/healthy", "#!/bin/sh\nexit 0\n", 0o755)
	agenttest.Write(t, string(b.root), "/opt/healthy", "#!/bin/sh\necho no printer; exit 1\n", 0o755)
	a.portal.Change(func(c *agenttest.Changes) { c.Cut(1500) })
	order := func() {
		for _, s := range []*station{a, b} {
			s.portal.Change(func(c *agenttest.Changes) { c.Order(release.Seal(plan)) })
		}
	}
	order()
	a.until("staged", func() bool { return a.heard("staged") })
	opens := time.Now().Add(8 * time.Second).UTC()
	plan.Action, plan.Issued, plan.Windows = protocol.ActionInstall, plan.Issued.Add(time.Second), []protocol.Span{{From: opens, To: opens.Add(time.Hour)}}
	order()
	a.until("waits for its window", func() bool { return a.heard("deferred") })
	line(t, "ip link set %s down", a.outer)

	a.until("installed without a link", func() bool { return a.versions()["till"] == "2.0" })
	if a.heard("installing") {
		t.Error("the portal has heard of it without a link")
	}
	b.until("rolled back", func() bool { return b.heard("rolled-back(6)") })
	if after := b.versions(); !maps.Equal(before, after) {
		t.Errorf("b had %v and has %v", before, after)
	}
	line(t, "ip link set %s up", a.outer)
	a.until("told", func() bool { return a.heard("succeeded(0)") })
	for _, s := range []*station{a, b} {
		for i, r := range s.portal.Reports() {
			if r.Seq != int64(i+1) {
				t.Errorf("%s: report %d has the number %d", s.name, i, r.Seq)
			}
		}
	}
	out, err := a.agent(context.Background(), nil, "status").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "current  b2") {
		t.Errorf("%v %s", err, out)
	}
	out, err = a.agent(context.Background(), nil, "rollback").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "rolled-back") || a.versions()["till"] != "1.0" {
		t.Errorf("%v %s", err, out)
	}
}

// A bundle on a stick, for a machine that has never seen a portal.
func TestApplyFile(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("installing into a folder needs root")
		return
	}
	release, now := agenttest.NewRelease(t, time.Now()), time.Now()
	packed := agenttest.Pack(t, agenttest.Content{ID: "b2", Version: 2, Created: now.Add(-time.Hour), Packages: []agenttest.Deb{tillNew, dataNew}, Rollback: []agenttest.Deb{tillOld, dataOld}})
	release.Vouch(packed.Manifest)
	stick := packed.File(t, release.Set())
	s := &station{t: t, root: machine(t), state: t.TempDir()}
	agenttest.Install(t, s.root, tillOld, dataOld)
	root := filepath.Join(t.TempDir(), "1.root.json")
	if err := os.WriteFile(root, release.Root(), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"apply"}, exitUsage, "1 arguments are wanted"},
		{[]string{"apply", "/no/such/file"}, 1, "no such file"},
		{[]string{"apply", stick}, 3, "no trusted root"},
		{[]string{"apply", packed.File(t, bundle.Set{}), "--trust", root}, 3, ""},
		{[]string{"apply", stick, "--health-exec", "/bin/false", "--health-timeout", "1s"}, 6, "ended with 1"},
		{[]string{"apply", stick}, 11, "in quarantine"},
		{[]string{"apply", stick, "--force"}, 0, "succeeded"},
		{[]string{"apply", stick}, 0, "nothing to do"},
		{[]string{"status", "--json"}, 0, `"current": "b2"`},
		{[]string{"rollback"}, 0, "rolled-back"},
		{[]string{"rollback"}, 0, "nothing to go back from"},
	} {
		cmd := s.agent(context.Background(), []string{"unshare", "-n"}, c.args...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != c.exit || !strings.Contains(string(out), c.says) {
			t.Errorf("%v: exit %d, %v\n%s", c.args, cmd.ProcessState.ExitCode(), err, out)
		}
	}
	if got := s.versions()["till"]; got != "1.0" {
		t.Error(got)
	}
}
