package redhat

import "strings"

// Compare orders epoch:version-release as rpm does. A release is compared only where both
// sides have one, as relations often leave it out.
func Compare(a, b string) int {
	ea, va, ra := split(a)
	eb, vb, rb := split(b)
	if c := compareDigits(ea, eb); c != 0 {
		return c
	}
	if c := comparePart(va, vb); c != 0 || ra == "" || rb == "" {
		return c
	}
	return comparePart(ra, rb)
}

func split(evr string) (epoch, version, release string) {
	if before, after, found := strings.Cut(evr, ":"); found {
		epoch, evr = before, after
	}
	if i := strings.LastIndexByte(evr, '-'); i >= 0 {
		return epoch, evr[:i], evr[i+1:]
	}
	return epoch, evr, ""
}

// EVR puts together what headers and metadata keep apart; an epoch of 0 is not written.
func EVR(epoch, version, release string) string {
	text := version
	if release != "" {
		text += "-" + release
	}
	if epoch != "" && epoch != "0" {
		text = epoch + ":" + text
	}
	return text
}

func alphanumeric(c byte) bool { return digit(c) || letter(c) }
func digit(c byte) bool        { return c >= '0' && c <= '9' }
func letter(c byte) bool       { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// comparePart compares piece by piece, of digits or of letters; what separates them does not
// count, a tilde sorts before the end, a caret after it and before anything else.
func comparePart(a, b string) int {
	for a != "" || b != "" {
		a, b = skip(a), skip(b)
		if c, both := mark(&a, &b, '~', -1); c != 0 || both {
			if c != 0 {
				return c
			}
			continue
		}
		if c, both := caret(&a, &b); c != 0 || both {
			if c != 0 {
				return c
			}
			continue
		}
		if a == "" || b == "" {
			break
		}
		c, done := piece(&a, &b)
		if done || c != 0 {
			return c
		}
	}
	return sign(len(a) - len(b))
}

func skip(s string) string {
	for s != "" && !alphanumeric(s[0]) && s[0] != '~' && s[0] != '^' {
		s = s[1:]
	}
	return s
}

// mark handles a sign that one or both may begin with.
func mark(a, b *string, c byte, ifA int) (result int, both bool) {
	inA, inB := strings.HasPrefix(*a, string(c)), strings.HasPrefix(*b, string(c))
	switch {
	case inA && inB:
		*a, *b = (*a)[1:], (*b)[1:]
		return 0, true
	case inA:
		return ifA, false
	case inB:
		return -ifA, false
	}
	return 0, false
}

func caret(a, b *string) (result int, both bool) {
	inA, inB := strings.HasPrefix(*a, "^"), strings.HasPrefix(*b, "^")
	switch {
	case inA && *b == "":
		return 1, false
	case inB && *a == "":
		return -1, false
	}
	return mark(a, b, '^', -1)
}

// piece compares the next run of digits or letters of both; digits are above letters.
func piece(a, b *string) (result int, done bool) {
	kind := letter
	if digit((*a)[0]) {
		kind = digit
	}
	x, y := run(a, kind), run(b, kind)
	if y == "" {
		if digit(x[0]) {
			return 1, true
		}
		return -1, true
	}
	if digit(x[0]) {
		return compareDigits(x, y), false
	}
	return strings.Compare(x, y), false
}

func run(s *string, kind func(byte) bool) string {
	i := 0
	for i < len(*s) && kind((*s)[i]) {
		i++
	}
	out := (*s)[:i]
	*s = (*s)[i:]
	return out
}

func compareDigits(a, b string) int {
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
