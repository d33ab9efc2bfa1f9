package app

import (
	"context"
	"path/filepath"

	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/issues"
	"github.com/signalbox/signalbox/server/issues/sentry"
)

func (a *App) wireIssues(context.Context) (err error) {
	cfg := a.config.Issues
	const kib, mib = 1 << 10, 1 << 20
	limits := sentry.DefaultLimits()
	limits.Compressed, limits.Decoded = int64(cfg.MaxRequestMB)*mib, int64(cfg.MaxDecodedMB)*mib
	limits.Event, limits.Attachment = int64(cfg.MaxEventKB)*kib, int64(cfg.MaxAttachmentMB)*mib
	a.issues, err = issues.New(issues.Deps{
		DB: a.db, Blobs: a.blobs, Jobs: a.jobs, Now: now, Log: a.log, NewID: randomID, Node: a.node, Dir: filepath.Join(a.config.DataDir, "issues", "spool"),
		NormalRepository: ci.NormalRepository, Repositories: a.hostRepositories, History: a.hostHistory, PublicURL: a.PublicURL, TeamName: a.teamName, Audit: a.audit, Publish: a.hub.Publish, Limits: limits, SpoolBytes: int64(cfg.SpoolMB) * mib,
		Retention: issues.Retention{Days: cfg.RetentionDays, Events: int64(cfg.RetentionEvents), Bytes: int64(cfg.RetentionMB) * mib},
	})
	if err != nil {
		return err
	}
	a.issues.UseReleases()
	a.issues.Member = a.member
	return a.issues.RegisterTools(a.tools)
}
