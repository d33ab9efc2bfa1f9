package worker

import (
	"path/filepath"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/runtime/worker/network"
)

// engine is the program that builds the isolation.
type engine string

const (
	engineRunc   engine = "runc"
	engineBwrap  engine = "bwrap"
	noEngine     engine = ""
	firstHostUID        = 100000
	hostUIDs            = 65536
)

// launch is all that a supervisor needs to know. It is handed over on its standard
// input and never written to disk: environment, files and stdin hold secrets.
type launch struct {
	ID     string
	Dir    string // the container's own folder
	Engine engine
	// Program is the absolute path of runc or bwrap.
	Program string
	// Rootless: the server is not root; the supervisor is root of its own user
	// namespace with one id.
	Rootless bool
	// Lower is the read-only root file system.
	Lower  string
	Mounts []mount
	Files  []runtime.File
	Args   []string
	Env    []string
	Cwd    string
	User   identity
	TTY    bool
	Stdin  []byte
	Limits runtime.Limits

	Privileged bool
	Network    network.Plan
	CgroupPath string
	CgroupV2   bool
	MaxOutput  int64

	// Layers is where the writable layers are, when not in Dir.
	Layers string
	// Hold makes the container without running anything in it, for sessions.
	Hold bool
}

// identity is a user of the image in numbers.
type identity struct {
	UID, GID uint32
	Groups   []uint32
}

// mount is a folder of this machine put into the container.
type mount struct {
	Source   string
	Path     string
	Copy     bool
	ReadOnly bool
}

// The files in a container's folder. started and exit decide its state; lock is
// held by its supervisor for as long as that lives and contains its process id.
const (
	fileOutput  = "output"
	fileStarted = "started"
	fileExit    = "exit"
	fileSpare   = "exit.spare"
	fileLock    = "lock"
	fileStop    = "stop"
	fileInit    = "init"
	folderUpper = "upper"
	folderState = "state"
	folderMount = "mnt"
	// fileSpec is the container's runtime.Spec without secrets, folderShell what
	// holds the container open for sessions after its end.
	fileSpec    = "spec"
	folderShell = "shell"
)

// layers is the folder of the writable layers.
func (l launch) layers() string {
	if l.Layers != "" {
		return l.Layers
	}
	return l.path(folderUpper)
}

func (l launch) path(name string) string { return filepath.Join(l.Dir, name) }

// started is what the supervisor notes about the container's first process.
type started struct {
	PID   int
	Birth string // so that another process of that number is not mistaken for it
}

// exitFile is what is left of an ended container.
type exitFile struct {
	Status int
	Reason string
}
