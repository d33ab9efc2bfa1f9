package ci

import "context"

func (s store) insertTold(ctx context.Context, delivery string, marks []mark) error {
	for _, m := range marks {
		err := s.db.Writer(ctx).Exec(`INSERT INTO ci_told (resource_id, mark, delivery, told_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			m.resource, m.text, delivery, m.at).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// toldBy is the delivery that brought a version: the last one that told of it before it
// was stored. A pull request's commit may be told of by many, of which the last, such as
// that of a label, made it wanted. "" when none did.
func (s store) toldBy(ctx context.Context, resource int64, mark string, stored millis) (string, error) {
	var found []string
	if mark == "" {
		return "", nil
	}
	err := s.db.Reader(ctx).Raw("SELECT delivery FROM ci_told WHERE resource_id = ? AND mark = ? AND told_at <= ? ORDER BY told_at DESC, delivery LIMIT 1",
		resource, mark, stored).Scan(&found).Error
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

func (s store) removeTold(ctx context.Context, before millis) error {
	return s.db.Writer(ctx).Exec("DELETE FROM ci_told WHERE told_at < ?", before).Error
}
