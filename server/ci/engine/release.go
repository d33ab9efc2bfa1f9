package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// Release removes the containers of a build that has ended, and the volumes that it made
// and that nobody keeps (Ledger.Kept). It may be called again after an error.
func (e *Engine) Release(ctx context.Context, build int64) error {
	rows, err := e.Ledger.Steps(ctx, build)
	if err != nil {
		return fmt.Errorf("load the steps of build %d: %w", build, err)
	}
	var errs []error
	var volumes []runtime.VolumeID
	for _, row := range rows {
		if row.Container != "" {
			errs = append(errs, e.Executor.Remove(ctx, row.Container))
		}
		for _, volume := range row.Volumes {
			if volume.Made {
				volumes = append(volumes, volume.ID)
			}
		}
	}
	if len(volumes) > 0 {
		errs = append(errs, e.removeUnkept(ctx, volumes))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("release build %d: %w", build, err)
	}
	return nil
}

func (e *Engine) removeUnkept(ctx context.Context, volumes []runtime.VolumeID) error {
	kept, err := e.Ledger.Kept(ctx, volumes)
	if err != nil {
		return err
	}
	keep := make(map[runtime.VolumeID]bool, len(kept))
	for _, id := range kept {
		keep[id] = true
	}
	var errs []error
	for _, id := range volumes {
		if !keep[id] {
			errs = append(errs, e.Executor.RemoveVolume(ctx, id))
		}
	}
	return errors.Join(errs...)
}
