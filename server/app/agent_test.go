package app_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/agenttest"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/config"
)

// patient is a machine of one family of packages, with the agent on it.
type patient struct {
	os      string // as a description names the variant
	root    host.Root
	system  packages.System
	sources string
	old     map[string]string
	fresh   map[string]string
	node    func() shownNode
	halves  []int // the agent's processes
}

// redHat is a root with two signed rpms in it and nothing else that dnf would miss.
func redHat(t *testing.T) patient {
	t.Helper()
	root := t.TempDir()
	agenttest.Write(t, root, "/etc/os-release", "ID=rocky\nVERSION_ID=\"9.4\"\n", 0o644)
	agenttest.Write(t, root, "/var/lib/rpm/.keep", "", 0o644)
	shell, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	agenttest.Write(t, root, "/bin/sh", string(shell), 0o755)
	files, err := filepath.Glob(rpms + "old/*.rpm")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("rpm", append([]string{"--root", root, "-U"}, files...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return patient{os: "rocky/9.4/x86_64", root: host.Root(root), system: &packages.Dnf{Root: host.Root(root), Native: "x86_64"},
		sources: "[{folder: " + rpms + "new, keys: [" + rpms + "key.asc]}, {folder: " + rpms + "old, old: true}]",
		old:     map[string]string{"lamp": "1.0-1", "bulb": "1.0-1"}, fresh: map[string]string{"lamp": "1.1-1", "bulb": "1.1-1"}}
}

// debian is a small root with dpkg, apt and two packages.
func debian(t *testing.T) patient {
	t.Helper()
	root, dir := agenttest.Machine(t), t.TempDir()
	t.Cleanup(agenttest.Forget)
	for folder, version := range map[string]string{"old": "1.0", "new": "2.0"} {
		for _, d := range []agenttest.Deb{{Name: "lamp", Version: version, Depends: "bulb (>= " + version + ")"}, {Name: "bulb", Version: version}} {
			agenttest.Write(t, dir, folder+"/"+d.Name+".deb", string(d.Build(t)), 0o644)
			if folder == "old" {
				agenttest.Install(t, root, d)
			}
		}
	}
	return patient{os: "debian/12/" + agenttest.Arch(), root: root, system: &packages.Apt{Root: root, Native: agenttest.Arch()},
		sources: "[{folder: " + dir + "/new, trusted: true}, {folder: " + dir + "/old, old: true, trusted: true}]",
		old:     map[string]string{"lamp": "1.0", "bulb": "1.0"}, fresh: map[string]string{"lamp": "2.0", "bulb": "2.0"}}
}

func (p *patient) has(t *testing.T, want map[string]string) bool {
	t.Helper()
	list, err := p.system.Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return maps.Equal(packages.Versions(list, "x86_64"), want) || maps.Equal(packages.Versions(list, agenttest.Arch()), want)
}

// agentProgram is the agent as it is shipped, told about one machine.
type agentProgram struct{ path, state, root string }

func buildAgent(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signalbox-agent")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "../../agents")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build does
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the agent: %v %s", err, out)
	}
	return path
}

func (a agentProgram) command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, a.path, append(args, "--root", a.root, "--state-dir", a.state, "--socket", filepath.Join(a.state, "sock"))...)
}

// keep runs one half until the test ends; the root half without any network.
func (a agentProgram) keep(t *testing.T, half string) (pid int) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cmd := a.command(ctx, half)
	if half == "worker" {
		cmd.Args = append([]string{"unshare", "-n"}, cmd.Args...)
		cmd.Path = "/usr/bin/unshare"
	}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &said, &said, 10*time.Second
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := cmd.Wait(); t.Failed() {
			t.Logf("%s ended: %v\n%s", half, err, said.String())
		}
	})
	return cmd.Process.Pid
}

// resident is how much memory processes hold, in kB.
func resident(t *testing.T, pids []int) (sum int) {
	t.Helper()
	for _, pid := range pids {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(raw), "VmRSS:")
		var kB int
		if _, err := fmt.Sscan(rest, &kB); err != nil {
			t.Fatal(err)
		}
		sum += kB
	}
	return sum
}

// TestAgentPatchesMachines is the whole way with the programs that are shipped,
// for both families in one bundle: inventory, build, sign, publish, roll out,
// install, a failed check and the way back; then a second bundle that is well.
// Packages and index bear OpenPGP signatures, which the machine's own package
// manager checks. It sets the environment, so it runs alone.
func TestAgentPatchesMachines(t *testing.T) {
	if os.Geteuid() != 0 || os.Getenv("TEST_POSTGRES_URL") != "" && !soak {
		t.Log("installing into a folder needs root; nothing here is about the database, so the second one is for the long form")
		return
	}
	r := start(t, func(c *config.Config) { c.Edge.CheckInSeconds = 1 })
	t.Setenv("SIGNALBOX_URL", r.URL())
	t.Setenv("SIGNALBOX_TOKEN", r.token)
	w, program := newWard(t, r), buildAgent(t)
	for _, make := range []func(*testing.T) patient{redHat, debian} {
		p := make(t)
		agenttest.Write(t, string(p.root), "/opt/check", "#!/bin/sh\ntest -e /well || { echo no printer; exit 1; }\n", 0o755)
		p.admit(t, r, program)
		w.patients = append(w.patients, &p)
	}
	w.rollOut(t, "b-1", 1)
	for _, p := range w.patients {
		eventually(t, "the way back of "+p.os, func() bool { e := p.node().LastExit; return e != nil && *e == int(protocol.ExitHealthFailed) })
		if !p.has(t, p.old) || p.node().AgentState != "rolled-back" {
			t.Errorf("%s: %+v", p.os, p.node())
		}
		agenttest.Write(t, string(p.root), "/well", "", 0o644)
	}
	w.rollOut(t, "b-2", 2)
	for _, p := range w.patients {
		eventually(t, "success of "+p.os, func() bool { return p.node().AgentState == "succeeded" && p.node().Bundle == "b-2" })
		if !p.has(t, p.fresh) || *p.node().LastExit != 0 {
			t.Errorf("%s: %+v", p.os, p.node())
		}
		held := 0
		eventually(t, "the agent to hold less than 30 MB again", func() bool { held = resident(t, p.halves); return held < 30_000 })
		t.Logf("%s: both halves hold %d kB", p.os, held)
	}
	if out, err := exec.Command("rpm", "--root", string(w.patients[0].root), "-q", "gpg-pubkey").CombinedOutput(); err == nil {
		t.Errorf("the bundle's key is now the machine's: %s", out)
	}
}

// ward is where a release person and an operator look after machines.
type ward struct {
	*running
	patients []*patient
	desk     *desk
	trust    []string
	policy   string
}

func newWard(t *testing.T, r *running) *ward {
	t.Helper()
	w := &ward{running: r, desk: newDesk(t)}
	var portal struct {
		PublicKey string `json:"public_key"`
	}
	r.call(t, "POST", "/api/v1/edge/trust/keys", map[string]any{"team": "main"}, &portal)
	w.trust = []string{"--trust", w.desk.path("trust")}
	w.desk.run(t, 0, append(append([]string{"keys", "init", "--keys", w.desk.path("keys"), "--timestamp-key", portal.PublicKey}, w.trust...), w.desk.passphrase...)...)
	w.desk.run(t, 0, append([]string{"publish"}, w.trust...)...)
	return w
}

// shownNode is what the portal says of the machine.
type shownNode struct {
	AgentState string `json:"agent_state"`
	Bundle     string
	LastExit   *int `json:"last_exit"`
}

// admit enrols the machine, starts both halves and waits for its inventory.
func (p *patient) admit(t *testing.T, r *running, program string) {
	t.Helper()
	var token struct{ Token string }
	r.call(t, "POST", "/api/v1/edge/tokens", map[string]any{"team": "main", "name": "ward", "accepts": true}, &token)
	a := agentProgram{path: program, state: t.TempDir(), root: string(p.root)}
	out, err := a.command(t.Context(), "enroll", "--url", r.URL(), "--token", token.Token, "--name", filepath.Base(p.os), "--label", "role=till").CombinedOutput()
	fields := strings.Fields(string(out))
	if err != nil || len(fields) < 4 || fields[3] != "accepted" {
		t.Fatalf("%v %s", err, out)
	}
	p.halves = []int{a.keep(t, "worker"), a.keep(t, "run")}
	eventually(t, "the inventory", func() bool {
		var list struct{ Items []struct{ Name string } }
		r.call(t, "GET", "/api/v1/edge/nodes/"+fields[1]+"/packages", nil, &list)
		return len(list.Items) == len(p.old)
	})
	p.node = func() (n shownNode) {
		r.call(t, "GET", "/api/v1/edge/nodes/"+fields[1], nil, &n)
		return n
	}
}

// rollOut builds a bundle for the machines, signs, publishes and starts it.
func (w *ward) rollOut(t *testing.T, id string, version int) {
	t.Helper()
	d := w.desk
	d.run(t, 0, "inventories", "-o", d.path("inventories"))
	text := fmt.Sprintf("bundle: %s\nversion: %d\ncreated: %s\nvariants:\n", id, version, time.Now().UTC().Format(time.RFC3339))
	for _, p := range w.patients {
		node := d.path("inventories/" + strings.ReplaceAll(p.os, "/", "-") + "/*.json")
		text += fmt.Sprintf("    - nodes: [%s]\n      os: %s\n      sources: %s\n      include: {everything: true}\n", node, p.os, p.sources)
	}
	write(t, d.path("bundle.yaml"), text)
	file := d.path(id + ".epb")
	contains(t, d.run(t, 0, "build", d.path("bundle.yaml"), "-o", file, "--cache", d.path("cache"), "--repo-key", d.path("repo.key")), "2 packages for 1 nodes")
	d.run(t, 0, append(append([]string{"sign", "--key", d.path("keys/release-1.key"), file}, w.trust...), d.passphrase...)...)
	d.run(t, 0, "publish", file)
	text = "apiVersion: patchmgmt.io/v1\nkind: PatchPolicy\nmetadata: {name: tills}\nspec:\n  bundleRef: {version: " + id + "}\n  targets: {selector: {matchLabels: {role: till}}}\n" +
		"  rolloutStrategy: {type: AllAtOnce}\n  rollback: {enabled: true, method: packages, healthCheckTimeoutSeconds: 2, healthChecks: [{type: exec, path: /opt/check}], successesInRow: 1}\n"
	var policy struct {
		ID       string
		Revision int
	}
	if w.policy == "" {
		w.call(t, "POST", "/api/v1/edge/policies", map[string]any{"team": "main", "text": text}, &policy)
		w.policy = policy.ID
	} else {
		w.call(t, "GET", "/api/v1/edge/policies/"+w.policy, nil, &policy)
		w.call(t, "PUT", "/api/v1/edge/policies/"+w.policy, map[string]any{"text": text, "revision": policy.Revision}, nil)
	}
	var rollout struct{ ID string }
	w.call(t, "POST", "/api/v1/edge/rollouts", map[string]any{"team": "main", "policy": w.policy, "reason": id}, &rollout)
}
