package apply

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/agenttest"
	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/protocol"
)

// paperBench is a bench without a package manager: what is refused here never
// comes as far as one. The machine says it has the old packages.
func paperBench(t *testing.T, c agenttest.Content) *bench {
	t.Helper()
	dir, s := prepareKill(t, true)
	b := &bench{t: t, release: agenttest.NewRelease(t, noon), now: noon}
	b.worker = s.worker(t, dir, func(int) {})
	b.worker.Now = func() time.Time { return b.now }
	b.root = b.worker.Root
	if err := b.worker.Pin([][]byte{b.release.Root()}); err != nil {
		t.Fatal(err)
	}
	b.plan = protocol.Assignment{Rollout: "r1", Node: "node1", Action: protocol.ActionInstall, Issued: noon.Add(-time.Minute), OfflineGraceSeconds: 86400,
		Install: protocol.Install{Reboot: "never"}, Health: protocol.Health{TimeoutSeconds: 1}, Rollback: protocol.Rollback{Enabled: true, Method: "packages", Keep: 1}}
	b.bring(c)
	return b
}

// Each row of the table of attacks that an order or its metadata can carry out.
// Nothing is installed, and the exit code says why.
func TestAttacks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		attack func(b *bench, o *Order)
		state  protocol.State
		exit   protocol.Exit
		says   string
	}{
		"the order is signed by another key": {func(b *bench, o *Order) {
			e, err := protocol.Seal(b.plan, o.Envelope.KeyID, agenttest.Key("somebody"))
			if err != nil {
				b.t.Fatal(err)
			}
			o.Envelope = e
		}, protocol.StateIdle, protocol.ExitAuthenticity, "signature"},
		"the order is signed by the release key": {func(b *bench, o *Order) {
			e, err := protocol.Seal(b.plan, o.Envelope.KeyID, agenttest.Key("release"))
			if err != nil {
				b.t.Fatal(err)
			}
			o.Envelope = e
		}, protocol.StateIdle, protocol.ExitAuthenticity, "signature"},
		"a bit of the order is changed": {func(_ *bench, o *Order) { o.Envelope.Payload[20] ^= 1 }, protocol.StateIdle, protocol.ExitAuthenticity, "signature"},
		"there is no order":             {func(_ *bench, o *Order) { o.Envelope = nil }, protocol.StateIdle, protocol.ExitAuthenticity, ""},
		"the order is another node's": {func(b *bench, o *Order) {
			b.plan.Node = "node2"
			o.Envelope = b.release.Seal(b.plan)
		}, protocol.StateIdle, protocol.ExitFreshness, "another node"},
		"targets are signed by another key": {func(b *bench, o *Order) {
			b.release.ReleaseKey = "somebody"
			o.Set = b.release.Set()
		}, protocol.StateQuarantined, protocol.ExitAuthenticity, ""},
		"targets are signed by the portal's key": {func(b *bench, o *Order) {
			b.release.ReleaseKey = "portal"
			o.Set = b.release.Set()
		}, protocol.StateQuarantined, protocol.ExitAuthenticity, ""},
		"the root is another one": {func(b *bench, o *Order) { o.Set.Roots = [][]byte{b.release.Rotated()[:100]} }, protocol.StateQuarantined, protocol.ExitIntegrity, ""},
		"the portal assigns what nobody signed": {func(b *bench, o *Order) {
			c := upgrade
			c.ID, c.Version = "b9", 9
			p := agenttest.Pack(b.t, c)
			p.Spool(b.t, b.worker.Spool)
			o.Manifest = agenttest.Encode(b.t, p.Manifest)
			b.plan.Bundle, b.plan.BundleVersion, b.plan.ManifestSHA256 = "b9", 9, agenttest.Hash(o.Manifest)
			o.Envelope = b.release.Seal(b.plan)
		}, protocol.StateQuarantined, protocol.ExitAuthenticity, "No release key vouches"},
		"the manifest is another one": {func(b *bench, o *Order) {
			b.packed.Manifest.Requires.DiskBytes = 7
			o.Manifest = agenttest.Encode(b.t, b.packed.Manifest)
		}, protocol.StateDeferred, protocol.ExitIntegrity, ""},
		"the order means another edition": {func(b *bench, o *Order) {
			b.plan.ManifestSHA256 = agenttest.Hash([]byte("other"))
			o.Envelope = b.release.Seal(b.plan)
		}, protocol.StateFailed, protocol.ExitFreshness, "not the one that the order means"},
		"the release key was rotated away": {func(b *bench, o *Order) {
			o.Set = b.release.Set(b.release.Root(), b.release.Rotated())
		}, protocol.StateQuarantined, protocol.ExitAuthenticity, ""},
		"an unknown action": {func(b *bench, o *Order) {
			b.plan.Action = "shell"
			o.Envelope = b.release.Seal(b.plan)
		}, protocol.StateIdle, protocol.ExitFreshness, "knows no action"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := paperBench(t, upgrade)
			o := b.order()
			c.attack(b, &o)
			b.want(b.worker.Do(context.Background(), o), c.state, c.exit, c.says)
			if got := b.worker.System.(*paper).read(); got["till"] != "1.0" {
				t.Errorf("installed: %v", got)
			}
			if _, err := os.Stat(b.worker.Root.Path(cache)); err == nil {
				t.Error("something was unpacked")
			}
		})
	}
}

// An older bundle is not taken after a newer one, properly signed or not, and
// an order from the past does not come back.
func TestReplay(t *testing.T) {
	t.Parallel()
	b := paperBench(t, upgrade)
	old := b.order()
	b.want(b.do(), protocol.StateSucceeded, protocol.ExitOK, "")
	first := upgrade
	first.ID, first.Version = "b1", 1
	b.plan.Rollout, b.plan.Issued = "r0", noon
	b.bring(first)
	b.want(b.do(), protocol.StateFailed, protocol.ExitFreshness, "already had version 2")
	b.want(b.worker.Do(context.Background(), old), protocol.StateFailed, protocol.ExitFreshness, "older than one")
}

// A root signed by the old threshold brings in a new release key.
func TestRotation(t *testing.T) {
	t.Parallel()
	b := paperBench(t, upgrade)
	b.release.ReleaseKey = "release2"
	o := b.order()
	o.Set = b.release.Set(b.release.Root(), b.release.Rotated())
	b.want(b.worker.Do(context.Background(), o), protocol.StateSucceeded, protocol.ExitOK, "")
}

func TestWindows(t *testing.T) {
	t.Parallel()
	span := func(from, to int) protocol.Span {
		return protocol.Span{From: noon.Add(time.Duration(from) * time.Hour), To: noon.Add(time.Duration(to) * time.Hour)}
	}
	end := noon.Add(-time.Second)
	for name, c := range map[string]struct {
		plan protocol.Assignment
		open bool
		next int // hours from noon, 0: none
		over bool
	}{
		"any time":                           {protocol.Assignment{}, true, 0, false},
		"now":                                {protocol.Assignment{Windows: []protocol.Span{span(-1, 1)}}, true, 0, false},
		"just opened":                        {protocol.Assignment{Windows: []protocol.Span{span(0, 1)}}, true, 0, false},
		"just closed":                        {protocol.Assignment{Windows: []protocol.Span{span(-1, 0), span(24, 25)}}, false, 24, false},
		"later":                              {protocol.Assignment{Windows: []protocol.Span{span(24, 26), span(5, 6)}}, false, 5, false},
		"too late to begin":                  {protocol.Assignment{Windows: []protocol.Span{span(-1, 1), span(23, 25)}, LatestStartSeconds: 3601}, false, 23, false},
		"still time to begin":                {protocol.Assignment{Windows: []protocol.Span{span(-1, 1)}, LatestStartSeconds: 3600}, true, 0, false},
		"all have passed":                    {protocol.Assignment{Windows: []protocol.Span{span(-3, -2)}}, false, 0, false},
		"missed, to be skipped":              {protocol.Assignment{Windows: []protocol.Span{span(-3, -2), span(5, 6)}, OnMissed: "skip"}, false, 0, true},
		"the first, to be skipped otherwise": {protocol.Assignment{Windows: []protocol.Span{span(5, 6), span(9, 10)}, OnMissed: "skip"}, false, 5, false},
		"past the deadline":                  {protocol.Assignment{Deadline: &end}, false, 0, true},
	} {
		open, next, why, over := Window(&c.plan, noon)
		if open != c.open || over != c.over || (next == nil) != (c.next == 0) || next != nil && !next.Equal(noon.Add(time.Duration(c.next)*time.Hour)) || !open && why == "" {
			t.Errorf("%s: %v, %v, %q, %v", name, open, next, why, over)
		}
	}
}

func TestOutsideTheWindow(t *testing.T) {
	t.Parallel()
	b := paperBench(t, upgrade)
	b.plan.Windows = []protocol.Span{{From: noon.Add(time.Hour), To: noon.Add(2 * time.Hour)}}
	for range 3 {
		out := b.do()
		b.want(out, protocol.StateDeferred, protocol.ExitDeferred, "opens at")
		if out.Next == nil || !out.Next.Equal(noon.Add(time.Hour)) {
			t.Error(out.Next)
		}
	}
	if got := b.states(); got != "deferred" {
		t.Errorf("said %s", got)
	}
	b.plan.Action, b.plan.Issued = protocol.ActionStop, noon
	b.want(b.do(), protocol.StateIdle, protocol.ExitOK, "")
	b.plan.Action, b.plan.Issued = protocol.ActionStage, noon.Add(time.Second)
	b.want(b.do(), protocol.StateIdle, protocol.ExitDeferred, "staged")
	b.plan.Action, b.plan.Issued, b.now = protocol.ActionInstall, noon.Add(2*time.Second), noon.Add(time.Hour)
	b.want(b.do(), protocol.StateSucceeded, protocol.ExitOK, "")
	b.plan.Action, b.plan.Issued = protocol.ActionRollback, noon.Add(3*time.Second)
	b.want(b.do(), protocol.StateRolledBack, protocol.ExitOK, "")
	b.want(b.do(), protocol.StateRolledBack, protocol.ExitOK, "")
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	b := paperBench(t, upgrade)
	end := noon.Add(-time.Second)
	b.plan.Deadline = &end
	b.want(b.do(), protocol.StateFailed, protocol.ExitFreshness, "deadline")
	b.want(b.do(), protocol.StateFailed, protocol.ExitFreshness, "deadline")
	if got := b.states(); got != "failed" {
		t.Errorf("said %s", got)
	}
}

// A restart of the machine stands between the install and the checks.
func TestReboot(t *testing.T) {
	t.Parallel()
	b := paperBench(t, func() agenttest.Content { c := upgrade; c.Requires.Reboot = bundle.RebootAlways; return c }())
	b.plan.Install.Reboot = "ifNeeded"
	boot, asked := "boot1", 0
	b.worker.BootID = func() string { return boot }
	b.worker.Reboot = func(context.Context) error { asked++; return nil }
	b.want(b.do(), protocol.StateHealthChecking, protocol.ExitReboot, "restart")
	b.want(b.do(), protocol.StateHealthChecking, protocol.ExitReboot, "restart")
	boot = "boot2"
	b.want(b.worker.Recover(context.Background()), protocol.StateSucceeded, protocol.ExitOK, "")
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	b = paperBench(t, func() agenttest.Content { c := upgrade; c.Requires.Reboot = bundle.RebootAlways; return c }())
	b.plan.Install.Reboot = "never"
	b.want(b.do(), protocol.StateSucceeded, protocol.ExitReboot, "restart")
}

func TestCondemned(t *testing.T) {
	t.Parallel()
	b := paperBench(t, upgrade)
	b.want(b.worker.Condemn(context.Background(), b.order(), protocol.ExitIntegrity, "came whole and wrong"), protocol.StateQuarantined, protocol.ExitIntegrity, "whole")
	b.plan.Issued = noon
	b.want(b.do(), protocol.StateQuarantined, protocol.ExitIntegrity, "whole")
	b.plan.Rollout = "again"
	b.want(b.do(), protocol.StateQuarantined, protocol.ExitQuarantined, "whole")
	third := upgrade
	third.ID, third.Version = "b3", 3
	b.plan.Rollout = "r2"
	b.bring(third)
	b.want(b.do(), protocol.StateSucceeded, protocol.ExitOK, "")
}

func TestCarriedFile(t *testing.T) {
	t.Parallel()
	ctx, hand := context.Background(), Hand{Reboot: "never", HoldPolicy: "refuse"}
	b := paperBench(t, upgrade)
	path := b.packed.File(t, b.release.Set())
	b.want(b.worker.File(ctx, path, hand), protocol.StateSucceeded, protocol.ExitOK, "")
	b.has(after)
	b.want(b.worker.Back(ctx), protocol.StateRolledBack, protocol.ExitOK, "")
	b.want(b.worker.File(ctx, path, hand), protocol.StateQuarantined, protocol.ExitQuarantined, "by hand")
	hand.Force = true
	b.want(b.worker.File(ctx, path, hand), protocol.StateSucceeded, protocol.ExitOK, "")
	fresh := paperBench(t, upgrade)
	if err := os.RemoveAll(filepath.Join(fresh.worker.Dir, "trust")); err != nil {
		t.Fatal(err)
	}
	fresh.want(fresh.worker.File(ctx, path, hand), protocol.StateFailed, protocol.ExitAuthenticity, "no trusted root")
}

// A file that lies about what it is: refused, and the sound bundle whose name it
// bears is neither put into quarantine nor lost from the order that waits.
func TestForgedFile(t *testing.T) {
	t.Parallel()
	edition := func(change func(c *agenttest.Content)) *agenttest.Packed {
		c := upgrade
		change(&c)
		return agenttest.Pack(t, c)
	}
	for name, c := range map[string]struct {
		file func(b *bench) string
		exit protocol.Exit
		says string
	}{
		"nobody signed it":      {func(b *bench) string { return b.packed.File(t, bundle.Set{}) }, protocol.ExitAuthenticity, ""},
		"another key signed it": {func(b *bench) string { b.release.ReleaseKey = "somebody"; return b.packed.File(t, b.release.Set()) }, protocol.ExitAuthenticity, ""},
		"the portal signed it":  {func(b *bench) string { b.release.ReleaseKey = "portal"; return b.packed.File(t, b.release.Set()) }, protocol.ExitAuthenticity, ""},
		"its name is vouched for": {func(b *bench) string {
			return edition(func(c *agenttest.Content) { c.Packages = c.Packages[:1] }).File(t, b.release.Set())
		}, protocol.ExitIntegrity, ""},
		"its name is not vouched for": {func(b *bench) string {
			return edition(func(c *agenttest.Content) { c.ID = "b9" }).File(t, b.release.Set())
		}, protocol.ExitAuthenticity, "No release key vouches"},
		"half of it": {func(b *bench) string { return change(t, b, func(raw []byte) []byte { return raw[:len(raw)*3/4] }) }, protocol.ExitDeferred, ""},
		"a byte of it": {func(b *bench) string {
			return change(t, b, func(raw []byte) []byte { raw[bytes.Index(raw, []byte("!<arch>"))+3] ^= 1; return raw })
		}, protocol.ExitIntegrity, ""},
		"no bundle": {func(b *bench) string {
			return change(t, b, func([]byte) []byte { return bytes.Repeat([]byte("no bundle "), 999) })
		}, protocol.ExitIntegrity, ""},
		"it is too old": {func(b *bench) string {
			b.now = noon.AddDate(0, 2, 0)
			return b.packed.File(t, b.release.Set())
		}, protocol.ExitFreshness, "expired"},
		"for other machines": {func(b *bench) string {
			p := edition(func(c *agenttest.Content) {
				c.ID, c.Version, c.Edit = "b3", 3, func(m *bundle.Manifest) { m.Variants[0].Arch = "arm64" }
			})
			b.release.Vouch(p.Manifest)
			return p.File(t, b.release.Set())
		}, protocol.ExitFreshness, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := paperBench(t, upgrade)
			b.plan.Windows = []protocol.Span{{From: noon.Add(time.Hour), To: noon.Add(2 * time.Hour)}}
			order := b.order()
			b.want(b.worker.Do(context.Background(), order), protocol.StateDeferred, protocol.ExitDeferred, "opens at")
			b.want(b.worker.File(context.Background(), c.file(b), Hand{Reboot: "never"}), protocol.StateFailed, c.exit, c.says)
			b.has(before)
			b.now = noon.Add(time.Hour)
			b.want(b.worker.Do(context.Background(), order), protocol.StateSucceeded, protocol.ExitOK, "")
		})
	}
}

// change makes a file of the bundle and changes its bytes.
func change(t *testing.T, b *bench, how func(raw []byte) []byte) string {
	t.Helper()
	path := b.packed.File(t, b.release.Set())
	raw, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, how(raw), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}
