package worker

import (
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var prefer = flag.String("prefer", "", "run the tests with this engine")

// The tests run with the best engine; this one runs them again with what remains.
func TestOtherEngines(t *testing.T) {
	t.Parallel()
	if *prefer != "" || os.Geteuid() != 0 {
		t.Log("this is the other engine already")
		return
	}
	if _, err := exec.LookPath("bwrap"); err != nil {
		t.Fatal("bubblewrap is missing (apt install bubblewrap slirp4netns)")
	}
	const tests = "^(TestRun|TestIsolation|TestNotRootOutside|TestRefusals|TestStop|TestNetwork|TestVolumesInContainers|TestHostFolderIsReadOnly|TestImageVolume|TestServerKilled|TestSupervisorKilled|TestRecoverRemovesUnknown|TestRemoveAndAgain|TestMuchOutput)$"
	for name, uid := range map[string]int{"root through bubblewrap": 0, "nobody through bubblewrap": 65534} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := forUser(t, uid)
			// Without root, a network needs /dev/net/tun to be everybody's, as it is on
			// most machines; here it is made so for this process only.
			script := `if [ "$1" != 0 ]; then mknod tun c 10 200 && chmod 666 tun && mount --bind tun /dev/net/tun || exit 9; fi
				uid=$1; shift; exec setpriv --reuid $uid --regid $uid --clear-groups "$@"`
			cmd := exec.Command("unshare", "-m", "sh", "-c", script, "sh", strconv.Itoa(uid),
				filepath.Join(dir, "worker.test"), "-test.run", tests, "-prefer", "bwrap", "-test.timeout", "3m")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "TMPDIR="+dir, "HOME="+dir)
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// forUser copies the test binary where the user can run it.
func forUser(t *testing.T, uid int) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "worker")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := removeTree(dir); err != nil {
			t.Error(err)
		}
	})
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(dir, "worker.test"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, uid, uid); err != nil {
		t.Fatal(err)
	}
	return dir
}
