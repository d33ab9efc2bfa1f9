package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/bits"
	"slices"
)

// The tokens of a segment are kept as postings: the sorted fingerprints of its tokens, and
// behind each the zones that hold it. Asking a segment for one token reads one bucket of
// about a kilobyte, however many lines and zones it has, and a token that is nowhere is
// taken for another once in some two hundred segments: a filter for each zone, at the same
// size, said so of a zone in every segment, and each such zone costs a thousand times more
// than the asking.
//
// A bucket is the fingerprints that begin with the same bits, as a stream of bits, and a
// checksum. A fingerprint is its distance from the one before, Rice coded; then follow
//
//	0 zone                    most tokens are in one zone only
//	1 0 count-2 (gamma) zones …
//	1 1 a bit for each zone   when that is shorter
const (
	fingerprintExtra = 7   // bits beyond those that number a segment's tokens
	bucketTokens     = 512 // at most, on average
	maxBucketBits    = 20
	bucketExtra      = 4 // the checksum of a bucket
)

// postingsInfo is the part of a segment's description that says how its postings are laid out.
type postingsInfo struct {
	Width   int      // bits of a fingerprint
	Buckets int      // bits that choose a bucket
	Rice    int      // the parameter of distances
	Ends    []uint32 // of the buckets, from the first one's start
}

func (p *postingsInfo) size() int64 {
	if len(p.Ends) == 0 {
		return 0
	}
	return int64(p.Ends[len(p.Ends)-1])
}

func (p *postingsInfo) encode(b []byte) []byte {
	for _, n := range []int{p.Width, p.Buckets, p.Rice} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	last := uint32(0)
	for _, end := range p.Ends {
		b = binary.AppendUvarint(b, uint64(end-last))
		last = end
	}
	return b
}

func (p *postingsInfo) decode(in *cursor) {
	p.Width, p.Buckets, p.Rice = int(in.byte()), int(in.byte()), int(in.byte())
	if p.Width < 1 || p.Width > 32 || p.Buckets > maxBucketBits || p.Buckets >= p.Width || p.Rice > 32 || 1<<p.Buckets > len(in.data) {
		in.bad = true
		return
	}
	p.Ends = make([]uint32, 1<<p.Buckets)
	end := uint64(0)
	for i := range p.Ends {
		size := in.uvarint()
		if end += size; size < bucketExtra || end > math.MaxUint32 {
			in.bad = true
			return
		}
		p.Ends[i] = uint32(end)
	}
}

// postingsBuilder collects the distinct tokens of each zone of a segment.
type postingsBuilder struct {
	pairs []uint64 // hash << 32 | zone
	zones int
	set   hashSet
}

func (b *postingsBuilder) add(hashes []uint32) {
	for _, h := range hashes {
		b.set.add(h)
	}
}

// addName remembers that the rest of some line has a field of that name.
func (b *postingsBuilder) addName(name string) { b.set.add(nameHash(name)) }

func (b *postingsBuilder) endZone() {
	b.set.take(func(h uint32) { b.pairs = append(b.pairs, uint64(h)<<32|uint64(b.zones)) })
	b.zones++
}

// encode returns the buckets. The builder's pairs are used up.
func (b *postingsBuilder) encode() (postingsInfo, []byte) {
	pairs := sortPairs(b.pairs)
	b.pairs = nil
	distinct := 0
	for i := range pairs {
		if i == 0 || pairs[i]>>32 != pairs[i-1]>>32 {
			distinct++
		}
	}
	p := postingsInfo{Width: min(bits.Len(uint(distinct))+fingerprintExtra, 32)}
	p.Buckets = min(max(bits.Len(uint(distinct/bucketTokens)), 0), maxBucketBits)
	if mean := math.Ldexp(1, p.Width) / float64(max(distinct, 1)); mean > 2 {
		p.Rice = int(math.Log2(mean * math.Ln2))
	}
	w := &bitWriter{}
	shift, within := 64-p.Width, p.Width-p.Buckets
	zones := make([]uint32, 0, 64)
	at := 0
	for bucket := range 1 << p.Buckets {
		start, last := len(w.out), -1
		for at < len(pairs) && int(pairs[at]>>shift>>within) == bucket {
			print := pairs[at] >> shift
			zones = zones[:0]
			for ; at < len(pairs) && pairs[at]>>shift == print; at++ {
				zones = append(zones, uint32(pairs[at]))
			}
			value := int(print & (1<<within - 1))
			w.rice(uint64(value-last-1), p.Rice)
			w.zones(zones, b.zones)
			last = value
		}
		w.align()
		w.out = binary.LittleEndian.AppendUint32(w.out, crc32.Checksum(w.out[start:], castagnoli))
		p.Ends = append(p.Ends, uint32(len(w.out)))
	}
	return p, w.out
}

// sortPairs sorts by hash and leaves pairs of one hash in their order, by zone.
func sortPairs(pairs []uint64) []uint64 {
	other := make([]uint64, len(pairs))
	for _, shift := range []int{32, 43, 54} {
		var count [1 << 11]int
		for _, p := range pairs {
			count[p>>shift&(1<<11-1)]++
		}
		sum := 0
		for i, n := range count {
			count[i] = sum
			sum += n
		}
		for _, p := range pairs {
			k := p >> shift & (1<<11 - 1)
			other[count[k]] = p
			count[k]++
		}
		pairs, other = other, pairs
	}
	return pairs
}

// bitWriter appends bits, lowest first.
type bitWriter struct {
	out  []byte
	acc  uint64
	held int
}

func (w *bitWriter) bits(v uint64, n int) {
	for n > 32 {
		w.bits(v&(1<<32-1), 32)
		v, n = v>>32, n-32
	}
	w.acc |= v << w.held
	for w.held += n; w.held >= 8; w.held -= 8 {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
	}
}

func (w *bitWriter) rice(v uint64, k int) {
	for q := v >> k; ; q -= 32 {
		if q < 32 {
			w.bits(1<<q, int(q)+1)
			break
		}
		w.bits(0, 32)
	}
	w.bits(v&(1<<k-1), k)
}

// gamma writes v, which is at least 1.
func (w *bitWriter) gamma(v uint64) {
	n := bits.Len64(v) - 1
	w.rice(uint64(n), 0)
	w.bits(v&(1<<n-1), n)
}

func (w *bitWriter) align() {
	if w.held > 0 {
		w.out = append(w.out, byte(w.acc))
	}
	w.acc, w.held = 0, 0
}

// zones writes in which of so many zones a token is.
func (w *bitWriter) zones(list []uint32, of int) {
	width := zoneBits(of)
	slices.Sort(list)
	list = slices.Compact(list)
	switch {
	case len(list) == 1:
		w.bits(0, 1)
		w.bits(uint64(list[0]), width)
	case len(list)*width < of:
		w.bits(1, 2)
		w.gamma(uint64(len(list) - 1))
		for _, z := range list {
			w.bits(uint64(z), width)
		}
	default:
		w.bits(3, 2)
		for z := range uint32(of) {
			bit := uint64(0)
			if len(list) > 0 && list[0] == z {
				bit, list = 1, list[1:]
			}
			w.bits(bit, 1)
		}
	}
}

// zoneBits is how many bits name one of so many zones.
func zoneBits(zones int) int { return bits.Len(uint(max(zones-1, 0))) }

// bitReader reads what bitWriter wrote; past the end it reads zeros and is bad.
type bitReader struct {
	data []byte
	pos  int // in bits
	bad  bool
}

// peek returns at least the next 56 bits.
func (r *bitReader) peek() uint64 {
	at := r.pos >> 3
	if at+8 <= len(r.data) {
		return binary.LittleEndian.Uint64(r.data[at:]) >> (r.pos & 7)
	}
	v := uint64(0)
	for i := len(r.data) - 1; i >= at; i-- {
		v = v<<8 | uint64(r.data[i])
	}
	return v >> (r.pos & 7)
}

func (r *bitReader) skip(n int) {
	if r.pos += n; r.pos > len(r.data)*8 {
		r.bad = true
	}
}

func (r *bitReader) bits(n int) uint64 {
	v := r.peek() & (1<<n - 1)
	r.skip(n)
	return v
}

func (r *bitReader) rice(k int) uint64 {
	q := 0
	for !r.bad {
		v := r.peek() & (1<<56 - 1)
		if v != 0 {
			n := bits.TrailingZeros64(v)
			r.skip(n + 1)
			q += n
			break
		}
		r.skip(56)
		q += 56
	}
	return uint64(q)<<k | r.bits(k)
}

// zones reads which of so many zones hold a token, and marks them in dst if that is given.
func (r *bitReader) zones(of int, dst []bool) {
	width := zoneBits(of)
	mark := func(z int) {
		if z >= of {
			r.bad = true
		} else if dst != nil {
			dst[z] = true
		}
	}
	if r.bits(1) == 0 {
		mark(int(r.bits(width)))
		return
	}
	if r.bits(1) == 0 {
		n := int(r.rice(0))
		if n > 24 {
			r.bad = true
			return
		}
		count := 1<<n + int(r.bits(n)) + 1
		if dst == nil {
			r.skip(count * width)
			return
		}
		for ; count > 0 && !r.bad; count-- {
			mark(int(r.bits(width)))
		}
		return
	}
	if dst == nil {
		r.skip(of)
		return
	}
	for z := 0; z < of && !r.bad; z++ {
		if r.bits(1) != 0 {
			dst[z] = true
		}
	}
}

// postings reads the tokens of a segment.
type postings struct {
	postingsInfo
	file   io.ReaderAt
	offset int64
	count  int // of zones
}

func (p *postings) zones() int { return p.count }

// having marks in dst the zones that perhaps hold the token; buf is reused and returned.
func (p *postings) having(hash uint32, dst []bool, buf []byte) ([]byte, error) {
	within := p.Width - p.Buckets
	print := hash >> (32 - p.Width)
	bucket := int(uint64(print) >> within)
	start := uint32(0)
	if bucket > 0 {
		start = p.Ends[bucket-1]
	}
	size := int(p.Ends[bucket] - start)
	if cap(buf) < size {
		buf = make([]byte, size+size/2)
	}
	buf = buf[:size]
	if _, err := p.file.ReadAt(buf, p.offset+int64(start)); err != nil {
		return buf, fmt.Errorf("read the tokens: %w", err)
	}
	body := buf[:size-bucketExtra]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(buf[size-bucketExtra:]) {
		return buf, fmt.Errorf("the tokens: %w", errDamaged)
	}
	if !p.find(body, int64(print)&(1<<within-1), dst) {
		return buf, fmt.Errorf("the tokens: %w", errDamaged)
	}
	return buf, nil
}

// find goes through a bucket. What is padding at its end is shorter than any entry: a
// distance of zeros never ends.
func (p *postings) find(bucket []byte, wanted int64, dst []bool) bool {
	r := &bitReader{data: bucket}
	last := int64(-1)
	for len(bucket)*8-r.pos >= 8 || r.peek() != 0 {
		value := last + 1 + int64(r.rice(p.Rice))
		if value > wanted && !r.bad {
			return true
		}
		if value == wanted {
			r.zones(p.count, dst)
			return !r.bad
		}
		r.zones(p.count, nil)
		if last = value; r.bad {
			return false
		}
	}
	return true
}

// tokenIndex tells which zones of a segment perhaps hold a token: postings, or the filter
// of a segment that was written before there were any.
type tokenIndex interface {
	zones() int
	having(hash uint32, dst []bool, buf []byte) ([]byte, error)
}

// prune clears may[z] for every zone that cannot hold a line with all the wanted tokens.
func prune(tokens tokenIndex, wanted [][]uint32, may []bool) error {
	found := make([]bool, len(may))
	var buf []byte
	var err error
	for _, list := range wanted {
		clear(found)
		for _, h := range list {
			if buf, err = tokens.having(h, found, buf); err != nil {
				return err
			}
		}
		some := false
		for z := range may {
			may[z] = may[z] && found[z]
			some = some || may[z]
		}
		if !some {
			return nil
		}
	}
	return nil
}
