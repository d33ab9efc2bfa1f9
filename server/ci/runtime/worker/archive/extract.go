package archive

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// Limits bound what a stream may hold.
type Limits struct {
	Bytes   int64 // of all files together
	Entries int
}

// Owner says who owns the files of a tree. Base is added to each id of the stream;
// with Single all belong to this process.
type Owner struct {
	Base   int
	Single bool
}

// nobody takes the ids that a container cannot have.
const nobody = 65534

type extractor struct {
	root    *os.Root
	owner   Owner
	left    Limits
	folders []folder // their modes and times come last, when nothing is written into them any more
}

type folder struct {
	name string
	mode fs.FileMode
	time time.Time
}

// Extract unpacks a tar stream, plain or gzip, into the empty folder dir. After an
// error the folder holds an unusable rest.
func Extract(ctx context.Context, dir string, stream io.Reader, owner Owner, limits Limits) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	plain, err := decompress(stream)
	if err != nil {
		return err
	}
	x := &extractor{root: root, owner: owner, left: limits}
	if err := x.chown(".", &tar.Header{}); err != nil {
		return err
	}
	r := tar.NewReader(plain)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("read the tar stream: %w", err)
		}
		if err := x.entry(h, r); err != nil {
			return fmt.Errorf("unpack %q: %w", h.Name, err)
		}
	}
	if err := drain(plain); err != nil {
		return err
	}
	return x.finish()
}

// maxPadding bounds what may follow the end of the archive: writers fill up blocks.
const maxPadding = 1 << 20

// drain reads what follows the archive, so that a gzip stream's checksum is seen
// and the sender is not left hanging.
func drain(r io.Reader) error {
	n, err := io.Copy(io.Discard, io.LimitReader(r, maxPadding+1))
	if err == nil && n > maxPadding {
		err = errors.New("something follows the end of the archive")
	}
	if err != nil {
		return fmt.Errorf("read the tar stream: %w", err)
	}
	return nil
}

// decompress looks at the first bytes.
func decompress(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		return gzip.NewReader(b)
	}
	return b, nil
}

// clean makes a stream's name relative to the tree, or refuses it.
func clean(name string) (string, error) {
	if strings.ContainsRune(name, 0) {
		return "", errors.New("the name holds a zero byte")
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", errors.New("the name leads out of the tree")
		}
	}
	return strings.TrimPrefix(path.Clean("/"+name), "/"), nil
}

func (x *extractor) entry(h *tar.Header, r io.Reader) error {
	name, err := clean(h.Name)
	if err != nil {
		return err
	}
	x.left.Entries--
	x.left.Bytes -= max(h.Size, 0)
	if x.left.Entries < 0 || x.left.Bytes < 0 {
		return errors.New("the tree is larger than allowed")
	}
	switch h.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil
	case tar.TypeDir:
		return x.folder(name, h)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		if strings.HasPrefix(name, "rootfs/dev/") {
			return nil // an image's own; each container gets a /dev of its own
		}
		return errors.New("it is a device or a pipe, which are refused")
	}
	if name == "" {
		return errors.New("only a folder can be the top of the tree")
	}
	if err := x.makeWay(name); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeRegA, tar.TypeGNUSparse: //nolint:staticcheck // old archives use TypeRegA
		return x.file(name, h, r)
	case tar.TypeSymlink:
		return errors.Join(x.root.Symlink(h.Linkname, name), x.chown(name, h))
	case tar.TypeLink:
		target, err := clean(h.Linkname)
		if err != nil {
			return err
		}
		return x.root.Link(target, name)
	}
	return fmt.Errorf("its type %q is not understood", h.Typeflag)
}

// makeWay creates missing parents and removes an earlier entry of the name.
func (x *extractor) makeWay(name string) error {
	if err := x.parents(path.Dir(name)); err != nil {
		return err
	}
	info, err := x.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		return errors.New("there is a folder of that name already")
	}
	return x.root.Remove(name)
}

func (x *extractor) parents(name string) error {
	if name == "." {
		return nil
	}
	if info, err := x.root.Stat(name); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is not a folder", name)
		}
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := x.parents(path.Dir(name)); err != nil {
		return err
	}
	if err := x.root.Mkdir(name, 0o755); err != nil {
		return err
	}
	return x.chown(name, &tar.Header{})
}

func (x *extractor) folder(name string, h *tar.Header) error {
	if name == "" {
		name = "."
	}
	if err := x.parents(path.Dir(name)); err != nil {
		return err
	}
	info, err := x.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = x.root.Mkdir(name, 0o755)
	case err == nil && !info.IsDir():
		err = errors.Join(x.root.Remove(name), x.root.Mkdir(name, 0o755))
	}
	if err != nil {
		return err
	}
	x.folders = append(x.folders, folder{name: name, mode: mode(h), time: h.ModTime})
	return x.chown(name, h)
}

func (x *extractor) file(name string, h *tar.Header, r io.Reader) error {
	f, err := x.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil && !x.owner.Single {
		err = f.Chown(x.ids(h))
	}
	if err == nil {
		err = f.Chmod(mode(h))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return x.times(name, h.ModTime)
}

func (x *extractor) finish() error {
	for i := len(x.folders) - 1; i >= 0; i-- {
		f := x.folders[i]
		info, err := x.root.Lstat(f.name)
		if err != nil || !info.IsDir() {
			continue // a later entry took its place
		}
		if err := errors.Join(x.root.Chmod(f.name, f.mode), x.times(f.name, f.time)); err != nil {
			return err
		}
	}
	return nil
}

// times keeps what a stream says about age, unless it is nonsense.
func (x *extractor) times(name string, t time.Time) error {
	if t.Unix() <= 0 || t.Year() > 9999 {
		return nil
	}
	return x.root.Chtimes(name, t, t)
}

func (x *extractor) chown(name string, h *tar.Header) error {
	if x.owner.Single {
		return nil
	}
	uid, gid := x.ids(h)
	return x.root.Lchown(name, uid, gid)
}

func (x *extractor) ids(h *tar.Header) (uid, gid int) {
	return x.owner.Base + within(h.Uid), x.owner.Base + within(h.Gid)
}

func within(id int) int {
	if id < 0 || id > nobody {
		return nobody
	}
	return id
}

// mode keeps the permissions and the sticky bit. Set-uid and set-gid do nothing in
// our containers and would only be a danger outside.
func mode(h *tar.Header) fs.FileMode {
	m := fs.FileMode(h.Mode & 0o777)
	if h.Mode&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	return m
}
