package buildlog

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// finder finds one query in one line after the other. Most lines hold no match, so it
// first looks for a literal that every match must contain, which costs about a
// nanosecond a byte, and asks the regular expression only about lines that have it.
type finder struct {
	literal []byte
	// fold says that letters of ASCII match in either case; literal is then lower case.
	fold bool
	// pattern is nil when the literal is the whole query.
	pattern *regexp.Regexp
	lower   []byte
}

func newFinder(q Query) (*finder, error) {
	if !q.Regex {
		if q.CaseSensitive {
			return &finder{literal: []byte(q.Text)}, nil
		}
		if isASCII(q.Text) {
			return &finder{literal: []byte(strings.ToLower(q.Text)), fold: true}, nil
		}
	}
	text := q.Text
	if !q.Regex {
		text = regexp.QuoteMeta(text)
	}
	flags := syntax.Perl
	if !q.CaseSensitive {
		flags |= syntax.FoldCase
		text = "(?i)" + text
	}
	tree, err := syntax.Parse(text, flags)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPattern, err)
	}
	pattern, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPattern, err)
	}
	f := &finder{pattern: pattern}
	f.literal, f.fold = required(tree.Simplify())
	return f, nil
}

// clone is for another goroutine: the scratch space is not shared.
func (f *finder) clone() *finder {
	return &finder{literal: f.literal, fold: f.fold, pattern: f.pattern}
}

// all appends the matches' places to columns and counts them.
func (f *finder) all(text []byte, columns [][2]int) (int64, [][2]int) {
	if len(f.literal) > 0 {
		subject := text
		if f.fold {
			subject = f.lowered(text)
		}
		first := bytes.Index(subject, f.literal)
		if first < 0 {
			return 0, columns
		}
		if f.pattern == nil {
			return f.literals(subject, first, columns)
		}
	}
	count := int64(0)
	for _, at := range f.pattern.FindAllIndex(text, -1) {
		if at[0] == at[1] {
			continue // nothing to show
		}
		if count++; len(columns) < maxColumns {
			columns = append(columns, [2]int{at[0], at[1]})
		}
	}
	return count, columns
}

func (f *finder) literals(subject []byte, first int, columns [][2]int) (int64, [][2]int) {
	count, at := int64(0), first
	for {
		if count++; len(columns) < maxColumns {
			columns = append(columns, [2]int{at, at + len(f.literal)})
		}
		next := bytes.Index(subject[at+len(f.literal):], f.literal)
		if next < 0 {
			return count, columns
		}
		at += len(f.literal) + next
	}
}

// lowered changes ASCII letters only, so that columns stay what they are.
func (f *finder) lowered(text []byte) []byte {
	if cap(f.lower) < len(text) {
		f.lower = make([]byte, 2*len(text))
	}
	out := f.lower[:len(text)]
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		out[i] = c
	}
	return out
}

// required is the longest literal that is part of every match, nil if there is none.
func required(re *syntax.Regexp) (literal []byte, fold bool) {
	switch re.Op {
	case syntax.OpLiteral:
		text := string(re.Rune)
		if re.Flags&syntax.FoldCase == 0 {
			return []byte(text), false
		}
		return foldable(text), true
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if l, f := required(sub); len(l) > len(literal) {
				literal, fold = l, f
			}
		}
		return literal, fold
	}
	return nil, false
}

// foldable is the longest part that only ASCII can match without regard to case: k
// and s also match a Kelvin sign and a long s.
func foldable(text string) []byte {
	best := ""
	for _, part := range strings.FieldsFunc(text, func(r rune) bool {
		return r >= utf8.RuneSelf || strings.ContainsRune("kKsS", r)
	}) {
		if len(part) > len(best) {
			best = part
		}
	}
	return []byte(strings.ToLower(best))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
