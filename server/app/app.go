package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox/signalbox/server/accounts"
	"github.com/signalbox/signalbox/server/accounts/catalog"
	"github.com/signalbox/signalbox/server/assistant"
	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/ci/runtime/worker"
	"github.com/signalbox/signalbox/server/docs"
	"github.com/signalbox/signalbox/server/edge"
	"github.com/signalbox/signalbox/server/issues"
	"github.com/signalbox/signalbox/server/logs"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/cluster"
	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/github"
	"github.com/signalbox/signalbox/server/platform/notify"
	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/stream"
	"github.com/signalbox/signalbox/server/platform/telemetry"
	"github.com/signalbox/signalbox/server/platform/tools"
	"github.com/signalbox/signalbox/server/platform/work"
	"github.com/signalbox/signalbox/server/system"
)

// App is a whole server: wired by New, running within Run, over after Close.
type App struct {
	// FirstPassword is the administrator's when New generated it; it is nowhere else.
	FirstPassword string

	config     config.Config
	log        *slog.Logger
	ready      atomic.Bool
	unreadyFor time.Duration

	main, metrics *listener
	engine        *gin.Engine
	table         api.Table
	registry      *prometheus.Registry

	db      *database.DB
	jobs    *work.Jobs
	loops   *work.Loops
	hub     *stream.Hub
	cluster *cluster.Cluster
	// resign gives up the leadership of the loops.
	resign    func()
	guard     *outbound.Guard
	box       *secrets.Box
	secrets   *secrets.Store
	blobs     *blobs.Store
	tools     *tools.Registry
	github    *github.Service
	accounts  *accounts.Service
	system    *system.Service
	worker    *worker.Worker
	ci        *ci.Service
	notify    *notify.Service
	issues    *issues.Service
	logStore  *store.Store
	logs      *logs.Service
	edge      *edge.Service
	assistant *assistant.Service
	slack     *assistant.Slack
	// edgeBehind is how far the fleet's clock is set back: the demo plays its past.
	edgeBehind atomic.Int64
	// demo says that a sample team is played.
	demo    bool
	catalog *catalog.Catalog
	manual  *docs.Manual
	backups *system.Backups
	// premigration keeps in the history what was saved before the database was migrated.
	premigration func(ctx context.Context) error
	// own keeps what the server logs among the lines, until stopOwn; both nil when it is not to.
	own     *logs.OwnLog
	stopOwn func()
	// tracing is nil unless somebody is to get traces.
	tracing *telemetry.Tracing
	// node is this server's name, which survives restarts.
	node string

	// detach lets go of running builds without ending them.
	detach func()
	stops  []func()
}

// New opens the data folder and wires every part; nothing runs yet, but the port is taken.
func New(ctx context.Context, cfg config.Config, log *slog.Logger) (*App, error) {
	a := &App{config: cfg, registry: prometheus.NewRegistry(), tools: tools.NewRegistry()}
	a.log = a.tracedLog(a.ownLog(log))
	a.loops = work.NewLoops(now, a.log)
	gin.SetMode(gin.ReleaseMode)
	a.engine = gin.New()
	for _, step := range []func(context.Context) error{a.openPort, a.openState, a.wireTelemetry, a.wireCluster, a.wireAccounts, a.wireBackups, a.wireGitHub, a.wireGitHubTools, a.wireNotify, a.wireGitHubChannels, a.wireIssues, a.wireIssuesAlerts, a.wireLogs, a.wireLogsIssues, a.wireCI, a.wireLogsInside, a.wireGitHubCaused, a.wireEdge, a.wireAssistant, a.wireSlack, a.wireNotifyRules, a.wireCatalog, a.wireSystem, a.routes} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, a.Close(ctx))
		}
	}
	return a, nil
}

func (a *App) openPort(ctx context.Context) (err error) {
	if err := os.MkdirAll(a.config.DataDir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	server := a.config.Server
	if a.main, err = listen(ctx, server.Listen, a.engine, server.TLSCert, server.TLSKey); err != nil {
		return err
	}
	return nil
}

func (a *App) openState(ctx context.Context) (err error) {
	cfg := a.config
	if a.db, err = database.Open(ctx, cfg.Database.URL, a.log); err != nil {
		return err
	}
	if err = a.migrate(ctx); err != nil {
		return err
	}
	node, err := nodeID(cfg.DataDir, randomID)
	if err != nil {
		return err
	}
	a.node = node
	a.jobs = work.NewJobs(a.db, node, now, a.log)
	if a.guard, err = outbound.New(cfg.Outbound.Allow); err != nil {
		return errUsage{err}
	}
	if err := a.openSecrets(ctx); err != nil {
		return err
	}
	return a.openBlobs()
}

func (a *App) openBlobs() error {
	backend, err := blobBackend(a.config)
	if err != nil {
		return err
	}
	a.blobs, err = blobs.New(blobs.Deps{DB: a.db, Backend: backend, Spool: filepath.Join(a.config.DataDir, "spool"), Now: now, Quota: int64(a.config.Blobs.TeamQuotaMB) << 20})
	return err
}

func (a *App) wireAccounts(ctx context.Context) (err error) {
	a.accounts, err = accounts.New(accounts.Deps{DB: a.db, Now: now, Log: a.log, PublicURL: a.PublicURL(), Version: Version, Capabilities: a.capabilities, Demo: func() bool { return a.demo }})
	if err != nil {
		return err
	}
	a.accounts.OnTeamDeleted = a.deleteTeam
	a.hub = stream.New(stream.Deps{DB: a.db, Recheck: a.accounts.Recheck})
	a.FirstPassword, err = a.accounts.EnsureFirstAdmin(ctx, a.config.Admin.User, a.config.Admin.Password)
	return err
}

// audit is what the parts record changes with; accounts is wired after some of them.
func (a *App) audit(ctx context.Context, team int64, action, object, detail string) error {
	return a.accounts.Audit(ctx, team, action, object, detail)
}

func (a *App) publish(ctx context.Context, team int64, topic, id string) error {
	return a.hub.Publish(ctx, stream.Event{Team: team, Topic: topic, ID: id})
}

// startWork begins everything that happens without a request.
func (a *App) startWork(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // ended by stopWork, in order
	// First, because a port that is taken should stop the start before anything runs.
	if err := a.startLogsInside(ctx); err != nil {
		return err
	}
	if err := a.listenLogs(ctx); err != nil {
		return err
	}
	if err := a.recoverContainers(ctx); err != nil {
		a.log.Warn("cleaning up after the server's former life failed", "error", err)
	}
	if err := a.jobs.Start(ctx); err != nil {
		return err
	}
	a.github.Start(ctx)
	if err := a.issues.Start(ctx); err != nil {
		return err
	}
	a.stops = append(a.stops, func() { a.edge.Stop(ctx) }, a.ci.Start(ctx), a.github.Stop, func() { a.issues.Stop(ctx) })
	if err := a.lead(ctx); err != nil {
		return err
	}
	loops := append(a.accounts.Loops(), a.secrets.Loops()...)
	loops = append(loops, a.cluster.Loops()...)
	loops = append(loops, a.blobs.Loops()...)
	loops = append(loops, a.github.Loops()...)
	loops = append(loops, a.issues.Loops()...)
	loops = append(loops, a.logs.Loops()...)
	loops = append(loops, a.insideLoops()...)
	loops = append(loops, a.assistant.Loops()...)
	loops = append(loops, a.slack.Loops()...)
	loops = append(loops, a.notify.Loops()...)
	loops = append(loops, a.edge.Loops()...)
	loops = append(loops, a.workerLoop(), a.backups.Loop(a.jobs), a.accounts.AuditLoop(time.Duration(a.config.Accounts.AuditRetentionDays)*24*time.Hour))
	a.loops.Start(ctx, append(loops, a.ci.Loops()...)...)
	return nil
}

func (a *App) stopWork(ctx context.Context) error {
	a.jobs.Hold() // or the builds let go of below would be taken up again at once
	a.detach()
	for _, stop := range a.stops {
		stop()
	}
	a.loops.Stop()
	if a.resign != nil {
		a.resign()
	}
	err := errors.Join(a.jobs.Stop(ctx), a.cluster.Leave(ctx))
	if a.stopOwn != nil {
		a.stopOwn()
	}
	return err
}

// Close lets go of what New opened; safe to call when New failed half way.
func (a *App) Close(ctx context.Context) error {
	var errs []error
	for _, l := range []*listener{a.main, a.metrics} {
		if l != nil {
			l.server.Close()
			l.net.Close() // Serve may never have been called
		}
	}
	if a.worker != nil {
		errs = append(errs, a.worker.Close())
	}
	if a.logStore != nil {
		errs = append(errs, a.logStore.Close())
	}
	if a.accounts != nil {
		errs = append(errs, a.accounts.Close(context.WithoutCancel(ctx)))
	}
	if a.db != nil {
		errs = append(errs, a.db.Close())
	}
	if a.tracing != nil {
		errs = append(errs, a.tracing.Close(context.WithoutCancel(ctx)))
	}
	return errors.Join(errs...)
}

func randomID() string {
	raw := make([]byte, 16)
	rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// Routes is the table of everything the server answers, for the tests that walk it.
func (a *App) Routes() []api.Route { return a.table.Routes }
