package resource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// Gate is a put that wants somebody's approval.
type Gate struct {
	// Handle is the step's, the same when the step is gone on with after a restart.
	Handle runtime.ContainerID
	Build  int64
	// Approvers are names of users, roles and teams; none means whoever may run jobs.
	Approvers      []string
	ReasonRequired bool
	Timeout        time.Duration
}

// Asked is a question that people can answer.
type Asked struct {
	ID        string
	ExpiresAt time.Time
}

// Verdict is the answer.
type Verdict struct {
	Approved bool
	// By is who decided, "" when time was up.
	By, Reason string
}

// ApprovalDesk keeps questions and waits for answers.
type ApprovalDesk interface {
	// Ask stores the question once per handle.
	Ask(ctx context.Context, gate Gate) (Asked, error)
	// Await returns when somebody has decided or time is up.
	Await(ctx context.Context, id string) (Verdict, error)
}

const (
	defaultApprovalTimeout = 24 * time.Hour
	longestApproval        = 365 * 24 * time.Hour
)

// NewApproval makes the type whose put waits until a person approves.
func NewApproval(desk ApprovalDesk) Type { return approvalType{desk} }

type approvalType struct{ desk ApprovalDesk }

// ResumesPut tells the engine that Put runs no container and finds its question again.
func (approvalType) ResumesPut() bool { return true }

// Check echoes the version it is given: only puts make versions.
func (t approvalType) Check(_ context.Context, req Request) ([]Version, error) {
	return echo(req.Version), nil
}

// Get writes the version as a file: there is nothing to fetch.
func (t approvalType) Get(ctx context.Context, req Request) (Result, error) {
	return getVersionFile(ctx, req)
}

// gate reads params, each of which the source may have as a default.
func gate(req Request) (Gate, error) {
	merged := map[string]any{}
	for _, from := range []map[string]any{req.Source, req.Params} {
		for key, value := range from {
			merged[key] = value
		}
	}
	f := &fields{where: "params", values: merged}
	f.only("approvers", "reason_required", "timeout")
	g := Gate{Handle: req.Container, Approvers: f.texts("approvers"), ReasonRequired: f.boolean("reason_required"), Timeout: defaultApprovalTimeout}
	if slices.Contains(g.Approvers, "") {
		f.fail("approvers", "has an empty name. Remove it.")
	}
	if text := f.text("timeout"); text != "" {
		var err error
		if g.Timeout, err = time.ParseDuration(text); err != nil || g.Timeout <= 0 || g.Timeout > longestApproval {
			f.fail("timeout", fmt.Sprintf("%q is not a duration of up to a year. Write it like 30m or 24h.", text))
		}
	}
	for _, pair := range req.Env {
		if id, ok := strings.CutPrefix(pair, "BUILD_ID="); ok {
			g.Build, _ = strconv.ParseInt(id, 10, 64)
		}
	}
	if f.err == nil && g.Build == 0 {
		return g, errors.New("an approval is asked for in builds only")
	}
	return g, f.err
}

// Put asks and waits. A rejection fails the step; who decided and why is in the log.
func (t approvalType) Put(ctx context.Context, req Request) (Result, error) {
	g, err := gate(req)
	if err != nil {
		return Result{}, err
	}
	asked, err := t.desk.Ask(ctx, g)
	if err != nil {
		return Result{}, err
	}
	// Said in every run: what the log of an earlier run has already is left out of it.
	who := "anybody who may run jobs"
	if len(g.Approvers) > 0 {
		who = strings.Join(g.Approvers, ", ")
	}
	if _, err := fmt.Fprintf(req.Log, "waiting for approval by %s, until %s\n", who, asked.ExpiresAt.UTC().Format(time.RFC1123)); err != nil {
		return Result{}, err
	}
	verdict, err := t.desk.Await(ctx, asked.ID)
	if err != nil {
		return Result{}, err
	}
	words := verdict.words()
	if _, err := io.WriteString(req.Log, words+"\n"); err != nil {
		return Result{}, err
	}
	if !verdict.Approved {
		return Result{}, &ExitError{Script: "out", Status: 1, Stderr: words}
	}
	return Result{Version: Version{"approval": asked.ID}, Metadata: []Field{{Name: "approver", Value: verdict.By}, {Name: "reason", Value: verdict.Reason}}}, nil
}

func (v Verdict) words() string {
	words := "rejected"
	switch {
	case v.Approved:
		words = "approved by " + v.By
	case v.By != "":
		words = "rejected by " + v.By
	}
	if v.Reason != "" {
		words += ": " + v.Reason
	}
	return words
}
