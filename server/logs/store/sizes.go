package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// DaySize is what a team has of one day. The memtable counts as disk: its write-ahead file is there.
type DaySize struct {
	Team     int64     `json:"team"`
	Day      time.Time `json:"day"`
	Lines    int64     `json:"lines"`
	Raw      int64     `json:"raw"`  // bytes of the lines as they came, about
	Disk     int64     `json:"disk"` // bytes they take
	Segments int       `json:"segments"`
}

// Sizes lists what there is by team and day, for the page and for forecasts. team 0 is all teams.
func (s *Store) Sizes(team int64) []DaySize {
	sum := map[partitionKey]*DaySize{}
	of := func(key partitionKey) *DaySize {
		if sum[key] == nil {
			sum[key] = &DaySize{Team: key.team, Day: time.Unix(0, dayStart(key.day)).UTC()}
		}
		return sum[key]
	}
	s.mu.RLock()
	var chunks []*chunk
	for _, m := range []*memtable{s.frozen, s.active} {
		if m != nil {
			chunks = append(chunks, m.chunks...)
		}
	}
	for key, p := range s.segments.byDay {
		if team != 0 && key.team != team {
			continue
		}
		d := of(key)
		for _, g := range p.segments {
			d.Lines += g.info.Rows
			d.Raw += g.info.Raw
			d.Disk += g.info.Bytes
			d.Segments++
		}
	}
	s.mu.RUnlock()
	for _, c := range chunks {
		for i := range c.rows {
			if team == 0 || c.team == team {
				d, n := of(partitionKey{c.team, dayOf(c.rows[i].time)}), int64(lineBytes(c, i))
				d.Lines, d.Raw, d.Disk = d.Lines+1, d.Raw+n, d.Disk+n
			}
		}
	}
	list := make([]DaySize, 0, len(sum))
	for _, d := range sum {
		list = append(list, *d)
	}
	slices.SortFunc(list, func(a, b DaySize) int { return cmp.Or(cmp.Compare(a.Team, b.Team), a.Day.Compare(b.Day)) })
	return list
}

// StreamSize is what one stream has of one day.
type StreamSize struct {
	Labels record.Labels
	Day    time.Time
	Lines  int64
	Raw    int64
	Disk   int64 // its share of the day's, by Raw
}

// StreamSizes lists what a team has of one day by stream, largest first.
func (s *Store) StreamSizes(ctx context.Context, team int64, day time.Time) ([]StreamSize, error) {
	day = day.UTC().Truncate(24 * time.Hour)
	list, _, err := s.Streams(ctx, Request{Team: team, From: day, To: day.Add(24 * time.Hour)})
	var disk, raw int64
	for _, d := range s.Sizes(team) {
		if d.Day.Equal(day) {
			disk = d.Disk
		}
	}
	for _, series := range list {
		raw += series.Bytes
	}
	out := make([]StreamSize, len(list))
	for i, series := range list {
		out[i] = StreamSize{series.Labels, day, series.Lines, series.Bytes, int64(float64(disk) * float64(series.Bytes) / float64(max(raw, 1)))}
	}
	slices.SortFunc(out, func(a, b StreamSize) int { return cmp.Compare(b.Raw, a.Raw) })
	return out, err
}
