package engine

import (
	"context"
	"errors"

	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/runtime"
)

// lostStatus is what executors say, with a reason, of a process whose end nobody saw.
const lostStatus = 255

func (r *run) task(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	row := StepRecord{Kind: KindTask, Name: p.Task.Name}
	return r.leaf(ctx, p, at, row, func(ctx context.Context, l *leaf) (bool, error) {
		if l.resumed {
			process, err := l.resumeTask(ctx)
			if err != nil {
				return false, err
			}
			if process != nil {
				return l.followTask(ctx, process, l.slots.force())
			}
		}
		return l.startTask(ctx)
	})
}

// resumeTask finds the process of an earlier run; nil when the task has not begun.
func (l *leaf) resumeTask(ctx context.Context) (runtime.Process, error) {
	process, gone, err := l.attach()
	switch {
	case err != nil:
		return nil, err
	case gone && l.row.State == StateRunning:
		return nil, errLost
	case gone:
		return nil, l.beginAnew()
	}
	// For its secrets, which must not be in the rest of the log either. What is wrong with
	// it now does not matter to a process that runs.
	_, _ = l.taskConfig(ctx)
	return process, l.begin(StateRunning)
}

func (l *leaf) startTask(ctx context.Context) (bool, error) {
	config, err := l.taskConfig(ctx)
	if err != nil {
		return false, err
	}
	l.emit(event.InitializeTask{Time: l.unix(), Origin: l.origin()})
	image, env, err := l.taskImage(ctx, config)
	if err != nil {
		return false, err
	}
	if err := l.entrypoint(ctx, &config, image); err != nil {
		return false, err
	}
	if _, err := l.taskInputs(config); err != nil {
		return false, err
	}
	var spec runtime.Spec
	give, err := l.occupy(ctx, func() (err error) {
		spec, err = l.prepareTask(ctx, config, image)
		spec.Env = append(env, spec.Env...)
		return err
	})
	if err != nil {
		return false, err
	}
	l.emit(event.StartTask{Time: l.unix(), Origin: l.origin(), Config: l.eventConfig(config)})
	process, err := l.launch(ctx, spec)
	if err != nil {
		give()
		return false, err
	}
	return l.followTask(ctx, process, give)
}

// launch starts the container. Nothing of it is left when it could not be started.
func (l *leaf) launch(ctx context.Context, spec runtime.Spec) (runtime.Process, error) {
	if err := l.Executor.Start(ctx, spec); err != nil {
		if !l.suspended() {
			err = errors.Join(err, l.Executor.Remove(l.base, spec.ID))
		}
		return nil, err
	}
	if err := l.begin(StateRunning); err != nil {
		return nil, err
	}
	return l.Executor.Attach(l.base, spec.ID)
}

// prepareTask chooses the handles, records them, and makes the volumes.
func (l *leaf) prepareTask(ctx context.Context, config pipeline.TaskConfig, image runtime.Image) (runtime.Spec, error) {
	l.row.Container = l.newContainer()
	l.row.Dir = "/tmp/build/" + string(l.row.Container[:8])
	l.row.User = config.Run.User
	mounts, err := l.taskMounts(ctx, config)
	if err != nil {
		return runtime.Spec{}, err
	}
	if image.Volume != "" {
		l.row.Volumes = append(l.row.Volumes, StepVolume{ID: image.Volume, Role: RoleImage, Name: "image"})
	}
	if err := l.begin(StateStarting); err != nil {
		return runtime.Spec{}, err
	}
	if err := mounts.fill(ctx, l); err != nil {
		return runtime.Spec{}, err
	}
	spec := runtime.Spec{
		ID:       l.row.Container,
		Image:    image,
		Mounts:   mounts.list(),
		Args:     append([]string{config.Run.Path}, config.Run.Args...),
		Dir:      resolvePath(l.row.Dir, config.Run.Dir),
		Env:      l.taskEnv(config.Params),
		User:     config.Run.User,
		TTY:      true,
		Hermetic: l.plan.Task.Hermetic,
		Limits:   containerLimits(config.Limits),
	}
	if l.plan.Task.Privileged {
		if spec.Privileged = l.PrivilegedAllowed(ctx, l.build); !spec.Privileged {
			l.stderr().say("[WARNING] this task asks to be privileged, which an administrator has not allowed this team; it runs unprivileged")
		}
	}
	return spec, nil
}

func containerLimits(limits *pipeline.ContainerLimits) runtime.Limits {
	var out runtime.Limits
	if limits == nil {
		return out
	}
	if limits.CPU != nil {
		out.CPUShares = uint64(*limits.CPU)
	}
	if limits.Memory != nil {
		out.MemoryBytes = int64(*limits.Memory)
	}
	return out
}

// followTask waits for the process, within the task's timeout, and keeps what it made:
// outputs and caches are there whatever the exit status.
func (l *leaf) followTask(ctx context.Context, process runtime.Process, give func()) (bool, error) {
	defer give()
	limit, err := l.duration(ctx, l.plan.Task.Timeout, l.at)
	if err != nil {
		return false, err
	}
	within, cancel := l.deadline(ctx, l.row.StartedAt, limit)
	defer cancel()
	l.stdout().sayRestarts()
	exit, followErr := l.follow(within, process)
	if l.suspended() {
		return false, errSuspended
	}
	for _, volume := range l.row.Volumes {
		if volume.Role == RoleOutput {
			l.at.scope.register(volume.Name, artifact{Volume: volume.ID})
		}
	}
	if err := l.saveTaskCaches(ctx); err != nil {
		return false, err
	}
	switch {
	case errors.Is(followErr, errTimeout):
		return l.timedOut()
	case errors.Is(followErr, runtime.ErrGone):
		return false, errLost
	case followErr != nil:
		return false, followErr
	}
	if exit.Reason != "" && exit.Status == lostStatus {
		return false, errors.New(exit.Reason)
	}
	if exit.Reason != "" {
		l.stderr().say("%s", exit.Reason)
		l.row.Message = exit.Reason
	}
	l.flush()
	l.emit(event.FinishTask{Time: l.unix(), ExitStatus: exit.Status, Origin: l.origin()})
	l.row.ExitStatus = &exit.Status
	return exit.Status == 0, nil
}
