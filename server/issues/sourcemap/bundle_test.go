package sourcemap

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"runtime"
	"testing"
)

// The bundles are what sentry-cli 2.58 and 3.8 and the Vite plugin 11 uploaded.
func TestRecordedBundles(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, release, dist, url, debugID, mapRef string
	}{
		{"cli258.bundle", "acme@1.2.3", "42", "~/static/app.js", "e5bc5ace-b5e0-5f2d-a766-775c5d864cb3", "app.js.map"},
		{"cli380.bundle", "acme@1.2.3", "", "~/app.js", "e7bf9cc2-9e4e-5cb0-825e-f5b047052442", "app.js.map"},
		{"vite11.bundle", "acme@2.0.0", "", "~/8f364fb2-9eab-401d-8097-5ade300a669b-0.js", "8f364fb2-9eab-401d-8097-5ade300a669b", "8f364fb2-9eab-401d-8097-5ade300a669b-0.js.map"},
	}
	for _, c := range cases {
		raw := file(t, c.name)
		b, err := ReadBundle(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if b.Org != "acme" || b.Project != "app" || b.Release != c.release || b.Dist != c.dist || len(b.Files) != 2 {
			t.Errorf("%s: %+v", c.name, b)
			continue
		}
		script, mapping := b.Files[0], b.Files[1]
		if script.Type != TypeMinified || script.URL != c.url || script.DebugID != c.debugID || script.SourceMap != c.mapRef ||
			mapping.Type != TypeSourceMap || mapping.DebugID != c.debugID {
			t.Errorf("%s: %+v", c.name, b.Files)
		}
		text, err := b.Read(mapping.Path, 1<<20)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if m, err := Parse(text); err != nil || m.DebugID() != c.debugID {
			t.Errorf("%s: the map: %v", c.name, err)
		}
		code, err := b.Read(script.Path, 1<<20)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, id := References(code); id != c.debugID {
			t.Errorf("%s: the script says debug id %q", c.name, id)
		}
	}
}

// bombBundle has a file of a gigabyte of zeros.
func bombBundle(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for _, f := range []struct {
		name string
		size int
	}{{"manifest.json", 0}, {"a.js", 1024}} {
		w, err := z.Create(f.name)
		if err != nil {
			t.Fatal(err)
		}
		if f.size == 0 {
			io.WriteString(w, `{"files":{"a.js":{"url":"~/a.js","type":"source"},"missing.js":{}}}`)
		}
		zeros := make([]byte, 1<<20)
		for range f.size {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// Not parallel: it measures the heap.
func TestBundleBombStaysSmall(t *testing.T) {
	raw := bombBundle(t)
	b, err := ReadBundle(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Files) != 1 || b.Files[0].Size != 1<<30 {
		t.Fatalf("files: %+v", b.Files)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	_, err = b.Read("a.js", 4<<20)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("a gigabyte: %v", err)
	}
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 32 {
		t.Errorf("%d MB were allocated", used)
	}
}

func TestMalformedBundles(t *testing.T) {
	t.Parallel()
	good := file(t, "cli380.bundle")
	version := bytes.Clone(good)
	version[4] = 9
	var bare bytes.Buffer
	z := zip.NewWriter(&bare)
	if _, err := z.Create("x"); err != nil {
		t.Fatal(err)
	}
	z.Close()
	for name, raw := range map[string][]byte{"empty": nil, "short": good[:6], "cut": good[:len(good)/2], "version": version, "no zip": []byte("SYSB\x02\x00\x00\x00hello"), "no manifest": bare.Bytes()} {
		var m *MalformedError
		if _, err := ReadBundle(bytes.NewReader(raw), int64(len(raw))); !errors.As(err, &m) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b, err := ReadBundle(bytes.NewReader(good[8:]), int64(len(good)-8)); err != nil || len(b.Files) != 2 {
		t.Errorf("a bare zip: %v", err)
	}
}

func FuzzReadBundle(f *testing.F) {
	f.Add(file(f, "cli380.bundle"))
	f.Add(file(f, "vite11.bundle"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := ReadBundle(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		for _, file := range b.Files {
			if text, err := b.Read(file.Path, 1<<16); err == nil && len(text) > 1<<16 {
				t.Errorf("%s has %d bytes", file.Path, len(text))
			}
		}
	})
}
