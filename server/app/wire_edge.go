package app

import (
	"context"
	"path/filepath"
	"time"

	"github.com/signalbox/signalbox/server/edge"
)

func (a *App) wireEdge(context.Context) error {
	cfg := a.config.Edge
	a.edge = edge.New(edge.Deps{
		DB: a.db, Blobs: a.blobs, Box: a.box, Now: a.edgeNow, Log: a.log, NewID: randomID, Dir: filepath.Join(a.config.DataDir, "edge"), PublicURL: a.PublicURL, Audit: a.audit, Publish: a.hub.Publish,
		Jobs: a.jobs, RepositoryFiles: a.policyFiles, NormalRepository: policyPlace,
		Settings: edge.Settings{
			Interval: time.Duration(cfg.CheckInSeconds) * time.Second, TimestampLife: time.Duration(cfg.TimestampDays) * 24 * time.Hour, MaxBundle: int64(cfg.MaxBundleMB) << 20,
			ServerKBps: int64(cfg.ServerKBps), SiteKBps: int64(cfg.SiteKBps), NodeKBps: int64(cfg.NodeKBps),
		},
	})
	a.edge.OnRollout = a.rolloutChanged
	return a.edge.RegisterTools(a.tools)
}

// edgeNow is the fleet's clock: the right time, but while the demo plays the past.
func (a *App) edgeNow() time.Time { return now().Add(-time.Duration(a.edgeBehind.Load())) }
