package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Retention is what a team keeps. Zeros keep everything.
type Retention struct {
	Age     time.Duration // lines older than this go, a day at a time
	Bytes   int64         // on disk; beyond it the oldest days go
	Streams []StreamRetention
}

// StreamRetention keeps some streams for a shorter time than the rest; the first that matches holds.
type StreamRetention struct {
	Match func(record.Labels) bool
	Age   time.Duration
}

// Reason says why lines were let go.
type Reason string

// The reasons of retention.
const (
	ReasonAge    Reason = "age"
	ReasonBytes  Reason = "bytes"
	ReasonDisk   Reason = "disk"
	ReasonStream Reason = "stream"
)

// Gone is a day, or a part of it, that retention took.
type Gone struct {
	Team  int64
	Day   time.Time
	Lines int64
	Bytes int64
	Why   Reason
}

// Retain lets go of what need not be kept: by age, by bytes of a team, and, whoever's it
// is, the oldest days when the disk has too little room. Today is never taken for the
// disk's sake. Call it now and then.
func (s *Store) Retain(ctx context.Context) ([]Gone, error) {
	s.maintain.Lock()
	defer s.maintain.Unlock()
	var gone []Gone
	now, leap, err := s.clock.look()
	errs := []error{err} // about its file: what is old is known all the same
	if leap != 0 {
		s.opt.Log.Warn("the clock leapt; it is believed after a day, and nothing is let go by it until then", "leap", leap.Round(time.Second).String())
	}
	if s.opt.Retention != nil {
		for _, team := range s.teams() {
			list, err := s.retainTeam(ctx, now, team, s.opt.Retention(team))
			gone, errs = append(gone, list...), append(errs, err)
		}
	}
	list, err := s.retainDisk(now)
	gone, errs = append(gone, list...), append(errs, err)
	for _, g := range gone {
		s.opt.Log.Info("let go of logs", "team", g.Team, "day", g.Day.Format(time.DateOnly), "lines", g.Lines, "bytes", g.Bytes, "why", g.Why)
	}
	return gone, errors.Join(errs...)
}

func (s *Store) teams() []int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	teams := make([]int64, 0, len(s.segments.days))
	for team := range s.segments.days {
		teams = append(teams, team)
	}
	slices.Sort(teams)
	return teams
}

// partitions are those of a team, or of all for 0, oldest first.
func (s *Store) partitions(team int64) []partition {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []partition
	for key, p := range s.segments.byDay {
		if team == 0 || key.team == team {
			list = append(list, partition{p.team, p.day, slices.Clone(p.segments)})
		}
	}
	slices.SortFunc(list, func(a, b partition) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.team, b.team)) })
	return list
}

func (p *partition) bytes() (n int64) {
	for _, g := range p.segments {
		n += g.info.Bytes
	}
	return n
}

// old tells whether all of a day is older than an age.
func old(now time.Time, day int32, age time.Duration) bool {
	return age > 0 && dayStart(day+1) <= now.Add(-age).UnixNano()
}

func (s *Store) retainTeam(ctx context.Context, now time.Time, team int64, keep Retention) (gone []Gone, err error) {
	parts := s.partitions(team)
	total := int64(0)
	for i := range parts {
		total += parts[i].bytes()
	}
	for i := range parts {
		p := &parts[i]
		var why Reason
		switch {
		case old(now, p.day, keep.Age):
			why = ReasonAge
		case keep.Bytes > 0 && total > keep.Bytes && i < len(parts)-1:
			why = ReasonBytes
		case keep.Bytes > 0 && total > keep.Bytes: // the only day left: its oldest segments go
			g, err := s.shrink(p, total-keep.Bytes)
			return append(gone, g...), err
		default:
			g, err := s.retainStreams(ctx, now, p, keep.Streams)
			if gone = append(gone, g...); err != nil {
				return gone, err
			}
			continue
		}
		total -= p.bytes()
		g, err := s.dropSegments(p, p.segments, why)
		if gone = append(gone, g...); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

func (s *Store) shrink(p *partition, excess int64) ([]Gone, error) {
	var list []*segment
	for _, g := range p.segments {
		if excess <= 0 {
			break
		}
		list = append(list, g)
		excess -= g.info.Bytes
	}
	return s.dropSegments(p, list, ReasonBytes)
}

func (s *Store) dropSegments(p *partition, list []*segment, why Reason) ([]Gone, error) {
	if len(list) == 0 {
		return nil, nil
	}
	gone := Gone{Team: p.team, Day: time.Unix(0, dayStart(p.day)).UTC(), Why: why}
	step := edit{}
	for _, g := range list {
		step.Drop = append(step.Drop, g.info.ID)
		gone.Lines += g.info.Rows
		gone.Bytes += g.info.Bytes
	}
	if err := s.replace(list, step); err != nil {
		return nil, err
	}
	return []Gone{gone}, nil
}

// retainStreams rewrites the segments of a past day without the streams whose time is over.
func (s *Store) retainStreams(ctx context.Context, now time.Time, p *partition, rules []StreamRetention) (gone []Gone, err error) {
	if !slices.ContainsFunc(rules, func(r StreamRetention) bool { return old(now, p.day, r.Age) }) {
		return nil, nil
	}
	drop := func(labels record.Labels) bool {
		for _, r := range rules {
			if r.Match(labels) {
				return old(now, p.day, r.Age)
			}
		}
		return false
	}
	for _, g := range p.segments {
		lines, err := s.linesOf(g, drop)
		if err != nil || lines == 0 {
			continue // what cannot be read cannot be rewritten; it is listed as damaged
		}
		g.acquire()
		err = s.rewrite(ctx, []*segment{g}, drop)
		g.release(s)
		if err != nil {
			return gone, err
		}
		gone = append(gone, Gone{Team: p.team, Day: time.Unix(0, dayStart(p.day)).UTC(), Lines: lines, Why: ReasonStream})
	}
	return gone, nil
}

// linesOf counts the lines of a segment in streams that drop names.
func (s *Store) linesOf(g *segment, drop func(record.Labels) bool) (int64, error) {
	ix, err := s.indexes.get(s, g)
	if err != nil {
		s.quarantine(g, err)
		return 0, err
	}
	defer s.indexes.put(s, ix)
	lines := int64(0)
	for i := range ix.desc.Groups {
		for _, run := range ix.desc.Groups[i].Runs {
			if drop(ix.desc.Streams[run.Stream].labels) {
				lines += int64(run.Rows)
			}
		}
	}
	return lines, nil
}

// retainDisk frees the disk of oldest days until it has MinFree twice over, and the share asked for.
func (s *Store) retainDisk(now time.Time) (gone []Gone, err error) {
	free, total, err := s.opt.DiskFree(s.opt.Dir)
	if err != nil {
		return nil, err
	}
	wanted := max(2*s.opt.MinFree, int64(float64(total)*s.opt.FreeShare))
	today := dayOf(now.UnixNano())
	for _, p := range s.partitions(0) {
		if free >= wanted || p.day >= today {
			break
		}
		free += p.bytes()
		g, err := s.dropSegments(&p, p.segments, ReasonDisk)
		if gone = append(gone, g...); err != nil {
			return gone, err
		}
	}
	return gone, nil
}
