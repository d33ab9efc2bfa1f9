package store

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/signalbox/signalbox/server/logs/record"
)

// built makes postings of zones' hashes.
func built(zones [][]uint32) *postings {
	b := &postingsBuilder{}
	for _, hashes := range zones {
		b.add(hashes)
		b.add(hashes[:len(hashes)/2]) // twice is once
		b.endZone()
	}
	info, data := b.encode()
	in := &cursor{data: info.encode(nil)}
	var again postingsInfo
	if again.decode(in); in.bad || in.pos != len(in.data) || again.size() != int64(len(data)) {
		panic("the layout does not survive")
	}
	return &postings{postingsInfo: again, file: bytes.NewReader(data), count: len(zones)}
}

// Postings never deny what was put in, and seldom affirm what was not.
func TestPostings(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	everywhere := []uint32{0, 1, 1 << 31, 1<<32 - 1}
	for _, count := range []int{1, 2, 9, 64, 300} {
		zones := make([][]uint32, count)
		shared := make([]uint32, 200)
		for i := range shared {
			shared[i] = rng.Uint32()
		}
		for z := range zones {
			for range 50 + 700*(z%9) {
				zones[z] = append(zones[z], rng.Uint32())
			}
			if z%3 == 0 {
				zones[z] = append(zones[z], shared...)
			}
			zones[z] = append(zones[z], everywhere...)
		}
		p := built(zones)
		for z, hashes := range zones {
			for _, h := range hashes[max(len(hashes)-300, 0):] {
				may := slices.Repeat([]bool{true}, count)
				if err := prune(p, [][]uint32{{h}}, may); err != nil || !may[z] {
					t.Fatalf("%d zones: zone %d denies %d: %v", count, z, h, err)
				}
			}
		}
		wrong := 0
		for range 4000 {
			may := slices.Repeat([]bool{true}, count)
			if err := prune(p, [][]uint32{{rng.Uint32()}}, may); err != nil {
				t.Fatal(err)
			}
			if slices.Contains(may, true) {
				wrong++
			}
		}
		if wrong > 4000/100 {
			t.Errorf("%d zones: %d of 4000 answers are wrong", count, wrong)
		}
	}
}

func TestNoPostings(t *testing.T) {
	t.Parallel()
	p := built([][]uint32{{}, {}})
	may := []bool{true, true}
	if err := prune(p, [][]uint32{{7}}, may); err != nil || slices.Contains(may, true) {
		t.Fatal(may, err)
	}
}

// A flipped bit is noticed wherever it is.
func TestDamagedPostings(t *testing.T) {
	t.Parallel()
	b := &postingsBuilder{}
	for h := range uint32(5000) {
		b.add([]uint32{h * 0x9E3779B9})
	}
	b.endZone()
	info, data := b.encode()
	for at := 0; at < len(data); at += 97 {
		bad := slices.Clone(data)
		bad[at] ^= 4
		p := &postings{postingsInfo: info, file: bytes.NewReader(bad), count: 1}
		damaged := 0
		for h := range uint32(5000) {
			if _, err := p.having(h*0x9E3779B9, []bool{false}, nil); err != nil {
				damaged++
			}
		}
		if damaged == 0 || damaged > 2000 {
			t.Fatalf("at %d: %d lookups noticed", at, damaged)
		}
	}
}

// What a bucket holds behind a right checksum is still not believed.
func FuzzBucket(f *testing.F) {
	b := &postingsBuilder{}
	for h := range uint32(40) {
		b.add([]uint32{h << 26})
		if h%4 == 0 {
			b.endZone()
		}
	}
	b.endZone()
	info, data := b.encode()
	f.Add(data[:len(data)-bucketExtra], info.Rice, info.Width)
	f.Fuzz(func(t *testing.T, data []byte, rice, width int) {
		if rice < 0 || rice > 32 || width < 1 || width > 32 {
			return
		}
		p := &postings{postingsInfo: postingsInfo{Width: width, Rice: rice}, count: 11}
		p.find(data, 1<<width-1, make([]bool, 11))
		p.find(data, 3, make([]bool, 11))
	})
}

// Counts are the lines, whatever the step they are kept in.
func TestCountsEncoding(t *testing.T) {
	t.Parallel()
	for _, span := range []int64{1e9, 60e9, 3600e9, 86400e9} {
		rng := rand.New(rand.NewPCG(2, uint64(span)))
		b := &countsBuilder{}
		want := map[[3]int64]int64{}
		const lines = 5000
		for stream := range 3 {
			times := make([]int64, lines)
			for i := range times {
				times[i] = rng.Int64N(span) - span/2 // before 1970 too
			}
			slices.Sort(times)
			for _, at := range times {
				level := record.Level(rng.IntN(record.Levels))
				b.add(stream, at, level)
				want[[3]int64{int64(stream), int64(level), at}]++
			}
		}
		infos, data := b.encode(3 * lines)
		if len(infos) == 0 {
			t.Fatalf("span %d: no counts", span)
		}
		at := int64(0)
		for _, info := range infos {
			left := map[[3]int64]int64{}
			for k, n := range want {
				left[[3]int64{k[0], k[1], floorDiv(k[2], info.Step)}] += n
			}
			err := readCounts(bytes.NewReader(data), at, info, []bool{true, false, true}, func(stream int, cells []cell) {
				for _, c := range cells {
					left[[3]int64{int64(stream), int64(c.level), c.step}] -= int64(c.lines)
				}
			})
			for k, n := range left {
				if (k[0] == 1) != (n != 0) {
					t.Fatalf("span %d, step %d: %v differ by %d; %v", span, info.Step, k, n, err)
				}
			}
			at += info.Size
		}
		data[0] ^= 1
		if err := readCounts(bytes.NewReader(data), 0, infos[0], []bool{true}, nil); err == nil || at != int64(len(data)) {
			t.Fatal("a flipped bit is not noticed", err, at)
		}
	}
}
