package ci

import (
	"context"
	"errors"
	"fmt"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// roomAtOnce is how many caches one round of making room gives up: the next looks at
// the disk again, because sizes are only known roughly.
const roomAtOnce = 20

func tooFull(d runtime.Disk) bool { return d.Limit > 0 && d.Used > d.Limit }

// fullReason is why steps wait when nothing more can be given up.
func fullReason(d runtime.Disk) string {
	return fmt.Sprintf("the worker's disk holds %s, more than the %s it may", inGigabytes(d.Used), inGigabytes(d.Limit))
}

func inGigabytes(bytes int64) string {
	if bytes < 1<<30 {
		return fmt.Sprintf("%d MB", bytes>>20)
	}
	return fmt.Sprintf("%.1f GB", float64(bytes)/(1<<30))
}

// makeRoom gives up what is only kept for convenience while the disk is too full: caches
// that no build uses, the longest unused first, and then what people might still have
// looked at in builds that failed.
func (s *Service) makeRoom(ctx context.Context) error {
	disk, err := s.disk(ctx)
	if err != nil || !tooFull(disk) {
		return err
	}
	given, err := s.giveUpCaches(ctx, disk.Used-disk.Limit)
	if err != nil || given > 0 || s.engine == nil {
		return err
	}
	builds, err := s.releasable(ctx, s.self(), toMillis(s.now()), roomAtOnce)
	for _, b := range builds {
		s.release(ctx, b)
	}
	return err
}

// giveUpCaches removes idle caches until enough bytes are free, and tells how many.
func (s *Service) giveUpCaches(ctx context.Context, enough int64) (given int, err error) {
	volumes, err := s.deps.Executor.Volumes(ctx)
	if err != nil {
		return 0, err
	}
	sizes := make(map[string]int64, len(volumes))
	for _, v := range volumes {
		sizes[string(v.ID)] = max(v.Bytes, 0)
	}
	caches, err := s.idleCaches(ctx)
	if err != nil {
		return 0, err
	}
	for _, c := range caches {
		if given >= roomAtOnce || enough <= 0 {
			break
		}
		if _, there := sizes[c.Volume]; !there {
			continue
		}
		removed, err := s.giveUp(ctx, c)
		if err != nil {
			return given, err
		}
		if removed {
			given++
			enough -= sizes[c.Volume]
		}
	}
	return given, nil
}

// giveUp forgets a cache and removes its volume, which stays where a build has it that
// was not given back yet.
func (s *Service) giveUp(ctx context.Context, c idleCache) (removed bool, err error) {
	forgotten, err := s.forgetIdle(ctx, c)
	if err != nil || !forgotten {
		return false, err
	}
	used, err := s.usedVolumes(ctx)
	if err != nil || used[runtime.VolumeID(c.Volume)] {
		return false, err
	}
	return true, s.deps.Executor.RemoveVolume(ctx, runtime.VolumeID(c.Volume))
}

// dropCaches gives up every idle cache.
func (s *Service) dropCaches(ctx context.Context) error {
	caches, err := s.idleCaches(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range caches {
		_, err := s.giveUp(ctx, c)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
