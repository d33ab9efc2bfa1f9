package edge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/rollout"
)

// playing is a member with what the fleet knows of its node.
type playing struct {
	NodeID, Name, Site, Zone                   string
	Batch                                      int
	State                                      rollout.NodeState
	ExitCode, ReleasedAt, DeliveredAt, EndedAt int64
	SeenAt                                     int64
	NodeState                                  protocol.NodeState
}

// playing gives the members that take part; a node that is gone has no state.
func (r rows) playing(ctx context.Context, id string) ([]playing, error) {
	// Scanned by hand: of ten thousand nodes gorm's reflection costs more than the query.
	found, err := r.db.Reader(ctx).Raw(`SELECT m.node_id, m.name, m.site, m.zone, m.batch, m.state, m.exit_code, m.released_at, m.delivered_at, m.ended_at,
		COALESCE(n.seen_at, 0), COALESCE(n.state, '')
		FROM edge_rollout_nodes m LEFT JOIN edge_nodes n ON n.id = m.node_id WHERE m.rollout_id = ? AND m.batch >= 0`, id).Rows()
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var list []playing
	for found.Next() {
		var m playing
		if err := found.Scan(&m.NodeID, &m.Name, &m.Site, &m.Zone, &m.Batch, &m.State, &m.ExitCode, &m.ReleasedAt, &m.DeliveredAt, &m.EndedAt, &m.SeenAt, &m.NodeState); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, found.Err()
}

// moveMembers gives nodes a state. from, if not empty, names those that they must
// be in; the result is how many were.
func (r rows) moveMembers(ctx context.Context, id string, nodes []string, to rollout.NodeState, reason string, at int64, from ...rollout.NodeState) (int64, error) {
	set := map[string]any{"state": to, "reason": reason, "changed_at": at}
	switch {
	case to == rollout.Released:
		set["released_at"], set["delivered_at"], set["ended_at"] = at, 0, 0
	case to == rollout.Reverting:
		set["delivered_at"] = 0
	case to.Closed():
		set["ended_at"] = at
	}
	moved := int64(0)
	move := func(q *gorm.DB) error {
		if len(from) > 0 {
			q = q.Where("state IN ?", from)
		}
		done := q.Updates(set)
		moved += done.RowsAffected
		return done.Error
	}
	if nodes == nil {
		return moved, move(r.db.Writer(ctx).Model(&memberRow{}).Where("rollout_id = ? AND batch >= 0", id))
	}
	for chunk := range slices.Chunk(nodes, memberChunk) {
		if err := move(r.db.Writer(ctx).Model(&memberRow{}).Where("rollout_id = ? AND node_id IN ?", id, chunk)); err != nil {
			return moved, err
		}
	}
	return moved, nil
}

// place is where in a rollout a node is.
type place struct {
	NodeID string
	Batch  int
	Reason string
}

func (r rows) places(ctx context.Context, id string) (map[string]place, error) {
	var list []place
	err := r.db.Reader(ctx).Raw("SELECT node_id, batch, reason FROM edge_rollout_nodes WHERE rollout_id = ?", id).Scan(&list).Error
	out := make(map[string]place, len(list))
	for _, p := range list {
		out[p.NodeID] = p
	}
	return out, err
}

// putMembers adds members, or writes anew those that took no part so far.
func (r rows) putMembers(ctx context.Context, list []memberRow) error {
	return r.db.Writer(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "rollout_id"}, {Name: "node_id"}}, UpdateAll: true}).CreateInBatches(&list, memberChunk).Error
}

// member is one node's part in a rollout.
func (r rows) member(ctx context.Context, id, node string) (memberRow, bool, error) {
	var row memberRow
	err := r.db.Reader(ctx).Where("rollout_id = ? AND node_id = ?", id, node).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, false, nil
	}
	return row, err == nil, err
}

// setMember writes what a node said, unless something else moved it meanwhile.
func (r rows) setMember(ctx context.Context, row memberRow, was rollout.NodeState) error {
	return r.db.Writer(ctx).Model(&memberRow{}).Where("rollout_id = ? AND node_id = ? AND state = ?", row.RolloutID, row.NodeID, was).Updates(map[string]any{
		"state": row.State, "agent_state": row.AgentState, "reason": row.Reason, "exit_code": row.ExitCode,
		"released_at": row.ReleasedAt, "delivered_at": row.DeliveredAt, "ended_at": row.EndedAt, "changed_at": row.ChangedAt,
	}).Error
}

// stateCount is how many nodes of a group are in a state.
type stateCount struct {
	RolloutID string
	Batch     int
	Site      string
	State     rollout.NodeState
	N         int
}

// memberCounts counts the nodes of rollouts by the columns given and by state.
func (r rows) memberCounts(ctx context.Context, ids []string, by string) ([]stateCount, error) {
	var list []stateCount
	err := r.db.Reader(ctx).Raw(fmt.Sprintf("SELECT rollout_id, %s, state, COUNT(*) AS n FROM edge_rollout_nodes WHERE rollout_id IN ? GROUP BY %s, rollout_id, state", by, by), ids).Scan(&list).Error
	return list, err
}

// agentCount is how many nodes of a batch told such a state last.
type agentCount struct {
	Batch      int
	AgentState string
	N          int
}

func (r rows) agentCounts(ctx context.Context, id string) ([]agentCount, error) {
	var list []agentCount
	err := r.db.Reader(ctx).Raw("SELECT batch, agent_state, COUNT(*) AS n FROM edge_rollout_nodes WHERE rollout_id = ? AND batch >= 0 GROUP BY batch, agent_state", id).Scan(&list).Error
	return list, err
}

// mostGroups is how many kinds of failures are told apart.
const mostGroups = 30

func (r rows) failureGroups(ctx context.Context, id string) ([]failureGroup, error) {
	list := []failureGroup{}
	err := r.db.Reader(ctx).Raw(`SELECT state, exit_code, reason, COUNT(*) AS count, MIN(name) AS example FROM edge_rollout_nodes WHERE rollout_id = ? AND state IN ?
		GROUP BY state, exit_code, reason ORDER BY 4 DESC, 1, 2, 3 LIMIT ?`, id, []rollout.NodeState{rollout.RolledBackItself, rollout.Failed, rollout.Quarantined, rollout.Silent}, mostGroups).Scan(&list).Error
	for i := range list {
		if code := list[i].ExitCode; code != noExit {
			list[i].Exit = &code
		}
	}
	return list, err
}

// endedAfter counts nodes that were done after an instant.
func (r rows) endedAfter(ctx context.Context, id string, after int64) (int, error) {
	var n int
	err := r.db.Reader(ctx).Raw("SELECT COUNT(*) FROM edge_rollout_nodes WHERE rollout_id = ? AND batch >= 0 AND ended_at > ? AND state IN ?", id, after, finalStates()).Scan(&n).Error
	return n, err
}

// memberFilter chooses nodes of a rollout; zero fields do not narrow.
type memberFilter struct {
	state, query, site string
	batch              *int
	offset, limit      int
}

// shownMember is a member with what its node said last.
type shownMember struct {
	Member                        memberRow `gorm:"embedded"`
	SeenAt, DoneBytes, TotalBytes int64
}

func (r rows) members(ctx context.Context, id string, f memberFilter) ([]shownMember, error) {
	q := r.db.Reader(ctx).Table("edge_rollout_nodes AS m").Select("m.*, COALESCE(n.seen_at, 0) AS seen_at, COALESCE(n.done_bytes, 0) AS done_bytes, COALESCE(n.total_bytes, 0) AS total_bytes").
		Joins("LEFT JOIN edge_nodes n ON n.id = m.node_id").Where("m.rollout_id = ?", id)
	if f.state != "" {
		q = q.Where("m.state = ?", f.state)
	}
	if f.batch != nil {
		q = q.Where("m.batch = ?", *f.batch)
	}
	if f.site != "" {
		q = q.Where("m.site = ?", f.site)
	}
	if f.query != "" {
		q = q.Where(`LOWER(m.name) LIKE ? ESCAPE '\'`, containing(f.query))
	}
	var list []shownMember
	err := q.Order("m.batch, m.name, m.node_id").Offset(f.offset).Limit(f.limit).Scan(&list).Error
	return list, err
}

// gridMembers are all nodes that take part, by batch and name.
func (r rows) gridMembers(ctx context.Context, id string) ([]memberRow, error) {
	var list []memberRow
	err := r.db.Reader(ctx).Select("node_id, name, state, batch").Where("rollout_id = ? AND batch >= 0", id).Order("batch, name, node_id").Find(&list).Error
	return list, err
}

// endedSince are the states of nodes whose end counts for pausing, the oldest first.
func (r rows) endedSince(ctx context.Context, id string, since int64) ([]rollout.NodeState, error) {
	var list []rollout.NodeState
	err := r.db.Reader(ctx).Raw("SELECT state FROM edge_rollout_nodes WHERE rollout_id = ? AND ended_at > ? AND state IN ? ORDER BY ended_at, node_id", id, since,
		[]rollout.NodeState{rollout.Succeeded, rollout.RolledBackItself, rollout.Failed, rollout.Quarantined, rollout.Silent}).Scan(&list).Error
	return list, err
}

var likeSpecials = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// containing is a LIKE pattern of what has the text in it, in lower case.
func containing(text string) string { return "%" + likeSpecials.Replace(strings.ToLower(text)) + "%" }
