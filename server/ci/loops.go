package ci

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

// Start begins scheduling and checking and listens for aborts; the result stops
// all three and waits. Jobs and loops are started by the caller.
func (s *Service) Start(ctx context.Context) (stop func()) {
	stopScheduler := s.sched.start(ctx)
	stopChecker := s.checker.start(ctx)
	stopListening := s.db.Listen(abortChannel, s.heardAbort)
	return func() {
		s.sessions.close()
		stopListening()
		stopChecker()
		stopScheduler()
	}
}

// Loops are the background tasks that only pick up what a crash left behind, and the collector.
func (s *Service) Loops() []work.Loop {
	loops := []work.Loop{
		{Name: "ci.schedule", Every: 10 * time.Second, Run: s.sched.sweep},
		{Name: "ci.archive", Every: time.Minute, Run: s.sweepAbandoned},
		{Name: "ci.logs", Every: 30 * time.Second, Local: true, Run: s.ReapLogs},
		{Name: "ci.tend", Every: 5 * time.Second, Local: true, Run: s.tendWorker},
		{Name: "ci.collect", Every: 30 * time.Second, Local: true, Run: s.Collect},
		{Name: "ci.artifacts", Every: 5 * time.Minute, Run: s.ReapArtifacts},
		{Name: "ci.told", Every: time.Hour, Run: s.pruneTold},
		{Name: "ci.components", Every: 10 * time.Minute, Run: s.reapComponents},
	}
	if s.Output.Tell != nil {
		loops = append(loops, work.Loop{Name: "ci.output", Every: time.Second, Local: true, Run: s.tellOutput})
	}
	return loops
}
