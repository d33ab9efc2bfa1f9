package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/platform/notify"
)

// The events that channels may ask for.
const (
	buildFailed  notify.Event = "build.failed"
	buildErrored notify.Event = "build.errored"
	buildFixed   notify.Event = "build.fixed"
	// approvalRequested is raised once for every question.
	approvalRequested notify.Event = "approval.requested"
)

func (a *App) wireNotify(context.Context) error {
	a.notify = notify.New(notify.Deps{DB: a.db, Box: a.box, Guard: a.guard, Jobs: a.jobs, SMTP: a.config.SMTP, Now: now, Log: a.log, NewID: randomID,
		Events: append([]notify.Event{buildFailed, buildErrored, buildFixed, approvalRequested}, edgeEvents...), Audit: a.audit, Told: a.deliveryTold})
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
	m := notify.Message{Pipeline: b.Pipeline, URL: b.URL, Lines: b.LastLines}
	what := fmt.Sprintf("%s/%s #%s", b.Pipeline, b.Job, b.Name)
	broken := b.Previous == ci.Failed || b.Previous == ci.Errored
	switch {
	case b.Status == ci.Failed:
		m.Event, m.Title = buildFailed, what+" failed"
	case b.Status == ci.Errored:
		m.Event, m.Title = buildErrored, what+" errored"
	case b.Status == ci.Succeeded && broken:
		m.Event, m.Title = buildFixed, what+" succeeded again"
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

func joinSentences(a, b string) string {
	if a == "" {
		return b
	}
	return a + "\n" + b
}
