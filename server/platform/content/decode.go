// Package content undoes the encodings of request bodies that strangers send,
// within limits.
package content

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// ErrTooLarge says that a body exceeds its limit. It is found while reading, so
// that a bomb is never held in memory.
var ErrTooLarge = errors.New("the body is larger than allowed")

// MalformedError says why bytes are not what they claim to be, and in which line.
type MalformedError struct {
	Reason string
	// Line counts from 1; 0 when the place is not known.
	Line int
}

func (e *MalformedError) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("%s (line %d)", e.Reason, e.Line)
}

// A window above this is not granted to zstd: the frame header lets a sender
// ask for gigabytes before the first byte comes out. 8 MiB is what the format
// asks every decoder to support.
const zstdWindow = 8 << 20

// maxEncodings bounds "gzip, gzip, gzip, …": each layer multiplies a bomb.
const maxEncodings = 2

// Decode undoes a Content-Encoding (gzip, deflate with or without zlib header,
// br, zstd, identity, or two, separated by a comma). The reader fails with
// ErrTooLarge as soon as more than max bytes came out of any layer. Bytes that
// are not what they claim are a *MalformedError.
func Decode(r io.Reader, encoding string, max int64) (io.Reader, error) {
	var layers []string
	for name := range strings.SplitSeq(encoding, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "" && name != "identity" {
			layers = append(layers, name)
		}
	}
	if len(layers) > maxEncodings {
		return nil, &MalformedError{Reason: "the body is encoded more than twice"}
	}
	for i := len(layers) - 1; i >= 0; i-- {
		layer, err := decodeLayer(r, layers[i])
		if err != nil {
			return nil, err
		}
		r = &bounded{r: layer, left: max, name: layers[i]}
	}
	if len(layers) == 0 {
		r = &bounded{r: r, left: max}
	}
	return r, nil
}

func decodeLayer(r io.Reader, name string) (io.Reader, error) {
	switch name {
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(r)
		return z, encodingError(name, err)
	case "deflate":
		return inflate(r)
	case "br":
		return brotli.NewReader(r), nil
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow),
			zstd.WithDecoderLowmem(true))
		return z, encodingError(name, err)
	}
	return nil, &MalformedError{Reason: fmt.Sprintf("the content encoding %.40q is not known", name)}
}

// inflate tells zlib (what RFC 9110 means by deflate) from raw deflate (what
// some clients send) by the first two bytes: zlib's are a multiple of 31.
func inflate(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	head, _ := b.Peek(2) // a shorter body fails when it is read
	if len(head) == 2 && head[0]&0x0f == 8 && (uint16(head[0])<<8|uint16(head[1]))%31 == 0 {
		z, err := zlib.NewReader(b)
		return z, encodingError("deflate", err)
	}
	return flate.NewReader(b), nil
}

func encodingError(name string, err error) error {
	if err == nil {
		return nil
	}
	return &MalformedError{Reason: fmt.Sprintf("the body is not valid %s: %v", name, err)}
}

// bounded stops a stream that gives more than it may, and words the errors of
// the layer below.
type bounded struct {
	r    io.Reader
	left int64
	name string // of the encoding; empty for a plain body
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		b.close()
		return int(b.left), ErrTooLarge
	}
	b.left -= int64(n)
	if err == nil {
		return n, nil
	}
	b.close()
	if err == io.EOF || b.name == "" {
		return n, err
	}
	switch err.(type) {
	case *MalformedError:
		return n, err
	}
	if err == ErrTooLarge {
		return n, err
	}
	return n, encodingError(b.name, err)
}

// close frees zstd's buffers; the other decoders hold nothing.
func (b *bounded) close() {
	if z, ok := b.r.(*zstd.Decoder); ok {
		z.Close()
	}
}
