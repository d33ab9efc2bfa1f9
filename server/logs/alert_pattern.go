package logs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/drain"
	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// maxKinds is how many patterns an alert knows.
	maxKinds = 2000
	// maxNewKinds is how many it fires about in one look; of more it knows afterwards.
	maxNewKinds = 100
	// patternOverlap looks again at the last lines, since some come late.
	patternOverlap = time.Minute
	// maxPatternLook bounds what is looked at after a pause.
	maxPatternLook = time.Hour
)

// lesson is what an alert has learned of patterns.
type lesson struct {
	seen  []patternRow
	gone  []string
	since int64
}

// newPatterns finds messages of kinds that the alert has not seen. What it has seen
// leads the tree, so that a message joins it; the first time it only learns, from
// what is there of its days.
func (s *Service) newPatterns(ctx context.Context, a Alert, row alertRow, now time.Time) ([]observed, *lesson, error) {
	since := now.Add(-time.Duration(a.Condition.Days) * 24 * time.Hour)
	known, err := s.rows.patterns(ctx, a.ID, since.UnixMilli())
	if err != nil {
		return nil, nil, err
	}
	from, first := time.UnixMilli(row.LearnedTo).Add(-patternOverlap), row.LearnedTo == 0
	switch {
	case first:
		from = since
	case now.Sub(from) > maxPatternLook:
		from = now.Add(-maxPatternLook)
	}
	tree := drain.New(maxKinds)
	seeds := map[*drain.Pattern][]patternRow{}
	planted := map[*drain.Pattern]int64{}
	for _, k := range known {
		if p := tree.Add(k.Pattern); p != nil {
			seeds[p], planted[p] = append(seeds[p], k), p.Count
		}
	}
	samples := map[*drain.Pattern]string{}
	stats, err := s.eachLine(ctx, a, from, now, func(r *record.Record) {
		if p := tree.Add(r.Message); p != nil && samples[p] == "" && seeds[p] == nil {
			samples[p] = lineText(r)
		}
	})
	switch {
	case err != nil:
		return nil, nil, err
	case tree.Full():
		return nil, nil, problem.New(problem.Invalid, "There are more than %d kinds of messages, too many to tell new ones; narrow the search.", maxKinds)
	case !first && stats.Partial != store.Whole:
		return nil, nil, problem.New(problem.Unavailable, "%s", partialWords[stats.Partial])
	}
	learned, found := &lesson{since: since.UnixMilli()}, []observed(nil)
	for _, p := range tree.Patterns() {
		fresh := seeds[p] == nil
		if fresh || p.Count > planted[p] {
			learned.see(a.ID, p.Text, seeds[p], now)
		}
		if fresh && !first && len(found) < maxNewKinds {
			found = append(found, observed{subject: subjectOf(p.Text), value: float64(p.Count), sample: samples[p]})
		}
	}
	return found, learned, nil
}

// see notes that a pattern was seen. Rows are written when it has another text now,
// and else once an hour.
func (l *lesson) see(alert, text string, rows []patternRow, now time.Time) {
	text = strings.ReplaceAll(text, "\x00", "") // which PostgreSQL does not take
	hash, at := hashOf(text), now.UnixMilli()
	write := true
	for _, r := range rows {
		if r.Hash != hash {
			l.gone = append(l.gone, r.Hash)
		} else if at-r.SeenAt < time.Hour.Milliseconds() {
			write = false
		}
	}
	if write {
		l.seen = append(l.seen, patternRow{AlertID: alert, Hash: hash, Pattern: text, SeenAt: at})
	}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// eachLine hands the lines of an alert's query on, one at a time and in no order.
func (s *Service) eachLine(ctx context.Context, a Alert, from, to time.Time, fn func(*record.Record)) (store.Stats, error) {
	_, req, err := s.lookFor(ctx, a.Team, a.Condition.Query, from, to)
	if err != nil {
		return store.Stats{}, err
	}
	lines := &oneByOne{fn: func(r *record.Record) bool { fn(r); return true }}
	stats, err := s.Store.Each(ctx, req, []string{store.ColumnMessage, store.ColumnLevel}, func() store.Sink { return lines })
	if err == nil {
		err = ctx.Err()
	}
	return stats, err
}
