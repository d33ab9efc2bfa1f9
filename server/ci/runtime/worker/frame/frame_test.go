package frame

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)

func read(t *testing.T, file []byte) ([]Record, error) {
	t.Helper()
	r := NewReader(bytes.NewReader(file))
	var out []Record
	for {
		rec, ok, err := r.Next()
		if err != nil || !ok {
			return out, err
		}
		rec.Data = bytes.Clone(rec.Data)
		out = append(out, rec)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	var file []byte
	want := []string{"hello\n", "", strings.Repeat("x", MaxData), "\x00\xff", strings.Repeat("y", 1000)}
	for range 5 { // beyond one buffer of the reader
		for _, d := range want {
			file = Append(file, Record{Time: at, Stream: Stderr, Data: []byte(d)})
		}
	}
	got, err := read(t, file)
	if err != nil || len(got) != 5*len(want) {
		t.Fatalf("got %d records, %v", len(got), err)
	}
	for i, rec := range got {
		if string(rec.Data) != want[i%len(want)] || !rec.Time.Equal(at) || rec.Stream != Stderr {
			t.Errorf("record %d is %d bytes of stream %d at %v", i, len(rec.Data), rec.Stream, rec.Time)
		}
	}
}

// growing is a file that somebody else appends to.
type growing struct{ data []byte }

func (g *growing) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(g.data).ReadAt(p, off)
}

func TestFollowsAGrowingFile(t *testing.T) {
	t.Parallel()
	whole := Append(Append(nil, Record{Time: at, Stream: Stdout, Data: []byte("one")}), Record{Time: at, Stream: Stdout, Data: []byte("two")})
	g := &growing{}
	r := NewReader(g)
	var got []string
	for n := range len(whole) + 1 {
		g.data = whole[:n]
		for {
			rec, ok, err := r.Next()
			if err != nil {
				t.Fatalf("after %d bytes: %v", n, err)
			}
			if !ok {
				break
			}
			got = append(got, string(rec.Data))
		}
	}
	if strings.Join(got, " ") != "one two" {
		t.Errorf("got %q", got)
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	good := Append(nil, Record{Time: at, Stream: Stdout, Data: []byte("data")})
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x40
		// A length that grew makes the record look unfinished, which it may be.
		if got, err := read(t, bad); !errors.Is(err, ErrDamaged) && len(got) > 0 {
			t.Errorf("a changed byte %d was not noticed: %v", i, got)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte{})
	f.Add(Append(nil, Record{Time: at, Stream: Stdout, Data: []byte("data")}))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := read(t, file)
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		// Whatever is accepted is exactly what was written.
		var again []byte
		for _, rec := range got {
			again = Append(again, rec)
		}
		if !bytes.HasPrefix(file, again) {
			t.Error("the records do not encode to the file they were read from")
		}
	})
}
