package edge

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestInstaller: one line fetches a script, which fetches the agent and its sum.
func TestInstaller(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := setup(t, func(d *Deps) { d.AgentDir = dir })
	get := func(path string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		w.engine.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		return rec
	}
	var list agentBuildsOut
	w.want(t, "ada", "GET", "/api/v1/edge/agents?team=main", "", 200, &list)
	if len(list.Items) != 0 || list.Install != "curl -fsSL https://signalbox.example.com/edge/v1/install.sh | sudo sh -s -- --token TOKEN" {
		t.Errorf("%+v", list)
	}
	if got := get("/edge/v1/agent/linux-arm64"); got.Code != 404 || !strings.Contains(got.Body.String(), "edge.agent_dir") {
		t.Error(got.Code, got.Body)
	}
	own := filepath.Join(dir, "signalbox-agent")
	for _, path := range []string{own, filepath.Join(dir, "signalbox-agent-linux-arm64")} {
		worked(t, os.WriteFile(path, []byte("program of "+filepath.Base(path)), 0o600))
	}
	w.want(t, "ada", "GET", "/api/v1/edge/agents?team=main", "", 200, &list)
	if len(list.Items) != 2 || list.Items[1].Arch != "arm64" || list.Items[1].SHA256 != hashOf([]byte("program of signalbox-agent-linux-arm64")) {
		t.Errorf("%+v", list)
	}
	native := "linux-" + runtime.GOARCH
	got := get("/edge/v1/agent/" + native)
	if got.Code != 200 || !strings.HasPrefix(got.Body.String(), "program of signalbox-agent") || got.Header().Get("X-Edge-SHA256") != hashOf(got.Body.Bytes()) {
		t.Error(got.Code, got.Body, got.Header())
	}
	worked(t, os.WriteFile(own, []byte("a newer program"), 0o600))
	if sum := get("/edge/v1/agent/" + native + ".sha256").Body.String(); runtime.GOARCH == "amd64" && sum != hashOf([]byte("a newer program"))+"  signalbox-agent\n" {
		t.Error(sum)
	}
	for _, path := range []string{"linux-mips", "..%2Fsecret", "linux-", "signalbox-agent"} {
		if got := get("/edge/v1/agent/" + path); got.Code != 404 {
			t.Error(path, got.Code)
		}
	}
	script := get("/edge/v1/install.sh")
	text := script.Body.String()
	if script.Code != 200 || strings.Contains(text, "@") && strings.Contains(text, "@U") || !strings.Contains(text, "url='https://signalbox.example.com'") {
		t.Error(script.Code, text)
	}
	check := exec.CommandContext(t.Context(), "sh", "-n")
	check.Stdin = strings.NewReader(text)
	if said, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

// TestInstallerHasTheUnits: what the script writes is what deploy has.
func TestInstallerHasTheUnits(t *testing.T) {
	t.Parallel()
	const units = "../../deploy/systemd"
	list, err := os.ReadDir(units)
	if err != nil || len(list) == 0 {
		t.Fatal(err)
	}
	script, err := (&Service{Deps: Deps{PublicURL: func() string { return "" }}}).installer()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if !strings.HasPrefix(f.Name(), "signalbox-agent") {
			continue
		}
		want, err := os.ReadFile(filepath.Join(units, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(script, strings.TrimSpace(string(want))) {
			t.Errorf("%s is another one: copy it from deploy/systemd to server/edge/install", f.Name())
		}
	}
}
