package ci

import (
	"context"
	"io"
)

// collectedFile is a small file of a build that was read out of one of its outputs.
type collectedFile struct {
	// Path begins with the output's name, as in the rule that named the file.
	Path string
	Size int64
	// Open gives the content from its beginning, as often as it is asked.
	Open func() (io.ReadCloser, error)
}

// keepFiles stores what the files of one use say about a build. It is called in the
// transaction that made the build's row in ci_build_outputs, whose sums it may set;
// so it happens once, all or nothing. What cannot be read is a sentence among the
// problems; an error is the database's, and everything is tried again.
type keepFiles func(ctx context.Context, b buildRow, files []collectedFile) (problems []string, err error)
