package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
	"os"

	"github.com/signalbox/signalbox/server/logs/record"
)

// A zone is a part of a row group that is told apart when tokens are looked for: small
// enough that reading one for nothing is cheap.
//
// Segments written before there were postings have a blocked Bloom filter of one size for
// each zone, laid out across the zones: row b of the file holds block b of every zone, and
// a checksum.
const (
	zoneRows       = 2048
	blockBytes     = 64
	blockBits      = blockBytes * 8
	filterProbes   = 7 // seven times nine bits are what one multiplication yields
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

// nameHash cannot be the hash of a word on purpose: no token holds a zero byte.
func nameHash(name string) uint32 { return record.HashToken(name + "\x00") }

var errDamaged = errors.New("a checksum is wrong")

// filter reads the filters of a segment in the old form.
type filter struct {
	file   *os.File
	offset int64
	count  int // of zones
	blocks int
}

func (f *filter) zones() int { return f.count }

// having marks in dst the zones that perhaps hold the token; buf is reused and returned.
func (f *filter) having(hash uint32, dst []bool, buf []byte) ([]byte, error) {
	width := f.count * blockBytes
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
	for g := range f.count {
		dst[g] = dst[g] || hasBits(buf[g*blockBytes:(g+1)*blockBytes], hash)
	}
	return buf, nil
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

// take hands out the members and empties the set.
func (s *hashSet) take(fn func(h uint32)) {
	for _, h := range s.list {
		fn(h)
	}
	if s.zero {
		fn(0)
	}
	clear(s.table)
	s.list, s.zero = s.list[:0], false
}
