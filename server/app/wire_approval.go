package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/notify"
)

// approvalDesk is where the resource type approval asks; ci is wired after the types.
type approvalDesk struct{ app *App }

// Ask implements resource.ApprovalDesk.
func (d approvalDesk) Ask(ctx context.Context, gate resource.Gate) (resource.Asked, error) {
	return d.app.ci.AskApproval(ctx, gate)
}

// Await implements resource.ApprovalDesk.
func (d approvalDesk) Await(ctx context.Context, id string) (resource.Verdict, error) {
	return d.app.ci.AwaitApproval(ctx, id)
}

// nativeTypes are those that need nothing of ours, and approval.
func (a *App) nativeTypes(natives *resource.Natives) func(name string) (resource.Type, bool) {
	approval := resource.NewApproval(approvalDesk{a})
	return func(name string) (resource.Type, bool) {
		if name == "approval" {
			return approval, true
		}
		return natives.Native(name)
	}
}

// approvalAsked tells the team's channels of a build that waits for somebody's approval.
func (a *App) approvalAsked(ctx context.Context, asked ci.ApprovalAsked) error {
	what := "Build #" + asked.Build
	if asked.Job != "" {
		what = fmt.Sprintf("%s/%s #%s", asked.Pipeline, asked.Job, asked.Build)
	}
	who := "Anybody who may run jobs can decide"
	if len(asked.Approvers) > 0 {
		who = "Approvers: " + strings.Join(asked.Approvers, ", ")
	}
	text := fmt.Sprintf("%s, until %s.", who, asked.ExpiresAt.UTC().Format(time.RFC1123))
	if asked.StartedBy != "" {
		text = "Started by " + asked.StartedBy + ". " + text
	}
	return a.notify.Raise(ctx, asked.Team, notify.Message{Event: approvalRequested, Title: what + " waits for approval", Text: text, Subject: "approval " + what,
		Pipeline: asked.Pipeline, URL: asked.URL})
}
