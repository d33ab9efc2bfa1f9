package edge

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// rows is the part of the service that is in the database.
type rows struct{ db *database.DB }

func (s *Service) rows() rows { return rows{s.DB} }

type nodeRow struct {
	ID                                                                        string `gorm:"primaryKey"`
	TeamID                                                                    int64
	Name, Site, Labels, State, PublicKey                                      string
	Hostname, OSID, VersionID, Codename, Arch, PackageSystem, Kernel, Variant string
	Token, Address                                                            string
	EnrolledAt                                                                int64
	DecidedBy                                                                 string
	DecidedAt, ChangedAt, RotatedAt                                           int64
	SeenAt, Seq                                                               int64
	Agent, AgentState                                                         string
	AgentStateAt                                                              int64
	Bundle, Rollout                                                           string
	DoneBytes, TotalBytes                                                     int64
	Step                                                                      string
	LastExit                                                                  int64
	Quarantined                                                               string
	RootVersion, TargetsVersion, ClockSkew, DiskFree                          int64
	BootID                                                                    string
	NextAt, LostAt, ReportSeq, DoubledAt, Doubled                             int64
	InventorySHA256                                                           string `gorm:"column:inventory_sha256"`
	InventoryAt, SetID                                                        int64
	Held                                                                      string
	BootedAt                                                                  int64
	Releases                                                                  string
}

func (nodeRow) TableName() string { return "edge_nodes" }

// noExit is a row's exit code where no run has ended.
const noExit = -1

func exitOf(n int64) *protocol.Exit {
	if n == noExit {
		return nil
	}
	e := protocol.Exit(n)
	return &e
}

func exitNumber(e *protocol.Exit) int64 {
	if e == nil {
		return noExit
	}
	return int64(*e)
}

func text(v any) string {
	raw, _ := json.Marshal(v) // lists and maps of strings: cannot fail
	return string(raw)
}

func (r nodeRow) node() (Node, error) {
	n := Node{ID: r.ID, Team: r.TeamID, Name: r.Name, Site: r.Site, State: protocol.NodeState(r.State),
		Hostname: r.Hostname, OSID: r.OSID, VersionID: r.VersionID, Codename: r.Codename, Arch: r.Arch, PackageSystem: r.PackageSystem, Kernel: r.Kernel, Variant: r.Variant,
		Token: r.Token, Address: r.Address, EnrolledAt: api.Millis(r.EnrolledAt), DecidedBy: r.DecidedBy, DecidedAt: api.Millis(r.DecidedAt), ChangedAt: api.Millis(r.ChangedAt), RotatedAt: api.Millis(r.RotatedAt),
		Said: Said{SeenAt: api.Millis(r.SeenAt), seq: r.Seq, Agent: r.Agent, AgentState: protocol.State(r.AgentState), AgentStateAt: api.Millis(r.AgentStateAt), Bundle: r.Bundle, Rollout: r.Rollout,
			DoneBytes: r.DoneBytes, TotalBytes: r.TotalBytes, Step: r.Step, LastExit: exitOf(r.LastExit), RootVersion: r.RootVersion, TargetsVersion: r.TargetsVersion,
			ClockSkew: r.ClockSkew, DiskFree: r.DiskFree, BootID: r.BootID, NextAt: api.Millis(r.NextAt), LostAt: api.Millis(r.LostAt), DoubledAt: api.Millis(r.DoubledAt), Doubled: r.Doubled},
		InventorySHA256: r.InventorySHA256, InventoryAt: api.Millis(r.InventoryAt), Set: r.SetID, BootedAt: api.Millis(r.BootedAt), reportSeq: r.ReportSeq}
	for _, c := range []struct {
		from string
		to   any
	}{{r.Labels, &n.Labels}, {r.Quarantined, &n.Quarantined}, {r.Held, &n.Held}, {r.Releases, &n.Releases}} {
		if err := json.Unmarshal([]byte(c.from), c.to); err != nil {
			return n, fmt.Errorf("read node %s: %w", r.ID, err)
		}
	}
	key, err := hex.DecodeString(r.PublicKey)
	n.key, n.Fingerprint = key, protocol.Fingerprint(key)
	return n, err
}

func rowOf(n Node) nodeRow {
	return nodeRow{ID: n.ID, TeamID: n.Team, Name: n.Name, Site: n.Site, Labels: text(n.Labels), State: string(n.State), PublicKey: hex.EncodeToString(n.key),
		Hostname: n.Hostname, OSID: n.OSID, VersionID: n.VersionID, Codename: n.Codename, Arch: n.Arch, PackageSystem: n.PackageSystem, Kernel: n.Kernel, Variant: n.Variant,
		Token: n.Token, Address: n.Address, EnrolledAt: int64(n.EnrolledAt), DecidedBy: n.DecidedBy, DecidedAt: int64(n.DecidedAt), ChangedAt: int64(n.ChangedAt), RotatedAt: int64(n.RotatedAt),
		SeenAt: int64(n.SeenAt), Seq: n.seq, Agent: n.Agent, AgentState: string(n.AgentState), AgentStateAt: int64(n.AgentStateAt), LastExit: exitNumber(n.LastExit), Quarantined: text(n.Quarantined),
		BootID: n.BootID, NextAt: int64(n.NextAt), Held: text(n.Held), Releases: text(n.Releases)}
}

func (r rows) insertNode(ctx context.Context, n Node) error {
	row := rowOf(n)
	err := r.db.Writer(ctx).Create(&row).Error
	if database.IsDuplicate(err) {
		return problem.New(problem.Conflict, "This key is being enrolled already. Ask again.")
	}
	return err
}

// node is one by its id.
func (r rows) node(ctx context.Context, id string) (Node, error) {
	return r.nodeWhere(ctx, "id = ?", id)
}

func (r rows) nodeByKey(ctx context.Context, key ed25519.PublicKey) (Node, error) {
	return r.nodeWhere(ctx, "public_key = ?", hex.EncodeToString(key))
}

func (r rows) nodeWhere(ctx context.Context, query string, args ...any) (Node, error) {
	var row nodeRow
	if err := r.db.Reader(ctx).Where(query, args...).Take(&row).Error; err != nil {
		return Node{}, database.NotFound(err, "There is no such node.")
	}
	return row.node()
}

// nodes are a team's by name, those in the states given, of all where none is.
func (r rows) nodes(ctx context.Context, team int64, states ...protocol.NodeState) ([]Node, error) {
	q := r.db.Reader(ctx).Where("team_id = ?", team)
	if len(states) > 0 {
		q = q.Where("state IN ?", states)
	}
	var list []nodeRow
	if err := q.Order("name, id").Find(&list).Error; err != nil {
		return nil, err
	}
	return nodesOf(list)
}

// nodesSince are a team's nodes whose rows bear a later time, and how many it has in all.
func (r rows) nodesSince(ctx context.Context, team, since int64) ([]Node, int64, error) {
	var list []nodeRow
	err := r.db.Reader(ctx).Where("team_id = ? AND (seen_at > ? OR changed_at > ? OR inventory_at > ? OR lost_at > ?)", team, since, since, since, since).Find(&list).Error
	if err != nil {
		return nil, 0, err
	}
	var count int64
	if err := r.db.Reader(ctx).Model(&nodeRow{}).Where("team_id = ?", team).Count(&count).Error; err != nil {
		return nil, 0, err
	}
	out, err := nodesOf(list)
	return out, count, err
}

func nodesOf(list []nodeRow) ([]Node, error) {
	out := make([]Node, len(list))
	for i := range list {
		n, err := list[i].node()
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}

// decide moves a node to a state, from one of those given; false when it was in another.
func (r rows) decide(ctx context.Context, id string, from []protocol.NodeState, to protocol.NodeState, by string, at int64) (bool, error) {
	done := r.db.Writer(ctx).Exec("UPDATE edge_nodes SET state = ?, decided_by = ?, decided_at = ?, changed_at = ? WHERE id = ? AND state IN ?", to, by, at, at, id, from)
	if database.IsDuplicate(done.Error) {
		return false, problem.New(problem.Conflict, "There is an accepted node of that name already. Revoke it first, or rename one of the two.")
	}
	return done.RowsAffected == 1, done.Error
}

func (r rows) describe(ctx context.Context, n Node, at int64) error {
	err := r.db.Writer(ctx).Exec("UPDATE edge_nodes SET name = ?, site = ?, labels = ?, changed_at = ? WHERE id = ?", n.Name, n.Site, text(n.Labels), at, n.ID).Error
	if database.IsDuplicate(err) {
		return problem.New(problem.Conflict, "There is an accepted node %s already. Choose another name.", n.Name)
	}
	return err
}

func (r rows) rotateKey(ctx context.Context, id string, old, key ed25519.PublicKey, at int64) (bool, error) {
	done := r.db.Writer(ctx).Exec("UPDATE edge_nodes SET public_key = ?, rotated_at = ?, changed_at = ? WHERE id = ? AND public_key = ?", hex.EncodeToString(key), at, at, id, hex.EncodeToString(old))
	if database.IsDuplicate(done.Error) {
		return false, problem.New(problem.Conflict, "This key belongs to another node already.")
	}
	return done.RowsAffected == 1, done.Error
}

func (r rows) setReleases(ctx context.Context, id string, list []string) error {
	return r.db.Writer(ctx).Exec("UPDATE edge_nodes SET releases = ? WHERE id = ?", text(list), id).Error
}

func (r rows) removeNode(ctx context.Context, id string) error {
	return r.db.Writer(ctx).Exec("DELETE FROM edge_nodes WHERE id = ?", id).Error
}

// saidBatch is how many nodes one statement writes.
const saidBatch = 100

// saidColumns are what check-ins change, in the order of saidValues. Texts need no
// cast; PostgreSQL takes parameters without one for texts.
var saidColumns = strings.Fields("seen_at seq agent_state_at done_bytes total_bytes last_exit root_version targets_version clock_skew disk_free next_at lost_at doubled_at doubled agent agent_state bundle rollout step quarantined boot_id")

const saidNumbers = 14

func saidValues(n *Node) []any {
	return []any{int64(n.SeenAt), n.seq, int64(n.AgentStateAt), n.DoneBytes, n.TotalBytes, exitNumber(n.LastExit), n.RootVersion, n.TargetsVersion, n.ClockSkew, n.DiskFree, int64(n.NextAt), int64(n.LostAt), int64(n.DoubledAt), n.Doubled,
		n.Agent, string(n.AgentState), n.Bundle, n.Rollout, n.Step, text(n.Quarantined), n.BootID}
}

// writeSaid writes what nodes said, where the row has not heard more from another server.
func (r rows) writeSaid(ctx context.Context, list []Node) error {
	line := "(CAST(? AS TEXT)" + strings.Repeat(", CAST(? AS BIGINT)", saidNumbers) + strings.Repeat(", CAST(? AS TEXT)", len(saidColumns)-saidNumbers) + ")"
	var sets []string
	for _, c := range saidColumns {
		sets = append(sets, c+" = v."+c)
	}
	args := make([]any, 0, len(list)*(len(saidColumns)+1))
	for i := range list {
		args = append(append(args, list[i].ID), saidValues(&list[i])...)
	}
	values := strings.TrimSuffix(strings.Repeat(line+", ", len(list)), ", ")
	return r.db.Writer(ctx).Exec("WITH v(id, "+strings.Join(saidColumns, ", ")+") AS (VALUES "+values+") UPDATE edge_nodes SET "+strings.Join(sets, ", ")+
		" FROM v WHERE edge_nodes.id = v.id AND edge_nodes.seq <= v.seq", args...).Error
}

func (r rows) nameTaken(ctx context.Context, team int64, name string) (bool, error) {
	var n int64
	err := r.db.Reader(ctx).Model(&nodeRow{}).Where("team_id = ? AND name = ? AND state = ?", team, name, protocol.NodeAccepted).Count(&n).Error
	return n > 0, err
}

// silent are accepted nodes that were last heard of before, and of which that was not told.
func (r rows) silent(ctx context.Context, before int64) ([]Node, error) {
	var list []nodeRow
	err := r.db.Reader(ctx).Where("state = ? AND lost_at = 0 AND seen_at > 0 AND seen_at < ?", protocol.NodeAccepted, before).Order("id").Limit(5000).Find(&list).Error
	if err != nil {
		return nil, err
	}
	return nodesOf(list)
}

func (r rows) setLost(ctx context.Context, id string, at int64) error {
	return r.db.Writer(ctx).Exec("UPDATE edge_nodes SET lost_at = ? WHERE id = ?", at, id).Error
}

// existing are those of some ids that nodes have.
func (r rows) existing(ctx context.Context, ids []string) (list []string, err error) {
	for part := range slices.Chunk(ids, 500) {
		var some []string
		if err := r.db.Reader(ctx).Model(&nodeRow{}).Where("id IN ?", part).Pluck("id", &some).Error; err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}
