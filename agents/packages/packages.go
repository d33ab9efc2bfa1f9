package packages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/protocol"
)

// Want is one package in one version.
type Want struct {
	Name    string
	Arch    string
	Version string
	File    string // where its file is for this process; only for Restore
}

// Key names a package on one machine: its name, and its architecture only
// where that is a foreign one.
func Key(name, arch, native string) string {
	if arch == native || arch == "all" || arch == "noarch" || arch == "" {
		return name
	}
	return name + ":" + arch
}

// Repository is a folder with packages and their index, inside the machine's root.
type Repository struct {
	Dir string // path as the machine sees it
	// Key is the OpenPGP key that its index must be signed with, as the machine
	// sees it. Empty: what is in the folder was checked by hash already.
	Key  string
	Work string // a folder for scratch files, as the machine sees it
}

// Rules are what the operator allows beside plain upgrades.
type Rules struct {
	Remove    bool     // packages may go; which, the caller has seen in the plan
	Downgrade []Want   // packages that get older on purpose
	Conffiles string   // keep or replace
	Skip      []string // held packages that are left as they are
}

// Plan is what the package manager would do, by key of the package.
type Plan struct {
	Upgrade map[string]string // to which version
	New     map[string]string
	Remove  []string
}

// System is a package manager on one machine.
type System interface {
	// Installed lists what is there, sorted; a status other than properly installed is named.
	Installed(ctx context.Context) ([]protocol.Package, error)
	// Held lists what an operator keeps from being changed, by key.
	Held(ctx context.Context) ([]string, error)
	// Locked tells whether somebody else is changing packages at the moment.
	Locked() bool
	// Broken says what an earlier interrupted run left behind; empty: nothing.
	Broken(ctx context.Context) (string, error)
	// Repair tries to finish what was interrupted.
	Repair(ctx context.Context) (host.Output, error)
	// Plan simulates Install.
	Plan(ctx context.Context, from Repository, rules Rules) (Plan, error)
	// Install upgrades what is installed to what the repository has.
	Install(ctx context.Context, from Repository, rules Rules) (host.Output, error)
	// Restore puts these files in, older ones too, and removes the named packages.
	Restore(ctx context.Context, files []Want, remove []string, work string) (host.Output, error)
	// Compare orders two versions: negative when a is older than b.
	Compare(a, b string) int
}

// For gives the one that keeps the root's packages.
func For(root host.Root, machine protocol.Machine) (System, error) {
	switch machine.PackageSystem {
	case "apt":
		return &Apt{Root: root, Native: machine.Arch}, nil
	case "rpm":
		return &Dnf{Root: root, Native: machine.Arch, Release: machine.VersionID}, nil
	}
	return nil, errors.New("neither dpkg nor rpm keeps this machine's packages")
}

// Versions indexes what is installed by key.
func Versions(installed []protocol.Package, native string) map[string]string {
	versions := make(map[string]string, len(installed))
	for _, p := range installed {
		versions[Key(p.Name, p.Arch, native)] = p.Version
	}
	return versions
}

// WaitUnlocked waits until nobody else changes packages, at most so long.
func WaitUnlocked(ctx context.Context, s System, most time.Duration) error {
	deadline := time.NewTimer(most)
	defer deadline.Stop()
	again := time.NewTicker(min(time.Second, most/10+time.Millisecond))
	defer again.Stop()
	for s.Locked() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("another program has held the lock of the package manager for %s", most)
		case <-again.C:
		}
	}
	return nil
}

// lockHeld looks for a POSIX lock of another process on a file.
func lockHeld(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false // no file, no lock
	}
	lock := syscall.Flock_t{Type: syscall.F_WRLCK}
	err = syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock)
	return errors.Join(err, f.Close()) == nil && lock.Type != syscall.F_UNLCK
}

func sortPackages(list []protocol.Package) {
	sort.Slice(list, func(i, j int) bool {
		if list[i].Name != list[j].Name {
			return list[i].Name < list[j].Name
		}
		return list[i].Arch < list[j].Arch
	})
}

// failed makes an error of a program that ended badly, with the end of what it said.
func failed(what string, out host.Output) error {
	lines := strings.Split(strings.TrimSpace(out.Text), "\n")
	return fmt.Errorf("%s ended with status %d: %s", what, out.Exit, strings.Join(lines[max(0, len(lines)-4):], " | "))
}
