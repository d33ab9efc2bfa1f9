package stream

import (
	"fmt"
	"strconv"
	"strings"
)

// entry is an event with its number; reset entries stand for "anything may have changed".
type entry struct {
	n     uint64
	reset bool
	Event
}

// ring remembers the last few thousand events. Numbers begin at 1.
type ring struct {
	epoch   string
	entries []entry
	head    uint64 // the number of the newest entry
}

func newRing(epoch string, size int) *ring { return &ring{epoch: epoch, entries: make([]entry, size)} }

func (r *ring) add(e entry) {
	r.head++
	e.n = r.head
	r.entries[r.head%uint64(len(r.entries))] = e
}

// after returns the entries that follow n, or false when some of them are gone.
func (r *ring) after(n uint64) ([]entry, bool) {
	if n > r.head || r.head-n > uint64(len(r.entries)) {
		return nil, false
	}
	list := make([]entry, 0, r.head-n)
	for i := n + 1; i <= r.head; i++ {
		list = append(list, r.entries[i%uint64(len(r.entries))])
	}
	return list, true
}

func (r *ring) id(n uint64) string { return fmt.Sprintf("%s-%d", r.epoch, n) }

// parse gives the number in an id of this epoch.
func (r *ring) parse(id string) (uint64, bool) {
	epoch, number, found := strings.Cut(id, "-")
	if !found || epoch != r.epoch {
		return 0, false
	}
	n, err := strconv.ParseUint(number, 10, 64)
	return n, err == nil
}
