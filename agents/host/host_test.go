package host

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, root Root, path, content string) {
	t.Helper()
	full := root.Path(path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestMachine(t *testing.T) {
	t.Parallel()
	deb := Root(t.TempDir())
	write(t, deb, "/etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n# a comment\nVERSION_ID='12'\nVERSION_CODENAME=bookworm\nbroken line\n")
	write(t, deb, "/etc/hostname", "till-7\n")
	if _, err := deb.Machine(); err == nil || !strings.Contains(err.Error(), "neither dpkg nor rpm") {
		t.Errorf("no package manager: %v", err)
	}
	write(t, deb, "/var/lib/dpkg/status", "")
	m, err := deb.Machine()
	if err != nil || m.OSID != "debian" || m.VersionID != "12" || m.Codename != "bookworm" || m.PackageSystem != "apt" || m.Hostname != "till-7" || m.BootID == "" || m.Kernel == "" {
		t.Errorf("%+v, %v", m, err)
	}
	rpm := Root(t.TempDir())
	write(t, rpm, "/etc/os-release", "ID=\"rocky\"\nVERSION_ID=\"9.4\"\n")
	write(t, rpm, "/var/lib/rpm/rpmdb.sqlite", "")
	if m, err := rpm.Machine(); err != nil || m.PackageSystem != "rpm" || m.Arch == "amd64" || m.Variant() != "rocky/9.4/"+m.Arch {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := Root(t.TempDir()).Machine(); err == nil {
		t.Error("an empty folder is a machine")
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	out, err := Run(ctx, "sh", "-c", "echo said; echo more >&2; exit 7")
	if err != nil || out.Exit != 7 || out.Text != "said\nmore\n" {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := Run(ctx, "/no/such/program"); err == nil {
		t.Error("a program that is not there ran")
	}
	out, err = Run(ctx, "sh", "-c", "head -c 300000 /dev/zero | tr '\\0' a; echo end")
	if err != nil || len(out.Text) != Keep || !strings.HasSuffix(out.Text, "aend\n") {
		t.Errorf("kept %d bytes, %v", len(out.Text), err)
	}
	short, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	if _, err := Run(short, "sh", "-c", "sleep 600 & sleep 600"); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a program that hangs: %v", err)
	}
}

func TestFree(t *testing.T) {
	t.Parallel()
	if free, err := Free(t.TempDir()); err != nil || free <= 0 {
		t.Errorf("%d, %v", free, err)
	}
	if _, err := Free("/no/such/folder"); err == nil {
		t.Error("a folder that is not there has space")
	}
	if Uptime() <= 0 {
		t.Error("the machine is not up")
	}
}

func TestLowBattery(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		low   bool
	}{
		"none":                    {nil, false},
		"on mains":                {map[string]string{"AC/type": "Mains", "AC/online": "1", "BAT0/type": "Battery", "BAT0/capacity": "5", "BAT0/status": "Discharging"}, false},
		"nearly empty":            {map[string]string{"AC/type": "Mains", "AC/online": "0", "BAT0/type": "Battery", "BAT0/capacity": "5", "BAT0/status": "Discharging"}, true},
		"full":                    {map[string]string{"BAT0/type": "Battery", "BAT0/capacity": "95", "BAT0/status": "Discharging"}, false},
		"a mouse's":               {map[string]string{"hid/type": "Battery", "hid/scope": "Device", "hid/capacity": "5", "hid/status": "Discharging"}, false},
		"the second is not empty": {map[string]string{"BAT0/type": "Battery", "BAT0/capacity": "5", "BAT0/status": "Discharging", "BAT1/type": "Battery", "BAT1/capacity": "80", "BAT1/status": "Discharging"}, false},
	} {
		dir := Root(t.TempDir())
		for path, content := range c.files {
			write(t, dir, path, content+"\n")
		}
		if _, low := LowBattery(string(dir)); low != c.low {
			t.Errorf("%s: low is %v", name, low)
		}
	}
}
