package worker

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// tarOf makes a stream of files; a name that ends in "/" is a folder, a text that
// begins with "->" a link.
func tarOf(t *testing.T, files ...string) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		h := &tar.Header{Name: files[i], Mode: 0o755, Typeflag: tar.TypeReg, Size: int64(len(files[i+1]))}
		link, isLink := strings.CutPrefix(files[i+1], "->")
		switch {
		case strings.HasSuffix(files[i], "/"):
			h.Typeflag = tar.TypeDir
		case isLink:
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, link, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write([]byte(files[i+1])); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

func (b bench) imported(t *testing.T, files ...string) runtime.VolumeID {
	t.Helper()
	id := runtime.VolumeID(newID())
	if err := b.ImportVolume(b.ctx, id, tarOf(t, files...)); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestVolumesInContainers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shared := b.imported(t, "in", "data\n", "dir/", "", "dir/deep", "deeper\n")
	spec := func(script string, m runtime.Mount) runtime.Spec {
		s := shell(script)
		m.Volume, m.Path = shared, "/tmp/build/in"
		s.Mounts = []runtime.Mount{m}
		s.Dir = "/tmp/build"
		return s
	}
	tests := []struct {
		name, script, out string
		mount             runtime.Mount
	}{
		{"owned by root", "stat -c '%u %g %a' in in/in in/dir", "0 0 755\n0 0 755\n0 0 755\n", runtime.Mount{}},
		{"read-only", "cat in/in; touch in/new 2>/dev/null || echo refused", "data\nrefused\n", runtime.Mount{ReadOnly: true}},
		{"a copy may be changed", "echo changed > in/in; rm -r in/dir; touch in/new; ls in", "in\nnew\n", runtime.Mount{Copy: true}},
		{"and the volume stays", "cat in/in in/dir/deep; ls in", "data\ndeeper\ndir\nin\n", runtime.Mount{}},
	}
	for _, tc := range tests { // one after the other: each looks at what the last one did
		if got := b.run(spec(tc.script, tc.mount)); got.out != tc.out || got.Status != 0 {
			t.Errorf("%s: got %+v, want %q", tc.name, got, tc.out)
		}
	}
	if got := b.run(spec("mkdir in/out; echo written > in/out/file", runtime.Mount{})); got.Status != 0 {
		t.Fatalf("write: %+v", got)
	}
	data, err := b.ReadFile(b.ctx, shared, "out/file", 100)
	if string(data) != "written\n" || err != nil {
		t.Errorf("read what a container wrote: %q, %v", data, err)
	}
	info, err := os.Stat(b.path("volumes", string(shared), "out", "file"))
	if err != nil {
		t.Fatal(err)
	}
	if uid := ownerOf(info); uid == 0 {
		t.Error("what the container's root wrote belongs to the machine's root")
	}
}

func TestHostFolderIsReadOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(dir+"/x", []byte("host\n"), 0o644), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	s := shell("cat /repo/x; echo no 2>/dev/null > /repo/x || echo refused")
	s.Mounts = []runtime.Mount{{HostPath: dir, Path: "/repo", Copy: false}}
	if got := b.run(s); got.out != "host\nrefused\n" {
		t.Errorf("got %+v", got)
	}
}

func TestImageVolume(t *testing.T) {
	t.Parallel()
	b := setup(t)
	// Programs come from this machine; everything else is the image's own.
	img := b.imported(t,
		"metadata.json", `{"env":["PATH=/usr/bin","GREETING=hello"],"user":"app","entrypoint":["/bin/sh","-c"],"cmd":["echo $GREETING $(id -u):$(id -G)"]}`,
		"rootfs/usr/", "", "rootfs/bin", "->usr/bin", "rootfs/lib", "->usr/lib", "rootfs/lib64", "->usr/lib64",
		"rootfs/etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:42:43::/home/app:/bin/sh\n", "rootfs/etc/group", "app:x:43:\nmore:x:44:app\n",
		"rootfs/etc/resolv.conf", "->/etc/shadow")
	spec := func() runtime.Spec {
		return runtime.Spec{ID: runtime.ContainerID(newID()), Image: runtime.Image{Volume: img}, Mounts: []runtime.Mount{{HostPath: "/usr", Path: "/usr"}}}
	}
	want := "hello 42:43 44\n"
	if b.Engine() == "bwrap" {
		want = "hello 42:43\n" // one user and one group is all there is
	}
	if got := b.run(spec()); !strings.HasPrefix(got.out, want[:11]) || b.Engine() == "runc" && got.out != want || got.Status != 0 {
		t.Errorf("got %+v", got)
	}
	s := spec()
	s.User, s.Args = "root", []string{"/bin/sh", "-c", "echo $HOME; ls -l /etc/resolv.conf | cut -c1; echo x > /new && echo written"}
	if got := b.run(s); got.out != "/root\n-\nwritten\n" {
		t.Errorf("got %+v", got)
	}
	if _, err := b.ReadFile(b.ctx, img, "rootfs/new", 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the image was changed: %v", err)
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.imported(t, "a", "0123456789", "dir/", "", "in", "->a", "out", "->/etc/passwd", "up", "->../../../../../../etc/passwd", "dir/back", "->../a")
	tests := []struct {
		path, want, err string
	}{
		{"a", "01234567", ""}, {"/a", "01234567", ""}, {"in", "01234567", ""}, {"dir/back", "01234567", ""},
		{"out", "", "escapes"}, {"up", "", "escapes"}, {"../../secret", "", "no such file"},
		{"dir", "", "not a regular file"}, {"missing", "", "no such file"},
	}
	for _, tc := range tests {
		data, err := b.ReadFile(b.ctx, v, tc.path, 8)
		if string(data) != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: got %q, %v", tc.path, data, err)
		}
	}
}

func TestVolumeLife(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.imported(t, "a", "text", "d/b", "more")
	var packed bytes.Buffer
	if err := b.ExportVolume(b.ctx, id, "d", &packed); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&packed)
	if err != nil {
		t.Fatal(err)
	}
	h, err := tar.NewReader(z).Next()
	if err != nil || h.Name != "b" || h.Uid != 0 {
		t.Errorf("exported %+v, %v", h, err)
	}
	if err := b.ImportVolume(b.ctx, id, strings.NewReader("ignored")); err != nil {
		t.Errorf("import what exists: %v", err)
	}
	list, err := b.Volumes(b.ctx)
	if err != nil || len(list) != 1 || list[0].ID != id || b.opts.Now().Sub(list[0].Created).Abs() > 60e9 {
		t.Errorf("listed %+v, %v", list, err)
	}
	for range 2 {
		if err := b.RemoveVolume(b.ctx, id); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.ReadFile(b.ctx, id, "a", 1); !errors.Is(err, runtime.ErrGone) {
		t.Errorf("read what is removed: %v", err)
	}
	if err := b.ImportVolume(b.ctx, id, strings.NewReader("this is not a tar stream, but long enough to look like one"+strings.Repeat("x", 600))); err == nil {
		t.Error("nonsense was imported")
	}
	if list, err := b.Volumes(b.ctx); err != nil || len(list) != 0 {
		t.Errorf("after a failed import: %v, %v", list, err)
	}
	if left, err := os.ReadDir(b.path("incoming")); err != nil || len(left) != 0 {
		t.Errorf("left in incoming: %v, %v", left, err)
	}
}

func TestCloneVolume(t *testing.T) {
	t.Parallel()
	b := setup(t)
	from, to := b.volume(), runtime.VolumeID(newID())
	write := shell("cd /v; mkdir -p a/b; echo one > a/b/f; chmod 640 a/b/f; ln -s ../f a/l; ln a/b/f hard; ln -s /etc/passwd out; chown 12:13 a")
	write.Mounts = []runtime.Mount{{Volume: from, Path: "/v"}}
	if got := b.run(write); got.Status != 0 && b.Engine() == "runc" {
		t.Fatalf("got %+v", got)
	}
	if err := b.CloneVolume(b.ctx, from, to); err != nil {
		t.Fatal(err)
	}
	look := shell("cd /v; echo two >> hard; cat a/b/f; readlink a/l out; stat -c '%a %u' a/b/f a; echo more > new")
	look.Mounts = []runtime.Mount{{Volume: to, Path: "/v"}}
	want := "one\n../f\n/etc/passwd\n640 0\n755 12\n"
	if got := b.run(look); got.out != want && b.Engine() == "runc" {
		t.Errorf("got %+v, want %q", got, want)
	}
	if _, err := b.ReadFile(b.ctx, from, "new", 10); err == nil {
		t.Error("what is written to the copy shows in the original")
	}
	if err := b.CloneVolume(b.ctx, from, to); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := b.CloneVolume(b.ctx, runtime.VolumeID(newID()), runtime.VolumeID(newID())); !errors.Is(err, runtime.ErrGone) {
		t.Errorf("got %v", err)
	}
}
