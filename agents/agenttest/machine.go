package agenttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/signalbox/signalbox/agents/host"
)

// programs that a small root takes from the machine that the tests run on.
// Everything else in it is busybox.
var programs = []string{"/usr/bin/dpkg", "/usr/bin/dpkg-deb", "/usr/bin/dpkg-query", "/usr/bin/dpkg-split", "/usr/bin/apt-get", "/usr/bin/apt-config", "/usr/bin/apt-key", "/usr/bin/gpgv",
	"/usr/bin/tar", "/usr/lib/apt/methods/file", "/usr/lib/apt/methods/copy", "/usr/lib/apt/methods/store", "/usr/lib/apt/methods/gpgv", "/bin/busybox"}

// pattern is what every Machine shares by hard links: programs and libraries,
// which nothing in the tests writes to.
var pattern struct {
	sync.Mutex
	dir string
}

// Main runs a package's tests and removes what its machines had in common.
func Main(m *testing.M) {
	code := m.Run()
	Forget()
	os.Exit(code)
}

// Forget removes what the machines made so far had in common.
func Forget() {
	pattern.Lock()
	defer pattern.Unlock()
	if err := os.RemoveAll(pattern.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	pattern.dir = ""
}

// Machine is a small root folder with dpkg and apt in it. It needs root: packages are
// installed by changing into it. The package's TestMain must be Main, or the test call Forget.
func Machine(t testing.TB) host.Root {
	t.Helper()
	pattern.Lock()
	defer pattern.Unlock()
	if pattern.dir == "" {
		dir, err := os.MkdirTemp("", "agenttest")
		if err != nil {
			t.Fatal(err)
		}
		pattern.dir = dir
		fill(t, dir)
	}
	root := t.TempDir()
	script(t, root, "cp -al", "cp", "-al", pattern.dir+"/.", root)
	for _, dir := range []string{"/var/lib/dpkg/info", "/var/lib/dpkg/updates", "/var/lib/dpkg/triggers", "/var/lib/apt/lists/partial", "/var/cache/apt/archives/partial", "/var/log/apt",
		"/etc/apt/apt.conf.d", "/etc/apt/preferences.d", "/etc/apt/trusted.gpg.d", "/tmp", "/dev", "/run", "/root", "/usr/sbin", "/sbin", "/opt"} {
		Write(t, root, dir+"/.keep", "", 0o644)
	}
	Write(t, root, "/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n", 0o644)
	Write(t, root, "/etc/hostname", "till-7\n", 0o644)
	Write(t, root, "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0o644)
	Write(t, root, "/etc/group", "root:x:0:\n", 0o644)
	Write(t, root, "/var/lib/dpkg/status", "", 0o644)
	Write(t, root, "/var/lib/dpkg/arch", Arch()+"\n", 0o644)
	// A plain file stands in for the device: a test machine may forbid making one.
	Write(t, root, "/dev/null", "", 0o666)
	return host.Root(root)
}

// fill copies the programs and what they need.
func fill(t testing.TB, root string) {
	t.Helper()
	libraries := map[string]bool{}
	for _, p := range programs {
		real, err := filepath.EvalSymlinks(p)
		if err != nil {
			t.Fatalf("%v (apt install apt busybox-static gpgv)", err)
		}
		copyIn(t, real, root, p)
		for _, l := range needs(real) {
			libraries[l] = true
		}
	}
	for l := range libraries {
		real, err := filepath.EvalSymlinks(l)
		if err != nil {
			t.Fatal(err)
		}
		copyIn(t, real, root, l)
	}
	tables, err := filepath.Glob("/usr/share/dpkg/*table")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		copyIn(t, table, root, table)
	}
	script(t, root, "/bin/busybox --install -s /bin", "chroot", root, "/bin/busybox", "--install", "-s", "/bin")
	Write(t, root, "/sbin/ldconfig", "#!/bin/sh\n", 0o755)
}

// Arch is this machine's architecture by dpkg's name.
func Arch() string { return runtime.GOARCH }

// needs lists the libraries of a program.
func needs(path string) []string {
	out, err := exec.Command("ldd", path).Output()
	if err != nil {
		return nil // static
	}
	var list []string
	for line := range strings.Lines(string(out)) {
		for _, word := range strings.Fields(line) {
			if strings.HasPrefix(word, "/") {
				list = append(list, word)
			}
		}
	}
	return list
}

func copyIn(t testing.TB, from, root, to string) {
	t.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	Write(t, root, to, string(raw), 0o755)
}

// Write puts a file below a folder.
func Write(t testing.TB, root, path, content string, mode os.FileMode) {
	t.Helper()
	full := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func script(t testing.TB, dir, what string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000") // the same package, the same bytes
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", what, err, out)
	}
}

// Deb describes a package.
type Deb struct {
	Name, Version, Depends, Postinst string
	// Conffile is the content of /etc/NAME.conf.
	Conffile string
	Files    map[string]string
	Arch     string
}

// Build makes the file with dpkg-deb.
func (d Deb) Build(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	Write(t, dir, "tree/opt/"+d.Name, d.Name+" "+d.Version+"\n", 0o644)
	for path, content := range d.Files {
		Write(t, dir, "tree/"+path, content, 0o755)
	}
	Write(t, dir, "tree/DEBIAN/control", d.control(), 0o644)
	if d.Postinst != "" {
		Write(t, dir, "tree/DEBIAN/postinst", "#!/bin/sh\n"+d.Postinst+"\n", 0o755)
	}
	if d.Conffile != "" {
		Write(t, dir, "tree/etc/"+d.Name+".conf", d.Conffile, 0o644)
		Write(t, dir, "tree/DEBIAN/conffiles", "/etc/"+d.Name+".conf\n", 0o644)
	}
	script(t, dir, "dpkg-deb", "dpkg-deb", "--root-owner-group", "-Zgzip", "-b", "tree", "out.deb")
	raw, err := os.ReadFile(filepath.Join(dir, "out.deb"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (d Deb) arch() string {
	if d.Arch != "" {
		return d.Arch
	}
	return Arch()
}

func (d Deb) control() string {
	text := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: nobody <nobody@example.com>\nDescription: a test\n", d.Name, d.Version, d.arch())
	if d.Depends != "" {
		text += "Depends: " + d.Depends + "\n"
	}
	return text
}

// Install puts packages into a root as an operator would have.
func Install(t testing.TB, root host.Root, debs ...Deb) {
	t.Helper()
	args := []string{string(root), "dpkg", "--force-depends", "-i"}
	for _, d := range debs {
		path := "/tmp/" + d.Name + "_" + d.Version + ".deb"
		Write(t, string(root), path, string(d.Build(t)), 0o644)
		args = append(args, path)
	}
	script(t, string(root), "dpkg -i", "chroot", args...)
}
