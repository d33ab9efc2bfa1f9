package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Folder is a part of the data folder that belongs into a backup.
type Folder struct {
	// Path is a file or folder, from the data folder on.
	Path string
	// Steady is a file in it that says which others there are: they are named again until
	// it stays the same meanwhile. It is copied at that moment, while of the others what
	// is appended later may come along.
	Steady string
	// Skip names files that are made again by themselves, by the end of their names.
	Skip []string
	// Early is named before the database's instant only: a later file would belong to a
	// row that the database does not have.
	Early bool
}

// freezeTries bounds how often a folder is named again.
const freezeTries = 50

// freeze names every file of a folder again below scratch. A file that is gone when its
// turn comes was removed by its owner, who no longer needs it.
func freeze(ctx context.Context, dir, scratch string, f Folder) error {
	if f.Steady == "" {
		return linkAll(ctx, dir, scratch, f)
	}
	steady := filepath.Join(dir, f.Path, f.Steady)
	for range freezeTries {
		before, err := readIfThere(steady)
		if err != nil {
			return err
		}
		if err := linkAll(ctx, dir, scratch, f); err != nil {
			return err
		}
		after, err := readIfThere(steady)
		if err != nil {
			return err
		}
		if !bytes.Equal(before, after) || (before == nil) != (after == nil) {
			continue
		}
		if before == nil {
			return nil
		}
		to := filepath.Join(scratch, f.Path, f.Steady)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		return os.WriteFile(to, before, 0o600)
	}
	return fmt.Errorf("the files of %s changed faster than they could be listed, %d times", f.Path, freezeTries)
}

func readIfThere(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}

func linkAll(ctx context.Context, dir, scratch string, f Folder) error {
	root := filepath.Join(dir, f.Path)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if !d.Type().IsRegular() || f.Steady != "" && path == filepath.Join(root, f.Steady) || slices.ContainsFunc(f.Skip, func(s string) bool { return strings.HasSuffix(path, s) }) {
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return link(path, filepath.Join(scratch, rel))
	})
	if err != nil {
		return fmt.Errorf("list the files of %s: %w", f.Path, err)
	}
	return nil
}

// link gives a file a second name; where the file system cannot, its bytes are copied.
func link(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	err := os.Link(from, to)
	switch {
	case err == nil, errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist):
		return nil
	}
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
