package edge

import (
	"context"
	"slices"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// Grid is a whole fleet in few bytes: words stand in Words once, cells name them by their place.
type Grid struct {
	// At is what to ask changes after.
	At    int64    `json:"at"`
	Words []string `json:"words"`
	// Cells are the nodes, or those that changed. Each is: id, name, and as places in
	// Words: site, variant, bundle, rollout, state, agent state; then exit code (-1: none), seconds since
	// it was heard of (-1: never), 1 if offline, open CVEs (-1: not known).
	Cells  [][]any `json:"cells"`
	Counts Counts  `json:"counts"`
	// Total is how many nodes the search finds; when it changes without new cells, some went away.
	Total int `json:"total"`
}

// Grid gives a team's nodes that meet a search, those that changed after since if it is not 0.
func (s *Service) Grid(ctx context.Context, team int64, q string, since int64) (Grid, error) {
	out := Grid{At: s.millis(), Words: []string{}, Cells: [][]any{}}
	if err := identity.Require(ctx, team, reading); err != nil {
		return out, err
	}
	found, err := s.find(ctx, team, q)
	if err != nil {
		return out, err
	}
	open, err := s.openCounts(ctx, team, found)
	if err != nil {
		return out, err
	}
	now := s.Now()
	out.Counts, out.Total = s.count(found, now), len(found)
	places := map[string]int{}
	place := func(word string) int {
		i, known := places[word]
		if !known {
			i = len(out.Words)
			places[word] = i
			out.Words = append(out.Words, word)
		}
		return i
	}
	for _, n := range found {
		if since > 0 && !n.changedAfter(since) {
			continue
		}
		heard, offline, cves := int64(-1), 0, -1
		if n.SeenAt != 0 {
			heard = max(0, (now.UnixMilli()-int64(n.SeenAt))/1000)
		}
		if s.offline(n, now) {
			offline = 1
		}
		if c, known := open[n.Set]; known && n.Set != 0 {
			cves = c
		}
		out.Cells = append(out.Cells, []any{n.ID, n.Name, place(n.Site), place(n.Variant), place(n.Bundle), place(n.Rollout), place(string(n.State)), place(string(n.AgentState)),
			exitNumber(n.LastExit), heard, offline, cves})
	}
	return out, nil
}

// written is how long what a check-in said may take to reach the row, in milliseconds.
const written = 3000

// changedAfter tells whether anything shown is newer. It looks back a little: rows are
// written after the time that they bear.
func (n *Node) changedAfter(since int64) bool {
	newest := slices.Max([]api.Millis{n.SeenAt, n.ChangedAt, n.InventoryAt, n.LostAt})
	return int64(newest) > since-written
}
