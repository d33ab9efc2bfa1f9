package logs

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) sourceRoutes(r api.Router) {
	read := api.Scoped("logs", identity.Read)
	r.GET("/sources", read, api.Handle(s.httpSources))
	r.GET("/sizes", read, api.Handle(s.httpSizes))
}

type teamIn struct {
	Team string `form:"team" json:"-"`
}

type sourcesOut struct {
	Sources []Source `json:"sources"`
}

func (s *Service) httpSources(ctx context.Context, in teamIn) (sourcesOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return sourcesOut{}, err
	}
	list, err := s.Sources(ctx, team.ID)
	return sourcesOut{list}, err
}

type sizesOut struct {
	Days      []dayOut       `json:"days"`
	Streams   []streamOut    `json:"streams"`
	Retention retentionOut   `json:"retention"`
	Forecast  *int           `json:"forecast_days"`
	Damage    []store.Damage `json:"damage"`
	// Missing says which servers have lines that are not counted.
	Missing []string `json:"missing,omitempty"`
}

type dayOut struct {
	Day   string `json:"day"`
	Lines int64  `json:"lines"`
	Raw   int64  `json:"raw"`
	Disk  int64  `json:"disk"`
}

type streamOut struct {
	Labels map[string]string `json:"labels"`
	Lines  int64             `json:"lines"`
	Raw    int64             `json:"raw"`
	Disk   int64             `json:"disk"`
}

type retentionOut struct {
	Days  int   `json:"days"`
	Bytes int64 `json:"bytes"`
}

// maxStreams is how many streams the page lists, the largest.
const maxStreams = 200

func (s *Service) httpSizes(ctx context.Context, in teamIn) (sizesOut, error) {
	out := sizesOut{Days: []dayOut{}, Streams: []streamOut{}, Damage: []store.Damage{}}
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return out, err
	}
	days, streams, damage, missing, err := s.Store.Sizes(ctx, team.ID, s.Now().UTC().Truncate(24*time.Hour))
	if err != nil {
		return out, err
	}
	out.Missing = missing
	for _, d := range days {
		out.Days = append(out.Days, dayOut{d.Day.Format(time.DateOnly), d.Lines, d.Raw, d.Disk})
	}
	for _, stream := range streams[:min(len(streams), maxStreams)] {
		out.Streams = append(out.Streams, streamOut{stream.Labels.Map(), stream.Lines, stream.Raw, stream.Disk})
	}
	kept := s.RetentionOf(team.ID)
	out.Retention = retentionOut{int(kept.Age / (24 * time.Hour)), kept.Bytes}
	out.Forecast = forecast(days, kept, s.Now())
	for _, d := range damage {
		// A fault of no team's own concerns each.
		if d.Team == 0 || d.Team == team.ID {
			out.Damage = append(out.Damage, d)
		}
	}
	return out, nil
}

// forecastOver is how many of the last days say how fast a team's lines grow.
const forecastOver = 7

// forecast is in how many days a team reaches its limit of bytes, so that days go
// before their age; nil when its lines grow too old first. Today counts only
// while there is no other day, since it is not over.
func forecast(days []store.DaySize, kept store.Retention, now time.Time) *int {
	if kept.Bytes <= 0 {
		return nil
	}
	today := now.UTC().Truncate(24 * time.Hour)
	var used, recent int64
	count, first := int64(0), today
	for _, d := range days {
		used += d.Disk
		if d.Day.Before(today) && !d.Day.Before(today.AddDate(0, 0, -forecastOver)) {
			recent += d.Disk
			if d.Day.Before(first) {
				first = d.Day
			}
		}
	}
	if count = int64(today.Sub(first) / (24 * time.Hour)); count == 0 {
		recent, count = used, 1
	}
	daily := recent / count
	if daily == 0 || kept.Age > 0 && daily*int64(kept.Age/(24*time.Hour)) < kept.Bytes && used < kept.Bytes {
		return nil
	}
	left := int(max(0, kept.Bytes-used) / daily)
	return &left
}
