package pipeline

import (
	"bytes"
	"sort"
	"unicode/utf8"

	yamlv3 "gopkg.in/yaml.v3"
)

// Bounds on the search for the line of a syntax error.
const (
	syntaxMaxBytes  = 256 << 10
	syntaxMaxParses = 60
	syntaxLookahead = 25
)

// syntaxLine finds the line from which on a document is no YAML any more. The
// reader itself often names the line where the surrounding block began. It is
// the line after the longest beginning that reads well; 0 means not found.
func syntaxLine(data []byte) int {
	if len(data) > syntaxMaxBytes || !utf8.Valid(data) || wellFormed(data) {
		return 0
	}
	ends := lineEnds(data)
	parses := 0
	good := func(lines int) bool {
		parses++
		return lines == 0 || wellFormed(data[:ends[lines-1]])
	}
	from := 0 // this many lines read well
	for parses < syntaxMaxParses {
		// The first beginning that does not read well, as if there were one border.
		bad := from + 1 + sort.Search(len(ends)-from-1, func(i int) bool { return !good(from + 1 + i) })
		// A list over several lines is broken until it is closed, so look a bit
		// further before blaming the line that opens it.
		next := 0
		for n := bad + 1; n < len(ends) && n <= bad+syntaxLookahead && parses < syntaxMaxParses; n++ {
			if good(n) {
				next = n
			}
		}
		if next == 0 {
			return bad
		}
		from = next
	}
	return 0
}

func wellFormed(data []byte) bool {
	var node yamlv3.Node
	return yamlv3.Unmarshal(data, &node) == nil
}

// lineEnds lists the positions after each line.
func lineEnds(data []byte) []int {
	var ends []int
	for at := 0; at < len(data); {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return append(ends, len(data))
		}
		at += i + 1
		ends = append(ends, at)
	}
	return ends
}
