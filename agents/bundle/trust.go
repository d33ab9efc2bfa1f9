package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Trust is a folder with the metadata that a node has accepted and the highest
// version that it has begun to install from each channel. It must lie outside
// whatever a rollback restores, or a node forgets what it has seen.
type Trust struct {
	mu    sync.Mutex
	dir   string
	set   Set
	floor map[string]floor
}

// floor is the highest version installed from a channel, and whose word it was.
type floor struct {
	Version int64    `json:"version"`
	Signers []string `json:"signers"`
}

const nameFloor = "floor.json"

// Fetcher gets one metadata file (3.root.json, timestamp.json, …) of at most
// limit bytes from the portal; fs.ErrNotExist when there is none.
type Fetcher func(ctx context.Context, name string, limit int64) ([]byte, error)

// InitTrust makes the folder and pins the first root: from here on, others
// count only if a chain of signatures leads to them.
func InitTrust(dir string, roots [][]byte) (*Trust, error) {
	if len(roots) == 0 {
		return nil, refuse(Incomplete, "There is no root to pin.")
	}
	if _, err := os.Stat(filepath.Join(dir, "root")); err == nil {
		return nil, fmt.Errorf("pin a root: %s holds one already", dir)
	}
	first := Set{Roots: roots[:1]}
	if _, err := parseRoot(roots[0]); err != nil {
		return nil, err
	}
	chain, err := AcceptRoots(first, Set{Roots: roots})
	if err != nil {
		return nil, err
	}
	t := &Trust{dir: dir, floor: map[string]floor{}}
	return t, t.keep(chain)
}

// OpenTrust opens the folder that InitTrust made.
func OpenTrust(dir string) (*Trust, error) {
	t := &Trust{dir: dir, floor: map[string]floor{}}
	set, err := ReadSet(dir)
	if err != nil {
		return nil, err
	}
	if len(set.Roots) == 0 {
		return nil, fmt.Errorf("open trust: %s holds no root: %w", dir, fs.ErrNotExist)
	}
	t.set = set
	data, err := os.ReadFile(filepath.Join(dir, nameFloor))
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &t.floor); err != nil {
		return nil, fmt.Errorf("read %s: %w", nameFloor, err)
	}
	return t, nil
}

// Set returns the accepted metadata.
func (t *Trust) Set() Set {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.set
}

// View returns the accepted metadata whatever its dates; Authenticity when
// there is nothing beside the root yet.
func (t *Trust) View() (*View, error) {
	set := t.Set()
	_, view, err := Accept(set, set, Installed, time.Time{})
	return view, err
}

// Accept judges offered metadata and keeps it.
func (t *Trust) Accept(offered Set, mode Mode, now time.Time) (*View, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.accept(offered, mode, now)
}

func (t *Trust) accept(offered Set, mode Mode, now time.Time) (*View, error) {
	set, view, err := Accept(t.set, offered, mode, now)
	if err != nil {
		// New roots count even if the rest does not: they may be what revokes it.
		chain, _ := AcceptRoots(t.set, offered) // its error is part of err
		return nil, errors.Join(err, t.keep(chain))
	}
	return view, t.keep(set)
}

// Update fetches what is new from the portal and keeps it if it is good: before
// anything is staged. A portal that published between two fetches is asked once more.
func (t *Trust) Update(ctx context.Context, fetch Fetcher, now time.Time) (*View, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for attempt := 0; ; attempt++ {
		offered, err := t.fetch(ctx, fetch)
		if err != nil {
			return nil, err
		}
		view, err := t.accept(offered, Online, now)
		if attempt > 0 || KindOf(err) != Integrity && KindOf(err) != Stale {
			return view, err
		}
	}
}

// fetch gets the new roots, the timestamp, and of the rest what the timestamp says has changed.
func (t *Trust) fetch(ctx context.Context, fetch Fetcher) (Set, error) {
	var offered Set
	last, err := parseRoot(t.set.Roots[len(t.set.Roots)-1])
	if err != nil {
		return offered, err
	}
	for version := last.Signed.Version + 1; len(offered.Roots) < MaxRoots; version++ {
		data, err := get(ctx, fetch, fmt.Sprintf("%d.root.json", version), MaxRoot)
		if KindOf(err) == Incomplete {
			break
		}
		if err != nil {
			return offered, err
		}
		offered.Roots = append(offered.Roots, data)
	}
	if offered.Timestamp, err = get(ctx, fetch, nameTimestamp, MaxTimestamp); err != nil {
		return offered, err
	}
	// Believed only so far as to spare a download: Accept decides.
	timestamp, err := parseTimestamp(offered.Timestamp)
	if err != nil {
		return offered, err
	}
	trusted, err := parseSnapshot(t.set.Snapshot)
	if err == nil && len(offered.Roots) == 0 && trusted.Signed.Version == timestamp.Signed.Meta[nameSnapshot].Version {
		return offered, nil
	}
	if offered.Snapshot, err = get(ctx, fetch, nameSnapshot, MaxSnapshot); err != nil {
		return offered, err
	}
	offered.Targets, err = get(ctx, fetch, nameTargets, MaxTargets)
	return offered, err
}

func get(ctx context.Context, fetch Fetcher, name string, limit int64) ([]byte, error) {
	data, err := fetch(ctx, name, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(Incomplete, "The portal has no %s.", name)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, refuse(Malformed, "%s is longer than %d bytes.", name, limit)
	}
	return data, nil
}

// VerifyFile judges a bundle that somebody carried here, for a node: whose word
// it is, whether it is new enough, whether it is for this node, whether it is
// all there, and every hash, in this order. It keeps the bundle's metadata.
func (t *Trust) VerifyFile(ctx context.Context, f *File, node Node, now time.Time) (*Manifest, *Variant, error) {
	view, err := t.Accept(f.Set, Carried, now)
	if err != nil {
		return nil, nil, err
	}
	m, err := view.Manifest(f.Manifest.BundleID, f.ManifestBytes)
	if err != nil {
		return nil, nil, err
	}
	if err := t.CheckFloor(m); err != nil {
		return nil, nil, err
	}
	if _, err := m.Fresh(now, 0); err != nil {
		return nil, nil, err
	}
	variant, err := m.For(node)
	if err != nil {
		return nil, nil, err
	}
	return m, variant, f.Verify(ctx)
}

// CheckFloor refuses a bundle that is older than one of its channel which this node began to install.
func (t *Trust) CheckFloor(m *Manifest) error {
	if have := t.Floor(m.Channel); m.Version < have {
		return refuse(Stale, "Bundle %s has version %d; this node already had version %d of channel %s.", m.BundleID, m.Version, have, m.Channel)
	}
	return nil
}

// Floor is the highest version of the channel that this node began to install,
// as long as enough of the keys that signed it are still trusted: otherwise
// somebody with a stolen key could lock a node out for ever.
func (t *Trust) Floor(channel string) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.floor[channel]
	root, err := parseRoot(t.set.Roots[len(t.set.Roots)-1])
	if err != nil {
		return f.Version
	}
	role, still := root.Signed.Roles[metadata.TARGETS], 0
	for _, id := range f.Signers {
		if slices.Contains(role.KeyIDs, id) {
			still++
		}
	}
	if still < role.Threshold {
		return 0
	}
	return f.Version
}

// Raise remembers that the bundle's installation begins.
func (t *Trust) Raise(m *Manifest) error {
	if m.Version <= t.Floor(m.Channel) {
		return nil
	}
	view, err := t.View()
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.floor[m.Channel] = floor{Version: m.Version, Signers: view.Signers()}
	data, err := json.Marshal(t.floor)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(t.dir, nameFloor), data)
}
