package github

import "context"

type effectRow struct {
	DeliverySeq int64
	Kind        string
	Ref         string
	Title       string
	URL         string `gorm:"column:url"`
	CausedAt    int64
}

func (effectRow) TableName() string { return "github_effects" }

// effectOwner finds a delivery without its body.
func (s *Service) effectOwner(ctx context.Context, id string) (row deliveryRow, found bool, err error) {
	var rows []deliveryRow
	err = s.DB.Reader(ctx).Select("seq, team_id, hook_id").Where("id = ?", id).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

// insertEffect reports how many rows are new.
func (s *Service) insertEffect(ctx context.Context, seq int64, e Effect) (int64, error) {
	// Selected from the delivery, which may be pruned meanwhile: then there is nothing to insert.
	r := s.DB.Writer(ctx).Exec(`INSERT INTO github_effects (delivery_seq, kind, ref, title, url, caused_at)
		SELECT d.seq, ?, ?, ?, ?, ? FROM github_deliveries d WHERE d.seq = ? ON CONFLICT (delivery_seq, kind, ref) DO NOTHING`,
		e.Kind, e.ID, e.Title, e.URL, s.millis(), seq)
	return r.RowsAffected, r.Error
}

func (s *Service) effectsOf(ctx context.Context, seqs []int64) ([]effectRow, error) {
	var rows []effectRow
	if len(seqs) == 0 {
		return nil, nil
	}
	err := s.DB.Reader(ctx).Where("delivery_seq IN ?", seqs).Order("caused_at, kind, ref").Find(&rows).Error
	return rows, err
}
