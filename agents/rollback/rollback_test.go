package rollback

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type fake struct {
	name string
	err  error
}

func (f fake) Name() string                                 { return f.name }
func (f fake) Probe(context.Context, Point) error           { return f.err }
func (f fake) Create(context.Context, Point) error          { return nil }
func (f fake) Restore(context.Context, Point) (bool, error) { return false, nil }
func (f fake) Delete(context.Context, string) error         { return nil }

func TestChoose(t *testing.T) {
	t.Parallel()
	no := errors.New("not here")
	for _, c := range []struct {
		method          string
		btrfs, packages error
		want            string
	}{
		{"auto", nil, nil, MethodBtrfs}, {"auto", no, nil, MethodPackages}, {"packages", nil, nil, MethodPackages}, {"snapshot", nil, no, MethodBtrfs},
		{"snapshot", no, nil, ""}, {"packages", nil, no, ""}, {"auto", no, no, ""},
	} {
		d, err := Choose(t.Context(), []Driver{fake{MethodBtrfs, c.btrfs}, fake{MethodPackages, c.packages}}, c.method, Point{})
		if c.want == "" && (err == nil || !strings.Contains(err.Error(), "not here")) || c.want != "" && (err != nil || d.Name() != c.want) {
			t.Errorf("%s: %v, %v", c.method, d, err)
		}
	}
}

func TestStash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := OpenStash(dir)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, version, arch, sha string) {
		t.Helper()
		err := s.Put(Kept{Name: name, Version: version, Arch: arch, SHA256: sha, Size: 3, Ext: "deb"}, func(path string) error { return os.WriteFile(path, []byte("abc"), 0o644) })
		if err != nil {
			t.Fatal(err)
		}
	}
	put("a", "1", "amd64", "h1")
	put("a", "1", "i386", "h2")
	put("b", "1", "all", "h3")
	put("b", "1", "all", "h3")
	if err := s.Put(Kept{SHA256: "h4", Ext: "deb"}, func(path string) error {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
		return errors.New("wrong hash")
	}); err == nil {
		t.Error("what could not be made is kept")
	}
	if s, err = OpenStash(dir); err != nil || strings.Join(s.Hashes(), " ") != "h1 h2 h3" {
		t.Fatal(s.Hashes(), err)
	}
	if k, ok := s.ByVersion("a", "1", "i386"); !ok || k.SHA256 != "h2" {
		t.Error(k)
	}
	if _, ok := s.ByVersion("a", "2", ""); ok {
		t.Error("a version that is not there")
	}
	p := &Packages{Stash: s, Native: "amd64"}
	if err := p.Probe(t.Context(), Point{Before: map[string]string{"a": "1", "a:i386": "1", "b": "1", "new": ""}}); err != nil {
		t.Error(err)
	}
	if err := p.Probe(t.Context(), Point{Before: map[string]string{"a": "0", "c": "1"}}); err == nil || !strings.Contains(err.Error(), "a 0, c 1") {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "h1.deb"), []byte("shorter or longer"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err = OpenStash(dir); err != nil || strings.Join(s.Hashes(), " ") != "h2 h3" {
		t.Error("a file of another size counts", s.Hashes(), err)
	}
	if err := s.Keep(func(k Kept) bool { return k.Name == "b" }); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
}
