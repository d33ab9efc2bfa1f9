package query

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Level is the field that is compared by how bad it is.
const Level = record.NameLevel

// fieldName gives the message its one name: people write message, msg or line.
func fieldName(name string) string {
	switch name {
	case "message", "msg", "line":
		return record.NameMessage
	case "time":
		return record.NameTime
	}
	return name
}

// severity is a level's rank; 0 is none.
func severity(s string) int {
	level, _ := record.ParseLevel(s)
	return int(level)
}

// NewCompare makes a comparison, or says in a sentence why the value does not
// fit the relation. A star in a value stands for anything unless exact.
func NewCompare(field string, op Op, value string, exact bool) (Compare, string) {
	c := Compare{Field: field, Op: op, Value: value, Exact: exact}
	n, isNumber := parseNumber(value)
	if isNumber {
		c.number = n
	}
	if op.ordered() && !isNumber && (field != Level || severity(value) == 0) {
		if field == Level {
			return c, fmt.Sprintf("%q is no level; there are trace, debug, info, warn, error and fatal.", value)
		}
		return c, fmt.Sprintf("%q is no number, duration or size: %s:%s10, %s:%s1.5s, %s:%s4KB.", value, field, op, field, op, field, op)
	}
	if !exact && !op.ordered() && strings.Contains(value, "*") {
		c.glob = globRegexp(value, true)
	}
	return c, ""
}

// CompileRegexp compiles an expression of RE2, or says why it cannot.
func CompileRegexp(expression string) (*regexp.Regexp, string) {
	if len(expression) > 1000 {
		return nil, "The regular expression is longer than 1000 characters."
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		return nil, "The regular expression cannot be read: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ") + "."
	}
	return re, ""
}

// globRegexp turns stars into an expression; whole ties it to both ends.
func globRegexp(glob string, whole bool) *regexp.Regexp {
	parts := strings.Split(glob, "*")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	text := "(?is)" + strings.Join(parts, ".*")
	if whole {
		text = "(?is)^" + strings.Join(parts, ".*") + "$"
	}
	return regexp.MustCompile(text)
}

func (c Compare) holds(value string) bool {
	if c.Op.ordered() || c.Numeric {
		if c.Field == Level {
			have, want := severity(value), severity(c.Value)
			return have > 0 && c.Op.holds(have-want)
		}
		n, ok := parseNumber(value)
		if !ok {
			return false
		}
		relation, ok := relate(n, c.number)
		return ok && c.Op.holds(relation)
	}
	return c.equal(value) == (c.Op == Equal)
}

func (c Compare) equal(value string) bool {
	switch {
	case c.Exact:
		return value == c.Value
	case c.glob != nil:
		return c.glob.MatchString(value)
	case c.Field == Level && severity(c.Value) > 0:
		return severity(value) == severity(c.Value)
	}
	return strings.EqualFold(value, c.Value)
}

// IsNumber says whether the value is a number, a duration or a size.
func (c Compare) IsNumber() bool { return c.number.dim != none }
