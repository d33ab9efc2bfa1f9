package store

import (
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/signalbox/signalbox/server/logs/record"
)

// The columns that every segment has. Fields have columns of their own names; names that
// begin with an underscore stay in the rest, so that none can be one of these.
const (
	colLevel   = "_level"
	colMessage = "_msg"
	colRest    = "_rest" // JSON text of the fields without a column; empty if there are none
	colSeq     = "_seq"
	colStream  = "_stream" // as Loki writes it: {host="a", service="b"}
	colTime    = "_time"
)

// How rows are cut. A group is what a filter answers for and a search reads at once; a
// page is what is decompressed at once when few lines of a group are wanted. Larger pages
// compress a little better; smaller ones make reading a hundred scattered lines cheap.
const (
	groupRows    = 8192
	groupBytes   = 16 << 20 // a group of long lines ends earlier: groups are held whole
	maxGroupRows = 1 << 16
	pageBytes    = 64 << 10
	segmentRows  = 256 << 10 // merging stops here: more would only make merges long
)

// Which fields get a column.
const (
	maxColumns    = 48
	columnShare   = 50   // one line in fifty
	trackedFields = 2048 // names counted while choosing; what comes later stays in the rest
)

// fieldCounter counts how often fields occur, in bounded memory.
type fieldCounter struct {
	counts map[fieldKind]int
}

type fieldKind struct {
	name string
	kind record.Kind
}

func newFieldCounter() *fieldCounter {
	return &fieldCounter{counts: map[fieldKind]int{}}
}

func (c *fieldCounter) add(name string, kind record.Kind, lines int) {
	f := fieldKind{name, kind}
	if _, ok := c.counts[f]; !ok {
		if len(c.counts) >= trackedFields {
			return
		}
		f.name = strings.Clone(name)
	}
	c.counts[f] += lines
}

// choose returns the fields that get a column, sorted by name. A name gets one column, of
// its commonest kind: lines where the field has another kind keep it in the rest.
func (c *fieldCounter) choose(rows int64) []columnInfo {
	type candidate struct {
		columnInfo
		lines int
	}
	best := map[string]candidate{}
	for f, n := range c.counts {
		if int64(n)*columnShare < rows || strings.HasPrefix(f.name, "_") || f.name == "" || len(f.name) > 128 {
			continue
		}
		if b, ok := best[f.name]; !ok || n > b.lines || n == b.lines && f.kind < b.Kind {
			best[f.name] = candidate{columnInfo{Name: f.name, Kind: f.kind}, n}
		}
	}
	list := make([]candidate, 0, len(best))
	for _, b := range best {
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b candidate) int {
		if a.lines != b.lines {
			return b.lines - a.lines
		}
		return strings.Compare(a.Name, b.Name)
	})
	list = list[:min(len(list), maxColumns)]
	out := make([]columnInfo, len(list))
	for i := range list {
		out[i] = list[i].columnInfo
	}
	slices.SortFunc(out, func(a, b columnInfo) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// commonRest lists what is commonest among the fields without a column, for merging and for the list of fields.
func (c *fieldCounter) commonRest(columns []columnInfo) []restInfo {
	isColumn := map[fieldKind]bool{}
	for _, col := range columns {
		isColumn[fieldKind{col.Name, col.Kind}] = true
	}
	var list []restInfo
	for f, n := range c.counts {
		if !isColumn[f] {
			list = append(list, restInfo{f.name, f.kind, n})
		}
	}
	slices.SortFunc(list, func(a, b restInfo) int {
		if a.Lines != b.Lines {
			return b.Lines - a.Lines
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list[:min(len(list), 512)]
}

// timeUnits are the units a segment may keep its times in: the coarsest that loses nothing,
// since most programs write milliseconds and twenty bits of zeros do not compress away.
var timeUnits = map[int64]parquet.TimeUnit{1: parquet.Nanosecond, 1e3: parquet.Microsecond, 1e6: parquet.Millisecond}

// unitFor returns the coarsest unit, at most the given one, that a time is a multiple of.
func unitFor(unit, t int64) int64 {
	for unit > 1 && t%unit != 0 {
		unit /= 1e3
	}
	return unit
}

// schemaOf makes the Parquet schema. Fields are required texts, empty where a line has none:
// that reads and writes twice as fast as optional ones; an empty value itself stays in the rest.
func schemaOf(columns []columnInfo, unit int64) *parquet.Schema {
	text := func(enc parquet.Node) parquet.Node { return parquet.Compressed(enc, zstdCodec{}) }
	group := parquet.Group{
		colTime:    text(parquet.Encoded(parquet.Timestamp(timeUnits[unit]), &parquet.DeltaBinaryPacked)),
		colSeq:     text(parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked)),
		colLevel:   text(parquet.Encoded(parquet.String(), &parquet.RLEDictionary)),
		colStream:  text(parquet.Encoded(parquet.String(), &parquet.RLEDictionary)),
		colMessage: text(parquet.Encoded(parquet.String(), &parquet.DeltaLengthByteArray)),
		colRest:    text(parquet.Encoded(parquet.JSON(), &parquet.DeltaLengthByteArray)),
	}
	for _, c := range columns {
		group[c.Name] = text(parquet.Encoded(parquet.String(), &parquet.DeltaLengthByteArray))
	}
	return parquet.NewSchema("log", group)
}
