package sourcemap

import (
	"sort"
	"strings"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

const (
	// contextLines is how many lines are shown before and after the line.
	contextLines = 5
	maxLine      = 256
)

// prepare indexes a source when it is first looked into.
func (s *source) prepare() {
	s.once.Do(func() {
		s.offsets = []uint32{0}
		for i := 0; i < len(s.content); i++ {
			if s.content[i] == '\n' {
				s.offsets = append(s.offsets, uint32(i+1))
			}
		}
		s.scopes = findScopes(s.content)
	})
}

// line gives one line of the content, counted from 1, without its end.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.offsets) {
		return ""
	}
	end := len(s.content)
	if n < len(s.offsets) {
		end = int(s.offsets[n]) - 1
	}
	line := strings.TrimSuffix(s.content[s.offsets[n-1]:end], "\r")
	if len(line) > maxLine {
		line = strings.ToValidUTF8(line[:maxLine], "") + "…"
	}
	return line
}

// Context gives the line of a position with up to n lines before and after;
// false when the map does not carry the source.
func (m *Map) Context(p Position, n int) (before []string, line string, after []string, ok bool) {
	s := &m.sources[p.index]
	if !s.has {
		return nil, "", nil, false
	}
	s.prepare()
	if p.Line > len(s.offsets) {
		return nil, "", nil, false
	}
	for i := max(p.Line-n, 1); i < p.Line; i++ {
		before = append(before, s.line(i))
	}
	for i := p.Line + 1; i <= min(p.Line+n, len(s.offsets)); i++ {
		after = append(after, s.line(i))
	}
	return before, s.line(p.Line), after, true
}

// Function is the name of the function around a position, "Class.method" for
// methods; empty at the top of a file or without source.
func (m *Map) Function(p Position) string {
	s := &m.sources[p.index]
	if !s.has {
		return ""
	}
	s.prepare()
	if p.Line > len(s.offsets) {
		return ""
	}
	at := s.offsets[p.Line-1] + uint32(p.Column-1)
	// Scopes are sorted by their end, inner ones first: the first that holds
	// the place is the innermost.
	i := sort.Search(len(s.scopes), func(i int) bool { return s.scopes[i].end > at })
	for ; i < len(s.scopes); i++ {
		if s.scopes[i].start <= at {
			return s.scopes[i].name
		}
	}
	return ""
}

// Apply rewrites a frame to its original place, and keeps the old one in
// Minified. False leaves the frame alone; the reason is then a sentence.
func (m *Map) Apply(f *sentry.Frame) (bool, string) {
	if f.Line == 0 {
		return false, "The frame has no line."
	}
	p, ok := m.Lookup(f.Line, f.Column)
	if !ok {
		return false, "The source map does not cover this line and column."
	}
	f.Minified = &sentry.MinifiedPlace{Filename: f.Filename, AbsPath: f.AbsPath, Function: f.Function, Line: f.Line, Column: f.Column}
	f.Filename = CleanSource(p.Source)
	f.AbsPath, f.Module, f.Unmapped = p.Source, "", ""
	f.Line, f.Column = p.Line, p.Column
	if name := m.Function(p); name != "" {
		f.Function = name
	} else if m.sources[p.index].has {
		f.Function = "" // minified names say nothing at the top of a file
	}
	if before, line, after, ok := m.Context(p, contextLines); ok {
		f.PreContext, f.Context, f.PostContext = before, line, after
	}
	if p.Ignored || strings.Contains(p.Source, "node_modules/") || strings.Contains(p.Source, "webpack/bootstrap") || strings.Contains(p.Source, "(webpack)") {
		f.InApp = false
	}
	return true, ""
}

// References finds what a minified file says at its end: where its map is
// ("//# sourceMappingURL=app.js.map") and its debug id ("//# debugId=…").
func References(script []byte) (mapURL, debugID string) {
	const tail = 4 << 10
	text := string(script[max(len(script)-tail, 0):])
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		for _, sign := range [...]string{"//# ", "//@ ", "/*# "} {
			i := strings.LastIndex(line, sign)
			if i < 0 {
				continue
			}
			name, value, ok := strings.Cut(line[i+len(sign):], "=")
			value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "*/"))
			switch {
			case !ok:
			case name == "sourceMappingURL":
				mapURL = value
			case name == "debugId":
				debugID = sentry.NormalDebugID(value)
			}
		}
	}
	return mapURL, debugID
}
