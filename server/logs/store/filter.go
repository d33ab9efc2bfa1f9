package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"os"

	"github.com/signalbox/signalbox/server/logs/record"
)

// A zone is a part of a row group that has a filter of its own: small enough that reading
// one for nothing is cheap. The filters of a segment's zones are blocked Bloom filters of
// one size, laid out across the zones: row b of the file holds block b of every zone, and
// a checksum. So asking a whole segment for one token reads a single small piece of the
// file, however many lines it has.
const (
	zoneRows       = 2048
	blockBytes     = 64
	blockBits      = blockBytes * 8
	filterBitsPer  = 10 // bits for each distinct token: less than two wrong "perhaps" in a hundred
	filterProbes   = 7  // seven times nine bits are what one multiplication yields
	maxBlocks      = 1 << 20
	filterRowExtra = 4 // the checksum of a row
)

// blockOf is the block in which a token's bits are.
func blockOf(hash uint32, blocks int) int {
	return int(uint64(hash) * uint64(blocks) >> 32)
}

// probe is the token's bits in its block, nine each.
func probe(hash uint32) uint64 {
	hi, lo := bits.Mul64(uint64(hash)+0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93)
	return hi ^ lo
}

func setBits(block []byte, hash uint32) {
	for p, i := probe(hash), 0; i < filterProbes; i++ {
		bit := p & (blockBits - 1)
		block[bit>>3] |= 1 << (bit & 7)
		p >>= 9
	}
}

func hasBits(block []byte, hash uint32) bool {
	for p, i := probe(hash), 0; i < filterProbes; i++ {
		bit := p & (blockBits - 1)
		if block[bit>>3]&(1<<(bit&7)) == 0 {
			return false
		}
		p >>= 9
	}
	return true
}

// zonesOf is how many zones a group of so many lines has.
func zonesOf(rows int) int { return (rows + zoneRows - 1) / zoneRows }

// filterBuilder collects the distinct tokens of each zone of a segment.
type filterBuilder struct {
	zones [][]uint32
	set   hashSet
}

func (b *filterBuilder) add(hashes []uint32) {
	for _, h := range hashes {
		b.set.add(h)
	}
}

// addName remembers that the rest of some line has a field of that name.
func (b *filterBuilder) addName(name string) { b.set.add(nameHash(name)) }

// nameHash cannot be the hash of a word on purpose: no token holds a zero byte.
func nameHash(name string) uint32 { return record.HashToken(name + "\x00") }

func (b *filterBuilder) endZone() {
	b.zones = append(b.zones, b.set.take())
}

// blocks is how many blocks each zone needs so that the fullest still answers well.
func (b *filterBuilder) blocks() int {
	most := 0
	for _, g := range b.zones {
		most = max(most, len(g))
	}
	return min(max((most*filterBitsPer+blockBits-1)/blockBits, 1), maxBlocks)
}

// writeTo writes the rows of the filter.
func (b *filterBuilder) writeTo(w io.Writer) (blocks int, err error) {
	blocks = b.blocks()
	width := len(b.zones) * blockBytes
	all := make([]byte, blocks*(width+filterRowExtra))
	for g, hashes := range b.zones {
		for _, h := range hashes {
			at := blockOf(h, blocks)*(width+filterRowExtra) + g*blockBytes
			setBits(all[at:at+blockBytes], h)
		}
	}
	for row := range blocks {
		at := row * (width + filterRowExtra)
		binary.LittleEndian.PutUint32(all[at+width:], crc32.Checksum(all[at:at+width], castagnoli))
	}
	_, err = w.Write(all)
	return blocks, err
}

var errDamaged = errors.New("a checksum is wrong")

// filter reads the filters of a segment.
type filter struct {
	file   *os.File
	offset int64
	zones  int
	blocks int
}

// having marks in dst the zones that perhaps hold the token; buf is reused and returned.
func (f *filter) having(hash uint32, dst []bool, buf []byte) ([]byte, error) {
	width := f.zones * blockBytes
	if cap(buf) < width+filterRowExtra {
		buf = make([]byte, width+filterRowExtra)
	}
	buf = buf[:width+filterRowExtra]
	at := f.offset + int64(blockOf(hash, f.blocks))*int64(len(buf))
	if _, err := f.file.ReadAt(buf, at); err != nil {
		return buf, fmt.Errorf("read the token filter: %w", err)
	}
	if crc32.Checksum(buf[:width], castagnoli) != binary.LittleEndian.Uint32(buf[width:]) {
		return buf, fmt.Errorf("the token filter: %w", errDamaged)
	}
	for g := range f.zones {
		dst[g] = dst[g] || hasBits(buf[g*blockBytes:(g+1)*blockBytes], hash)
	}
	return buf, nil
}

// prune clears may[z] for every zone that cannot hold a line with all the wanted tokens.
func (f *filter) prune(wanted [][]uint32, may []bool) error {
	found := make([]bool, f.zones)
	var buf []byte
	var err error
	for _, list := range wanted {
		clear(found)
		for _, h := range list {
			if buf, err = f.having(h, found, buf); err != nil {
				return err
			}
		}
		for g := range may {
			may[g] = may[g] && found[g]
		}
	}
	return nil
}

// hashTokens turns a Matcher's tokens into what filters are asked; nil cannot prune.
func hashTokens(m Matcher) [][]uint32 {
	if m == nil {
		return nil
	}
	var out [][]uint32
	for _, list := range m.Tokens() {
		hashes := make([]uint32, len(list))
		for i, token := range list {
			hashes[i] = record.HashToken(token)
		}
		if len(hashes) > 0 {
			out = append(out, hashes)
		}
	}
	return out
}

// hashSet is a set of hashes; zero is kept apart as it marks free places.
type hashSet struct {
	table []uint32
	list  []uint32
	zero  bool
}

func (s *hashSet) add(h uint32) {
	if h == 0 {
		s.zero = true
		return
	}
	if len(s.list)*2 >= len(s.table) {
		s.grow()
	}
	mask := uint32(len(s.table) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch s.table[i] {
		case h:
			return
		case 0:
			s.table[i] = h
			s.list = append(s.list, h)
			return
		}
	}
}

func (s *hashSet) grow() {
	old := s.list
	s.table = make([]uint32, max(len(s.table)*2, 1<<12))
	mask := uint32(len(s.table) - 1)
	for _, h := range old {
		i := h & mask
		for s.table[i] != 0 {
			i = (i + 1) & mask
		}
		s.table[i] = h
	}
}

// take returns the members and empties the set.
func (s *hashSet) take() []uint32 {
	out := make([]uint32, len(s.list), len(s.list)+1)
	copy(out, s.list)
	if s.zero {
		out = append(out, 0)
	}
	clear(s.table)
	s.list, s.zero = s.list[:0], false
	return out
}
