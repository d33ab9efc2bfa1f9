package ci

import (
	"context"
	"fmt"
	"io"
	"os"
)

// collectedFile is a small file of a build that was read out of one of its outputs.
type collectedFile struct {
	// Path begins with the output's name, as in the rule that named the file.
	Path string
	Size int64
	// Open gives the content from its beginning, as often as it is asked.
	Open func() (io.ReadCloser, error)
}

// readFiles reads what the files of one use say about a build, outside of any
// transaction: files may be large, and a transaction makes others wait. What cannot be
// read is a sentence among the problems; an error is the database's or the context's.
//
// The keep that it returns, if any, stores that. It is called in the transaction that
// made the build's row in ci_build_outputs, whose sums it may set, so it happens once,
// all or nothing; after an error it may be called again.
type readFiles func(ctx context.Context, b buildRow, files []collectedFile) (keep keepRead, problems []string, err error)

type keepRead func(ctx context.Context) error

// spool holds the small files of one build until they are read, one after another in
// one file without a name, which is gone with the process however that ends.
type spool struct {
	folder string
	file   *os.File
	size   int64
}

func (s *spool) keep(path string, r io.Reader) (collectedFile, error) {
	if s.file == nil {
		f, err := os.CreateTemp(s.folder, "outputs-*")
		if err != nil {
			return collectedFile{}, err
		}
		if err := os.Remove(f.Name()); err != nil {
			f.Close()
			return collectedFile{}, err
		}
		s.file = f
	}
	from := s.size
	n, err := io.Copy(io.NewOffsetWriter(s.file, from), r)
	if err != nil {
		return collectedFile{}, fmt.Errorf("read %s: %w", path, err)
	}
	s.size += n
	return collectedFile{Path: path, Size: n, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(s.file, from, n)), nil
	}}, nil
}

func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
