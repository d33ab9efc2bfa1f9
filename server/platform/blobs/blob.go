package blobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// grace is how long a blob may lie unowned: the time to own what one has put.
const grace = time.Hour

// Ref names a blob of a team.
type Ref struct {
	// SHA256 is in hex.
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// Deps is what a store needs.
type Deps struct {
	DB      *database.DB
	Backend Backend
	// Spool is a folder on this machine where content waits until its hash is known.
	Spool string
	Now   func() time.Time
	// Quota is how many bytes a team's blobs may take together; 0 sets no bound.
	Quota int64
}

// Store keeps blobs and who owns them.
type Store struct {
	deps   Deps
	quotas quotas
}

// New makes the store and its spool folder, emptied of what a crash left there.
func New(deps Deps) (*Store, error) {
	if err := os.MkdirAll(deps.Spool, 0o700); err != nil {
		return nil, fmt.Errorf("make the spool folder for blobs: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(deps.Spool, "put-*"))
	if err != nil {
		return nil, err
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("empty the spool folder for blobs: %w", err)
		}
	}
	return &Store{deps: deps, quotas: quotas{used: map[int64]usage{}}}, nil
}

// key keeps teams apart: equal content of two teams is two blobs, so that nobody
// learns from an upload's speed what others have.
func key(team int64, sha string) string {
	return fmt.Sprintf("%d/%s/%s/%s", team, sha[:2], sha[2:4], sha)
}

func validSHA(sha string) bool {
	raw, err := hex.DecodeString(sha)
	return err == nil && len(raw) == sha256.Size && sha == strings.ToLower(sha)
}

// Put stores what r gives, at most limit bytes of it. The caller then owns it
// within the hour. It must not be called in a transaction: it waits for r.
func (s *Store) Put(ctx context.Context, team int64, r io.Reader, limit int64) (Ref, error) {
	f, err := os.CreateTemp(s.deps.Spool, "put-*")
	if err != nil {
		return Ref{}, explain(err, "spool a blob")
	}
	defer os.Remove(f.Name()) // the next start removes what this cannot
	defer f.Close()
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(f, hash), io.LimitReader(r, limit+1))
	if err != nil {
		return Ref{}, explain(err, "spool a blob")
	}
	if size > limit {
		return Ref{}, problem.New(problem.TooLarge, "This is larger than %d bytes.", limit)
	}
	if err := s.admit(ctx, team, size); err != nil {
		return Ref{}, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Ref{}, explain(err, "spool a blob")
	}
	ref := Ref{SHA256: hex.EncodeToString(hash.Sum(nil)), Size: size}
	if err := s.touch(ctx, team, ref); err != nil {
		return Ref{}, explain(err, "note a blob")
	}
	// Put again even when the row was there: a crash may have kept the bytes from
	// following it, and asking first would cost as much.
	if err := s.deps.Backend.Put(ctx, key(team, ref.SHA256), f, size); err != nil {
		return Ref{}, explain(err, "store a blob")
	}
	return ref, nil
}

func explain(err error, what string) error {
	if database.IsFull(err) {
		p := problem.Wrap(err, problem.Unavailable, "The server's disk is full. Nothing was stored; free space and try again.")
		p.RetryAfter = 30
		return p
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Open gives the content of a blob that somebody owns. Close it.
func (s *Store) Open(ctx context.Context, team int64, sha string) (io.ReadCloser, Ref, error) {
	missing := problem.New(problem.NotFound, "There is no stored file %.64s.", sha)
	if !validSHA(sha) {
		return nil, Ref{}, missing
	}
	size, owned, err := s.owned(ctx, team, sha)
	if err != nil {
		return nil, Ref{}, err
	}
	if !owned {
		return nil, Ref{}, missing
	}
	content, err := s.deps.Backend.Open(ctx, key(team, sha))
	if errors.Is(err, ErrMissing) {
		return nil, Ref{}, fmt.Errorf("blob %s of team %d is owned, but its bytes are gone", sha, team)
	}
	return content, Ref{SHA256: sha, Size: size}, err
}

// Collect removes the blobs that nobody has owned for an hour and returns how
// many. One that does not let itself be removed is tried again next time.
func (s *Store) Collect(ctx context.Context) (removed int, err error) {
	before := s.deps.Now().Add(-grace).UnixMilli()
	var errs []error
	for {
		list, err := s.unowned(ctx, before, 200)
		if err != nil {
			return removed, errors.Join(append(errs, err)...)
		}
		progress := 0
		for _, row := range list {
			// The bytes go before the commit: a Put of the same content waits for the
			// row and puts them there again.
			err := s.deps.DB.Tx(ctx, func(ctx context.Context) error {
				gone, err := s.remove(ctx, row.TeamID, row.SHA256, before)
				if err != nil || !gone {
					return err
				}
				progress++
				return s.deps.Backend.Delete(ctx, key(row.TeamID, row.SHA256))
			})
			if err != nil {
				errs = append(errs, fmt.Errorf("collect blob %s: %w", row.SHA256, err))
			}
		}
		removed += progress
		if progress == 0 || len(errs) > 0 || len(list) < 200 {
			return removed, errors.Join(errs...)
		}
	}
}
