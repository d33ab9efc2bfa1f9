package ci

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// entry is one header of a crafted stream.
type entry struct {
	kind       byte
	name, text string
}

func volumeOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	for _, e := range entries {
		h := &tar.Header{Typeflag: e.kind, Name: e.name, Mode: 0o644, Size: int64(len(e.text)), Format: tar.FormatPAX}
		if e.kind == tar.TypeSymlink || e.kind == tar.TypeLink {
			h.Linkname, h.Size = e.text, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := io.WriteString(w, e.text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// shelf is an executor that has volumes and nothing else.
type shelf struct {
	runtime.Executor
	volumes map[runtime.VolumeID][]byte
}

func (s shelf) ExportVolume(_ context.Context, id runtime.VolumeID, path string, w io.Writer) error {
	data, ok := s.volumes[id]
	if !ok {
		return runtime.ErrGone
	}
	if path == "missing" {
		return &fs.PathError{Op: "stat", Path: path, Err: fs.ErrNotExist}
	}
	_, err := w.Write(data)
	return err
}

// heap keeps blobs in memory, for tests without owners.
type heap struct {
	Blobs
	err error
}

func (h *heap) Put(_ context.Context, _ int64, r io.Reader, _ int64) (blobs.Ref, error) {
	data, err := io.ReadAll(r)
	if h.err != nil {
		err = h.err
	}
	return blobs.Ref{SHA256: fmt.Sprintf("%x", data), Size: int64(len(data))}, err
}

func newCollection(t testing.TB, volume []byte) *collection {
	s := &Service{store: store{now: time.Now}, deps: Deps{Blobs: &heap{}, Executor: shelf{volumes: map[runtime.VolumeID][]byte{"v": volume}},
		Log: slog.New(slog.DiscardHandler)}}
	c := &collection{service: s, build: buildRow{ID: 1, TeamID: 1}, spool: spool{folder: t.TempDir()}, matched: map[string]bool{}, seen: map[string]bool{}}
	t.Cleanup(func() {
		if err := c.spool.close(); err != nil {
			t.Error(err)
		}
		if left, err := filepath.Glob(filepath.Join(c.spool.folder, "*")); len(left) > 0 || err != nil {
			t.Errorf("%v stay, %v", left, err)
		}
	})
	return c
}

func mustRules(t testing.TB, u use, paths ...string) (out []outputRule) {
	t.Helper()
	for _, p := range paths {
		r, err := newOutputRule(u, p, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func (c *collection) names() (out []string) {
	for _, a := range c.kept {
		out = append(out, a.Path)
	}
	return out
}

func TestHostileVolume(t *testing.T) {
	t.Parallel()
	c := newCollection(t, volumeOf(t,
		entry{tar.TypeReg, "../out", "x"}, entry{tar.TypeReg, "/etc/passwd", "x"}, entry{tar.TypeReg, "a/../../b", "x"},
		entry{tar.TypeSymlink, "link", "/etc/passwd"}, entry{tar.TypeLink, "hard", "/etc/passwd"}, entry{tar.TypeFifo, "pipe", ""},
		entry{tar.TypeDir, "folder/", ""}, entry{tar.TypeChar, "device", ""},
		entry{tar.TypeReg, "good.tgz", "first"}, entry{tar.TypeReg, "good.tgz", "second"}, entry{tar.TypeReg, "./good.tgz", "third"},
		entry{tar.TypeReg, "line\nbreak", "x"}, entry{tar.TypeReg, strings.Repeat("l/", maxPath) + "l", "x"},
		entry{tar.TypeReg, "folder/<script>.html", "<script>"}))
	if err := c.volume(t.Context(), "v", mustRules(t, useArtifact, "o/**")); err != nil {
		t.Fatal(err)
	}
	if got := c.names(); !slices.Equal(got, []string{"o/good.tgz", "o/folder/<script>.html"}) {
		t.Errorf("kept %q", got)
	}
	if c.kept[0].SHA256 != fmt.Sprintf("%x", "first") {
		t.Error("a later file of the same name is kept")
	}
	if len(c.problems) != 2 || strings.Contains(c.problems[0], "\n") {
		t.Errorf("%q", c.problems)
	}
}

func TestBrokenVolumes(t *testing.T) {
	t.Parallel()
	whole := volumeOf(t, entry{tar.TypeReg, "a.tgz", "aaaa"}, entry{tar.TypeReg, "b.tgz", strings.Repeat("b", 1<<16)})
	for name, v := range map[string]struct {
		data []byte
		want string
	}{
		"cut off": {whole[:len(whole)-40], "could not be read to its end"},
		"no gzip": {[]byte("this is no archive at all"), "could not be read to its end: gzip: invalid header"},
		"empty":   {nil, ""},
		"whole":   {whole, ""},
	} {
		c := newCollection(t, v.data)
		if err := c.volume(t.Context(), "v", mustRules(t, useArtifact, "o/*.tgz")); err != nil {
			t.Fatal(name, err)
		}
		if v.want != "" && !strings.Contains(strings.Join(c.problems, "\n"), v.want) {
			t.Errorf("%s: %q", name, c.problems)
		}
		if name == "whole" && (len(c.kept) != 2 || c.problems != nil) {
			t.Errorf("%q %q", c.names(), c.problems)
		}
	}
	c := newCollection(t, whole)
	if err := c.volume(t.Context(), "gone", mustRules(t, useArtifact, "o/*")); err != nil || c.problems != nil {
		t.Errorf("a volume that is gone: %v %q", err, c.problems)
	}
	if err := c.volume(t.Context(), "v", mustRules(t, useArtifact, "o/missing/*")); err != nil || c.problems != nil {
		t.Errorf("a folder that is missing: %v %q", err, c.problems)
	}
}

func TestUsesOfOneFile(t *testing.T) {
	t.Parallel()
	c := newCollection(t, volumeOf(t, entry{tar.TypeReg, "r.xml", "<testsuite/>"}, entry{tar.TypeReg, "bom.json", "{}"}, entry{tar.TypeReg, "x", "x"},
		entry{tar.TypeReg, "large.xml", strings.Repeat("x", maxSmallFile+1)}))
	rules := slices.Concat(mustRules(t, useReport, "o/*.xml"), mustRules(t, useSBOM, "o/bom.json"), mustRules(t, useArtifact, "o/r.xml"))
	if err := c.all(t.Context(), append(rules, mustRules(t, useArtifact, "other/x", "o/none")...), map[string]runtime.VolumeID{"o": "v"}); err != nil {
		t.Fatal(err)
	}
	if got := c.names(); !slices.Equal(got, []string{"o/r.xml", "o/bom.json"}) {
		t.Errorf("kept %q", got)
	}
	if len(c.reports) != 1 || len(c.sboms) != 1 || c.reports[0].Path != "o/r.xml" {
		t.Fatalf("%+v %+v", c.reports, c.sboms)
	}
	for range 2 {
		r, err := c.reports[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(r); string(text) != "<testsuite/>" || err != nil || c.reports[0].Size != int64(len(text)) {
			t.Errorf("%q %v", text, err)
		}
	}
	said := strings.Join(c.problems, "\n")
	for _, want := range []string{"o/large.xml has 33554433 bytes", "This build made no output other", "No file matches o/none (artifacts)."} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said in %q", want, said)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	var many []entry
	for i := range maxArtifacts + maxProblems + 5 {
		many = append(many, entry{tar.TypeReg, fmt.Sprintf("f%d", i), "x"})
	}
	c := newCollection(t, volumeOf(t, many...))
	if err := c.volume(t.Context(), "v", mustRules(t, useArtifact, "o/*")); err != nil {
		t.Fatal(err)
	}
	if len(c.kept) != maxArtifacts || len(c.problems) != maxProblems+1 {
		t.Errorf("%d kept, %d problems", len(c.kept), len(c.problems))
	}
	c = newCollection(t, volumeOf(t, entry{tar.TypeReg, "x", "x"}))
	c.service.deps.Blobs = &heap{err: problem.New(problem.Unavailable, "The server's disk is full.")}
	if err := c.volume(t.Context(), "v", mustRules(t, useArtifact, "o/*")); err != nil || len(c.problems) != 1 || c.problems[0] != "o/x could not be kept: The server's disk is full." {
		t.Errorf("%v %q", err, c.problems)
	}
	limited := &limitedArchive{r: strings.NewReader("12345"), left: 3}
	if data, err := io.ReadAll(limited); string(data) != "123" || err == nil {
		t.Errorf("%q %v", data, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.volume(ended, "v", mustRules(t, useArtifact, "o/*")); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func FuzzVolume(f *testing.F) {
	f.Add(volumeOf(f, entry{tar.TypeReg, "a/b.xml", "x"}, entry{tar.TypeSymlink, "c", ".."}))
	f.Add(volumeOf(f, entry{tar.TypeReg, "../x", "x"}))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := newCollection(t, data)
		if err := c.volume(t.Context(), "v", append(mustRules(t, useArtifact, "o/**"), mustRules(t, useReport, "o/**/*.xml")...)); err != nil {
			t.Fatal(err)
		}
		for _, name := range c.names() {
			if !filepath.IsLocal(name) || !strings.HasPrefix(name, "o/") || !showable(name) {
				t.Errorf("kept %q", name)
			}
		}
	})
}
