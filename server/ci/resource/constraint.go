package resource

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// constraint is a condition on version numbers, as in ">= 1.2 < 3.0.0 || ~4.1".
type constraint struct {
	any [][]comparison // one of these, each whole
}

type comparison struct {
	op string // = != < <= > >=
	to number
}

func (c comparison) holds(n number) bool {
	order := compareNumbers(n, c.to)
	switch c.op {
	case "=":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// allows reports whether the number meets the constraint. A pre-release does only where
// the constraint itself names one.
func (c constraint) allows(n number) bool {
	for _, all := range c.any {
		named := len(n.pre) == 0 || slices.ContainsFunc(all, func(c comparison) bool { return len(c.to.pre) > 0 })
		if named && !slices.ContainsFunc(all, func(c comparison) bool { return !c.holds(n) }) {
			return true
		}
	}
	return false
}

const maxConstraint = 1000

var (
	constraintTerm = regexp.MustCompile(`^(=|!=|<|<=|=<|>|>=|=>|~|~>|\^)?\s*[vV]?((?:\d+|[xX*])(?:\.(?:\d+|[xX*]))*)(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?(?:[\s,]+|$)`)
	hyphenRange    = regexp.MustCompile(`(^|[\s,])(\S+)\s+-\s+(\S+)`)
)

func parseConstraint(text string) (constraint, error) {
	var c constraint
	if len(text) > maxConstraint {
		return c, fmt.Errorf("it has more than %d characters", maxConstraint)
	}
	for part := range strings.SplitSeq(text, "||") {
		part = strings.TrimSpace(hyphenRange.ReplaceAllString(part, "$1>=$2 <=$3"))
		if part == "" {
			return c, fmt.Errorf("%q has an empty alternative", text)
		}
		all := []comparison{}
		for part != "" {
			m := constraintTerm.FindStringSubmatch(part)
			if m == nil {
				return c, fmt.Errorf("%q is not understood. Write conditions like >= 1.2, < 3.0.0", part)
			}
			all = append(all, term(m[1], m[2], m[3])...)
			part = part[len(m[0]):]
		}
		c.any = append(c.any, all)
	}
	return c, nil
}

// term is one operator with its version, whose missing parts and wildcards stand for
// every number.
func term(op, digits, pre string) []comparison {
	var parts []string
	for part := range strings.SplitSeq(digits, ".") {
		if strings.ContainsAny(part, "xX*") {
			break
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return nil // everything
	}
	n, _ := parseNumber(strings.Join(parts, ".") + pre)
	full := len(parts) >= 3
	switch op {
	case "", "=":
		if full {
			return []comparison{{"=", n}}
		}
		return between(n, len(parts)-1)
	case "~", "~>":
		return between(n, min(len(parts)-1, 1))
	case "^":
		first := 0
		for first < len(parts)-1 && n.parts[first] == "0" {
			first++
		}
		return between(n, first)
	case ">":
		if !full { // more than any 1.2 is 1.3
			return []comparison{{">=", raise(n, len(parts)-1)}}
		}
	case "<=", "=<":
		if !full {
			return []comparison{{"<", raise(n, len(parts)-1)}}
		}
		op = "<="
	case "=>":
		op = ">="
	}
	return []comparison{{op, n}}
}

// between is from n to before the next number at the place.
func between(n number, place int) []comparison {
	return []comparison{{">=", n}, {"<", raise(n, place)}}
}

func raise(n number, place int) number {
	parts := slices.Clone(n.parts[:place+1])
	if raised, err := increment(parts[place]); err == nil {
		parts[place] = raised
	} else {
		parts[place] = "1" + strings.Repeat("0", len(parts[place])) // larger than all of that length
	}
	return number{parts: parts, pre: lowest(n)}
}

// lowest makes an upper bound lie before its own pre-releases where these could match.
func lowest(n number) []string {
	if len(n.pre) == 0 {
		return nil
	}
	return []string{"0"}
}
