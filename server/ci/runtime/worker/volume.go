package worker

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/runtime/worker/archive"
)

// maxEntries bounds the files of one imported volume; the largest images have a
// few hundred thousand.
const maxEntries = 5_000_000

// volumeDir is the tree of an existing volume.
func (w *Worker) volumeDir(id runtime.VolumeID) (string, error) {
	if err := validID(string(id)); err != nil {
		return "", err
	}
	dir := w.path("volumes", string(id))
	if !exists(dir) {
		return "", fmt.Errorf("volume %s: %w", id, runtime.ErrGone)
	}
	return dir, nil
}

func (w *Worker) ownership() archive.Owner {
	return archive.Owner{Base: w.owner(), Single: w.rootless}
}

// CreateVolume makes an empty volume.
func (w *Worker) CreateVolume(_ context.Context, id runtime.VolumeID) error {
	if err := validID(string(id)); err != nil {
		return err
	}
	if exists(w.path("volumes", string(id))) {
		return nil
	}
	return w.build(id, func(dir string) error {
		if w.rootless {
			return nil
		}
		return os.Lchown(dir, w.owner(), w.owner())
	})
}

// ImportVolume makes a volume from a tar stream.
func (w *Worker) ImportVolume(ctx context.Context, id runtime.VolumeID, tar io.Reader) error {
	if err := validID(string(id)); err != nil {
		return err
	}
	if exists(w.path("volumes", string(id))) {
		_, err := io.Copy(io.Discard, tar) // the sender waits for a reader
		return err
	}
	return w.build(id, func(dir string) error {
		return archive.Extract(ctx, dir, tar, w.ownership(), archive.Limits{Bytes: w.opts.MaxImport, Entries: maxEntries})
	})
}

// build fills a new folder and gives it the volume's name when it is whole.
func (w *Worker) build(id runtime.VolumeID, fill func(dir string) error) error {
	dir := w.path("incoming", rand.Text())
	if err := os.Mkdir(dir, 0o755); err != nil {
		return sayFull(err)
	}
	err := fill(dir)
	if err == nil {
		err = os.Rename(dir, w.path("volumes", string(id)))
		if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
			return removeTree(dir) // it exists, which is what was asked for
		}
	}
	if err != nil {
		return errors.Join(sayFull(err), removeTree(dir))
	}
	return nil
}

// ExportVolume writes the tree below path as a gzip tar stream.
func (w *Worker) ExportVolume(ctx context.Context, id runtime.VolumeID, name string, out io.Writer) error {
	dir, err := w.volumeDir(id)
	if err != nil {
		return err
	}
	return archive.Pack(ctx, dir, name, out, w.ownership())
}

// CloneVolume copies a tree. It goes through the same packer and extractor as what
// comes from elsewhere: while it reads, a task may play tricks with links in from.
func (w *Worker) CloneVolume(ctx context.Context, from, to runtime.VolumeID) error {
	dir, err := w.volumeDir(from)
	if err != nil {
		return err
	}
	reader, writer := io.Pipe()
	packed := make(chan error, 1)
	go func() {
		buffer := bufio.NewWriterSize(writer, 1<<20)
		err := errors.Join(archive.PackPlain(ctx, dir, ".", buffer, w.ownership()), buffer.Flush())
		writer.CloseWithError(err)
		packed <- err
	}()
	err = w.ImportVolume(ctx, to, reader)
	reader.CloseWithError(err)
	if packErr := <-packed; packErr != nil {
		return packErr // the import broke off for no other reason, or read all of it
	}
	return err
}

// ReadFile returns the beginning of one regular file.
func (w *Worker) ReadFile(_ context.Context, id runtime.VolumeID, name string, max int64) ([]byte, error) {
	dir, err := w.volumeDir(id)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := archive.OpenRegular(root, strings.TrimPrefix(path.Clean("/"+name), "/"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, max))
}

// RemoveVolume deletes the tree.
func (w *Worker) RemoveVolume(_ context.Context, id runtime.VolumeID) error {
	if err := validID(string(id)); err != nil {
		return err
	}
	return w.throwAway(w.path("volumes", string(id)))
}

// Volumes lists the volumes on disk.
func (w *Worker) Volumes(context.Context) ([]runtime.VolumeInfo, error) {
	entries, err := os.ReadDir(w.path("volumes"))
	if err != nil {
		return nil, err
	}
	var out []runtime.VolumeInfo
	for _, e := range entries {
		if validID(e.Name()) != nil {
			continue
		}
		at, err := born(w.path("volumes", e.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		out = append(out, runtime.VolumeInfo{ID: runtime.VolumeID(e.Name()), Created: at, Bytes: w.size(runtime.VolumeID(e.Name()))})
	}
	return out, nil
}

// born is when a folder was made, or last changed where the file system does not
// know the former.
func born(dir string) (time.Time, error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BTIME|unix.STATX_MTIME, &st); err != nil {
		return time.Time{}, err
	}
	at := st.Mtime
	if st.Mask&unix.STATX_BTIME != 0 {
		at = st.Btime
	}
	return time.Unix(at.Sec, int64(at.Nsec)).UTC(), nil
}
