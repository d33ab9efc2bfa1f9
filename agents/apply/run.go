package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/agents/rollback"
)

const (
	installMost = 2 // times that one bundle's install is begun
	healthMost  = 2 // times that its checks are
	// timeLimit for the package manager, where the order names none.
	timeLimit = 30 * time.Minute
)

// manifestFile keeps the manifest of the bundle whose installation has begun.
const manifestFile = "installing.json"

// begin writes down all that finishing the run needs, last of all that it begins.
func (t *transaction) begin(ctx context.Context, stale bool) error {
	if err := journal.Replace(filepath.Join(t.Dir, manifestFile), t.raw, 0o600); err != nil {
		return fmt.Errorf("keep the manifest: %w", err)
	}
	if err := t.trust.Raise(t.manifest); err != nil {
		return fmt.Errorf("keep the version: %w", err)
	}
	return t.become(protocol.StateInstalling, func(r *journal.Run) {
		r.Version, r.Channel, r.Stale, r.Method = t.manifest.Version, t.manifest.Channel, stale, t.method
		r.Before, r.After = t.before, t.after
		r.Installs, r.Healths, r.BootID, r.Cause, r.Message = 1, 0, "", protocol.ExitOK, ""
	})
}

func (s *session) limit() time.Duration {
	if n := s.j.Now().Run.Plan.Install.TimeoutSeconds; n > 0 {
		return time.Duration(n) * time.Second
	}
	return timeLimit
}

// carryOn installs and goes on to the end. Once a package manager is at work
// neither a window's end nor this process's stops it, only its own time limit.
func (t *transaction) carryOn(ctx context.Context) Outcome {
	ctx = context.WithoutCancel(ctx)
	for {
		limited, stop := context.WithTimeout(ctx, t.limit())
		said, err := t.system.Install(limited, t.repository(), t.rules())
		stop()
		t.said = tail(said.Text)
		missing := t.complete(ctx)
		if missing == "" {
			return t.installed(ctx)
		}
		why := problemOf(said, err, missing)
		if repairErr := t.mend(ctx); repairErr != nil {
			why += "; " + repairErr.Error()
		}
		if missing = t.complete(ctx); missing == "" {
			return t.installed(ctx)
		}
		if t.j.Now().Run.Installs >= installMost || errors.Is(err, context.DeadlineExceeded) || full(said.Text) {
			return t.failed(ctx, protocol.ExitInstallFailed, why)
		}
		if err := t.become(protocol.StateInstalling, func(r *journal.Run) { r.Installs++ }); err != nil {
			return t.internal(err)
		}
	}
}

// tail is the end of what a package manager said, in whole lines: the log that a report carries.
func tail(text string) string {
	text = strings.TrimSpace(text)
	if over := len(text) - 6<<10; over > 0 {
		text = text[over:]
		if i := strings.IndexByte(text, '\n'); i >= 0 {
			text = text[i+1:]
		}
	}
	return strings.ToValidUTF8(text, "")
}

// mend finishes what was interrupted, within the time limit: what hung once may hang again.
func (s *session) mend(ctx context.Context) error {
	limited, stop := context.WithTimeout(ctx, s.limit())
	defer stop()
	_, err := s.system.Repair(limited)
	return err
}

// full tells whether trying again makes no sense because the disk has no room.
func full(text string) bool { return strings.Contains(text, "No space left on device") }

func problemOf(said host.Output, err error, missing string) string {
	why := missing
	if err != nil {
		why += "; " + err.Error()
	}
	if text := strings.TrimSpace(said.Text); text != "" {
		why += "; the package manager ended with " + fmt.Sprint(said.Exit) + " and said: " + text[max(0, len(text)-1500):]
	}
	return why
}

// complete says which package is not what it should be; empty: all are, and sound.
func (s *session) complete(ctx context.Context) string {
	list, err := s.system.Installed(ctx)
	if err != nil {
		return err.Error()
	}
	now := packages.Versions(list, s.machine.Arch)
	var wrong []string
	for key, want := range s.j.Now().Run.After {
		if have := now[key]; have != want && (have == "" || want == "" || s.system.Compare(have, want) != 0) {
			wrong = append(wrong, fmt.Sprintf("%s is %s and should be %s", key, orNone(have), orNone(want)))
		}
	}
	if len(wrong) == 0 {
		broken, err := s.system.Broken(ctx)
		if err != nil {
			return err.Error()
		}
		return broken
	}
	slices.Sort(wrong)
	return strings.Join(wrong, ", ")
}

func orNone(version string) string {
	if version == "" {
		return "not installed"
	}
	return version
}

// installed goes on to the checks, over a restart of the machine where one is due.
func (t *transaction) installed(ctx context.Context) Outcome {
	boot := ""
	if t.restarts() {
		boot = t.BootID()
	}
	err := t.become(protocol.StateHealthChecking, func(r *journal.Run) { r.BootID, r.Healths = boot, 0 })
	if err != nil {
		return t.internal(err)
	}
	if boot == "" {
		t.restartUnits(ctx)
		return t.checks(ctx)
	}
	return t.reboot(ctx)
}

// reboot asks for it; the run goes on when the machine is up again.
func (s *session) reboot(ctx context.Context) Outcome {
	if err := s.Reboot(ctx); err != nil {
		s.Log.Error("the machine does not restart", "error", err)
	}
	out := s.outcome()
	out.Exit, out.Message = protocol.ExitReboot, "the machine has to restart"
	return out
}

// restarts tells whether the machine is to be restarted for this bundle.
func (t *transaction) restarts() bool {
	if !t.Root.Live() && t.Options.System == nil {
		return false
	}
	return t.plan.Install.Reboot == "always" || t.plan.Install.Reboot == "ifNeeded" && t.wantsRestart()
}

func (t *transaction) wantsRestart() bool {
	switch t.manifest.Requires.Reboot {
	case bundle.RebootAlways:
		return true
	case bundle.RebootIfNeeded:
		_, err := os.Stat(t.Root.Path("/run/reboot-required"))
		return err == nil || t.changesKernel()
	}
	return false
}

func (t *transaction) changesKernel() bool {
	return slices.ContainsFunc(t.picked, func(p bundle.Package) bool {
		return strings.HasPrefix(p.Name, "linux-image") || strings.HasPrefix(p.Name, "kernel")
	})
}

// restartUnits restarts what the bundle names, if it runs.
func (t *transaction) restartUnits(ctx context.Context) {
	if !t.Root.Live() {
		return
	}
	for _, unit := range t.manifest.Requires.RestartUnits {
		if out, err := t.Root.Run(ctx, "systemctl", "try-restart", "--", unit); err != nil || out.Exit != 0 {
			t.Log.Warn("a unit was not restarted", "unit", unit, "said", out.Text, "error", err) // the checks decide
		}
	}
}

// checks decide whether the bundle stays.
func (t *transaction) checks(ctx context.Context) Outcome {
	if err := t.become(protocol.StateHealthChecking, func(r *journal.Run) { r.Healths++ }); err != nil {
		return t.internal(err)
	}
	if err := t.Checker.Wait(ctx, t.plan.Health); err != nil {
		return t.failed(ctx, protocol.ExitHealthFailed, err.Error())
	}
	return t.succeed(ctx)
}

// succeed keeps what the next bundle needs and lets the rest go.
func (t *transaction) succeed(ctx context.Context) Outcome {
	r := t.j.Now().Run
	t.stashNew(ctx)
	var gone []journal.Point
	err := t.j.Change(func(j *journal.Record) {
		if r.Method != "" {
			points := slices.DeleteFunc(slices.Clone(j.Points), func(p journal.Point) bool { return p.Bundle == r.Bundle })
			points = append(points, journal.Point{Bundle: r.Bundle, Method: r.Method, Before: r.Before, After: r.After, At: t.now()})
			keep := max(1, r.Plan.Rollback.Keep)
			if over := len(points) - keep; over > 0 {
				gone, points = points[:over], points[over:]
			}
			j.Points = points
		}
		if t.manifest.Created.After(j.Good) {
			j.Good = t.manifest.Created
		}
		delete(j.Quarantined, r.Bundle)
		delete(j.Bad, r.Bundle)
	})
	if err != nil {
		return t.internal(err)
	}
	exit, message := protocol.ExitOK, ""
	if t.wantsRestart() && r.BootID == "" {
		exit, message = protocol.ExitReboot, "installed; the machine has to restart to finish"
	}
	if r.Stale {
		message = strings.TrimSpace(message + " the bundle had expired and was installed within the grace")
	}
	out := t.end(protocol.StateSucceeded, exit, message, t.changes(r.Before, r.After))
	t.tidy(ctx, gone)
	return out
}

// stashNew keeps the new files: they are the next bundle's way back and deltas' base.
func (t *transaction) stashNew(ctx context.Context) {
	after := t.j.Now().Run.After
	for _, p := range t.picked {
		if after[t.key(p)] != p.Version {
			continue
		}
		sha, size := p.OnDisk()
		file := t.Root.Path(cache + "/repo/" + p.Path(t.variant.PackageSystem))
		err := t.stash.Put(rollback.Kept{Name: p.Name, Version: p.Version, Arch: p.Arch, SHA256: sha, Size: size, Ext: t.extension()}, func(path string) error {
			return create(path, func(w *os.File) error { return bundle.CopyVerified(ctx, w, file, sha, size) })
		})
		if err != nil {
			t.Log.Warn("the stash lacks a package", "package", p.Name, "error", err) // the next bundle brings it whole
		}
	}
}

// tidy drops scratch files, points that are not kept and what neither they nor
// the installed packages need from the stash.
func (t *transaction) tidy(ctx context.Context, gone []journal.Point) {
	var all error
	for _, p := range gone {
		d, err := t.driver(p.Method)
		if err == nil {
			err = d.Delete(ctx, p.Bundle)
		}
		all = errors.Join(all, err)
	}
	wanted := map[string]bool{}
	list, err := t.system.Installed(ctx)
	all = errors.Join(all, err)
	for _, p := range list {
		wanted[p.Name+" "+p.Version] = true
	}
	for _, p := range t.j.Now().Points {
		for key, version := range p.Before {
			name, _, _ := strings.Cut(key, ":")
			wanted[name+" "+version] = true
		}
	}
	if err == nil {
		all = errors.Join(all, t.stash.Keep(func(k rollback.Kept) bool { return wanted[k.Name+" "+k.Version] }))
	}
	if all = errors.Join(all, t.clear(), removed(filepath.Join(t.Dir, manifestFile))); all != nil {
		t.Log.Warn("not everything is tidied up", "error", all)
	}
}

func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// changes are a report's details: who became what, and what was said meanwhile.
func (s *session) changes(before, after map[string]string) []byte {
	type change struct {
		Package string `json:"package"`
		From    string `json:"from,omitempty"`
		To      string `json:"to,omitempty"`
	}
	var list []change
	for key, to := range after {
		list = append(list, change{key, before[key], to})
	}
	slices.SortFunc(list, func(a, b change) int { return strings.Compare(a.Package, b.Package) })
	whole := map[string]any{"packages": list}
	if s.said != "" {
		whole["log"] = s.said
	}
	raw, err := json.Marshal(whole)
	if err != nil || len(raw) > protocol.MaxDetails {
		raw = detail("packages", fmt.Sprint(len(list)), "log", s.said)
	}
	if len(raw) > protocol.MaxDetails {
		raw = detail("packages", fmt.Sprint(len(list)))
	}
	return raw
}
