package version

import "strings"

// Deb orders Debian versions as dpkg does: [epoch:]upstream[-revision].
func Deb(a, b string) int {
	ea, ua, ra := splitDeb(a)
	eb, ub, rb := splitDeb(b)
	if c := compareNumbers(ea, eb); c != 0 {
		return c
	}
	if c := compareDebPart(ua, ub); c != 0 {
		return c
	}
	return compareDebPart(ra, rb)
}

func splitDeb(v string) (epoch, upstream, revision string) {
	epoch, upstream, found := strings.Cut(strings.TrimSpace(v), ":")
	if !found {
		epoch, upstream = "", epoch
	}
	if i := strings.LastIndexByte(upstream, '-'); i >= 0 {
		upstream, revision = upstream[:i], upstream[i+1:]
	}
	return epoch, upstream, revision
}

// weight of a character that is no digit: ~ before the end before letters before the rest.
func weight(s string) int {
	switch {
	case s == "" || isDigit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case isLetter(s[0]):
		return int(s[0])
	}
	return int(s[0]) + 256
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func compareDebPart(a, b string) int {
	for a != "" || b != "" {
		for a != "" && !isDigit(a[0]) || b != "" && !isDigit(b[0]) {
			if wa, wb := weight(a), weight(b); wa != wb {
				return sign(wa - wb)
			}
			a, b = a[1:], b[1:] // equal weights of non-digits: both have a character
		}
		var na, nb string
		na, a = digits(a)
		nb, b = digits(b)
		if c := compareNumbers(na, nb); c != 0 {
			return c
		}
	}
	return 0
}

func digits(s string) (number, rest string) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// compareNumbers compares without converting: versions hold numbers of any length.
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

// RPM orders [epoch:]version[-release] as rpm does. A release counts only where both
// have one: what packages ask of each other often leaves it out.
func RPM(a, b string) int {
	ea, va, ra := splitDeb(a)
	eb, vb, rb := splitDeb(b)
	if c := compareNumbers(ea, eb); c != 0 {
		return c
	}
	if c := compareRPMPart(va, vb); c != 0 || ra == "" || rb == "" {
		return c
	}
	return compareRPMPart(ra, rb)
}

func compareRPMPart(a, b string) int {
	for {
		a, b = strings.TrimLeftFunc(a, noRPM), strings.TrimLeftFunc(b, noRPM)
		if c, decided := compareMarks(&a, &b); decided {
			return c
		} else if c == again {
			continue
		}
		if a == "" || b == "" {
			return sign(len(a) - len(b))
		}
		if isDigit(a[0]) != isDigit(b[0]) {
			if isDigit(a[0]) {
				return 1 // a number is newer than a word
			}
			return -1
		}
		var pa, pb string
		if isDigit(a[0]) {
			pa, a = digits(a)
			pb, b = digits(b)
			if c := compareNumbers(pa, pb); c != 0 {
				return c
			}
			continue
		}
		pa, a = letters(a)
		pb, b = letters(b)
		if c := strings.Compare(pa, pb); c != 0 {
			return c
		}
	}
}

const again = 2

// compareMarks deals with ~ (older than the end) and ^ (newer than the end, older than anything else).
func compareMarks(a, b *string) (c int, decided bool) {
	ta, tb := strings.HasPrefix(*a, "~"), strings.HasPrefix(*b, "~")
	ca, cb := strings.HasPrefix(*a, "^"), strings.HasPrefix(*b, "^")
	switch {
	case ta && tb, ca && cb:
		*a, *b = (*a)[1:], (*b)[1:]
		return again, false
	case ta:
		return -1, true
	case tb:
		return 1, true
	case ca:
		return sign(1 - 2*min(1, len(*b))), true
	case cb:
		return sign(2*min(1, len(*a)) - 1), true
	}
	return 0, false
}

func noRPM(r rune) bool {
	return r > 127 || !isDigit(byte(r)) && !isLetter(byte(r)) && r != '~' && r != '^'
}

func letters(s string) (word, rest string) {
	i := 0
	for i < len(s) && isLetter(s[i]) {
		i++
	}
	return s[:i], s[i:]
}
