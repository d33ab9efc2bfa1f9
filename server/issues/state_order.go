package issues

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// version is a release name that follows semantic versioning: package@1.2.3-rc.1+build.
type version struct {
	pack    string
	numbers [4]uint64
	pre     []string
	build   string
}

// parseVersion reads [package@][v]1[.2[.3[.4]]][-pre][+build].
func parseVersion(text string) (v version, ok bool) {
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		v.pack, text = text[:at], text[at+1:]
	}
	text = strings.TrimPrefix(text, "v")
	text, v.build, _ = strings.Cut(text, "+")
	text, pre, hasPre := strings.Cut(text, "-")
	if hasPre {
		v.pre = strings.Split(pre, ".")
	}
	parts := strings.Split(text, ".")
	if len(parts) > len(v.numbers) || len(parts) < 2 && v.pack == "" { // a bare number is more likely a build
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 63)
		if err != nil {
			return v, false
		}
		v.numbers[i] = n
	}
	return v, true
}

func (v version) compare(o version) int {
	for i := range v.numbers {
		if c := cmp.Compare(v.numbers[i], o.numbers[i]); c != 0 {
			return c
		}
	}
	if c := comparePre(v.pre, o.pre); c != 0 {
		return c
	}
	return compareWord(v.build, o.build)
}

// comparePre orders pre-releases as semver does: none is newer than any.
func comparePre(a, b []string) int {
	switch {
	case len(a) == 0 && len(b) == 0:
		return 0
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	for i := range min(len(a), len(b)) {
		if c := compareWord(a[i], b[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// compareWord compares numbers as numbers; a number is older than a word.
func compareWord(a, b string) int {
	x, errX := strconv.ParseUint(a, 10, 63)
	y, errY := strconv.ParseUint(b, 10, 63)
	switch {
	case errX == nil && errY == nil:
		return cmp.Compare(x, y)
	case a == "" || b == "":
		return cmp.Compare(len(a), len(b))
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return strings.Compare(a, b)
}

// orderReleases compares by semantic version where both names of one package
// have one, by their dates otherwise.
func orderReleases(created func(release string) (time.Time, bool)) releaseOrder {
	return func(a, b string) (int, bool) {
		if a == b {
			return 0, true
		}
		va, okA := parseVersion(a)
		vb, okB := parseVersion(b)
		if okA && okB && va.pack == vb.pack {
			return va.compare(vb), true
		}
		ta, okA := created(a)
		tb, okB := created(b)
		if !okA || !okB {
			return 0, false
		}
		return ta.Compare(tb), true
	}
}

// newest gives the newest of some releases, "" for none.
func newest(releases []string, order releaseOrder) string {
	best := ""
	for _, r := range releases {
		if c, known := order(r, best); best == "" || known && c > 0 {
			best = r
		}
	}
	return best
}
