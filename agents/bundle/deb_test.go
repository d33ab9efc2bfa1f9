package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

func scratch(t testing.TB) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "deb-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func contentOf(t testing.TB, f *os.File, size int64) []byte {
	t.Helper()
	data := make([]byte, size)
	if _, err := f.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return data
}

// compressed packs data as a member's suffix says.
func compressed(t testing.TB, suffix string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch suffix {
	case "":
		return data
	case ".gz":
		w = gzip.NewWriter(&out)
	case ".xz":
		w, err = xz.NewWriter(&out)
	case ".zst":
		w, err = zstd.NewWriter(&out)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func arMember(name string, data []byte) []byte {
	out := fmt.Appendf(nil, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", name, 1700000000, 0, 0, "100644", len(data))
	out = append(out, data...)
	if len(data)%2 == 1 {
		out = append(out, '\n')
	}
	return out
}

func smallTar(t testing.TB, name, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const control = "Package: tiny\nVersion: 1.0\nArchitecture: all\nMaintainer: A Tester <a@example.com>\nDescription: tiny\n"

// debOf is a .deb whose parts are compressed in one way.
func debOf(t testing.TB, suffix string) []byte {
	t.Helper()
	return bytes.Join([][]byte{[]byte(arMagic), arMember("debian-binary", []byte("2.0\n")),
		arMember("control.tar"+suffix, compressed(t, suffix, smallTar(t, "./control", control))),
		arMember("data.tar"+suffix, compressed(t, suffix, smallTar(t, "./opt/tiny", strings.Repeat("hello\n", 1000))))}, nil)
}

func TestNormaliseIsOneForm(t *testing.T) {
	t.Parallel()
	want := ""
	for _, suffix := range []string{"", ".gz", ".xz", ".zst"} {
		out := scratch(t)
		sha, size, err := Normalise(t.Context(), bytes.NewReader(debOf(t, suffix)), out, MaxBlob)
		if err != nil {
			t.Fatalf("%s: %v", suffix, err)
		}
		if got := contentOf(t, out, size); hashOf(got) != sha {
			t.Errorf("%s: the hash is not the file's", suffix)
		}
		if want == "" {
			want = sha
		}
		if sha != want {
			t.Errorf("%s makes another file", suffix)
		}
	}
}

// TestNormalisedInstalls lets dpkg judge: it reads the normalised file, and finds the same in it.
func TestNormalisedInstalls(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := filepath.Join(dir, "src", "DEBIAN")
	if err := os.MkdirAll(source, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(source, "control"), []byte(control), 0o644),
		os.WriteFile(filepath.Join(dir, "src", "file"), []byte("odd"), 0o644)); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) string {
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v: %s", name, args, err, out)
		}
		return string(out)
	}
	for _, kind := range []string{"xz", "gzip", "zstd", "none"} {
		deb := filepath.Join(dir, kind+".deb")
		run("dpkg-deb", "--root-owner-group", "-Z"+kind, "-b", filepath.Join(dir, "src"), deb)
		in, err := os.Open(deb)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		out := scratch(t)
		if _, _, err := Normalise(t.Context(), in, out, MaxBlob); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if a, b := run("dpkg-deb", "-I", deb), run("dpkg-deb", "-f", out.Name()); !strings.Contains(b, "Package: tiny") || !strings.Contains(a, "tiny") {
			t.Errorf("%s: dpkg reads %s", kind, b)
		}
		if a, b := run("dpkg-deb", "-c", deb), run("dpkg-deb", "-c", out.Name()); a != b {
			t.Errorf("%s holds\n%s normalised\n%s", kind, a, b)
		}
		root := filepath.Join(dir, "root-"+kind)
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg/updates"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.MkdirAll(filepath.Join(root, "var/lib/dpkg/info"), 0o755), os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644)); err != nil {
			t.Fatal(err)
		}
		run("dpkg", "--root="+root, "--force-not-root", "--force-script-chrootless", "--log=/dev/null", "-i", out.Name())
		if data, err := os.ReadFile(filepath.Join(root, "file")); err != nil || string(data) != "odd" {
			t.Errorf("%s installed %q: %v", kind, data, err)
		}
	}
}

func TestNormaliseRefuses(t *testing.T) {
	t.Parallel()
	good := debOf(t, ".gz")
	binary, ctl, data := arMember("debian-binary", []byte("2.0\n")), arMember("control.tar", smallTar(t, "c", "")), arMember("data.tar", smallTar(t, "d", ""))
	deb := func(parts ...[]byte) []byte { return append([]byte(arMagic), bytes.Join(parts, nil)...) }
	huge := compressed(t, ".xz", []byte("x"))
	huge[17] = 40 // the dictionary: 4 GiB
	for name, c := range map[string]struct {
		data  []byte
		limit int64
		code  int
	}{
		"good":                     {good, 1 << 20, 0},
		"a signature member":       {deb(binary, ctl, data, arMember("_gpgorigin", []byte("x"))), 1 << 20, 0},
		"no .deb":                  {[]byte("PK\x03\x04"), 1 << 20, 2},
		"empty":                    {nil, 1 << 20, 2},
		"only the magic":           {[]byte(arMagic), 1 << 20, 2},
		"cut":                      {good[:len(good)/2], 1 << 20, 2},
		"no data":                  {deb(binary, ctl), 1 << 20, 2},
		"wrong order":              {deb(binary, data, ctl), 1 << 20, 2},
		"twice":                    {deb(binary, ctl, data, data), 1 << 20, 2},
		"unknown compression":      {deb(binary, ctl, arMember("data.tar.lzma", []byte("x"))), 1 << 20, 2},
		"an empty part":            {deb(binary, ctl, arMember("data.tar.xz", nil)), 1 << 20, 2},
		"a bomb, cut at the limit": {deb(binary, ctl, arMember("data.tar.gz", compressed(t, ".gz", make([]byte, 16<<20)))), 1 << 20, 2},
		"a dictionary of 4 GiB":    {deb(binary, ctl, arMember("data.tar.xz", huge)), 1 << 20, 2},
	} {
		out := scratch(t)
		_, _, err := Normalise(t.Context(), bytes.NewReader(c.data), out, c.limit)
		info, statErr := out.Stat()
		if ExitCode(err) != c.code || statErr != nil || info.Size() > c.limit {
			t.Errorf("%s: exit %d, %d bytes on disk: %v", name, ExitCode(err), info.Size(), err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Normalise(ctx, bytes.NewReader(good), scratch(t), 1<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestDelta(t *testing.T) {
	t.Parallel()
	random := make([]byte, 3<<20)
	seed := uint32(1)
	for i := range random {
		seed = seed*1664525 + 1013904223
		random[i] = byte(seed >> 24)
	}
	base := random
	target := append(append(bytes.Clone(random[1<<20:]), []byte("something new in the middle")...), random[:1<<20]...)
	delta, err := MakeDelta(base, target)
	if err != nil {
		t.Fatal(err)
	}
	if len(delta) > 64<<10 {
		t.Errorf("a delta of moved bytes is %d bytes: the old file is out of reach", len(delta))
	}
	sha, size := hashOf(target), int64(len(target))
	apply := func(base, delta []byte, sha string, size int64) (int, error) {
		var out bytes.Buffer
		err := ApplyDelta(t.Context(), base, bytes.NewReader(delta), &out, sha, size)
		return out.Len(), err
	}
	if n, err := apply(base, delta, sha, size); err != nil || int64(n) != size {
		t.Fatalf("%d bytes: %v", n, err)
	}
	wrong := bytes.Clone(base)
	wrong[1500000] ^= 1
	for name, c := range map[string]struct {
		base, delta []byte
		size        int64
		code        int
	}{
		"another base":          {wrong, delta, size, 2},
		"no base":               {nil, delta, size, 2},
		"cut":                   {base, delta[:len(delta)/2], size, 2},
		"more than promised":    {base, delta, size - 1, 2},
		"less than promised":    {base, delta, size + 1, 2},
		"beyond what deltas do": {base, delta, MaxDeltaTarget + 1, 2},
		"a bomb":                {nil, compressed(t, ".zst", make([]byte, 20<<20)), 1000, 2},
	} {
		n, err := apply(c.base, c.delta, sha, c.size)
		if ExitCode(err) != c.code || int64(n) > c.size+1 {
			t.Errorf("%s: exit %d, %d bytes written: %v", name, ExitCode(err), n, err)
		}
	}
	if _, err := MakeDelta(make([]byte, MaxDeltaBase+1), nil); err == nil {
		t.Error("a dictionary beyond the limit was taken")
	}
}
