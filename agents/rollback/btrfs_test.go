package rollback

import (
	"fmt"
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

// Subvolumes inside the root: systemd makes empty ones, which are no matter;
// what is in others would not go back, so the packages have to.
func TestSoakBtrfsNested(t *testing.T) {
	t.Parallel()
	top := disk(t)
	if top == "" {
		return
	}
	root := filepath.Join(top, "root")
	shell(t, "btrfs subvolume create "+root+"; btrfs subvolume create "+top+"/state; mkdir -p "+root+"/var/lib; btrfs subvolume create "+root+"/var/lib/machines")
	d, p := &Btrfs{Root: host.Root(root), State: top + "/state"}, Point{ID: "b2"}
	if err := d.Probe(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	shell(t, "btrfs subvolume set-default "+root)
	if err := d.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	shell(t, "echo 2 > "+root+"/version")
	if _, err := d.Restore(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if got := shell(t, "btrfs subvolume get-default "+root); !strings.HasSuffix(strings.TrimSpace(got), "path root") {
		t.Errorf("mounted by default is %s", got)
	}
	if err := d.Delete(t.Context(), p.ID); err != nil {
		t.Error(err)
	}
	shell(t, "btrfs subvolume create "+root+"/data; touch "+root+"/data/precious")
	if err := d.Probe(t.Context(), p); err == nil || !strings.Contains(err.Error(), "/data is a subvolume inside") {
		t.Error(err)
	}
}

// The root that this very program runs on, in a mount namespace of its own: it is
// exchanged while it is in use, and the old one is there after the next start.
func TestSoakBtrfsLive(t *testing.T) {
	t.Parallel()
	top := disk(t)
	if top == "" {
		return
	}
	shell(t, "cd "+top+"; btrfs subvolume create @; btrfs subvolume create @state; mkdir -p @/proc @/dev @/usr @/var/state @/tmp @/etc; cp -P /bin /sbin /lib /lib64 @/; echo UUID=x / btrfs subvol=@ > @/etc/fstab; echo 1 > @/version; cp "+os.Args[0]+" @state/program")
	device := strings.TrimSpace(shell(t, "findmnt -no SOURCE "+top))
	start := func(do string) string {
		at := t.TempDir()
		line := fmt.Sprintf("mount -o subvol=@ %[1]s %[2]s; cd %[2]s; mount -o subvol=@state %[1]s var/state; mount --bind /dev dev; mount --bind /usr usr; mount -t proc proc proc; exec chroot . %[3]s", device, at, do)
		cmd := exec.Command("unshare", "-m", "sh", "-ec", line)
		cmd.Env = append(os.Environ(), "ROLLBACK_TEST_LIVE=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v %s", err, out)
		}
		return string(out)
	}
	if said := start("/var/state/program -test.run ^TestHelperIsLive$ -test.v"); !strings.Contains(said, "is exchanged") {
		t.Fatal(said)
	}
	if said := start("/usr/bin/cat /version"); said != "1\n" {
		t.Errorf("after the restart the version is %s", said)
	}
	left := shell(t, "cat "+top+"/"+snapshotFolder+"/b2.bad/version; ls "+top+"/@state")
	if left != "2\nmnt\nprogram\n" {
		t.Errorf("the failed root and the memory: %s", left)
	}
}

// TestHelperIsLive is the program whose / is on btrfs.
func TestHelperIsLive(t *testing.T) {
	if os.Getenv("ROLLBACK_TEST_LIVE") == "" {
		return
	}
	d, p := &Btrfs{Root: "/", State: "/var/state", Mount: "/var/state/mnt", Info: "/proc/self/mountinfo", Boot: []string{"/etc/fstab"}}, Point{ID: "b2"}
	if err := d.Probe(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := d.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/version", []byte("2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if reboot, err := d.Restore(t.Context(), p); err != nil || !reboot {
			t.Fatal(reboot, err)
		}
	}
	if raw, err := os.ReadFile("/version"); err != nil || string(raw) != "2\n" {
		t.Fatalf("the running root changed: %s, %v", raw, err)
	}
	if err := os.WriteFile("/etc/fstab", []byte("UUID=x / btrfs subvolid=256\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.Probe(t.Context(), p); err == nil || !strings.Contains(err.Error(), "subvolid=") {
		t.Fatal(err)
	}
	t.Log("the root is exchanged")
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
