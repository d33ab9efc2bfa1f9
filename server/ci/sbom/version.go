package sbom

import (
	"cmp"
	"slices"
	"strings"
)

// Scheme is how versions of an ecosystem compare; the words are types in package URLs.
type Scheme string

// The schemes that differ. Every other type compares as Generic.
const (
	Generic Scheme = "generic"
	SemVer  Scheme = "semver" // npm, golang, cargo, nuget, composer, hex, swift, pub, github
	Maven   Scheme = "maven"
	Debian  Scheme = "deb" // also rpm, alpm and apk, whose rules are close
	Python  Scheme = "pypi"
)

var schemes = map[string]Scheme{"npm": SemVer, "golang": SemVer, "cargo": SemVer, "nuget": SemVer, "composer": SemVer, "hex": SemVer, "swift": SemVer,
	"pub": SemVer, "github": SemVer, "maven": Maven, "deb": Debian, "rpm": Debian, "alpm": Debian, "apk": Debian, "pypi": Python}

// SchemeOf finds the scheme that a package URL asks for.
func SchemeOf(purl string) Scheme {
	kind, _, _ := strings.Cut(strings.TrimPrefix(purl, "pkg:"), "/")
	if s, ok := schemes[strings.ToLower(kind)]; ok && strings.HasPrefix(purl, "pkg:") {
		return s
	}
	return Generic
}

// Compare is negative when a is below b. Every text is a version: what a scheme does
// not know is compared as well as it goes, the same way each time.
func Compare(s Scheme, a, b string) int {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	switch s {
	case Debian:
		return compareDebian(a, b)
	case SemVer:
		return compareSemVer(a, b)
	}
	return compareParts(parts(s, a), parts(s, b))
}

func compareParts(x, y []part) int {
	for i := range max(len(x), len(y)) {
		if d := at(x, i).compare(at(y, i)); d != 0 {
			return d
		}
	}
	return 0
}

// part is a number or a word of a version. Its rank decides between kinds: what comes
// before a release is below it, a further number above.
type part struct {
	rank   int
	number string // without leading zeros
	word   string
}

func at(list []part, i int) part {
	if i < len(list) {
		return list[i]
	}
	return part{}
}

func (p part) compare(q part) int {
	return cmp.Or(cmp.Compare(p.rank, q.rank), compareNumbers(p.number, q.number), strings.Compare(p.word, q.word))
}

func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// The ranks of parts. The end of a version (rank 0) is its release.
const (
	rankDev      = -9
	rankAlpha    = -8
	rankBeta     = -7
	rankMileston = -6
	rankRC       = -5
	rankSnapshot = -4
	rankEnd      = 0
	rankPost     = 1
	rankWord     = 2
	rankDashed   = 3 // Maven: "1-1" is above "1" and below "1.0.1"
	rankNumber   = 4
)

var wordRank = map[string]int{"dev": rankDev, "a": rankAlpha, "alpha": rankAlpha, "b": rankBeta, "beta": rankBeta, "m": rankMileston, "milestone": rankMileston,
	"pre": rankRC, "preview": rankRC, "c": rankRC, "cr": rankRC, "rc": rankRC, "snapshot": rankSnapshot, "ga": rankEnd, "final": rankEnd, "release": rankEnd,
	"sp": rankPost, "post": rankPost, "rev": rankPost, "r": rankPost}

// parts cuts a version where digits and letters meet and at every other sign.
func parts(s Scheme, version string) []part {
	version = strings.ToLower(version)
	if s != Maven {
		version = strings.TrimPrefix(version, "v")
	}
	epoch := "0"
	if s == Python {
		if e, rest, ok := strings.Cut(version, "!"); ok && digits(e) == len(e) && e != "" {
			epoch, version = e, rest
		}
	}
	var out []part
	if s == Python {
		version, _, _ = strings.Cut(version, "+") // a local version hardly counts
		out = append(out, numberPart(epoch))
	}
	for i := 0; i < len(version); {
		if n := digits(version[i:]); n > 0 {
			p := numberPart(version[i : i+n])
			if s == Maven && i > 1 && version[i-1] == '-' && isDigit(version[i-2]) {
				p.rank, out = rankDashed, trimZeros(out)
			}
			out = append(out, p)
			i += n
		} else if n := letters(version[i:]); n > 0 {
			out = append(trimZeros(out), wordPart(version[i:i+n]))
			i += n
		} else {
			i++
		}
	}
	return trimZeros(out)
}

// trimZeros drops what "1.0" has more than "1".
func trimZeros(list []part) []part {
	for len(list) > 0 && (list[len(list)-1] == numberPart("0") || list[len(list)-1] == part{}) {
		list = list[:len(list)-1]
	}
	return list
}

func numberPart(text string) part {
	return part{rank: rankNumber, number: strings.TrimLeft(text, "0")}
}

func wordPart(word string) part {
	if rank, ok := wordRank[word]; ok {
		if rank == rankEnd {
			return part{}
		}
		return part{rank: rank}
	}
	return part{rank: rankWord, word: word}
}

func run(text string, in func(byte) bool) int {
	n := 0
	for n < len(text) && in(text[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 0x80 }

func digits(text string) int  { return run(text, isDigit) }
func letters(text string) int { return run(text, isLetter) }

// compareSemVer: what follows the first dash comes before the release; what follows
// a plus does not count. Numbers may be more or fewer than three.
func compareSemVer(a, b string) int {
	coreA, preA := splitSemVer(a)
	coreB, preB := splitSemVer(b)
	d := compareParts(parts(Generic, coreA), parts(Generic, coreB))
	if d != 0 || preA == preB {
		return d
	}
	if preA == "" || preB == "" {
		return cmp.Compare(len(preB), len(preA))
	}
	return slices.CompareFunc(strings.Split(preA, "."), strings.Split(preB, "."), compareIdentifiers)
}

func splitSemVer(v string) (core, pre string) {
	v, _, _ = strings.Cut(v, "+")
	core, pre, _ = strings.Cut(v, "-")
	return core, pre
}

// compareIdentifiers: numbers by value and before words.
func compareIdentifiers(a, b string) int {
	numberA, numberB := digits(a) == len(a), digits(b) == len(b)
	switch {
	case numberA && numberB:
		return compareNumbers(strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0"))
	case numberA:
		return -1
	case numberB:
		return 1
	}
	return strings.Compare(a, b)
}

// compareDebian is the algorithm of dpkg: epoch, upstream version, revision.
func compareDebian(a, b string) int {
	epochA, upstreamA, revisionA := splitDebian(a)
	epochB, upstreamB, revisionB := splitDebian(b)
	return cmp.Or(compareNumbers(epochA, epochB), compareDebianPart(upstreamA, upstreamB), compareDebianPart(revisionA, revisionB))
}

func splitDebian(v string) (epoch, upstream, revision string) {
	if e, rest, ok := strings.Cut(v, ":"); ok && digits(e) == len(e) {
		epoch, v = strings.TrimLeft(e, "0"), rest
	}
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return epoch, v[:i], v[i+1:]
	}
	return epoch, v, ""
}

func compareDebianPart(a, b string) int {
	for a != "" || b != "" {
		for a != "" && !isDigit(a[0]) || b != "" && !isDigit(b[0]) {
			if d := cmp.Compare(debianOrder(a), debianOrder(b)); d != 0 {
				return d
			}
			a, b = tail(a), tail(b)
		}
		n, m := digits(a), digits(b)
		if d := compareNumbers(strings.TrimLeft(a[:n], "0"), strings.TrimLeft(b[:m], "0")); d != 0 {
			return d
		}
		a, b = a[n:], b[m:]
	}
	return 0
}

func tail(s string) string {
	if s == "" {
		return s
	}
	return s[1:]
}

// debianOrder: a tilde sorts before the end, letters before other signs.
func debianOrder(s string) int {
	switch {
	case s == "" || isDigit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z':
		return int(s[0])
	}
	return int(s[0]) + 256
}
