package ci

import "context"

// unindexed lists the active resources of the types that name no repository.
func (s store) unindexed(ctx context.Context, types []string) ([]resourceRow, error) {
	var rows []resourceRow
	err := s.db.Reader(ctx).Where("repository = '' AND active AND type IN ?", types).Order("pipeline_id, id").Find(&rows).Error
	return rows, err
}

// setRepository leaves alone what was set meanwhile.
func (s store) setRepository(ctx context.Context, id int64, name string) error {
	return s.db.Writer(ctx).Exec("UPDATE ci_resources SET repository = ? WHERE id = ? AND repository = ''", name, id).Error
}
