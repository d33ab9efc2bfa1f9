package sourcemap

import "sort"

// decoder reads the mappings of one map: base64 VLQ numbers, each relative to
// the one before of its kind.
type decoder struct {
	m    *Map
	s    string
	i    int
	from int // where this line's mappings begin

	sourceBase, nameBase int
	// column is the generated column at which the section begins, for its first line.
	column int

	source, line, originalColumn, name int
}

// base64Values maps a byte to its six bits, or to 255.
var base64Values = func() (table [256]byte) {
	for i := range table {
		table[i] = 255
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		table[c] = byte(i)
	}
	return
}()

func (d *decoder) decode() error {
	m := d.m
	d.from = len(m.mappings)
	if len(m.lines) > 0 {
		d.from = int(m.lines[len(m.lines)-1])
	}
	if m.mappings == nil {
		m.mappings = make([]mapping, 0, min(len(d.s)/5+1, maxMappings))
	}
	generated := d.column
	for d.i < len(d.s) {
		switch d.s[d.i] {
		case ';':
			d.i++
			d.endLine()
			if len(m.lines) > maxLines {
				return ErrTooLarge
			}
			m.lines = append(m.lines, uint32(len(m.mappings)))
			d.from = len(m.mappings)
			generated = 0
		case ',':
			d.i++
		default:
			if len(m.mappings) >= maxMappings {
				return ErrTooLarge
			}
			if err := d.segment(&generated); err != nil {
				return err
			}
		}
	}
	d.endLine()
	return nil
}

// endLine sorts the line's mappings; nearly all bundlers write them sorted.
func (d *decoder) endLine() {
	on := d.m.mappings[d.from:]
	for i := 1; i < len(on); i++ {
		if on[i].column < on[i-1].column {
			sort.SliceStable(on, func(a, b int) bool { return on[a].column < on[b].column })
			return
		}
	}
}

// segment reads one, four or five numbers.
func (d *decoder) segment(generated *int) error {
	var fields [5]int
	n := 0
	for d.i < len(d.s) && d.s[d.i] != ',' && d.s[d.i] != ';' {
		v, err := d.number()
		if err != nil {
			return err
		}
		if n < len(fields) {
			fields[n] = v
		}
		n++
	}
	*generated += fields[0]
	g := mapping{source: -1, name: -1}
	if *generated < 0 || *generated > 1<<31-1 {
		return malformed("a generated column is out of range")
	}
	g.column = uint32(*generated)
	if n >= 4 {
		d.source += fields[1]
		d.line += fields[2]
		d.originalColumn += fields[3]
		count := len(d.m.sources) - d.sourceBase
		if d.source < 0 || d.source >= count || d.line < 0 || d.line > 1<<31-1 || d.originalColumn < 0 || d.originalColumn > 1<<31-1 {
			return malformed("a mapping points outside the sources")
		}
		g.source, g.line, g.rest = int32(d.sourceBase+d.source), uint32(d.line), uint32(d.originalColumn)
	}
	if n >= 5 {
		d.name += fields[4]
		if d.name < 0 || d.name >= len(d.m.names)-d.nameBase {
			return malformed("a mapping points outside the names")
		}
		g.name = int32(d.nameBase + d.name)
	}
	d.m.mappings = append(d.m.mappings, g)
	return nil
}

// number reads one VLQ: five bits a digit, the lowest first, the sign lowest.
func (d *decoder) number() (int, error) {
	var v, shift uint
	for d.i < len(d.s) {
		c := base64Values[d.s[d.i]]
		if c == 255 {
			return 0, malformed("a mapping has a character that is not base64")
		}
		d.i++
		v |= uint(c&31) << shift
		if c&32 == 0 {
			if v&1 != 0 {
				return -int(v >> 1), nil
			}
			return int(v >> 1), nil
		}
		if shift += 5; shift > 35 {
			return 0, malformed("a mapping has a number that is too large")
		}
	}
	return 0, malformed("the mappings end inside a number")
}
