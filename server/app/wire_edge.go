package app

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/signalbox/signalbox/server/edge"
)

func (a *App) wireEdge(ctx context.Context) error {
	cfg := a.config.Edge
	a.edge = edge.New(edge.Deps{
		DB: a.db, Blobs: a.blobs, Box: a.box, Now: a.edgeNow, Log: a.log, NewID: randomID, Dir: filepath.Join(a.config.DataDir, "edge"), PublicURL: a.PublicURL, Audit: a.audit, Publish: a.hub.Publish,
		Jobs: a.jobs, RepositoryFiles: a.policyFiles, NormalRepository: policyPlace,
		Settings: edge.Settings{
			Interval: time.Duration(cfg.CheckInSeconds) * time.Second, TimestampLife: time.Duration(cfg.TimestampDays) * 24 * time.Hour, MaxBundle: int64(cfg.MaxBundleMB) << 20,
			ServerKBps: int64(cfg.ServerKBps), SiteKBps: int64(cfg.SiteKBps), NodeKBps: int64(cfg.NodeKBps), AgentDir: agentDir(cfg.AgentDir),
		},
	})
	a.edge.OnRollout, a.edge.OnNodeNews = a.rolloutChanged, a.nodesChanged
	a.registry.MustRegister(edgeGauge{ctx: context.WithoutCancel(ctx), app: a})
	return a.edge.RegisterTools(a.tools)
}

// agentDir is where the agents' programs are: beside the server's, where nothing else is said.
func agentDir(configured string) string {
	if configured != "" {
		return configured
	}
	program, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Dir(program)
}

// edgeNow is the fleet's clock: the right time, but while the demo plays the past.
func (a *App) edgeNow() time.Time { return now().Add(-time.Duration(a.edgeBehind.Load())) }
