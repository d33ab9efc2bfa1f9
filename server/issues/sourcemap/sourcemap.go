package sourcemap

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path"
	"sort"
	"strings"
	"sync"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// What a map may cost. The largest maps of real applications have some 60 MB
// and 4 million mappings.
const (
	maxRaw      = 128 << 20
	maxMappings = 8 << 20
	maxSources  = 200_000
	maxSections = 10_000
	maxLines    = 4 << 20
)

// ErrTooLarge says that a map or a bundle exceeds the limits.
var ErrTooLarge = errors.New("sourcemap: larger than allowed")

// MalformedError says why bytes are no source map or bundle.
type MalformedError struct{ Reason string }

func (e *MalformedError) Error() string { return "sourcemap: " + e.Reason }

func malformed(format string, args ...any) error {
	return &MalformedError{fmt.Sprintf(format, args...)}
}

// Map is a parsed source map.
type Map struct {
	debugID  string
	sources  []source
	names    []string
	mappings []mapping
	// lines holds, for each generated line, where its mappings begin; one more
	// entry ends the last line.
	lines []uint32
	size  int
}

// mapping says that from a column of a generated line on the text comes from
// an original place.
type mapping struct {
	column uint32 // generated, from 0
	source int32  // -1 when the text has no original
	line   uint32 // original, from 0
	rest   uint32 // original column, from 0
	name   int32  // -1 when it has none
}

type source struct {
	name    string
	content string
	has     bool
	ignored bool
	once    *sync.Once
	offsets []uint32 // where lines begin, made when first needed
	scopes  []scope  // named functions, made when first needed
}

// Position is a place in an original file. Line and Column count from 1.
type Position struct {
	Source string
	Line   int
	Column int
	// Name is the original identifier at this place; often empty.
	Name string
	// Ignored says that the bundler marked the file as not the user's own.
	Ignored bool
	index   int
}

// wire is the JSON form; sections nest it once.
type wire struct {
	Version        int             `json:"version"`
	Sources        []*string       `json:"sources"`
	SourcesContent []*string       `json:"sourcesContent"`
	SourceRoot     string          `json:"sourceRoot"`
	Names          []any           `json:"names"`
	Mappings       string          `json:"mappings"`
	IgnoreList     []int           `json:"ignoreList"`
	OldIgnoreList  []int           `json:"x_google_ignoreList"`
	DebugID        string          `json:"debug_id"`
	DebugID2       string          `json:"debugId"`
	Sections       []sectionOfWire `json:"sections"`
}

type sectionOfWire struct {
	Offset struct {
		Line   int `json:"line"`
		Column int `json:"column"`
	} `json:"offset"`
	Map *wire `json:"map"`
}

// Parse reads a source map of version 3.
func Parse(raw []byte) (*Map, error) {
	if len(raw) > maxRaw {
		return nil, ErrTooLarge
	}
	var w wire
	if err := json.Unmarshal(dropGuard(raw), &w); err != nil {
		return nil, malformed("the source map is not valid JSON: %v", err)
	}
	m := &Map{debugID: sentry.NormalDebugID(w.DebugID)}
	if m.debugID == "" {
		m.debugID = sentry.NormalDebugID(w.DebugID2)
	}
	if err := m.read(&w); err != nil {
		return nil, err
	}
	m.lines = append(m.lines, uint32(len(m.mappings)))
	m.measure()
	return m, nil
}

func (m *Map) read(w *wire) error {
	if w.Sections == nil {
		return m.add(w, 0, 0)
	}
	if w.Version != 3 {
		return malformed("the source map has version %d; only 3 can be read", w.Version)
	}
	if len(w.Sections) > maxSections {
		return ErrTooLarge
	}
	line, column := 0, 0
	for i := range w.Sections {
		s := &w.Sections[i]
		if s.Map == nil || s.Map.Sections != nil {
			return malformed("section %d holds no map", i)
		}
		if s.Offset.Line < line || s.Offset.Line == line && s.Offset.Column < column || s.Offset.Line > maxLines || s.Offset.Column > math.MaxInt32 {
			return malformed("section %d does not begin behind the one before", i)
		}
		line, column = s.Offset.Line, s.Offset.Column
		if err := m.add(s.Map, line, column); err != nil {
			return err
		}
	}
	return nil
}

// dropGuard removes ")]}'" that some servers put before JSON.
func dropGuard(raw []byte) []byte {
	if len(raw) > 3 && raw[0] == ')' && raw[1] == ']' && raw[2] == '}' {
		for i, c := range raw {
			if c == '\n' {
				return raw[i+1:]
			}
		}
	}
	return raw
}

// add appends a map that begins at a generated line and column.
func (m *Map) add(w *wire, line, column int) error {
	if w.Version != 3 {
		return malformed("the source map has version %d; only 3 can be read", w.Version)
	}
	if len(m.sources)+len(w.Sources) > maxSources || len(m.names)+len(w.Names) > maxMappings {
		return ErrTooLarge
	}
	d := decoder{m: m, s: w.Mappings, sourceBase: len(m.sources), nameBase: len(m.names), column: column}
	for i, name := range w.Sources {
		s := source{once: new(sync.Once)}
		if name != nil {
			s.name = join(w.SourceRoot, *name)
		}
		if i < len(w.SourcesContent) && w.SourcesContent[i] != nil {
			s.content, s.has = *w.SourcesContent[i], true
		}
		m.sources = append(m.sources, s)
	}
	for _, i := range append(w.IgnoreList, w.OldIgnoreList...) {
		if i >= 0 && i < len(w.Sources) {
			m.sources[d.sourceBase+i].ignored = true
		}
	}
	for _, n := range w.Names {
		text, _ := n.(string)
		m.names = append(m.names, text)
	}
	for len(m.lines) <= line { // empty lines up to the section
		m.lines = append(m.lines, uint32(len(m.mappings)))
	}
	return d.decode()
}

// join puts the root before a relative name.
func join(root, name string) string {
	if root == "" || strings.HasPrefix(name, "/") || strings.Contains(name, "://") {
		return name
	}
	return strings.TrimSuffix(root, "/") + "/" + name
}

// Lookup finds the original of a generated place, both counted from 1; column
// 0 means the beginning of the line.
func (m *Map) Lookup(line, column int) (Position, bool) {
	if line < 1 || line >= len(m.lines) {
		return Position{}, false
	}
	on := m.mappings[m.lines[line-1]:m.lines[line]]
	at := uint32(max(column-1, 0))
	i := sort.Search(len(on), func(i int) bool { return on[i].column > at }) - 1
	if i < 0 {
		if len(on) == 0 || column > 1 {
			return Position{}, false
		}
		i = 0 // a browser without columns means the line
	}
	g := on[i]
	if g.source < 0 {
		return Position{}, false
	}
	s := &m.sources[g.source]
	p := Position{Source: s.name, Line: int(g.line) + 1, Column: int(g.rest) + 1, Ignored: s.ignored, index: int(g.source)}
	if g.name >= 0 {
		p.Name = m.names[g.name]
	}
	return p, true
}

// DebugID is the map's own, in lower case with dashes; empty when it has none.
func (m *Map) DebugID() string { return m.debugID }

// Sources are the names of the original files.
func (m *Map) Sources() []string {
	names := make([]string, len(m.sources))
	for i := range m.sources {
		names[i] = m.sources[i].name
	}
	return names
}

// Size is about what the map occupies in memory, in bytes.
func (m *Map) Size() int { return m.size }

func (m *Map) measure() {
	m.size = 20*cap(m.mappings) + 4*cap(m.lines) + 16*cap(m.names)
	for i := range m.sources {
		m.size += 120 + len(m.sources[i].name) + len(m.sources[i].content)
	}
	for _, n := range m.names {
		m.size += len(n)
	}
}

// CleanSource is the name of an original file as people know it, without what
// bundlers put before it ("webpack://shop/./src/cart.ts").
func CleanSource(name string) string {
	if rest, ok := strings.CutPrefix(name, "webpack://"); ok {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			rest = rest[i+1:]
		}
		name = rest
	}
	for _, prefix := range [...]string{"ng:///", "turbopack:///", "turbopack://", "file://", "./"} {
		name = strings.TrimPrefix(name, prefix)
	}
	if i := strings.IndexByte(name, '?'); i > 0 { // vue and webpack loaders
		name = name[:i]
	}
	for strings.HasPrefix(name, "../") {
		name = name[3:]
	}
	if name == "" || strings.Contains(name, "://") {
		return name
	}
	return path.Clean(name)
}
