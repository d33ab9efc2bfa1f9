package issues

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/stream"
	"github.com/signalbox/signalbox/server/platform/work"
)

// Deps is what the service needs.
type Deps struct {
	DB    *database.DB
	Blobs *blobs.Store
	Jobs  *work.Jobs
	Now   func() time.Time
	Log   *slog.Logger
	NewID func() string
	// Node is this server's lasting name: its spool's position is kept under it.
	Node string
	// Dir is the folder of the spool.
	Dir string
	// PublicURL is under which clients reach this server, without a last slash.
	PublicURL func() string
	// TeamName gives the name of a team, which Sentry's clients call the organization.
	TeamName func(ctx context.Context, id int64) (string, error)
	// NormalRepository names a repository as the builds do, host/owner/name, "" when it
	// is none; nil takes what is given.
	NormalRepository func(address string) string
	// Repositories lists those whose history can be asked for, History the commits from
	// base (left out) to head, the newest first: the last few when base is "". One that
	// cannot be reached is a NotFound problem. nil knows none.
	Repositories func(ctx context.Context, team int64) ([]HostRepository, error)
	History      func(ctx context.Context, team int64, repository, base, head string) ([]Commit, error)
	// Audit records a change in the context's transaction; nil records nothing.
	Audit func(ctx context.Context, team int64, action, object, detail string) error
	// Publish tells browsers, usually stream.Hub's; nil tells nobody.
	Publish func(ctx context.Context, e stream.Event) error
	// Limits bound requests and their items.
	Limits sentry.Limits
	// SpoolBytes bounds what waits for digestion.
	SpoolBytes int64
	// Retention is what a project keeps that sets nothing else.
	Retention Retention
}

// Service is the package's one object.
type Service struct {
	Deps
	Hooks

	memory   *semaphore.Weighted
	projects *projectCache
	quotas   *quotas
	outcomes *outcomes
	spool    *spool
	compiled *statements
	releases releaseMemory
	alerts   alertMemory
	maps     *mapCache
	// consume digests a batch where tests of the intake put their own; nil is digest.
	consume func(ctx context.Context, batch []Accepted) error

	unhear  func()
	end     context.CancelFunc
	ended   sync.WaitGroup
	stopped sync.Once
}

// New makes the service and opens its spool; Start starts it.
func New(deps Deps) (*Service, error) {
	s := &Service{Deps: deps, memory: semaphore.NewWeighted(bodyMemory), projects: newProjectCache(), quotas: newQuotas(), outcomes: newOutcomes(), compiled: newStatements()}
	s.maps = newMapCache(maxMaps, deps.Now)
	if deps.Jobs != nil {
		deps.Jobs.Handle(eraseJob, work.Pool{Workers: 1}, s.runErasure)
		deps.Jobs.Handle(historyJob, work.Pool{Workers: 2, MaxAttempts: 6}, s.runHistory)
	}
	var err error
	s.spool, err = openSpool(deps.Dir, deps.SpoolBytes, deps.Log)
	return s, err
}

// Start begins to take and to digest items.
func (s *Service) Start(ctx context.Context) error {
	ctx, s.end = context.WithCancel(context.WithoutCancel(ctx))
	at, err := s.spoolPosition(ctx)
	if err != nil {
		return err
	}
	if err := s.spool.begin(at); err != nil {
		return err
	}
	if err := s.dropTemporary(); err != nil {
		return err
	}
	projects, uploads := s.DB.Listen(projectChannel, s.projects.forget), s.DB.Listen(artifactChannel, s.maps.forget)
	s.unhear = func() { projects(); uploads() }
	s.ended.Go(s.spool.write)
	s.ended.Go(func() { s.digestAll(ctx) })
	return nil
}

// Stop ends the digestion, writes what has been counted and takes no more; call
// it after the HTTP server has stopped. What is in the spool stays for the next start.
func (s *Service) Stop(ctx context.Context) {
	s.stopped.Do(func() {
		if s.end == nil { // never started
			return
		}
		s.unhear()
		s.spool.stop()
		s.end()
		s.ended.Wait()
		if err := s.flushOutcomes(context.WithoutCancel(ctx)); err != nil {
			s.Log.Error("writing the last counters of the intake failed", "error", err)
		}
		if err := s.spool.close(); err != nil {
			s.Log.Error("closing the spool failed", "error", err)
		}
	})
}

func (s *Service) audit(ctx context.Context, team int64, action, object, detail string) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit(ctx, team, action, object, detail)
}

func (s *Service) publish(ctx context.Context, team int64, topic, id string) error {
	if s.Publish == nil {
		return nil
	}
	return s.Publish(ctx, stream.Event{Team: team, Topic: topic, ID: id})
}

func (s *Service) millis() int64 { return s.Now().UnixMilli() }
