package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
)

// Fetch opens an address. What is not there is fs.ErrNotExist.
type Fetch func(ctx context.Context, address string) (io.ReadCloser, error)

// LocalFetch reads addresses that begin with file: from disk and leaves the rest to next.
func LocalFetch(next Fetch) Fetch {
	return func(ctx context.Context, address string) (io.ReadCloser, error) {
		if u, err := url.Parse(address); err == nil && u.Scheme == "file" {
			return os.Open(u.Path)
		}
		return next(ctx, address)
	}
}

// HTTPFetch reads with a client.
func HTTPFetch(client *http.Client) Fetch {
	return func(ctx context.Context, address string) (io.ReadCloser, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		answer, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode == http.StatusOK {
			return answer.Body, nil
		}
		err = fmt.Errorf("%s answered %s", address, answer.Status)
		if answer.StatusCode == http.StatusNotFound {
			err = fmt.Errorf("%w: %w", err, fs.ErrNotExist)
		}
		return nil, errors.Join(err, answer.Body.Close())
	}
}

// store keeps fetched files by their hash, so that the next build fetches only what is new.
type store struct {
	dir   string
	fetch Fetch
	now   func() time.Time
}

func newStore(dir string, fetch Fetch, now func() time.Time) (*store, error) {
	for _, sub := range []string{"sha256", "plain"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("the builder's folder: %w", err)
		}
	}
	return &store{dir: dir, fetch: fetch, now: now}, nil
}

// forget removes what no build has used for so long.
func (s *store) forget(unused time.Duration) error {
	return filepath.WalkDir(s.dir, func(at string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil && s.now().Sub(info.ModTime()) > unused {
			err = os.Remove(at)
		}
		if errors.Is(err, fs.ErrNotExist) { // another build was faster
			return nil
		}
		return err
	})
}

// used marks a file as one that is still wanted.
func (s *store) used(at string) error { return os.Chtimes(at, time.Time{}, s.now()) }

func (s *store) path(sha string) string { return filepath.Join(s.dir, "sha256", sha) }

// open gives a blob of the bundle that is being made.
func (s *store) open(sha string) (io.ReadCloser, error) { return os.Open(s.path(sha)) }

// get has a file of known hash and size at its path, from before or from its address.
func (s *store) get(ctx context.Context, address, sha string, size int64) (string, error) {
	at := s.path(sha)
	if info, err := os.Stat(at); err == nil && info.Size() == size {
		return at, s.used(at)
	}
	body, err := s.fetch(ctx, address)
	if err != nil {
		return "", fmt.Errorf("fetch %s: %w", address, err)
	}
	got, n, err := s.keep(io.LimitReader(body, size+1), sha)
	if err := errors.Join(err, body.Close()); err != nil {
		return "", fmt.Errorf("fetch %s: %w", address, err)
	}
	if got != sha || n != size {
		return "", fmt.Errorf("%s is not what the index promises (%d bytes with hash %s, not %d with %s)", address, n, got, size, sha)
	}
	return at, nil
}

// keep writes a file under its hash. When want is given, nothing else is kept.
func (s *store) keep(r io.Reader, want string) (sha string, size int64, err error) {
	f, err := os.CreateTemp(s.dir, "part-*")
	if err != nil {
		return "", 0, err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it is there no more when all went well
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(f, h), r)
	sha = hex.EncodeToString(h.Sum(nil))
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return sha, size, err
	}
	if want != "" && want != sha {
		return sha, size, nil
	}
	return sha, size, os.Rename(f.Name(), s.path(sha))
}

// plain has the normalised form of a .deb at a path.
func (s *store) plain(ctx context.Context, sha string) (at, normSHA string, size int64, err error) {
	found, err := filepath.Glob(filepath.Join(s.dir, "plain", sha+"-*"))
	if err != nil {
		return "", "", 0, err
	}
	if len(found) == 1 {
		info, err := os.Stat(found[0])
		if err != nil {
			return "", "", 0, err
		}
		_, normSHA, _ = strings.Cut(filepath.Base(found[0]), "-")
		return found[0], normSHA, info.Size(), s.used(found[0])
	}
	in, err := os.Open(s.path(sha))
	if err != nil {
		return "", "", 0, err
	}
	defer in.Close()
	out, err := os.CreateTemp(s.dir, "part-*")
	if err != nil {
		return "", "", 0, err
	}
	defer os.Remove(out.Name()) //nolint:errcheck // it is there no more when all went well
	normSHA, size, err = bundle.Normalise(ctx, in, out, bundle.MaxBlob)
	if err := errors.Join(err, out.Close()); err != nil {
		return "", "", 0, err
	}
	at = filepath.Join(s.dir, "plain", sha+"-"+normSHA)
	return at, normSHA, size, os.Rename(out.Name(), at)
}

// text reads a small file of a source whole.
func (s *store) text(ctx context.Context, address string, most int64) ([]byte, error) {
	body, err := s.fetch(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", address, err)
	}
	data, err := io.ReadAll(io.LimitReader(body, most+1))
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("fetch %s: %w", address, err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%s is larger than %d MiB", address, most>>20)
	}
	return data, nil
}

// canonicalJSON sorts keys and puts no spaces.
func canonicalJSON(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSpace(b.String())), nil
}
