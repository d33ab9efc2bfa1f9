package app_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/build/redhat"
)

const (
	rpms      = "../edge/build/testdata/rpm/"
	rpmNode   = "lamp\t1.0-1\tnoarch\tlamp-1.0-1.src.rpm\n"
	rpmSource = "\n      sources: [{folder: " + rpms + "new, keys: [" + rpms + "key.asc]}, {folder: " + rpms + "old, old: true}]\n      include: {everything: true}\n"
)

// inventory enrols a machine that runs Rocky and tells what is on it.
func (c *client) inventory(t *testing.T, name string) {
	t.Helper()
	var token struct{ Token string }
	c.call(t, "POST", "/api/v1/edge/tokens", map[string]any{"team": "main", "name": name, "accepts": true}, &token)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var node protocol.EnrollAnswer
	anonymous := c.as("")
	anonymous.signed(t, protocol.PathEnroll, "", private, 1, protocol.EnrollRequest{Token: token.Token, Name: name, PublicKey: public, Agent: "1.0.0",
		Machine: protocol.Machine{Hostname: name, OSID: "rocky", VersionID: "9.4", Arch: "x86_64", PackageSystem: "rpm"}}, &node)
	raw, err := json.Marshal(protocol.Inventory{Packages: []protocol.Package{{Name: "lamp", Version: "1.0-1", Arch: "noarch"}}, Held: []string{}, OSRelease: map[string]string{"ID": "rocky"}})
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	body := z.EncodeAll(raw, nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, c.url+protocol.PathInventory, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	protocol.Sign(r, body, node.Node, private, time.Now(), 2)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusNoContent {
		t.Fatal(answer.Status, err)
	}
}

// TestBundleFromInventoryToNode fetches inventories, builds, signs, publishes and exports. It sets
// the environment, so it runs alone.
func TestBundleFromInventoryToNode(t *testing.T) {
	r := start(t)
	t.Setenv("SIGNALBOX_URL", r.URL())
	t.Setenv("SIGNALBOX_TOKEN", "")
	d := newDesk(t)
	contains(t, d.run(t, 2, "export", "b-1"), "SIGNALBOX_TOKEN")
	t.Setenv("SIGNALBOX_TOKEN", r.token)
	var portal struct {
		PublicKey string `json:"public_key"`
	}
	r.call(t, "POST", "/api/v1/edge/trust/keys", map[string]any{"team": "main"}, &portal)
	trust := []string{"--trust", d.path("trust")}
	d.run(t, 0, append(append([]string{"keys", "init", "--keys", d.path("keys"), "--timestamp-key", portal.PublicKey}, trust...), d.passphrase...)...)
	contains(t, d.run(t, 0, append([]string{"publish"}, trust...)...), "1 roots taken")
	for _, name := range []string{"n1", "n2"} {
		r.inventory(t, name)
	}
	contains(t, d.run(t, 0, "inventories", "-o", d.path("inventories")), "1 different inventories of 2 nodes")
	write(t, d.path("bundle.yaml"), "bundle: b-7\nversion: 7\ncreated: "+time.Now().Format(time.RFC3339)+"\nvariants:\n    - nodes: ["+d.path("inventories/rocky-9.4-x86_64/*.json")+"]\n      os: rocky/9.4/x86_64"+rpmSource)
	file := d.path("b.epb")
	said := d.run(t, 0, "build", d.path("bundle.yaml"), "-o", file, "--cache", d.path("cache"), "--repo-key", d.path("repo.key"))
	contains(t, said, "rocky/9.4/x86_64: 1 packages for 1 nodes", "lamp 1.1-1", "1 vulnerabilities fixed, unsigned")
	contains(t, d.run(t, 1, "publish", file), "is not signed")
	d.run(t, 0, append(append([]string{"sign", "--key", d.path("keys/release-1.key"), file}, trust...), d.passphrase...)...)
	contains(t, d.run(t, 0, "publish", file), "b-7 is published", "/teams/main/edge/bundles/b-7")
	contains(t, d.run(t, 0, "export", "b-7", "-o", d.path("carried.epb")), "carried.epb")
	contains(t, d.run(t, 0, append([]string{"verify", d.path("carried.epb")}, trust...)...), "Good: bundle b-7")
	contains(t, d.run(t, 1, "export", "b-8", "-o", d.path("none.epb")), "There is no bundle b-8")
	if _, err := os.Stat(d.path("none.epb")); err == nil {
		t.Error("a file was left")
	}
	d.run(t, 2, "publish")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBundleBuildCommand(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	write(t, d.path("node"), rpmNode)
	write(t, d.path("wrong.yaml"), "bundle: b\nversoin: 7\n")
	contains(t, d.run(t, 2, "build"), "name a description")
	contains(t, d.run(t, 2, "build", d.path("wrong.yaml")), "line 2", "versoin")
	contains(t, d.run(t, 2, "build", d.path("wrong.yaml"), "--node", "x"), "without a description")
	contains(t, d.run(t, 2, "build", "--bundle", "b", "--node", "x", "--source", "nonsense", "--include", "security"), "write \"deb ")
	contains(t, d.run(t, 1, "build", "--bundle", "b", "--node", d.path("node"), "--source", rpms+"new", "--include", "security", "-o", d.path("x.epb")), "os must be given")
	write(t, d.path("b.yaml"), "version: 3\nexpires: 2099-01-01T00:00:00Z\nvariants:\n    - nodes: ["+d.path("node")+"]\n      os: rocky/9.4/x86_64"+rpmSource)
	contains(t, d.run(t, 0, "build", "-q", d.path("b.yaml"), "--bundle", "b-3", "--channel", "beta", "--commit", "c0ffee", "-o", d.path("b.epb")), "unsigned")
	contains(t, d.run(t, 0, "inspect", d.path("b.epb")), "Bundle    b-3, version 3 of channel beta", "CVE-2024-11111")
	contains(t, d.run(t, 0, "inspect", "--json", d.path("b.epb")), `"commit": "c0ffee"`)
}

// TestPatchBundlePut builds a bundle in a pipeline, whose next step looks into it.
func TestPatchBundlePut(t *testing.T) {
	t.Parallel()
	r := start(t)
	files := map[string][]byte{}
	var entries []redhat.Entry
	for _, name := range []string{"new/lamp-1.1-1.noarch.rpm", "old/lamp-1.0-1.noarch.rpm"} {
		data, err := os.ReadFile(filepath.Join(rpms, name))
		if err != nil {
			t.Fatal(err)
		}
		p, err := redhat.ReadRPM(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		entries = append(entries, redhat.Entry{RPM: p, Path: filepath.Base(name), Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])})
		files["/"+filepath.Base(name)] = data
	}
	repo, err := redhat.WriteRepo(entries, time.Unix(1790000000, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range repo {
		files["/"+f.Path] = f.Data
	}
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		data, there := files[req.URL.Path]
		if !there {
			http.NotFound(w, req)
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(mirror.Close)
	description := fmt.Sprintf("variants: [{os: rocky/9.4/x86_64, nodes: [made/node], sources: [{url: %q, trusted: true}], include: {everything: true}}]", mirror.URL)
	const pipeline = `
resources:
- {name: bundle, type: patch-bundle, icon: package}
jobs:
- name: j
  plan:
  - task: describe
    config: {platform: linux, outputs: [{name: made}], run: {path: sh, args: [-c, %q]}}
  - put: bundle
    params: {description: made/bundle.yaml, name: %s}
  - task: look
    config: {platform: linux, inputs: [{name: bundle}], run: {path: sh, args: [-c, "cat bundle/bundle bundle/version; ls -l bundle; head -c 4000 bundle/*.epb | grep -a -o CVE-2024-11111 | head -1"]}}
`
	script := "printf '%s' '" + description + "' > made/bundle.yaml; printf 'lamp\\t1.0-1\\tnoarch\\tlamp.src.rpm\\n' > made/node"
	r.pipeline(t, "main", "patches", fmt.Sprintf(pipeline, script, "nightly-$BUILD_ID"))
	b := r.finish(t, r.trigger(t, "main", "patches", "j").ID)
	if log := r.log(t, b.ID); b.Status != "succeeded" || !strings.Contains(log, "1 packages for 1 nodes") || !strings.Contains(log, fmt.Sprint("nightly-", b.ID, ".epb")) || !strings.Contains(log, "CVE-2024-11111") {
		t.Errorf("%s: %s", b.Status, log)
	}
	// What leads out of the build's own files is refused.
	outside := strings.Replace(script, "nodes: [made/node]", "nodes: [/etc/passwd]", 1)
	r.pipeline(t, "main", "curious", fmt.Sprintf(pipeline, outside, "b"))
	b = r.finish(t, r.trigger(t, "main", "curious", "j").ID)
	if log := r.log(t, b.ID); b.Status != "failed" || !strings.Contains(log, "is not below the build's own files") {
		t.Errorf("%s: %s", b.Status, log)
	}
}
