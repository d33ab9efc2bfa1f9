package app_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	agent "github.com/signalbox/signalbox/agents/portal"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/ceremony"
)

// furnishEdge holds a key ceremony, publishes a bundle and enrols a node.
func (c *client) furnishEdge(t *testing.T, w team) {
	t.Helper()
	c.publishBundle(t, w.name, "a package")
	var token struct{ ID, Token string }
	c.call(t, "POST", "/api/v1/edge/tokens", map[string]any{"team": w.name, "name": "shop", "accepts": true, "labels": map[string]string{"role": "pos"}}, &token)
	node := c.as("").enrol(t, token.Token)
	w.things["bundles/:bundle"], w.things["tokens/:token"], w.things["nodes/:id"], w.things["sites/:name"] = "b-1", token.ID, node, "osl"
	var policy, rollout struct{ ID string }
	c.call(t, "POST", "/api/v1/edge/policies", map[string]any{"team": w.name, "reason": "first", "text": patchPolicy}, &policy)
	c.call(t, "POST", "/api/v1/edge/rollouts", map[string]any{"team": w.name, "policy": policy.ID, "reason": "first"}, &rollout)
	w.things[":policy"], w.things[":rollout"] = policy.ID, rollout.ID
}

const patchPolicy = `
apiVersion: patchmgmt.io/v1
kind: PatchPolicy
metadata: {name: shops}
spec:
  bundleRef: {version: b-1, channel: stable}
  targets: {selector: {matchLabels: {role: pos}}}
  schedule: {maintenanceWindow: "Tue 02:00-04:00", timezone: UTC}
  rolloutStrategy: {type: RollingUpdate, batchSize: 10}
`

// publishBundle founds a team's trust and publishes bundle b-1 with one package.
func (c *client) publishBundle(t testing.TB, team, deb string) {
	t.Helper()
	var portal struct {
		PublicKey string `json:"public_key"`
	}
	c.call(t, "POST", "/api/v1/edge/trust/keys", map[string]any{"team": team}, &portal)
	raw := signedBundle(t, portal.PublicKey, deb, func(set bundle.Set) {
		c.call(t, "PUT", "/api/v1/edge/trust", map[string]any{"team": team, "roots": set.Roots}, nil)
	})
	status, answer := c.send(t, "POST", "/api/v1/edge/bundles?team="+team, bytes.NewReader(raw), "Content-Type", "application/octet-stream")
	if status != http.StatusCreated {
		t.Fatal(status, answer)
	}
}

// signedBundle is a bundle with one package, signed with keys of a ceremony;
// meanwhile is told the roots before.
func signedBundle(t testing.TB, portal, deb string, meanwhile func(bundle.Set)) []byte {
	t.Helper()
	timestamp, err := ceremony.ParsePublic(portal)
	if err != nil {
		t.Fatal(err)
	}
	var keys [2]ceremony.Key
	for i := range keys {
		if keys[i], err = ceremony.NewKey(rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := ceremony.Open(filepath.Join(t.TempDir(), "trust"))
	if err != nil {
		t.Fatal(err)
	}
	founding := ceremony.Founding{Root: []ed25519.PublicKey{keys[0].Public()}, RootThreshold: 1, Release: []ed25519.PublicKey{keys[1].Public()}, ReleaseThreshold: 1,
		Timestamp: []ed25519.PublicKey{timestamp}, Expires: time.Now().AddDate(1, 0, 0)}
	if err := folder.Found(founding); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.SignDraft(keys[0]); err != nil {
		t.Fatal(err)
	}
	meanwhile(bundle.Set{Roots: folder.Set().Roots})
	created := time.Now().UTC().Truncate(time.Second)
	write := func(set bundle.Set) []byte {
		var out bytes.Buffer
		if err := bundle.Write(&out, smallBundle(deb, created, set)); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	unsigned := write(bundle.Set{})
	f, err := bundle.NewFile(bytes.NewReader(unsigned), int64(len(unsigned)))
	if err != nil {
		t.Fatal(err)
	}
	set, _, err := folder.Sign(t.Context(), ceremony.Release{Keys: keys[1:], File: f, Now: time.Now(), Expires: time.Now().AddDate(0, 6, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return write(set)
}

func smallBundle(deb string, created time.Time, set bundle.Set) bundle.Content {
	sum := func(text string) string {
		h := sha256.Sum256([]byte(text))
		return hex.EncodeToString(h[:])
	}
	const index, sbom = "Package: hello", `{"bomFormat":"CycloneDX"}`
	return bundle.Content{Set: set, SBOM: []byte(sbom), Manifest: &bundle.Manifest{Schema: bundle.Schema, BundleID: "b-1", Version: 1, Channel: "stable", Created: created, Expires: created.AddDate(0, 1, 0), SBOMSHA256: sum(sbom),
		Variants: []bundle.Variant{{OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: bundle.APT,
			Packages: []bundle.Package{{Name: "hello", Version: "2", Arch: "amd64", SHA256: sum(deb), Size: int64(len(deb))}},
			Repo:     bundle.Repo{Files: []bundle.RepoFile{{Path: "Packages", SHA256: sum(index), Size: int64(len(index))}}}}},
		Fixes: []bundle.Fix{{CVE: "CVE-2026-1111", Source: "hello", FixedVersion: "2"}}, Requires: bundle.Requires{Reboot: bundle.RebootNever}, Provenance: bundle.Provenance{Builder: "test"}},
		Blob: func(sha string) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader([]byte(map[string]string{sum(deb): deb, sum(index): index}[sha]))), nil
		}}
}

// enrol makes a machine a node and lets it check in once.
func (c *client) enrol(t *testing.T, token string) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var node protocol.EnrollAnswer
	c.signed(t, protocol.PathEnroll, "", private, 1, protocol.EnrollRequest{Token: token, Name: "edge-1", Site: "osl", PublicKey: public, Agent: "1.0.0",
		Machine: protocol.Machine{Hostname: "edge-1", OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: "apt"}}, &node)
	if len(node.Root) != 1 || node.State != protocol.NodeAccepted {
		t.Fatalf("%+v", node)
	}
	var answer protocol.CheckInAnswer
	c.signed(t, protocol.PathCheckIn, node.Node, private, 2, protocol.CheckIn{State: protocol.StateIdle}, &answer)
	if answer.State != protocol.NodeAccepted || answer.NextInSeconds == 0 {
		t.Fatalf("%+v", answer)
	}
	return node.Node
}

// signed posts what an agent says.
func (c *client) signed(t *testing.T, path, node string, key ed25519.PrivateKey, seq int64, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	protocol.Sign(r, body, node, key, time.Now(), seq)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		t.Fatalf("%s: %d", path, answer.StatusCode)
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		t.Fatal(err)
	}
}

// TestAgentAndPortal lets the agent's own client speak with the server.
func TestAgentAndPortal(t *testing.T) {
	t.Parallel()
	a := start(t)
	a.publishBundle(t, "main", "a package")
	var token struct{ Token string }
	a.call(t, "POST", "/api/v1/edge/tokens", map[string]any{"team": "main", "name": "shop", "accepts": true}, &token)
	dir, id := t.TempDir(), agent.Identity{URL: a.url}
	speak := func() *agent.Client {
		t.Helper()
		c, err := agent.New(dir, id, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := speak()
	machine := protocol.Machine{Hostname: "edge-1", OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: "apt"}
	node, err := c.Enroll(t.Context(), protocol.EnrollRequest{Token: token.Token, Name: "edge-1", Machine: machine, Agent: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	id.Node = node.Node
	c = speak()
	have := protocol.Inventory{Kernel: "6.1", UptimeSeconds: 60, Packages: []protocol.Package{{Name: "hello", Version: "1", Arch: "amd64"}}}
	for _, want := range []bool{true, false} {
		answer, err := c.CheckIn(t.Context(), protocol.CheckIn{State: protocol.StateIdle, Clock: time.Now(), InventorySHA256: have.Hash()})
		if err != nil || answer.State != protocol.NodeAccepted || answer.WantInventory != want {
			t.Fatalf("%+v %v", answer, err)
		}
		raw, err := json.Marshal(have)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Inventory(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
	}
	if acked, err := c.Reports(t.Context(), []protocol.Report{{Seq: 1, At: time.Now(), State: protocol.StateStaging}}); acked != 1 || err != nil {
		t.Error(acked, err)
	}
	fingerprint, err := c.Rotate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	trust, err := bundle.InitTrust(filepath.Join(t.TempDir(), "trust"), [][]byte{node.Root[0]})
	if err != nil {
		t.Fatal(err)
	}
	view, err := trust.Update(t.Context(), c.Metadata, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := c.Manifest(t.Context(), "b-1")
	if err != nil {
		t.Fatal(err)
	}
	m, err := view.Manifest("b-1", raw)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := c.Get(t.Context(), protocol.BlobPath(m.Variants[0].Packages[0].SHA256), http.Header{"Range": {"bytes=2-"}})
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Body.Close()
	if rest, err := io.ReadAll(blob.Body); string(rest) != "package" || err != nil || blob.StatusCode != http.StatusPartialContent {
		t.Errorf("%d %q %v", blob.StatusCode, rest, err)
	}
	var carriers struct {
		Open []struct{ Name, Installed, Needs string }
	}
	a.call(t, "GET", "/api/v1/edge/cves?team=main&cve=CVE-2026-1111", nil, &carriers)
	if len(carriers.Open) != 1 || carriers.Open[0].Name != "edge-1" || carriers.Open[0].Installed != "1" || carriers.Open[0].Needs != "2" {
		t.Errorf("%+v", carriers)
	}
	var shown struct{ Fingerprint string }
	a.call(t, "GET", "/api/v1/edge/nodes/"+node.Node, nil, &shown)
	if shown.Fingerprint != fingerprint {
		t.Errorf("%s, the node says %s", shown.Fingerprint, fingerprint)
	}
	a.call(t, "POST", "/api/v1/edge/decisions", map[string]any{"team": "main", "decision": "revoke", "nodes": []string{node.Node}}, nil)
	if _, err := c.CheckIn(t.Context(), protocol.CheckIn{State: protocol.StateIdle}); !agent.Revoked(err) {
		t.Errorf("revoked: %v", err)
	}
}
