package assistant

import "context"

// used is what a person, or a channel, has used in a team since a time.
func (s store) used(ctx context.Context, team, user int64, channel string, since int64) (Budget, error) {
	var sum struct{ Runs, Tokens, Cost int64 }
	q := s.db.Reader(ctx).Model(&runRow{}).Select("COUNT(*) AS runs, COALESCE(SUM(tokens_in + tokens_out), 0) AS tokens, COALESCE(SUM(cost), 0) AS cost").Where("team_id = ? AND started_at > ?", team, since)
	if user != 0 {
		q = q.Where("user_id = ?", user)
	}
	if channel != "" {
		q = q.Where("channel = ?", channel)
	}
	err := q.Scan(&sum).Error
	return Budget{sum.Runs, sum.Tokens, sum.Cost}, err
}
