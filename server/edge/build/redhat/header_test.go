package redhat_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/edge/build/redhat"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s", name, got)
	}
}

func file(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "rpm", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReadRPM(t *testing.T) {
	t.Parallel()
	data := file(t, "new/lamp-1.1-1.noarch.rpm")
	p, err := redhat.ReadRPM(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(map[string]any{"package": p.Package(), "files": p.Files(), "source": p.Source(), "signed": p.Signed(), "installed": p.Installed(),
		"made": p.Made(), "fixes": p.Fixes("1.0-1"), "all_fixes": p.Fixes("0.1-1"), "start": p.Start, "end": p.End}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "lamp.json", append(got, '\n'))
	for n := range len(data) / 97 {
		if n*97 < int(p.End) {
			if _, err := redhat.ReadRPM(bytes.NewReader(data[:n*97])); err == nil {
				t.Errorf("%d bytes were read as a package", n*97)
			}
		}
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	data := file(t, "new/lamp-1.1-1.noarch.rpm")
	p, err := redhat.ReadRPM(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	yes := func(signed, signature []byte) error {
		if !bytes.Equal(signed, data[p.Start:p.End]) || len(signature) < 100 {
			t.Error("not the header and its signature")
		}
		return nil
	}
	if err := p.Verify(yes, bytes.NewReader(data[p.End:])); err != nil {
		t.Error(err)
	}
	changed := bytes.Clone(data[p.End:])
	changed[len(changed)/2] ^= 1
	if p.Verify(yes, bytes.NewReader(changed)) == nil {
		t.Error("a changed payload was believed")
	}
	no := errors.New("no")
	if err := p.Verify(func(_, _ []byte) error { return no }, bytes.NewReader(data[p.End:])); !errors.Is(err, no) {
		t.Error("a wrong signature was believed:", err)
	}
	plain, err := redhat.ReadRPM(bytes.NewReader(file(t, "old/lamp-1.0-1.noarch.rpm")))
	if err != nil || plain.Signed() || plain.Verify(yes, bytes.NewReader(nil)) == nil {
		t.Error("an unsigned package was believed:", err)
	}
}

func TestWriteRepo(t *testing.T) {
	t.Parallel()
	var entries []redhat.Entry
	for _, name := range []string{"new/lamp-1.1-1.noarch.rpm", "new/bulb-1.1-1.noarch.rpm"} {
		data := file(t, name)
		p, err := redhat.ReadRPM(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		entries = append(entries, redhat.Entry{RPM: p, Path: "Packages/" + filepath.Base(name), Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])})
	}
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	files, err := redhat.WriteRepo(entries, at)
	if err != nil {
		t.Fatal(err)
	}
	entries[0], entries[1] = entries[1], entries[0]
	again, err := redhat.WriteRepo(entries, at)
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		if files[i].Path != again[i].Path || !bytes.Equal(files[i].Data, again[i].Data) {
			t.Errorf("%s differs with the order of packages", files[i].Path)
		}
	}
	golden(t, "primary.xml", unzip(t, files[1].Data))
	golden(t, "filelists.xml", unzip(t, files[2].Data))
	index, err := redhat.ReadIndex(files[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	primary, found := index.Find("primary")
	if sum := sha256.Sum256(files[1].Data); !found || primary.SHA256 != hex.EncodeToString(sum[:]) || primary.Size != int64(len(files[1].Data)) || !index.Date.Equal(at) {
		t.Errorf("%+v", index)
	}
	offers, err := redhat.ReadPrimary(bytes.NewReader(unzip(t, files[1].Data)))
	if err != nil || len(offers) != 2 {
		t.Fatal(offers, err)
	}
	if o := offers[0]; o.Name != "bulb" || o.Version != "1.1-1" || o.Location != "Packages/bulb-1.1-1.noarch.rpm" || o.Size != entries[0].Size || o.Requires[0].String() != "lamp (= 1.1)" {
		t.Errorf("%+v", o)
	}
}

func FuzzReadRPM(f *testing.F) {
	data, err := os.ReadFile("../testdata/rpm/new/lamp-1.1-1.noarch.rpm")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:200])
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := redhat.ReadRPM(bytes.NewReader(data))
		if err != nil {
			return
		}
		if p.End > int64(len(data)) || p.Name() == "" {
			t.Errorf("%d of %d", p.End, len(data))
		}
		_, _, _, _ = p.Package(), p.Fixes("1"), p.Installed(), p.Signed()
	})
}
