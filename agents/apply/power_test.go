package apply

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/agenttest"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/protocol"
)

// onDisk moves a bench onto a btrfs file system of its own; nil in the short form.
// With apart the root is a subvolume beside that of the agent's memory; else both
// lie in one subvolume "live", of which a snapshot is what a power cut leaves.
func onDisk(t *testing.T, c agenttest.Content, apart bool) (b *bench, top string) {
	t.Helper()
	if os.Getenv("SIGNALBOX_SOAK") == "" || os.Geteuid() != 0 {
		t.Log("needs root, btrfs-progs and a loop device; runs under SIGNALBOX_SOAK=1")
		return nil, ""
	}
	b = setup(t, c)
	dir := t.TempDir()
	top = filepath.Join(dir, "top")
	volumes := []string{"live"}
	if apart {
		volumes = []string{"root", "state"}
	}
	run(t, "truncate -s 1500M %[1]s/disk; mkfs.btrfs -q %[1]s/disk 2>&1; mkdir %[2]s; mount -o loop %[1]s/disk %[2]s", dir, top)
	t.Cleanup(func() {
		if err := syscall.Unmount(top, 0); err != nil {
			t.Error(err)
		}
	})
	for _, v := range volumes {
		run(t, "btrfs subvolume create %s/%s", top, v)
	}
	root, state := filepath.Join(top, "root"), filepath.Join(top, "state")
	if !apart {
		root, state = filepath.Join(top, "live/root"), filepath.Join(top, "live/state")
	}
	run(t, "mkdir -p %[1]s %[2]s; cp -a %[3]s/. %[1]s; cp -a %[4]s/. %[2]s", root, state, b.root, filepath.Dir(b.worker.Dir))
	b.place(root, state, "boot1")
	return b, top
}

// place has the worker look after another folder, as after a start of the machine.
func (b *bench) place(root, state, boot string) {
	b.t.Helper()
	o := b.worker.Options
	o.Root, o.Dir, o.Spool, o.Wrote = host.Root(root), filepath.Join(state, "worker"), filepath.Join(state, "spool"), nil
	o.BootID = func() string { return boot }
	w, err := New(o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.root, b.worker = o.Root, w
}

func run(t *testing.T, format string, args ...any) string {
	t.Helper()
	out, err := exec.Command("sh", "-ec", fmt.Sprintf(format, args...)).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", fmt.Sprintf(format, args...), err, out)
	}
	return string(out)
}

// A snapshot brings back also what scripts did, and not the agent's memory.
func TestSoakSnapshotRollback(t *testing.T) {
	t.Parallel()
	b, top := onDisk(t, with("echo done >> /opt/side-effect; rm -f /opt/.keep"), true)
	if b == nil {
		return
	}
	const tree = "cd %s/root; find . -path ./var/cache -prune -o -path ./dev/null -prune -o -type d -printf '%%p %%m\\n' -o -printf '%%p %%y %%s %%l %%m\\n' | sort; find opt etc var/lib/dpkg -type f | sort | xargs cat | sha256sum"
	check("test ! -e /opt/side-effect || { echo it did something; exit 1; }")(b)
	was := run(t, tree, top)
	b.want(b.do(), protocol.StateRolledBack, protocol.ExitHealthFailed, "it did something")
	b.has(before)
	if is := run(t, tree, top); is != was {
		agenttest.Write(t, top, "was", was, 0o600)
		agenttest.Write(t, top, "is", is, 0o600)
		t.Error(run(t, "diff %[1]s/was %[1]s/is || true", top))
	}
	list, err := b.worker.Reports(0, 100)
	if err != nil || len(list) == 0 || list[len(list)-1].Method != "btrfs" {
		t.Errorf("%+v, %v", list, err)
	}
	if left := run(t, "ls -A %s/.signalbox-snapshots", top); left != "" {
		t.Errorf("left: %s", left)
	}
	second := upgrade
	second.ID, second.Version = "b3", 3
	b.plan.Rollout, b.plan.Issued, b.plan.Health.Checks = "r2", noon, nil
	b.bring(second)
	b.want(b.do(), protocol.StateSucceeded, protocol.ExitOK, "")
	b.has(after)
	if left := strings.TrimSpace(run(t, "ls -A %s/.signalbox-snapshots", top)); left != "b3" {
		t.Errorf("kept: %s", left)
	}
	b.want(b.worker.Back(context.Background()), protocol.StateRolledBack, protocol.ExitOK, "")
	b.has(before)
}

// The power is cut at every write of the journal and again and again while
// packages are unpacked and configured: each time the disk, as it was at that
// moment, is started as a copy, and the run ends there as if nothing had been.
func TestSoakPowerLoss(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		check string
		state protocol.State
		exit  protocol.Exit
		then  map[string]string
	}{
		"and the machine is well": {"exit 0", protocol.StateSucceeded, protocol.ExitOK, after},
		"and it is not":           {"test ! -e /opt/till || grep -q 1.0 /opt/till", protocol.StateRolledBack, protocol.ExitHealthFailed, before},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, top := onDisk(t, with("i=0; while [ $i -lt 8 ]; do i=$((i+1)); sleep 0.1; done"), false)
			if b == nil {
				return
			}
			check(c.check)(b)
			order := b.order()
			cuts := b.cutAgainAndAgain(top, func() {
				b.want(b.worker.Do(context.Background(), order), c.state, c.exit, "")
			})
			if cuts < 20 {
				t.Errorf("only %d cuts", cuts)
			}
			for i := range cuts {
				copied := filepath.Join(top, fmt.Sprint("cut", i))
				b.place(filepath.Join(copied, "root"), filepath.Join(copied, "state"), "boot2")
				said := b.worker.Recover(context.Background())
				if out := b.worker.Do(context.Background(), order); out.State != c.state || out.Exit != c.exit {
					t.Errorf("cut %d: %s, exit %d: %s; at the start %+v", i, out.State, out.Exit, out.Message, said)
				}
				b.has(c.then)
				run(t, "btrfs subvolume delete %s", copied)
			}
			t.Logf("%d cuts survived", cuts)
		})
	}
}

// cutAgainAndAgain takes copies of the disk while something is done.
func (b *bench) cutAgainAndAgain(top string, do func()) (cuts int) {
	var one sync.Mutex
	cut := func() {
		one.Lock()
		defer one.Unlock()
		run(b.t, "btrfs subvolume snapshot %[1]s/live %[1]s/cut%[2]d", top, cuts)
		cuts++
	}
	b.worker.Wrote = func(int) { cut() }
	ended, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticks := time.NewTicker(150 * time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticks.C:
				cut()
			}
		}
	}()
	do()
	close(ended)
	<-stopped
	return cuts
}
