package resource

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/runtime/worker"
)

// The containers of these tests are real ones; the test binary supervises them as the
// server's own program does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worker.SupervisorCommand {
		os.Exit(worker.SupervisorMain(os.Args[2:]))
	}
	os.Exit(m.Run())
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

var ids atomic.Int64

func newID() string { return fmt.Sprintf("%032x", ids.Add(1)) }

// realWorker starts containers on this machine.
func realWorker(t testing.TB, outbound ...string) *worker.Worker {
	t.Helper()
	w, err := worker.New(worker.Options{
		Root: t.TempDir(), Name: "test", HostImage: true, Self: "/proc/self/exe", AllowOutbound: outbound,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// request is a call with what a test wants to look at afterwards.
type request struct {
	Request
	log *bytes.Buffer
}

func newRequest(executor runtime.Executor, source, params map[string]any) request {
	log := &bytes.Buffer{}
	return request{log: log, Request: Request{
		Executor: executor, Container: runtime.ContainerID(newID()), Dest: runtime.VolumeID(newID()),
		Source: source, Params: params, Log: log,
	}}
}

// done removes the container, as the caller of a type must.
func (r request) done(t testing.TB) {
	t.Helper()
	if err := r.Executor.Remove(context.WithoutCancel(t.Context()), r.Container); err != nil {
		t.Error(err)
	}
}

func exported(t testing.TB, executor runtime.Executor, id runtime.VolumeID) map[string]string {
	t.Helper()
	var data bytes.Buffer
	if err := executor.ExportVolume(t.Context(), id, ".", &data); err != nil {
		t.Fatal(err)
	}
	plain, err := gzip.NewReader(&data)
	if err != nil {
		t.Fatal(err)
	}
	files, err := untar(plain)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// untar maps names to contents, folders to "/" and links to "-> target".
func untar(r io.Reader) (map[string]string, error) {
	files := map[string]string{}
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(strings.TrimSuffix(h.Name, "/"), "./")
		data, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		switch h.Typeflag {
		case tar.TypeDir:
			files[name] = "/"
		case tar.TypeReg:
			files[name] = string(data)
		default:
			files[name] = "-> " + h.Linkname
		}
	}
}

func versions(list []Version) string {
	var out []string
	for _, v := range list {
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+"="+v[k])
		}
		out = append(out, strings.Join(parts, ","))
	}
	return strings.Join(out, " ")
}

// shelf is an executor of volumes in memory, and of one scripted process: what the
// protocol itself needs, without a machine.
type shelf struct {
	runtime.Executor
	mu      sync.Mutex
	volumes map[runtime.VolumeID][]byte // uncompressed archives
	started map[runtime.ContainerID]runtime.Spec
	starts  int
	frames  []runtime.Frame
	exit    runtime.Exit
}

func newShelf() *shelf {
	return &shelf{volumes: map[runtime.VolumeID][]byte{}, started: map[runtime.ContainerID]runtime.Spec{}}
}

func (s *shelf) RemoveVolume(_ context.Context, id runtime.VolumeID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.volumes, id)
	return nil
}

func (s *shelf) ImportVolume(_ context.Context, id runtime.VolumeID, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if _, err := untar(bytes.NewReader(data)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.volumes[id] = data
	return nil
}

func (s *shelf) ExportVolume(_ context.Context, id runtime.VolumeID, path string, w io.Writer) error {
	s.mu.Lock()
	data, ok := s.volumes[id]
	s.mu.Unlock()
	if !ok {
		return runtime.ErrGone
	}
	zip := gzip.NewWriter(w)
	if path != "." {
		files, err := untar(bytes.NewReader(data))
		if err != nil {
			return err
		}
		var only bytes.Buffer
		out := tar.NewWriter(&only)
		if err := errors.Join(addFile(out, path, []byte(files[path])), out.Close()); err != nil {
			return err
		}
		data = only.Bytes()
	}
	_, err := zip.Write(data)
	return errors.Join(err, zip.Close())
}

func (s *shelf) ReadFile(_ context.Context, id runtime.VolumeID, path string, _ int64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	files, err := untar(bytes.NewReader(s.volumes[id]))
	if err != nil {
		return nil, err
	}
	data, ok := files[path]
	if !ok {
		return nil, os.ErrNotExist
	}
	return []byte(data), nil
}

func (s *shelf) Start(_ context.Context, spec runtime.Spec) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts++
	s.started[spec.ID] = spec
	return nil
}

func (s *shelf) Attach(_ context.Context, id runtime.ContainerID) (runtime.Process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.started[id]; !ok {
		return nil, runtime.ErrGone
	}
	return scripted{s}, nil
}

type scripted struct{ *shelf }

func (p scripted) Follow(_ context.Context, from int64, fn func(runtime.Frame) error) (runtime.Exit, error) {
	for _, f := range p.frames[from:] {
		if err := fn(f); err != nil {
			return runtime.Exit{}, err
		}
	}
	return p.exit, nil
}

func (scripted) Stop(context.Context, time.Duration) error { return nil }

func (s *shelf) says(stdout, stderr string, status int) {
	s.frames = []runtime.Frame{{Stream: runtime.Stderr, Data: []byte(stderr)}, {Stream: runtime.Stdout, Data: []byte(stdout)}}
	s.exit = runtime.Exit{Status: status}
}

func writeBlob(t *testing.T, path string, from io.ReadCloser) {
	t.Helper()
	data, err := io.ReadAll(from)
	if err = errors.Join(err, from.Close(), os.WriteFile(path, data, 0o600)); err != nil {
		t.Fatal(err)
	}
}
