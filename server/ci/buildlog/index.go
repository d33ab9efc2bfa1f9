package buildlog

import (
	"encoding/json"
	"hash/crc32"
	"os"
	"slices"
	"sort"
	"time"
)

// markEvery is how many records lie between two marks: what a reader scans at most
// before it is where it wants to be.
const markEvery = 512

// mark says that the record at Offset is event number Event, and that Line lines
// come before it.
type mark struct {
	Event  int64 `json:"e"`
	Line   int64 `json:"l"`
	Offset int64 `json:"o"`
}

// sectionMark says that line number Line is the section's line number Nth (from 0)
// and lies at Offset as event number Event.
type sectionMark struct {
	Nth    int64 `json:"n"`
	Event  int64 `json:"e"`
	Line   int64 `json:"l"`
	Offset int64 `json:"o"`
}

// Section is the part of a log that one origin wrote. Steps that ran at the same time
// interleave, so a section's lines need not be all lines between First and Last.
type Section struct {
	Origin string `json:"origin"`
	// First and Last are line numbers of the build, 0 when the origin wrote no line.
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	// Lines counts the section's own lines.
	Lines int64 `json:"lines"`
	Bytes int64 `json:"bytes"`
	// FirstEvent and LastEvent are ids of its events of any kind.
	FirstEvent int64     `json:"firstEvent"`
	LastEvent  int64     `json:"lastEvent"`
	Begin      time.Time `json:"begin"`
	End        time.Time `json:"end"`
}

type section struct {
	Section
	Marks []sectionMark `json:"marks,omitempty"`
	// Consumed is how far LineWriters have read: standard output, standard error.
	Consumed [2]int64 `json:"consumed"`
}

// index is everything remembered about a file's records up to Size.
type index struct {
	Size     int64      `json:"size"`
	Events   int64      `json:"events"`
	Lines    int64      `json:"lines"`
	Marks    []mark     `json:"marks"`
	Sections []*section `json:"sections"`

	byOrigin map[string]*section
	last     *section
}

func newIndex() *index {
	return &index{Size: int64(len(fileMagic)), byOrigin: map[string]*section{}}
}

// add takes the next record, which lies at x.Size and ends at end.
func (x *index) add(r *rawRecord, end int64) {
	if x.Events%markEvery == 0 {
		x.Marks = append(x.Marks, mark{Event: x.Events, Line: x.Lines, Offset: x.Size})
	}
	s := x.section(r)
	s.LastEvent, s.End = x.Events, time.Unix(0, r.time).UTC()
	if r.log {
		x.Lines++
		if s.Lines%markEvery == 0 {
			s.Marks = append(s.Marks, sectionMark{Nth: s.Lines, Event: x.Events, Line: x.Lines, Offset: x.Size})
		}
		if s.Lines == 0 {
			s.First = x.Lines
		}
		s.Last = x.Lines
		s.Lines++
		s.Bytes += int64(len(r.rest))
		if r.consumed > 0 {
			s.Consumed[sourceIndex(r.stderr)] = r.consumed
		}
	}
	x.Events++
	x.Size = end
}

func (x *index) section(r *rawRecord) *section {
	if x.last != nil && x.last.Origin == string(r.origin) {
		return x.last
	}
	s := x.byOrigin[string(r.origin)]
	if s == nil {
		s = &section{Section: Section{Origin: string(r.origin), FirstEvent: x.Events, Begin: time.Unix(0, r.time).UTC()}}
		x.byOrigin[s.Origin] = s
		x.Sections = append(x.Sections, s)
	}
	x.last = s
	return s
}

func sourceIndex(stderr bool) int {
	if stderr {
		return 1
	}
	return 0
}

// beforeEvent is the last mark at or before an event.
func (x *index) beforeEvent(id int64) mark {
	i := sort.Search(len(x.Marks), func(i int) bool { return x.Marks[i].Event > id })
	return x.markAt(i - 1)
}

// beforeLine is the last mark before which fewer than n lines lie.
func (x *index) beforeLine(n int64) mark {
	i := sort.Search(len(x.Marks), func(i int) bool { return x.Marks[i].Line >= n })
	return x.markAt(i - 1)
}

func (x *index) markAt(i int) mark {
	if i < 0 {
		return mark{Offset: int64(len(fileMagic))}
	}
	return x.Marks[i]
}

// nth is the last section mark at or before the section's line number n (from 0).
func (s *section) nth(n int64) (sectionMark, bool) {
	i := sort.Search(len(s.Marks), func(i int) bool { return s.Marks[i].Nth > n })
	if i == 0 {
		return sectionMark{}, false
	}
	return s.Marks[i-1], true
}

// sidecar is the index on disk; Sum covers the bytes of Index.
type sidecar struct {
	Format int             `json:"format"`
	Sum    uint32          `json:"sum"`
	Index  json.RawMessage `json:"index"`
}

const sidecarFormat = 1

// saveIndex replaces the file in one step. It is a cache, so nothing is synced: a
// torn one fails its checksum.
func saveIndex(path string, x *index) error {
	body, err := json.Marshal(x)
	if err != nil {
		return err
	}
	out, err := json.Marshal(sidecar{Format: sidecarFormat, Sum: crc32.Checksum(body, crcTable), Index: body})
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(dirOf(path), "index-*")
	if err != nil {
		return err
	}
	_, err = next.Write(out)
	if closeErr := next.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err != nil {
		return joinRemove(err, next.Name())
	}
	return nil
}

// loadIndex returns nil when there is no index that fits a file of that size.
func loadIndex(path string, fileSize int64) *index {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var side sidecar
	if json.Unmarshal(raw, &side) != nil || side.Format != sidecarFormat ||
		crc32.Checksum(side.Index, crcTable) != side.Sum {
		return nil
	}
	x := newIndex()
	if json.Unmarshal(side.Index, x) != nil || x.Size > fileSize || x.Size < int64(len(fileMagic)) {
		return nil
	}
	for _, s := range x.Sections {
		x.byOrigin[s.Origin] = s
	}
	return x
}

// sections copies what callers may see.
func (x *index) sections() []Section {
	out := make([]Section, 0, len(x.Sections))
	for _, s := range x.Sections {
		out = append(out, s.Section)
	}
	slices.SortFunc(out, func(a, b Section) int { return int(a.FirstEvent - b.FirstEvent) })
	return out
}
