package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
)

// Ledger is where the engine keeps what must outlive the process. Each method is one
// transaction: when it returns nil, what it was told survives a power cut.
//
// An error of the ledger does not fail the build. Run leaves the containers as they
// are and returns the error; the caller runs the build again later, from the rows.
//
// All methods are safe for concurrent use (steps run in parallel) and idempotent:
// after a crash the engine may tell the same thing once more.
type Ledger interface {
	StepLedger
	VersionLedger
	CacheLedger
	ArtifactLedger
}

// StepLedger keeps the rows of a build's steps.
type StepLedger interface {
	// Steps returns all rows of a build in any order; none for a build that never ran.
	Steps(ctx context.Context, build int64) ([]StepRecord, error)
	// SaveStep inserts or wholly replaces the row with the key (BuildID, PlanID).
	SaveStep(ctx context.Context, step StepRecord) error
}

// VersionLedger keeps what checks, gets and puts learn about versions.
type VersionLedger interface {
	// LastCheck returns what is known about the target; the zero LastCheck when it was
	// never checked.
	LastCheck(ctx context.Context, target CheckTarget) (LastCheck, error)
	// CheckStarted notes the time and the build for the target, before the check runs.
	CheckStarted(ctx context.Context, target CheckTarget, at time.Time) error
	// CheckEnded stores the versions (oldest first, see CheckResult), notes time and
	// error, and requests scheduling of the jobs concerned. It is the place that finds
	// out which versions are new.
	CheckEnded(ctx context.Context, target CheckTarget, result CheckResult) error
	// SaveOutput stores the version that a put created as a version of the resource (if
	// it is not known yet) and as an output of the build.
	SaveOutput(ctx context.Context, output Output) error
	// SaveMetadata replaces the metadata of one version of a pipeline's resource after a
	// get; a version or a resource that is not known (any more) is not an error.
	SaveMetadata(ctx context.Context, build Build, resourceName string, result resource.Result) error
}

// CacheLedger keeps volumes that other builds may use again.
type CacheLedger interface {
	// UseCache finds the volume of a fetched version and notes in the same transaction
	// that the build uses it, so that the collector leaves it alone until the build has
	// ended. False when there is none.
	UseCache(ctx context.Context, build int64, key CacheKey) (ResourceCache, bool, error)
	// SaveCache notes that a volume holds what the key says, used by the build. If the key
	// has another volume already, that one stays and this one remains the build's own:
	// Kept does not name it, so Release removes it.
	SaveCache(ctx context.Context, build int64, cache ResourceCache) error
	// ForgetCache removes the row of a cache whose volume the executor does not have.
	ForgetCache(ctx context.Context, key CacheKey, volume runtime.VolumeID) error

	// ClaimTaskCache finds the volume of a task cache that has not expired. If no running
	// build holds it, the build holds it from now on (Busy false), until the build ends
	// or SaveTaskCache. If another running build holds it, Busy is true: the engine
	// then works on a copy. Claiming twice for the same build and plan gives the same answer.
	ClaimTaskCache(ctx context.Context, build int64, key TaskCacheKey) (TaskCache, bool, error)
	// SaveTaskCache makes the volume the one of that cache (the last one wins) and gives
	// up the build's claim. A ttl of 0 never expires. A volume that was replaced is the
	// collector's once no running build names it in a step row.
	SaveTaskCache(ctx context.Context, build int64, key TaskCacheKey, volume runtime.VolumeID, ttl time.Duration) error

	// Kept returns those of the volumes that Release must not remove: they belong to a
	// resource cache, a task cache or an artifact, whatever build made them, or a build that
	// has not ended got them from UseCache (the cache itself may have been cleared since).
	Kept(ctx context.Context, volumes []runtime.VolumeID) ([]runtime.VolumeID, error)
}

// ArtifactLedger keeps what `fly execute` uploads and downloads.
type ArtifactLedger interface {
	// Artifact returns the volume of an uploaded artifact that the team owns; false when
	// there is none.
	Artifact(ctx context.Context, team int64, id int64) (runtime.VolumeID, bool, error)
	// SaveArtifact makes the volume an artifact of the build; once per (build, name).
	SaveArtifact(ctx context.Context, build int64, name string, volume runtime.VolumeID) error
}

// Kind is what sort of step a row describes. For those with containers it is also the
// word fly uses (`fly intercept`, `fly containers`).
type Kind string

// The kinds of steps that have rows. Composite steps and hooks have none: they follow
// from the rows below them. Timeouts have one because their clock must not begin anew.
const (
	KindGet            Kind = "get"
	KindPut            Kind = "put"
	KindTask           Kind = "task"
	KindCheck          Kind = "check"
	KindRun            Kind = "run"
	KindSetPipeline    Kind = "set_pipeline"
	KindLoadVar        Kind = "load_var"
	KindAcross         Kind = "across"
	KindTimeout        Kind = "timeout"
	KindArtifactInput  Kind = "artifact_input"
	KindArtifactOutput Kind = "artifact_output"
)

// State says how far a step has come.
type State string

// The states of a row, in order.
const (
	// StateStarting: handles are chosen, nothing has been done with them that could not
	// be done again.
	StateStarting State = "starting"
	// StateRunning: side effects may have begun.
	StateRunning State = "running"
	// StateEnded: Outcome holds; the row does not change any more.
	StateEnded State = "ended"
)

// Outcome is how a step or a build ended. The words are those of build statuses.
type Outcome string

// The four ways to end.
const (
	Succeeded Outcome = "succeeded"
	Failed    Outcome = "failed"
	Errored   Outcome = "errored"
	Aborted   Outcome = "aborted"
)

// StepRecord is the row of one step. Keys: (BuildID, PlanID). Containers and volumes
// pages, `fly intercept` and garbage collection read these rows.
type StepRecord struct {
	BuildID int64
	// PlanID is unique in the build. Image fetches and sub-plans of across have ids with
	// slashes: "5/image-get", "7/0/1".
	PlanID string
	Kind   Kind
	Name   string
	// Attempt is "" or the path of attempts as fly shows it: "2", or "1.2" when nested.
	Attempt string
	// Resource is the pipeline's resource of a get, put or check; empty otherwise.
	Resource string

	State   State
	Outcome Outcome // "" until StateEnded

	// Container is the container's handle, "" for steps without one. It may name a
	// container that was never started.
	Container runtime.ContainerID
	// Dir and User are what a hijacked shell should begin with; User may be "".
	Dir  string
	User string
	// Volumes are all volumes that this step made or uses.
	Volumes []StepVolume

	// Restarts counts how often the step was begun again in a new container because the
	// one before was lost with the server.
	Restarts int

	// ExitStatus is nil when no process ended by itself.
	ExitStatus *int
	// Result depends on Kind and is opaque to the ledger. It never holds a secret.
	Result json.RawMessage
	// Message is the sentence of an errored step (redacted) or the reason of a failed one.
	Message string

	StartedAt time.Time
	EndedAt   time.Time // zero until StateEnded
}

// Role says what a volume is to a step.
type Role string

// The roles of volumes.
const (
	// RoleOutput: made for this step; an artifact of the build afterwards.
	RoleOutput Role = "output"
	// RoleInput: mounted copy-on-write; made by another step.
	RoleInput Role = "input"
	// RoleTaskCache: mounted for writing, saved with SaveTaskCache at the end.
	RoleTaskCache Role = "task-cache"
	// RoleResource: what a get fetched (a resource cache once it succeeded).
	RoleResource Role = "resource"
	// RoleImage: the image that the step ran in.
	RoleImage Role = "image"
)

// StepVolume is one volume of a step.
type StepVolume struct {
	ID   runtime.VolumeID `json:"id"`
	Role Role             `json:"role"`
	// Name is the artifact's name in the build, or a cache's path.
	Name string `json:"name"`
	// Path is where it is mounted, "" when it is not.
	Path string `json:"path,omitempty"`
	// Made tells that this step created the volume: Release removes only such ones.
	Made bool `json:"made,omitempty"`
	// TTL is how long a task cache is good for; 0 is for ever.
	TTL time.Duration `json:"ttl,omitempty"`
}

// CheckTarget says what is checked. Exactly one of Resource, ResourceType and Prototype
// is set for the pipeline's own; none for the image_resource of a task.
type CheckTarget struct {
	Build        Build
	PlanID       string
	Name         string
	Resource     string
	ResourceType string
	Prototype    string
	Type         string
	// Config identifies type, interpolated source and the images of custom types: 64 hex
	// digits. Targets with the same Config have the same versions.
	Config string
}

// LastCheck is what is known about a target before it is checked (again).
type LastCheck struct {
	// Started and Ended are zero when never.
	Started time.Time
	Ended   time.Time
	// Succeeded tells that the check which ended last found no error.
	Succeeded bool
	// Latest is the newest version known (by check order, whether enabled or not), nil when none.
	Latest resource.Version
}

// CheckResult is the end of a check.
type CheckResult struct {
	At time.Time
	// Versions are oldest first and include the version that was checked from when it is
	// still valid. Empty with a nil Error means: nothing new.
	Versions []resource.Version
	// Metadata is that of the version in the same place, where a type knows some.
	Metadata [][]resource.Field
	// Error is the sentence for people, redacted; "" when the check succeeded.
	Error string
}

// Output is a version that a put created.
type Output struct {
	Build    Build
	PlanID   string
	Name     string // of the step
	Resource string
	Config   string // as in CheckTarget
	Result   resource.Result
}

// CacheKey identifies a fetched version: 64 hex digits over the base type, the images
// of custom types, interpolated source and params, and version.
type CacheKey string

// ResourceCache is a volume that holds a fetched version.
type ResourceCache struct {
	Key    CacheKey
	Volume runtime.VolumeID
	// Type and the version and metadata in Result are for pages and `fly clear-resource-cache`.
	Type   string
	Result resource.Result
	// Resource is the pipeline's resource it was first fetched for, "" for images.
	Resource string
	Build    Build
}

// TaskCacheKey identifies a task's cache. Builds without a job have no caches.
type TaskCacheKey struct {
	JobID int64
	Step  string
	Path  string
}

// TaskCache is the answer of ClaimTaskCache.
type TaskCache struct {
	Volume runtime.VolumeID
	Busy   bool
}
