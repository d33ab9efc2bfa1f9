package edge

import (
	"context"
	"encoding/json"
	"time"
)

// Heard is what a node reported or what happened to it, with the node's name.
type Heard struct {
	Event
	Name, Site string
	// Log is what the node's package manager said at the end of a run.
	Log string
}

// Heard gives what happened to nodes of all teams in order, after an event and received
// within the span; for whoever keeps it elsewhere too.
func (s *Service) Heard(ctx context.Context, after int64, from, to time.Time, limit int) ([]Heard, error) {
	var rows []struct {
		Row        eventRow `gorm:"embedded"`
		Name, Site string
	}
	err := s.DB.Reader(ctx).Raw(`SELECT e.*, n.name, n.site FROM edge_events e JOIN edge_nodes n ON n.id = e.node_id
		WHERE e.id > ? AND e.received_at >= ? AND e.received_at < ? ORDER BY e.id LIMIT ?`, after, from.UnixMilli(), to.UnixMilli(), limit).Scan(&rows).Error
	out := make([]Heard, len(rows))
	for i, r := range rows {
		out[i] = Heard{Event: r.Row.event(), Name: r.Name, Site: r.Site}
		var details struct{ Log string }
		if json.Unmarshal(out[i].Details, &details) == nil {
			out[i].Log = details.Log
		}
	}
	return out, err
}
