package cluster

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

type memberRow struct {
	Node, Name, Address, Version, Blobs string
	StartedAt, SeenAt, LeftAt, Waiting  int64
}

func (r memberRow) member() Member {
	m := Member{Node: r.Node, Name: r.Name, Address: r.Address, Version: r.Version, Blobs: r.Blobs, Waiting: r.Waiting,
		Started: time.UnixMilli(r.StartedAt), Seen: time.UnixMilli(r.SeenAt)}
	if r.LeftAt != 0 {
		m.Left = time.UnixMilli(r.LeftAt)
	}
	return m
}

func (c *Cluster) rows(ctx context.Context) ([]Member, error) {
	var rows []memberRow
	if err := c.deps.DB.Reader(ctx).Raw("SELECT * FROM system_nodes ORDER BY name, node").Scan(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]Member, len(rows))
	for i, r := range rows {
		list[i] = r.member()
	}
	return list, nil
}

func (c *Cluster) beat(ctx context.Context) error {
	self, waiting := c.deps.Self, int64(0)
	if c.deps.Waiting != nil {
		waiting = c.deps.Waiting()
	}
	return c.deps.DB.Writer(ctx).Exec(`INSERT INTO system_nodes (node, name, address, version, blobs, started_at, seen_at, waiting) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (node) DO UPDATE SET name = excluded.name, address = excluded.address, version = excluded.version, blobs = excluded.blobs,
			started_at = excluded.started_at, seen_at = excluded.seen_at, left_at = 0, waiting = excluded.waiting`,
		self.Node, self.Name, self.Address, self.Version, self.Blobs, c.started.UnixMilli(), c.deps.Now().UnixMilli(), waiting).Error
}

func (c *Cluster) markLeft(ctx context.Context) error {
	now := c.deps.Now().UnixMilli()
	return c.deps.DB.Writer(ctx).Exec("UPDATE system_nodes SET left_at = ?, seen_at = ? WHERE node = ?", now, now, c.deps.Self.Node).Error
}

func (c *Cluster) remove(ctx context.Context, node string) error {
	r := c.deps.DB.Writer(ctx).Exec("DELETE FROM system_nodes WHERE node = ?", node)
	if r.Error == nil && r.RowsAffected == 0 {
		return problem.New(problem.NotFound, "There is no server %.64s.", node)
	}
	return r.Error
}
