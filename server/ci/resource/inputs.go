package resource

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/md5" //nolint:gosec // what S3 calls an ETag
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// maxParam bounds a file that stands for a parameter: a tag, a name, a message.
const maxParam = 1 << 20

// scratch is a folder for files on their way.
type scratch struct {
	dir   string
	files int
}

func (o Options) scratch() (*scratch, error) {
	dir, err := os.MkdirTemp(o.TempDir, "resource-*")
	return &scratch{dir: dir}, err
}

func (s *scratch) remove() error { return os.RemoveAll(s.dir) }

// spooled is a file in a scratch folder.
type spooled struct {
	name        string // of where it comes from
	path        string
	size        int64
	sha256, md5 string // in hex
}

// keep copies what is read into a new file.
func (s *scratch) keep(name string, from io.Reader) (spooled, error) {
	s.files++
	file, err := os.OpenFile(filepath.Join(s.dir, strconv.Itoa(s.files)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return spooled{}, err
	}
	sum, old := sha256.New(), md5.New() //nolint:gosec // see above
	n, err := io.Copy(io.MultiWriter(file, sum, old), from)
	out := spooled{name: name, path: file.Name(), size: n, sha256: hex.EncodeToString(sum.Sum(nil)), md5: hex.EncodeToString(old.Sum(nil))}
	return out, errors.Join(err, file.Close())
}

// addTo writes the file into an artifact.
func (f spooled) addTo(out *tar.Writer, name string) error {
	from, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer from.Close()
	return copyFile(out, name, f.size, 0o644, from)
}

// match copies the inputs' files that match the glob (by the rules of path.Match)
// into the scratch folder, in the order of their volumes.
func (s *scratch) match(ctx context.Context, req Request, glob string) ([]spooled, error) {
	clean := strings.TrimPrefix(path.Clean("/"+glob), "/")
	if _, err := path.Match(clean, ""); err != nil {
		return nil, fmt.Errorf("%q is not a pattern of files: %w", glob, err)
	}
	first, rest, _ := strings.Cut(clean, "/")
	if rest == "" {
		return nil, fmt.Errorf("%q names no file of an input. Write it like input/file", glob)
	}
	var found []spooled
	known := false
	for _, in := range req.Inputs {
		if ok, err := path.Match(first, in.Name); err != nil || !ok {
			continue
		}
		known = true
		files, err := s.matchIn(ctx, req.Executor, in, rest)
		found = append(found, files...)
		if err != nil {
			return found, fmt.Errorf("read the input %s: %w", in.Name, err)
		}
	}
	if !known {
		return nil, &missingInputError{input: first, path: glob}
	}
	return found, nil
}

func (s *scratch) matchIn(ctx context.Context, executor runtime.Executor, in Input, glob string) ([]spooled, error) {
	from, to := io.Pipe()
	go func() { to.CloseWithError(executor.ExportVolume(ctx, in.Volume, ".", to)) }()
	found, err := s.pick(from, in.Name, glob)
	from.CloseWithError(err)
	return found, err
}

// pick reads a compressed archive to its end and keeps the regular files that match.
func (s *scratch) pick(from io.Reader, input, glob string) ([]spooled, error) {
	var found []spooled
	err := eachFile(from, func(header *tar.Header, in io.Reader) error {
		name := strings.TrimPrefix(path.Clean("/"+header.Name), "/")
		if ok, err := path.Match(glob, name); err != nil || !ok {
			return nil
		}
		file, err := s.keep(input+"/"+name, in)
		if err == nil {
			found = append(found, file)
		}
		return err
	})
	return found, err
}

// eachFile reads a compressed archive to its end and gives its regular files.
func eachFile(from io.Reader, each func(*tar.Header, io.Reader) error) error {
	plain, err := gzip.NewReader(from)
	if err != nil {
		return err
	}
	for in := tar.NewReader(plain); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, from)
			return err
		}
		if err == nil && header.Typeflag == tar.TypeReg {
			err = each(header, in)
		}
		if err != nil {
			return err
		}
	}
}

// paramFile reads the file that a parameter names; "" when the parameter is absent.
func paramFile(ctx context.Context, req Request, f *fields, key string) (string, error) {
	name := f.text(key)
	if name == "" || f.err != nil {
		return "", nil
	}
	data, err := readInput(ctx, req, name, maxParam+1)
	if err == nil && len(data) > maxParam {
		err = fmt.Errorf("the file %s is larger than %d MiB", name, maxParam>>20)
	}
	if err != nil {
		return "", fmt.Errorf("params.%s: %w", key, err)
	}
	return string(data), nil
}

// copyFile writes one file of known size with its folders.
func copyFile(out *tar.Writer, name string, size, mode int64, from io.Reader) error {
	clean, err := relative(name)
	if err != nil {
		return err
	}
	parts := strings.Split(clean, "/")
	for i := 1; i < len(parts); i++ {
		if err := addFolder(out, strings.Join(parts[:i], "/")); err != nil {
			return err
		}
	}
	if err := out.WriteHeader(&tar.Header{Name: clean, Typeflag: tar.TypeReg, Mode: mode, Size: size, ModTime: time.Unix(0, 0)}); err != nil {
		return err
	}
	_, err = io.Copy(out, from)
	return err
}
