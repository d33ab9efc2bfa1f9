package bundle

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// View is accepted metadata, to be asked.
type View struct {
	Root, Timestamp, Snapshot, Targets Document
	// Older is set when the offered metadata was older than what is trusted, or another of the same version.
	Older bool

	root    *rootDocument
	targets *targetsDocument
}

// Document is the version and date of one piece of metadata; zero where there is none.
type Document struct {
	Version int64
	Expires time.Time
}

// Role is who may sign one kind of metadata, and how many must.
type Role struct {
	Name      string
	Threshold int
	Keys      []Key
}

// Key is a public key by its TUF id.
type Key struct {
	ID     string
	Public ed25519.PublicKey
}

func (a *acceptance) view() *View {
	v := &View{Older: a.older, root: a.library.Root, targets: a.library.Targets[metadata.TARGETS]}
	v.Root = Document{a.library.Root.Signed.Version, a.library.Root.Signed.Expires}
	v.Snapshot = Document{a.library.Snapshot.Signed.Version, a.library.Snapshot.Signed.Expires}
	v.Targets = Document{v.targets.Signed.Version, v.targets.Signed.Expires}
	if t, err := parseTimestamp(a.result.Timestamp); err == nil {
		v.Timestamp = Document{t.Signed.Version, t.Signed.Expires}
	}
	return v
}

// Bundles is everything that targets.json vouches for, by bundle id.
func (v *View) Bundles() map[string]TargetInfo {
	bundles := map[string]TargetInfo{}
	for path, target := range v.targets.Signed.Targets {
		id, ok := strings.CutPrefix(path, "bundles/")
		id, ok2 := strings.CutSuffix(id, "/manifest.json")
		if info, err := targetInfo(target); err == nil && ok && ok2 {
			bundles[id] = info
		}
	}
	return bundles
}

// Roles lists the four roles with their keys.
func (v *View) Roles() []Role { return roles(v.root) }

func roles(root *rootDocument) []Role {
	var list []Role
	for _, name := range metadata.TOP_LEVEL_ROLE_NAMES {
		role := root.Signed.Roles[name]
		r := Role{Name: name, Threshold: role.Threshold}
		for _, id := range role.KeyIDs {
			if key := root.Signed.Keys[id]; key != nil {
				public, _ := hex.DecodeString(key.Value.PublicKey) // parseRoot has decoded it before
				r.Keys = append(r.Keys, Key{ID: id, Public: public})
			}
		}
		list = append(list, r)
	}
	return list
}

// RootRoles lists the roles of a root without trusting it, to show them.
func RootRoles(data []byte) (Document, []Role, error) {
	root, err := parseRoot(data)
	if err != nil {
		return Document{}, nil, err
	}
	return Document{root.Signed.Version, root.Signed.Expires}, roles(root), nil
}

// Signers returns the ids of the keys whose signatures on targets.json are good.
func (v *View) Signers() []string {
	payload, err := Canonical(v.targets.Signed)
	if err != nil {
		return nil
	}
	var ids []string
	for _, role := range v.Roles() {
		if role.Name != metadata.TARGETS {
			continue
		}
		for _, key := range role.Keys {
			if slices.ContainsFunc(v.targets.Signatures, func(s metadata.Signature) bool {
				return s.KeyID == key.ID && ed25519.Verify(key.Public, payload, s.Signature)
			}) {
				ids = append(ids, key.ID)
			}
		}
	}
	return ids
}

// Manifest reads a manifest that targets.json vouches for. Nobody's word for it
// is Authenticity, other bytes than vouched for are Integrity, and a bundle that
// only older metadata knows was withdrawn, or its signer's list was out of date: Stale.
func (v *View) Manifest(bundleID string, data []byte) (*Manifest, error) {
	target, ok := v.targets.Signed.Targets[TargetPath(bundleID)]
	switch {
	case !ok && v.Older:
		return nil, refuse(Stale, "Newer signed metadata does not list bundle %.80q: it was withdrawn, or signed on top of a list that was out of date.", bundleID)
	case !ok:
		return nil, refuse(Authenticity, "No release key vouches for bundle %.80q.", bundleID)
	}
	info, err := targetInfo(target)
	if err != nil {
		return nil, refuseBecause(Malformed, err, "The target of bundle %s cannot be read.", bundleID)
	}
	if _, err := ParseManifest(data); err != nil && int64(len(data)) < info.Length { // one that can be read did not end early
		return nil, refuse(Incomplete, "The manifest of bundle %s has %d of %d bytes.", bundleID, len(data), info.Length)
	}
	if sum := sha256.Sum256(data); int64(len(data)) != info.Length || hex.EncodeToString(sum[:]) != info.SHA256 {
		return nil, refuse(Integrity, "The manifest of bundle %s is not the one that was signed.", bundleID)
	}
	m, err := ParseManifest(data)
	if err != nil {
		return nil, err
	}
	if m.BundleID != bundleID || m.Version != info.Version || m.Channel != info.Channel {
		return nil, refuse(Integrity, "The manifest of bundle %s and targets.json name different bundles.", bundleID)
	}
	return m, nil
}

// OnlineKeys are the portal's keys by their ids: those of the timestamp role, which also sign assignments.
func (v *View) OnlineKeys() map[string]ed25519.PublicKey {
	keys := map[string]ed25519.PublicKey{}
	for _, role := range v.Roles() {
		for _, key := range role.Keys {
			if role.Name == metadata.TIMESTAMP {
				keys[key.ID] = key.Public
			}
		}
	}
	return keys
}
