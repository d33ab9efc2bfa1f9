package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// fakeExecutor keeps volumes and containers in memory. A container's arguments are a
// script, one operation each; the path of the task is ignored:
//
//	print TEXT       one frame of output
//	write PATH TEXT  a file below the container's working directory
//	read PATH        print a file, or say that it is missing
//	effect NAME      count a side effect
//	block            wait until the process is stopped or released
//	exit N
type fakeExecutor struct {
	mu         sync.Mutex
	volumes    map[runtime.VolumeID]map[string]string
	containers map[runtime.ContainerID]*fakeProcess
	effects    map[string]int
	started    []string // scripts in order
	specs      []runtime.Spec
	running    int
	most       int // that ran at once
	release    chan struct{}
	// onStart, if set, is told of each start.
	onStart func(runtime.Spec)
}

func newFakeExecutor() *fakeExecutor {
	return &fakeExecutor{
		volumes:    map[runtime.VolumeID]map[string]string{},
		containers: map[runtime.ContainerID]*fakeProcess{},
		effects:    map[string]int{},
		release:    make(chan struct{}),
	}
}

func (f *fakeExecutor) Name() string                { return "fake" }
func (f *fakeExecutor) Ready(context.Context) error { return nil }

func (f *fakeExecutor) CreateVolume(_ context.Context, id runtime.VolumeID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.volumes[id] == nil {
		f.volumes[id] = map[string]string{}
	}
	return nil
}

func (f *fakeExecutor) ImportVolume(_ context.Context, id runtime.VolumeID, tar io.Reader) error {
	var files map[string]string
	if err := json.NewDecoder(tar).Decode(&files); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.volumes[id] = files
	return nil
}

func (f *fakeExecutor) ExportVolume(_ context.Context, id runtime.VolumeID, _ string, w io.Writer) error {
	f.mu.Lock()
	files := maps.Clone(f.volumes[id])
	f.mu.Unlock()
	if files == nil {
		return runtime.ErrGone
	}
	return json.NewEncoder(w).Encode(files)
}

func (f *fakeExecutor) ReadFile(_ context.Context, id runtime.VolumeID, path string, _ int64) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	files, ok := f.volumes[id]
	if !ok {
		return nil, runtime.ErrGone
	}
	data, ok := files[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(data), nil
}

func (f *fakeExecutor) CloneVolume(_ context.Context, from, to runtime.VolumeID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	files, ok := f.volumes[from]
	if !ok {
		return runtime.ErrGone
	}
	f.volumes[to] = maps.Clone(files)
	return nil
}

func (f *fakeExecutor) Exec(context.Context, runtime.ContainerID, runtime.ExecSpec) (runtime.Session, error) {
	return nil, errors.New("the engine opens no sessions")
}

func (f *fakeExecutor) RemoveVolume(_ context.Context, id runtime.VolumeID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.volumes, id)
	return nil
}

func (f *fakeExecutor) Volumes(context.Context) ([]runtime.VolumeInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []runtime.VolumeInfo
	for id := range f.volumes {
		list = append(list, runtime.VolumeInfo{ID: id, Bytes: -1})
	}
	return list, nil
}

func (f *fakeExecutor) Containers(context.Context) ([]runtime.ContainerInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []runtime.ContainerInfo
	for id := range f.containers {
		list = append(list, runtime.ContainerInfo{ID: id})
	}
	return list, nil
}

func (f *fakeExecutor) Start(_ context.Context, spec runtime.Spec) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.containers[spec.ID] != nil {
		return nil
	}
	if !spec.Image.Host && f.volumes[spec.Image.Volume] == nil {
		return errors.New("the image is missing")
	}
	for _, mount := range spec.Mounts {
		if f.volumes[mount.Volume] == nil {
			return fmt.Errorf("volume %s is missing", mount.Volume)
		}
	}
	process := &fakeProcess{executor: f, spec: spec, stop: make(chan struct{}), changed: make(chan struct{})}
	f.containers[spec.ID] = process
	f.specs = append(f.specs, spec)
	f.started = append(f.started, strings.Join(spec.Args[1:], "; "))
	f.running++
	f.most = max(f.most, f.running)
	if f.onStart != nil {
		f.onStart(spec)
	}
	go process.run()
	return nil
}

func (f *fakeExecutor) Attach(_ context.Context, id runtime.ContainerID) (runtime.Process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	process := f.containers[id]
	if process == nil {
		return nil, runtime.ErrGone
	}
	return process, nil
}

func (f *fakeExecutor) Remove(_ context.Context, id runtime.ContainerID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.containers, id)
	return nil
}

func (f *fakeExecutor) effect(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.effects[name]++
}

func (f *fakeExecutor) count(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.effects[name]
}

// lose makes the executor forget all containers, as a reboot does.
func (f *fakeExecutor) lose() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.containers)
}

func (f *fakeExecutor) scripts() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.started)
}

// fakeProcess runs its script in a goroutine that outlives the engine.
type fakeProcess struct {
	executor *fakeExecutor
	spec     runtime.Spec
	stop     chan struct{}
	once     sync.Once

	mu      sync.Mutex
	frames  []runtime.Frame
	exit    *runtime.Exit
	changed chan struct{}
	stuck   bool // Stop fails and nothing ends
}

func (p *fakeProcess) run() {
	status := 0
	for _, operation := range p.spec.Args[1:] {
		verb, rest, _ := strings.Cut(operation, " ")
		switch verb {
		case "print":
			p.print(rest + "\r\n")
		case "raw":
			p.print(rest)
		case "write":
			p.write(rest)
		case "read":
			p.print(p.read(rest) + "\r\n")
		case "effect":
			p.executor.effect(rest)
		case "block":
			select {
			case <-p.stop:
				p.print("stopped\r\n")
				p.end(143)
				return
			case <-p.executor.release:
			}
		case "exit":
			status, _ = strconv.Atoi(rest)
		}
	}
	p.end(status)
}

func (p *fakeProcess) print(text string) {
	stream := runtime.Stderr
	if p.spec.TTY {
		stream = runtime.Stdout
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frames = append(p.frames, runtime.Frame{Time: time.Unix(1, 0), Stream: stream, Data: []byte(text)})
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *fakeProcess) end(status int) {
	p.executor.mu.Lock()
	p.executor.running--
	p.executor.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exit = &runtime.Exit{Status: status}
	close(p.changed)
	p.changed = make(chan struct{})
}

// volumeAt finds the volume in which a path of the container lies.
func (p *fakeProcess) volumeAt(path string) (runtime.VolumeID, string, bool) {
	if !strings.HasPrefix(path, "/") {
		path = p.spec.Dir + "/" + path
	}
	path = filepath.Clean(path)
	var best runtime.Mount
	for _, mount := range p.spec.Mounts {
		if strings.HasPrefix(path, mount.Path+"/") && len(mount.Path) >= len(best.Path) {
			best = mount
		}
	}
	return best.Volume, strings.TrimPrefix(path, best.Path+"/"), !best.Copy && best.Volume != ""
}

func (p *fakeProcess) write(rest string) {
	path, text, _ := strings.Cut(rest, " ")
	volume, file, ok := p.volumeAt(path)
	p.executor.mu.Lock()
	defer p.executor.mu.Unlock()
	if ok {
		p.executor.volumes[volume][file] = text
	}
}

func (p *fakeProcess) read(path string) string {
	volume, file, _ := p.volumeAt(path)
	p.executor.mu.Lock()
	defer p.executor.mu.Unlock()
	text, ok := p.executor.volumes[volume][file]
	if !ok {
		return "no " + path
	}
	return text
}

func (p *fakeProcess) Follow(ctx context.Context, from int64, fn func(runtime.Frame) error) (runtime.Exit, error) {
	for {
		p.mu.Lock()
		frames, exit, changed := p.frames[from:], p.exit, p.changed
		p.mu.Unlock()
		for _, frame := range frames {
			if err := fn(frame); err != nil {
				return runtime.Exit{}, err
			}
			from++
		}
		if exit != nil {
			return *exit, nil
		}
		select {
		case <-ctx.Done():
			return runtime.Exit{}, ctx.Err()
		case <-changed:
		}
	}
}

func (p *fakeProcess) Stop(context.Context, time.Duration) error {
	if p.stuck {
		return errors.New("nobody answers")
	}
	p.once.Do(func() { close(p.stop) })
	return nil
}

// output is all that the process printed.
func (p *fakeProcess) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b bytes.Buffer
	for _, frame := range p.frames {
		b.Write(frame.Data)
	}
	return b.String()
}
