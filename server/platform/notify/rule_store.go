package notify

import "context"

func (s *Service) off(ctx context.Context, team int64) (list []string, err error) {
	return list, s.DB.Reader(ctx).Raw("SELECT rule FROM notify_off WHERE team_id = ?", team).Scan(&list).Error
}

func (s *Service) isOff(ctx context.Context, team int64, rule string) (bool, error) {
	var n int64
	err := s.DB.Reader(ctx).Raw("SELECT COUNT(*) FROM notify_off WHERE team_id = ? AND rule = ?", team, rule).Scan(&n).Error
	return n > 0, err
}

func (s *Service) setOff(ctx context.Context, team int64, rule string, off bool) error {
	if !off {
		return s.DB.Writer(ctx).Exec("DELETE FROM notify_off WHERE team_id = ? AND rule = ?", team, rule).Error
	}
	return s.DB.Writer(ctx).Exec("INSERT INTO notify_off (team_id, rule) VALUES (?, ?) ON CONFLICT DO NOTHING", team, rule).Error
}

type heldOfRule struct {
	Rule  string
	N     int64
	Until int64
}

func (s *Service) heldByRule(ctx context.Context, team int64) (map[string]heldOfRule, error) {
	var rows []heldOfRule
	err := s.DB.Reader(ctx).Raw("SELECT rule, CAST(SUM(1 + more) AS BIGINT) AS n, MIN(held_until) AS until FROM notify_deliveries WHERE team_id = ? AND state = 'held' GROUP BY rule", team).Scan(&rows).Error
	out := make(map[string]heldOfRule, len(rows))
	for _, r := range rows {
		out[r.Rule] = r
	}
	return out, err
}

// lastByRule is the newest delivery of each rule.
func (s *Service) lastByRule(ctx context.Context, team int64) (map[string]deliveryRow, error) {
	var rows []deliveryRow
	err := s.DB.Reader(ctx).Where("id IN (SELECT MAX(d.id) FROM notify_deliveries d WHERE d.team_id = ? GROUP BY d.rule)", team).Find(&rows).Error
	out := make(map[string]deliveryRow, len(rows))
	for _, r := range rows {
		out[r.Rule] = r
	}
	return out, err
}
