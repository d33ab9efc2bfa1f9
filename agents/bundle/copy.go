package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// CopyVerified copies the file at path to w and wants it to be exactly the blob
// sha of size bytes. It follows no symbolic link, opens no device or pipe, and
// judges the very bytes it copies: who installs from the copy installs what was
// checked, whatever happens to path meanwhile. A file that is short is
// Incomplete; one that is complete and different, or longer, is Integrity.
func CopyVerified(ctx context.Context, w io.Writer, path, sha string, size int64) error {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return refuse(Incomplete, "%s is not there.", path)
	case errors.Is(err, syscall.ELOOP):
		return refuse(Integrity, "%s is a symbolic link.", path)
	case err != nil:
		return err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = refuse(Integrity, "%s is not a plain file.", path)
	}
	if err == nil {
		err = copyVerified(ctx, w, f, sha, size)
	}
	return errors.Join(err, f.Close())
}

// VerifyPath is CopyVerified to nowhere.
func VerifyPath(ctx context.Context, path, sha string, size int64) error {
	return CopyVerified(ctx, io.Discard, path, sha, size)
}

// copyVerified writes at most size bytes and reads at most one more.
func copyVerified(ctx context.Context, w io.Writer, r io.Reader, sha string, size int64) error {
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, h), &limited{ctx: ctx, r: r, left: size})
	if err != nil {
		return fmt.Errorf("copy blob %s: %w", sha, err)
	}
	if n < size {
		return refuse(Incomplete, "Blob %s has %d of %d bytes.", sha, n, size)
	}
	if more, err := io.ReadFull(r, make([]byte, 1)); more > 0 {
		return refuse(Integrity, "Blob %s is longer than its %d bytes.", sha, size)
	} else if !errors.Is(err, io.EOF) {
		return fmt.Errorf("copy blob %s: %w", sha, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sha {
		return refuse(Integrity, "Blob %s has the hash %s.", sha, got)
	}
	return nil
}

// limited stops after left bytes, and when its context ends.
type limited struct {
	ctx  context.Context
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	if l.left <= 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}
