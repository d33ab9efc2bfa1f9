package github

import (
	"context"
	"slices"
)

// maxEffects bounds what one delivery's page lists; nobody reads more.
const maxEffects = 200

// Caused appends to a delivery what it caused after it was digested, in the context's
// transaction. An effect is known by its kind and id, so telling it again changes
// nothing; a delivery that is past its time needs none.
func (s *Service) Caused(ctx context.Context, delivery string, effects ...Effect) error {
	if delivery == "" || len(effects) == 0 {
		return nil
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		row, found, err := s.effectOwner(ctx, delivery)
		if err != nil || !found {
			return err
		}
		added := int64(0)
		for _, e := range effects {
			n, err := s.insertEffect(ctx, row.Seq, e)
			if err != nil {
				return err
			}
			added += n
		}
		if added == 0 {
			return nil
		}
		return s.publish(ctx, row.TeamID, deliveryTopic, row.HookID)
	})
}

// addEffects appends what was told after digesting to each delivery's own.
func (s *Service) addEffects(ctx context.Context, list []Delivery) error {
	seqs := make([]int64, len(list))
	at := map[int64]int{}
	for i, d := range list {
		seqs[i], at[d.Seq] = d.Seq, i
	}
	rows, err := s.effectsOf(ctx, seqs)
	if err != nil {
		return err
	}
	for _, r := range rows {
		d := &list[at[r.DeliverySeq]]
		e := Effect{Kind: r.Kind, ID: r.Ref, Title: r.Title, URL: r.URL}
		known := slices.ContainsFunc(d.Caused, func(o Effect) bool { return o.Kind == e.Kind && o.ID == e.ID })
		if !known && len(d.Caused) < maxEffects {
			d.Caused = append(d.Caused, e)
		}
	}
	return nil
}
