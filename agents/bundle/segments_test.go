package bundle

import (
	"bytes"
	"testing"
)

// noise is the same bytes each time, which do not compress.
func noise(n int, seed uint32) []byte {
	out := make([]byte, n)
	for i := range out {
		seed = seed*1664525 + 1013904223
		out[i] = byte(seed >> 24)
	}
	return out
}

// TestSegments: a large file whose parts moved far costs little, whatever lies in
// between, and nothing but the promised file is ever taken.
func TestSegments(t *testing.T) {
	t.Parallel()
	base := noise(24<<20, 1)
	target := bytes.Join([][]byte{base[17<<20:], []byte("something new"), noise(1<<20, 2), base[:2<<20]}, nil)
	var made bytes.Buffer
	if err := MakeSegments(t.Context(), bytes.NewReader(base), int64(len(base)), bytes.NewReader(target), &made); err != nil {
		t.Fatal(err)
	}
	delta := made.Bytes()
	if len(delta) > 1100<<10 {
		t.Errorf("a delta of moved bytes and a new megabyte is %d bytes", len(delta))
	}
	sha, size := hashOf(target), int64(len(target))
	apply := func(base, delta []byte, sha string, size int64) (int, error) {
		var out bytes.Buffer
		err := ApplySegments(t.Context(), bytes.NewReader(base), int64(len(base)), bytes.NewReader(delta), &out, sha, size)
		return out.Len(), err
	}
	if n, err := apply(base, delta, sha, size); err != nil || int64(n) != size {
		t.Fatalf("%d bytes: %v", n, err)
	}
	wrong := bytes.Clone(base)
	wrong[18<<20] ^= 1
	for name, c := range map[string]struct {
		base, delta []byte
		sha         string
		size        int64
	}{
		"another base":         {wrong, delta, sha, size},
		"no base":              {nil, delta, sha, size},
		"a shorter base":       {base[:16<<20], delta, sha, size},
		"cut":                  {base, delta[:len(delta)/2], sha, size},
		"empty":                {base, nil, sha, size},
		"more than promised":   {base, delta, sha, size - 1},
		"less than promised":   {base, delta, sha, size + 1},
		"another hash":         {base, delta, hashOf(base), size},
		"something after it":   {base, append(bytes.Clone(delta), 0), sha, size},
		"beyond what is taken": {base, delta, sha, MaxSegmented + 1},
		"numbers without end":  {base, bytes.Repeat([]byte{0xff}, 100), sha, size},
	} {
		n, err := apply(c.base, c.delta, c.sha, c.size)
		if ExitCode(err) != 2 || int64(n) > c.size+1 {
			t.Errorf("%s: exit %d, %d bytes written: %v", name, ExitCode(err), n, err)
		}
	}
}

// FuzzSegments looks for deltas that make another file than the promised one, or more of it.
func FuzzSegments(f *testing.F) {
	base, target := noise(3000, 1), noise(2000, 1)
	var made bytes.Buffer
	if err := MakeSegments(f.Context(), bytes.NewReader(base), int64(len(base)), bytes.NewReader(target), &made); err != nil {
		f.Fatal(err)
	}
	f.Add(base, made.Bytes())
	sha, size := hashOf(target), int64(len(target))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		var out bytes.Buffer
		err := ApplySegments(t.Context(), bytes.NewReader(base), int64(len(base)), bytes.NewReader(delta), &out, sha, size)
		if int64(out.Len()) > size+1 || err == nil && !bytes.Equal(out.Bytes(), target) {
			t.Errorf("%d bytes, %v", out.Len(), err)
		}
	})
}
