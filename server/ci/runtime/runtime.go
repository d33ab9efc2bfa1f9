// Package runtime is the boundary between the build engine and whatever runs
// its containers. The engine knows only the types here; the built-in executor
// is the child package worker, and another one (Kubernetes) can stand beside it
// without the engine noticing.
//
// Handles (container and volume ids) are chosen by the caller and recorded by it
// before the call, so that a server that dies in between finds them again.
package runtime

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrGone says that a container or volume is not known to the executor (any more).
var ErrGone = errors.New("no such container or volume")

// VolumeID names a directory tree kept by an executor: 32 lower-case hex digits.
type VolumeID string

// ContainerID names a container: 32 lower-case hex digits.
type ContainerID string

// Executor runs containers and keeps volumes. All methods are safe for concurrent
// use and idempotent by id: creating what exists and removing what is gone succeed.
type Executor interface {
	// Name is the worker's name as rows, pages and fly show it.
	Name() string
	// Ready is nil when containers can be started. The error is a sentence for the
	// user that says what is missing and how to get it.
	Ready(ctx context.Context) error

	// CreateVolume makes an empty volume.
	CreateVolume(ctx context.Context, id VolumeID) error
	// ImportVolume makes a volume from a tar stream (plain or gzip); all or nothing:
	// after an error the volume does not exist.
	ImportVolume(ctx context.Context, id VolumeID, tar io.Reader) error
	// ExportVolume writes the tree below path ("." for all) as a gzip tar stream.
	ExportVolume(ctx context.Context, id VolumeID, path string, w io.Writer) error
	// ReadFile returns at most max bytes of one regular file; fs.ErrNotExist when it
	// is missing. Symbolic links that leave the volume are refused.
	ReadFile(ctx context.Context, id VolumeID, path string, max int64) ([]byte, error)
	// CloneVolume makes the volume to with a copy of what is in from, all or nothing;
	// later changes of one do not show in the other. An existing to stays as it is.
	CloneVolume(ctx context.Context, from, to VolumeID) error
	// RemoveVolume deletes the tree.
	RemoveVolume(ctx context.Context, id VolumeID) error
	// Volumes lists what is on disk, for garbage collection and the volumes page.
	Volumes(ctx context.Context) ([]VolumeInfo, error)

	// Start starts a container and returns once it exists; a container of that id
	// that was started before (even one that has ended) is left as it is.
	// The container outlives this process.
	Start(ctx context.Context, spec Spec) error
	// Attach returns the process of a started container, also after a restart of
	// the server and after the process ended; ErrGone when there is none.
	Attach(ctx context.Context, id ContainerID) (Process, error)
	// Exec starts another process in a container, also in one whose main process has
	// ended: that gets its root, mounts and volumes back for as long as sessions last.
	// ErrGone when there is no such container, ErrNoProgram when it has no such program.
	// The context ends only the start.
	Exec(ctx context.Context, id ContainerID, spec ExecSpec) (Session, error)
	// Remove kills what still runs and deletes the container's scratch space.
	Remove(ctx context.Context, id ContainerID) error
	// Containers lists the containers that exist.
	Containers(ctx context.Context) ([]ContainerInfo, error)
}

// VolumeInfo describes a volume on disk.
type VolumeInfo struct {
	ID      VolumeID
	Created time.Time
	Bytes   int64 // -1 when not measured
}

// Disk is how full the file system is that an executor keeps its volumes on, in bytes.
type Disk struct {
	Used int64
	// Limit is how much may be used before new containers wait.
	Limit int64
	// Size is what there is for us.
	Size int64
}

// ContainerInfo describes a container.
type ContainerInfo struct {
	ID      ContainerID
	Created time.Time
	Running bool
}

// Spec says what a container is.
type Spec struct {
	ID     ContainerID
	Image  Image
	Mounts []Mount
	// Files are written into the container's own root before it starts: small
	// things such as keys, never on a volume.
	Files []File
	Args  []string
	// Dir is the working directory, created when missing.
	Dir string
	// Env is added to the image's environment, "K=V".
	Env []string
	// User is a name or uid known in the image; empty means the image's, then root.
	User string
	// TTY gives the process a pseudo terminal of 500 columns and 500 rows; stderr is then part of stdout.
	TTY bool
	// Stdin is given to the process and then closed (not with TTY).
	Stdin []byte
	// Limits of zero are the executor's defaults.
	Limits Limits
	// Privileged keeps all capabilities inside the user namespace's rules of the
	// executor; callers must have checked that an administrator allows it.
	Privileged bool
	// Hermetic gives the container no network at all.
	Hermetic bool
}

// Image is where a container's root comes from. The zero Image is invalid.
type Image struct {
	// Host is the built-in image: a read-only view of this machine's programs.
	Host bool
	// Volume holds an image artifact: rootfs/ and metadata.json
	// {"env":["K=V"],"user":"root","cmd":[],"entrypoint":[]}.
	Volume VolumeID
}

// Mount puts a volume, or a folder of this machine, into a container.
type Mount struct {
	Volume VolumeID
	// HostPath is used when Volume is empty; always read-only. Callers must have
	// checked it against the folders an administrator listed.
	HostPath string
	// Path is absolute inside the container.
	Path string
	// Copy mounts copy-on-write: the process may write, the volume stays as it is.
	Copy bool
	// ReadOnly mounts without write access.
	ReadOnly bool
}

// File is a small file in a container's own root.
type File struct {
	Path string
	Mode uint32
	Data []byte
}

// Limits bound a container.
type Limits struct {
	CPUShares   uint64
	MemoryBytes int64
	PIDs        int64
}

// Stream says which of its outputs a process wrote to; the words reach the wire.
type Stream string

// The two outputs of a process.
const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
)

// Frame is one piece of output as it was read from the process.
type Frame struct {
	Time   time.Time
	Stream Stream
	Data   []byte
}

// Exit is how a process ended.
type Exit struct {
	Status int
	// Reason is a sentence when the process did not end by itself: killed for
	// memory, or its supervisor died. Empty otherwise.
	Reason string
}

// Process is a started container's main process.
type Process interface {
	// Follow calls fn for each frame of output in order, beginning with the frame
	// number from (0 is the first), waits for more while the process runs, and
	// returns how it ended. An error of fn or the context ends following only.
	Follow(ctx context.Context, from int64, fn func(Frame) error) (Exit, error)
	// Stop asks the process to end (SIGTERM), and after grace kills everything in the container.
	Stop(ctx context.Context, grace time.Duration) error
}
