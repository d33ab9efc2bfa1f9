package bundle

import (
	"bytes"
	"testing"
	"time"
)

func FuzzFile(f *testing.F) {
	p := pack(1)
	root := firstRoot().bytes(f)
	f.Add(p.file(f, firstRelease(p).set(f, root)))
	f.Add(p.file(f, Set{}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			if KindOf(err) == "" {
				t.Errorf("an error without a kind: %v", err)
			}
			return
		}
		// What is read has one form: made again it is the same bytes, if all of it is there.
		if file.Verify(t.Context()) != nil {
			return
		}
		sbom, err := file.SBOM()
		if err != nil {
			t.Fatal(err)
		}
		var again bytes.Buffer
		if err := Write(&again, Content{Manifest: file.Manifest, SBOM: sbom, Set: file.Set, Blob: blobsOf(file)}); err != nil || !bytes.Equal(again.Bytes(), data) {
			t.Errorf("a second form of the same bundle was read (%v)", err)
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add(pack(1).manifestBytes(f))
	f.Add([]byte(`{"schema":1}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err != nil {
			if KindOf(err) == "" {
				t.Errorf("an error without a kind: %v", err)
			}
			return
		}
		if again, err := m.Encode(); err != nil || !bytes.Equal(again, data) {
			t.Errorf("a second spelling was read (%v)", err)
		}
	})
}

// FuzzMetadata looks for what makes the library behind panic, and for anything that is accepted without a signature.
func FuzzMetadata(f *testing.F) {
	p := pack(1)
	root := firstRoot().bytes(f)
	next := firstRoot()
	next.version = 2
	set := firstRelease(p).set(f, root)
	f.Add(next.bytes(f), set.Timestamp, set.Snapshot, set.Targets)
	f.Add([]byte(`{"signed":{"_type":"root","keys":{"a":null},"roles":null}}`), []byte(`{"signed":{"_type":"timestamp","meta":{}}}`),
		[]byte(`{"signed":{"_type":"snapshot","meta":{"targets.json":null}}}`), []byte(`{"signed":{"_type":"targets","targets":{"x":null}}}`))
	good := [][]byte{set.Timestamp, set.Snapshot, set.Targets}
	f.Fuzz(func(t *testing.T, rootData, timestamp, snapshot, targets []byte) {
		for _, mode := range []Mode{Online, Carried, Installed} {
			offered := Set{Timestamp: timestamp, Snapshot: snapshot, Targets: targets}
			if len(rootData) > 0 {
				offered.Roots = [][]byte{rootData}
			}
			_, view, err := Accept(Set{Roots: [][]byte{root}}, offered, mode, today)
			if err != nil {
				if KindOf(err) == "" {
					t.Errorf("an error without a kind: %v", err)
				}
				continue
			}
			if len(view.Signers()) == 0 {
				t.Errorf("accepted without a signature: %q", targets)
			}
			view.Bundles()
		}
		// As what is trusted already, garbage is forgotten and never in the way.
		trusted := Set{Roots: [][]byte{root}, Timestamp: timestamp, Snapshot: snapshot, Targets: targets}
		if _, _, err := Accept(trusted, Set{Timestamp: good[0], Snapshot: good[1], Targets: good[2]}, Online, today); err != nil && KindOf(err) != Stale {
			t.Errorf("what was kept spoils what is new: %v", err)
		}
		_, _, _ = RootRoles(rootData)
	})
}

func FuzzDeb(f *testing.F) {
	f.Add(debOf(f, ".gz"), int64(1<<20))
	f.Add(debOf(f, ".xz"), int64(1<<20))
	f.Add(debOf(f, ".zst"), int64(1<<20))
	f.Add(debOf(f, ""), int64(1<<10))
	f.Fuzz(func(t *testing.T, data []byte, limit int64) {
		out := scratch(t)
		sha, size, err := Normalise(t.Context(), bytes.NewReader(data), out, min(limit, 1<<20))
		if err != nil {
			return
		}
		if size > limit {
			t.Errorf("%d bytes over the limit %d", size, limit)
		}
		// A normalised file is its own normal form.
		again, next := contentOf(t, out, size), scratch(t)
		if sha2, size2, err := Normalise(t.Context(), bytes.NewReader(again), next, MaxBlob); err != nil || sha2 != sha || size2 != size {
			t.Errorf("normalised twice: %s %d %v", sha2, size2, err)
		}
	})
}

func FuzzDelta(f *testing.F) {
	base, target := bytes.Repeat([]byte("old "), 500), bytes.Repeat([]byte("new "), 500)
	delta, err := MakeDelta(base, target)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(base, delta)
	sha, size := hashOf(target), int64(len(target))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		var out bytes.Buffer
		err := ApplyDelta(t.Context(), base, bytes.NewReader(delta), &out, sha, size)
		if int64(out.Len()) > size+1 {
			t.Errorf("%d bytes written where %d were promised", out.Len(), size)
		}
		if err == nil && !bytes.Equal(out.Bytes(), target) {
			t.Error("another file was taken for the promised one")
		}
	})
}

// FuzzNode looks for versions and dates that confuse the choice of a variant.
func FuzzNode(f *testing.F) {
	f.Add("1.4.0", "1.10", int64(0))
	f.Fuzz(func(t *testing.T, have, want string, at int64) {
		m := pack(1).manifest
		m.MinAgent = want
		node := thisNode
		node.Agent = have
		if have == want {
			if _, err := m.For(node); err != nil {
				t.Errorf("the very version that is asked for is refused: %v", err)
			}
		}
		_, _ = m.Fresh(time.Unix(at%(1<<40), 0), 0)
	})
}
