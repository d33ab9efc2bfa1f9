package ci

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/vars"
	"github.com/signalbox/signalbox/server/platform/cluster"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/work"
)

// Engine runs builds; *engine.Engine is one.
type Engine interface {
	Run(ctx context.Context, build engine.Build) (engine.Outcome, error)
	Release(ctx context.Context, build int64) error
}

// Deps is what the service works with. Functions that are nil do nothing, or
// answer as the zero configuration would.
type Deps struct {
	DB       *database.DB
	Now      func() time.Time
	Log      *slog.Logger
	Executor runtime.Executor
	// Engine makes the engine that keeps its rows in the given ledger.
	Engine func(engine.Ledger) Engine
	// Slots are the places of the worker, which the engine takes.
	Slots *engine.Slots
	// WorkerTags are the tags of the one worker there is.
	WorkerTags []string
	// Disk tells how full the worker's disk is; nil knows no limit.
	Disk func(ctx context.Context) (runtime.Disk, error)
	// Native returns the server's own resource types.
	Native func(name string) (resource.Type, bool)
	// NativeTypes are their names, as `fly workers -d` lists them.
	NativeTypes []string
	Logs        *buildlog.Store
	Jobs        *work.Jobs
	// Cluster knows the other servers; nil knows none.
	Cluster *cluster.Cluster
	// NewID returns 32 random lower-case hex digits.
	NewID func() string
	// Blobs keeps the artifacts of builds; nil keeps none.
	Blobs Blobs
	// Scratch is a folder for what is read while a build ends; the system's when empty.
	Scratch string
	// Vars finds ((vars)) without a source for a build, or for a check when the
	// build's id is 0. The engine asks Service.Vars, which adds the pipeline's var_sources.
	Vars func(ctx context.Context, build engine.Build) (vars.Lookup, error)
	// Dial opens connections to var sources; it refuses addresses that are not for builds.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Sealer keeps the keys that sign tokens of idtoken var sources.
	Sealer Sealer
	// TeamName and TeamID translate; a missing team is a NotFound problem.
	TeamName func(ctx context.Context, id int64) (string, error)
	TeamID   func(ctx context.Context, name string) (int64, error)
	// Publish tells browsers that a thing has changed.
	Publish func(ctx context.Context, team int64, topic, id string) error
	// Audit records who did what.
	Audit func(ctx context.Context, team int64, action, object, detail string) error
	// PublicURL has no slash at its end.
	PublicURL func() string
	// CommitStatus sends a status to the host of a repository; an error is tried again.
	CommitStatus func(ctx context.Context, status CommitStatus) error
	// RepositoryNames are all names of a repository, host/owner/name, also those from
	// before it moved; nil knows none.
	RepositoryNames func(ctx context.Context, team int64, place string) ([]string, error)
	// HookAlive reports whether what happens in a repository reaches us by itself.
	HookAlive func(ctx context.Context, team int64, place string) (bool, error)
	// PullComment writes the one comment that a pull request has for a key.
	PullComment func(ctx context.Context, comment PullComment) error
	// OnBuildFinished hears of every ended build of a job, in the transaction that
	// ends it: an error undoes the end, which is then tried again.
	OnBuildFinished func(ctx context.Context, finished BuildFinished) error
	// OnApprovalAsked hears once of every question for approval, in the transaction that
	// stores it.
	OnApprovalAsked func(ctx context.Context, asked ApprovalAsked) error
	// LoopStatus tells how the server's background tasks stand.
	LoopStatus func() []work.LoopStatus
	// ClusterName is what fly shows of this installation.
	ClusterName string
	// CheckEvery is the interval of resources that have none; a minute when zero.
	CheckEvery time.Duration
	// Checks and Builds run at once on this node; 8 and 64 when zero.
	Checks, Builds int
	// KeepFailed is how long the containers of builds that did not succeed stay
	// for a look inside; an hour when zero.
	KeepFailed time.Duration
	// FlyBinary finds the fly program for `fly sync`, "" when the operator put none there.
	FlyBinary func(platform, arch string) string
}

// Service is the capability.
type Service struct {
	// OnBuildCaused hears of every build that a delivery's version made start, in the
	// transaction that makes the build; nil keeps no track of deliveries. Set it before Start.
	OnBuildCaused func(ctx context.Context, caused BuildCaused) error
	// RepositoryTrouble says, as a part of a sentence, why nothing is heard of a repository;
	// nil knows nothing. Set it before Start.
	RepositoryTrouble func(ctx context.Context, team int64, place string) (string, error)
	// Output hears what builds say; with no Tell nobody does. Set it before Start.
	Output OutputListener

	store
	deps    Deps
	engine  Engine
	configs configs
	sched   *scheduler
	checker *checker
	// sessions are those of people inside containers.
	sessions *sessions
	outputs  outputs

	// failingCases reads the test reports of a build; nil knows of none.
	failingCases func(ctx context.Context, build int64, limit int) ([]failingCase, error)
	// reports and components read what a build's files say; nil leaves the files alone.
	reports, components readFiles

	mu sync.Mutex
	// aborts stop the builds that run on this node.
	aborts map[int64]context.CancelCauseFunc
	// reported is when the worker's row was written last.
	reported time.Time
}

// New makes the service and registers its kinds of jobs; Start begins the work.
func New(deps Deps) *Service {
	deps.CheckEvery = orDefault(deps.CheckEvery, time.Minute)
	deps.Checks = orDefault(deps.Checks, 8)
	deps.Builds = orDefault(deps.Builds, 64)
	deps.KeepFailed = orDefault(deps.KeepFailed, time.Hour)
	if deps.Slots == nil {
		deps.Slots = engine.NewSlots(0)
	}
	s := &Service{store: store{deps.DB, deps.Now}, deps: deps, aborts: map[int64]context.CancelCauseFunc{}}
	s.sched, s.sessions = newScheduler(s), newSessions()
	s.checker = newChecker(s)
	s.reports, s.components, s.failingCases = s.readReports, s.readComponents, s.failingCasesOf
	if deps.Engine != nil {
		s.engine = deps.Engine(ledger{s})
	}
	if deps.Jobs != nil {
		deps.Jobs.Handle(kindBuild, work.Pool{Workers: deps.Builds, MaxAttempts: -1}, s.runBuild)
		deps.Jobs.Handle(kindWake, work.Pool{Workers: 2}, s.wake)
		deps.Jobs.Handle(kindStatus, work.Pool{Workers: 4}, s.sendStatus)
	}
	return s
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
