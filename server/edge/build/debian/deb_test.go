package debian_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/edge/build/debian"
)

// plainDeb is a normalised .deb; data holds names and contents in turns, "-> x" makes a link.
func plainDeb(t testing.TB, control string, data ...string) []byte {
	t.Helper()
	pack := func(files ...string) string {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for i := 0; i < len(files); i += 2 {
			h := tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1])), Typeflag: tar.TypeReg}
			target, link := strings.CutPrefix(files[i+1], "-> ")
			if link {
				h.Size, h.Typeflag, h.Linkname = 0, tar.TypeSymlink, target
			}
			err := w.WriteHeader(&h)
			if err == nil && !link {
				_, err = w.Write([]byte(files[i+1]))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	var out strings.Builder
	out.WriteString("!<arch>\n")
	for _, m := range [][2]string{{"debian-binary", "2.0\n"}, {"control.tar", pack("./control", control)}, {"data.tar", pack(data...)}} {
		fmt.Fprintf(&out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", m[0], 1700000000, 0, 0, "100644", len(m[1]), m[1])
	}
	return []byte(out.String())
}

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDeb(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		data         []string
		want, linked string
	}{
		{"a changelog of Debian before the upstream's", []string{"./usr/share/doc/a/changelog.gz", zipped(t, "theirs"), "./usr/share/doc/a/changelog.Debian.gz", zipped(t, "ours")}, "ours", ""},
		{"a native package", []string{"./usr/share/doc/a/changelog.gz", zipped(t, "native")}, "native", ""},
		{"another package's folder", []string{"./usr/share/doc/b/changelog.Debian.gz", zipped(t, "b's"), "./usr/share/doc/a", "-> b"}, "", "b"},
		{"none", []string{"./usr/bin/a", "x"}, "", ""},
	} {
		raw := plainDeb(t, "Package: a\nVersion: 1\n", c.data...)
		d, err := debian.ReadDeb(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		linked, err := d.Changelog("a", func(r io.Reader) (err error) {
			got, err = io.ReadAll(r)
			return err
		})
		if err != nil || string(got) != c.want || linked != c.linked {
			t.Errorf("%s: %q, %q, %v", c.name, got, linked, err)
		}
		if s, err := d.Control(); err != nil || s.Get("Version") != "1" {
			t.Error(s, err)
		}
		if debian.Made(bytes.NewReader(raw)).Unix() != 1700000000 {
			t.Error("when it was made")
		}
	}
	raw := plainDeb(t, "Package: a\n")
	for _, bad := range [][]byte{nil, []byte("!<arch>\n"), raw[:100], bytes.Replace(raw, []byte("data.tar"), []byte("data.tax"), 1), bytes.Replace(raw, []byte("`\n2.0"), []byte("``2.0"), 1)} {
		if _, err := debian.ReadDeb(bytes.NewReader(bad), int64(len(bad))); err == nil {
			t.Errorf("%.80q was read", bad)
		}
	}
	if !debian.Made(strings.NewReader("short")).IsZero() {
		t.Error("a time of nothing")
	}
}

func FuzzDeb(f *testing.F) {
	f.Add(plainDeb(f, "Package: a\nVersion: 1\n", "./usr/share/doc/a/changelog.gz", zipped(f, "a (1) x; urgency=low\n\n  * CVE-2026-0001\n")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := debian.ReadDeb(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		_, _ = d.Control()
		_, err = d.Changelog("a", func(r io.Reader) error {
			_, err := debian.ReadFixes(r, "0", "2")
			return errors.Join(err)
		})
		_ = err // whatever it says, it came to an end
	})
}
