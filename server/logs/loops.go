package logs

import (
	"context"
	"errors"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

// Loops are what the service wants run; flushing and merging the store does by
// itself.
func (s *Service) Loops() []work.Loop {
	return []work.Loop{
		{Name: "logs.retention", Every: 10 * time.Minute, Local: true, Run: s.retain},
		{Name: "logs.sources", Every: 5 * time.Second, Local: true, Run: s.flushSources},
		{Name: "logs.usage", Every: 5 * time.Second, Local: true, Run: s.flushUsage},
		{Name: "logs.alerts", Every: lookEvery, Wake: s.wake, Run: s.watchAlerts},
		{Name: "logs.alert-history", Every: time.Hour, Run: s.sweepAlerts},
	}
}

func (s *Service) retain(ctx context.Context) error {
	if err := s.loadLimits(ctx); err != nil {
		return err
	}
	gone, err := s.Store.Retain(ctx)
	for _, g := range gone {
		s.Log.Info("let go of old log lines", "team", g.Team, "day", g.Day.Format(time.DateOnly), "lines", g.Lines, "why", g.Why)
	}
	return err
}

// Stop writes down what only memory knows; the intake has ended.
func (s *Service) Stop(ctx context.Context) {
	if err := errors.Join(s.flushSources(ctx), s.flushUsage(ctx)); err != nil {
		s.Log.Warn("what shippers sent could not be counted", "error", err)
	}
}
