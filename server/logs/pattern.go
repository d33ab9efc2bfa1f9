package logs

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/logs/drain"
	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
)

// maxPatterns is how many patterns are told apart in one answer.
const maxPatterns = 500

// PatternCount is a group of messages that are alike, over time.
type PatternCount struct {
	Pattern string `json:"pattern"`
	Count   int64  `json:"count"`
	Sample  string `json:"sample"`
	// Bars are the counts from Start on, Step apart.
	Bars []int64 `json:"bars"`
}

// patterns groups the messages of a request and counts them in steps.
func (s *Service) patterns(ctx context.Context, req store.Request, step time.Duration) ([]PatternCount, store.Stats, error) {
	tree := drain.New(maxPatterns)
	bars := int(req.To.Sub(req.From)/step) + 1
	counts := map[*drain.Pattern][]int64{}
	lines := &oneByOne{fn: func(r *record.Record) bool {
		p := tree.Add(r.Message)
		if p == nil {
			return true
		}
		if counts[p] == nil {
			counts[p] = make([]int64, bars)
		}
		if at := int(r.Time.Sub(req.From) / step); at >= 0 && at < bars {
			counts[p][at]++
		}
		return true
	}}
	stats, err := s.Store.Each(ctx, req, []string{store.ColumnMessage}, func() store.Sink { return lines })
	var out []PatternCount
	for _, p := range tree.Patterns() {
		out = append(out, PatternCount{p.Text, p.Count, p.Sample, counts[p]})
	}
	slices.SortStableFunc(out, func(a, b PatternCount) int { return cmp.Compare(b.Count, a.Count) })
	return out, stats, err
}
