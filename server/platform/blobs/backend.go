package blobs

import (
	"context"
	"errors"
	"io"
)

// Backend keeps bytes under a key, which is made of digits, a-f and slashes.
type Backend interface {
	// Put stores size bytes of r under key, durably, all or nothing.
	Put(ctx context.Context, key string, r io.Reader, size int64) error
	// Open gives the bytes; ErrMissing when there are none.
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	// Delete removes the bytes; nil when there are none.
	Delete(ctx context.Context, key string) error
}

// ErrMissing is a Backend's answer for a key without bytes.
var ErrMissing = errors.New("there are no bytes under this key")
