package courier

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/agenttest"
	"github.com/signalbox/signalbox/agents/apply"
	"github.com/signalbox/signalbox/agents/health"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/portal"
	"github.com/signalbox/signalbox/agents/protocol"
)

func TestMain(m *testing.M) { agenttest.Main(m) }

// node is both halves of an agent on one small machine, and its portal.
type node struct {
	t       *testing.T
	root    host.Root
	dir     string
	portal  *agenttest.Portal
	release *agenttest.Release
	packed  *agenttest.Packed
	plan    protocol.Assignment
	courier *Courier
	start   time.Time
}

var (
	oldTill = agenttest.Deb{Name: "till", Version: "1.0", Files: map[string]string{"opt/ballast": strings.Repeat("ballast ", 20_000)}}
	newTill = agenttest.Deb{Name: "till", Version: "2.0", Files: map[string]string{"opt/ballast": strings.Repeat("ballast 2 ", 20_000)}}
)

func setup(t *testing.T) *node {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Log("installing into a folder needs root")
		return nil
	}
	now := time.Now()
	n := &node{t: t, root: agenttest.Machine(t), dir: t.TempDir(), release: agenttest.NewRelease(t, now), start: now}
	agenttest.Install(t, n.root, oldTill)
	n.portal = agenttest.NewPortal(t, time.Now)
	n.packed = agenttest.Pack(t, agenttest.Content{ID: "b2", Version: 2, Created: now.Add(-time.Hour), Packages: []agenttest.Deb{newTill}, Rollback: []agenttest.Deb{oldTill}})
	n.release.Vouch(n.packed.Manifest)
	n.portal.Change(func(c *agenttest.Changes) { c.Publish(n.packed, n.release.Set()) })
	n.plan = protocol.Assignment{Rollout: "r1", Node: "node1", Bundle: "b2", BundleVersion: 2, ManifestSHA256: agenttest.Hash(agenttest.Encode(t, n.packed.Manifest)),
		Action: protocol.ActionInstall, Issued: now, Install: protocol.Install{Reboot: "never", HoldPolicy: "refuse", TimeoutSeconds: 60},
		Rollback: protocol.Rollback{Enabled: true, Method: "auto", Keep: 1}, Health: protocol.Health{TimeoutSeconds: 2, SuccessesInRow: 2}}
	n.enrol()
	return n
}

// enrol makes it a node and starts the worker behind its socket.
func (n *node) enrol() {
	n.t.Helper()
	ctx := n.t.Context()
	net := filepath.Join(n.dir, "net")
	if err := os.MkdirAll(net, 0o700); err != nil {
		n.t.Fatal(err)
	}
	client, err := portal.New(net, portal.Identity{URL: n.portal.URL}, time.Now)
	if err != nil {
		n.t.Fatal(err)
	}
	machine, err := n.root.Machine()
	if err != nil {
		n.t.Fatal(err)
	}
	answer, err := client.Enroll(ctx, protocol.EnrollRequest{Token: "token", Name: "till-7", Machine: machine, Agent: "1.0.0"})
	if err != nil {
		n.t.Fatal(err)
	}
	roots := [][]byte{answer.Root[0]}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	w, err := apply.New(apply.Options{Dir: filepath.Join(n.dir, "worker"), Root: n.root, Spool: Spool(net), Agent: "1.0.0", Log: log, Now: time.Now, Power: n.dir,
		Identity: func() (string, string) { return answer.Node, "till-7" }, LockWait: time.Second, Checker: health.Checker{Every: 5 * time.Millisecond}})
	if err == nil {
		err = w.Pin(roots)
	}
	if err == nil {
		err = Pin(net, roots)
	}
	if err != nil {
		n.t.Fatal(err)
	}
	socket := filepath.Join(n.dir, "s")
	l, err := apply.Listen(socket, -1)
	if err != nil {
		n.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Serve(ctx, l, 0) }()
	n.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			n.t.Error(err)
		}
	})
	client, err = portal.New(net, portal.Identity{URL: n.portal.URL, Node: answer.Node, Name: "till-7"}, time.Now)
	if err != nil {
		n.t.Fatal(err)
	}
	n.courier, err = New(Options{Dir: net, Root: n.root, Agent: "1.0.0", Client: client, Worker: apply.Remote{Path: socket}, Now: time.Now, Log: log, Interval: time.Second})
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) order(change func(a *protocol.Assignment)) {
	n.plan.Issued = n.plan.Issued.Add(time.Second)
	if change != nil {
		change(&n.plan)
	}
	n.portal.Change(func(c *agenttest.Changes) { c.Order(n.release.Seal(n.plan)) })
}

// until ticks until something holds.
func (n *node) until(what string, holds func() bool) {
	n.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			st, err := n.courier.Worker.Status(n.t.Context())
			n.t.Fatalf("never: %s; reports %+v; worker %+v, %v", what, n.portal.Reports(), st.Record.Run, err)
		}
		n.tick()
	}
}

// tick does one round and waits for what it began.
func (n *node) tick() {
	n.courier.due, n.courier.again = time.Time{}, time.Time{}
	n.courier.Tick(n.t.Context())
	if n.courier.doing != nil {
		then := <-n.courier.doing
		n.courier.after(then)
	}
}

func (n *node) version() string {
	n.t.Helper()
	list, err := (&packages.Apt{Root: n.root, Native: agenttest.Arch()}).Installed(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	return packages.Versions(list, agenttest.Arch())["till"]
}

func (n *node) reported(state protocol.State, exit protocol.Exit) bool {
	for _, r := range n.portal.Reports() {
		if r.State == state && r.Exit != nil && *r.Exit == exit {
			return true
		}
	}
	return false
}

// The story of the whole: staged through a link that breaks off all the time,
// the link is taken away, it installs in its window, and tells when it can.
func TestStagedThenCutOff(t *testing.T) {
	t.Parallel()
	n := setup(t)
	if n == nil {
		return
	}
	window := protocol.Span{From: time.Now().Add(time.Hour), To: time.Now().Add(2 * time.Hour)}
	n.order(func(a *protocol.Assignment) { a.Windows = []protocol.Span{window} })
	n.portal.Change(func(c *agenttest.Changes) { c.Cut(997) })
	n.until("staged", func() bool { return n.courier.phase == protocol.StateStaged && n.courier.order.Staged != "" })
	n.tick()
	if n.version() != "1.0" {
		t.Error("it was installed before its window")
	}
	if inventory := n.portal.Inventory(); inventory == nil || len(inventory.Packages) != 1 || inventory.Packages[0].Version != "1.0" {
		t.Errorf("inventory %+v", inventory)
	}
	n.portal.Change(func(c *agenttest.Changes) { c.Link(false) })
	n.tick()
	if n.courier.online {
		t.Error("the link is still there")
	}
	// Time passes: the window of the order in hand is now. Only the portal can sign that, so the order is
	// given straight to the courier, as if it had come before.
	n.plan.Windows, n.plan.Issued = []protocol.Span{{From: n.start.Add(-time.Hour), To: n.start.Add(time.Hour)}}, n.plan.Issued.Add(time.Second)
	n.courier.order.Envelope, n.courier.order.plan = n.release.Seal(n.plan), n.plan
	n.until("installed", func() bool { return n.version() == "2.0" })
	if n.reported(protocol.StateSucceeded, protocol.ExitOK) {
		t.Error("the portal heard of it without a link")
	}
	n.portal.Change(func(c *agenttest.Changes) { c.Link(true); c.Order(n.courier.order.Envelope) })
	n.until("told", func() bool { return n.reported(protocol.StateSucceeded, protocol.ExitOK) })
	var states []string
	for i, r := range n.portal.Reports() {
		if r.Seq != int64(i+1) {
			t.Errorf("report %d has the number %d", i, r.Seq)
		}
		states = append(states, string(r.State))
	}
	if got := strings.Join(states, " "); got != "staging staged deferred verifying installing health-checking succeeded" && got != "staging deferred staged verifying installing health-checking succeeded" {
		t.Error(got)
	}
	n.tick()
	last := n.portal.CheckIns()[len(n.portal.CheckIns())-1]
	if last.State != protocol.StateSucceeded || last.Bundle != "b2" || last.LastExit == nil || *last.LastExit != 0 || last.TargetsVersion != n.release.Version {
		t.Errorf("check-in %+v", last)
	}
}

func TestRollsBackAndTells(t *testing.T) {
	t.Parallel()
	n := setup(t)
	if n == nil {
		return
	}
	agenttest.Write(t, string(n.root), "/opt/check", "#!/bin/sh\necho no printer; exit 1\n", 0o755)
	n.order(func(a *protocol.Assignment) { a.Health.Checks = []protocol.Check{{Type: "exec", Path: "/opt/check"}} })
	n.until("rolled back", func() bool { return n.reported(protocol.StateRolledBack, protocol.ExitHealthFailed) })
	if n.version() != "1.0" {
		t.Error(n.version())
	}
	n.tick()
	if last := n.portal.CheckIns()[len(n.portal.CheckIns())-1]; len(last.Quarantined) != 1 || last.State != protocol.StateRolledBack {
		t.Errorf("check-in %+v", last)
	}
}

// What the courier alone sees go wrong, and what the portal hears of it.
func TestStagingFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(n *node, c *agenttest.Changes)
		state  protocol.State
		exit   protocol.Exit
	}{
		"a blob is absent":        {func(n *node, c *agenttest.Changes) { c.Drop(n.packed.Manifest.Variants[0].Packages[0].SHA256) }, protocol.StateStaging, protocol.ExitDeferred},
		"a blob is wrong, thrice": {func(n *node, c *agenttest.Changes) { c.Spoil(n.packed.Manifest.Variants[0].Packages[0].SHA256) }, protocol.StateQuarantined, protocol.ExitIntegrity},
		"the timestamp is kept back": {func(n *node, c *agenttest.Changes) {
			n.release.Timestamp = n.start.Add(-time.Hour).UTC().Truncate(time.Second)
			c.Serve(n.release.Set())
		}, protocol.StateDeferred, protocol.ExitFreshness},
		"the source drips": {func(n *node, c *agenttest.Changes) {
			n.courier.stager.Floor, n.courier.stager.Patience = 1000, 100*time.Millisecond
			c.Drip(n.packed.Manifest.Variants[0].Packages[0].SHA256)
		}, protocol.StateStaging, protocol.ExitDeferred},
		"the disk is too full":            {func(n *node, _ *agenttest.Changes) { n.small(n.courier.Dir, "8m") }, protocol.StateDeferred, protocol.ExitPreflight},
		"the disk fills up while staging": {func(n *node, _ *agenttest.Changes) { n.small(Spool(n.courier.Dir), "4k") }, protocol.StateDeferred, protocol.ExitPreflight},
		"targets by another key": {func(n *node, c *agenttest.Changes) {
			n.release.ReleaseKey = "somebody"
			c.Serve(n.release.Set())
		}, protocol.StateQuarantined, protocol.ExitAuthenticity},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := setup(t)
			if n == nil {
				return
			}
			n.portal.Change(func(change *agenttest.Changes) { c.change(n, change) })
			n.order(nil)
			n.until("told", func() bool { return n.reported(c.state, c.exit) })
			for range 3 {
				n.tick()
			}
			if n.version() != "1.0" {
				t.Error(n.version())
			}
			count := 0
			for _, r := range n.portal.Reports() {
				if r.Exit != nil {
					count++
				}
			}
			if count > 2 {
				t.Errorf("said %d times: %+v", count, n.portal.Reports())
			}
		})
	}
}

// small puts a little disk where a folder is, with what is in it.
func (n *node) small(dir, size string) {
	n.t.Helper()
	line := fmt.Sprintf("cp -a %[1]s %[1]s.was; mount -t tmpfs -o size=%[2]s none %[1]s; cp -a %[1]s.was/. %[1]s", dir, size)
	if out, err := exec.Command("sh", "-ec", line).CombinedOutput(); err != nil {
		n.t.Fatalf("%v %s", err, out)
	}
	n.t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			n.t.Error(err)
		}
	})
}

// A revoked node keeps what it has and takes nothing new.
func TestRevoked(t *testing.T) {
	t.Parallel()
	n := setup(t)
	if n == nil {
		return
	}
	n.order(func(a *protocol.Assignment) {
		a.Windows = []protocol.Span{{From: time.Now().Add(time.Hour), To: time.Now().Add(2 * time.Hour)}}
	})
	n.until("staged", func() bool { return n.courier.order != nil && n.courier.order.Staged != "" })
	n.portal.Change(func(c *agenttest.Changes) { c.Node(protocol.NodeRevoked) })
	n.tick()
	if n.courier.order != nil {
		t.Error("it still has an order")
	}
	n.tick()
	if n.version() != "1.0" {
		t.Error(n.version())
	}
}

// Two of the same: the number that the portal has seen is gone on from.
func TestNumbersGoOn(t *testing.T) {
	t.Parallel()
	n := setup(t)
	if n == nil {
		return
	}
	for range 3 {
		n.tick()
	}
	if err := os.Remove(filepath.Join(n.dir, "net", "seq")); err != nil { // an image was restored
		t.Fatal(err)
	}
	client, err := portal.New(filepath.Join(n.dir, "net"), portal.Identity{URL: n.portal.URL, Node: "node1"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CheckIn(t.Context(), protocol.CheckIn{State: protocol.StateIdle}); err != nil {
		t.Error(err)
	}
}
