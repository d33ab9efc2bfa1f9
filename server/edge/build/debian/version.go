package debian

import "strings"

// Compare orders two versions as dpkg does: epoch, upstream version, revision.
func Compare(a, b string) int {
	ea, ua, ra := splitVersion(a)
	eb, ub, rb := splitVersion(b)
	if c := compareNumbers(ea, eb); c != 0 {
		return c
	}
	if c := comparePart(ua, ub); c != 0 {
		return c
	}
	return comparePart(ra, rb)
}

func splitVersion(v string) (epoch, upstream, revision string) {
	v = strings.TrimSpace(v)
	if before, after, found := strings.Cut(v, ":"); found {
		epoch, v = before, after
	}
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return epoch, v[:i], v[i+1:]
	}
	return epoch, v, ""
}

// comparePart walks in turns through what is no digit and what is; a tilde sorts before the end.
func comparePart(a, b string) int {
	for a != "" || b != "" {
		na, nb := digitsAt(a), digitsAt(b)
		for i := 0; i < max(na, nb); i++ {
			if x, y := weight(a, i, na), weight(b, i, nb); x != y {
				return sign(x - y)
			}
		}
		a, b = a[na:], b[nb:]
		na, nb = lettersAt(a), lettersAt(b)
		if c := compareNumbers(a[:na], b[:nb]); c != 0 {
			return c
		}
		a, b = a[na:], b[nb:]
	}
	return 0
}

// digitsAt is where the first digit stands, lettersAt the first that is none.
func digitsAt(s string) int {
	return indexOr(s, func(r rune) bool { return r >= '0' && r <= '9' })
}

func lettersAt(s string) int { return indexOr(s, func(r rune) bool { return r < '0' || r > '9' }) }

func indexOr(s string, f func(rune) bool) int {
	if i := strings.IndexFunc(s, f); i >= 0 {
		return i
	}
	return len(s)
}

func weight(s string, i, end int) int {
	switch {
	case i >= end:
		return 0
	case s[i] == '~':
		return -1
	case s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z':
		return int(s[i])
	}
	return int(s[i]) + 256
}

// compareNumbers compares digits of any length; none are zero.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return sign(len(a) - len(b))
	}
	return strings.Compare(a, b)
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
