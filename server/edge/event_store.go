package edge

import (
	"context"
	"encoding/json"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
)

type eventRow struct {
	ID                              int64 `gorm:"primaryKey"`
	TeamID                          int64
	NodeID, Kind                    string
	Seq, At, ReceivedAt             int64
	Rollout, Bundle, State          string
	ExitCode                        int64
	Method, Message, Details, Actor string
}

func (eventRow) TableName() string { return "edge_events" }

func (r eventRow) event() Event {
	return Event{r.ID, r.TeamID, r.NodeID, Kind(r.Kind), r.Seq, api.Millis(r.At), api.Millis(r.ReceivedAt), r.Rollout, r.Bundle, protocol.State(r.State), exitOf(r.ExitCode), r.Method, r.Message, json.RawMessage(r.Details), r.Actor}
}

func rowOfEvent(e Event) eventRow {
	return eventRow{0, e.Team, e.Node, string(e.Kind), e.Seq, int64(e.At), int64(e.ReceivedAt), e.Rollout, e.Bundle, string(e.State), exitNumber(e.Exit), e.Method, e.Message, string(e.Details), e.Actor}
}

func (r rows) insertEvents(ctx context.Context, list ...Event) error {
	if len(list) == 0 {
		return nil
	}
	out := make([]eventRow, len(list))
	for i, e := range list {
		out[i] = rowOfEvent(e)
	}
	return r.db.Writer(ctx).Create(&out).Error
}

// lastEvent is the id of a team's newest event.
func (r rows) lastEvent(ctx context.Context, team int64) (id int64, err error) {
	return id, r.db.Reader(ctx).Raw("SELECT COALESCE(MAX(id), 0) FROM edge_events WHERE team_id = ?", team).Scan(&id).Error
}

// news are the nodes to which something happened lately.
func (r rows) news(ctx context.Context, team int64, p newsPayload) (list []NewsNode, err error) {
	return list, r.db.Reader(ctx).Raw(`SELECT n.id, n.name, n.site, e.message FROM edge_events e JOIN edge_nodes n ON n.id = e.node_id
		WHERE e.team_id = ? AND e.id > ? AND e.kind = ? AND e.received_at >= ? ORDER BY n.name, n.id, e.id DESC`, team, p.After-lateEvents, p.Kind, p.Since).Scan(&list).Error
}

// events are a node's, the newest first, those before an id where one is given.
func (r rows) events(ctx context.Context, node string, before int64, limit int) ([]Event, error) {
	q := r.db.Reader(ctx).Where("node_id = ?", node)
	if before > 0 {
		q = q.Where("id < ?", before)
	}
	var list []eventRow
	err := q.Order("id DESC").Limit(limit).Find(&list).Error
	out := make([]Event, len(list))
	for i, row := range list {
		out[i] = row.event()
	}
	return out, err
}

// dropEvents keeps the newest of each node, and those that are not old. What its reports'
// numbers guard is kept by the node's own row.
func (r rows) dropEvents(ctx context.Context, node string, keep int, before int64) error {
	return r.db.Writer(ctx).Exec("DELETE FROM edge_events WHERE node_id = ? AND received_at < ? AND id NOT IN (SELECT id FROM edge_events WHERE node_id = ? ORDER BY id DESC LIMIT ?)", node, before, node, keep).Error
}

// crowded are nodes that have many old events.
func (r rows) crowded(ctx context.Context, keep int, before int64) (nodes []string, err error) {
	return nodes, r.db.Reader(ctx).Raw("SELECT node_id FROM edge_events WHERE received_at < ? GROUP BY node_id HAVING COUNT(*) > ?", before, keep).Scan(&nodes).Error
}

// takeReports moves the mark of a node's reports; false when they were taken already.
func (r rows) takeReports(ctx context.Context, node string, seq int64) (bool, error) {
	done := r.db.Writer(ctx).Exec("UPDATE edge_nodes SET report_seq = ? WHERE id = ? AND report_seq < ?", seq, node, seq)
	return done.RowsAffected == 1, done.Error
}

func (r rows) reportSeq(ctx context.Context, node string) (seq int64, err error) {
	return seq, r.db.Reader(ctx).Raw("SELECT report_seq FROM edge_nodes WHERE id = ?", node).Scan(&seq).Error
}
