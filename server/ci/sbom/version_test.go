package sbom_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/sbom"
)

// ordered are versions of each scheme from low to high; those with = between them are equal.
var ordered = map[sbom.Scheme][]string{
	sbom.SemVer: {"0.9", "1.0.0-alpha = v1.0.0-alpha+build", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
		"1.0.0 = v1 = 1.0.0+incompatible = 01.0", "1.0.1-0.20240101000000-0123456789ab", "1.0.1-0.20250101000000-0123456789ab", "1.0.1", "1.2.0", "1.10.0", "2.0.0-0", "2.0.0"},
	sbom.Maven: {"1.0-alpha-1 = 1.0.alpha.1 = 1-a1", "1.0-alpha-2", "1.0-beta", "1.0-M1 = 1.0-milestone-1", "1.0-RC1 = 1.0-cr1", "1.0-RC2", "1.0-SNAPSHOT",
		"1.0 = 1 = 1.0.0 = 1.0.Final = 1.0-GA", "1.0-sp", "1.0-jre", "1.0-1", "1.0.1", "2.0", "2.3.4", "2.14.1", "2.17.0", "2.17.1", "2.17.2"},
	sbom.Debian:  {"1.0~~", "1.0~rc1-1", "1.0 = 0:1.0", "1.0-1~bpo12+1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0-2", "1.0a", "1.0+dfsg-1", "1.0.1", "1.2.13.dfsg-1", "2.36-9", "2.36-9+deb12u9", "2.36-9+deb12u10", "1:0.1", "1:1.2.13"},
	sbom.Python:  {"1.0.dev1", "1.0a1.dev1", "1.0a1 = 1.0-alpha1 = 1.0.a.1", "1.0b2", "1.0rc1 = 1.0c1", "1.0 = 1.0.0 = v1.0 = 1.0+local", "1.0.post1", "1.0.1", "1.1", "4.2.11", "1!0.1"},
	sbom.Generic: {"1.0-rc1", "1.0 = 1", "1.0-x", "1.1", "1.9", "1.10", "2024.01.02"},
}

func TestCompareTables(t *testing.T) {
	t.Parallel()
	for scheme, classes := range ordered {
		for i, low := range classes {
			for j, high := range classes {
				want := max(min(i-j, 1), -1)
				for _, a := range strings.Split(low, " = ") {
					for _, b := range strings.Split(high, " = ") {
						if got := max(min(sbom.Compare(scheme, a, b), 1), -1); got != want {
							t.Errorf("%s: %s and %s: %d, want %d", scheme, a, b, got, want)
						}
					}
				}
			}
		}
	}
}

func TestSchemeOf(t *testing.T) {
	t.Parallel()
	for purl, want := range map[string]sbom.Scheme{"pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1": sbom.Maven, "pkg:npm/react@1": sbom.SemVer, "pkg:golang/x@v1": sbom.SemVer,
		"pkg:deb/debian/libc6@1": sbom.Debian, "pkg:rpm/fedora/x": sbom.Debian, "pkg:PyPI/x": sbom.Python, "pkg:gem/rails@7": sbom.Generic, "": sbom.Generic, "npm/x": sbom.Generic} {
		if got := sbom.SchemeOf(purl); got != want {
			t.Errorf("%q: %s", purl, got)
		}
	}
}

// FuzzCompare holds that every scheme is an order: whoever asks "below?" gets the same
// answer whatever else is in the list.
func FuzzCompare(f *testing.F) {
	for _, classes := range ordered {
		for i := range len(classes) - 2 {
			f.Add(strings.Split(classes[i], " = ")[0], classes[i+1], classes[i+2])
		}
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, scheme := range []sbom.Scheme{sbom.Generic, sbom.SemVer, sbom.Maven, sbom.Debian, sbom.Python} {
			if sbom.Compare(scheme, a, a) != 0 {
				t.Errorf("%s: %q is not itself", scheme, a)
			}
			if x, y := sbom.Compare(scheme, a, b), sbom.Compare(scheme, b, a); x > 0 != (y < 0) || x == 0 != (y == 0) {
				t.Errorf("%s: %q and %q: %d and %d", scheme, a, b, x, y)
			}
			list := []string{a, b, c}
			slices.SortFunc(list, func(x, y string) int { return sbom.Compare(scheme, x, y) })
			if sbom.Compare(scheme, list[0], list[2]) > 0 {
				t.Errorf("%s: %q goes round", scheme, list)
			}
		}
	})
}
