package bundle

import (
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Set is one collection of TUF metadata as the bytes that were signed: what a
// bundle carries, what a node or the portal keeps, and what the portal serves.
type Set struct {
	// Roots are consecutive versions, oldest first.
	Roots [][]byte
	// Timestamp is empty where no portal took part.
	Timestamp, Snapshot, Targets []byte
}

// The library's documents by our names.
type (
	rootDocument      = metadata.Metadata[metadata.RootType]
	timestampDocument = metadata.Metadata[metadata.TimestampType]
	snapshotDocument  = metadata.Metadata[metadata.SnapshotType]
	targetsDocument   = metadata.Metadata[metadata.TargetsType]
)

// maxSignatures bounds the work of verifying one document.
const maxSignatures = 64

// document reads one piece of metadata. The library recurses and dereferences
// without looking, so everything it relies on is checked here or by the callers.
func document[T metadata.Roles](role string, data []byte, limit int) (*metadata.Metadata[T], error) {
	if len(data) == 0 {
		return nil, refuse(Incomplete, "There is no %s metadata.", role)
	}
	if len(data) > limit {
		return nil, refuse(Malformed, "The %s metadata is %d bytes; the limit is %d.", role, len(data), limit)
	}
	if err := checkShape(data); err != nil {
		return nil, err
	}
	var m metadata.Metadata[T]
	if _, err := m.FromBytes(data); err != nil {
		return nil, refuseBecause(Malformed, err, "The %s metadata cannot be read.", role)
	}
	if len(m.Signatures) > maxSignatures {
		return nil, refuse(Malformed, "The %s metadata has more than %d signatures.", role, maxSignatures)
	}
	return &m, nil
}

func parseRoot(data []byte) (*rootDocument, error) {
	m, err := document[metadata.RootType](metadata.ROOT, data, MaxRoot)
	if err != nil {
		return nil, err
	}
	if m.Signed.Version < 1 {
		return nil, refuse(Malformed, "The root metadata has version %d.", m.Signed.Version)
	}
	for id, key := range m.Signed.Keys {
		if err := checkKey(id, key); err != nil {
			return nil, err
		}
	}
	for _, name := range metadata.TOP_LEVEL_ROLE_NAMES {
		role := m.Signed.Roles[name]
		if role == nil || role.Threshold < 1 || len(role.KeyIDs) < role.Threshold || len(role.KeyIDs) > maxSignatures {
			return nil, refuse(Malformed, "The root metadata has no usable role %s.", name)
		}
	}
	return m, nil
}

// checkKey wants ed25519 under the id that follows from the key: other kinds
// are never made here, and a short key makes the standard library panic.
func checkKey(id string, key *metadata.Key) error {
	if key == nil || key.Type != metadata.KeyTypeEd25519 || key.Scheme != metadata.KeySchemeEd25519 {
		return refuse(Malformed, "The root metadata holds a key that is not ed25519.")
	}
	if raw, err := hex.DecodeString(key.Value.PublicKey); err != nil || len(raw) != 32 {
		return refuse(Malformed, "The root metadata holds a key of the wrong length.")
	}
	if own, err := key.ID(); err != nil || own != id {
		return refuse(Malformed, "The root metadata calls a key by the id %.80q, which is not its own.", id)
	}
	return nil
}

func parseTimestamp(data []byte) (*timestampDocument, error) {
	m, err := document[metadata.TimestampType](metadata.TIMESTAMP, data, MaxTimestamp)
	if err == nil && m.Signed.Meta[nameSnapshot] == nil {
		return nil, refuse(Malformed, "The timestamp names no snapshot.")
	}
	return m, err
}

func parseSnapshot(data []byte) (*snapshotDocument, error) {
	m, err := document[metadata.SnapshotType](metadata.SNAPSHOT, data, MaxSnapshot)
	if err != nil {
		return nil, err
	}
	if len(m.Signed.Meta) != 1 || m.Signed.Meta[nameTargets] == nil {
		return nil, refuse(Malformed, "The snapshot must name targets.json and nothing else.")
	}
	return m, nil
}

func parseTargets(data []byte) (*targetsDocument, error) {
	m, err := document[metadata.TargetsType](metadata.TARGETS, data, MaxTargets)
	if err != nil {
		return nil, err
	}
	if m.Signed.Delegations != nil {
		return nil, refuse(Malformed, "The targets metadata delegates; bundles know no delegation.")
	}
	for path, target := range m.Signed.Targets {
		if _, err := targetInfo(target); err != nil {
			return nil, refuseBecause(Malformed, err, "The target %.160q cannot be read.", path)
		}
	}
	return m, nil
}

// TargetInfo is what targets.json says about one bundle.
type TargetInfo struct {
	SHA256   string   `json:"-"` // of the manifest
	Length   int64    `json:"-"`
	Version  int64    `json:"version"`
	Channel  string   `json:"channel"`
	Variants []string `json:"variants"`
}

func targetInfo(target *metadata.TargetFiles) (TargetInfo, error) {
	var info TargetInfo
	if target == nil || target.Custom == nil {
		return info, errors.New("it says nothing about its bundle")
	}
	if err := json.Unmarshal(*target.Custom, &info); err != nil {
		return info, err
	}
	sum, ok := target.Hashes["sha256"]
	if !ok || len(sum) != 32 || target.Length < 1 || target.Length > MaxManifest {
		return info, errors.New("it has no SHA-256 or no length")
	}
	info.SHA256, info.Length = hex.EncodeToString(sum), target.Length
	return info, nil
}

// fromLibrary turns the library's refusal into ours. Documents were read
// before, so what is left is about signatures, versions, dates and hashes.
func fromLibrary(err error, role string) error {
	var (
		unsigned *metadata.ErrUnsignedMetadata
		expired  *metadata.ErrExpiredMetadata
		version  *metadata.ErrBadVersionNumber
		equal    *metadata.ErrEqualVersionNumber
		mismatch *metadata.ErrLengthOrHashMismatch
		value    *metadata.ErrValue
	)
	switch {
	case err == nil || KindOf(err) != "":
		return err
	case errors.As(err, &unsigned), errors.As(err, &value):
		return refuseBecause(Authenticity, err, "The %s metadata is not signed by enough of its role's keys.", role)
	case errors.As(err, &expired):
		return refuseBecause(Stale, err, "The %s metadata has expired.", role)
	case errors.As(err, &version), errors.As(err, &equal):
		return refuseBecause(Stale, err, "The %s metadata has the wrong version: an older one is being replayed, or pieces of two releases are mixed.", role)
	case errors.As(err, &mismatch):
		return refuseBecause(Integrity, err, "The %s metadata is not the one that was vouched for.", role)
	}
	return refuseBecause(Malformed, err, "The %s metadata is not usable.", role)
}
