package packages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/signalbox/signalbox/agents/host"
)

// rpms builds packages into a folder.
func rpms(t *testing.T, out string, specs ...string) {
	t.Helper()
	for _, s := range specs {
		dir := t.TempDir()
		spec := filepath.Join(dir, "a.spec")
		if err := os.WriteFile(spec, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
		command(t, "rpmbuild", "-bb", "--quiet", "--define", "_topdir "+dir, "--define", "_rpmdir "+out, "--define", "_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm", spec)
	}
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func spec(name, version, requires string) string {
	if requires != "" {
		requires = "Requires: " + requires + "\n"
	}
	return fmt.Sprintf("Name: %s\nVersion: %s\nRelease: 1\nSummary: a test\nLicense: none\nBuildArch: noarch\nAutoReqProv: no\n%s%%description\na test\n%%install\nmkdir -p %%{buildroot}/opt\necho %s > %%{buildroot}/opt/%s\n%%files\n/opt/%s\n", name, version, requires, version, name, name)
}

// TestSoakDnf needs dnf, rpm, rpmbuild and createrepo_c, which the short tests do without.
func TestSoakDnf(t *testing.T) {
	t.Parallel()
	if os.Getenv("SIGNALBOX_SOAK") == "" {
		t.Log("needs dnf and createrepo_c; runs under SIGNALBOX_SOAK=1")
		return
	}
	ctx := context.Background()
	root := host.Root(t.TempDir())
	d := &Dnf{Root: root, Native: "x86_64", Release: "9"}
	const cache = "/var/cache/signalbox-agent"
	old, fresh := filepath.Join(string(root), cache, "old"), filepath.Join(string(root), cache, "repo")
	for _, dir := range []string{old, fresh, root.Path("/var/lib/rpm"), root.Path("/etc")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	rpms(t, old, spec("till", "1.0", ""), spec("till-data", "1.0", ""))
	rpms(t, fresh, spec("till", "2.0", "till-data >= 2"), spec("till-data", "2.0", ""), spec("elsewhere", "1", ""))
	command(t, "createrepo_c", "-q", fresh)
	installed := func() map[string]string {
		list, err := d.Installed(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return Versions(list, "x86_64")
	}
	var files []Want
	for _, f := range []string{"till-1.0-1.noarch.rpm", "till-data-1.0-1.noarch.rpm"} {
		files = append(files, Want{File: cache + "/old/" + f})
	}
	before, after := map[string]string{"till": "1.0-1", "till-data": "1.0-1"}, map[string]string{"till": "2.0-1", "till-data": "2.0-1"}
	if out, err := d.Restore(ctx, files, nil, cache+"/work"); err != nil || !maps.Equal(installed(), before) {
		t.Fatalf("%v, %v, %s", installed(), err, out.Text)
	}
	if broken, err := d.Broken(ctx); err != nil || broken != "" || d.Locked() {
		t.Errorf("broken %q, %v", broken, err)
	}
	from := Repository{Dir: cache + "/repo", Work: cache + "/work"}
	plan, err := d.Plan(ctx, from, Rules{})
	if err != nil || len(plan.New)+len(plan.Remove) > 0 || d.Compare(plan.Upgrade["till"], "2.0-1") != 0 || len(plan.Upgrade) != 2 {
		t.Fatalf("%+v, %v", plan, err)
	}
	if !maps.Equal(installed(), before) {
		t.Error("the simulation changed something")
	}
	out, err := d.Install(ctx, from, Rules{})
	if err != nil || !maps.Equal(installed(), after) {
		t.Fatalf("%v, %v, %s", installed(), err, out.Text)
	}
	if plan, err = d.Plan(ctx, from, Rules{}); err != nil || len(plan.Upgrade) != 0 {
		t.Errorf("a second time: %+v, %v", plan, err)
	}
	if out, err = d.Restore(ctx, files, nil, cache+"/work"); err != nil || !maps.Equal(installed(), before) {
		t.Errorf("%v, %v, %s", installed(), err, out.Text)
	}
	// A repository that is said to be signed, and is not.
	from.Key = cache + "/repo/keys.asc"
	if err := os.WriteFile(root.Path(from.Key), key(t), 0o644); err != nil {
		t.Fatal(err)
	}
	if plan, err = d.Plan(ctx, from, Rules{}); err == nil || !strings.Contains(err.Error(), "repomd.xml.asc") || !maps.Equal(installed(), before) {
		t.Errorf("an unsigned index: %+v, %v", plan, err)
	}
	from.Key = ""
	if err := os.WriteFile(filepath.Join(fresh, "till-2.0-1.noarch.rpm"), []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err = d.Install(ctx, from, Rules{}); err == nil && out.Exit == 0 || !maps.Equal(installed(), before) {
		t.Errorf("a damaged package: %v, %v, %s", installed(), err, strings.TrimSpace(out.Text))
	}
}

// The power goes while rpm is at work: what is there twice is cleared up, and the
// next run brings all to where it should be.
func TestSoakDnfKilled(t *testing.T) {
	t.Parallel()
	if os.Getenv("SIGNALBOX_SOAK") == "" {
		t.Log("needs dnf and createrepo_c; runs under SIGNALBOX_SOAK=1")
		return
	}
	const once = " -p <lua>\nif not posix.stat('/opt/here') then local f = io.open('/opt/here', 'w'); f:close(); posix.sleep(60) end\n"
	for name, script := range map[string]string{"after a package was put in": "%post" + once, "before": "%pre" + once} {
		root := host.Root(t.TempDir())
		d := &Dnf{Root: root, Native: "x86_64", Release: "9"}
		const cache = "/var/cache/signalbox-agent"
		old, fresh := root.Path(cache+"/old"), root.Path(cache+"/repo/Packages")
		for _, dir := range []string{old, fresh, root.Path("/var/lib/rpm"), root.Path("/opt")} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		slow := strings.Replace(spec("till-data", "2.0", ""), "%files", script+"%files", 1)
		rpms(t, old, spec("till", "1.0", ""), spec("till-data", "1.0", ""))
		rpms(t, fresh, spec("till", "2.0", "till-data >= 2"), slow)
		command(t, "createrepo_c", "-q", root.Path(cache+"/repo"))
		files := []Want{{File: cache + "/old/till-1.0-1.noarch.rpm"}, {File: cache + "/old/till-data-1.0-1.noarch.rpm"}}
		if out, err := d.Restore(t.Context(), files, nil, cache+"/work"); err != nil || out.Exit != 0 {
			t.Fatal(out, err)
		}
		from := Repository{Dir: cache + "/repo", Work: cache + "/work"}
		ctx, kill := context.WithCancel(t.Context())
		go func() {
			ticks := time.NewTicker(5 * time.Millisecond)
			defer ticks.Stop()
			for ; ctx.Err() == nil; <-ticks.C {
				if _, err := os.Stat(root.Path("/opt/here")); err == nil {
					kill()
				}
			}
		}()
		out, err := d.Install(ctx, from, Rules{})
		if kill(); err == nil {
			t.Fatalf("%s: it was not killed: %s", name, out.Text)
		}
		was, err := d.Broken(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %q", name, was)
		// From here as the agent does: mend, and if it is not complete, once more.
		if out, err = d.Repair(t.Context()); err != nil {
			t.Errorf("%s: %v %s", name, err, out.Text)
		}
		if out, err = d.Install(t.Context(), from, Rules{}); err != nil {
			t.Errorf("%s: %v %s", name, err, out.Text)
		}
		list, err := d.Installed(t.Context())
		broken, err2 := d.Broken(t.Context())
		if got := Versions(list, "x86_64"); err != nil || err2 != nil || broken != "" || len(list) != 2 || got["till"] != "2.0-1" || got["till-data"] != "2.0-1" {
			t.Errorf("%s: %v, broken %q, %v, %v; %s", name, list, broken, err, err2, out.Text)
		}
		// And back, as after a failed check.
		if out, err = d.Restore(t.Context(), files, nil, cache+"/work"); err != nil || out.Exit != 0 {
			t.Errorf("%s: %v %s", name, err, out.Text)
		}
	}
}

// key is somebody's OpenPGP key, who has signed nothing here.
func key(t *testing.T) []byte {
	t.Helper()
	entity, err := openpgp.NewEntity("somebody", "", "", &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	w, err := armor.Encode(&text, openpgp.PublicKeyType, nil)
	if err == nil {
		err = errors.Join(entity.Serialize(w), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// Every rpm must bear a signature of the repository's keys, and none of these
// becomes the machine's.
func TestDnfSignatures(t *testing.T) {
	t.Parallel()
	read := func(name string) []byte {
		raw, err := os.ReadFile("../../server/edge/build/testdata/rpm/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	lamp, ours := read("new/lamp-1.1-1.noarch.rpm"), read("key.asc")
	changed := bytes.Clone(lamp)
	changed[len(changed)-9] ^= 1
	bare := t.TempDir()
	rpms(t, bare, spec("till", "1.0", ""))
	unsigned, err := os.ReadFile(filepath.Join(bare, "till-1.0-1.noarch.rpm"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key   []byte
		files [][]byte
		says  string
	}{
		"signed":           {ours, [][]byte{lamp, read("new/bulb-1.1-1.noarch.rpm")}, ""},
		"by somebody else": {key(t), [][]byte{lamp}, "NOT OK"},
		"by nobody":        {ours, [][]byte{lamp, unsigned}, "NOT OK"},
		"changed since":    {ours, [][]byte{changed}, "NOT OK"},
		"no keys":          {[]byte("no key"), [][]byte{lamp}, "rpmkeys"},
	} {
		d, from := &Dnf{Root: host.Root(t.TempDir())}, Repository{Dir: "/repo", Key: "/repo/keys.asc", Work: "/work"}
		if err := os.MkdirAll(d.Root.Path("/repo/Packages"), 0o755); err != nil {
			t.Fatal(err)
		}
		all := map[string][]byte{from.Key: c.key}
		for i, f := range c.files {
			all[fmt.Sprintf("/repo/Packages/%d.rpm", i)] = f
		}
		for path, content := range all {
			if err := os.WriteFile(d.Root.Path(path), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		err := d.signed(t.Context(), from)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
