package resource

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	// maxUnpacked bounds what an archive may unfold to.
	maxUnpacked = 64 << 30
	// maxMembers bounds its files.
	maxMembers = 1_000_000
)

// unpacker copies archives of others into an artifact. Names that lead out of it,
// names that go through a link, and what is neither file, folder nor link are refused
// or left out: nothing is ever written elsewhere.
type unpacker struct {
	out     *tar.Writer
	links   map[string]bool
	left    int64
	members int
}

// unpack writes the members of a tar, gzipped tar or zip archive, or the one content of
// another gzipped file.
func (s *scratch) unpack(out *tar.Writer, file spooled, name string) error {
	u := &unpacker{out: out, links: map[string]bool{}, left: maxUnpacked}
	from, err := os.Open(file.path)
	if err != nil {
		return err
	}
	defer from.Close()
	head := bufio.NewReaderSize(from, 1024)
	start, err := head.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case bytes.HasPrefix(start, []byte("PK\x03\x04")), bytes.HasPrefix(start, []byte("PK\x05\x06")):
		err = u.zip(from, file.size)
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		err = s.gunzip(u, head, name)
	case isTar(start):
		err = u.tar(head)
	default:
		err = errors.New("it is not a tar, gzip or zip archive")
	}
	if err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	return nil
}

// isTar tells by the header's checksum, which the old formats have, too.
func isTar(start []byte) bool {
	if len(start) < 512 {
		return false
	}
	_, err := tar.NewReader(bytes.NewReader(start)).Next()
	return err == nil
}

func (s *scratch) gunzip(u *unpacker, from io.Reader, name string) error {
	plain, err := gzip.NewReader(from)
	if err != nil {
		return err
	}
	head := bufio.NewReaderSize(u.bounded(plain), 1024)
	start, err := head.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if isTar(start) {
		if err := u.tar(head); err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, head) // to the checksum at the end
		return err
	}
	content, err := s.keep(name, head)
	if err != nil {
		return err
	}
	inner := strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".gzip")
	return content.addTo(u.out, inner)
}

var errUnpacked = fmt.Errorf("it unfolds to more than %d GiB", maxUnpacked>>30)

type boundedReader struct {
	from io.Reader
	left *int64
}

func (u *unpacker) bounded(from io.Reader) io.Reader { return boundedReader{from, &u.left} }

func (b boundedReader) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if *b.left -= int64(n); *b.left < 0 {
		return 0, errUnpacked
	}
	return n, err
}

func (u *unpacker) tar(from io.Reader) error {
	for in := tar.NewReader(from); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := u.member(h, in); err != nil {
			return err
		}
	}
}

func (u *unpacker) member(h *tar.Header, content io.Reader) error {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink:
	case tar.TypeXGlobalHeader, tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return nil // devices are no content
	default:
		return fmt.Errorf("%q is of an unknown kind", h.Name)
	}
	if path.Clean("/"+h.Name) == "/" && !escapes(h.Name) {
		return nil
	}
	name, err := u.name(h.Name)
	if err != nil {
		return err
	}
	plain := &tar.Header{Typeflag: h.Typeflag, Name: name, Mode: h.Mode & 0o777, ModTime: h.ModTime, Linkname: h.Linkname, Format: tar.FormatPAX}
	// What takes the place of a link is none any more.
	delete(u.links, name)
	switch h.Typeflag {
	case tar.TypeDir:
		plain.Name += "/"
	case tar.TypeReg:
		plain.Size = h.Size
	case tar.TypeSymlink:
		u.links[name] = true
	case tar.TypeLink:
		if plain.Linkname, err = u.name(h.Linkname); err != nil {
			return err
		}
		if u.links[plain.Linkname] {
			return fmt.Errorf("the hard link %q leads to a symbolic one", h.Name)
		}
	}
	return u.write(plain, content)
}

func (u *unpacker) write(h *tar.Header, content io.Reader) error {
	if u.members++; u.members > maxMembers {
		return fmt.Errorf("it has more than %d files", maxMembers)
	}
	if h.Size > maxUnpacked {
		return errUnpacked
	}
	if err := u.out.WriteHeader(h); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	_, err := io.Copy(u.out, content)
	return err
}

func escapes(name string) bool {
	return slices.Contains(strings.Split(strings.ReplaceAll(name, `\`, "/"), "/"), "..")
}

// name is a member's path below the artifact, which goes through no link.
func (u *unpacker) name(name string) (string, error) {
	clean, err := relative(name)
	if err != nil {
		return "", err
	}
	if strings.ContainsRune(clean, 0) {
		return "", fmt.Errorf("the name %q has a zero byte", name)
	}
	for at, r := range clean {
		if r == '/' && u.links[clean[:at]] {
			return "", fmt.Errorf("the path %q goes through the link %q", name, clean[:at])
		}
	}
	return clean, nil
}

func (u *unpacker) zip(from io.ReaderAt, size int64) error {
	archive, err := zip.NewReader(from, size)
	if err != nil {
		return err
	}
	for _, member := range archive.File {
		if err := u.zipped(member); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) zipped(member *zip.File) error {
	mode := member.Mode()
	h := &tar.Header{Name: member.Name, Mode: int64(mode.Perm()), ModTime: member.Modified, Typeflag: tar.TypeReg}
	if h.ModTime.Year() < 1980 {
		h.ModTime = time.Unix(0, 0)
	}
	if h.Mode == 0 {
		h.Mode = 0o644
	}
	if mode.IsDir() {
		h.Typeflag, h.Mode = tar.TypeDir, 0o755
		return u.member(h, nil)
	}
	content, err := member.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	bounded := u.bounded(content)
	switch {
	case mode&os.ModeSymlink != 0:
		target, err := readAtMost(bounded, 4096)
		if err != nil {
			return err
		}
		h.Typeflag, h.Linkname = tar.TypeSymlink, string(target)
	case !mode.IsRegular():
		return nil
	}
	h.Size = int64(member.UncompressedSize64) //nolint:gosec // checked below
	if h.Size < 0 {
		return errUnpacked
	}
	return u.member(h, bounded)
}
