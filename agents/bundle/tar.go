package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

const block = 512

// tarHeader is the only header a bundle may hold for a member: a plain file of
// root's with date 0. Reading means making it again and comparing, so links,
// devices, long names, sparse files and every second spelling fall out by themselves.
func tarHeader(name string, size int64) ([block]byte, error) {
	var h [block]byte
	if len(name) > 100 || size < 0 || size >= 1<<33 {
		return h, refuse(Malformed, "The member %.120q does not fit a bundle's tar header.", name)
	}
	copy(h[0:], name)
	copy(h[100:], "0000644\x00")
	copy(h[108:], "0000000\x00")
	copy(h[116:], "0000000\x00")
	copy(h[124:], fmt.Sprintf("%011o\x00", size))
	copy(h[136:], "00000000000\x00")
	copy(h[148:], "        ")
	h[156] = '0'
	copy(h[257:], "ustar\x0000")
	copy(h[329:], "0000000\x00")
	copy(h[337:], "0000000\x00")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return h, nil
}

// member is a file inside the tar: where its bytes lie.
type member struct {
	name         string
	offset, size int64
}

// tarReader walks over the headers of a bundle, never over the contents.
type tarReader struct {
	r      io.ReaderAt
	size   int64
	offset int64
}

// next returns the next member; io.EOF after the last. A tar that ends early is Incomplete.
func (t *tarReader) next() (member, error) {
	var h [block]byte
	if err := t.read(h[:]); err != nil {
		return member{}, err
	}
	if h == [block]byte{} {
		return member{}, t.end()
	}
	name, _, _ := bytes.Cut(h[:100], []byte{0})
	size, err := strconv.ParseInt(string(bytes.TrimRight(h[124:136], "\x00")), 8, 64)
	if err != nil {
		return member{}, refuse(Malformed, "The member at byte %d has no readable size.", t.offset)
	}
	want, err := tarHeader(string(name), size)
	if err != nil {
		return member{}, err
	}
	if want != h {
		return member{}, refuse(Malformed, "The member %.120q is not a plain file in a bundle's form.", name)
	}
	m := member{name: string(name), offset: t.offset + block, size: size}
	end := m.offset + (size+block-1)/block*block
	if end > t.size {
		return member{}, refuse(Incomplete, "The bundle ends inside %s.", m.name)
	}
	if err := t.padding(m.offset+size, end); err != nil {
		return member{}, err
	}
	t.offset = end
	return m, nil
}

func (t *tarReader) read(h []byte) error {
	if t.offset+block > t.size {
		return refuse(Incomplete, "The bundle ends after %d bytes, before its end mark.", t.size)
	}
	if _, err := t.r.ReadAt(h, t.offset); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the bundle at byte %d: %w", t.offset, err)
	}
	return nil
}

// padding refuses bytes that hide between members.
func (t *tarReader) padding(from, to int64) error {
	pad := make([]byte, to-from)
	if _, err := t.r.ReadAt(pad, from); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the bundle at byte %d: %w", from, err)
	}
	if len(bytes.Trim(pad, "\x00")) > 0 {
		return refuse(Malformed, "Bytes are hidden between members at byte %d.", from)
	}
	return nil
}

// end wants exactly two empty blocks and then nothing.
func (t *tarReader) end() error {
	var second [block]byte
	t.offset += block
	if err := t.read(second[:]); err != nil {
		return err
	}
	if second != [block]byte{} || t.offset+block != t.size {
		return refuse(Malformed, "Something follows the bundle's end mark.")
	}
	return io.EOF
}

// tarWriter writes members in a bundle's form.
type tarWriter struct{ w io.Writer }

// add writes one member of exactly size bytes.
func (t tarWriter) add(name string, size int64, r io.Reader) error {
	h, err := tarHeader(name, size)
	if err != nil {
		return err
	}
	if _, err := t.w.Write(h[:]); err != nil {
		return err
	}
	n, err := io.Copy(t.w, io.LimitReader(r, size+1))
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if n != size {
		return fmt.Errorf("write %s: %d bytes announced, another number came", name, size)
	}
	_, err = t.w.Write(make([]byte, (block-size%block)%block))
	return err
}

func (t tarWriter) close() error {
	_, err := t.w.Write(make([]byte, 2*block))
	return err
}
