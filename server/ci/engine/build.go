package engine

import (
	"time"

	"github.com/signalbox/signalbox/server/ci/plan"
)

// Build is what the engine must know about a build. Ids are the integers that the
// Concourse API shows; 0 and "" stand for "has none" (one-off builds have no job,
// builds of `fly execute` no pipeline).
type Build struct {
	ID           int64
	Name         string
	TeamID       int64
	TeamName     string
	PipelineID   int64
	PipelineName string
	InstanceVars map[string]any
	JobID        int64
	JobName      string
	// CreatedBy is the user who started it by hand, "" otherwise.
	CreatedBy string
	// Manual is true for builds and checks that somebody asked for: image checks then
	// ignore their interval unless one began after CreatedAt.
	Manual    bool
	CreatedAt time.Time
	// Untrusted builds take a version that somebody outside of the team wrote, such as a
	// fork's pull request: see fork.go for what they may not do.
	Untrusted bool
	Plan      plan.Plan
}
