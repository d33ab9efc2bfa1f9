package logs

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// ThreadLines gives how many lines a search finds between two instants, and a few of
// them: the first ones, or the last ones when newest is set.
func (s *Service) ThreadLines(ctx context.Context, team identity.Team, query string, from, to time.Time, some int, newest bool) (thread.Lines, error) {
	out := thread.Lines{Query: query, From: from.UTC(), To: to.UTC(), Items: []thread.Line{}, Path: linesPage(team.Name, query, from, to)}
	ask := Search{Team: team.Name, Query: query, From: from, To: to, Limit: some, Oldest: !newest}
	counted, err := s.Count(ctx, ask, 1)
	if err != nil || counted.Total == 0 {
		return out, err
	}
	out.Total, out.Partial = counted.Total, counted.Stats.Partial
	found, err := s.Find(ctx, ask)
	for _, l := range found.Lines {
		service := l.Labels["service"]
		out.Items = append(out.Items, thread.Line{Time: l.Time, Level: l.Level, Service: service, Message: clipText(l.Message, quotedLine)})
	}
	if newest {
		slices.Reverse(out.Items)
	}
	return out, err
}

// quotedLine is how much of a line other pages show, in bytes.
const quotedLine = 400

func linesPage(team, query string, from, to time.Time) string {
	const exact = "2006-01-02T15:04:05.000Z07:00"
	return logsPage(team, "?"+url.Values{"q": {query}, "from": {from.UTC().Format(exact)}, "to": {to.UTC().Format(exact)}}.Encode())
}
