package backup

import (
	"bufio"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// After the header come frames:
//
//	length of what follows (4, little-endian) · ciphertext of kind (1) and payload
//
// sealed with ChaCha20-Poly1305 under the archive's own key. The nonce is the frame's
// number, so frames can be neither moved nor left out; the header's hash is bound to
// each. What follows the frame of kind frameDone is refused.
type frameKind byte

const (
	frameBegin frameKind = 1 // a PartHead, JSON
	frameData  frameKind = 2
	frameEnd   frameKind = 3 // a Part, JSON
	frameDone  frameKind = 4 // the archive is whole
)

// maxPayload bounds a frame, and so what a damaged length can make us allocate.
const maxPayload = 64 << 10

type sealer struct {
	aead cipher.AEAD
	head [sha256.Size]byte
	next uint64
}

func newSealer(key, header []byte) (*sealer, error) {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, fmt.Errorf("use the archive's key: %w", err)
	}
	return &sealer{aead: aead, head: sha256.Sum256(header)}, nil
}

func (s *sealer) nonce() []byte {
	nonce := make([]byte, chacha20poly1305.NonceSize)
	binary.LittleEndian.PutUint64(nonce[4:], s.next)
	s.next++
	return nonce
}

type frameWriter struct {
	*sealer
	out *bufio.Writer
	buf []byte
}

func (w *frameWriter) frame(kind frameKind, payload []byte) error {
	plain := append(append(w.buf[:0], byte(kind)), payload...)
	w.buf = plain
	sealed := w.aead.Seal(nil, w.nonce(), plain, w.head[:])
	if _, err := w.out.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(sealed)))); err != nil {
		return err
	}
	_, err := w.out.Write(sealed)
	return err
}

// dataWriter cuts what it is given into data frames.
type dataWriter struct {
	to  *frameWriter
	buf []byte
}

func (d *dataWriter) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		n := min(len(p), maxPayload-len(d.buf))
		d.buf = append(d.buf, p[:n]...)
		p = p[n:]
		if len(d.buf) == maxPayload {
			if err := d.flush(); err != nil {
				return 0, err
			}
		}
	}
	return written, nil
}

func (d *dataWriter) flush() error {
	if len(d.buf) == 0 {
		return nil
	}
	err := d.to.frame(frameData, d.buf)
	d.buf = d.buf[:0]
	return err
}

var errBroken = errors.New("it does not open with the archive's key; bytes were changed")

type frameReader struct {
	*sealer
	in *bufio.Reader
}

// frame gives the next frame; the payload is the caller's. io.ErrUnexpectedEOF is an
// archive that was cut off.
func (r *frameReader) frame() (frameKind, []byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r.in, length[:]); err != nil {
		return 0, nil, cutOff(err)
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n < 1+chacha20poly1305.Overhead || n > 1+maxPayload+chacha20poly1305.Overhead {
		return 0, nil, errBroken
	}
	sealed := make([]byte, n)
	if _, err := io.ReadFull(r.in, sealed); err != nil {
		return 0, nil, cutOff(err)
	}
	plain, err := r.aead.Open(sealed[:0], r.nonce(), sealed, r.head[:])
	if err != nil {
		return 0, nil, errBroken
	}
	return frameKind(plain[0]), plain[1:], nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it was cut off there")
	}
	return err
}
