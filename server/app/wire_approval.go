package app

import (
	"context"

	"github.com/signalbox/signalbox/server/ci/resource"
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
