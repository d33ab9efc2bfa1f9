package github

import "context"

func (s *Service) threadBetween(ctx context.Context, team, from, to int64, limit int) (rows []deliveryRow, err error) {
	err = s.DB.Reader(ctx).Where("team_id = ? AND verdict = 'accepted' AND received_at >= ? AND received_at < ?", team, from, to).
		Where("event = 'push' OR (event = 'pull_request' AND action IN ('opened', 'closed')) OR (event = 'release' AND action = 'published')").
		Order("received_at DESC").Limit(limit).Find(&rows).Error
	return rows, err
}
