package packages

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/signalbox/signalbox/agents/bundle/version"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/protocol"
)

// Dnf is rpm with dnf. Into another root than the live one they install from
// outside, which an image without either needs.
type Dnf struct {
	Root    host.Root
	Native  string
	Release string // of the system, for repositories' variables
}

// Key of the repository on dnf's command line.
const dnfRepository = "signalbox"

func (d *Dnf) rpm(ctx context.Context, args ...string) (host.Output, error) {
	if !d.Root.Live() {
		args = append([]string{"--root", string(d.Root)}, args...)
	}
	return host.Run(ctx, "rpm", args...)
}

// Installed asks rpm.
func (d *Dnf) Installed(ctx context.Context) ([]protocol.Package, error) {
	out, err := d.rpm(ctx, "-qa", "--qf", `%{NAME}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n`)
	if err == nil && out.Exit != 0 {
		err = failed("rpm -qa", out)
	}
	if err != nil {
		return nil, fmt.Errorf("list the installed packages: %w", err)
	}
	return ParseQuery(out.Text), nil
}

// ParseQuery reads lines of name, version, architecture and source file, with tabs between.
func ParseQuery(text string) []protocol.Package {
	var list []protocol.Package
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(f) < 3 || f[0] == "" || f[0] == "gpg-pubkey" {
			continue
		}
		p := protocol.Package{Name: f[0], Version: f[1], Arch: f[2]}
		if len(f) > 3 {
			if source := sourceName(f[3]); source != p.Name {
				p.Source = source
			}
		}
		list = append(list, p)
	}
	sortPackages(list)
	return list
}

// sourceName cuts version and release off "name-version-release.src.rpm".
func sourceName(file string) string {
	for range 2 {
		i := strings.LastIndexByte(file, '-')
		if i < 0 {
			return ""
		}
		file = file[:i]
	}
	return file
}

// Held lists what dnf's versionlock names.
func (d *Dnf) Held(context.Context) ([]string, error) {
	return readVersionLock(d.Root.Path("/etc/dnf/plugins/versionlock.list"))
}

// Compare orders as rpm does.
func (d *Dnf) Compare(x, y string) int { return version.RPM(x, y) }

// Locked looks at rpm's lock.
func (d *Dnf) Locked() bool {
	return lockHeld(d.Root.Path("/var/lib/rpm/.rpm.lock")) || lockHeld(d.Root.Path("/usr/lib/sysimage/rpm/.rpm.lock"))
}

// Broken asks whether rpm can read its own database, and for packages that are
// there twice, which an interrupted upgrade leaves.
func (d *Dnf) Broken(ctx context.Context) (string, error) {
	out, err := d.rpm(ctx, "-qa", "--qf", `%{NAME}.%{ARCH}\n`)
	if err != nil {
		return "", fmt.Errorf("ask rpm: %w", err)
	}
	if out.Exit != 0 {
		return strings.TrimSpace(out.Text), nil
	}
	seen := map[string]bool{}
	var twice []string
	for name := range strings.Lines(out.Text) {
		name = strings.TrimSpace(name)
		if seen[name] && !severalAllowed(name) {
			twice = append(twice, name+" is there twice")
		}
		seen[name] = true
	}
	return strings.Join(twice, ", "), nil
}

// severalAllowed are packages of which a system keeps several versions.
func severalAllowed(name string) bool {
	return strings.HasPrefix(name, "kernel") || strings.HasPrefix(name, "gpg-pubkey")
}

// Repair removes what an interrupted upgrade left twice.
func (d *Dnf) Repair(ctx context.Context) (host.Output, error) {
	return d.dnf(ctx, Repository{Work: "/var/cache/signalbox-agent/repair"}, "remove", "--duplicates")
}

func (d *Dnf) dnf(ctx context.Context, from Repository, args ...string) (host.Output, error) {
	all := []string{"-y", "--disablerepo=*", "--setopt=reposdir=/dev/null", "--setopt=install_weak_deps=False", "--setopt=color=never", "--noplugins",
		"--setopt=cachedir=" + d.Root.Path(from.Work+"/dnf")}
	if d.Release != "" {
		all = append(all, "--releasever="+d.Release)
	}
	if !d.Root.Live() {
		all = append(all, "--installroot="+string(d.Root))
	}
	if from.Dir != "" {
		all = append(all, "--repofrompath="+dnfRepository+",file://"+d.Root.Path(from.Dir), "--enablerepo="+dnfRepository, "--setopt="+dnfRepository+".gpgcheck=0", "--setopt="+dnfRepository+".skip_if_unavailable=0")
		if from.Key != "" {
			all = append(all, "--setopt="+dnfRepository+".repo_gpgcheck=1", "--setopt="+dnfRepository+".gpgkey=file://"+d.Root.Path(from.Key))
		}
	}
	return host.Run(ctx, "dnf", append(all, args...)...)
}

// signed wants every package to bear a signature of the repository's keys. It is
// not dnf's gpgcheck, which would put these keys into the machine's own database
// for good: every other repository's packages would be judged by them too.
func (d *Dnf) signed(ctx context.Context, from Repository) error {
	if from.Key == "" {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(d.Root.Path(from.Dir), "Packages", "*.rpm"))
	if err != nil || len(files) == 0 {
		return err
	}
	keys := d.Root.Path(from.Work + "/keys")
	if err := errors.Join(os.RemoveAll(keys), os.MkdirAll(keys, 0o700)); err != nil {
		return fmt.Errorf("make a folder for keys: %w", err)
	}
	for _, args := range [][]string{{"--import", d.Root.Path(from.Key)}, append([]string{"--define", "_pkgverify_level all", "--checksig"}, files...)} {
		out, err := host.Run(ctx, "rpmkeys", append([]string{"--dbpath", keys}, args...)...)
		if err == nil && out.Exit != 0 {
			err = failed("rpmkeys", out)
		}
		if err != nil {
			return fmt.Errorf("check the packages' signatures: %w", err)
		}
	}
	return nil
}

// Plan lets dnf show its transaction and say no.
func (d *Dnf) Plan(ctx context.Context, from Repository, rules Rules) (Plan, error) {
	plan := Plan{Upgrade: map[string]string{}, New: map[string]string{}}
	if err := d.signed(ctx, from); err != nil {
		return plan, err
	}
	for _, args := range d.steps(rules) {
		out, err := d.dnf(ctx, from, append(args, "--assumeno")...)
		if err != nil {
			return plan, fmt.Errorf("simulate the upgrade: %w", err)
		}
		part, some := ParseTransaction(out.Text, d.Native)
		// dnf ends with 1 after --assumeno too: only the table tells.
		if out.Exit != 0 && !some {
			return plan, fmt.Errorf("simulate the upgrade: %w", failed("dnf", out))
		}
		for k, v := range part.Upgrade {
			plan.Upgrade[k] = v
		}
		for k, v := range part.New {
			plan.New[k] = v
		}
		plan.Remove = append(plan.Remove, part.Remove...)
	}
	return plan, nil
}

// steps are dnf's commands: one for what gets newer, one for what gets older.
func (d *Dnf) steps(rules Rules) [][]string {
	steps := [][]string{{"upgrade"}}
	if len(rules.Downgrade) > 0 {
		down := []string{"downgrade"}
		for _, w := range rules.Downgrade {
			down = append(down, w.Name+"-"+strings.TrimPrefix(w.Version, "0:"))
			steps[0] = append(steps[0], "--exclude="+w.Name)
		}
		steps = append(steps, down)
	}
	return steps
}

var transactionRow = regexp.MustCompile(`^ (\S+)\s+(\S+)\s+(\S+)\s+(?:@\S+|` + dnfRepository + `)\s`)

// ParseTransaction reads dnf's table; some is false where it has none.
func ParseTransaction(text, native string) (p Plan, some bool) {
	p = Plan{Upgrade: map[string]string{}, New: map[string]string{}}
	section := ""
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, maxStatusLine)
	for lines.Scan() {
		line := lines.Text()
		if line != "" && line[0] != ' ' && strings.HasSuffix(line, ":") {
			section = strings.TrimSuffix(line, ":")
			continue
		}
		m := transactionRow.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		key := Key(m[1], m[2], native)
		switch {
		case section == "Upgrading" || section == "Downgrading" || section == "Reinstalling":
			p.Upgrade[key] = m[3]
		case strings.HasPrefix(section, "Installing"):
			p.New[key] = m[3]
		case strings.HasPrefix(section, "Removing"):
			p.Remove = append(p.Remove, key)
		default:
			continue
		}
		some = true
	}
	return p, some
}

// Install upgrades from the folder.
func (d *Dnf) Install(ctx context.Context, from Repository, rules Rules) (host.Output, error) {
	var all host.Output
	for _, args := range d.steps(rules) {
		out, err := d.dnf(ctx, from, args...)
		all.Text += out.Text
		all.Exit = max(all.Exit, out.Exit)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// Restore lets rpm put older files in and then takes away what is new.
func (d *Dnf) Restore(ctx context.Context, files []Want, remove []string, work string) (host.Output, error) {
	var all host.Output
	if len(files) > 0 {
		args := []string{"-U", "--oldpackage", "--replacepkgs"}
		for _, w := range files {
			args = append(args, d.Root.Path(w.File))
		}
		out, err := d.rpm(ctx, args...)
		if all = out; err != nil {
			return all, err
		}
	}
	if len(remove) > 0 {
		out, err := d.rpm(ctx, append([]string{"-e"}, remove...)...)
		all.Text += out.Text
		all.Exit = max(all.Exit, out.Exit)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}
