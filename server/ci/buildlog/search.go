package buildlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"
)

// ErrPattern is wrapped by Search's error when a regular expression is invalid; the
// error's text says why.
var ErrPattern = errors.New("invalid regular expression")

// maxColumns is how many places of one line are reported.
const maxColumns = 64

// Query is what to search a log for.
type Query struct {
	Text string
	// Regex takes Text as a regular expression (RE2).
	Regex         bool
	CaseSensitive bool
	// Origin restricts the search to one step; empty for all.
	Origin string
	// From is the first line that is listed; those before it are only counted.
	From int64
	// Limit is how many lines are listed; matches beyond it are only counted.
	Limit int
}

// Match is a line that matches.
type Match struct {
	// N is the line's number; Nth its place among its own section's lines, from 0.
	N       int64
	Nth     int64
	Origin  string
	EventID int64
	// Columns are the matches as byte ranges [from, to) of the text without escape
	// sequences and without line end; at most 64.
	Columns [][2]int
}

// Found is the result of a search.
type Found struct {
	// Lines and Matches count the whole log.
	Lines   int64
	Matches int64
	// Listed are the first Limit lines that match; Capped says that there are more.
	Listed []Match
	Capped bool
	// Searched is how many lines the log had.
	Searched int64
	Took     time.Duration
}

// Search looks at every line of the log as it is now, ignoring escape sequences. A
// match does not reach across lines.
func (l *Log) Search(ctx context.Context, q Query) (Found, error) {
	began := time.Now()
	find, err := newFinder(q)
	if err != nil {
		return Found{}, err
	}
	v := l.look(func(x *index) mark { return x.markAt(-1) })
	out := Found{Searched: v.stats.Lines}
	if v.file == nil || q.Text == "" {
		return out, nil
	}
	parts := l.split(v)
	found := make([]Found, len(parts))
	errs := make([]error, len(parts))
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() { found[i], errs[i] = l.searchPart(ctx, parts[i], find.clone(), q) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return Found{}, err
	}
	for _, part := range found {
		out.Lines += part.Lines
		out.Matches += part.Matches
		out.Listed = append(out.Listed, part.Listed...)
	}
	out.Listed = out.Listed[:min(len(out.Listed), max(q.Limit, 0))]
	out.Capped = out.Lines > int64(len(out.Listed))
	l.number(out.Listed)
	out.Took = time.Since(began)
	return out, nil
}

// split cuts a view at marks into a few of about the same size, one for each CPU.
func (l *Log) split(v view) []view {
	l.mu.RLock()
	defer l.mu.RUnlock()
	n := min(runtime.GOMAXPROCS(0), 8, int(v.end/(1<<20))+1)
	parts := []view{v}
	for i := 1; i < n; i++ {
		at := int64(i) * v.end / int64(n)
		j, _ := slices.BinarySearchFunc(l.idx.Marks, at, func(m mark, at int64) int { return int(m.Offset - at) })
		if j >= len(l.idx.Marks) || l.idx.Marks[j].Offset >= v.end {
			break
		}
		if cut := l.idx.Marks[j]; cut.Offset > parts[len(parts)-1].start.Offset {
			parts[len(parts)-1].end = cut.Offset
			next := v
			next.start = cut
			parts = append(parts, next)
		}
	}
	return parts
}

func (l *Log) searchPart(ctx context.Context, v view, find *finder, q Query) (Found, error) {
	var out Found
	var columns [][2]int
	var plain []byte
	scan := newScanner(v.file, v.start.Offset, v.end)
	line := v.start.Line
	for id := v.start.Event; ; id++ {
		if id%4096 == 0 && ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err := scan.advance(); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return out, fmt.Errorf("search log of build %d at event %d: %w", l.build, id, err)
		}
		r := &scan.rec
		if !r.log {
			continue
		}
		line++
		if q.Origin != "" && string(r.origin) != q.Origin {
			continue
		}
		var text []byte
		text, plain = visible(r.rest, plain)
		count := int64(0)
		if count, columns = find.all(text, columns[:0]); count == 0 {
			continue
		}
		out.Lines++
		out.Matches += count
		if line >= q.From && len(out.Listed) < q.Limit {
			out.Listed = append(out.Listed, Match{N: line, Origin: string(r.origin), EventID: id, Columns: slices.Clone(columns)})
		}
	}
}

// number fills in Nth. Matches are in order, so each origin's file is walked forward
// only between the marks that matter.
func (l *Log) number(listed []Match) {
	byOrigin := map[string][]*Match{}
	for i := range listed {
		byOrigin[listed[i].Origin] = append(byOrigin[listed[i].Origin], &listed[i])
	}
	for origin, matches := range byOrigin {
		l.mu.RLock()
		s := l.idx.byOrigin[origin]
		dense := s.Last-s.First+1 == s.Lines
		first, marks, file, end := s.First, s.Marks, l.file, l.idx.Size
		l.mu.RUnlock()
		if dense {
			for _, m := range matches {
				m.Nth = m.N - first
			}
			continue
		}
		l.numberSparse(view{file: file, end: end}, origin, marks, matches)
	}
}

// numberSparse counts an interleaved section's lines from the last mark before each match.
func (l *Log) numberSparse(v view, origin string, marks []sectionMark, matches []*Match) {
	for len(matches) > 0 {
		j, exact := slices.BinarySearchFunc(marks, matches[0].N, func(m sectionMark, n int64) int { return int(m.Line - n) })
		if !exact {
			j--
		}
		at := marks[j]
		v.start = mark{Event: at.Event, Line: at.Line - 1, Offset: at.Offset}
		nth := at.Nth
		until := int64(1) << 62
		if j+1 < len(marks) {
			until = marks[j+1].Line
		}
		err := l.walk(v, func(_, n int64, r *rawRecord) bool {
			if !r.log || string(r.origin) != origin {
				return true
			}
			if n >= until {
				return false
			}
			if n == matches[0].N {
				matches[0].Nth = nth
				matches = matches[1:]
			}
			nth++
			return len(matches) > 0
		})
		if err != nil {
			return // the same bytes were read a moment ago; the number is a convenience
		}
	}
}

// visible is a payload as a terminal shows it, without line end; plain is scratch.
func visible(payload, plain []byte) (text, scratch []byte) {
	text = payload
	if n := len(text); n > 0 && text[n-1] == '\n' {
		text = text[:n-1]
	}
	if n := len(text); n > 0 && text[n-1] == '\r' {
		text = text[:n-1]
	}
	if bytes.IndexByte(text, escape) >= 0 {
		plain = appendPlain(plain[:0], text)
		return plain, plain
	}
	return text, plain
}
