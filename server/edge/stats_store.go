package edge

import "context"

// nodeCounts groups all nodes; those not heard of since an instant are offline.
func (r rows) nodeCounts(ctx context.Context, silentSince int64) (list []NodeCount, err error) {
	return list, r.db.Reader(ctx).Raw(`SELECT t.name AS team, c.state, c.agent_state, c.offline, c.lost, c.n FROM (
			SELECT team_id, state, agent_state, seen_at < ? AS offline, lost_at > 0 AS lost, COUNT(*) AS n FROM edge_nodes GROUP BY 1, 2, 3, 4, 5
		) c JOIN accounts_teams t ON t.id = c.team_id`, silentSince).Scan(&list).Error
}

func (r rows) rolloutCounts(ctx context.Context) (list []RolloutCount, err error) {
	return list, r.db.Reader(ctx).Raw(`SELECT t.name AS team, r.policy, r.number, m.state, COUNT(*) AS n FROM edge_rollouts r
		JOIN edge_rollout_nodes m ON m.rollout_id = r.id JOIN accounts_teams t ON t.id = r.team_id
		WHERE r.state IN ? GROUP BY t.name, r.policy, r.number, m.state`, openStates).Scan(&list).Error
}

func (r rows) rolloutStates(ctx context.Context) (map[[2]string]int64, error) {
	var list []struct {
		Team, State string
		N           int64
	}
	err := r.db.Reader(ctx).Raw("SELECT t.name AS team, r.state, COUNT(*) AS n FROM edge_rollouts r JOIN accounts_teams t ON t.id = r.team_id GROUP BY t.name, r.state").Scan(&list).Error
	out := make(map[[2]string]int64, len(list))
	for _, l := range list {
		out[[2]string{l.Team, l.State}] = l.N
	}
	return out, err
}
