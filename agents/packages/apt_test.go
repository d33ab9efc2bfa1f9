package packages

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/agents/protocol"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("%s: %v\n%s", name, err, got)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestParseStatus(t *testing.T) {
	t.Parallel()
	list, held, err := ParseStatus(strings.NewReader(read(t, "status")), "amd64")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "%s|%s|%s|%s|%s\n", p.Name, p.Version, p.Arch, p.Source, p.Status)
	}
	fmt.Fprintf(&b, "held %v\n", held)
	golden(t, "status.golden", b.String())
}

func FuzzParseStatus(f *testing.F) {
	f.Add("Package: a\nStatus: install ok installed\nVersion: 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, _, err := ParseStatus(strings.NewReader(text), "amd64")
		if err == nil && !slices.IsSortedFunc(list, func(a, b protocol.Package) int { return strings.Compare(a.Name, b.Name) }) {
			t.Error("not sorted")
		}
	})
}

func plan(p Plan) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(p.Upgrade)) {
		fmt.Fprintf(&b, "upgrade %s to %s\n", k, p.Upgrade[k])
	}
	for _, k := range slices.Sorted(maps.Keys(p.New)) {
		fmt.Fprintf(&b, "add %s %s\n", k, p.New[k])
	}
	for _, k := range p.Remove {
		fmt.Fprintf(&b, "remove %s\n", k)
	}
	return b.String()
}

func TestParseSimulation(t *testing.T) {
	t.Parallel()
	golden(t, "simulation.golden", plan(ParseSimulation(read(t, "simulation"))))
}

func TestParseTransaction(t *testing.T) {
	t.Parallel()
	p, some := ParseTransaction(read(t, "transaction"), "x86_64")
	if !some {
		t.Error("it has a table")
	}
	golden(t, "transaction.golden", plan(p))
	if _, some := ParseTransaction("Dependencies resolved.\nNothing to do.\nComplete!\n", "x86_64"); some {
		t.Error("it has no table")
	}
}

func FuzzPlans(f *testing.F) {
	f.Add("Inst a [1] (2 local [amd64])\nRemv b [1]\n")
	f.Add("Upgrading:\n a  x86_64  1:2-1  signalbox  10 k\n")
	f.Fuzz(func(t *testing.T, text string) {
		ParseSimulation(text)
		ParseTransaction(text, "x86_64")
		ParseQuery(text)
		parseVersionLock(text)
	})
}

func TestParseQuery(t *testing.T) {
	t.Parallel()
	list := ParseQuery("bash\t5.1.8-9.el9\tx86_64\tbash-5.1.8-9.el9.src.rpm\nopenssl-libs\t1:3.0.7-27.el9\tx86_64\topenssl-3.0.7-27.el9.src.rpm\ngpg-pubkey\t1-2\t(none)\t(none)\n\nbroken\n")
	if len(list) != 2 || list[0].Source != "" || list[1].Source != "openssl" || list[1].Version != "1:3.0.7-27.el9" {
		t.Errorf("%+v", list)
	}
}

func TestVersionLock(t *testing.T) {
	t.Parallel()
	if got := parseVersionLock("# comment\nkernel-core-0:5.14.0-1.el9.*\n!bash-0:5.1.8-6.el9.*\n\nopenssl-libs-1:3.0.7-27.el9.*\n"); !slices.Equal(got, []string{"kernel-core", "openssl-libs"}) {
		t.Error(got)
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, arch, want string }{{"a", "amd64", "a"}, {"a", "all", "a"}, {"a", "noarch", "a"}, {"a", "i386", "a:i386"}, {"a", "", "a"}} {
		if got := Key(c.name, c.arch, "amd64"); got != c.want {
			t.Errorf("%s %s: %s", c.name, c.arch, got)
		}
	}
}
