package github

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/stream"
	"github.com/signalbox/signalbox/server/platform/work"
)

// Deps is what the service needs.
type Deps struct {
	DB    *database.DB
	Box   *secrets.Box
	Blobs *blobs.Store
	Guard *outbound.Guard
	Jobs  *work.Jobs
	Now   func() time.Time
	Log   *slog.Logger
	// PublicURL is under which GitHub reaches this server, without a last slash.
	PublicURL func() string
	// Teller leads to the team's channels; nil when there are none.
	Teller Teller
	// Audit records a change in the context's transaction; nil records nothing.
	Audit func(ctx context.Context, team int64, action, object, detail string) error
	// Publish tells browsers, usually stream.Hub's; nil tells nobody.
	Publish func(ctx context.Context, e stream.Event) error
}

// Service is the package's one object.
type Service struct {
	Deps
	// OnDelivery is called for each accepted delivery within the transaction that
	// marks it done; it must not call the network. Set it before Start.
	OnDelivery func(ctx context.Context, d Delivery) (caused []Effect, err error)

	memory   *semaphore.Weighted
	hooks    *hookCache
	spool    *spool
	refusals *refusals
	wake     chan struct{}
	wakeGap  chan struct{}
	mending  keyed
	reached  reached
	started  time.Time
	clients  clientCache
	unhear   func()
	stopped  sync.Once
}

// New makes the service and sets the handler of its jobs; Start starts it.
func New(deps Deps) *Service {
	s := &Service{
		Deps: deps, started: deps.Now(), memory: semaphore.NewWeighted(bodyMemory), hooks: newHookCache(), wake: make(chan struct{}, 1), wakeGap: make(chan struct{}, 1),
		OnDelivery: func(context.Context, Delivery) ([]Effect, error) { return nil, nil },
	}
	s.spool = newSpool(s)
	s.refusals = newRefusals(s)
	deps.Jobs.Handle(statusJob, work.Pool{Workers: 4, MaxAttempts: statusAttempts}, s.postStatus)
	deps.Jobs.Handle(postJob, work.Pool{Workers: 4, MaxAttempts: postAttempts}, s.post)
	deps.Jobs.Handle(hookJob, work.Pool{Workers: 2, MaxAttempts: hookAttempts}, s.mendHook)
	deps.Jobs.Handle(farewellJob, work.Pool{Workers: 2, MaxAttempts: removalAttempts}, s.farewell)
	deps.Jobs.Handle(installationJob, work.Pool{Workers: 2}, s.lookAtInstallation)
	deps.Jobs.Handle(removalJob, work.Pool{Workers: 2, MaxAttempts: removalAttempts}, s.unhook)
	return s
}

// Start begins to take deliveries. The digesting itself is a loop (see Loops).
func (s *Service) Start(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	s.unhear = s.DB.Listen(hookChannel, s.hooks.forget)
	s.spool.start(ctx)
	s.refusals.start(ctx)
}

// Stop writes what has arrived and takes no more; call it after the HTTP server has stopped.
func (s *Service) Stop() {
	s.stopped.Do(func() {
		s.unhear()
		s.spool.stop()
		s.refusals.stop()
	})
}

// Loops are what the service wants run.
func (s *Service) Loops() []work.Loop {
	return []work.Loop{
		{Name: "github.digest", Every: 2 * time.Second, Local: true, Wake: s.wake, Run: s.Digest},
		{Name: "github.gaps", Every: gapsEvery, Local: true, Wake: s.wakeGap, Run: s.CloseGaps},
		{Name: "github.prune", Every: time.Hour, Run: s.Prune},
	}
}

func (s *Service) wakeDigest() {
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already and will look again
	}
}

func (s *Service) wakeGaps() {
	select {
	case s.wakeGap <- struct{}{}:
	default: // it is awake already and will look again
	}
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

func randomHex(bytes int) string {
	raw := make([]byte, bytes)
	rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

func (s *Service) millis() int64 { return s.Now().UnixMilli() }
