package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/need"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/agents/rollback"
)

// prepare verifies, builds the repository and asks everything that can be asked
// before the machine is touched. done means that the run ends or waits here.
func (t *transaction) prepare(ctx context.Context) (out Outcome, done bool) {
	if charge, low := host.LowBattery(t.Power); low {
		return t.deferredAWhile(fmt.Sprintf("the battery is at %d %% and not charging", charge)), true
	}
	if err := packages.WaitUnlocked(ctx, t.system, t.LockWait); err != nil {
		return t.deferredAWhile(err.Error()), true
	}
	if why := t.sound(ctx); why != "" {
		return t.refused(why), true
	}
	list, err := t.system.Installed(ctx)
	if err != nil {
		return t.rejected(err), true
	}
	installed := packages.Versions(list, t.variant.Arch)
	t.picked = need.Packages(t.variant, installed, t.system.Compare)
	if why, err := t.held(ctx); err != nil {
		return t.rejected(err), true
	} else if why != "" {
		return t.refused(why), true
	}
	if len(t.picked) == 0 {
		return t.end(protocol.StateSucceeded, protocol.ExitOK, "there was nothing to do", nil), true
	}
	if why, err := t.space(installed); err != nil {
		return t.rejected(err), true
	} else if why != "" {
		return t.refused(why), true
	}
	if err := t.build(ctx, installed); err != nil {
		return t.rejected(err), true
	}
	plan, err := t.system.Plan(ctx, t.repository(), t.rules())
	if err != nil {
		return t.refused(err.Error()), true
	}
	if why := t.judge(plan, installed); why != "" {
		return t.refused(why), true
	}
	if why := t.wayBack(ctx); why != "" {
		return t.refused(why), true
	}
	return Outcome{}, false
}

// refused ends a run before anything was touched.
func (t *transaction) refused(why string) Outcome {
	return t.end(protocol.StateFailed, protocol.ExitPreflight, why, nil)
}

// sound says what is wrong with the package manager's state, after one try to mend it.
func (t *transaction) sound(ctx context.Context) string {
	broken, err := t.system.Broken(ctx)
	if err == nil && broken == "" {
		return ""
	}
	if err == nil {
		if _, err = t.system.Repair(ctx); err == nil {
			broken, err = t.system.Broken(ctx)
		}
	}
	if err != nil {
		return err.Error()
	}
	if broken != "" {
		return "the package manager was broken before, and finishing what was interrupted did not mend it: " + broken
	}
	return ""
}

// held finds packages that the operator keeps from changing.
func (t *transaction) held(ctx context.Context) (string, error) {
	held, err := t.system.Held(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range t.picked {
		if key := t.key(p); slices.Contains(held, key) {
			t.skip = append(t.skip, key)
		}
	}
	if len(t.skip) > 0 && t.plan.Install.HoldPolicy != "skip" {
		return "held packages would have to change: " + strings.Join(t.skip, ", "), nil
	}
	return "", nil
}

// space wants room for the bundle, the way back and the largest package
// unpacked, and a tenth more: package managers count only what stays in the end.
func (t *transaction) space(installed map[string]string) (string, error) {
	var repository, largest, grown int64
	for _, p := range t.picked {
		_, size := p.OnDisk()
		repository += size + p.Size // a whole file and its normalised form may lie side by side
		largest = max(largest, p.InstalledSize)
		if installed[t.key(p)] == "" {
			grown += p.InstalledSize
		}
	}
	for _, f := range t.variant.Repo.Files {
		repository += f.Size
	}
	if t.goesBack() {
		for _, p := range need.Rollback(t.variant, t.picked, installed) {
			if sha, size := p.OnDisk(); !t.stocked(sha) {
				repository += 2 * size
			}
		}
	}
	wanted := max((repository+largest+grown)*11/10, t.manifest.Requires.DiskBytes)
	free, err := t.free()
	if err != nil || free >= wanted {
		return "", err
	}
	return fmt.Sprintf("the disk is too full: %d bytes are needed and %d are free", wanted, free), nil
}

func (t *transaction) stocked(sha string) bool {
	_, ok := t.stash.BySHA256(sha)
	return ok
}

// judge compares what the package manager would do with what the bundle allows,
// and notes what the versions are to be.
func (t *transaction) judge(plan packages.Plan, installed map[string]string) string {
	t.before, t.after = map[string]string{}, map[string]string{}
	var wrong []string
	picked := map[string]bool{}
	for _, p := range t.picked {
		key := t.key(p)
		picked[key] = true
		have := installed[key]
		to, planned := plan.Upgrade[key]
		if have == "" {
			to, planned = plan.New[key]
		}
		switch {
		case slices.Contains(t.skip, key):
		case !planned && have == "": // nothing needs it
		case !planned:
			wrong = append(wrong, key+" would stay at "+have+" (pinned, or something that it needs is not in the bundle)")
		case t.system.Compare(to, p.Version) != 0:
			wrong = append(wrong, key+" would become "+to+" and not "+p.Version)
		default:
			t.before[key], t.after[key] = have, p.Version
		}
	}
	for key := range plan.Upgrade {
		if !picked[key] {
			wrong = append(wrong, key+" would change too")
		}
	}
	for key := range plan.New {
		if !picked[key] {
			wrong = append(wrong, key+" would be added")
		}
	}
	for _, key := range plan.Remove {
		if !slices.Contains(t.variant.Allow.Remove, key) {
			wrong = append(wrong, key+" would be removed")
		}
		t.before[key], t.after[key] = installed[key], ""
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return "the upgrade would not be what the bundle says: " + strings.Join(wrong, "; ")
	}
	return ""
}

// drivers are the ways back, better ones first.
func (s *session) drivers() []rollback.Driver {
	return []rollback.Driver{
		&rollback.Btrfs{Root: s.Root, State: s.Dir, Mount: s.Dir + "/mnt", Info: "/proc/self/mountinfo"},
		&rollback.Packages{Stash: s.stash, System: s.system, Root: s.Root, Native: s.machine.Arch, Dir: s.Dir, Work: cache + "/work"},
	}
}

func (s *session) driver(name string) (rollback.Driver, error) {
	for _, d := range s.drivers() {
		if d.Name() == name {
			return d, nil
		}
	}
	return nil, fmt.Errorf("this agent knows no rollback by %q", name)
}

// wayBack finds a driver and makes the point to come back to.
func (t *transaction) wayBack(ctx context.Context) string {
	if !t.goesBack() {
		return ""
	}
	point := rollback.Point{ID: t.manifest.BundleID, Before: t.before}
	d, err := rollback.Choose(ctx, t.drivers(), t.plan.Rollback.Method, point)
	if err == nil {
		err = d.Create(ctx, point)
	}
	if err != nil {
		return err.Error()
	}
	t.method = d.Name()
	return ""
}
