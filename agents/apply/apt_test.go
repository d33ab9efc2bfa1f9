package apply

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/agenttest"
	"github.com/signalbox/signalbox/agents/health"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/protocol"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// bench is a machine with a worker, a release person and an order.
type bench struct {
	t       *testing.T
	root    host.Root
	worker  *Worker
	release *agenttest.Release
	packed  *agenttest.Packed
	plan    protocol.Assignment
	now     time.Time
	offset  time.Duration
}

var (
	oldTill  = agenttest.Deb{Name: "till", Version: "1.0", Depends: "till-data", Conffile: "colour=red\n"}
	oldData  = agenttest.Deb{Name: "till-data", Version: "1.0", Arch: "all"}
	newTill  = agenttest.Deb{Name: "till", Version: "2.0", Depends: "till-data (>= 2)", Conffile: "colour=blue\n"}
	newData  = agenttest.Deb{Name: "till-data", Version: "2.0", Arch: "all"}
	upgrade  = agenttest.Content{ID: "b2", Version: 2, Created: noon.Add(-time.Hour), Packages: []agenttest.Deb{newTill, newData}, Rollback: []agenttest.Deb{oldTill, oldData}}
	mightily = &slog.HandlerOptions{Level: slog.LevelError + 1}
)

// setup makes a machine with the old packages, and the bundle; nil without root rights.
func setup(t *testing.T, c agenttest.Content) *bench {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Log("installing into a folder needs root")
		return nil
	}
	b := &bench{t: t, root: agenttest.Machine(t), release: agenttest.NewRelease(t, noon), now: noon}
	agenttest.Install(t, b.root, oldTill, oldData)
	dir := t.TempDir()
	var err error
	b.worker, err = New(Options{Dir: filepath.Join(dir, "worker"), Root: b.root, Spool: filepath.Join(dir, "spool"), Agent: "1.0.0",
		Identity: func() (string, string) { return "node1", "till-7" }, Now: func() time.Time { return b.now }, Log: slog.New(slog.NewTextHandler(io.Discard, mightily)),
		LockWait: 200 * time.Millisecond, Checker: health.Checker{Every: 5 * time.Millisecond, Limit: 300 * time.Millisecond}, Power: filepath.Join(dir, "none")})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.worker.Pin([][]byte{b.release.Root()}); err != nil {
		t.Fatal(err)
	}
	b.plan = protocol.Assignment{Rollout: "r1", Node: "node1", Action: protocol.ActionInstall, Issued: noon.Add(-time.Minute), OfflineGraceSeconds: 86400,
		Install: protocol.Install{Reboot: "never", Conffiles: "keep", TimeoutSeconds: 60, HoldPolicy: "refuse"}, Rollback: protocol.Rollback{Enabled: true, Method: "auto", Keep: 1},
		Health: protocol.Health{TimeoutSeconds: 2, SuccessesInRow: 2}}
	b.bring(c)
	return b
}

// bring packs, signs and stages a bundle, and has the order name it.
func (b *bench) bring(c agenttest.Content) {
	b.t.Helper()
	b.packed = agenttest.Pack(b.t, c)
	b.release.Vouch(b.packed.Manifest)
	b.packed.Spool(b.t, b.worker.Spool)
	b.plan.Bundle, b.plan.BundleVersion = c.ID, c.Version
	b.plan.ManifestSHA256 = agenttest.Hash(agenttest.Encode(b.t, b.packed.Manifest))
}

func (b *bench) order() Order {
	return Order{Envelope: b.release.Seal(b.plan), Set: b.release.Set(), Manifest: agenttest.Encode(b.t, b.packed.Manifest), Offset: b.offset}
}

func (b *bench) do() Outcome {
	b.t.Helper()
	return b.worker.Do(context.Background(), b.order())
}

func (b *bench) want(out Outcome, state protocol.State, exit protocol.Exit, says string) {
	b.t.Helper()
	if out.State != state || out.Exit != exit || !strings.Contains(out.Message, says) {
		b.t.Errorf("%s, exit %d: %s\nwanted %s, exit %d: %s", out.State, out.Exit, out.Message, state, exit, says)
	}
}

// versions is what dpkg has.
func (b *bench) versions() map[string]string {
	b.t.Helper()
	if p, ok := b.worker.System.(*paper); ok {
		return p.read()
	}
	list, err := (&packages.Apt{Root: b.root, Native: agenttest.Arch()}).Installed(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, p := range list {
		if p.Status != "" {
			b.t.Errorf("%s is %s", p.Name, p.Status)
		}
	}
	return packages.Versions(list, agenttest.Arch())
}

var before, after = map[string]string{"till": "1.0", "till-data": "1.0"}, map[string]string{"till": "2.0", "till-data": "2.0"}

func (b *bench) has(want map[string]string) {
	b.t.Helper()
	if got := b.versions(); !maps.Equal(got, want) {
		b.t.Errorf("installed are %v, not %v", got, want)
	}
}

func (b *bench) states() string {
	b.t.Helper()
	list, err := b.worker.Reports(0, 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	var states []string
	for _, r := range list {
		states = append(states, string(r.State))
	}
	return strings.Join(states, " ")
}

func TestInstall(t *testing.T) {
	t.Parallel()
	b := setup(t, upgrade)
	if b == nil {
		return
	}
	agenttest.Write(t, string(b.root), "/etc/till.conf", "colour=mine\n", 0o644)
	b.want(b.do(), protocol.StateSucceeded, protocol.ExitOK, "")
	b.has(after)
	if got := b.states(); got != "verifying installing health-checking health-checking succeeded" && got != "verifying installing health-checking succeeded" {
		t.Error(got)
	}
	list, err := b.worker.Reports(0, 1000)
	if err != nil || !strings.Contains(string(list[len(list)-1].Details), `"log":"Reading package lists`) || !strings.Contains(string(list[len(list)-1].Details), "Setting up till (2.0)") {
		t.Errorf("%s, %v", list[len(list)-1].Details, err)
	}
	if raw, err := os.ReadFile(b.root.Path("/etc/till.conf")); err != nil || string(raw) != "colour=mine\n" {
		t.Errorf("the edited file is %q, %v", raw, err)
	}
	if _, err := os.Stat(b.root.Path(cache)); err == nil {
		t.Error("scratch files stay")
	}
	b.want(b.do(), protocol.StateSucceeded, protocol.ExitOK, "") // again: nothing happens
	b.plan.Rollout, b.plan.Issued = "r2", noon
	b.want(b.do(), protocol.StateSucceeded, protocol.ExitOK, "nothing to do")
	b.want(b.worker.Back(context.Background()), protocol.StateRolledBack, protocol.ExitOK, "on request")
	b.has(before)
	b.plan.Issued = noon.Add(time.Minute)
	b.want(b.do(), protocol.StateRolledBack, protocol.ExitOK, "on request")
	b.plan.Rollout = "r3"
	b.want(b.do(), protocol.StateQuarantined, protocol.ExitQuarantined, "by hand")
}
