package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/vars"
)

var (
	// ErrAborted as the cause of Run's context stops the build: containers are asked to
	// end, hooks run, and the outcome is Aborted.
	ErrAborted = errors.New("the build was aborted")
	// ErrDetached as the cause of Run's context (so does any other cause but ErrAborted)
	// leaves the build alone: containers run on, no outcome is recorded, and Run returns
	// an error that is ErrDetached. Run it again to go on.
	ErrDetached = errors.New("the server has stopped following the build")
)

// Deps is what an Engine works with. All functions are safe for concurrent use.
type Deps struct {
	Executor runtime.Executor
	// Native returns the server's own resource type of that name.
	Native func(typeName string) (resource.Type, bool)
	// Scripted runs the types that are images.
	Scripted resource.Type
	Ledger   Ledger
	Logs     *buildlog.Store
	Now      func() time.Time
	// NewID returns 32 random lower-case hex digits.
	NewID func() string
	// Vars returns where the build's ((vars)) come from: var sources by name, and the
	// team's secrets for references without a source. Local vars are the engine's.
	// Every value that it hands out is redacted in the log.
	Vars func(ctx context.Context, build Build) (vars.Lookup, error)
	// SetPipeline saves a pipeline for a set_pipeline step.
	SetPipeline func(ctx context.Context, request SetPipelineRequest) (SetPipelineResult, error)
	// ExternalURL has no slash at its end.
	ExternalURL string
	// HostImageAllowed and PrivilegedAllowed ask what an administrator decided for the
	// build's team.
	HostImageAllowed  func(ctx context.Context, build Build) bool
	PrivilegedAllowed func(ctx context.Context, build Build) bool
	// MaxContainers is how many containers may run at once; 0 is no limit. Steps beyond
	// it wait, which their log says.
	MaxContainers int
	// WorkerTags are the tags of the one worker there is; "*" stands for any.
	WorkerTags []string
	// Slots are the places of the worker; those of MaxContainers when nil.
	Slots  *Slots
	Logger *slog.Logger
}

// SetPipelineRequest is what a set_pipeline step asks for; all values are interpolated.
type SetPipelineRequest struct {
	Build Build
	// Team is "" for the build's own.
	Team         string
	Name         string
	InstanceVars pipeline.InstanceVars
	// Config is the file as it was found, and Vars what to replace in it, those of the
	// first element winning: instance vars, vars, then each file of var_files.
	Config []byte
	Vars   []map[string]any
}

// SetPipelineResult tells what became of it.
type SetPipelineResult struct {
	Changed bool
	// Output and Warnings are printed in the step's log (a diff; what Concourse says on
	// stderr). A line end is added where missing.
	Output   string
	Warnings []string
	// Invalid, when not empty, makes the step fail: messages about the configuration.
	Invalid []string
}

// Engine runs builds. One Engine serves all builds of the process.
type Engine struct {
	Deps
	slots  *Slots
	single *keyed
	// stopping is cancelled by Detach.
	stopping context.Context
	detach   context.CancelCauseFunc
}

// New makes an Engine. The context ends it like Detach; it carries nothing else.
func New(ctx context.Context, deps Deps) *Engine {
	deps.PrivilegedAllowed = onlyTrusted(deps.PrivilegedAllowed)
	if deps.Slots == nil {
		deps.Slots = NewSlots(deps.MaxContainers)
	}
	e := &Engine{Deps: deps, slots: deps.Slots, single: newKeyed()}
	e.stopping, e.detach = context.WithCancelCause(ctx)
	return e
}

// Detach makes every Run return ErrDetached soon, also those whose hooks run after an
// abort. Containers run on. It is how a server stops.
func (e *Engine) Detach() { e.detach(ErrDetached) }
