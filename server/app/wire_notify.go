package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/platform/notify"
	"github.com/signalbox/signalbox/server/system"
)

// The events that channels may ask for.
const (
	buildFailed  notify.Event = "build.failed"
	buildErrored notify.Event = "build.errored"
	buildFixed   notify.Event = "build.fixed"
	// approvalRequested is raised once for every question.
	approvalRequested notify.Event = "approval.requested"
	// backupFailed concerns the whole installation.
	backupFailed notify.Event = "backup.failed"
)

var occasions = []notify.Occasion{
	{Event: buildFailed, Capability: "ci", When: "a build fails"},
	{Event: buildErrored, Capability: "ci", When: "a build cannot be run"},
	{Event: buildFixed, Capability: "ci", When: "a job is green again"},
	{Event: approvalRequested, Capability: "ci", When: "a build or a rollout waits for approval"},
	{Event: rolloutPaused, Capability: "edge", When: "a rollout pauses by itself"},
	{Event: rolloutFailed, Capability: "edge", When: "a rollout ends badly"},
	{Event: rolloutFinished, Capability: "edge", When: "a rollout is done"},
	{Event: nodeLost, Capability: "edge", When: "nodes are not heard of for a day"},
	{Event: nodeReturned, Capability: "edge", When: "lost nodes are back"},
	{Event: nodeDoubled, Capability: "edge", When: "a node may be in two places"},
	{Event: backupFailed, Capability: "system", When: "a backup or its rehearsal fails", Admin: true},
}

func (a *App) wireNotify(context.Context) error {
	a.notify = notify.New(notify.Deps{DB: a.db, Box: a.box, Guard: a.guard, Jobs: a.jobs, SMTP: a.config.SMTP, Now: now, Log: a.log, NewID: randomID,
		Events: occasions, Others: []notify.Event{alertEvent, logAlertEvent, ruleEvent}, Audit: a.audit, Told: a.deliveryTold,
		Issues: issueDesk{alertGitHub{a.github}}, Publish: a.publish, Page: a.messagesPage})
	a.backups.OnFailed = a.backupFailed
	return errors.Join(a.notify.RegisterTools(a.tools), a.secrets.RegisterTools(a.tools))
}

// deliveryTold lets whoever asked for a message show at once how it fared.
func (a *App) deliveryTold(ctx context.Context, team int64, d notify.Delivery) error {
	switch d.Event {
	case alertEvent:
		return a.issues.AlertTold(ctx, team)
	case logAlertEvent:
		return a.logs.AlertTold(ctx, team)
	case ruleEvent:
		return a.github.FollowUp(ctx)
	}
	return nil
}

// buildFinished tells the team's channels of builds that did not succeed, and of
// the first that did again.
func (a *App) buildFinished(ctx context.Context, b ci.BuildFinished) error {
	m := notify.Message{Pipeline: b.Pipeline, Subject: "build " + b.Pipeline + "/" + b.Job, URL: b.URL, Lines: b.LastLines}
	what := fmt.Sprintf("%s/%s #%s", b.Pipeline, b.Job, b.Name)
	broken := b.Previous == ci.Failed || b.Previous == ci.Errored
	switch {
	case b.Status == ci.Failed:
		m.Event, m.Title = buildFailed, what+" failed"
	case b.Status == ci.Errored:
		m.Event, m.Title = buildErrored, what+" errored"
	case b.Status == ci.Succeeded && broken:
		m.Event, m.Title, m.Good = buildFixed, what+" succeeded again", true
	default:
		return nil
	}
	if b.Step != "" {
		m.Title += " at " + b.Step
	}
	m.Text = b.Message
	if b.Status != ci.Succeeded && broken {
		m.Text = joinSentences(m.Text, "The build before did not succeed either.")
	}
	return a.notify.Raise(ctx, b.Team, m)
}

// messagesPage is where a team's messages are listed.
func (a *App) messagesPage(ctx context.Context, id int64) (string, error) {
	team, err := a.teamName(ctx, id)
	return a.PublicURL() + "/teams/" + url.PathEscape(team) + "/notifications/history", err
}

// backupFailed tells whoever asked for it, in whichever team.
func (a *App) backupFailed(ctx context.Context, b system.Backup, rehearsal bool, reason string) error {
	m := notify.Message{Event: backupFailed, Subject: "backup", Title: "The backup " + b.Name + " failed", Text: reason, URL: a.PublicURL() + "/admin/backups", Lines: []string{}}
	if rehearsal {
		m.Title, m.Subject = "The rehearsal of the backup "+b.Name+" failed", "rehearsal"
	}
	return a.notify.RaiseEverywhere(ctx, m)
}

func joinSentences(a, b string) string {
	if a == "" {
		return b
	}
	return a + "\n" + b
}
