package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/signalbox/signalbox/server/platform/secrets"
)

// maxHeader bounds the header's line, maxManifest the manifest: both are read whole.
const (
	maxHeader   = 64 << 10
	maxManifest = 1 << 30
)

// ReadHeader reads what can be known without a key.
func ReadHeader(path string) (Header, error) {
	f, err := os.Open(path)
	if err != nil {
		return Header{}, fmt.Errorf("open the archive: %w", err)
	}
	defer f.Close()
	head, _, err := readHeader(bufio.NewReaderSize(f, maxHeader))
	return head, err
}

func readHeader(in *bufio.Reader) (head Header, raw []byte, err error) {
	first, err := in.Peek(len(magic))
	if err != nil || string(first) != magic {
		return head, nil, errors.New("this is no archive of signalbox backup")
	}
	if _, err := in.Discard(len(magic)); err != nil {
		return head, nil, err
	}
	line, err := in.ReadSlice('\n')
	if err != nil {
		return head, nil, &DamagedError{"header", "it does not end"}
	}
	line = bytes.Clone(line)
	if err := json.Unmarshal(line, &head); err != nil {
		return head, nil, &DamagedError{"header", "it cannot be read"}
	}
	return head, append([]byte(magic), line...), nil
}

// Reader reads an archive part by part.
type Reader struct {
	Header Header
	// Manifest is there once Next has returned io.EOF.
	Manifest Manifest

	file   *os.File
	frames *frameReader
	zstd   *zstd.Decoder
	now    *content // the part being read
	last   string   // the name of the part before
	parts  []Part
}

// Open reads the header and opens the archive's key with the key file.
func Open(path string, box *secrets.Box) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	in := bufio.NewReaderSize(f, 256<<10)
	head, raw, err := readHeader(in)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	key, err := openKey(head, box)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	seal, err := newSealer(key, raw)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r := &Reader{Header: head, file: f, frames: &frameReader{sealer: seal, in: in}, last: "header"}
	r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

func openKey(head Header, box *secrets.Box) ([]byte, error) {
	key, err := box.Open(sealedFor, head.ID, head.Key)
	switch {
	case err == nil && len(key) == 32:
		return key, nil
	case !box.Knows(head.Key):
		return nil, &KeyError{Key: secrets.KeyID(head.Key)}
	}
	return nil, &DamagedError{"header", "the archive's key does not open with the key file, which has the key it was sealed with"}
}

// content is the bytes of one part, from data frames.
type content struct {
	head  PartHead
	from  *Reader
	frame []byte
	end   *Part // set at its end
	hash  hash.Hash
	size  int64
	plain io.Reader
}

// Read gives what stands in the archive, compressed or not.
func (c *content) raw(p []byte) (int, error) {
	for len(c.frame) == 0 {
		if c.end != nil {
			return 0, io.EOF
		}
		kind, payload, err := c.from.frames.frame()
		if err != nil {
			return 0, &DamagedError{c.head.Name, err.Error()}
		}
		switch kind {
		case frameData:
			c.frame = payload
		case frameEnd:
			c.end = &Part{}
			if err := json.Unmarshal(payload, c.end); err != nil {
				return 0, &DamagedError{c.head.Name, "its end cannot be read"}
			}
		default:
			return 0, &DamagedError{c.head.Name, "it has no end"}
		}
	}
	n := copy(p, c.frame)
	c.frame = c.frame[n:]
	return n, nil
}

type rawReader struct{ *content }

func (r rawReader) Read(p []byte) (int, error) { return r.raw(p) }

// Read gives the part's content; io.EOF says that its size and hash are right.
func (c *content) Read(p []byte) (int, error) {
	n, err := c.plain.Read(p)
	c.hash.Write(p[:n])
	c.size += int64(n)
	var damaged *DamagedError
	switch {
	case err == nil:
		return n, nil
	case errors.As(err, &damaged):
		return n, damaged
	case !errors.Is(err, io.EOF):
		return n, &DamagedError{c.head.Name, err.Error()}
	}
	if err := c.finish(); err != nil {
		return n, err
	}
	return n, io.EOF
}

func (c *content) finish() error {
	// The decompressor may stop before the frame that ends the part.
	if rest, err := io.Copy(io.Discard, rawReader{c}); err != nil {
		return err
	} else if rest > 0 {
		return &DamagedError{c.head.Name, "something follows its end"}
	}
	if got := (Part{Name: c.head.Name, Size: c.size, SHA256: hex.EncodeToString(c.hash.Sum(nil))}); got != *c.end {
		return &DamagedError{c.head.Name, fmt.Sprintf("it has %d bytes with the hash %s, and should have %d with %s", got.Size, got.SHA256, c.end.Size, c.end.SHA256)}
	}
	return nil
}

// Next goes to the next part; what was not read of the one before is read and checked.
// io.EOF means that the archive is whole and is what its manifest says.
func (r *Reader) Next() (PartHead, io.Reader, error) {
	if err := r.finishPart(); err != nil {
		return PartHead{}, nil, err
	}
	kind, payload, err := r.frames.frame()
	if err != nil {
		return PartHead{}, nil, &DamagedError{behind + r.last, err.Error()}
	}
	var head PartHead
	if kind != frameBegin || json.Unmarshal(payload, &head) != nil {
		return PartHead{}, nil, &DamagedError{behind + r.last, "no part begins there"}
	}
	c := &content{head: head, from: r, hash: sha256.New()}
	c.plain = rawReader{c}
	if head.Zstd {
		if err := r.zstd.Reset(rawReader{c}); err != nil {
			return PartHead{}, nil, &DamagedError{head.Name, err.Error()}
		}
		c.plain = r.zstd
	}
	r.now = c
	if head.Name == manifestPart {
		return PartHead{}, nil, r.conclude()
	}
	return head, c, nil
}

func (r *Reader) finishPart() error {
	if r.now == nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, r.now); err != nil {
		return err
	}
	r.last = r.now.head.Name
	r.parts = append(r.parts, *r.now.end)
	r.now = nil
	return nil
}

func (r *Reader) conclude() error {
	raw, err := io.ReadAll(io.LimitReader(r.now, maxManifest))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &r.Manifest); err != nil {
		return &DamagedError{manifestPart, "it cannot be read"}
	}
	if kind, _, err := r.frames.frame(); err != nil || kind != frameDone {
		return &DamagedError{behind + manifestPart, "the archive does not end there"}
	}
	if _, err := r.frames.in.ReadByte(); !errors.Is(err, io.EOF) {
		return &DamagedError{behind + manifestPart, "something follows the archive's end"}
	}
	if !slices.Equal(r.parts, r.Manifest.Parts) {
		return &DamagedError{manifestPart, "it lists other parts than the archive has"}
	}
	return io.EOF
}

// Close lets go of the file.
func (r *Reader) Close() error {
	r.zstd.Close()
	return r.file.Close()
}

// Verify reads an archive to its end, which checks every part, and restores nothing.
func Verify(path string, box *secrets.Box) (Manifest, error) {
	r, err := Open(path, box)
	if err != nil {
		return Manifest{}, err
	}
	defer r.Close() // it was only read
	for {
		if _, _, err := r.Next(); errors.Is(err, io.EOF) {
			return r.Manifest, nil
		} else if err != nil {
			return Manifest{}, err
		}
	}
}
