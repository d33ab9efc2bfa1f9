package bundle

import (
	"bytes"
	"fmt"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// Mode says which dates count when metadata is accepted. Signatures, versions
// and hashes always count.
type Mode string

const (
	// Online wants a timestamp and all dates in the future: before anything is staged.
	Online Mode = "online"
	// Carried is for a file somebody brings, and for publication: a timestamp may
	// be absent and its date does not count, since whoever carries is the delay.
	Carried Mode = "carried"
	// Installed looks at no date: for what was accepted in time once. The
	// bundle's own date, with the grace, is Manifest.Fresh's matter.
	Installed Mode = "installed"
)

// Accept judges offered metadata by what is trusted already and returns what is
// trusted afterwards. The trusted set needs at least one root; of its roots the
// last counts. In the modes Carried and Installed older metadata is no error if
// it is properly signed: the newer one stays and decides.
//
// A document that no longer verifies under a new root is forgotten together
// with its version: that is how a fleet recovers after somebody with a stolen
// key ran the numbers up.
func Accept(trusted, offered Set, mode Mode, now time.Time) (Set, *View, error) {
	if len(trusted.Roots) == 0 {
		return Set{}, nil, fmt.Errorf("accept metadata: there is no trusted root")
	}
	last := trusted.Roots[len(trusted.Roots)-1]
	if _, err := parseRoot(last); err != nil {
		return Set{}, nil, err
	}
	library, err := trustedmetadata.New(last)
	if err != nil {
		return Set{}, nil, fromLibrary(err, metadata.ROOT)
	}
	if library.RefTime = now.UTC(); mode == Installed {
		library.RefTime = time.Time{} // before every date
	}
	a := &acceptance{library: library, trusted: trusted, offered: offered, result: Set{Roots: trusted.Roots}}
	if err := a.roots(); err != nil {
		return Set{}, nil, err
	}
	if mode == Online {
		err = a.online()
	} else {
		err = a.carried()
	}
	if err != nil {
		return Set{}, nil, err
	}
	return a.result, a.view(), nil
}

// acceptance is the state of one Accept. The library's TrustedMetadata does the
// verifying and the comparing with what was trusted before.
type acceptance struct {
	library          *trustedmetadata.TrustedMetadata
	trusted, offered Set
	result           Set
	older            bool // the offered metadata is older than what stays, or beside it
}

func (a *acceptance) roots() error {
	for _, data := range a.offered.Roots {
		root, err := parseRoot(data)
		if err != nil {
			return err
		}
		current := a.library.Root.Signed.Version
		if root.Signed.Version <= current {
			continue
		}
		if root.Signed.Version > current+1 {
			return refuse(Incomplete, "Root %d is missing between %d and %d.", current+1, current, root.Signed.Version)
		}
		if len(a.result.Roots) >= MaxRoots {
			return refuse(Malformed, "There are more than %d roots.", MaxRoots)
		}
		if _, err := a.library.UpdateRoot(data); err != nil {
			return fromLibrary(err, metadata.ROOT)
		}
		a.result.Roots = append(a.result.Roots[:len(a.result.Roots):len(a.result.Roots)], data)
	}
	return nil
}

// online is the TUF client workflow from the timestamp on.
func (a *acceptance) online() error {
	if a.library.Root.Signed.IsExpired(a.library.RefTime) {
		return refuse(Stale, "The root metadata has expired; its holders have to sign a new one.")
	}
	if _, err := parseTimestamp(a.trusted.Timestamp); err == nil {
		// An expired one is loaded all the same: its versions are the floor for the next.
		// One that a new root no longer covers is forgotten.
		_, _ = a.library.UpdateTimestamp(a.trusted.Timestamp)
	}
	if _, err := parseTimestamp(a.offered.Timestamp); err != nil {
		return err
	}
	before := a.library.Timestamp
	a.result.Timestamp = a.offered.Timestamp
	if _, err := a.library.UpdateTimestamp(a.offered.Timestamp); err != nil {
		refused := fromLibrary(err, metadata.TIMESTAMP)
		if KindOf(refused) != Stale || before == nil || !a.same() {
			return refused
		}
		a.result.Timestamp = a.trusted.Timestamp
	}
	if a.library.Timestamp.Signed.IsExpired(a.library.RefTime) {
		return refuse(Stale, "The timestamp expired at %s: the portal, or something on the way to it, is standing still.",
			a.library.Timestamp.Signed.Expires.Format(time.RFC3339))
	}
	if err := a.snapshot(); err != nil {
		return err
	}
	return a.targets()
}

// same says whether the offered timestamp is the trusted one again, which is no fault.
func (a *acceptance) same() bool {
	offered, err := parseTimestamp(a.offered.Timestamp)
	return err == nil && offered.Signed.Version == a.library.Timestamp.Signed.Version
}

func (a *acceptance) snapshot() error {
	if _, err := parseSnapshot(a.trusted.Snapshot); err == nil {
		_, err := a.library.UpdateSnapshot(a.trusted.Snapshot, true)
		if err == nil {
			a.result.Snapshot = a.trusted.Snapshot
			return nil
		}
		if len(a.offered.Snapshot) == 0 {
			return fromLibrary(err, metadata.SNAPSHOT)
		}
	}
	if _, err := parseSnapshot(a.offered.Snapshot); err != nil {
		return err
	}
	if _, err := a.library.UpdateSnapshot(a.offered.Snapshot, false); err != nil {
		return fromLibrary(err, metadata.SNAPSHOT)
	}
	a.result.Snapshot = a.offered.Snapshot
	return nil
}

func (a *acceptance) targets() error {
	if _, err := parseTargets(a.trusted.Targets); err == nil {
		_, err := a.library.UpdateTargets(a.trusted.Targets)
		if err == nil {
			a.result.Targets = a.trusted.Targets
			return nil
		}
		if len(a.offered.Targets) == 0 {
			return fromLibrary(err, metadata.TARGETS)
		}
	}
	if _, err := parseTargets(a.offered.Targets); err != nil {
		return err
	}
	if _, err := a.library.UpdateTargets(a.offered.Targets); err != nil {
		return fromLibrary(err, metadata.TARGETS)
	}
	a.result.Targets = a.offered.Targets
	return nil
}

// carried accepts metadata without anybody's word that it is the newest.
func (a *acceptance) carried() error {
	if a.library.Root.Signed.IsExpired(a.library.RefTime) {
		return refuse(Stale, "The root metadata has expired; its holders have to sign a new one.")
	}
	offered, err := a.signed()
	if err != nil {
		return err
	}
	known := int64(0)
	if trusted, err := parseSnapshot(a.trusted.Snapshot); err == nil {
		a.library.Timestamp = pointer(trusted.Signed.Version)
		// As online: an expired one still counts for its versions, a foreign one is forgotten.
		_, _ = a.library.UpdateSnapshot(a.trusted.Snapshot, true)
		if a.library.Snapshot != nil {
			known = trusted.Signed.Version
		}
	}
	if known > 0 && offered.Signed.Version <= known {
		a.older = offered.Signed.Version < known || !bytes.Equal(a.offered.Targets, a.trusted.Targets)
		a.result.Snapshot, a.result.Timestamp = a.trusted.Snapshot, a.newerTimestamp()
		return a.targets()
	}
	a.library.Timestamp = pointer(offered.Signed.Version)
	if _, err := a.library.UpdateSnapshot(a.offered.Snapshot, false); err != nil {
		return fromLibrary(err, metadata.SNAPSHOT)
	}
	a.result.Snapshot, a.result.Timestamp = a.offered.Snapshot, a.newerTimestamp()
	return a.targets()
}

// signed checks the signatures of all that is offered, and that the pieces belong together, before any version is looked at.
func (a *acceptance) signed() (*snapshotDocument, error) {
	if len(a.offered.Snapshot) == 0 || len(a.offered.Targets) == 0 {
		return nil, refuse(Authenticity, "The bundle is not signed.")
	}
	root := a.library.Root
	snapshot, err := parseSnapshot(a.offered.Snapshot)
	if err != nil {
		return nil, err
	}
	targets, err := parseTargets(a.offered.Targets)
	if err != nil {
		return nil, err
	}
	if err := root.VerifyDelegate(metadata.TARGETS, targets); err != nil {
		return nil, fromLibrary(err, metadata.TARGETS)
	}
	if err := root.VerifyDelegate(metadata.SNAPSHOT, snapshot); err != nil {
		return nil, fromLibrary(err, metadata.SNAPSHOT)
	}
	named := snapshot.Signed.Meta[nameTargets]
	if err := named.VerifyLengthHashes(a.offered.Targets); err != nil || named.Version != targets.Signed.Version {
		return nil, refuse(Integrity, "Snapshot and targets are of two releases.")
	}
	if len(a.offered.Timestamp) == 0 {
		return snapshot, nil
	}
	timestamp, err := parseTimestamp(a.offered.Timestamp)
	if err != nil {
		return nil, err
	}
	if err := root.VerifyDelegate(metadata.TIMESTAMP, timestamp); err != nil {
		return nil, fromLibrary(err, metadata.TIMESTAMP)
	}
	vouched := timestamp.Signed.Meta[nameSnapshot]
	if err := vouched.VerifyLengthHashes(a.offered.Snapshot); err != nil || vouched.Version != snapshot.Signed.Version {
		return nil, refuse(Integrity, "Timestamp and snapshot are of two releases.")
	}
	return snapshot, nil
}

// newerTimestamp is the newer of the two timestamps which the root covers.
func (a *acceptance) newerTimestamp() []byte {
	trusted, err := parseTimestamp(a.trusted.Timestamp)
	if err != nil || a.library.Root.VerifyDelegate(metadata.TIMESTAMP, trusted) != nil {
		return a.offered.Timestamp // signed has verified it
	}
	if offered, err := parseTimestamp(a.offered.Timestamp); err == nil && offered.Signed.Version > trusted.Signed.Version {
		return a.offered.Timestamp
	}
	return a.trusted.Timestamp
}

// pointer stands for a timestamp where none is asked for: it names a snapshot's
// version and no hash, so that the library can go on from there.
func pointer(snapshot int64) *timestampDocument {
	t := metadata.Timestamp(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
	t.Signed.Meta[nameSnapshot] = &metadata.MetaFiles{Version: snapshot}
	return t
}

// sameSet says whether two sets are the same bytes, so that nothing need be written.
func sameSet(a, b Set) bool {
	if len(a.Roots) != len(b.Roots) {
		return false
	}
	for i := range a.Roots {
		if !bytes.Equal(a.Roots[i], b.Roots[i]) {
			return false
		}
	}
	return bytes.Equal(a.Timestamp, b.Timestamp) && bytes.Equal(a.Snapshot, b.Snapshot) && bytes.Equal(a.Targets, b.Targets)
}
