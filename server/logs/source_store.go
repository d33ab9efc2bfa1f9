package logs

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
)

// rows is the part of the service that is in the database.
type rows struct{ db *database.DB }

// addSource adds counts to a source's. A team that is gone has none.
func (r rows) addSource(ctx context.Context, key sourceKey, n *seen) error {
	return r.db.Tx(ctx, func(ctx context.Context) error {
		w := r.db.Writer(ctx)
		err := w.Exec(`INSERT INTO logs_sources (team_id, source, first_seen, last_seen, lines, bytes)
			SELECT id, CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT) FROM accounts_teams WHERE id = ?
			ON CONFLICT (team_id, source) DO UPDATE SET last_seen = excluded.last_seen, lines = logs_sources.lines + excluded.lines, bytes = logs_sources.bytes + excluded.bytes`,
			key.source, n.first.UnixMilli(), n.last.UnixMilli(), n.lines, n.bytes, key.team).Error
		if err != nil {
			return err
		}
		for reason, rejected := range n.rejected {
			// Of many reasons those that came first are told apart.
			err := w.Exec(`INSERT INTO logs_rejects (team_id, source, reason, lines, last_seen)
				SELECT id, CAST(? AS TEXT), CASE WHEN (SELECT COUNT(*) FROM logs_rejects WHERE team_id = ? AND source = ? AND reason <> ?) >= ? THEN ? ELSE CAST(? AS TEXT) END, CAST(? AS BIGINT), CAST(? AS BIGINT)
				FROM accounts_teams WHERE id = ?
				ON CONFLICT (team_id, source, reason) DO UPDATE SET last_seen = excluded.last_seen, lines = logs_rejects.lines + excluded.lines`,
				key.source, key.team, key.source, reason, maxReasons, otherReason, reason, rejected.Count, rejected.Last.UnixMilli(), key.team).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type sourceRow struct {
	TeamID              int64
	Source              string
	FirstSeen, LastSeen int64
	Lines, Bytes        int64
}

func (sourceRow) TableName() string { return "logs_sources" }

type rejectRow struct {
	TeamID          int64
	Source, Reason  string
	Lines, LastSeen int64
}

func (rejectRow) TableName() string { return "logs_rejects" }

func (r rows) sources(ctx context.Context, team int64) ([]Source, error) {
	var list []sourceRow
	if err := r.db.Reader(ctx).Where("team_id = ?", team).Find(&list).Error; err != nil {
		return nil, err
	}
	var rejects []rejectRow
	if err := r.db.Reader(ctx).Where("team_id = ?", team).Order("last_seen DESC, reason").Find(&rejects).Error; err != nil {
		return nil, err
	}
	out := make([]Source, len(list))
	for i, row := range list {
		out[i] = Source{row.Source, millis(row.FirstSeen), millis(row.LastSeen), row.Lines, row.Bytes, []Rejection{}}
		for _, reject := range rejects {
			if reject.Source == row.Source {
				out[i].Rejected = append(out[i].Rejected, Rejection{reject.Reason, reject.Lines, millis(reject.LastSeen)})
			}
		}
	}
	return out, nil
}

func millis(n int64) time.Time { return time.UnixMilli(n).UTC() }
