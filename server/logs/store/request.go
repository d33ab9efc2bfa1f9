package store

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Matcher is what to look for. The store asks no more of a query than this.
type Matcher interface {
	// Match decides about one line. The line is only valid during the call.
	Match(*record.Record) bool
	// Tokens are folded tokens that a matching line must hold: one of each inner
	// list, for all outer lists. nil means that no token can be demanded.
	Tokens() [][]string
	// Streams tells whether a line of that stream can match at all.
	Streams(record.Labels) bool
	// Columns names the fields that Match looks at, besides "message" and "level" for
	// these parts; time and labels are always there. nil means it looks at everything.
	Columns() []string
}

// Names of Columns that are parts of a line and no fields.
const (
	ColumnMessage = "message"
	ColumnLevel   = "level"
)

// Request says which lines of a team are wanted.
type Request struct {
	Team   int64
	From   time.Time // from here on; zero is from the beginning
	To     time.Time // before here; zero is to the end
	Match  Matcher   // nil takes every line
	Limit  int       // 0 is all of them, in order of time, with memory bounded
	Newest bool      // newest lines first
	After  ID        // only what comes behind this line in the chosen order; zero is from the start
	Budget Budget
}

// Budget bounds what one search may cost; a zero takes the store's default.
type Budget struct {
	Time   time.Duration // how long it may take
	Bytes  int64         // how much it may read, uncompressed
	Memory int64         // how much it may hold
}

// ID names one line for good.
type ID struct {
	Time int64 // nanoseconds since 1970
	Seq  uint64
}

// String is the ID as it stands in addresses.
func (id ID) String() string {
	return strconv.FormatUint(uint64(id.Time), 36) + "-" + strconv.FormatUint(id.Seq, 36)
}

// ParseID reads what String wrote.
func ParseID(s string) (ID, error) {
	head, tail, ok := strings.Cut(s, "-")
	t, err1 := strconv.ParseUint(head, 36, 64)
	seq, err2 := strconv.ParseUint(tail, 36, 64)
	if !ok || err1 != nil || err2 != nil || len(s) > 32 {
		return ID{}, fmt.Errorf("no id of a line: %.40q", s)
	}
	return ID{int64(t), seq}, nil
}

// IsZero tells the ID that names no line.
func (id ID) IsZero() bool { return id == ID{} }

// Before says whether the line comes before another one: earlier, or if newest later.
func (id ID) Before(other ID, newest bool) bool {
	order := id.compare(other)
	return order < 0 && !newest || order > 0 && newest
}

func (id ID) compare(other ID) int {
	switch {
	case id.Time != other.Time && id.Time < other.Time, id.Time == other.Time && id.Seq < other.Seq:
		return -1
	case id == other:
		return 0
	}
	return 1
}

// Row is one line found. It stays valid as long as it is held.
type Row struct {
	ID ID
	record.Record
}

// Partial says why a result is not the whole; empty when it is.
type Partial string

// Why a result is partial.
const (
	Whole         Partial = ""
	PartialTime   Partial = "time"    // the time for one search was over
	PartialBytes  Partial = "bytes"   // it would have read more than it may
	PartialMemory Partial = "memory"  // it would have held more than it may
	PartialDamage Partial = "damage"  // a damaged part was left out
	PartialCancel Partial = "cancel"  // the caller gave up
	PartialValues Partial = "values"  // more distinct values than are counted
	PartialStream Partial = "streams" // more streams than are listed
	PartialServer Partial = "servers" // a server that has some of it is not there
)

// Stats is what a search cost and how far it came.
type Stats struct {
	Lines    int64         `json:"lines"`    // looked at
	Matched  int64         `json:"matched"`  // found among them
	Bytes    int64         `json:"bytes"`    // read, uncompressed
	Segments int           `json:"segments"` // in the range
	Units    int           `json:"units"`    // row groups and chunks in the range
	Pruned   int           `json:"pruned"`   // units left out by stream or token
	Partial  Partial       `json:"partial,omitempty"`
	Took     time.Duration `json:"took"`
	// Missing says in sentences which servers would have to be there for the whole.
	Missing []string `json:"missing,omitempty"`
}

// Add puts the cost of another part of the same search to this one's.
func (s *Stats) Add(other Stats) {
	s.Lines += other.Lines
	s.Matched += other.Matched
	s.Bytes += other.Bytes
	s.Segments += other.Segments
	s.Units += other.Units
	s.Pruned += other.Pruned
	s.Took = max(s.Took, other.Took)
	s.Missing = append(s.Missing, other.Missing...)
	// Who is missing counts more than why what is there was cut.
	if s.Partial == Whole || other.Partial == PartialServer {
		s.Partial = other.Partial
	}
}

// Rows is a search under way; reading All runs it.
type Rows struct {
	all   iter.Seq[Row]
	stats Stats
	err   error
}

// MakeRows prepares a search that is run by reading its rows.
func MakeRows(run func(yield func(Row) bool) (Stats, error)) *Rows {
	rows := &Rows{}
	rows.all = func(yield func(Row) bool) { rows.stats, rows.err = run(yield) }
	return rows
}

// All yields the lines in order. It may be read once.
func (r *Rows) All() iter.Seq[Row] { return r.all }

// Stats is complete when All has ended.
func (r *Rows) Stats() Stats { return r.stats }

// Err is what ended All early, other than a budget or the caller.
func (r *Rows) Err() error { return r.err }

// List reads all rows; for requests with a limit.
func (r *Rows) List() ([]Row, Stats, error) {
	var list []Row
	for row := range r.All() {
		list = append(list, row)
	}
	return list, r.stats, r.err
}

// Search prepares a search; reading its rows runs it. Newest first, it stops as soon
// as no part left can hold a newer line than those found.
func (s *Store) Search(ctx context.Context, req Request) *Rows {
	rows := &Rows{}
	rows.all = func(yield func(Row) bool) { s.search(ctx, req, rows, yield) }
	return rows
}
