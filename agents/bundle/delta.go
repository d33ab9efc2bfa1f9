package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zstd"
)

// Bounds of deltas: the old file is held in memory as the dictionary.
const (
	MaxDeltaBase   = 32 << 20
	MaxDeltaTarget = 64 << 20
)

// ApplyDelta makes the new normalised file from the old one and a delta, and
// wants it to be the blob sha of size bytes. What is written before an error is
// to be thrown away. A delta that ends early is Incomplete.
func ApplyDelta(ctx context.Context, base []byte, delta io.Reader, w io.Writer, sha string, size int64) error {
	if len(base) > MaxDeltaBase || size > MaxDeltaTarget {
		return refuse(Malformed, "Deltas reach to files of %d bytes.", MaxDeltaTarget)
	}
	z, err := zstd.NewReader(delta, zstd.WithDecoderDictRaw(0, base), zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(window(MaxDeltaBase+MaxDeltaTarget))))
	if err != nil {
		return refuseBecause(Malformed, err, "The delta cannot be read.")
	}
	defer z.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, h), &limited{ctx: ctx, r: z, left: size + 1})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return refuseBecause(Integrity, err, "The delta does not fit the file it is for.")
	case n != size:
		return refuse(Integrity, "The delta makes %d bytes or more; %d were promised.", n, size)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sha {
		return refuse(Integrity, "The delta makes a file with the hash %s; %s was promised.", got, sha)
	}
	return nil
}

// MakeDelta makes the delta from base to target; both are normalised files.
func MakeDelta(base, target []byte) ([]byte, error) {
	if len(base) > MaxDeltaBase || len(target) > MaxDeltaTarget {
		return nil, fmt.Errorf("make a delta: the old file may have %d bytes, the new one %d", MaxDeltaBase, MaxDeltaTarget)
	}
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithEncoderDictRaw(0, base), zstd.WithEncoderLevel(zstd.SpeedBestCompression),
		zstd.WithWindowSize(window(len(base)+len(target))), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("make a delta: %w", err)
	}
	if _, err := z.Write(target); err != nil {
		return nil, fmt.Errorf("make a delta: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("make a delta: %w", err)
	}
	return out.Bytes(), nil
}

// window is the power of two that reaches over n bytes: the whole old file must stay in reach.
func window(n int) int {
	return max(1<<20, 1<<bits.Len(uint(n-1)))
}
