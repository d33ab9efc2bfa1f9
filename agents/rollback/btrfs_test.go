package rollback

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/signalbox/signalbox/agents/host"
)

// disk mounts a small btrfs file system; "" where this machine has none.
func disk(t *testing.T) string {
	t.Helper()
	if os.Getenv("SIGNALBOX_SOAK") == "" || os.Geteuid() != 0 {
		t.Log("needs root, btrfs-progs and a loop device; runs under SIGNALBOX_SOAK=1")
		return ""
	}
	dir := t.TempDir()
	image, top := filepath.Join(dir, "disk"), filepath.Join(dir, "top")
	for _, line := range []string{"truncate -s 200M " + image, "mkfs.btrfs -q " + image, "mkdir " + top, "mount -o loop " + image + " " + top} {
		shell(t, line)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(top, 0); err != nil {
			t.Error(err)
		}
	})
	return top
}

func shell(t *testing.T, line string) string {
	t.Helper()
	out, err := exec.Command("sh", "-ec", line).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

func TestSoakBtrfs(t *testing.T) {
	t.Parallel()
	top := disk(t)
	if top == "" {
		return
	}
	ctx := t.Context()
	root := filepath.Join(top, "root")
	shell(t, "btrfs subvolume create "+root+"; btrfs subvolume create "+top+"/state; mkdir -p "+root+"/opt "+root+"/var/lib/agent; echo 1 > "+root+"/opt/version; echo kept > "+root+"/opt/other; ln -s other "+root+"/opt/link")
	d := &Btrfs{Root: host.Root(root), State: top + "/state"}
	p := Point{ID: "b2", Before: map[string]string{"till": "1"}}
	if err := d.Probe(ctx, p); err != nil {
		t.Fatal(err)
	}
	inside := &Btrfs{Root: host.Root(root), State: root + "/var/lib/agent"}
	if err := inside.Probe(ctx, p); err == nil || !strings.Contains(err.Error(), "subvolume of its own") {
		t.Errorf("a memory that goes back too: %v", err)
	}
	before := shell(t, "cd "+root+" && find . -printf '%p %y %s %l\\n' | sort && cat opt/*")
	for range 2 { // the second time as after a crash
		if err := d.Create(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		shell(t, "echo 2 > "+root+"/opt/version; rm "+root+"/opt/other; touch "+root+"/opt/more")
		restart, err := d.Restore(ctx, p)
		if err != nil || restart {
			t.Fatal(restart, err)
		}
		if after := shell(t, "cd "+root+" && find . -printf '%p %y %s %l\\n' | sort && cat opt/*"); after != before {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
		if restart, err = d.Restore(ctx, p); err != nil || restart {
			t.Fatal("a repeated call", restart, err)
		}
		if err := d.Delete(ctx, p.ID); err != nil {
			t.Fatal(err)
		}
		if left := shell(t, "ls -A "+top+"/"+snapshotFolder); left != "" {
			t.Errorf("left: %s", left)
		}
		if err := d.Create(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
}

// Killed after the exchange and before it was noted: the repeated call only notes it.
func TestSoakBtrfsKilledAfterExchange(t *testing.T) {
	t.Parallel()
	top := disk(t)
	if top == "" {
		return
	}
	root := filepath.Join(top, "root")
	shell(t, "btrfs subvolume create "+root+"; btrfs subvolume create "+top+"/state; echo 1 > "+root+"/version")
	d, p := &Btrfs{Root: host.Root(root), State: top + "/state"}, Point{ID: "b2"}
	if err := d.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	shell(t, "echo 2 > "+root+"/version")
	if _, err := d.Restore(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	snapshots := filepath.Join(top, snapshotFolder)
	shell(t, "mv "+snapshots+"/b2.bad "+snapshots+"/b2.new; echo later > "+root+"/later")
	if _, err := d.Restore(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if got := shell(t, "cat "+root+"/version "+root+"/later "+snapshots+"/b2.bad/version"); got != "1\nlater\n2\n" {
		t.Error(got)
	}
}

func TestBtrfsDevice(t *testing.T) {
	t.Parallel()
	info := filepath.Join(t.TempDir(), "mountinfo")
	lines := "22 1 0:20 / / rw - ext4 /dev/sda1 rw\n29 1 0:25 /@ / rw,relatime shared:1 - btrfs /dev/sda2 rw,space_cache\n30 29 0:25 /@home /home rw - btrfs /dev/sda2 rw\n"
	if err := os.WriteFile(info, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	d := &Btrfs{Root: "/", Info: info}
	if device, inside, err := d.device(); err != nil || device != "/dev/sda2" || inside != "/@" {
		t.Error(device, inside, err)
	}
	if err := (&Btrfs{Root: host.Root(t.TempDir()), State: t.TempDir()}).Probe(t.Context(), Point{}); err == nil {
		t.Log("the tests run on btrfs")
	}
}
