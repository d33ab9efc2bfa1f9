package apply

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/agenttest"
	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/protocol"
)

// with is the upgrade with another postinst of till.
func with(postinst string, change ...func(c *agenttest.Content)) agenttest.Content {
	c := upgrade
	till := newTill
	till.Postinst = postinst
	c.Packages = []agenttest.Deb{till, newData}
	for _, f := range change {
		f(&c)
	}
	return c
}

// check adds a program to the machine that decides its health.
func check(script string) func(b *bench) {
	return func(b *bench) {
		agenttest.Write(b.t, string(b.root), "/opt/check", "#!/bin/sh\n"+script+"\n", 0o755)
		path := "/opt/check"
		if b.worker.System != nil { // on paper, there is nothing to change into
			path = b.root.Path(path)
		}
		b.plan.Health.Checks = []protocol.Check{{Type: "exec", Path: path}}
	}
}

func someBlob(b *bench) string {
	return filepath.Join(b.worker.Spool, b.packed.Manifest.Variants[0].Packages[0].SHA256)
}

// onPaper are the rows that need no real package manager; under SIGNALBOX_SOAK
// they are tried against one as well.
var onPaper = map[string]bool{"a blob is absent": true, "a blob is short": true, "the disk is too full": true, "the battery is nearly empty": true,
	"the window ends in the middle": true, "the checks hang": true, "unhealthy, and no way back": true, "there is no old file": true,
	"expired, within the grace": true, "expired, the grace is over": true, "the clock is years behind": true, "the clock is years ahead": true,
	"for another system": true, "for other nodes": true, "for a newer agent": true}

// Each row of the table of failures, and its exit code.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content agenttest.Content
		change  func(b *bench)
		state   protocol.State
		exit    protocol.Exit
		says    string
		then    map[string]string // installed afterwards; nil: as before
	}{
		"a blob is absent":         {upgrade, func(b *bench) { os.Remove(someBlob(b)) }, protocol.StateDeferred, protocol.ExitDeferred, "not there", nil},
		"a blob is short":          {upgrade, func(b *bench) { os.Truncate(someBlob(b), 100) }, protocol.StateDeferred, protocol.ExitDeferred, "of", nil},
		"the disk is too full":     {with("", func(c *agenttest.Content) { c.Requires.DiskBytes = 1 << 50 }), nil, protocol.StateFailed, protocol.ExitPreflight, "bytes are needed", nil},
		"the way back has no room": {upgrade, func(b *bench) { b.small(filepath.Join(b.worker.Dir, "stash"), "4k") }, protocol.StateFailed, protocol.ExitPreflight, "no space left", nil},
		"the disk fills up in the middle": {with("", func(c *agenttest.Content) {
			c.Packages[0].Files = map[string]string{"opt/full/big": strings.Repeat("x", 3<<20)}
		}), func(b *bench) {
			b.small(b.root.Path("/opt/full"), "1m")
		}, protocol.StateRolledBack, protocol.ExitInstallFailed, "No space left", nil},
		"a package is held": {upgrade, func(b *bench) { b.in("echo till hold | dpkg --set-selections") }, protocol.StateFailed, protocol.ExitPreflight, "till", nil},
		"held, and the policy leaves it": {with("", func(c *agenttest.Content) { c.Packages[0].Depends = "till-data" }), func(b *bench) {
			b.in("echo till hold | dpkg --set-selections")
			b.plan.Install.HoldPolicy = "skip"
		}, protocol.StateSucceeded, protocol.ExitOK, "", map[string]string{"till": "1.0", "till-data": "2.0"}},
		"a package is pinned": {upgrade, func(b *bench) {
			agenttest.Write(b.t, string(b.root), "/etc/apt/preferences.d/pin", "Package: till\nPin: version 1.0\nPin-Priority: 1002\n", 0o644)
		}, protocol.StateFailed, protocol.ExitPreflight, "would stay at 1.0", nil},
		"dpkg was interrupted before":   {upgrade, func(b *bench) { b.half("") }, protocol.StateSucceeded, protocol.ExitOK, "", map[string]string{"till": "2.0", "till-data": "2.0", "half": "1"}},
		"the package manager is locked": {upgrade, func(b *bench) { b.lock() }, protocol.StateDeferred, protocol.ExitDeferred, "lock", nil},
		"the battery is nearly empty": {upgrade, func(b *bench) {
			b.worker.Power = b.t.TempDir()
			for file, content := range map[string]string{"type": "Battery", "status": "Discharging", "capacity": "4"} {
				agenttest.Write(b.t, b.worker.Power, "BAT0/"+file, content, 0o644)
			}
		}, protocol.StateDeferred, protocol.ExitDeferred, "battery is at 4", nil},
		"the window ends in the middle": {upgrade, func(b *bench) {
			b.plan.Windows = []protocol.Span{{From: noon.Add(-time.Hour), To: noon.Add(time.Minute)}}
			b.worker.Wrote = func(step int) {
				if step == 8 { // the install has been written down
					b.now = noon.Add(time.Hour)
				}
			}
		}, protocol.StateSucceeded, protocol.ExitOK, "", after},
		"the checks fail":            {upgrade, check("test ! -e /opt/till || grep -q 1.0 /opt/till || { echo no till; exit 1; }"), protocol.StateRolledBack, protocol.ExitHealthFailed, "no till", nil},
		"the checks hang":            {upgrade, check("sleep 100"), protocol.StateRolledBack, protocol.ExitHealthFailed, "not healthy", nil},
		"the rollback fails":         {upgrade, func(b *bench) { b.loseStash() }, protocol.StateFailed, protocol.ExitRollbackFailed, "rollback failed", after},
		"unhealthy, and no way back": {upgrade, func(b *bench) { check("exit 1")(b); b.plan.Rollback.Enabled = false }, protocol.StateFailed, protocol.ExitHealthFailed, "no way back", after},
		"a script fails":             {with("exit 1"), nil, protocol.StateRolledBack, protocol.ExitInstallFailed, "till is", nil},
		"a script fails once":        {with("test -e /opt/once && exit 0; touch /opt/once; exit 1"), nil, protocol.StateSucceeded, protocol.ExitOK, "", after},
		"a script hangs":             {with("test \"$1\" = configure && sleep 100"), func(b *bench) { b.plan.Install.TimeoutSeconds = 2 }, protocol.StateRolledBack, protocol.ExitInstallFailed, "too long", nil},
		"a script asks":              {with("read answer || exit 0; exit 1"), nil, protocol.StateSucceeded, protocol.ExitOK, "", after},
		"there is no old file":       {with("", func(c *agenttest.Content) { c.Rollback = c.Rollback[:1] }), nil, protocol.StateFailed, protocol.ExitPreflight, "old file is not there of till-data 1.0", nil},
		"a package would be added": {with("", func(c *agenttest.Content) {
			c.Packages[0].Depends = "extra"
			c.Packages = append(c.Packages, agenttest.Deb{Name: "extra", Version: "1", Arch: "all"})
		}), nil, protocol.StateFailed, protocol.ExitPreflight, "extra would be added", nil},
		"a package may be added": {with("", func(c *agenttest.Content) {
			c.Packages[0].Depends = "extra"
			c.Packages = append(c.Packages, agenttest.Deb{Name: "extra", Version: "1", Arch: "all"})
			c.Allow.New = []string{"extra"}
		}), nil, protocol.StateSucceeded, protocol.ExitOK, "", map[string]string{"till": "2.0", "till-data": "2.0", "extra": "1"}},
		"what was added goes again": {with("", func(c *agenttest.Content) {
			c.Packages[0].Depends = "extra"
			c.Packages = append(c.Packages, agenttest.Deb{Name: "extra", Version: "1", Arch: "all"})
			c.Allow.New = []string{"extra"}
		}), check("exit 1"), protocol.StateRolledBack, protocol.ExitHealthFailed, "", nil},
		"a downgrade that is allowed": {with("", func(c *agenttest.Content) {
			c.Packages = []agenttest.Deb{{Name: "till", Version: "0.9", Depends: "till-data"}}
			c.Allow.Downgrade = []string{"till"}
		}), nil, protocol.StateSucceeded, protocol.ExitOK, "", map[string]string{"till": "0.9", "till-data": "1.0"}},
		"a downgrade that is not": {with("", func(c *agenttest.Content) {
			c.Packages = []agenttest.Deb{{Name: "till", Version: "0.9", Depends: "till-data"}}
		}), nil, protocol.StateSucceeded, protocol.ExitOK, "nothing to do", nil},
		"expired, within the grace": {with("", func(c *agenttest.Content) { c.Expires = noon.Add(-time.Minute) }), nil, protocol.StateSucceeded, protocol.ExitOK, "expired", after},
		"expired, the grace is over": {with("", func(c *agenttest.Content) { c.Created, c.Expires = noon.AddDate(0, 0, -9), noon.AddDate(0, 0, -2) }), nil,
			protocol.StateFailed, protocol.ExitFreshness, "expired", nil},
		"the clock is years behind": {upgrade, func(b *bench) { b.now = time.Unix(0, 0) }, protocol.StateSucceeded, protocol.ExitOK, "", after},
		"the clock is years ahead":  {upgrade, func(b *bench) { b.now = noon.AddDate(2, 0, 0); b.offset = noon.Sub(b.now) }, protocol.StateSucceeded, protocol.ExitOK, "", after},
		"for another system":        {with("", func(c *agenttest.Content) { c.Edit = func(m *bundle.Manifest) { m.Variants[0].VersionID = "11" } }), nil, protocol.StateFailed, protocol.ExitFreshness, "no variant", nil},
		"for other nodes":           {with("", func(c *agenttest.Content) { c.Edit = func(m *bundle.Manifest) { m.Targets.Nodes = []string{"node2"} } }), nil, protocol.StateFailed, protocol.ExitFreshness, "other nodes", nil},
		"for a newer agent":         {with("", func(c *agenttest.Content) { c.Edit = func(m *bundle.Manifest) { m.MinAgent = "2.0.0" } }), nil, protocol.StateFailed, protocol.ExitFreshness, "needs agent", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			make := setup
			if onPaper[name] && os.Getenv("SIGNALBOX_SOAK") == "" {
				make = paperBench
			}
			b := make(t, c.content)
			if b == nil {
				return
			}
			if c.change != nil {
				c.change(b)
			}
			b.want(b.do(), c.state, c.exit, c.says)
			want := c.then
			if want == nil {
				want = before
			}
			if c.exit != protocol.ExitRollbackFailed {
				b.has(want)
			}
			if c.state == protocol.StateRolledBack { // not again, by itself
				b.plan.Issued = b.plan.Issued.Add(time.Second)
				b.want(b.do(), c.state, c.exit, c.says)
			}
			if record, err := journal.Read(b.worker.Dir); err != nil || record.Run.State != c.state {
				t.Errorf("the journal says %s, %v", record.Run.State, err)
			}
		})
	}
}

// small puts a little disk where an empty folder is.
func (b *bench) small(dir, size string) {
	b.t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			b.t.Error(err)
		}
	})
}

// in runs a shell line inside the machine.
func (b *bench) in(line string) {
	b.t.Helper()
	if out, err := exec.Command("chroot", string(b.root), "sh", "-c", line).CombinedOutput(); err != nil {
		b.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// half leaves a package unpacked and not configured.
func (b *bench) half(postinst string) {
	b.t.Helper()
	d := agenttest.Deb{Name: "half", Version: "1", Arch: "all", Postinst: postinst}
	agenttest.Write(b.t, string(b.root), "/tmp/half.deb", string(d.Build(b.t)), 0o644)
	b.in("dpkg --unpack /tmp/half.deb")
}

// lock has another process hold dpkg's lock until the test ends.
func (b *bench) lock() {
	b.t.Helper()
	path := b.root.Path("/var/lib/dpkg/lock-frontend")
	cmd := exec.Command(os.Args[0], "-test.run", "^TestHelperHoldsLock$")
	cmd.Env = append(os.Environ(), "APPLY_TEST_LOCK="+path)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { stdin.Close(); cmd.Wait() })
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.Contains(lines.Text(), "locked") {
			return
		}
	}
	b.t.Fatal("the lock was not taken")
}

// TestHelperHoldsLock is the other process: POSIX locks do not keep a process from itself.
func TestHelperHoldsLock(t *testing.T) {
	path := os.Getenv("APPLY_TEST_LOCK")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK}); err != nil {
		t.Fatal(err)
	}
	fmt.Println("locked")
	bufio.NewReader(os.Stdin).ReadByte()
}

// loseStash has the checks fail, and the stash gone by then.
func (b *bench) loseStash() {
	check("exit 1")(b)
	b.worker.Wrote = func(step int) {
		if step == 8 {
			os.RemoveAll(filepath.Join(b.worker.Dir, "stash"))
		}
	}
}

// A complete blob that is wrong: nothing runs, it is fetched again, and at the
// third time the bundle is left alone.
func TestTamperedAfterStaging(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]func(path string, raw []byte) error{
		"a byte is flipped": func(path string, raw []byte) error {
			return os.WriteFile(path, append([]byte{raw[0] ^ 1}, raw[1:]...), 0o644)
		},
		"it is a symbolic link": func(path string, raw []byte) error {
			if err := os.WriteFile(path+".elsewhere", raw, 0o644); err != nil {
				return err
			}
			return os.Symlink(path+".elsewhere", path)
		},
		"it is longer": func(path string, raw []byte) error { return os.WriteFile(path, append(raw, 0), 0o644) },
		"it is a pipe": func(path string, _ []byte) error { return syscall.Mkfifo(path, 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, upgrade)
			if b == nil {
				return
			}
			raw := b.packed.Blobs[filepath.Base(someBlob(b))]
			for n := 1; n <= badMost; n++ {
				os.Remove(someBlob(b))
				if err := tamper(someBlob(b), bytes.Clone(raw)); err != nil {
					t.Fatal(err)
				}
				state := protocol.StateDeferred
				if n == badMost {
					state = protocol.StateQuarantined
				}
				out := b.do()
				b.want(out, state, protocol.ExitIntegrity, "")
				if _, err := os.Lstat(someBlob(b)); err == nil || out.Restage != (n < badMost) {
					t.Errorf("the blob is still there, or restage is %v: %v", out.Restage, err)
				}
			}
			b.has(before)
			os.Remove(someBlob(b))
			if err := os.WriteFile(someBlob(b), raw, 0o644); err != nil {
				t.Fatal(err)
			}
			b.plan.Rollout, b.plan.Issued = "r2", noon.Add(-time.Second)
			b.want(b.do(), protocol.StateQuarantined, protocol.ExitQuarantined, "")
			o := b.order()
			o.Release = []string{"b2"} // on an order from before the quarantine, that is an old release replayed
			b.want(b.worker.Do(context.Background(), o), protocol.StateQuarantined, protocol.ExitQuarantined, "")
			b.now, b.plan.Issued = noon.Add(time.Hour), noon.Add(time.Minute)
			o = b.order()
			o.Release = []string{"b2"}
			b.want(b.worker.Do(context.Background(), o), protocol.StateSucceeded, protocol.ExitOK, "")
			b.has(after)
		})
	}
}

// A dpkg that was broken before and cannot be mended is refused, unchanged.
func TestBrokenBefore(t *testing.T) {
	t.Parallel()
	b := setup(t, upgrade)
	if b == nil {
		return
	}
	b.half("exit 1")
	b.want(b.do(), protocol.StateFailed, protocol.ExitPreflight, "half is")
	list, err := b.worker.Status()
	if err != nil || list.Record.Run.Method != "" {
		t.Error(err)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	b := setup(t, upgrade)
	if b == nil {
		return
	}
	j, err := journal.Open(b.worker.Dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	out := b.do()
	if out.Exit != protocol.ExitBusy {
		t.Errorf("%+v", out)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// The second bundle comes as a delta against what the stash holds.
func TestDelta(t *testing.T) {
	t.Parallel()
	first := upgrade
	first.Deltas = true
	b := setup(t, first)
	if b == nil {
		return
	}
	b.want(b.do(), protocol.StateSucceeded, protocol.ExitOK, "")
	third := agenttest.Content{ID: "b3", Version: 3, Created: noon.Add(-time.Minute), Rollback: []agenttest.Deb{newTill}, Deltas: true,
		Packages: []agenttest.Deb{{Name: "till", Version: "3.0", Depends: "till-data", Conffile: "colour=blue\n"}}}
	b.plan.Rollout, b.plan.Issued = "r2", noon
	b.bring(third)
	p := b.packed.Manifest.Variants[0].Packages[0]
	if len(p.Deltas) != 1 || os.Remove(filepath.Join(b.worker.Spool, p.SHA256)) != nil || os.Remove(filepath.Join(b.worker.Spool, b.packed.Manifest.Variants[0].Rollback[0].SHA256)) != nil {
		t.Fatalf("%+v", p)
	}
	b.want(b.do(), protocol.StateSucceeded, protocol.ExitOK, "")
	b.has(map[string]string{"till": "3.0", "till-data": "2.0"})
	b.want(b.worker.Back(context.Background()), protocol.StateRolledBack, protocol.ExitOK, "")
	b.has(after)
}

func TestConffilesReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t, upgrade)
	if b == nil {
		return
	}
	b.plan.Install.Conffiles = "replace"
	agenttest.Write(t, string(b.root), "/etc/till.conf", "colour=mine\n", 0o644)
	b.want(b.do(), protocol.StateSucceeded, protocol.ExitOK, "")
	if raw, err := os.ReadFile(b.root.Path("/etc/till.conf")); err != nil || string(raw) != "colour=blue\n" {
		t.Errorf("%q, %v", raw, err)
	}
}

// What apt installed only as a dependency stays that after going back.
func TestAutoMarksSurviveRollback(t *testing.T) {
	t.Parallel()
	b := setup(t, upgrade)
	if b == nil {
		return
	}
	marks := "Package: till-data\nArchitecture: " + agenttest.Arch() + "\nAuto-Installed: 1\n\n"
	agenttest.Write(t, string(b.root), "/var/lib/apt/extended_states", marks, 0o644)
	check("exit 1")(b)
	b.want(b.do(), protocol.StateRolledBack, protocol.ExitHealthFailed, "")
	b.has(before)
	if raw, err := os.ReadFile(b.root.Path("/var/lib/apt/extended_states")); err != nil || string(raw) != marks {
		t.Errorf("%q, %v", raw, err)
	}
}
