package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/runtime/worker/frame"
)

type process struct {
	w   *Worker
	id  runtime.ContainerID
	dir string
}

// Attach returns the process of a container that was started.
func (w *Worker) Attach(_ context.Context, id runtime.ContainerID) (runtime.Process, error) {
	if err := validID(string(id)); err != nil {
		return nil, err
	}
	dir := w.containerDir(id)
	if !exists(filepath.Join(dir, fileStarted)) {
		return nil, runtime.ErrGone
	}
	return &process{w: w, id: id, dir: dir}, nil
}

// lookAnyway is how often a follower looks without being told: the supervisor may
// have died, which nothing announces.
const lookAnyway = 500 * time.Millisecond

// Follow passes on the output from frame number from, and waits for the end.
func (p *process) Follow(ctx context.Context, from int64, fn func(runtime.Frame) error) (runtime.Exit, error) {
	f, err := os.Open(filepath.Join(p.dir, fileOutput))
	if errors.Is(err, os.ErrNotExist) {
		return runtime.Exit{}, runtime.ErrGone
	}
	if err != nil {
		return runtime.Exit{}, err
	}
	defer f.Close()
	changed, leave, err := p.w.changes.subscribe(p.dir)
	if errors.Is(err, os.ErrNotExist) {
		return runtime.Exit{}, runtime.ErrGone
	}
	if err != nil {
		return runtime.Exit{}, err
	}
	defer leave()
	anyway := time.NewTicker(lookAnyway)
	defer anyway.Stop()
	r := frame.NewReader(f)
	for number := int64(0); ; {
		// In this order: what was written before the end is read before it is told.
		exit, ended, err := p.exit()
		if err != nil {
			return runtime.Exit{}, err
		}
		dead := !ended && !supervised(p.dir)
		if number, err = pass(ctx, r, number, from, fn); err != nil {
			return runtime.Exit{}, err
		}
		switch {
		case ended:
			return exit, nil
		case dead:
			return p.orphaned(ctx)
		}
		select {
		case <-ctx.Done():
			return runtime.Exit{}, ctx.Err()
		case <-changed:
		case <-anyway.C:
		}
	}
}

// pass hands on all records that are there.
func pass(ctx context.Context, r *frame.Reader, number, from int64, fn func(runtime.Frame) error) (int64, error) {
	for {
		rec, ok, err := r.Next()
		if err != nil || !ok {
			return number, err
		}
		number++
		if number <= from {
			continue
		}
		if err := ctx.Err(); err != nil {
			return number, err
		}
		stream := runtime.Stdout
		if rec.Stream == frame.Stderr {
			stream = runtime.Stderr
		}
		if err := fn(runtime.Frame{Time: rec.Time, Stream: stream, Data: append([]byte(nil), rec.Data...)}); err != nil {
			return number, err
		}
	}
}

// exit reads how the container ended.
func (p *process) exit() (runtime.Exit, bool, error) {
	var e exitFile
	data, err := os.ReadFile(filepath.Join(p.dir, fileExit))
	if errors.Is(err, os.ErrNotExist) {
		if exists(p.dir) {
			return runtime.Exit{}, false, nil
		}
		return runtime.Exit{}, false, runtime.ErrGone
	}
	if err != nil {
		return runtime.Exit{}, false, err
	}
	if err := json.NewDecoder(strings.NewReader(string(data))).Decode(&e); err != nil {
		return runtime.Exit{}, false, fmt.Errorf("read how the container ended: %w", err)
	}
	return runtime.Exit{Status: e.Status, Reason: e.Reason}, true, nil
}

// orphaned ends a container whose supervisor died: nobody would see its end.
func (p *process) orphaned(ctx context.Context) (runtime.Exit, error) {
	free, err := p.w.claim(ctx, p.id)
	if err != nil {
		return runtime.Exit{}, err
	}
	defer free()
	if exit, ended, err := p.exit(); ended || err != nil {
		return exit, err // it ended between the two looks
	}
	p.w.killLeft(p.dir)
	e := exitFile{Status: lost, Reason: "The container was lost: the process that watched over it died."}
	data, err := json.Marshal(e)
	if err != nil {
		return runtime.Exit{}, err
	}
	tmp := filepath.Join(p.dir, fileExit+".new")
	if err := errors.Join(os.WriteFile(tmp, data, 0o600), os.Rename(tmp, filepath.Join(p.dir, fileExit))); err != nil {
		return runtime.Exit{}, err
	}
	return runtime.Exit{Status: e.Status, Reason: e.Reason}, nil
}

// Stop asks the process to end, and after grace has everything in the container killed.
func (p *process) Stop(ctx context.Context, grace time.Duration) error {
	_, ended, err := p.exit()
	if ended || errors.Is(err, runtime.ErrGone) {
		return nil
	}
	data, err := json.Marshal(stopFile{Grace: grace})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(p.dir, fileStop), data, 0o600); err != nil {
		return err
	}
	if err := signalSupervisor(p.dir, unix.SIGTERM); err != nil {
		return err
	}
	return ctx.Err()
}

// supervised tells whether the container's supervisor lives: only then is its
// lock held.
func supervised(dir string) bool {
	f, err := os.Open(filepath.Join(dir, fileLock))
	if err != nil {
		return false
	}
	defer f.Close()
	// Asking does not take the lock, so that no two questions disturb each other.
	lock := unix.Flock_t{Type: unix.F_RDLCK}
	return unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock) == nil && lock.Type != unix.F_UNLCK
}

// signalSupervisor sends the signal if the supervisor lives; its number is its own
// while it holds the lock.
func signalSupervisor(dir string, sig unix.Signal) error {
	text, err := os.ReadFile(filepath.Join(dir, fileLock))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || !supervised(dir) {
		return nil // not there yet, or not any more
	}
	if err := unix.Kill(pid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}
