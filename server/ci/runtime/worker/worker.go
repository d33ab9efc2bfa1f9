package worker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/runtime/worker/image"
	"github.com/signalbox/signalbox/server/ci/runtime/worker/network"
)

// Options say how a worker is to be.
type Options struct {
	// Root is the worker's part of the data folder.
	Root string
	Name string
	// HostImage allows the built-in image.
	HostImage bool
	// AllowOutbound lists what containers may reach although it is this machine,
	// link-local or in DenyOutbound: "host:port", an address, or a network. An entry
	// on loopback (127.0.0.1:5000) is reached from inside by the same address, and by
	// the name host.signalbox.internal.
	AllowOutbound []string
	// DenyOutbound are further addresses of the server that are not on this machine's
	// interfaces, such as its public address behind a router.
	DenyOutbound []netip.Prefix
	// Self is the path of this program, for its subcommand SupervisorCommand.
	Self string
	// MaxContainers bounds how many run at once; Start waits for a place. 0 is 32.
	MaxContainers int
	// MaxImport bounds the bytes of a volume made from a tar stream, 0 is 20 GB;
	// MaxOutput what a container may print, 0 is 4 GB.
	MaxImport, MaxOutput int64
	// DiskLimit is how much of the disk may be used before new containers should wait.
	DiskLimit DiskLimit
	// Limits are those of containers that name none.
	Limits runtime.Limits
	// Prefer names the only engine to use, "runc" or "bwrap"; empty takes the best there is.
	Prefer string
	Logger *slog.Logger
	Now    func() time.Time
}

// Worker is the executor of this machine.
type Worker struct {
	opts     Options
	log      *slog.Logger
	engine   engine
	program  string
	rootless bool
	cgroup2  bool
	host     image.View
	places   chan struct{}
	changes  *changes

	mu      sync.Mutex
	net     network.Setup
	busy    map[runtime.ContainerID]chan struct{} // ids that a call works on; closed when it is done
	envs    map[runtime.ContainerID][]string      // environments of containers that this process started
	shells  map[runtime.ContainerID]*revival      // ended containers that sessions are in
	sizes   map[runtime.VolumeID]measured
	probed  time.Time
	refusal error // the last answer of the probe
}

var _ runtime.Executor = (*Worker)(nil)

var folders = []string{"volumes", "containers", "incoming", "trash", "host"}

// New makes the worker of this machine. It does not fail when containers cannot be
// started: Ready tells that, and Start refuses.
func New(o Options) (*Worker, error) {
	if o.Root == "" || o.Self == "" || o.Logger == nil || o.Now == nil {
		return nil, errors.New("a worker needs Root, Self, Logger and Now")
	}
	root, err := filepath.Abs(o.Root)
	if err != nil {
		return nil, err
	}
	o.Root = root
	if o.MaxContainers <= 0 {
		o.MaxContainers = 32
	}
	if o.MaxImport <= 0 {
		o.MaxImport = 20 << 30
	}
	if o.MaxOutput <= 0 {
		o.MaxOutput = 4 << 30
	}
	w := &Worker{
		opts: o, log: o.Logger, rootless: os.Geteuid() != 0, cgroup2: unifiedCgroups(),
		places: make(chan struct{}, o.MaxContainers), busy: map[runtime.ContainerID]chan struct{}{},
		envs: map[runtime.ContainerID][]string{}, shells: map[runtime.ContainerID]*revival{},
		sizes: map[runtime.VolumeID]measured{},
	}
	for _, f := range folders {
		if err := os.MkdirAll(w.path(f), 0o700); err != nil {
			return nil, fmt.Errorf("make the worker's folders: %w", err)
		}
	}
	if !w.rootless {
		// The folder in it stays empty: runc exec begins in the path that a container's
		// root has for its supervisor, before it enters the container.
		if err := os.MkdirAll(filepath.Join(mountBase, "root"), 0o711); err != nil {
			return nil, err
		}
	}
	w.findEngine()
	if err := w.prepareHost(); err != nil {
		return nil, err
	}
	if err := w.prepareNetwork(); err != nil {
		return nil, err
	}
	if w.changes, err = watchChanges(); err != nil {
		return nil, fmt.Errorf("watch the containers' folders: %w", err)
	}
	return w, w.adopt()
}

func (w *Worker) path(parts ...string) string {
	return filepath.Join(append([]string{w.opts.Root}, parts...)...)
}

// Name is the worker's name.
func (w *Worker) Name() string { return w.opts.Name }

// Close ends what New began. Containers go on; when there are none, the network
// rules are taken away.
func (w *Worker) Close() error {
	err := w.changes.close()
	if w.anyRunning() {
		return err
	}
	return errors.Join(err, w.setup().Unload())
}

// findEngine picks the program that isolates: runc needs root.
func (w *Worker) findEngine() {
	may := func(e engine) bool { return w.opts.Prefer == "" || w.opts.Prefer == string(e) }
	if p := network.Find("runc"); p != "" && !w.rootless && may(engineRunc) {
		w.engine, w.program = engineRunc, p
		return
	}
	if p := network.Find("bwrap"); p != "" && may(engineBwrap) {
		w.engine, w.program = engineBwrap, p
		w.log.Warn("containers run through bubblewrap: no system call filter and no memory, cpu or process limits", "root", !w.rootless)
	}
}

func (w *Worker) prepareHost() error {
	if w.opts.HostImage && !image.Hides(w.opts.Root) {
		return fmt.Errorf("the data folder %s would be visible to builds on the host image: move it out of /usr or set ci.host_image to false", w.opts.Root)
	}
	var err error
	// A new one each time: containers of an earlier server still stand on theirs.
	w.host, err = image.Host(w.path("host", rand.Text()), w.owner())
	if err != nil {
		return fmt.Errorf("make the image host: %w", err)
	}
	return nil
}

func (w *Worker) prepareNetwork() error {
	if w.engine == noEngine {
		return nil
	}
	sum := sha256.Sum256([]byte(w.opts.Root))
	var err error
	w.net, err = network.Prepare(network.Options{
		Key: hex.EncodeToString(sum[:4]), Rootless: w.rootless, Allow: w.opts.AllowOutbound, Deny: w.opts.DenyOutbound,
	})
	if err == nil && w.net.Reason != "" {
		w.log.Warn(w.net.Reason)
	}
	return err
}

func (w *Worker) setup() network.Setup {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.net
}

// owner is the id on disk of what is root's inside.
func (w *Worker) owner() int { return launch{Rootless: w.rootless}.owner() }

// probeEvery is how long an answer of Ready holds.
const probeEvery = 30 * time.Second

// Ready runs an empty container now and then to see that it works.
func (w *Worker) Ready(ctx context.Context) error {
	if w.engine == noEngine {
		return w.noEngine()
	}
	w.mu.Lock()
	fresh := !w.probed.IsZero() && w.opts.Now().Sub(w.probed) < probeEvery
	err := w.refusal
	w.mu.Unlock()
	if fresh {
		return err
	}
	err = w.probe(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s := w.setup(); !s.Loaded() {
		w.log.Warn("the network rules of containers were gone and are loaded again")
		err = errors.Join(err, s.Load())
	}
	w.mu.Lock()
	w.probed, w.refusal = w.opts.Now(), err
	w.mu.Unlock()
	return err
}

func (w *Worker) noEngine() error {
	if w.rootless {
		return errors.New("Containers cannot be started: this server does not run as root and bubblewrap is missing (apt install bubblewrap slirp4netns nftables).") //nolint:staticcheck // a sentence for the user
	}
	return errors.New("Containers cannot be started: neither runc nor bubblewrap is installed (apt install runc nftables, or apt install bubblewrap).") //nolint:staticcheck // a sentence for the user
}

// Network is "" when containers have a network, and otherwise says why not.
func (w *Worker) Network() string { return w.setup().Reason }

// Engine names the program that isolates: "runc", "bwrap" or "".
func (w *Worker) Engine() string { return string(w.engine) }

func (w *Worker) supervisor() *exec.Cmd { return exec.Command(w.opts.Self, SupervisorCommand) }
