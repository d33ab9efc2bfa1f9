package bundle

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The attacks have their names from TUF and Uptane; each ends with the exit code that the design states.

// pinned is a node that knows the first root and nothing else.
func pinned(t testing.TB) *Trust {
	t.Helper()
	trust, err := InitTrust(filepath.Join(t.TempDir(), "trust"), [][]byte{firstRoot().bytes(t)})
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

// portal serves a set, as a node's fetcher.
func portal(set Set, firstVersion int) Fetcher {
	files := map[string][]byte{nameTimestamp: set.Timestamp, nameSnapshot: set.Snapshot, nameTargets: set.Targets}
	for i, root := range set.Roots {
		files[fmt.Sprintf("%d.root.json", firstVersion+i)] = root
	}
	return func(_ context.Context, name string, _ int64) ([]byte, error) {
		if data := files[name]; data != nil {
			return data, nil
		}
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
}

// carry is what `apply FILE` does.
func carry(t testing.TB, trust *Trust, data []byte, node Node, now time.Time) error {
	t.Helper()
	f, err := open(data)
	if err != nil {
		return err
	}
	_, _, err = trust.VerifyFile(t.Context(), f, node, now)
	return err
}

func TestAttackArbitraryInstall(t *testing.T) {
	t.Parallel()
	root, p := firstRoot().bytes(t), pack(2)
	foreign := firstRoot()
	foreign.roots, foreign.release, foreign.signers = []string{"x1", "x2"}, []string{"x"}, []string{"x1", "x2"}
	two := firstRoot()
	two.release, two.releaseMinimum = []string{"a", "b"}, 2
	for name, c := range map[string]struct {
		pin  []byte
		file []byte
		code int
	}{
		"good":                       {root, p.file(t, firstRelease(p).set(t, root)), 0},
		"good without a portal":      {root, p.file(t, Set{Targets: firstRelease(p).set(t).Targets, Snapshot: firstRelease(p).set(t).Snapshot}), 0},
		"unsigned":                   {root, p.file(t, Set{}), 3},
		"foreign release key":        {root, p.file(t, firstRelease(p).signedBy("x").set(t, root)), 3},
		"foreign root and key":       {root, p.file(t, firstRelease(p).signedBy("x").set(t, foreign.bytes(t))), 3},
		"root key signs a bundle":    {root, p.file(t, firstRelease(p).signedBy("r1", "r2", "r3").set(t, root)), 3},
		"one signature of two":       {two.bytes(t), p.file(t, firstRelease(p).signedBy("a").set(t)), 3},
		"both signatures":            {two.bytes(t), p.file(t, firstRelease(p).signedBy("a", "b").set(t)), 0},
		"list of another bundle":     {root, p.file(t, firstRelease(pack(1)).set(t, root)), 3},
		"timestamp by a foreign key": {root, p.file(t, func() Set { r := firstRelease(p); r.timestampKeys = []string{"x"}; return r.set(t, root) }()), 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trust, err := InitTrust(filepath.Join(t.TempDir(), "trust"), [][]byte{c.pin})
			if err != nil {
				t.Fatal(err)
			}
			wantExit(t, carry(t, trust, c.file, thisNode, today), c.code)
		})
	}
}

func TestAttackRollback(t *testing.T) {
	t.Parallel()
	root, one, two := firstRoot().bytes(t), pack(1), pack(2)
	older, newer := firstRelease(one).set(t, root), firstRelease(one, two).at(2).set(t, root)
	t.Run("older metadata from the portal", func(t *testing.T) {
		t.Parallel()
		trust := pinned(t)
		if _, err := trust.Update(t.Context(), portal(newer, 1), today); err != nil {
			t.Fatal(err)
		}
		_, err := trust.Update(t.Context(), portal(older, 1), today)
		wantExit(t, err, 9)
		again, err := trust.Update(t.Context(), portal(newer, 1), today)
		if err != nil || again.Targets.Version != 2 {
			t.Errorf("the same again: %v %v", again, err)
		}
	})
	t.Run("older bundle after a newer one, under any name", func(t *testing.T) {
		t.Parallel()
		trust := pinned(t)
		wantExit(t, carry(t, trust, two.file(t, newer), thisNode, today), 0)
		if err := trust.Raise(&two.manifest); err != nil {
			t.Fatal(err)
		}
		renamed := pack(1)
		renamed.manifest.BundleID = "zzz-sorts-last"
		both := firstRelease(renamed, two).at(3).set(t, root)
		wantExit(t, carry(t, trust, renamed.file(t, both), thisNode, today), 9)
		wantExit(t, carry(t, trust, one.file(t, newer), thisNode, today), 9)
		wantExit(t, carry(t, trust, two.file(t, newer), thisNode, today), 0)
		reopened, err := OpenTrust(trust.dir)
		if err != nil || reopened.Floor("stable") != 2 || reopened.Floor("beta") != 0 {
			t.Errorf("after a restart the floor is %d: %v", reopened.Floor("stable"), err)
		}
	})
	t.Run("a stick that was written before the node went online", func(t *testing.T) {
		t.Parallel()
		trust := pinned(t)
		if _, err := trust.Update(t.Context(), portal(newer, 1), today); err != nil {
			t.Fatal(err)
		}
		wantExit(t, carry(t, trust, one.file(t, older), thisNode, today), 0)
		if view, err := trust.View(); err != nil || view.Targets.Version != 2 {
			t.Errorf("the older list took over: %+v %v", view, err)
		}
	})
	t.Run("a bundle that was withdrawn", func(t *testing.T) {
		t.Parallel()
		trust := pinned(t)
		if _, err := trust.Update(t.Context(), portal(firstRelease(two).at(2).set(t, root), 1), today); err != nil {
			t.Fatal(err)
		}
		wantExit(t, carry(t, trust, one.file(t, older), thisNode, today), 9)
	})
	t.Run("two lists of one version", func(t *testing.T) {
		t.Parallel()
		trust := pinned(t)
		wantExit(t, carry(t, trust, one.file(t, older), thisNode, today), 0)
		beside := firstRelease(two).set(t, root)
		wantExit(t, carry(t, trust, two.file(t, beside), thisNode, today), 9)
		if view, err := trust.View(); err != nil || len(view.Bundles()) != 1 || view.Bundles()["build-1"].Version != 1 {
			t.Errorf("the other list took over: %+v %v", view, err)
		}
	})
}

func TestAttackFreeze(t *testing.T) {
	t.Parallel()
	root, p := firstRoot().bytes(t), pack(1)
	set := firstRelease(p).set(t, root)
	trust := pinned(t)
	if _, err := trust.Update(t.Context(), portal(set, 1), today); err != nil {
		t.Fatal(err)
	}
	_, err := trust.Update(t.Context(), portal(set, 1), today.Add(8*day))
	wantExit(t, err, 9)
	// What was staged in time may still be installed, within the bundle's own date and grace.
	view, err := trust.View()
	if err != nil {
		t.Fatal(err)
	}
	m, err := view.Manifest("build-1", p.manifestBytes(t))
	if err != nil {
		t.Fatal(err)
	}
	if stale, err := m.Fresh(today.Add(8*day), 0); stale || err != nil {
		t.Errorf("stale %v: %v", stale, err)
	}
	if stale, err := m.Fresh(today.Add(65*day), 10*day); !stale || err != nil {
		t.Errorf("in the grace: stale %v: %v", stale, err)
	}
	_, err = m.Fresh(today.Add(75*day), 10*day)
	wantExit(t, err, 9)
	t.Run("dates of a carried bundle", func(t *testing.T) {
		t.Parallel()
		data := p.file(t, set)
		wantExit(t, carry(t, pinned(t), data, thisNode, today.Add(30*day)), 0) // the timestamp's date does not count
		wantExit(t, carry(t, pinned(t), data, thisNode, today.Add(61*day)), 9) // the bundle's does
		wantExit(t, carry(t, pinned(t), data, thisNode, inAYear.Add(day)), 9)  // and the root's
	})
}

func TestAttackFastForward(t *testing.T) {
	t.Parallel()
	root := firstRoot().bytes(t)
	far := pack(1)
	far.manifest.Version = math.MaxInt32
	far.manifest.BundleID = "far"
	trust := pinned(t)
	thief := firstRelease(far).at(math.MaxInt32)
	if _, err := trust.Update(t.Context(), portal(thief.set(t, root), 1), today); err != nil {
		t.Fatal(err)
	}
	if err := trust.Raise(&far.manifest); err != nil {
		t.Fatal(err)
	}
	p := pack(3)
	_, err := trust.Update(t.Context(), portal(firstRelease(p).at(2).set(t, root), 1), today)
	wantExit(t, err, 9) // stuck, as the thief wanted
	next := firstRoot()
	next.version, next.release, next.timestamp = 2, []string{"b"}, []string{"t2"}
	r := firstRelease(p).at(3).signedBy("b")
	r.timestampKeys = []string{"t2"}
	view, err := trust.Update(t.Context(), portal(r.set(t, root, next.bytes(t)), 1), today)
	if err != nil || view.Targets.Version != 3 || view.Root.Version != 2 {
		t.Fatalf("no recovery: %+v %v", view, err)
	}
	m, err := view.Manifest(p.manifest.BundleID, p.manifestBytes(t))
	if err != nil || trust.CheckFloor(m) != nil {
		t.Errorf("the bundle after the rotation is refused: %v %v", err, trust.CheckFloor(m))
	}
}

func TestAttackMixAndMatch(t *testing.T) {
	t.Parallel()
	root, one, two := firstRoot().bytes(t), pack(1), pack(2)
	a, b := firstRelease(one).set(t, root), firstRelease(one, two).at(2).set(t, root)
	for name, c := range map[string]struct {
		set  Set
		code int
	}{
		"timestamp of 2, the rest of 1": {Set{Timestamp: b.Timestamp, Snapshot: a.Snapshot, Targets: a.Targets}, 2},
		"snapshot of 2, targets of 1":   {Set{Timestamp: b.Timestamp, Snapshot: b.Snapshot, Targets: a.Targets}, 9},
		"targets of 2, the rest of 1":   {Set{Timestamp: a.Timestamp, Snapshot: a.Snapshot, Targets: b.Targets}, 9},
	} {
		_, err := pinned(t).Update(t.Context(), portal(c.set, 2), today)
		wantExit(t, err, c.code)
		// Carried, it makes no difference which piece is the odd one.
		if err := carry(t, pinned(t), two.file(t, c.set), thisNode, today); ExitCode(err) != 2 {
			t.Errorf("%s carried: %v", name, err)
		}
	}
	// A's manifest with B's package of the same length under A's name.
	data := one.file(t, a)
	good := one.blobs[one.manifest.Variants[0].Packages[0].SHA256]
	swapped := bytes.Replace(data, good, two.blobs[two.manifest.Variants[0].Packages[0].SHA256], 1)
	wantExit(t, carry(t, pinned(t), swapped, thisNode, today), 2)
	// Another manifest under the signed one's name.
	forged := pack(1)
	forged.manifest.Requires.Reboot = RebootAlways
	wantExit(t, carry(t, pinned(t), forged.file(t, a), thisNode, today), 2)
}

func TestAttackPartialBundle(t *testing.T) {
	t.Parallel()
	root, p := firstRoot().bytes(t), pack(1)
	set := firstRelease(p).set(t, root)
	v := p.manifest.Variants[0]
	whole := p.file(t, set)
	// Write refuses to leave a package out, so it is cut out of the tar.
	gone := rawMember(t, prefixBlobs+v.Packages[1].SHA256, p.blobs[v.Packages[1].SHA256])
	wantExit(t, carry(t, pinned(t), bytes.Replace(whole, gone, nil, 1), thisNode, today), 4)
	var none bytes.Buffer
	if err := Write(&none, Content{Manifest: &p.manifest, SBOM: p.sbom, Blob: p.without(v.Packages[1].SHA256).blob}); err == nil {
		t.Error("a bundle without one of its packages was written")
	}
	// Without a delta it is whole: the package is there.
	slim := p.without(v.Packages[0].Deltas[0].SHA256)
	wantExit(t, carry(t, pinned(t), slim.file(t, set), thisNode, today), 0)
	// Cut anywhere, it is short, never forged and never broken.
	trust := pinned(t)
	for at := 0; at < len(whole); at += 97 {
		if err := carry(t, trust, whole[:at], thisNode, today); ExitCode(err) != 4 {
			t.Fatalf("cut at byte %d of %d: exit %d: %v", at, len(whole), ExitCode(err), err)
		}
	}
}

func TestAttackStolenRoleKey(t *testing.T) {
	t.Parallel()
	root, p := firstRoot().bytes(t), pack(1)
	r := firstRelease(p).signedBy("t")
	_, err := pinned(t).Update(t.Context(), portal(r.set(t, root), 1), today)
	wantExit(t, err, 3)
	wantExit(t, carry(t, pinned(t), p.file(t, r.set(t, root)), thisNode, today), 3)
	// The snapshot alone is not enough either: the list stays the release keys'.
	r = firstRelease(p)
	r.targetsKeys = []string{"t"}
	_, err = pinned(t).Update(t.Context(), portal(r.set(t, root), 1), today)
	wantExit(t, err, 3)
	// One root key of two cannot change who counts.
	next := firstRoot()
	next.version, next.release, next.signers = 2, []string{"x"}, []string{"r1"}
	_, err = pinned(t).Update(t.Context(), portal(firstRelease(p).signedBy("x").set(t, root, next.bytes(t)), 1), today)
	wantExit(t, err, 3)
	// Nor can new root keys without the old ones.
	next.roots, next.signers = []string{"x1", "x2"}, []string{"x1", "x2"}
	_, err = pinned(t).Update(t.Context(), portal(firstRelease(p).signedBy("x").set(t, root, next.bytes(t)), 1), today)
	wantExit(t, err, 3)
}

func TestAttackOldKeyAfterRotation(t *testing.T) {
	t.Parallel()
	root, p := firstRoot().bytes(t), pack(1)
	next := firstRoot()
	next.version, next.release = 2, []string{"b"}
	trust := pinned(t)
	if _, err := trust.Update(t.Context(), portal(firstRelease(p).set(t, root), 1), today); err != nil {
		t.Fatal(err)
	}
	rotated := firstRelease(p).at(2).signedBy("b").set(t, root, next.bytes(t))
	if _, err := trust.Update(t.Context(), portal(rotated, 1), today); err != nil {
		t.Fatal(err)
	}
	evil := pack(9)
	wantExit(t, carry(t, trust, evil.file(t, firstRelease(evil).at(3).set(t, root)), thisNode, today), 3)
	_, err := trust.Update(t.Context(), portal(firstRelease(evil).at(3).set(t, root, next.bytes(t)), 1), today)
	wantExit(t, err, 3)
	// A node that hears of the rotation by a stick only obeys it all the same, and keeps
	// the new root even though the list beside it is worthless.
	behind := pinned(t)
	wantExit(t, carry(t, behind, evil.file(t, firstRelease(evil).at(3).set(t, root, next.bytes(t))), thisNode, today), 3)
	if again, err := OpenTrust(behind.dir); err != nil || len(again.Set().Roots) != 2 {
		t.Errorf("the new root was not kept: %v", err)
	}
}

func TestAttackWrongTarget(t *testing.T) {
	t.Parallel()
	root := firstRoot().bytes(t)
	narrow := pack(1)
	narrow.manifest.Targets.Nodes = []string{"n2", "till-8"}
	demanding := pack(2)
	demanding.manifest.MinAgent = "1.10.0"
	arm, ubuntu, rpm, other := thisNode, thisNode, thisNode, thisNode
	arm.Arch, ubuntu.OSID, rpm.PackageSystem, other.Codename = "arm64", "ubuntu", RPM, "trixie"
	plain, named, current := pack(3), thisNode, thisNode
	named.Name, current.Agent = "till-8", "1.10.1"
	for name, c := range map[string]struct {
		bundle *packed
		node   Node
		code   int
	}{
		"arm64":               {plain, arm, 9},
		"ubuntu":              {plain, ubuntu, 9},
		"rpm":                 {plain, rpm, 9},
		"another codename":    {plain, other, 9},
		"another node":        {narrow, thisNode, 9},
		"the named node":      {narrow, named, 0},
		"an agent too old":    {demanding, thisNode, 9},
		"an agent new enough": {demanding, current, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantExit(t, carry(t, pinned(t), c.bundle.file(t, firstRelease(c.bundle).set(t, root)), c.node, today), c.code)
		})
	}
}

func TestAttackTimeOfCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := []byte("a package as it was staged")
	sha, size := hashOf(data), int64(len(data))
	put := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := put("good", data)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(good, link); err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(data)
	flipped[3] ^= 1
	for name, c := range map[string]struct {
		path string
		code int
	}{
		"as staged":         {good, 0},
		"one bit flipped":   {put("flipped", flipped), 2},
		"longer":            {put("longer", append(bytes.Clone(data), 'x')), 2},
		"shorter":           {put("shorter", data[:size-1]), 4},
		"gone":              {filepath.Join(dir, "gone"), 4},
		"a symbolic link":   {link, 2},
		"a folder":          {dir, 2},
		"a device, endless": {"/dev/zero", 2},
	} {
		var copied bytes.Buffer
		err := CopyVerified(t.Context(), &copied, c.path, sha, size)
		if ExitCode(err) != c.code || int64(copied.Len()) > size {
			t.Errorf("%s: exit %d, %d bytes copied: %v", name, ExitCode(err), copied.Len(), err)
		}
	}
}
