// Package resource speaks Concourse's resource protocol: it finds new versions
// (check), fetches one into a volume (get) and publishes (put). Some types are
// native, written here and needing no image; every other type is an image with
// /opt/resource/{check,in,out}.
package resource

import (
	"context"
	"fmt"
	"io"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// Version identifies one state of a resource; keys and values are the type's own.
type Version map[string]string

// Field is one line of metadata shown beside a version.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Result is what get and put report.
type Result struct {
	Version  Version `json:"version"`
	Metadata []Field `json:"metadata,omitempty"`
}

// Type is one resource type. Implementations keep no state between calls; what
// must outlive a call is in the request's container and volumes.
type Type interface {
	// Check lists versions from req.Version on (inclusive when still valid), oldest
	// first; only the newest when req.Version is nil.
	Check(ctx context.Context, req Request) ([]Version, error)
	// Get fills req.Dest with req.Version.
	Get(ctx context.Context, req Request) (Result, error)
	// Put publishes from req.Inputs.
	Put(ctx context.Context, req Request) (Result, error)
}

// Request carries everything a type may use. Values in Source and Params are
// already interpolated.
type Request struct {
	Executor runtime.Executor
	// Container is the handle to use if a container is needed, recorded by the
	// caller beforehand. If it already exists (the server was restarted), the type
	// attaches to it instead of starting anew.
	Container runtime.ContainerID
	// Image is the type's own image, for types that are images.
	Image  runtime.Image
	Source map[string]any
	Params map[string]any
	// Version is nil for a first check and for put.
	Version Version
	// Dest is an existing empty volume that Get fills; mounted at /tmp/build/get.
	Dest runtime.VolumeID
	// Inputs are mounted below /tmp/build/put for Put.
	Inputs []Input
	// Env is the BUILD_… metadata.
	Env []string
	// Log receives the human-readable output (stderr of a script), never nil.
	Log        io.Writer
	Privileged bool
}

// Input is an artifact given to a put step.
type Input struct {
	Name   string
	Volume runtime.VolumeID
}

// ExitError says that a type's script ran and failed: the step is failed, not errored.
type ExitError struct {
	Script string // "check", "in" or "out"
	Status int
	// Stderr is the end of what the script wrote, for places that show no log.
	Stderr string
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("resource script '/opt/resource/%s' failed: exit status %d\n\nstderr:\n%s", e.Script, e.Status, e.Stderr)
}
