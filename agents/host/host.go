package host

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

// Root is the top folder of the machine: "/" or that of a chroot.
type Root string

// Live tells whether it is the machine that this process runs on.
func (r Root) Live() bool { return r == "" || filepath.Clean(string(r)) == "/" }

// Path is where a path of the machine is for this process.
func (r Root) Path(path string) string { return filepath.Join("/", string(r), path) }

// quiet is the environment of every program that is run: nobody answers questions.
var quiet = []string{
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root", "TERM=dumb",
	"DEBIAN_FRONTEND=noninteractive", "DEBCONF_NONINTERACTIVE_SEEN=true", "UCF_FORCE_CONFFOLD=1", "NEEDRESTART_MODE=l", "APT_LISTCHANGES_FRONTEND=none",
}

// Output is what a program said, its end where there was much.
type Output struct {
	Text string
	Exit int // -1: it did not end by itself
}

// Keep is how much of a program's output is kept, from its end.
const Keep = 32 << 10

// Run runs a program inside the root and waits. A status other than 0 is no
// error; that it could not be run, or that the context ended it, is.
func (r Root) Run(ctx context.Context, name string, args ...string) (Output, error) {
	if !r.Live() {
		args = append([]string{string(r), name}, args...)
		name = "chroot"
	}
	return Run(ctx, name, args...)
}

// Run runs a program of this process's own machine.
func Run(ctx context.Context, name string, args ...string) (Output, error) {
	cmd := exec.CommandContext(ctx, lookPath(name), args...)
	cmd.Env = quiet
	cmd.Dir = "/"
	// A group of its own, so that what it started goes when its time is over.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var said tail
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	out := Output{Text: said.String(), Exit: cmd.ProcessState.ExitCode()}
	var status *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return out, fmt.Errorf("%s took too long: %w", name, ctx.Err())
	case errors.As(err, &status) && out.Exit >= 0, errors.Is(err, exec.ErrWaitDelay):
		return out, nil
	case err != nil:
		return out, fmt.Errorf("run %s: %w", name, err)
	}
	return out, nil
}

// lookPath finds system programs also where a person's PATH lacks them.
func lookPath(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	for _, dir := range strings.Split(strings.TrimPrefix(quiet[0], "PATH="), ":") {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode()&0o111 != 0 {
			return filepath.Join(dir, name)
		}
	}
	return name
}

// tail keeps the last Keep bytes written to it.
type tail struct{ buffer bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	t.buffer.Write(p)
	if over := t.buffer.Len() - 2*Keep; over > 0 {
		t.buffer.Next(t.buffer.Len() - Keep)
	}
	return len(p), nil
}

func (t *tail) String() string {
	b := t.buffer.Bytes()
	if len(b) > Keep {
		b = b[len(b)-Keep:]
	}
	return strings.ToValidUTF8(string(b), "�")
}

// OSRelease reads /etc/os-release.
func (r Root) OSRelease() (map[string]string, error) {
	raw, err := os.ReadFile(r.Path("/etc/os-release"))
	if err != nil {
		return nil, fmt.Errorf("read what system this is: %w", err)
	}
	return parseOSRelease(raw), nil
}

func parseOSRelease(raw []byte) map[string]string {
	found := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		key, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		if !ok || key == "" || strings.HasPrefix(key, "#") {
			continue
		}
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		found[key] = strings.Trim(value, `'"`)
	}
	return found
}

// rpmArch names this processor as rpm does; deb's names are Go's but for one.
var rpmArch = map[string]string{"amd64": "x86_64", "arm64": "aarch64", "386": "i686"}
var debArch = map[string]string{"386": "i386", "arm": "armhf"}

// Machine says what it is.
func (r Root) Machine() (protocol.Machine, error) {
	release, err := r.OSRelease()
	if err != nil {
		return protocol.Machine{}, err
	}
	m := protocol.Machine{OSID: release["ID"], VersionID: release["VERSION_ID"], Codename: release["VERSION_CODENAME"],
		Arch: runtime.GOARCH, Kernel: firstLine("/proc/sys/kernel/osrelease"), BootID: BootID()}
	m.PackageSystem = r.packageSystem()
	if m.PackageSystem == "" {
		return m, errors.New("neither dpkg nor rpm keeps this machine's packages")
	}
	names := debArch
	if m.PackageSystem == "rpm" {
		names = rpmArch
	}
	if other, differs := names[m.Arch]; differs {
		m.Arch = other
	}
	m.Hostname, err = os.Hostname()
	if name := firstLine(r.Path("/etc/hostname")); !r.Live() && name != "" {
		m.Hostname = name
	}
	return m, err
}

func (r Root) packageSystem() string {
	if _, err := os.Stat(r.Path("/var/lib/dpkg/status")); err == nil {
		return "apt"
	}
	for _, db := range []string{"/var/lib/rpm", "/usr/lib/sysimage/rpm"} {
		if _, err := os.Stat(r.Path(db)); err == nil {
			return "rpm"
		}
	}
	return ""
}

func firstLine(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "" // what is not known is empty
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	return strings.TrimSpace(line)
}

// BootID changes with every start of the machine.
func BootID() string { return firstLine("/proc/sys/kernel/random/boot_id") }

// Uptime is how long the machine has run.
func Uptime() time.Duration {
	seconds, _, _ := strings.Cut(firstLine("/proc/uptime"), " ")
	f, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		return 0
	}
	return time.Duration(f * float64(time.Second))
}

// Free is how many bytes a program without privileges could still write below path.
func Free(path string) (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return 0, fmt.Errorf("measure the free space of %s: %w", path, err)
	}
	return int64(fs.Bavail) * fs.Bsize, nil
}

// lowBattery is the charge in percent below which nothing is begun.
const lowBattery = 30

// LowBattery tells whether the machine runs on a battery that is nearly empty.
// supplies is /sys/class/power_supply.
func LowBattery(supplies string) (charge int, low bool) {
	found, err := filepath.Glob(filepath.Join(supplies, "*"))
	if err != nil {
		return 0, false
	}
	charge = -1
	for _, s := range found {
		switch firstLine(filepath.Join(s, "type")) {
		case "Mains", "USB":
			if firstLine(filepath.Join(s, "online")) == "1" {
				return 0, false
			}
		case "Battery":
			if firstLine(filepath.Join(s, "scope")) == "Device" || firstLine(filepath.Join(s, "status")) != "Discharging" {
				continue // a mouse's, or one that is being charged
			}
			if percent, err := strconv.Atoi(firstLine(filepath.Join(s, "capacity"))); err == nil {
				charge = max(charge, percent)
			}
		}
	}
	return charge, charge >= 0 && charge < lowBattery
}

// CopyTo writes what comes from src to a new file and syncs it; the count is checked by the caller.
func CopyTo(path string, src io.Reader, mode os.FileMode) (int64, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|syscall.O_NOFOLLOW, mode)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(f, src)
	if err == nil {
		err = f.Sync()
	}
	return n, errors.Join(err, f.Close())
}
