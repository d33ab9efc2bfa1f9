package edge

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

// What is kept of nodes' histories.
const (
	keptEvents = 500
	keptFor    = 180 * 24 * time.Hour
	tokensFor  = 30 * 24 * time.Hour
	setsFor    = 24 * time.Hour
)

// Loops are what the service wants run.
func (s *Service) Loops() []work.Loop {
	return []work.Loop{
		{Name: "edge.checkins", Every: time.Second, Local: true, Run: s.flush},
		{Name: "edge.lost", Every: 5 * time.Minute, Run: s.findLost},
		{Name: "edge.timestamps", Every: 10 * time.Minute, Run: s.restamp},
		{Name: "edge.orders", Every: time.Second, Local: true, Run: s.writeSaid},
		{Name: "edge.rollouts", Every: driveEvery, Wake: s.orders.wake, Run: s.drive},
		{Name: "edge.policies", Every: syncEvery, Run: s.syncStale},
		{Name: "edge.history", Every: time.Hour, Run: s.dropHistory},
		{Name: "edge.retention", Every: time.Hour, Run: s.retain},
	}
}

// findLost notes nodes of which nothing was heard for a day.
func (s *Service) findLost(ctx context.Context) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.rows().silent(ctx, s.Now().Add(-lostAfter).UnixMilli())
		if err != nil || len(list) == 0 {
			return err
		}
		teams := map[int64]bool{}
		var events []Event
		for i := range list {
			n := &list[i]
			teams[n.Team] = true
			events = append(events, s.happened(n, KindLost, "", "nothing was heard of it for a day"))
			if err := s.rows().setLost(ctx, n.ID, s.millis()); err != nil {
				return err
			}
		}
		if err := s.keepEvents(ctx, events...); err != nil {
			return err
		}
		for team := range teams {
			if err := s.publish(ctx, team, nodesTopic, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) retain(ctx context.Context) error {
	now := s.Now()
	crowded, err := s.rows().crowded(ctx, keptEvents, now.Add(-keptFor).UnixMilli())
	if err != nil {
		return err
	}
	for _, node := range crowded {
		if err := s.rows().dropEvents(ctx, node, keptEvents, now.Add(-keptFor).UnixMilli()); err != nil {
			return err
		}
	}
	if err := s.rows().dropTokens(ctx, now.Add(-tokensFor).UnixMilli()); err != nil {
		return err
	}
	if err := s.rows().dropStaleExpected(ctx, now.Add(-tokensFor).UnixMilli()); err != nil {
		return err
	}
	return s.rows().dropSets(ctx, now.Add(-setsFor).UnixMilli())
}
