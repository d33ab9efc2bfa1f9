package apply

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/signalbox/signalbox/agents/bundle"
)

// source is where blobs come from. What it gives is checked while it is copied.
type source interface {
	has(sha string) bool
	// copy writes exactly the blob of that hash and size, or fails.
	copy(ctx context.Context, w io.Writer, sha string, size int64) error
	// drop throws a bad blob away, so that it is fetched anew.
	drop(sha string) error
}

// spool is the network half's folder. Anything may be in it: links, devices,
// files that change while they are read.
type spool struct{ dir string }

func (s *spool) path(sha string) string { return filepath.Join(s.dir, sha) }

func (s *spool) has(sha string) bool {
	info, err := os.Lstat(s.path(sha))
	return err == nil && info.Mode().IsRegular()
}

func (s *spool) copy(ctx context.Context, w io.Writer, sha string, size int64) error {
	return bundle.CopyVerified(ctx, w, s.path(sha), sha, size)
}

func (s *spool) drop(sha string) error { return os.RemoveAll(s.path(sha)) }

// carried is a bundle file.
type carried struct{ file *bundle.File }

func (c *carried) has(sha string) bool { return c.file.Has(sha) }

func (c *carried) copy(ctx context.Context, w io.Writer, sha string, size int64) error {
	section, err := c.file.Blob(sha)
	if err != nil {
		return err
	}
	return copyHashed(ctx, w, section, sha, size)
}

func (c *carried) drop(string) error { return nil }

// none is for finishing a run whose source is gone.
type none struct{}

func (none) has(string) bool { return false }
func (none) copy(context.Context, io.Writer, string, int64) error {
	return &bundle.Error{Kind: bundle.Incomplete, Message: "The blobs are not there any more."}
}
func (none) drop(string) error { return nil }

// detail makes a report's details of pairs.
func detail(pairs ...string) []byte {
	m := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil // strings always encode
	}
	return raw
}

// create makes a file that only root writes, and syncs it once fill has written it.
func create(path string, fill func(f *os.File) error) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
