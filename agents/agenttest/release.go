package agenttest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/protocol"
)

// Release signs metadata: three root keys of which two sign, one release key,
// the portal's key.
type Release struct {
	t       testing.TB
	Version int64
	// Expires is that of root, targets and snapshot; Timestamp that of the timestamp.
	Expires, Timestamp time.Time
	// ReleaseKey signs targets and snapshot: "release" is the one that the root names.
	ReleaseKey string
	bundles    []*bundle.Manifest
}

// NewRelease begins at version 1, good for a year from now on.
func NewRelease(t testing.TB, now time.Time) *Release {
	now = now.UTC().Truncate(time.Second)
	return &Release{t: t, Version: 1, Expires: now.AddDate(1, 0, 0), Timestamp: now.AddDate(0, 0, 7), ReleaseKey: "release"}
}

// Key is the key of a name: always the same.
func Key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("agenttest " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func (r *Release) public(name string) *metadata.Key {
	key, err := metadata.KeyFromPublicKey(Key(name).Public())
	if err != nil {
		r.t.Fatal(err)
	}
	return key
}

func signed[T metadata.Roles](t testing.TB, m *metadata.Metadata[T], keys ...string) []byte {
	t.Helper()
	for _, name := range keys {
		signer, err := signature.LoadED25519Signer(Key(name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Sign(signer); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := m.ToBytes(false)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Root is the first root.
func (r *Release) Root() []byte { return r.root(1, "release", "root1", "root2") }

// Rotated is a second root that names another release key and no longer the first.
func (r *Release) Rotated() []byte { return r.root(2, "release2", "root1", "root2") }

func (r *Release) root(version int64, release string, signers ...string) []byte {
	m := metadata.Root(r.Expires)
	m.Signed.Version, m.Signed.ConsistentSnapshot = version, false
	for role, names := range map[string][]string{
		metadata.ROOT: {"root1", "root2", "root3"}, metadata.TARGETS: {release}, metadata.SNAPSHOT: {release}, metadata.TIMESTAMP: {"portal"},
	} {
		for _, name := range names {
			if err := m.Signed.AddKey(r.public(name), role); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	m.Signed.Roles[metadata.ROOT].Threshold = 2
	return signed(r.t, m, signers...)
}

// Vouch adds a bundle to what the release keys sign, in a new edition.
func (r *Release) Vouch(m *bundle.Manifest) {
	r.bundles = append(r.bundles, m)
	r.Version++
}

// Set is the signed metadata of this edition.
func (r *Release) Set(roots ...[]byte) bundle.Set {
	r.t.Helper()
	targets := metadata.Targets(r.Expires)
	targets.Signed.Version = r.Version
	for _, m := range r.bundles {
		raw := Encode(r.t, m)
		target, err := metadata.TargetFile().FromBytes("", raw)
		if err != nil {
			r.t.Fatal(err)
		}
		info := bundle.TargetInfo{Version: m.Version, Channel: m.Channel}
		for _, v := range m.Variants {
			info.Variants = append(info.Variants, v.Name())
		}
		custom, err := json.Marshal(info)
		if err != nil {
			r.t.Fatal(err)
		}
		target.Custom = (*json.RawMessage)(&custom)
		targets.Signed.Targets[bundle.TargetPath(m.BundleID)] = target
	}
	if len(roots) == 0 {
		roots = [][]byte{r.Root()}
	}
	set := bundle.Set{Roots: roots, Targets: signed(r.t, targets, r.ReleaseKey)}
	snapshot := metadata.Snapshot(r.Expires)
	snapshot.Signed.Version = r.Version
	snapshot.Signed.Meta["targets.json"] = &metadata.MetaFiles{Version: r.Version}
	set.Snapshot = signed(r.t, snapshot, r.ReleaseKey)
	timestamp := metadata.Timestamp(r.Timestamp)
	timestamp.Signed.Version = r.Version
	sum := sha256.Sum256(set.Snapshot)
	timestamp.Signed.Meta["snapshot.json"] = &metadata.MetaFiles{Version: r.Version, Length: int64(len(set.Snapshot)), Hashes: metadata.Hashes{"sha256": sum[:]}}
	set.Timestamp = signed(r.t, timestamp, "portal")
	return set
}

// Seal signs an order as the portal does.
func (r *Release) Seal(a protocol.Assignment) *protocol.Envelope {
	r.t.Helper()
	id, err := r.public("portal").ID()
	if err != nil {
		r.t.Fatal(err)
	}
	e, err := protocol.Seal(a, id, Key("portal"))
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// Encode is the manifest's bytes.
func Encode(t testing.TB, m *bundle.Manifest) []byte {
	t.Helper()
	raw, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Hash is a blob's name.
func Hash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
