package bundle

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

const (
	arMagic  = "!<arch>\n"
	arHeader = 60
	// maxDictionary bounds the memory that a package's compression may ask for; xz -9 asks for 64 MiB.
	maxDictionary = 64 << 20
)

// Normalise writes a .deb anew with its parts uncompressed, so that a delta
// between two versions sees the files in it, and the outcome is the same bytes
// everywhere. dpkg installs that form as it is. The outcome may have at most
// limit bytes. A normalised file stays as it is.
func Normalise(ctx context.Context, r io.Reader, out io.ReadWriteSeeker, limit int64) (sha string, size int64, err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	magic := make([]byte, len(arMagic))
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != arMagic {
		return "", 0, refuse(Malformed, "The package is not a .deb file.")
	}
	n := &normaliser{ctx: ctx, in: in, out: out, limit: limit}
	if err := n.write([]byte(arMagic)); err != nil {
		return "", 0, err
	}
	for {
		more, err := n.member()
		if err != nil {
			return "", 0, err
		}
		if !more {
			break
		}
	}
	if n.parts != len(debParts) {
		return "", 0, refuse(Malformed, "The package lacks %s.", debParts[n.parts])
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return "", 0, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(out, n.size)); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), n.size, nil
}

// debParts are the members of a .deb in their order; others must begin with an underscore and are left out.
var debParts = []string{"debian-binary", "control.tar", "data.tar"}

type normaliser struct {
	ctx         context.Context
	in          *bufio.Reader
	out         io.WriteSeeker
	limit, size int64
	parts       int
}

func (n *normaliser) write(p []byte) error {
	if n.size += int64(len(p)); n.size > n.limit {
		return refuse(Integrity, "The package unpacks to more than %d bytes.", n.limit)
	}
	_, err := n.out.Write(p)
	return err
}

// Write counts what io.Copy brings.
func (n *normaliser) Write(p []byte) (int, error) {
	if err := n.write(p); err != nil {
		return 0, err
	}
	return len(p), n.ctx.Err()
}

// member copies the next member, uncompressed; more is false after the last.
// It does not return io.EOF for that: a decompressor's may be inside an error.
func (n *normaliser) member() (more bool, err error) {
	header := make([]byte, arHeader)
	if got, err := io.ReadFull(n.in, header); got == 0 && errors.Is(err, io.EOF) {
		return false, nil
	} else if err != nil {
		return false, refuseBecause(Malformed, err, "The package ends inside a header.")
	}
	size, err := strconv.ParseInt(string(bytes.TrimRight(header[48:58], " ")), 10, 64)
	if err != nil || size < 0 || string(header[58:]) != "`\n" {
		return false, refuse(Malformed, "The package has a header that cannot be read.")
	}
	name := strings.TrimSuffix(string(bytes.TrimRight(header[:16], " ")), "/")
	body := io.LimitReader(n.in, size)
	if err := n.part(name, body); err != nil {
		return false, err
	}
	// What a decompressor left unread, and the padding to an even length.
	if _, err := io.Copy(io.Discard, body); err != nil {
		return false, err
	}
	if size%2 == 1 {
		if _, err := n.in.ReadByte(); err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
	}
	return true, nil
}

func (n *normaliser) part(name string, body io.Reader) error {
	if strings.HasPrefix(name, "_") {
		return nil
	}
	if n.parts >= len(debParts) {
		return refuse(Malformed, "The package has a member %.40q after its data.", name)
	}
	want := debParts[n.parts]
	suffix, ok := strings.CutPrefix(name, want)
	if !ok {
		return refuse(Malformed, "The package has the member %.40q where %s belongs.", name, want)
	}
	n.parts++
	plain, done, err := decompress(body, suffix)
	if err != nil {
		return refuseBecause(Malformed, err, "The package's %s cannot be unpacked.", name)
	}
	defer done()
	at := n.size
	if err := n.write(make([]byte, arHeader)); err != nil { // its place: the size is not known yet
		return err
	}
	length, err := io.Copy(n, plain)
	if err != nil {
		if KindOf(err) != "" || n.ctx.Err() != nil {
			return err
		}
		return refuseBecause(Malformed, err, "The package's %s cannot be unpacked.", name)
	}
	if length%2 == 1 {
		if err := n.write([]byte{'\n'}); err != nil {
			return err
		}
	}
	return n.header(at, want, length)
}

// header goes back and fills in the header at a place.
func (n *normaliser) header(at int64, name string, size int64) error {
	if _, err := n.out.Seek(at, io.SeekStart); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(n.out, "%-16s%-12s%-6s%-6s%-8s%-10d`\n", name, "0", "0", "0", "100644", size); err != nil {
		return err
	}
	_, err := n.out.Seek(n.size, io.SeekStart)
	return err
}

// decompress reads what a member's suffix says it is.
func decompress(r io.Reader, suffix string) (plain io.Reader, done func(), err error) {
	none := func() {}
	switch suffix {
	case "":
		return r, none, nil
	case ".gz":
		z, err := gzip.NewReader(r)
		return z, none, err
	case ".xz":
		in := bufio.NewReader(r)
		if err := checkXZ(in); err != nil {
			return nil, none, err
		}
		z, err := xz.NewReader(in)
		return z, none, err
	case ".zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxDictionary))
		if err != nil {
			return nil, none, err
		}
		return z, z.Close, nil
	}
	return nil, none, fmt.Errorf("compression %.10q is not known", suffix)
}

// checkXZ looks at the first block's header: the library allocates whatever
// dictionary a file asks for, up to 4 GiB.
func checkXZ(in *bufio.Reader) error {
	head, err := in.Peek(12 + 1)
	if err != nil {
		return err
	}
	length := (int(head[12]) + 1) * 4
	if head[12] == 0 { // the index: there is no block
		return nil
	}
	if head, err = in.Peek(12 + length); err != nil {
		return err
	}
	// Block flags, then the optional sizes, then one filter: id 0x21 (LZMA2), 1 byte, the dictionary.
	fields := head[14:]
	for _, optional := range []byte{0x40, 0x80} {
		if head[13]&optional != 0 {
			_, n := binary.Uvarint(fields)
			fields = fields[max(n, 0):]
		}
	}
	if head[13]&0x3f != 0 || len(fields) < 3 || fields[0] != 0x21 || fields[1] != 1 {
		return errors.New("the xz data is not plain LZMA2")
	}
	if size := (2 | uint64(fields[2])&1) << (fields[2]/2 + 11); size > maxDictionary {
		return fmt.Errorf("the xz data asks for a dictionary of %d bytes", size)
	}
	return nil
}
