package build_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/edge/build"
)

// TestWithin builds for somebody who may not read this machine's files.
func TestWithin(t *testing.T) {
	t.Parallel()
	w := usual(t)
	w.write("in/node", status(lampOld, bulbOld))
	good := func() build.Spec {
		s := w.spec(status(lampOld, bulbOld), build.Include{Security: true}, "bookworm", "bookworm-security")
		s.Variants[0].Nodes = []string{"node"}
		for i := range s.Variants[0].Sources {
			s.Variants[0].Sources[i].Keys = []string{"keys/../mirror.asc"}
		}
		return s
	}
	key, err := os.ReadFile(w.keys)
	if err != nil {
		t.Fatal(err)
	}
	w.write("in/mirror.asc", string(key))
	o := w.options()
	o.Within = filepath.Join(w.dir, "in")
	if _, err := build.Build(context.Background(), good(), o, io.Discard); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(s *build.Spec){
		"an absolute node":       func(s *build.Spec) { s.Variants[0].Nodes = []string{w.dir + "/node"} },
		"a node above":           func(s *build.Spec) { s.Variants[0].Nodes = []string{"../node"} },
		"a key of the machine":   func(s *build.Spec) { s.RepoKey = w.dir + "/repo.key" },
		"a list of the machine":  func(s *build.Spec) { s.Tracker = "/etc/passwd" },
		"a folder above":         func(s *build.Spec) { s.Variants[0].Sources[0] = build.Source{Folder: "../../x"} },
		"signers of the machine": func(s *build.Spec) { s.Variants[0].Sources[0].Keys = []string{w.keys} },
		"signers in disguise": func(s *build.Spec) {
			s.Variants[0].Sources[0].Keys = []string{"/usr/share/keyrings/../../../etc/passwd"}
		},
		"a mirror on disk": func(s *build.Spec) { s.Variants[0].Sources[0].URL = "file:///srv/mirror" },
	} {
		s := good()
		change(&s)
		_, err := build.Build(context.Background(), s, o, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "is not below the build's own files") && !strings.Contains(err.Error(), "not an address of the network") {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := good()
	s.Variants[0].OS, s.Variants[0].Nodes = "rocky/9/x86_64", []string{"."}
	if _, err := build.Build(context.Background(), s, o, io.Discard); err == nil || !strings.Contains(err.Error(), "cannot be read here") {
		t.Error("rpm was run over a foreign database:", err)
	}
}
