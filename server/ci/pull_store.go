package ci

import "context"

// holdClosed withholds a version that jobs could take, or gives it back; false when
// there was nothing to do.
func (s store) holdClosed(ctx context.Context, version int64, closed bool) (bool, error) {
	change := "UPDATE ci_versions SET enabled = ?, withheld = '' WHERE id = ? AND withheld = 'closed'"
	if closed {
		change = "UPDATE ci_versions SET enabled = ?, withheld = 'closed' WHERE id = ? AND enabled AND withheld = ''"
	}
	r := s.db.Writer(ctx).Exec(change, !closed, version)
	return r.RowsAffected > 0, r.Error
}

func (s store) checkFromOf(ctx context.Context, resource int64) (from string, err error) {
	err = s.db.Writer(ctx).Raw("SELECT check_from FROM ci_resources WHERE id = ?", resource).Scan(&from).Error
	return from, err
}

func (s store) setCheckFrom(ctx context.Context, resource int64, from string) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_resources SET check_from = ? WHERE id = ?", from, resource).Error
}
