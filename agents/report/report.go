// Package report keeps what happened on a node until the portal has it: one
// file per report, numbered without gaps, so that none is lost or counted twice
// however long the node is offline. When the queue is full the oldest reports
// that end no run are dropped first.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/protocol"
)

// Most is how many reports are kept.
const Most = 1000

// Queue is a folder of reports. It is for one process.
type Queue struct {
	dir   string
	state state
	seqs  []int64 // that lie in the folder, ascending
}

// state is what outlives the reports themselves.
type state struct {
	Last   int64 `json:"last"`             // the highest number ever given
	Origin int64 `json:"origin,omitempty"` // of another queue: up to which its reports were taken over
}

const stateName = "state.json"

// Open opens the folder and makes it where it is missing.
func Open(dir string) (*Queue, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the reports: %w", err)
	}
	q := &Queue{dir: dir}
	raw, err := os.ReadFile(filepath.Join(dir, stateName))
	if err == nil {
		err = json.Unmarshal(raw, &q.state)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open the reports: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open the reports: %w", err)
	}
	for _, e := range entries {
		if n, err := strconv.ParseInt(strings.TrimSuffix(e.Name(), ".json"), 10, 64); err == nil && strings.HasSuffix(e.Name(), ".json") {
			q.seqs = append(q.seqs, n)
		}
	}
	slices.Sort(q.seqs)
	if len(q.seqs) > 0 {
		q.state.Last = max(q.state.Last, q.seqs[len(q.seqs)-1])
	}
	return q, nil
}

func (q *Queue) path(seq int64) string { return filepath.Join(q.dir, fmt.Sprintf("%019d.json", seq)) }

// Append keeps a report and gives it its number. It is on disk when Append returns.
func (q *Queue) Append(r protocol.Report) (int64, error) {
	r.Seq = q.state.Last + 1
	if len(r.Message) > protocol.MaxText {
		r.Message = strings.ToValidUTF8(r.Message[:protocol.MaxText], "")
	}
	if len(r.Details) > protocol.MaxDetails {
		r.Details = nil
	}
	raw, err := json.Marshal(r)
	if err == nil {
		err = journal.Replace(q.path(r.Seq), raw, 0o600)
	}
	if err != nil {
		return 0, fmt.Errorf("keep a report: %w", err)
	}
	q.state.Last = r.Seq
	q.seqs = append(q.seqs, r.Seq)
	return r.Seq, q.bound()
}

// TakeOver appends a report of another queue, once: its number there says
// whether it was taken before.
func (q *Queue) TakeOver(r protocol.Report) error {
	if r.Seq <= q.state.Origin {
		return nil
	}
	origin := r.Seq
	if _, err := q.Append(r); err != nil {
		return err
	}
	// A kill right here makes the portal hear of it twice, with two numbers;
	// states are facts, so the second changes nothing.
	q.state.Origin = origin
	return q.save()
}

func (q *Queue) save() error {
	raw, err := json.Marshal(q.state)
	if err == nil {
		err = journal.Replace(filepath.Join(q.dir, stateName), raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the number of the last report: %w", err)
	}
	return nil
}

// bound drops one report where there are too many.
func (q *Queue) bound() error {
	if len(q.seqs) <= Most {
		return nil
	}
	at := 0
	for i, seq := range q.seqs {
		if r, err := q.read(seq); err != nil || r.Exit == nil {
			at = i
			break
		}
	}
	if err := q.save(); err != nil { // the highest number must not go with its file
		return err
	}
	return q.drop(at, at+1)
}

func (q *Queue) drop(from, to int) error {
	for _, seq := range q.seqs[from:to] {
		if err := os.Remove(q.path(seq)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop a report: %w", err)
		}
	}
	q.seqs = slices.Delete(q.seqs, from, to)
	return journal.SyncDir(q.dir)
}

func (q *Queue) read(seq int64) (r protocol.Report, err error) {
	raw, err := os.ReadFile(q.path(seq))
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	r.Seq = seq
	return r, err
}

// First gives the oldest reports with numbers above after, at most so many. One
// that cannot be read any more is left out.
func (q *Queue) First(after int64, most int) []protocol.Report {
	var list []protocol.Report
	for _, seq := range q.seqs {
		if seq <= after {
			continue
		}
		if len(list) == most {
			break
		}
		if r, err := q.read(seq); err == nil {
			list = append(list, r)
		}
	}
	return list
}

// Len is how many wait.
func (q *Queue) Len() int { return len(q.seqs) }

// Acked forgets everything up to a number.
func (q *Queue) Acked(seq int64) error {
	n, exact := slices.BinarySearch(q.seqs, seq)
	if exact {
		n++
	}
	if n == 0 {
		return nil
	}
	if err := q.save(); err != nil {
		return err
	}
	return q.drop(0, n)
}

// Origin is the number, in the other queue, up to which reports were taken over.
func (q *Queue) Origin() int64 { return q.state.Origin }
