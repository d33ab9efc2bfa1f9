package edge

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/ceremony"
	"github.com/signalbox/signalbox/server/edge/rollout"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/work"
)

// patching is a world with a team whose keys are made.
type patching struct {
	testing.TB
	*world
	db      *database.DB
	folder  *ceremony.Folder
	release ceremony.Key
	online  map[string]ed25519.PublicKey
	// repository is what RepositoryFiles gives.
	repository *repository
}

type repository struct {
	commit string
	files  []RepositoryFile
	fails  error
}

func patchingWorld(t testing.TB) *patching {
	t.Helper()
	repo := &repository{}
	w := &patching{TB: t, repository: repo}
	w.world = setup(t, w.change)
	w.db = w.DB
	w.keys()
	return w
}

func (w *patching) change(d *Deps) {
	d.Jobs, d.NormalRepository = work.NewJobs(d.DB, "test", d.Now, d.Log), func(address string) string { return strings.TrimPrefix(address, "https://") }
	d.RepositoryFiles = func(context.Context, int64, string, string, string) (string, []RepositoryFile, error) {
		return w.repository.commit, w.repository.files, w.repository.fails
	}
}

// reboot starts the server anew over what the last one kept.
func (w *patching) reboot() {
	w.unhear()
	w.start(w, w.db, w.change)
}

func (w *patching) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *patching) ada() context.Context { return as(w.Context(), "ada") }
func (w *patching) mia() context.Context { return as(w.Context(), "mia") }
func (w *patching) vic() context.Context { return as(w.Context(), "vic") }
func (w *patching) eve() context.Context { return as(w.Context(), "eve") }

// keys holds the key ceremony of the team.
func (w *patching) keys() {
	w.Helper()
	mine, err := w.CreateTimestampKey(w.ada(), 1)
	w.must(err)
	w.online = map[string]ed25519.PublicKey{mine.ID: mine.Public}
	root, err := ceremony.NewKey(rand.Reader)
	w.must(err)
	w.release, err = ceremony.NewKey(rand.Reader)
	w.must(err)
	trust := filepath.Join(w.dir, "trust")
	w.must(os.MkdirAll(trust, 0o700))
	w.folder, err = ceremony.Open(trust)
	w.must(err)
	w.must(w.folder.Found(ceremony.Founding{Root: []ed25519.PublicKey{root.Public()}, Release: []ed25519.PublicKey{w.release.Public()}, Timestamp: []ed25519.PublicKey{mine.Public},
		RootThreshold: 1, ReleaseThreshold: 1, Expires: noon.AddDate(2, 0, 0)}))
	_, err = w.folder.SignDraft(root)
	w.must(err)
	w.must(w.OfferTrust(w.ada(), 1, w.folder.Set()))
}

// bring publishes a bundle for Debian 12, which mends one critical thing.
func (w *patching) bring(id string, version int64, severity string) Bundle {
	w.Helper()
	sbom := []byte("{}")
	sum := sha256.Sum256(sbom)
	m := &bundle.Manifest{Schema: bundle.Schema, BundleID: id, Version: version, Channel: "stable", Created: noon.Add(-time.Hour), Expires: noon.AddDate(0, 6, 0), SBOMSHA256: hex.EncodeToString(sum[:]),
		Requires: bundle.Requires{Reboot: bundle.RebootNever}, Provenance: bundle.Provenance{Builder: "test"}}
	for _, arch := range []string{"amd64", "arm64"} {
		deb := []byte(id + arch)
		hash := sha256.Sum256(deb)
		m.Variants = append(m.Variants, bundle.Variant{OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: arch, PackageSystem: bundle.APT,
			Packages: []bundle.Package{{Name: "openssl", Version: fmt.Sprintf("3.0.%d", version), Arch: arch, SHA256: hex.EncodeToString(hash[:]), Size: int64(len(deb))}}})
	}
	m.Fixes = []bundle.Fix{{CVE: "CVE-2026-1000", Source: "openssl", FixedVersion: fmt.Sprintf("3.0.%d", version), Severity: severity}}
	content := bundle.Content{Manifest: m, SBOM: sbom, Blob: func(sha string) (io.ReadCloser, error) {
		for _, arch := range []string{"amd64", "arm64"} {
			deb := []byte(id + arch)
			if hash := sha256.Sum256(deb); hex.EncodeToString(hash[:]) == sha {
				return io.NopCloser(bytes.NewReader(deb)), nil
			}
		}
		return nil, fs.ErrNotExist
	}}
	var plain, signed bytes.Buffer
	w.must(bundle.Write(&plain, content))
	f, err := bundle.NewFile(bytes.NewReader(plain.Bytes()), int64(plain.Len()))
	w.must(err)
	set, _, err := w.folder.Sign(w.Context(), ceremony.Release{Keys: []ceremony.Key{w.release}, File: f, Now: w.clock.now(), Expires: noon.AddDate(1, 0, 0)})
	w.must(err)
	content.Set = set
	w.must(bundle.Write(&signed, content))
	b, err := w.PublishBundle(w.ada(), 1, &signed)
	w.must(err)
	return b
}

// withdraw has the release keys vouch for a bundle no longer.
func (w *patching) withdraw(id string) {
	w.Helper()
	set, _, err := w.folder.Sign(w.Context(), ceremony.Release{Keys: []ceremony.Key{w.release}, Drop: []string{id}, Now: w.clock.now(), Expires: noon.AddDate(1, 0, 0)})
	w.must(err)
	w.must(w.OfferTrust(w.ada(), 1, set))
}

// enrolled makes accepted nodes, three to a site.
func (w *patching) enrolled(n int) []string {
	w.Helper()
	ids := make([]string, n)
	w.must(w.db.Tx(w.Context(), func(ctx context.Context) error {
		for i := range ids {
			ids[i] = fmt.Sprintf("node-%05d", i)
			public := sha256.Sum256([]byte(ids[i]))
			arch := []string{"amd64", "amd64", "arm64"}[i%3]
			node := Node{ID: ids[i], Team: 1, Name: fmt.Sprintf("till-%05d", i), Site: fmt.Sprintf("store-%d", i/3), Labels: map[string]string{"role": "till", "timezone": "America/New_York"}, State: protocol.NodeAccepted,
				OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: arch, PackageSystem: "apt", Variant: "debian/12/" + arch, EnrolledAt: api.Millis(noon.UnixMilli()),
				Said: Said{AgentState: protocol.StateIdle, Quarantined: []string{}}, Held: []string{}, Releases: []string{}, key: public[:]}
			if err := w.rows().insertNode(ctx, node); err != nil {
				return err
			}
		}
		return nil
	}))
	return ids
}

// policyText is a policy for the tills; more are lines of its spec.
func policyText(bundle string, more ...string) string {
	return "apiVersion: patchmgmt.io/v1\nkind: PatchPolicy\nmetadata: {name: tills}\nspec:\n  bundleRef: {version: " + bundle + "}\n  targets: {selector: {matchLabels: {role: till}}}\n  " + strings.Join(more, "\n  ") + "\n"
}

// begun is a rollout of such a policy by ada.
func (w *patching) begun(text string) rolloutRow {
	w.Helper()
	p, err := w.CreatePolicy(w.ada(), 1, text, "")
	w.must(err)
	row, err := w.StartRollout(w.ada(), 1, p.ID, "patch day")
	w.must(err)
	w.tick(0)
	return row
}

// tick lets time pass and the loops run.
func (w *patching) tick(d time.Duration) {
	w.Helper()
	w.clock.advance(d)
	w.must(w.flush(w.Context()))
	w.must(w.writeSaid(w.Context()))
	w.must(w.drive(w.Context()))
}

// says is a check-in; the answer is what the node is to do, nil for nothing.
func (w *patching) says(node string, in protocol.CheckIn) *protocol.Assignment {
	w.Helper()
	l, err := w.live(w.Context(), node)
	w.must(err)
	out, err := w.checkIn(w.Context(), l, in)
	w.must(err)
	if out.Assignment == nil {
		return nil
	}
	a, err := out.Assignment.Open(w.online)
	w.must(err)
	if a.Node != node {
		w.Fatalf("node %s got the order of %s", node, a.Node)
	}
	return &a
}

// state is a check-in of a node that is at something for a rollout.
func state(s protocol.State, row rolloutRow, exit ...protocol.Exit) protocol.CheckIn {
	in := protocol.CheckIn{State: s, Bundle: row.BundleID, Rollout: row.ID}
	if len(exit) > 0 {
		in.LastExit = &exit[0]
	}
	return in
}

// now is a rollout as it stands, and in is who of it is in a state.
func (w *patching) now(row rolloutRow) rolloutRow {
	w.Helper()
	row, err := w.rows().rollout(w.Context(), row.ID, false)
	w.must(err)
	return row
}

func (w *patching) in(row rolloutRow, s rollout.NodeState) []string {
	w.Helper()
	list, err := w.rows().members(w.Context(), row.ID, memberFilter{state: string(s), limit: 100_000})
	w.must(err)
	out := []string{}
	for _, m := range list {
		out = append(out, m.Member.NodeID)
	}
	return out
}

// finish lets every released node end in a state, as it would tell.
func (w *patching) finish(row rolloutRow, s protocol.State, exit protocol.Exit) int {
	w.Helper()
	list := w.in(row, rollout.Released)
	for _, node := range list {
		w.says(node, state(protocol.StateStaged, row))
	}
	w.tick(0)
	for _, node := range list {
		w.says(node, state(s, row, exit))
	}
	w.tick(time.Second)
	return len(list)
}

func (w *patching) history(row rolloutRow) string {
	w.Helper()
	list, err := w.rows().rolloutEvents(w.Context(), row.ID, 100)
	w.must(err)
	out := ""
	for i := len(list) - 1; i >= 0; i-- {
		e := list[i]
		out += fmt.Sprintf("%s %s by %q: %s\n", e.Kind, e.State, e.Actor, e.Reason)
	}
	return out
}

func asJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}
