package github

import "context"

// Recent lists deliveries of all teams from the newest, without bodies, headers and
// effects; before is the Seq of the last one of the page before, or 0. It asks for no
// caller: it is for what keeps lines of them, not for people.
func (s *Service) Recent(ctx context.Context, before int64, limit int) ([]Delivery, error) {
	q := s.DB.Reader(ctx).Omit("headers", "body", "caused").Order("seq DESC").Limit(limit)
	if before > 0 {
		q = q.Where("seq < ?", before)
	}
	var rows []deliveryRow
	err := q.Find(&rows).Error
	list := make([]Delivery, len(rows))
	for i, r := range rows {
		list[i] = r.delivery()
	}
	return list, err
}
