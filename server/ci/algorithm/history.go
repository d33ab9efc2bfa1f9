package algorithm

import (
	"context"
	"math"
)

// History is what Resolve asks about the past of one job that wants to run.
// Identifiers are the caller's row numbers; 0 stands for none.
type History interface {
	// Latest gives the enabled version of the resource that is highest in check
	// order, or 0.
	Latest(ctx context.Context, resource int64) (version int64, err error)
	// LastUse tells what the job took of the resource, for `version: every`.
	LastUse(ctx context.Context, resource int64) (LastUse, error)
	// Taken reports whether a build of the job already had the version under
	// this input name.
	Taken(ctx context.Context, input string, resource, version int64) (bool, error)
	// Builds gives a page of succeeded builds.
	Builds(ctx context.Context, q Query) ([]Build, error)
}

// LastUse describes the version, highest in check order, that builds of the job
// took of a resource.
type LastUse struct {
	// Version is 0 while the job never ran with the resource.
	Version int64
	// Next is the oldest enabled version above Version in check order, or 0.
	Next int64
	// More says that another enabled version follows after Next.
	More bool
	// Fallback is the newest enabled version not above Version, or 0.
	Fallback int64
	// Passed holds, by job, the upstream builds that vouched for the newest
	// build that took Version.
	Passed map[int64]Order
}

// Order is the place of a build among the builds of its job. A rerun has the
// place of its original, after it and its earlier reruns.
type Order struct {
	Original int64 // the build's own id when it is not a rerun
	ID       int64
}

// Before reports whether o is older than other.
func (o Order) Before(other Order) bool {
	if o.Original != other.Original {
		return o.Original < other.Original
	}
	return o.ID < other.ID
}

// end is the place from which on builds are newer than o. Reruns of an original
// are not newer than it, although they come after it: they have its inputs.
func (o Order) end() Order {
	if o.ID == o.Original {
		return Order{Original: o.Original, ID: math.MaxInt64}
	}
	return o
}

// Output is a version that a build got or put.
type Output struct {
	Resource int64
	Version  int64
}

// Build is a succeeded build. Outputs lists what it put, then what it got,
// without versions that are disabled or no longer belong to their resource.
type Build struct {
	Order
	Outputs []Output
}

// Query selects a page of succeeded builds of one job.
type Query struct {
	Job int64
	// Has keeps only builds with all of these outputs.
	Has []Output
	// After and Before bound the place, both exclusive; zero is no bound.
	After, Before Order
	// OldestFirst turns the usual order, newest first, around.
	OldestFirst bool
	Limit       int
}
