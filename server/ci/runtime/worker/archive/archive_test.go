package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	mine  = Owner{Single: true}
	roomy = Limits{Bytes: 1 << 20, Entries: 1000}
	then  = time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
)

type entry struct {
	kind byte
	name string
	text string // content, or a link's target
}

func stream(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Typeflag: e.kind, Name: e.name, Mode: 0o4751, Uid: 5, ModTime: then}
		switch e.kind {
		case tar.TypeReg:
			h.Size = int64(len(e.text))
		case tar.TypeSymlink, tar.TypeLink:
			h.Linkname = e.text
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if e.kind == tar.TypeReg {
			if _, err := w.Write([]byte(e.text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExtract(t *testing.T) {
	t.Parallel()
	const reg, dir, sym, hard = tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink
	tests := []struct {
		name    string
		entries []entry
		want    string // a file's content after unpacking, as "path=content"
		err     string
	}{
		{"a file without its folder", []entry{{reg, "a/b/c", "x"}}, "a/b/c=x", ""},
		{"leading slash and dots", []entry{{reg, "/./a//b", "x"}}, "a/b=x", ""},
		{"the later entry holds", []entry{{reg, "a", "old"}, {reg, "a", "new"}}, "a=new", ""},
		{"a file in place of a link", []entry{{sym, "a", "/etc/passwd"}, {reg, "a", "x"}}, "a=x", ""},
		{"a folder in place of a link", []entry{{sym, "a", "/etc"}, {dir, "a/", ""}, {reg, "a/x", "y"}}, "a/x=y", ""},
		{"through a link inside", []entry{{dir, "usr/bin/", ""}, {sym, "bin", "usr/bin"}, {reg, "bin/x", "y"}}, "usr/bin/x=y", ""},
		{"hard link", []entry{{reg, "a", "x"}, {hard, "b", "a"}}, "b=x", ""},
		{"a device of an image", []entry{{tar.TypeChar, "rootfs/dev/null", ""}, {reg, "a", "x"}}, "a=x", ""},

		{"upwards", []entry{{reg, "../x", "y"}}, "", "out of the tree"},
		{"upwards inside", []entry{{reg, "a/../../x", "y"}}, "", "out of the tree"},
		{"through a link to outside", []entry{{sym, "a", "/tmp"}, {reg, "a/x", "y"}}, "", "escapes"},
		{"through a relative link to outside", []entry{{dir, "d/", ""}, {sym, "d/a", "../../.."}, {reg, "d/a/x", "y"}}, "", "escapes"},
		{"through a chain of links", []entry{{sym, "a", "b"}, {sym, "b", ".."}, {reg, "a/x", "y"}}, "", "escapes"},
		{"a folder through a link to outside", []entry{{sym, "a", "/tmp"}, {dir, "a/new/", ""}}, "", "escapes"},
		{"hard link to outside", []entry{{hard, "a", "../../../etc/passwd"}}, "", "out of the tree"},
		{"hard link through a link", []entry{{sym, "e", "/etc"}, {hard, "a", "e/passwd"}}, "", "escapes"},
		{"hard link to nothing", []entry{{hard, "a", "b"}}, "", "no such file"},
		{"device", []entry{{tar.TypeBlock, "sda", ""}}, "", "refused"},
		{"pipe", []entry{{tar.TypeFifo, "p", ""}}, "", "refused"},
		{"too large", []entry{{reg, "a", strings.Repeat("x", 1<<20+1)}}, "", "larger than allowed"},
		{"too many", slices.Repeat([]entry{{reg, "a", ""}}, 1001), "", "larger than allowed"},
		{"a file in place of a folder", []entry{{dir, "a/", ""}, {reg, "a", "x"}}, "", "a folder of that name"},
		{"below a file", []entry{{reg, "a", "x"}, {reg, "a/b", "y"}}, "", "not a"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			outer := t.TempDir()
			dir := filepath.Join(outer, "tree")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			err := Extract(t.Context(), dir, bytes.NewReader(stream(t, tc.entries...)), mine, roomy)
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Fatalf("got %v, want %q", err, tc.err)
			}
			if name, want, ok := strings.Cut(tc.want, "="); ok {
				if got, err := os.ReadFile(filepath.Join(dir, name)); string(got) != want || err != nil {
					t.Errorf("%s is %q, %v", name, got, err)
				}
			}
			if all, err := os.ReadDir(outer); err != nil || len(all) != 1 {
				t.Errorf("beside the tree: %v, %v", all, err)
			}
		})
	}
}

func TestExtractKeeps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Extract(t.Context(), dir, bytes.NewReader(stream(t, entry{tar.TypeReg, "d/run", "x"}, entry{tar.TypeDir, "d/", ""})), mine, roomy); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"d", "d/run"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o751 || info.Mode()&fs.ModeSetuid != 0 || !info.ModTime().Equal(then) {
			t.Errorf("%s: %v %v, %v", name, info.Mode(), info.ModTime(), err)
		}
	}
}

func TestBrokenStreams(t *testing.T) {
	t.Parallel()
	good := stream(t, entry{tar.TypeReg, "a", strings.Repeat("x", 5000)})
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(good)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	tests := []struct {
		name string
		ctx  context.Context
		data []byte
		ok   bool
	}{
		{"plain", t.Context(), good, true},
		{"gzip", t.Context(), zipped.Bytes(), true},
		{"empty", t.Context(), nil, true},
		{"cut off", t.Context(), good[:2000], false},
		{"gzip cut off", t.Context(), zipped.Bytes()[:zipped.Len()-4], false},
		{"no tar", t.Context(), bytes.Repeat([]byte("nonsense"), 200), false},
		{"stopped", stopped, good, false},
	}
	for _, tc := range tests {
		if err := Extract(tc.ctx, t.TempDir(), bytes.NewReader(tc.data), mine, roomy); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestPackAndBack(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	in := stream(t, entry{tar.TypeReg, "d/a", "text"}, entry{tar.TypeSymlink, "d/out", "/etc/passwd"}, entry{tar.TypeDir, "d/empty/", ""}, entry{tar.TypeReg, "b", ""})
	if err := Extract(t.Context(), from, bytes.NewReader(in), mine, roomy); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path string
		want []string
	}{
		{".", []string{"b", "d", "d/a", "d/empty", "d/out"}},
		{"d", []string{"a", "empty", "out"}},
		{"/d/", []string{"a", "empty", "out"}},
		{"d/a", []string{"a"}},
	}
	for _, tc := range tests {
		var packed bytes.Buffer
		if err := Pack(t.Context(), from, tc.path, &packed, mine); err != nil {
			t.Errorf("%s: %v", tc.path, err)
			continue
		}
		to := t.TempDir()
		if err := Extract(t.Context(), to, &packed, mine, roomy); err != nil {
			t.Errorf("%s: %v", tc.path, err)
		}
		var got []string
		_ = fs.WalkDir(os.DirFS(to), ".", func(p string, _ fs.DirEntry, _ error) error { got = append(got, p); return nil })
		if !slices.Equal(got[1:], tc.want) {
			t.Errorf("%s: got %v, want %v", tc.path, got[1:], tc.want)
		}
	}
	for path, want := range map[string]error{"missing": fs.ErrNotExist, "../x": nil, "d/out": nil} {
		var packed bytes.Buffer
		err := Pack(t.Context(), from, path, &packed, mine)
		if err == nil || want != nil && !errors.Is(err, want) || packed.Len() > 0 {
			t.Errorf("%s: %v and %d bytes", path, err, packed.Len())
		}
	}
}

func FuzzExtract(f *testing.F) {
	f.Add(stream(f, entry{tar.TypeReg, "a/b", "x"}, entry{tar.TypeSymlink, "a/c", "../.."}))
	f.Add(stream(f, entry{tar.TypeLink, "a", "b"}, entry{tar.TypeDir, "../d/", ""}))
	f.Fuzz(func(t *testing.T, data []byte) {
		outer := t.TempDir()
		dir := filepath.Join(outer, "tree")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		_ = Extract(t.Context(), dir, bytes.NewReader(data), mine, Limits{Bytes: 1 << 16, Entries: 50})
		if all, err := os.ReadDir(outer); err != nil || len(all) != 1 {
			t.Fatalf("beside the tree: %v, %v", all, err)
		}
		// A folder's own mode may keep t.TempDir from deleting it.
		_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if d != nil && d.IsDir() {
				_ = os.Chmod(p, 0o700)
			}
			return nil
		})
	})
}
