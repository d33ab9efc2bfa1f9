package resolve_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/edge/build/debian"
	"github.com/signalbox/signalbox/server/edge/build/resolve"
)

var rules = resolve.Rules{Compare: debian.Compare, Independent: "all", Native: "amd64"}

// packages reads control stanzas, which say what a test is about best.
func packages(t *testing.T, text string) []resolve.Package {
	t.Helper()
	var list []resolve.Package
	err := debian.EachStanza(strings.NewReader(text), nil, func(s debian.Stanza) error {
		if s.Get("Architecture") == "" {
			s = s.With("Architecture", "amd64")
		}
		p, err := debian.Package(s)
		p.Security = s.Get("From") == "security"
		list = append(list, p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// said writes a result in a line per thing.
func said(r resolve.Result) string {
	var b strings.Builder
	for _, c := range r.Changes {
		fmt.Fprintf(&b, "%s %s -> %s\n", c.From.Name, c.From.Version, c.To.Version)
	}
	for _, p := range r.New {
		fmt.Fprintf(&b, "new %s %s\n", p.Name, p.Version)
	}
	for _, p := range r.Removed {
		fmt.Fprintf(&b, "remove %s\n", p.Name)
	}
	for _, k := range r.Kept {
		fmt.Fprintf(&b, "kept %s %s, not %s: %s\n", k.Name, k.Installed, k.Candidate, k.Reason)
	}
	return strings.TrimSpace(b.String())
}

func everything(_, _ *resolve.Package) bool    { return true }
func onlySecurity(_, to *resolve.Package) bool { return to.Security }
func whatever(string) bool                     { return true }

func TestResolve(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, installed, available string
		problem                    resolve.Problem
		want                       string
	}{
		{name: "newer is taken, older and same are not", problem: resolve.Problem{Want: everything},
			installed: "Package: a\nVersion: 1\n\nPackage: b\nVersion: 3\n\nPackage: c\nVersion: 1\n",
			available: "Package: a\nVersion: 2\n\nPackage: a\nVersion: 3\n\nPackage: b\nVersion: 2\n\nPackage: c\nVersion: 1\n",
			want:      "a 1 -> 3"},
		{name: "security only takes the newest of the security source", problem: resolve.Problem{Want: onlySecurity},
			installed: "Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n",
			available: "Package: a\nVersion: 3\n\nPackage: a\nVersion: 2\nFrom: security\n\nPackage: b\nVersion: 2\n",
			want:      "a 1 -> 2"},
		{name: "an update brings what it needs, wanted or not", problem: resolve.Problem{Want: onlySecurity},
			installed: "Package: a\nVersion: 1\n\nPackage: liba\nVersion: 1\n",
			available: "Package: a\nVersion: 2\nDepends: liba (>= 2)\nFrom: security\n\nPackage: liba\nVersion: 2\n",
			want:      "a 1 -> 2\nliba 1 -> 2"},
		{name: "what would be new is not allowed", problem: resolve.Problem{Want: everything},
			installed: "Package: a\nVersion: 1\n", available: "Package: a\nVersion: 2\nDepends: n\n\nPackage: n\nVersion: 1\n",
			want: "kept a 1, not 2: it needs n"},
		{name: "what is new is allowed", problem: resolve.Problem{Want: everything, MayAdd: whatever},
			installed: "Package: a\nVersion: 1\n", available: "Package: a\nVersion: 2\nDepends: x | n\n\nPackage: n\nVersion: 1\nDepends: m\n\nPackage: m\nVersion: 4\n",
			want: "a 1 -> 2\nnew m 4\nnew n 1"},
		{name: "an older update will do when the newest cannot be", problem: resolve.Problem{Want: everything},
			installed: "Package: a\nVersion: 1\n", available: "Package: a\nVersion: 3\nDepends: n\n\nPackage: a\nVersion: 2\n",
			want: "a 1 -> 2\nkept a 1, not 3: it needs n"},
		{name: "versions that go together move together", problem: resolve.Problem{Want: onlySecurity},
			installed: "Package: a\nVersion: 1\nDepends: b (= 1)\n\nPackage: b\nVersion: 1\n",
			available: "Package: a\nVersion: 2\nDepends: b (= 2)\n\nPackage: b\nVersion: 2\nFrom: security\n",
			want:      "a 1 -> 2\nb 1 -> 2"},
		{name: "an update that would break another waits", problem: resolve.Problem{Want: everything},
			installed: "Package: a\nVersion: 1\nDepends: b (= 1)\n\nPackage: b\nVersion: 1\n", available: "Package: b\nVersion: 2\n",
			want: "kept b 1, not 2: a 1 needs b (= 1)"},
		{name: "held packages stay, and what needs them newer stays too", problem: resolve.Problem{Want: everything, Held: map[string]bool{"b": true}},
			installed: "Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n", available: "Package: a\nVersion: 2\nDepends: b (>= 2)\n\nPackage: b\nVersion: 2\n",
			want: "kept a 1, not 2: it needs b (>= 2)\nkept b 1, not 2: it is held on the node"},
		{name: "what breaks another takes it along", problem: resolve.Problem{Want: onlySecurity},
			installed: "Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n",
			available: "Package: a\nVersion: 2\nBreaks: b (<< 2)\nFrom: security\n\nPackage: b\nVersion: 2\n",
			want:      "a 1 -> 2\nb 1 -> 2"},
		{name: "a conflict keeps back", problem: resolve.Problem{Want: everything},
			installed: "Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n", available: "Package: a\nVersion: 2\nConflicts: b\n",
			want: "kept a 1, not 2: it does not go together with b 1"},
		{name: "a conflict removes where that is allowed", problem: resolve.Problem{Want: everything, MayRemove: whatever},
			installed: "Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n", available: "Package: a\nVersion: 2\nConflicts: b\n",
			want: "a 1 -> 2\nremove b"},
		{name: "what is needed is not removed", problem: resolve.Problem{Want: everything, MayRemove: whatever},
			installed: "Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n\nPackage: c\nVersion: 1\nDepends: b\n", available: "Package: a\nVersion: 2\nConflicts: b\n",
			want: "kept a 1, not 2: it does not go together with b 1"},
		{name: "virtual packages answer, with a version only where they have one", problem: resolve.Problem{Want: everything},
			installed: "Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n\nPackage: m\nVersion: 1\nProvides: mta, api (= 3)\n",
			available: "Package: a\nVersion: 2\nDepends: mta, api (>= 2)\n\nPackage: b\nVersion: 2\nDepends: mta (>= 1)\n",
			want:      "a 1 -> 2\nkept b 1, not 2: it needs mta (>= 1)"},
		{name: "what was broken before is no reason", problem: resolve.Problem{Want: everything},
			installed: "Package: a\nVersion: 1\nDepends: gone\n\nPackage: b\nVersion: 1\n", available: "Package: a\nVersion: 2\nDepends: gone\n\nPackage: b\nVersion: 2\n",
			want: "a 1 -> 2\nb 1 -> 2"},
		{name: "other architectures answer only when shared", problem: resolve.Problem{Want: everything},
			installed: "Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n\nPackage: i\nArchitecture: i386\nVersion: 2\n\nPackage: s\nArchitecture: i386\nVersion: 2\nMulti-Arch: foreign\n\nPackage: d\nArchitecture: all\nVersion: 2\n",
			available: "Package: a\nVersion: 2\nDepends: s (>= 2), d\n\nPackage: b\nVersion: 2\nDepends: i\n",
			want:      "a 1 -> 2\nkept b 1, not 2: it needs i"},
		{name: "libraries for two architectures move together", problem: resolve.Problem{Want: onlySecurity},
			installed: "Package: a\nVersion: 1\nMulti-Arch: same\n\nPackage: a\nArchitecture: i386\nVersion: 1\nMulti-Arch: same\n\nPackage: b\nVersion: 1\nMulti-Arch: same\n\nPackage: b\nArchitecture: i386\nVersion: 1\nMulti-Arch: same\n",
			available: "Package: a\nVersion: 2\nMulti-Arch: same\nFrom: security\n\nPackage: a\nArchitecture: i386\nVersion: 2\nMulti-Arch: same\n\nPackage: b\nVersion: 2\nMulti-Arch: same\nFrom: security\n",
			want:      "a 1 -> 2\na 1 -> 2\nkept b 1, not 2: it does not go together with b 1"},
		{name: "a pin goes to an older version", problem: resolve.Problem{Want: func(_, _ *resolve.Package) bool { return false }, Pin: map[string]string{"a": "1"}},
			installed: "Package: a\nVersion: 3\n\nPackage: b\nVersion: 1\n", available: "Package: a\nVersion: 1\n\nPackage: a\nVersion: 2\n\nPackage: b\nVersion: 2\n",
			want: "a 3 -> 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.problem.Installed = packages(t, c.installed)
			u := resolve.NewUniverse(rules, packages(t, c.available))
			if got := said(resolve.Resolve(u, c.problem)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestResultHolds makes up fleets at random: whatever comes out, every need that held holds.
func TestResultHolds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var installed, available []resolve.Package
		for i := range 12 {
			for v := range 3 {
				p := resolve.Package{Name: fmt.Sprint("p", i), Version: fmt.Sprint(v + 1), Arch: "amd64", Security: r.IntN(2) == 0}
				for range r.IntN(3) {
					rel := resolve.Relation{Name: fmt.Sprint("p", r.IntN(14)), Op: []string{"", ">=", "=", "<="}[r.IntN(4)], Version: fmt.Sprint(1 + r.IntN(3))}
					p.Requires = append(p.Requires, resolve.Clause{rel})
				}
				if r.IntN(5) == 0 {
					p.Conflicts = append(p.Conflicts, resolve.Relation{Name: fmt.Sprint("p", r.IntN(12)), Op: "<<", Version: fmt.Sprint(1 + r.IntN(3))})
				}
				if v == 0 && i < 9 {
					installed = append(installed, p)
				} else {
					available = append(available, p)
				}
			}
		}
		problem := resolve.Problem{Installed: installed, Want: everything, MayAdd: whatever}
		u := resolve.NewUniverse(rules, available)
		result := resolve.Resolve(u, problem)
		if again := resolve.Resolve(u, problem); said(again) != said(result) {
			t.Fatalf("seed %d: two results:\n%s\n\n%s", seed, said(result), said(again))
		}
		check(t, seed, installed, result)
	}
}

func check(t *testing.T, seed uint64, installed []resolve.Package, result resolve.Result) {
	t.Helper()
	now := map[string]resolve.Package{}
	was := map[string]resolve.Package{}
	for _, p := range installed {
		now[p.Name], was[p.Name] = p, p
	}
	for _, c := range result.Changes {
		now[c.To.Name] = *c.To
	}
	for _, p := range result.New {
		now[p.Name] = *p
	}
	met := func(set map[string]resolve.Package, rel resolve.Relation) bool {
		p, there := set[rel.Name]
		c := debian.Compare(p.Version, rel.Version)
		return there && (rel.Op == "" || rel.Op == ">=" && c >= 0 || rel.Op == "<=" && c <= 0 || rel.Op == "=" && c == 0 || rel.Op == "<<" && c < 0)
	}
	for _, p := range now {
		for _, clause := range p.Requires {
			old := was[p.Name]
			inherited := slices.ContainsFunc(old.Requires, func(c resolve.Clause) bool { return slices.Equal(c, clause) }) && !met(was, clause[0])
			if !met(now, clause[0]) && !inherited {
				t.Errorf("seed %d: %s %s needs %s", seed, p.Name, p.Version, clause)
			}
		}
		for _, rel := range p.Conflicts {
			before := was[p.Name].Version == p.Version && was[rel.Name].Version == now[rel.Name].Version
			if rel.Name != p.Name && met(now, rel) && !before {
				t.Errorf("seed %d: %s %s conflicts with %s", seed, p.Name, p.Version, rel)
			}
		}
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	u := resolve.NewUniverse(rules, packages(t, "Package: a\nVersion: 2\nProvides: x (= 2), y\nDepends: z\n\nPackage: b\nVersion: 1\nDepends: c\nMulti-Arch: foreign\n"))
	a := u.Complete(resolve.Package{Name: "a", Version: "1", Arch: "amd64"})
	if len(a.Requires) != 0 || fmt.Sprint(a.Provides) != "[{x 1} {y }]" {
		t.Errorf("a version that is gone: %+v", a)
	}
	b := u.Complete(resolve.Package{Name: "b", Version: "1", Arch: "amd64"})
	if len(b.Requires) != 1 || !b.Shared {
		t.Errorf("a version that is there: %+v", b)
	}
}
