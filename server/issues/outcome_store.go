package issues

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// addOutcomes adds to the counters, several hundred in one statement.
func (s *Service) addOutcomes(ctx context.Context, counts map[tally]int64) error {
	list := slices.Collect(maps.Keys(counts))
	for chunk := range slices.Chunk(list, 500) {
		var sql strings.Builder
		sql.WriteString("INSERT INTO issues_outcomes (project_id, key_id, hour, outcome, reason, category, quantity) VALUES ")
		args := make([]any, 0, 7*len(chunk))
		for i, t := range chunk {
			if i > 0 {
				sql.WriteByte(',')
			}
			sql.WriteString("(?,?,?,?,?,?,?)")
			args = append(args, t.project, t.key, t.hour, string(t.outcome), t.reason, t.category, counts[t])
		}
		sql.WriteString(` ON CONFLICT (project_id, hour, key_id, outcome, reason, category)
			DO UPDATE SET quantity = issues_outcomes.quantity + excluded.quantity`)
		if err := s.DB.Writer(ctx).Exec(sql.String(), args...).Error; err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) touchKeys(ctx context.Context, used map[int64]usage) error {
	for _, id := range slices.Sorted(maps.Keys(used)) {
		if err := s.DB.Writer(ctx).Exec("UPDATE issues_keys SET last_used_at = ? WHERE id = ? AND last_used_at < ?", used[id].at, id, used[id].at).Error; err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) touchProjects(ctx context.Context, events map[int64]usage) error {
	for _, id := range slices.Sorted(maps.Keys(events)) {
		at := events[id].at
		if err := s.DB.Writer(ctx).Exec(`UPDATE issues_projects SET last_event_at = ?, first_event_at = CASE WHEN first_event_at = 0 THEN ? ELSE first_event_at END
			WHERE id = ? AND last_event_at < ?`, at, at, id, at).Error; err != nil {
			return err
		}
	}
	return nil
}

// accepted sums what was accepted since start, for limits.
func (s *Service) accepted(ctx context.Context, project, key int64, category string, start int64) (n int64, err error) {
	q := s.DB.Reader(ctx).Table("issues_outcomes").Where("project_id = ? AND hour >= ? AND outcome = ?", project, start, string(OutcomeAccepted))
	if key != 0 {
		q = q.Where("key_id = ?", key)
	}
	if category != "" {
		q = q.Where("category = ?", category)
	}
	return n, q.Select("COALESCE(SUM(quantity), 0)").Scan(&n).Error
}

type outcomeRow struct {
	Hour                      int64
	Outcome, Reason, Category string
	Quantity                  int64
}

// outcomesOf lists a project's counters since an hour, all keys together.
func (s *Service) outcomesOf(ctx context.Context, project, since int64) ([]outcomeRow, error) {
	var rows []outcomeRow
	return rows, s.DB.Reader(ctx).Table("issues_outcomes").Select("hour, outcome, reason, category, SUM(quantity) AS quantity").
		Where("project_id = ? AND hour >= ?", project, since).Group("hour, outcome, reason, category").
		Order("hour, outcome, reason, category").Find(&rows).Error
}

func (s *Service) removeOutcomes(ctx context.Context, before int64) error {
	if err := s.DB.Writer(ctx).Exec("DELETE FROM issues_outcomes WHERE hour < ?", before).Error; err != nil {
		return err
	}
	return s.DB.Writer(ctx).Exec("DELETE FROM issues_rejected WHERE created_at < ?", before).Error
}
