package ci

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// WorkerState is what a worker does, in Concourse's words.
type WorkerState string

// The states.
const (
	// WorkerRunning takes new containers.
	WorkerRunning WorkerState = "running"
	// WorkerLanding takes no new containers and waits for those it has.
	WorkerLanding WorkerState = "landing"
	// WorkerLanded has none left: its machine may be stopped.
	WorkerLanded WorkerState = "landed"
	// WorkerStalled cannot start containers, or has not been heard of for a while.
	WorkerStalled WorkerState = "stalled"
)

const (
	// unheard is how long a worker may be silent before it counts as stalled.
	unheard = time.Minute
	// reportEvery is how often a worker's row is written.
	reportEvery = 20 * time.Second
	// landingReason is why steps wait while the worker lands.
	landingReason = "the worker is landing"
)

// workerState is a worker as pages show it.
type workerState struct {
	Name    string      `json:"name"`
	State   WorkerState `json:"state"`
	Message string      `json:"message,omitempty"`
	// Containers run in all; Running is how many steps hold one of the Limit places,
	// which is 0 where there is no limit.
	Containers int       `json:"containers"`
	Running    int       `json:"running"`
	Limit      int       `json:"limit"`
	Volumes    int       `json:"volumes"`
	DiskUsed   int64     `json:"disk_used"`
	DiskLimit  int64     `json:"disk_limit"`
	LastSeen   time.Time `json:"last_seen"`
}

// worker is that of this server; its name is "" when there is none.
func (s *Service) worker(ctx context.Context) (workerState, error) {
	if s.deps.Executor == nil {
		return workerState{}, nil
	}
	out := workerState{Name: s.deps.Executor.Name(), State: WorkerRunning, Running: s.deps.Slots.Running(), Limit: s.deps.Slots.Limit(), LastSeen: s.now()}
	landing, err := s.isLanding(ctx, out.Name)
	if err != nil {
		return out, err
	}
	containers, err := s.deps.Executor.Containers(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range containers {
		if c.Running {
			out.Containers++
		}
	}
	volumes, err := s.deps.Executor.Volumes(ctx)
	if err != nil {
		return out, err
	}
	disk, err := s.disk(ctx)
	if err != nil {
		return out, err
	}
	out.Volumes, out.DiskUsed, out.DiskLimit = len(volumes), disk.Used, disk.Limit
	switch err := s.deps.Executor.Ready(ctx); {
	case err != nil:
		out.State, out.Message = WorkerStalled, err.Error()
	case landing && out.Containers == 0 && out.Running == 0:
		out.State = WorkerLanded
	case landing:
		out.State = WorkerLanding
	case tooFull(disk):
		out.Message = fullReason(disk)
	}
	return out, nil
}

// workers are all that have reported, this server's with what is true now.
func (s *Service) workers(ctx context.Context) ([]workerState, error) {
	out := []workerState{}
	own, err := s.worker(ctx)
	if err != nil {
		return nil, err
	}
	if own.Name != "" {
		out = append(out, own)
	}
	rows, err := s.workerRows(ctx)
	for _, r := range rows {
		if r.Name != own.Name {
			out = append(out, r.shape(s.now()))
		}
	}
	return out, err
}

func (r workerRow) shape(now time.Time) workerState {
	out := workerState{Name: r.Name, State: WorkerRunning, Message: r.Message, Containers: r.Containers, Running: r.Running, Limit: r.Places,
		Volumes: r.Volumes, DiskUsed: r.DiskUsed, DiskLimit: r.DiskLimit, LastSeen: r.SeenAt.Time()}
	switch {
	case now.Sub(out.LastSeen) > unheard:
		out.State, out.Message = WorkerStalled, "Its server has not reported for "+now.Sub(out.LastSeen).Round(time.Second).String()+"."
	case r.Landing && r.Containers == 0 && r.Running == 0:
		out.State = WorkerLanded
	case r.Landing:
		out.State = WorkerLanding
	}
	return out
}

// findWorker is the worker of that name.
func (s *Service) findWorker(ctx context.Context, name string) (workerState, error) {
	all, err := s.workers(ctx)
	if err != nil {
		return workerState{}, err
	}
	for _, w := range all {
		if w.Name == name {
			return w, nil
		}
	}
	return workerState{}, problem.New(problem.NotFound, "There is no worker %s.", name)
}

// landWorker lets a worker finish what runs and begin nothing new, or lets it go on.
func (s *Service) landWorker(ctx context.Context, name string, landing bool) error {
	if err := identity.RequireAdmin(ctx); err != nil {
		return err
	}
	if _, err := s.findWorker(ctx, name); err != nil {
		return err
	}
	action := "worker.resume"
	if landing {
		action = "worker.land"
	}
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.setLanding(ctx, name, landing); err != nil {
			return err
		}
		return s.audit(ctx, 0, action, name, "")
	})
	if err != nil {
		return err
	}
	return s.tendSlots(ctx)
}

// pruneWorker forgets a worker whose server is gone, or throws away what this server's
// landed worker keeps only to be faster.
func (s *Service) pruneWorker(ctx context.Context, name string) error {
	if err := identity.RequireAdmin(ctx); err != nil {
		return err
	}
	w, err := s.findWorker(ctx, name)
	if err != nil {
		return err
	}
	own := s.deps.Executor != nil && name == s.deps.Executor.Name()
	switch {
	case own && w.State != WorkerLanded:
		return problem.New(problem.Conflict, "The worker %s is %s: only one that has landed can be pruned.", name, w.State)
	case !own && w.State != WorkerStalled:
		return problem.New(problem.Conflict, "The worker %s belongs to a server that runs: stop that server first.", name)
	case own:
		err = s.dropCaches(ctx)
	default:
		err = s.deleteWorker(ctx, name)
	}
	if err != nil {
		return err
	}
	return s.audit(ctx, 0, "worker.prune", name, "")
}

// RecallWorker makes steps wait, or not, as it was decided before the server's restart.
// It belongs before the first build goes on.
func (s *Service) RecallWorker(ctx context.Context) error { return s.tendSlots(ctx) }

// tendSlots holds back new containers while there is a reason to.
func (s *Service) tendSlots(ctx context.Context) error {
	if s.deps.Executor == nil {
		return nil
	}
	landing, err := s.isLanding(ctx, s.deps.Executor.Name())
	if err != nil {
		return err
	}
	disk, err := s.disk(ctx)
	if err != nil {
		return err
	}
	reason := ""
	switch {
	case landing:
		reason = landingReason
	case tooFull(disk):
		reason = fullReason(disk)
	}
	s.deps.Slots.Hold(reason)
	return nil
}

// tendWorker keeps room on the disk, holds containers back where there is none, and
// reports how the worker stands.
func (s *Service) tendWorker(ctx context.Context) error {
	if s.deps.Executor == nil {
		return nil
	}
	err := errors.Join(s.makeRoom(ctx), s.tendSlots(ctx))
	s.mu.Lock()
	age := s.now().Sub(s.reported)
	s.mu.Unlock()
	if age >= 0 && age < reportEvery {
		return err
	}
	w, stateErr := s.worker(ctx)
	if stateErr == nil {
		stateErr = s.reportWorker(ctx, w)
	}
	if stateErr == nil {
		s.mu.Lock()
		s.reported = s.now()
		s.mu.Unlock()
	}
	return errors.Join(err, stateErr)
}

func (s *Service) disk(ctx context.Context) (runtime.Disk, error) {
	if s.deps.Disk == nil {
		return runtime.Disk{}, nil
	}
	return s.deps.Disk(ctx)
}

// waitsForWorker is why a step of the build waits for a place; "" when none does.
func (s *Service) waitsForWorker(build int64) string {
	reason, waits := s.deps.Slots.Waiting(build)
	if !waits {
		return ""
	}
	return fmt.Sprintf("A step waits to start: %s.", reason)
}
