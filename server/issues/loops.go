package issues

import (
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

// Loops are what the service wants run.
func (s *Service) Loops() []work.Loop {
	return []work.Loop{
		{Name: "issues.outcomes", Every: time.Second, Local: true, Run: s.flushOutcomes},
		{Name: "issues.holds", Every: time.Hour, Local: true, Run: s.sweepHolds},
		{Name: "issues.ingest", Every: time.Hour, Run: s.pruneOutcomes},
		{Name: "issues.states", Every: time.Minute, Run: s.settleStates},
		{Name: "issues.monitors", Every: 5 * time.Second, Run: s.watchMonitors},
		{Name: "issues.alerts", Every: 10 * time.Second, Run: s.watchAlerts},
		{Name: "issues.alert-counts", Every: 10 * time.Minute, Run: s.sweepAlerts},
		{Name: "issues.releases", Every: time.Hour, Run: s.sweepReleases},
		{Name: "issues.retention", Every: time.Minute, Run: s.Sweep},
	}
}
