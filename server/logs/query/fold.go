package query

import (
	"strings"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/logs/record"
)

// needle is a text that is looked for in many others.
type needle struct {
	text  string
	lower string
	ascii bool
	exact bool
	// left and right demand that a word begins and ends there.
	left, right bool
}

func newNeedle(t Text) needle {
	n := needle{text: t.Text, lower: record.Fold(t.Text), exact: t.Exact, ascii: true}
	for i := range len(t.Text) {
		n.ascii = n.ascii && t.Text[i] < utf8.RuneSelf
	}
	if t.Mode != Substring && t.Text != "" {
		n.left = record.IsTokenByte(t.Text[0])
		n.right = t.Mode == WholeWords && record.IsTokenByte(t.Text[len(t.Text)-1])
	}
	return n
}

// in says whether s contains the text.
func (n needle) in(s string) bool {
	if len(n.text) > len(s) && n.ascii {
		return false
	}
	if !n.exact && !n.ascii {
		s = record.Fold(s)
	}
	for from := 0; from <= len(s); {
		at := n.index(s[from:])
		if at < 0 {
			return false
		}
		at += from
		if n.bounded(s, at) {
			return true
		}
		from = at + 1
	}
	return false
}

func (n needle) index(s string) int {
	switch {
	case n.exact:
		return strings.Index(s, n.text)
	case !n.ascii || n.lower == "":
		return strings.Index(s, n.lower)
	}
	return indexFold(s, n.lower)
}

func (n needle) bounded(s string, at int) bool {
	if n.left && at > 0 && record.IsTokenByte(s[at-1]) {
		return false
	}
	end := at + len(n.text)
	if !n.exact {
		end = at + len(n.lower)
	}
	return !n.right || end >= len(s) || !record.IsTokenByte(s[end])
}

// indexFold finds ASCII text whatever its case; lower is in lower case.
// Candidates are found by the first byte in both cases, which the machine
// scans for quickly.
func indexFold(s, lower string) int {
	first := lower[0]
	upper := first
	if 'a' <= first && first <= 'z' {
		upper -= 'a' - 'A'
	}
	last := len(s) - len(lower)
	for i := 0; i <= last; {
		at := strings.IndexByte(s[i:last+1], first)
		if upper != first {
			end := last + 1
			if at >= 0 {
				end = i + at
			}
			if u := strings.IndexByte(s[i:end], upper); u >= 0 {
				at = u
			}
		}
		if at < 0 {
			return -1
		}
		i += at
		if equalFoldASCII(s[i:i+len(lower)], lower) {
			return i
		}
		i++
	}
	return -1
}

func equalFoldASCII(s, lower string) bool {
	for i := range len(lower) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
