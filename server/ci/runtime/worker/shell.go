package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// revival counts the sessions in a container that was brought back for them.
type revival struct{ sessions int }

// remember keeps what Exec needs to bring the container back after its end. What may
// be secret stays out of the file: the environment is remembered by this process only.
func (w *Worker) remember(spec runtime.Spec, l launch) error {
	w.mu.Lock()
	w.envs[spec.ID] = l.Env
	w.mu.Unlock()
	spec.Env, spec.Files, spec.Stdin, spec.Args, spec.TTY = nil, nil, nil, nil, false
	data, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(l.Dir, 0o700), os.WriteFile(l.path(fileSpec), data, 0o600))
}

// recall resolves a container's spec anew: its volumes may be gone since.
func (w *Worker) recall(dir string) (launch, error) {
	data, err := os.ReadFile(filepath.Join(dir, fileSpec))
	if errors.Is(err, os.ErrNotExist) {
		return launch{}, runtime.ErrGone
	}
	if err != nil {
		return launch{}, err
	}
	var spec runtime.Spec
	if err := json.Unmarshal(data, &spec); err != nil {
		return launch{}, fmt.Errorf("read what the container was: %w", err)
	}
	// It is never run, but runc looks whether it is there.
	spec.Args = []string{"/proc/self/exe"}
	l, err := w.launch(spec, false)
	if errors.Is(err, runtime.ErrGone) {
		return launch{}, fmt.Errorf("The image or a volume of the container was removed since it ended: %w", runtime.ErrGone) //nolint:staticcheck // a sentence for the user
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if env := w.envs[spec.ID]; env != nil {
		l.Env = env
	}
	return l, err
}

// enter makes sure that the container can be entered, and returns the folder of the
// supervisor that holds it: its own, or that of the shell container. The caller has claimed the id.
func (w *Worker) enter(ctx context.Context, l launch) (held string, err error) {
	id := runtime.ContainerID(l.ID)
	if !exists(l.path(fileExit)) && supervised(l.Dir) {
		return l.Dir, nil
	}
	w.mu.Lock()
	back := w.shells[id]
	w.mu.Unlock()
	at := filepath.Join(l.Dir, folderShell)
	if back == nil || !supervised(at) {
		if err := w.bringBack(ctx, l, at); err != nil {
			return "", err
		}
		back = &revival{}
	}
	back.sessions++
	w.mu.Lock()
	w.shells[id] = back
	w.mu.Unlock()
	return at, nil
}

// bringBack starts the shell container: all of the ended container but its process.
func (w *Worker) bringBack(ctx context.Context, l launch, at string) error {
	for supervised(l.Dir) { // it still tidies up, and has the layers mounted
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	if err := errors.Join(w.endShell(ctx, l.Dir), os.MkdirAll(at, 0o700)); err != nil {
		return err
	}
	w.killLeft(l.Dir)
	l.Layers, l.Dir, l.Hold = l.path(folderUpper), at, true
	select {
	case w.places <- struct{}{}:
	default:
		return errors.New("As many containers run as this worker may have: wait for one to end and try again.") //nolint:staticcheck // a sentence for the user
	}
	if err := w.spawn(ctx, l); err != nil {
		return errors.Join(err, w.endShell(context.WithoutCancel(ctx), filepath.Dir(at)))
	}
	return nil
}

// leave ends the shell container with its last session.
func (w *Worker) leave(ctx context.Context, id runtime.ContainerID, back *revival) error {
	free, err := w.claim(ctx, id)
	if err != nil {
		return err
	}
	defer free()
	w.mu.Lock()
	back.sessions--
	last := back.sessions == 0 && w.shells[id] == back
	if last {
		delete(w.shells, id)
	}
	w.mu.Unlock()
	if !last {
		return nil
	}
	return w.endShell(ctx, w.containerDir(id))
}

// endShell kills what runs in the shell container of a folder, if there is one.
func (w *Worker) endShell(ctx context.Context, dir string) error {
	at := filepath.Join(dir, folderShell)
	if !exists(at) {
		return nil
	}
	if err := w.end(ctx, at); err != nil {
		return err
	}
	w.killLeft(at)
	return w.throwAway(at)
}

// forget drops what is remembered of a removed container.
func (w *Worker) forget(id runtime.ContainerID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.envs, id)
	delete(w.shells, id)
}
