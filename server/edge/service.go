package edge

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/stream"
	"github.com/signalbox/signalbox/server/platform/work"
)

// Deps is what the service needs.
type Deps struct {
	DB    *database.DB
	Blobs *blobs.Store
	// Box seals the timestamp keys.
	Box   *secrets.Box
	Now   func() time.Time
	Log   *slog.Logger
	NewID func() string
	// Dir is a folder on this machine where bundles lie while they are verified.
	Dir string
	// PublicURL is under which nodes reach this server, without a last slash.
	PublicURL func() string
	// Jobs run what must survive a restart; nil: policies are not read from repositories.
	Jobs *work.Jobs
	// RepositoryFiles reads the YAML files of a folder as they are at the head of a
	// branch, with the commit that is; nil: there are no repositories.
	RepositoryFiles func(ctx context.Context, team int64, repository, branch, folder string) (commit string, files []RepositoryFile, err error)
	// NormalRepository is the form in which pushes name a repository.
	NormalRepository func(address string) string
	// Audit records a change in the context's transaction; nil records nothing.
	Audit func(ctx context.Context, team int64, action, object, detail string) error
	// Publish tells browsers; nil tells nobody.
	Publish func(ctx context.Context, e stream.Event) error
	Settings
}

// Settings are the configuration's.
type Settings struct {
	// Interval is how often nodes check in.
	Interval time.Duration
	// ServerKBps, SiteKBps and NodeKBps cap what is sent, in kilobytes a second: to
	// everybody together, to each site, to each node. 0 is without a cap.
	ServerKBps, SiteKBps, NodeKBps int64
	// MaxBundle is how large a bundle may be, in bytes.
	MaxBundle int64
	// TimestampLife is for how long the portal's word holds that this metadata is the newest.
	TimestampLife time.Duration
	// AgentDir is where agents' programs lie that machines may fetch; empty for none.
	AgentDir string
}

// Hooks are what other parts are told. They are set before Start.
type Hooks struct {
	// OnCheckIn gives what an accepted node is to do, nil for nothing. It is called
	// for each check-in and should answer from memory.
	OnCheckIn func(ctx context.Context, n Node, in protocol.CheckIn) (*protocol.Envelope, error)
	// OnReports hears new reports, in the transaction that keeps them.
	OnReports func(ctx context.Context, n Node, list []protocol.Report) error
	// OnNodes hears in the transaction that nodes were accepted, revoked or changed by people.
	OnNodes func(ctx context.Context, team int64, nodes []string) error
	// OnRollout hears in its transaction that a rollout has another state.
	OnRollout func(ctx context.Context, c RolloutChanged) error
	// OnNodeNews hears in a transaction what people outside may want to know of nodes.
	OnNodeNews func(ctx context.Context, n NodeNews) error
	// OnPublished hears in the transaction of a bundle that is new.
	OnPublished func(ctx context.Context, team int64, bundle string) error
}

// Service is the package's one object.
type Service struct {
	Deps
	Hooks
	fleet  fleet
	rates  rates
	bodies *semaphore.Weighted
	trusts trusts
	open   openCache
	cache  nodeCache
	orders orders
	agents agentSums
	// What lists and bundles have does not change: it is read once.
	packages setPackages
	carried  carried
	// Counters are this server's own.
	Counters Counters
	unhear   func()
}

// largeBodies is how many inventories and the like are read at once.
const largeBodies = 32

// New makes the service.
func New(deps Deps) *Service {
	s := &Service{Deps: deps, bodies: semaphore.NewWeighted(largeBodies)}
	s.fleet.nodes, s.fleet.dirty = map[string]*live{}, map[string]*live{}
	nodes, trust := s.DB.Listen(nodeChannel, s.fleet.forget), s.DB.Listen(trustChannel, func(string) { s.trusts.forget() })
	told := s.DB.Listen(ordersChannel, func(string) { s.orders.forget() })
	s.unhear = func() { nodes(); trust(); told() }
	s.orders.wake = make(chan struct{}, 1)
	s.Hooks = Hooks{OnCheckIn: s.order, OnReports: s.heardReports, OnNodes: s.fleetChanged, OnPublished: s.bundlePublished}
	if s.Jobs != nil {
		s.Jobs.Handle(syncJob, work.Pool{Workers: 2}, s.runSync)
		s.Jobs.Handle(newsJob, work.Pool{Workers: 1}, s.runNews)
	}
	return s
}

// Stop writes down what only memory knows; the HTTP server has ended.
func (s *Service) Stop(ctx context.Context) {
	s.unhear()
	if err := errors.Join(s.flush(context.WithoutCancel(ctx)), s.writeSaid(context.WithoutCancel(ctx))); err != nil {
		s.Log.Error("writing the last check-ins failed", "error", err)
	}
}

var (
	reading       = identity.Scope{Capability: "edge", Level: identity.Read}
	writing       = identity.Scope{Capability: "edge", Level: identity.Write}
	administering = identity.Scope{Capability: "edge", Level: identity.Admin}
)

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
