package archive

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// Pack writes the tree below name in dir as a gzip tar stream: the content of a
// folder, or one file under its own name.
func Pack(ctx context.Context, dir, name string, w io.Writer, owner Owner) error {
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if err := PackPlain(ctx, dir, name, zip, owner); err != nil {
		return err
	}
	return zip.Close()
}

// PackPlain is Pack without compression, for streams that stay on this machine.
func PackPlain(ctx context.Context, dir, name string, w io.Writer, owner Owner) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	top, err := clean(name)
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	if top == "" {
		top = "."
	}
	info, err := root.Stat(top)
	if err != nil {
		return err
	}
	p := &packer{root: root, tar: tar.NewWriter(w), owner: owner}
	if info.IsDir() {
		err = p.folder(ctx, top)
	} else {
		err = p.entry(top, path.Base(top), info)
	}
	if err != nil {
		return err
	}
	return p.tar.Close()
}

type packer struct {
	root  *os.Root
	tar   *tar.Writer
	owner Owner
}

func (p *packer) folder(ctx context.Context, top string) error {
	return fs.WalkDir(p.root.FS(), top, func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || name == top {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed while we look: a container may still run
		}
		if err != nil {
			return err
		}
		as := name
		if top != "." {
			as = strings.TrimPrefix(name, top+"/")
		}
		return p.entry(name, as, info)
	})
}

// entry writes one file, folder or link; sockets, pipes and devices are left out.
func (p *packer) entry(name, as string, info fs.FileInfo) error {
	link := ""
	var err error
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		if link, err = p.root.Readlink(name); err != nil {
			return err
		}
	case !info.IsDir() && !info.Mode().IsRegular():
		return nil
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	h.Name = as
	if info.IsDir() {
		h.Name += "/"
	}
	h.Uname, h.Gname, h.Format = "", "", tar.FormatPAX
	if st, ok := info.Sys().(*syscall.Stat_t); ok && !p.owner.Single {
		h.Uid, h.Gid = within(int(st.Uid)-p.owner.Base), within(int(st.Gid)-p.owner.Base)
	} else {
		h.Uid, h.Gid = 0, 0
	}
	if !info.Mode().IsRegular() {
		return p.tar.WriteHeader(h)
	}
	f, err := OpenRegular(p.root, name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := p.tar.WriteHeader(h); err != nil {
		return err
	}
	if _, err := io.CopyN(p.tar, f, h.Size); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// OpenRegular opens a regular file and nothing else, without waiting at a pipe.
func OpenRegular(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
