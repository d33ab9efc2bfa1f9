package ci

import "context"

// markParked parks a started build. The row is written before the questions are read,
// and whoever answers one writes the row after the answer: so one of the two sees the other.
func (s store) markParked(ctx context.Context, id int64) (bool, error) {
	r := s.db.Writer(ctx).Exec("UPDATE ci_builds SET parked = ? WHERE id = ? AND status = 'started' AND NOT abort_requested", true, id)
	if r.Error != nil || r.RowsAffected == 0 {
		return false, r.Error
	}
	var answered int64
	err := s.db.Writer(ctx).Raw("SELECT COUNT(*) FROM ci_approvals a WHERE a.build_id = ? AND a.state <> 'waiting' AND "+stepWaits, id).Scan(&answered).Error
	if err != nil || answered == 0 {
		return err == nil, err
	}
	return false, s.db.Writer(ctx).Exec("UPDATE ci_builds SET parked = ? WHERE id = ?", false, id).Error
}

// clearParked reports whether the build was parked. The first statement waits for
// whoever is parking it at this moment.
func (s store) clearParked(ctx context.Context, id int64) (bool, error) {
	if err := s.db.Writer(ctx).Exec("UPDATE ci_builds SET message = message WHERE id = ?", id).Error; err != nil {
		return false, err
	}
	r := s.db.Writer(ctx).Exec("UPDATE ci_builds SET parked = ? WHERE id = ? AND parked", false, id)
	return r.RowsAffected == 1, r.Error
}
