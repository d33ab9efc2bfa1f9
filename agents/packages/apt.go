package packages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/agents/bundle/version"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/protocol"
)

// Apt is dpkg with apt.
type Apt struct {
	Root   host.Root
	Native string // architecture

	ready Repository // whose index has been read by this process
}

// Installed reads dpkg's status file itself: the network half has no rights to more.
func (a *Apt) Installed(context.Context) ([]protocol.Package, error) {
	installed, _, err := a.status()
	return installed, err
}

// Held lists what `apt-mark hold` keeps.
func (a *Apt) Held(context.Context) ([]string, error) {
	_, held, err := a.status()
	return held, err
}

func (a *Apt) status() (installed []protocol.Package, held []string, err error) {
	f, err := os.Open(a.Root.Path("/var/lib/dpkg/status"))
	if err != nil {
		return nil, nil, fmt.Errorf("read dpkg's status: %w", err)
	}
	installed, held, err = ParseStatus(f, a.Native)
	return installed, held, errors.Join(err, f.Close())
}

// Compare orders as dpkg does.
func (a *Apt) Compare(x, y string) int { return version.Deb(x, y) }

// Locked looks at the lock of every front end and at dpkg's own.
func (a *Apt) Locked() bool {
	return lockHeld(a.Root.Path("/var/lib/dpkg/lock-frontend")) || lockHeld(a.Root.Path("/var/lib/dpkg/lock"))
}

// Broken is what dpkg's audit says, or that a run of it was killed.
func (a *Apt) Broken(ctx context.Context) (string, error) {
	journal, err := os.ReadDir(a.Root.Path("/var/lib/dpkg/updates"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("look for an interrupted dpkg: %w", err)
	}
	if slices.ContainsFunc(journal, func(e os.DirEntry) bool { return strings.Trim(e.Name(), "0123456789") == "" }) {
		return "dpkg was interrupted", nil
	}
	installed, _, err := a.status()
	if err != nil {
		return "", err
	}
	var bad []string
	for _, p := range installed {
		// Triggers that wait are run with the next configuration; they block nothing.
		if p.Status != "" && p.Status != "triggers-pending" && p.Status != "triggers-awaited" {
			bad = append(bad, p.Name+" is "+p.Status)
		}
	}
	return strings.Join(bad, ", "), nil
}

// Repair finishes configuring. An edited configuration file is kept: it is the machine's.
func (a *Apt) Repair(ctx context.Context) (host.Output, error) {
	return a.Root.Run(ctx, "dpkg", "--force-confdef", "--force-confold", "--configure", "-a")
}

// options point apt at one folder and away from the machine's own sources.
// Dates are not apt's to judge: a node's clock may be wrong, and freshness has
// been decided from signed metadata.
func (a *Apt) options(work string) []string {
	var o []string
	for _, pair := range []string{
		"Dir::Etc::sourcelist=" + work + "/sources.list", "Dir::Etc::sourceparts=/dev/null", "Dir::State::lists=" + work + "/lists",
		"Dir::Cache::archives=" + work + "/archives", "Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache=",
		"Acquire::Languages=none", "Acquire::Retries=0", "Acquire::Check-Date=false", "Acquire::Check-Valid-Until=false",
		"APT::Sandbox::User=root", "APT::Get::Always-Include-Phased-Updates=true", "APT::Update::Error-Mode=any",
		"Dpkg::Lock::Timeout=60", "Dpkg::Use-Pty=0", "APT::Color=0",
	} {
		o = append(o, "-o", pair)
	}
	return o
}

// prepare writes the source list and reads the index.
func (a *Apt) prepare(ctx context.Context, from Repository) error {
	a.ready = Repository{}
	trust := "trusted=yes"
	if from.Key != "" {
		trust = "signed-by=" + from.Key
	}
	if err := a.scratch(from.Work, "deb ["+trust+"] file:"+from.Dir+" ./\n"); err != nil {
		return err
	}
	out, err := a.Root.Run(ctx, "apt-get", append(a.options(from.Work), "update")...)
	if err == nil && out.Exit != 0 {
		err = failed("apt-get update", out)
	}
	if err != nil {
		return fmt.Errorf("read the bundle's index: %w", err)
	}
	a.ready = from
	return nil
}

func (a *Apt) scratch(work, sources string) error {
	for _, dir := range []string{"lists/partial", "archives/partial"} {
		if err := os.MkdirAll(a.Root.Path(path.Join(work, dir)), 0o755); err != nil {
			return fmt.Errorf("make apt's scratch folders: %w", err)
		}
	}
	if err := os.WriteFile(a.Root.Path(path.Join(work, "sources.list")), []byte(sources), 0o644); err != nil {
		return fmt.Errorf("write apt's source: %w", err)
	}
	return nil
}

// upgrade is the command line of both the simulation and the real thing.
func (a *Apt) upgrade(from Repository, rules Rules) ([]string, error) {
	args := append(a.options(from.Work), "-y", "--no-install-recommends")
	if !rules.Remove {
		args = append(args, "--no-remove")
	}
	if len(rules.Downgrade) > 0 {
		// A priority above 1000 is how apt is told to go to an older version.
		var pins strings.Builder
		for _, w := range rules.Downgrade {
			fmt.Fprintf(&pins, "Package: %s\nPin: version %s\nPin-Priority: 1001\n\n", w.Name, w.Version)
		}
		if err := os.WriteFile(a.Root.Path(path.Join(from.Work, "preferences")), []byte(pins.String()), 0o644); err != nil {
			return nil, fmt.Errorf("write apt's preferences: %w", err)
		}
		args = append(args, "--allow-downgrades", "-o", "Dir::Etc::preferences="+from.Work+"/preferences")
	}
	return append(args, conffiles(rules.Conffiles)...), nil
}

func conffiles(policy string) []string {
	force := []string{"--force-confdef", "--force-confold"}
	if policy == "replace" {
		force = []string{"--force-confnew"}
	}
	var o []string
	for _, f := range force {
		o = append(o, "-o", "Dpkg::Options::="+f)
	}
	return o
}

// Plan asks apt what it would do.
func (a *Apt) Plan(ctx context.Context, from Repository, rules Rules) (Plan, error) {
	if err := a.prepare(ctx, from); err != nil {
		return Plan{}, err
	}
	rules.Remove = true // the simulation shall say it, not refuse it
	args, err := a.upgrade(from, rules)
	if err != nil {
		return Plan{}, err
	}
	out, err := a.Root.Run(ctx, "apt-get", append(args, "-o", "Dir::Log::Planner=/dev/null", "-s", "dist-upgrade")...)
	if err == nil && out.Exit != 0 {
		err = failed("apt-get -s dist-upgrade", out)
	}
	if err != nil {
		return Plan{}, fmt.Errorf("simulate the upgrade: %w", err)
	}
	return ParseSimulation(out.Text), nil
}

// Inst name[:arch] [old] (new Origin:suite [arch]) and Remv name [old], as apt-get -s prints them.
var (
	instLine = regexp.MustCompile(`^Inst (\S+)(?: \[([^\]]*)\])? \((\S+)`)
	remvLine = regexp.MustCompile(`^(?:Remv|Purg) (\S+)`)
)

// ParseSimulation reads what `apt-get -s` printed.
func ParseSimulation(text string) Plan {
	p := Plan{Upgrade: map[string]string{}, New: map[string]string{}}
	for line := range strings.Lines(text) {
		if m := instLine.FindStringSubmatch(line); m != nil {
			if m[2] == "" {
				p.New[m[1]] = m[3]
			} else {
				p.Upgrade[m[1]] = m[3]
			}
		} else if m := remvLine.FindStringSubmatch(line); m != nil {
			p.Remove = append(p.Remove, m[1])
		}
	}
	return p
}

// Install upgrades everything that the folder has newer, and what the rules make older.
func (a *Apt) Install(ctx context.Context, from Repository, rules Rules) (host.Output, error) {
	if a.ready != from {
		if err := a.prepare(ctx, from); err != nil {
			return host.Output{}, err
		}
	}
	args, err := a.upgrade(from, rules)
	if err != nil {
		return host.Output{}, err
	}
	return a.Root.Run(ctx, "apt-get", append(args, "dist-upgrade")...)
}

// Restore lets apt order the files, and falls back to dpkg with force where apt
// will not touch what a failed install left.
func (a *Apt) Restore(ctx context.Context, files []Want, remove []string, work string) (host.Output, error) {
	if err := a.scratch(work, ""); err != nil {
		return host.Output{}, err
	}
	args := append(a.options(work), "-y", "--no-install-recommends", "--allow-downgrades", "--allow-change-held-packages", "--purge")
	args = append(append(args, conffiles("keep")...), "install")
	var paths []string
	for _, w := range files {
		paths = append(paths, w.File)
	}
	args = append(args, paths...)
	for _, name := range remove {
		args = append(args, name+"-")
	}
	out, err := a.Root.Run(ctx, "apt-get", args...)
	if err != nil || out.Exit == 0 {
		return out, err
	}
	said := out.Text
	if len(paths) > 0 {
		force := []string{"--force-confdef", "--force-confold", "--force-downgrade", "--force-depends", "--force-hold", "-i"}
		if out, err = a.Root.Run(ctx, "dpkg", append(force, paths...)...); err != nil {
			return out, err
		}
		said += out.Text
	}
	if len(remove) > 0 {
		if out, err = a.Root.Run(ctx, "dpkg", append([]string{"--force-depends", "--purge"}, remove...)...); err != nil {
			return out, err
		}
		said += out.Text
	}
	out, err = a.Repair(ctx)
	out.Text = said + out.Text
	return out, err
}
