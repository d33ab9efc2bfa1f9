package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/runtime/worker"
	"github.com/signalbox/signalbox/server/ci/vars"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/work"
)

func (a *App) wireCI(ctx context.Context) (err error) {
	cfg := a.config.CI
	interval, err := time.ParseDuration(cfg.CheckInterval)
	if err != nil || interval < time.Second {
		return errUsage{fmt.Errorf("ci.check_interval: %q is not a duration of at least 1s, such as 1m", cfg.CheckInterval)}
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's own file: %w", err)
	}
	name, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("find this machine's name: %w", err)
	}
	root := filepath.Join(a.config.DataDir, "ci")
	diskLimit, err := worker.ParseDiskLimit(cfg.DiskLimit)
	if err != nil {
		return errUsage{fmt.Errorf("ci.disk_limit: %w", err)}
	}
	slots := engine.NewSlots(cfg.MaxContainers)
	a.worker, err = worker.New(worker.Options{Root: root, Name: name, HostImage: cfg.HostImage, AllowOutbound: a.config.Outbound.Allow,
		Self: self, MaxContainers: cfg.MaxContainers, DiskLimit: diskLimit, Logger: a.log, Now: now})
	if err != nil {
		return err
	}
	logs := &buildlog.Store{Dir: filepath.Join(root, "logs")}
	natives := resource.NewNatives(resource.Options{LocalRepositories: cfg.LocalRepositories, Dial: a.guard.DialContext,
		HostImageAllowed: cfg.HostImage, TempDir: filepath.Join(root, "tmp"), BuildBundle: a.buildBundle, BundleDir: filepath.Join(root, "bundles"), Now: now})
	if err := os.MkdirAll(filepath.Join(root, "tmp"), 0o700); err != nil {
		return fmt.Errorf("make the folder for images on their way: %w", err)
	}
	a.ci = ci.New(ci.Deps{
		DB: a.db, Now: now, Log: a.log, Executor: a.worker, Slots: slots, WorkerTags: cfg.WorkerTags, Disk: a.worker.Disk, Native: a.nativeTypes(natives), NativeTypes: append(natives.Names(), "approval"),
		Logs: logs, Jobs: a.jobs, Cluster: a.cluster, Blobs: a.blobs, Scratch: filepath.Join(root, "tmp"), NewID: randomID, Dial: a.guard.DialContext, Sealer: a.box, LoopStatus: a.loops.Status,
		Engine: func(ledger engine.Ledger) ci.Engine {
			e := engine.New(context.WithoutCancel(ctx), engine.Deps{Executor: a.worker, Native: a.nativeTypes(natives), Scripted: resource.Image{}, Ledger: ledger, Logs: logs,
				Now: now, NewID: randomID, ExternalURL: a.PublicURL(), Logger: a.log, Slots: slots, WorkerTags: cfg.WorkerTags,
				Vars: func(ctx context.Context, b engine.Build) (vars.Lookup, error) { return a.ci.Vars(ctx, b) },
				SetPipeline: func(ctx context.Context, r engine.SetPipelineRequest) (engine.SetPipelineResult, error) {
					return a.ci.SetPipelineStep(ctx, r)
				},
				HostImageAllowed:  func(context.Context, engine.Build) bool { return cfg.HostImage },
				PrivilegedAllowed: a.privilegedAllowed,
			})
			a.detach = e.Detach
			return e
		},
		Vars: a.vars, TeamName: a.teamName, TeamID: a.teamID, Publish: a.publish, Audit: a.audit, PublicURL: a.PublicURL,
		CommitStatus: a.commitStatus, PullComment: a.pullComment, RepositoryNames: a.github.Names, HookAlive: a.github.Alive, OnBuildFinished: a.buildEnded, OnApprovalAsked: a.approvalAsked, CheckEvery: interval, Builds: max(64, 2*cfg.MaxContainers), ClusterName: "Signalbox", FlyBinary: a.flyBinary,
	})
	return a.ci.RegisterTools(a.tools)
}

// workerLoop asks the worker whether it is ready, which also puts back network
// rules that something else on this machine has flushed, and measures its volumes.
func (a *App) workerLoop() work.Loop {
	return work.Loop{Name: "ci.worker", Every: time.Minute, Local: true, Run: func(ctx context.Context) error {
		return errors.Join(a.worker.Ready(ctx), a.worker.Measure(ctx))
	}}
}

// recoverContainers removes what a former life left behind and no running build needs.
func (a *App) recoverContainers(ctx context.Context) error {
	if err := a.ci.RecallWorker(ctx); err != nil {
		return err
	}
	wanted, err := a.ci.WantedContainers(ctx)
	if err != nil {
		return err
	}
	keep := make(map[runtime.ContainerID]bool, len(wanted))
	for _, id := range wanted {
		keep[id] = true
	}
	return a.worker.Recover(ctx, keep)
}

// secretVars looks ((vars)) up among a team's secrets.
type secretVars struct {
	app   *App
	build engine.Build
}

func (v secretVars) Get(ctx context.Context, ref vars.Ref) (any, bool, error) {
	if ref.Source != "" {
		return nil, false, nil
	}
	return v.app.secrets.Lookup(ctx, v.build.TeamID, v.build.PipelineName, ref.Path,
		secrets.Use{Pipeline: v.build.PipelineName, Job: v.build.JobName, Number: v.build.Name, Build: v.build.ID})
}

func (a *App) vars(_ context.Context, b engine.Build) (vars.Lookup, error) {
	return secretVars{a, b}, nil
}

func (a *App) privilegedAllowed(ctx context.Context, b engine.Build) bool {
	team, err := a.accounts.TeamByID(ctx, b.TeamID)
	return err == nil && team.Privileged
}

func (a *App) teamName(ctx context.Context, id int64) (string, error) {
	t, err := a.accounts.TeamByID(ctx, id)
	return t.Name, err
}

func (a *App) teamID(ctx context.Context, name string) (int64, error) {
	t, err := a.accounts.Team(ctx, name)
	return t.ID, err
}

// flyBinary finds what the operator put into the data folder for `fly sync`.
func (a *App) flyBinary(platform, arch string) string {
	if strings.ContainsAny(platform+arch, "/.\x00") {
		return ""
	}
	path := filepath.Join(a.config.DataDir, "fly", platform+"-"+arch)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}
