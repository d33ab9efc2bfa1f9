package resource

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// number is a version number that can be compared: by the rules of semver.org, with any
// count of parts of any length.
type number struct {
	parts []string // digits without leading zeros
	pre   []string
	build string
}

var (
	looseNumber  = regexp.MustCompile(`^[vV]?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.~-]+)|([A-Za-z~][0-9A-Za-z.~-]*))?(?:\+([0-9A-Za-z.~-]+))?$`)
	strictNumber = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$`)
)

// maxNumber bounds what is taken for a version number.
const maxNumber = 256

// parseNumber takes what people write into names of files and tags: v1, 1.2.3.4, 1.0rc1.
func parseNumber(text string) (number, bool) {
	m := looseNumber.FindStringSubmatch(text)
	if m == nil || len(text) > maxNumber {
		return number{}, false
	}
	n := number{build: m[4]}
	for part := range strings.SplitSeq(m[1], ".") {
		n.parts = append(n.parts, cmp.Or(strings.TrimLeft(part, "0"), "0"))
	}
	if pre := cmp.Or(m[2], m[3]); pre != "" {
		n.pre = strings.Split(pre, ".")
	}
	return n, true
}

// parseSemantic takes only what semver.org calls a version.
func parseSemantic(text string) (number, error) {
	m := strictNumber.FindStringSubmatch(text)
	if m == nil || len(text) > maxNumber {
		return number{}, fmt.Errorf("%q is not a version number. Write one like 1.2.3 or 1.2.3-rc.1", oneLine(text))
	}
	n := number{parts: m[1:4], build: m[5]}
	if m[4] != "" {
		n.pre = strings.Split(m[4], ".")
	}
	return n, nil
}

func (n number) String() string {
	text := strings.Join(n.parts, ".")
	if len(n.pre) > 0 {
		text += "-" + strings.Join(n.pre, ".")
	}
	if n.build != "" {
		text += "+" + n.build
	}
	return text
}

func (n number) part(i int) string {
	if i < len(n.parts) {
		return n.parts[i]
	}
	return "0"
}

// compareNumbers orders versions; missing parts are zeros, build metadata says nothing.
func compareNumbers(a, b number) int {
	for i := range max(len(a.parts), len(b.parts)) {
		if c := compareDigits(a.part(i), b.part(i)); c != 0 {
			return c
		}
	}
	if len(a.pre) == 0 || len(b.pre) == 0 {
		return cmp.Compare(len(b.pre), len(a.pre)) // the release comes after its candidates
	}
	return slices.CompareFunc(a.pre, b.pre, comparePre)
}

// compareDigits compares numbers of any length that have no leading zeros.
func compareDigits(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

func comparePre(a, b string) int {
	aNumber, bNumber := digits(a), digits(b)
	switch {
	case aNumber && bNumber:
		return compareDigits(cmp.Or(strings.TrimLeft(a, "0"), "0"), cmp.Or(strings.TrimLeft(b, "0"), "0"))
	case aNumber:
		return -1
	case bNumber:
		return 1
	}
	return cmp.Compare(a, b)
}

func digits(text string) bool {
	for _, r := range text {
		if r < '0' || r > '9' {
			return false
		}
	}
	return text != ""
}

// bump is how a version number is raised.
type bump struct {
	part   string // major, minor, patch, final or nothing
	pre    string
	single bool // the pre-release is not counted
}

func (b bump) empty() bool { return b.part == "" && b.pre == "" }

func (b bump) apply(n number) (number, error) {
	if i := slices.Index([]string{"major", "minor", "patch"}, b.part); i >= 0 {
		raised, err := increment(n.parts[i])
		if err != nil {
			return n, err
		}
		parts := []string{"0", "0", "0"}
		copy(parts, n.parts[:i])
		parts[i] = raised
		n = number{parts: parts}
	}
	if b.part == "final" {
		n.pre, n.build = nil, ""
	}
	if b.pre == "" {
		return n, nil
	}
	n.build = ""
	if b.single {
		n.pre = []string{b.pre}
		return n, nil
	}
	next := "1"
	if len(n.pre) > 1 && n.pre[0] == b.pre && digits(n.pre[1]) {
		var err error
		if next, err = increment(n.pre[1]); err != nil {
			return n, err
		}
	}
	n.pre = []string{b.pre, next}
	return n, nil
}

func increment(text string) (string, error) {
	value, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return "", fmt.Errorf("%s is too large to be raised", text)
	}
	return strconv.FormatUint(value+1, 10), nil
}
