package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// validID accepts only the ids of this system: they become file names.
func validID(id string) error {
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return fmt.Errorf("%q is not an id of 32 hexadecimal digits", id)
	}
	return nil
}

// Start starts a container and returns once it runs.
func (w *Worker) Start(ctx context.Context, spec runtime.Spec) error {
	if w.engine == noEngine {
		return w.noEngine()
	}
	if err := validID(string(spec.ID)); err != nil {
		return err
	}
	free, err := w.claim(ctx, spec.ID)
	if err != nil {
		return err
	}
	defer free()
	dir := w.containerDir(spec.ID)
	switch wasStarted, err := w.leftover(ctx, dir); {
	case err != nil:
		return err
	case wasStarted:
		return nil
	}
	l, err := w.launch(spec, false)
	if err != nil {
		return err
	}
	select {
	case w.places <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err = w.remember(spec, l)
	if err != nil {
		<-w.places
	} else {
		err = w.spawn(ctx, l)
	}
	if err != nil {
		if ctx.Err() == nil {
			err = errors.Join(sayFull(err), w.discard(dir))
		}
		return err
	}
	return nil
}

// claim makes calls about one container wait for each other.
func (w *Worker) claim(ctx context.Context, id runtime.ContainerID) (free func(), err error) {
	for {
		w.mu.Lock()
		other, taken := w.busy[id]
		if !taken {
			mine := make(chan struct{})
			w.busy[id] = mine
			w.mu.Unlock()
			return func() {
				w.mu.Lock()
				delete(w.busy, id)
				w.mu.Unlock()
				close(mine)
			}, nil
		}
		w.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// leftover looks at what an earlier Start of the id left: a container that was
// started stays, the remains of one that was not are thrown away.
func (w *Worker) leftover(ctx context.Context, dir string) (wasStarted bool, err error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	// A supervisor that an interrupted server left in the middle of its start ends
	// that by itself, one way or the other.
	for supervised(dir) && !exists(filepath.Join(dir, fileStarted)) {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	if exists(filepath.Join(dir, fileStarted)) {
		return true, nil
	}
	return false, w.discard(dir)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// spawn hands the launch to a new supervisor and waits for its word. The place
// is given back when the supervisor ends.
func (w *Worker) spawn(ctx context.Context, l launch) error {
	giveBack := func() { <-w.places }
	if err := os.MkdirAll(l.path(folderMount), 0o700); err != nil {
		giveBack()
		return err
	}
	task, err := json.Marshal(l)
	if err != nil {
		giveBack()
		return err
	}
	said, tells, err := os.Pipe()
	if err != nil {
		giveBack()
		return err
	}
	cmd := w.supervisor()
	cmd.Stdin = bytes.NewReader(task)
	cmd.ExtraFiles = []*os.File{tells}
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.Dir = "/"
	cmd.SysProcAttr = w.separate()
	err = cmd.Start()
	tells.Close()
	if err != nil {
		said.Close()
		giveBack()
		return fmt.Errorf("start the container's supervisor: %w", err)
	}
	go func() {
		_ = cmd.Wait() // its word and its files say all there is
		giveBack()
	}()
	word := make(chan string, 1)
	go func() {
		defer said.Close()
		text, err := io.ReadAll(io.LimitReader(said, 1<<16))
		if err != nil {
			text = []byte(err.Error())
		}
		word <- string(text)
	}()
	select {
	case text := <-word:
		if text == "" && !exists(l.path(fileStarted)) {
			text = "The container's supervisor ended before the container started."
		}
		if text != "" {
			return errors.New(text)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// separate gives the supervisor its own session and mount namespace; without root
// also a user namespace, in which it may mount.
func (w *Worker) separate() *syscall.SysProcAttr {
	if !w.rootless {
		return &syscall.SysProcAttr{Setsid: true, Unshareflags: syscall.CLONE_NEWNS}
	}
	return &syscall.SysProcAttr{
		Setsid:      true,
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
}
