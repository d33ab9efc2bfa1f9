package store

import (
	"context"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Context is the lines around one line, in order of time.
type Context struct {
	Rows  []Row
	Index int // of the line itself in Rows; -1 if it is gone
	Stats Stats
}

// Around finds a line and its neighbours in the same stream. A line that retention has
// taken, or that is another team's, has none.
func (s *Store) Around(ctx context.Context, team int64, id ID, before, after int) (Context, error) {
	at := time.Unix(0, id.Time)
	out := Context{Index: -1}
	var line *Row
	here := s.Search(ctx, Request{Team: team, From: at, To: at.Add(1)})
	for row := range here.All() {
		if row.ID == id {
			line = &row
			break
		}
	}
	if here.Err() != nil || line == nil {
		out.Stats = here.Stats()
		return out, here.Err()
	}
	same := sameStream(line.Stream.Key())
	var err error
	var older, newer []Row
	if before > 0 {
		if older, out.Stats, err = s.Search(ctx, Request{Team: team, Match: same, Newest: true, After: id, Limit: before}).List(); err != nil {
			return out, err
		}
	}
	if after > 0 {
		if newer, _, err = s.Search(ctx, Request{Team: team, Match: same, After: id, Limit: after}).List(); err != nil {
			return out, err
		}
	}
	slices.Reverse(older)
	out.Index = len(older)
	out.Rows = append(append(older, *line), newer...)
	return out, nil
}

// sameStream matches every line of one stream.
type sameStream string

func (k sameStream) Match(*record.Record) bool    { return true }
func (k sameStream) Tokens() [][]string           { return nil }
func (k sameStream) Streams(l record.Labels) bool { return l.Key() == string(k) }
func (k sameStream) Columns() []string            { return []string{} }
