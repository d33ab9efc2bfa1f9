package bundle

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Deltas of large files come in segments, so that no more of either file is in memory
// than these: each is a zstd frame of a stretch of the new file whose dictionary is the
// stretch of the old file that resembles it most. Before the frame stand, as varints,
// where in the old file that is, how long it is, how long the new stretch is, and how
// long the frame is.
const (
	segmentTarget = 8 << 20
	segmentBase   = 20 << 20
	segmentWindow = 32 << 20 // a power of two that reaches over both
	// MaxSegmented is how large files with such deltas may be.
	MaxSegmented = 2 << 30
)

// segment is one's head.
type segment struct {
	at, base, target, frame int64
}

func readSegment(r io.ByteReader, baseSize int64) (segment, error) {
	var s segment
	for _, to := range []*int64{&s.at, &s.base, &s.target, &s.frame} {
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return s, err
		}
		if n > MaxSegmented {
			return s, errors.New("a number in it is too large")
		}
		*to = int64(n)
	}
	if s.base > segmentBase || s.at+s.base > baseSize || s.target < 1 || s.target > segmentTarget || s.frame > segmentTarget+64<<10 {
		return s, errors.New("a segment of it does not lie in the file it is for")
	}
	return s, nil
}

// ApplySegments makes the new normalised file from the old one and a delta in
// segments, as ApplyDelta does from one that is whole.
func ApplySegments(ctx context.Context, base io.ReaderAt, baseSize int64, delta io.Reader, w io.Writer, sha string, size int64) error {
	if baseSize > MaxSegmented || size > MaxSegmented {
		return refuse(Malformed, "Deltas reach to files of %d bytes.", int64(MaxSegmented))
	}
	in := bufio.NewReader(delta)
	h := sha256.New()
	to := io.MultiWriter(w, h)
	var left int64
	for left = size; left > 0; {
		s, err := readSegment(in, baseSize)
		if err == nil && s.target > left {
			err = fmt.Errorf("it makes more than the %d bytes that were promised", size)
		}
		if err == nil {
			err = s.apply(ctx, base, in, to)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return refuseBecause(Integrity, err, "The delta does not fit the file it is for.")
		}
		left -= s.target
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return refuse(Integrity, "The delta goes on after the %d bytes that were promised.", size)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sha {
		return refuse(Integrity, "The delta makes a file with the hash %s; %s was promised.", got, sha)
	}
	return nil
}

func (s segment) apply(ctx context.Context, base io.ReaderAt, in io.Reader, to io.Writer) error {
	dict := make([]byte, s.base)
	if _, err := base.ReadAt(dict, s.at); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	z, err := zstd.NewReader(io.LimitReader(in, s.frame), zstd.WithDecoderDictRaw(0, dict), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(segmentWindow))
	if err != nil {
		return err
	}
	defer z.Close()
	n, err := io.Copy(to, &limited{ctx: ctx, r: z, left: s.target + 1})
	if err == nil && n != s.target {
		err = fmt.Errorf("a segment makes %d bytes, not %d", n, s.target)
	}
	return err
}

// MakeSegments writes the delta in segments from base to target, both normalised files.
func MakeSegments(ctx context.Context, base io.ReaderAt, baseSize int64, target io.Reader, w io.Writer) error {
	if baseSize > MaxSegmented {
		return fmt.Errorf("make a delta: the old file may have %d bytes", int64(MaxSegmented))
	}
	like, err := resemblance(ctx, base, baseSize)
	if err != nil {
		return err
	}
	part, done := make([]byte, segmentTarget), int64(0)
	for {
		n, err := io.ReadFull(target, part)
		if n == 0 && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("make a delta: %w", err)
		}
		if done += int64(n); done > MaxSegmented || ctx.Err() != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("make a delta: the new file may have %d bytes", int64(MaxSegmented)))
		}
		s := segment{at: like.best(part[:n], done-int64(n), baseSize), target: int64(n)}
		s.base = min(segmentBase, baseSize-s.at)
		if err := s.write(base, part[:n], w); err != nil {
			return fmt.Errorf("make a delta: %w", err)
		}
	}
}

func (s segment) write(base io.ReaderAt, part []byte, w io.Writer) error {
	dict := make([]byte, s.base)
	if _, err := base.ReadAt(dict, s.at); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var frame bytes.Buffer
	z, err := zstd.NewWriter(&frame, zstd.WithEncoderDictRaw(0, dict), zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(segmentWindow), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return err
	}
	if _, err := z.Write(part); err != nil {
		return errors.Join(err, z.Close())
	}
	if err := z.Close(); err != nil {
		return err
	}
	head := binary.AppendUvarint(nil, uint64(s.at))
	for _, n := range []int64{s.base, s.target, int64(frame.Len())} {
		head = binary.AppendUvarint(head, uint64(n))
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err = frame.WriteTo(w)
	return err
}

// places finds where in a file something is that resembles a stretch of another: both
// are marked wherever the hash of a few bytes has a rare form, whatever lies before it.
type places map[uint32]uint16 // hash to the bucket it was first seen in

const (
	markBytes  = 48
	markEvery  = 1 << 10 // on average
	markBucket = 1 << 20
	markPrime  = 0x9E3779B1
	// inPlace is what a stretch at the same part of the file counts for beforehand.
	inPlace = 3
)

func resemblance(ctx context.Context, base io.ReaderAt, size int64) (places, error) {
	out := places{}
	buf := make([]byte, markBucket+markBytes)
	for at := int64(0); at < size; at += markBucket {
		n, err := base.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil, errors.Join(err, ctx.Err())
		}
		marks(buf[:n], func(hash uint32) {
			if _, seen := out[hash]; !seen {
				out[hash] = uint16(at / markBucket)
			}
		})
	}
	return out, nil
}

// marks calls back with the hash at each marked place.
func marks(data []byte, each func(hash uint32)) {
	var hash, drop uint32 = 0, 1
	for range markBytes + 1 {
		drop *= markPrime
	}
	for i, b := range data {
		hash = (hash + uint32(b) + 1) * markPrime
		if i >= markBytes {
			hash -= (uint32(data[i-markBytes]) + 1) * drop
		}
		if i >= markBytes-1 && hash>>22 == 0 { // one of markEvery
			each(hash ^ uint32(data[i])<<24 ^ uint32(data[i-1])<<22)
		}
	}
}

// best is where the stretch of the old file begins that shares most with part.
func (p places) best(part []byte, at, size int64) int64 {
	if size <= segmentBase {
		return 0
	}
	votes := make([]int, size/markBucket+1)
	marks(part, func(hash uint32) {
		if bucket, seen := p[hash]; seen {
			votes[bucket]++
		}
	})
	const reach = segmentBase / markBucket
	here := min(max(0, at+int64(len(part))/2-segmentBase/2), size-segmentBase) / markBucket
	most, best := -1, here
	for from := int64(0); from+reach <= int64(len(votes)); from++ {
		sum := 0
		for _, n := range votes[from : from+reach] {
			sum += n
		}
		if from == here {
			sum += inPlace
		}
		if sum > most {
			most, best = sum, from
		}
	}
	return min(best*markBucket, size-segmentBase)
}
