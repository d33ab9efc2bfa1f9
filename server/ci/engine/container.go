package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/runtime"
)

// stopGrace is how long a process may take to end by itself after it was asked to.
const stopGrace = 10 * time.Second

// errLost ends a step that may have done something before its container was lost.
var errLost = errors.New("the container was lost when the server stopped, and this step may have begun its work, so it was not run again")

// attach finds the step's container after a restart. gone is true when there is none.
func (l *leaf) attach() (process runtime.Process, gone bool, err error) {
	process, err = l.Executor.Attach(l.base, l.row.Container)
	switch {
	case err == nil:
		return process, false, nil
	case errors.Is(err, runtime.ErrGone):
		return nil, true, nil
	}
	return nil, false, l.must("find the container of step "+l.row.PlanID, err)
}

// discard removes what an earlier run made for this step, before it is run again.
func (l *leaf) discard() error {
	if l.row.Container != "" {
		if err := l.Executor.Remove(l.base, l.row.Container); err != nil {
			return l.must("remove a container", err)
		}
	}
	for _, volume := range l.row.Volumes {
		if !volume.Made {
			continue
		}
		if err := l.Executor.RemoveVolume(l.base, volume.ID); err != nil {
			return l.must("remove a volume", err)
		}
	}
	l.row.Container, l.row.Volumes = "", nil
	return nil
}

func (r *run) newContainer() runtime.ContainerID { return runtime.ContainerID(r.NewID()) }
func (r *run) newVolume() runtime.VolumeID       { return runtime.VolumeID(r.NewID()) }

// beginAnew forgets the container of an earlier run. If that printed something, the log
// says that there will be more of the same. A task prints nothing before its row says
// that it runs, and is never run again after that.
func (l *leaf) beginAnew() error {
	if err := l.discard(); err != nil {
		return err
	}
	if l.row.Kind != KindTask && l.log.hasOutput(l.row.PlanID) {
		l.restart()
	}
	return nil
}

// occupy takes room for the step's container. If the step has none yet, it waits until
// one more may run, says where it will, and calls begin.
func (l *leaf) occupy(ctx context.Context, begin func() error) (func(), error) {
	if l.row.Container != "" {
		return l.slots.force(), nil
	}
	give, err := l.slots.take(ctx, l.build.ID, func() {
		l.emit(event.WaitingForWorker{Time: l.unix(), Origin: l.origin()})
	})
	if err != nil {
		return nil, err
	}
	l.selectedWorker()
	if err := begin(); err != nil {
		give()
		return nil, err
	}
	return give, nil
}

// follow copies a process's output to the log until it ends. When the context ends
// before, the process is asked to end, what it still prints is logged, and the reason is
// returned. A suspended run leaves the process alone.
func (l *leaf) follow(ctx context.Context, process runtime.Process) (runtime.Exit, error) {
	inner, giveUp := context.WithCancel(l.base)
	defer giveUp()
	stopped := make(chan error, 1)
	undo := context.AfterFunc(ctx, func() {
		if l.suspended() {
			stopped <- nil
			return
		}
		err := process.Stop(l.base, stopGrace)
		if err != nil {
			giveUp() // it will not end because of us
		}
		stopped <- err
	})
	exit, err := process.Follow(inner, 0, func(frame runtime.Frame) error {
		return l.output(string(frame.Stream)).write(frame.Time, frame.Data)
	})
	if undo() {
		return exit, err
	}
	stopErr := <-stopped
	if reason := l.why(ctx); reason != nil {
		if stopErr != nil && !l.suspended() {
			l.Logger.Warn("stop a container", "container", l.row.Container, "error", stopErr)
		}
		return exit, reason
	}
	return exit, err
}

// call runs fn, a call of a resource type. When ctx ends, the step's container (if fn has
// made one) is asked to end, and fn's own context ends after that. A script ends with its
// container, and fn is left to read its last output.
func (l *leaf) call(ctx context.Context, scripted bool, fn func(context.Context) error) error {
	inner, cancel := context.WithCancelCause(l.base)
	defer cancel(nil)
	stopped := make(chan struct{})
	undo := context.AfterFunc(ctx, func() {
		defer close(stopped)
		if l.suspended() || l.stopContainer() && scripted {
			return
		}
		cancel(context.Cause(ctx))
	})
	err := fn(inner)
	if undo() {
		return err
	}
	<-stopped
	if !l.suspended() {
		// It may have been started while the first look was taken.
		l.stopContainer()
	}
	if reason := l.why(ctx); reason != nil {
		return reason
	}
	return err
}

// stopContainer asks the step's container to end; false when there is none.
func (l *leaf) stopContainer() bool {
	process, err := l.Executor.Attach(l.base, l.row.Container)
	if err == nil {
		err = process.Stop(l.base, stopGrace)
	}
	if err != nil && !errors.Is(err, runtime.ErrGone) && !l.suspended() {
		l.Logger.Warn("stop a container", "container", l.row.Container, "error", err)
	}
	return err == nil
}

// makeVolume creates a volume that the row names.
func (l *leaf) makeVolume(ctx context.Context, id runtime.VolumeID) error {
	if err := l.Executor.CreateVolume(ctx, id); err != nil {
		return fmt.Errorf("create a volume: %w", err)
	}
	return nil
}
