package worker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

func (w *Worker) containerDir(id runtime.ContainerID) string { return w.path("containers", string(id)) }

// Remove kills what still runs and deletes the container's scratch space.
func (w *Worker) Remove(ctx context.Context, id runtime.ContainerID) error {
	if err := validID(string(id)); err != nil {
		return err
	}
	free, err := w.claim(ctx, id)
	if err != nil {
		return err
	}
	defer free()
	dir := w.containerDir(id)
	if !exists(dir) {
		return nil
	}
	if err := errors.Join(w.end(ctx, dir), w.endShell(ctx, dir)); err != nil {
		return err
	}
	w.forget(id)
	return w.discard(dir)
}

// end kills a container and waits until its supervisor is gone.
func (w *Worker) end(ctx context.Context, dir string) error {
	if !supervised(dir) {
		return nil
	}
	if !exists(filepath.Join(dir, fileExit)) {
		// The file is how Stop tells the grace: none.
		data, err := json.Marshal(stopFile{})
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, fileStop), data, 0o600); err != nil {
			return err
		}
	}
	deadline := w.opts.Now().Add(15 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; supervised(dir); n++ {
		if n%40 == 0 && !exists(filepath.Join(dir, fileExit)) {
			if err := signalSupervisor(dir, unix.SIGTERM); err != nil {
				return err
			}
		}
		if w.opts.Now().After(deadline) {
			if err := signalSupervisor(dir, unix.SIGKILL); err != nil {
				return err
			}
			return nil // discard kills what it leaves
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// killLeft kills the processes of a container without a supervisor.
func (w *Worker) killLeft(dir string) {
	var s started
	data, err := os.ReadFile(filepath.Join(dir, fileStarted))
	if err == nil && json.Unmarshal(data, &s) == nil && s.PID > 1 && birth(s.PID) == s.Birth && s.Birth != "" {
		_ = unix.Kill(s.PID, unix.SIGKILL) // gone already is fine
	}
	if w.engine != engineRunc {
		return
	}
	if filepath.Base(dir) == folderShell {
		dir = filepath.Dir(dir)
	}
	group := path.Join(cgroupParent, filepath.Base(dir))
	for range 200 {
		killCgroup(group, w.cgroup2)
		if len(cgroupPIDs(group, w.cgroup2)) == 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	removeCgroup(group, w.cgroup2)
}

// discard kills what is left of a container without a supervisor and deletes its folder.
func (w *Worker) discard(dir string) error {
	w.killLeft(dir)
	return w.throwAway(dir)
}

// throwAway makes a tree disappear at once and deletes it afterwards, so that a
// crash in between leaves nothing half-deleted under its name.
func (w *Worker) throwAway(dir string) error {
	to := w.path("trash", rand.Text())
	err := os.Rename(dir, to)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return removeTree(to)
}

// removeTree deletes also what a container without root rights left unreadable.
func removeTree(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(p, 0o700) // what cannot be opened fails below
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// Containers lists the containers that were started.
func (w *Worker) Containers(context.Context) ([]runtime.ContainerInfo, error) {
	entries, err := os.ReadDir(w.path("containers"))
	if err != nil {
		return nil, err
	}
	var out []runtime.ContainerInfo
	for _, e := range entries {
		dir := w.path("containers", e.Name())
		info, err := os.Stat(filepath.Join(dir, fileStarted))
		if err != nil || validID(e.Name()) != nil {
			continue
		}
		running := !exists(filepath.Join(dir, fileExit)) && supervised(dir)
		out = append(out, runtime.ContainerInfo{ID: runtime.ContainerID(e.Name()), Created: info.ModTime().UTC(), Running: running})
	}
	return out, nil
}

func (w *Worker) anyRunning() bool {
	entries, err := os.ReadDir(w.path("containers"))
	if err != nil {
		return false
	}
	for _, e := range entries {
		if supervised(w.path("containers", e.Name())) {
			return true
		}
	}
	return false
}

// Recover removes the containers that the caller does not know, and what earlier
// servers left half done. It is meant for the start of the server.
func (w *Worker) Recover(ctx context.Context, keep map[runtime.ContainerID]bool) error {
	entries, err := os.ReadDir(w.path("containers"))
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		errs = append(errs, w.endShell(ctx, w.path("containers", e.Name()))) // its sessions ended with their server
		if id := runtime.ContainerID(e.Name()); !keep[id] && validID(e.Name()) == nil {
			if err := w.Remove(ctx, id); err != nil {
				errs = append(errs, fmt.Errorf("remove the container %s: %w", id, err))
			}
		}
	}
	for _, folder := range []string{"incoming", "trash"} {
		left, err := os.ReadDir(w.path(folder))
		errs = append(errs, err)
		for _, e := range left {
			errs = append(errs, removeTree(w.path(folder, e.Name())))
		}
	}
	if !w.anyRunning() {
		errs = append(errs, w.forgetHosts())
	}
	return errors.Join(errs...)
}

// forgetHosts deletes the host image's folders of earlier servers.
func (w *Worker) forgetHosts() error {
	entries, err := os.ReadDir(w.path("host"))
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if dir := w.path("host", e.Name()); dir != w.host.Root {
			errs = append(errs, os.RemoveAll(dir))
		}
	}
	return errors.Join(errs...)
}

// adopt gives the containers of an earlier server their places.
func (w *Worker) adopt() error {
	entries, err := os.ReadDir(w.path("containers"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		dir := w.path("containers", e.Name())
		if !supervised(dir) {
			continue
		}
		select {
		case w.places <- struct{}{}:
			go w.giveBackAfter(dir)
		default: // there are fewer places than before; new ones wait for the rest anyway
		}
	}
	return nil
}

// giveBackAfter waits for the end of a supervisor that is not our child.
func (w *Worker) giveBackAfter(dir string) {
	tick := time.NewTicker(lookAnyway)
	defer tick.Stop()
	for range tick.C {
		if !supervised(dir) {
			<-w.places
			return
		}
	}
}

// probe runs the smallest container there is.
func (w *Worker) probe(ctx context.Context) error {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	spec := runtime.Spec{ID: runtime.ContainerID(fmt.Sprintf("%x", id)), Hermetic: true, Image: runtime.Image{Host: true}, Args: []string{"/bin/true"}}
	l, err := w.launch(spec, true)
	if err != nil {
		return err
	}
	select {
	case w.places <- struct{}{}:
	default:
		return nil // full of containers that run: they can be started
	}
	err = w.spawn(ctx, l)
	after := context.WithoutCancel(ctx)
	if err == nil {
		var p runtime.Process
		if p, err = w.Attach(after, spec.ID); err == nil {
			var exit runtime.Exit
			exit, err = p.Follow(ctx, 0, func(runtime.Frame) error { return nil })
			if err == nil && exit.Status != 0 {
				err = fmt.Errorf("a first container ended with status %d %s", exit.Status, exit.Reason)
			}
		}
	}
	if err := errors.Join(err, w.Remove(after, spec.ID)); err != nil {
		return fmt.Errorf("Containers cannot be started on this machine (%s): %w", strconv.Quote(w.program), err) //nolint:staticcheck // a sentence for the user
	}
	return nil
}
