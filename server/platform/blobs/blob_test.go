package blobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type bundle struct {
	*Store
	db   *database.DB
	now  time.Time
	root string
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{db: databasetest.Open(t), now: time.UnixMilli(1_800_000_000_000), root: filepath.Join(t.TempDir(), "blobs")}
	for _, name := range []string{"main", "other"} {
		if err := b.db.Writer(t.Context()).Exec("INSERT INTO accounts_teams (name, created_at) VALUES (?, 0)", name).Error; err != nil {
			t.Fatal(err)
		}
	}
	disk, err := NewDisk(b.root)
	if err != nil {
		t.Fatal(err)
	}
	if b.Store, err = New(Deps{DB: b.db, Backend: disk, Spool: filepath.Join(t.TempDir(), "spool"), Now: func() time.Time { return b.now }}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bundle) put(t *testing.T, team int64, text string) Ref {
	t.Helper()
	ref, err := b.Put(t.Context(), team, strings.NewReader(text), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func (b *bundle) read(t *testing.T, team int64, sha string) (string, error) {
	t.Helper()
	content, ref, err := b.Open(t.Context(), team, sha)
	if err != nil {
		return "", err
	}
	defer content.Close()
	text, err := io.ReadAll(content)
	if int64(len(text)) != ref.Size {
		t.Errorf("%d bytes, size %d", len(text), ref.Size)
	}
	return string(text), err
}

func (b *bundle) collect(t *testing.T, want int) {
	t.Helper()
	if n, err := b.Collect(t.Context()); n != want || err != nil {
		t.Errorf("collected %d, %v; want %d", n, err, want)
	}
}

func (b *bundle) files(t *testing.T) int {
	t.Helper()
	n := 0
	for _, root := range []string{b.root, b.deps.Spool} {
		err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				n++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestLifeOfABlob(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.put(t, 1, "hello")
	if sum := sha256.Sum256([]byte("hello")); ref.SHA256 != hex.EncodeToString(sum[:]) || ref.Size != 5 {
		t.Fatalf("%+v", ref)
	}
	if _, err := b.read(t, 1, ref.SHA256); !problem.Is(err, problem.NotFound) {
		t.Errorf("reading what nobody owns: %v", err)
	}
	for _, owner := range []string{"1", "2", "2"} {
		if err := b.Own(t.Context(), 1, ref.SHA256, "build", owner); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := b.read(t, 1, ref.SHA256); text != "hello" || err != nil {
		t.Errorf("%q %v", text, err)
	}
	if _, err := b.read(t, 2, ref.SHA256); !problem.Is(err, problem.NotFound) {
		t.Errorf("another team reads it: %v", err)
	}
	b.now = b.now.Add(24 * time.Hour)
	b.collect(t, 0)
	for _, owner := range []string{"1", "2"} {
		if err := b.Disown(t.Context(), 1, ref.SHA256, "build", owner); err != nil {
			t.Fatal(err)
		}
	}
	b.collect(t, 0) // the hour begins now
	b.now = b.now.Add(grace + time.Second)
	b.collect(t, 1)
	if b.files(t) != 0 {
		t.Error("files are left")
	}
	if err := b.Own(t.Context(), 1, ref.SHA256, "build", "1"); !problem.Is(err, problem.NotFound) {
		t.Errorf("owning what is gone: %v", err)
	}
}

func TestTeamsAreApart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := b.put(t, 1, "same"), b.put(t, 2, "same")
	if one != two || b.files(t) != 2 {
		t.Errorf("%v %v, %d files", one, two, b.files(t))
	}
	if err := b.Own(t.Context(), 1, one.SHA256, "k", "o"); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(2 * grace)
	b.collect(t, 1)
	if text, err := b.read(t, 1, one.SHA256); text != "same" || err != nil {
		t.Errorf("%q %v", text, err)
	}
	if n, err := b.Usage(t.Context(), 1); n != 4 || err != nil {
		t.Error(n, err)
	}
	if err := b.db.Writer(t.Context()).Exec("DELETE FROM accounts_teams WHERE id = 1").Error; err != nil {
		t.Fatal(err)
	}
	b.collect(t, 1)
	if b.files(t) != 0 {
		t.Error("a deleted team's files are left")
	}
}

func TestPutAgainKeepsItAnHour(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.put(t, 1, "x")
	b.now = b.now.Add(grace - time.Second)
	b.put(t, 1, "x")
	b.now = b.now.Add(grace - time.Second)
	b.collect(t, 0)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for size, want := range map[int]bool{0: true, 9: true, 10: true, 11: false, 100: false} {
		_, err := b.Put(t.Context(), 1, bytes.NewReader(make([]byte, size)), 10)
		if (err == nil) != want || err != nil && !problem.Is(err, problem.TooLarge) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	broken := errors.New("broken")
	if _, err := b.Put(t.Context(), 1, iotest.ErrReader(broken), 10); !errors.Is(err, broken) {
		t.Errorf("a broken reader: %v", err)
	}
	for _, sha := range []string{"", "..", "../../etc/passwd", strings.Repeat("A", 64), strings.Repeat("z", 64)} {
		if _, err := b.read(t, 1, sha); !problem.Is(err, problem.NotFound) {
			t.Errorf("open %q: %v", sha, err)
		}
	}
	if left, _ := os.ReadDir(b.deps.Spool); len(left) != 0 {
		t.Errorf("%d files stay in the spool", len(left))
	}
}

type failing struct {
	Backend
	err error
}

func (f failing) Put(context.Context, string, io.Reader, int64) error { return f.err }
func (f failing) Delete(context.Context, string) error                { return f.err }

func TestDiskFull(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deps.Backend = failing{b.deps.Backend, &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}}
	_, err := b.Put(t.Context(), 1, strings.NewReader("x"), 10)
	if !problem.Is(err, problem.Unavailable) || problem.From(err).RetryAfter == 0 {
		t.Errorf("got %v", err)
	}
}

func TestCollectKeepsRowsOfBytesThatStay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.put(t, 1, "x")
	b.now = b.now.Add(2 * grace)
	good := b.deps.Backend
	b.deps.Backend = failing{good, errors.New("S3 is away")}
	if n, err := b.Collect(t.Context()); n != 0 && err == nil || err == nil {
		t.Errorf("%d %v", n, err)
	}
	b.deps.Backend = good
	b.collect(t, 1)
}

func TestStartEmptiesTheSpool(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := os.WriteFile(filepath.Join(b.deps.Spool, "put-123"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(b.deps); err != nil {
		t.Fatal(err)
	}
	if b.files(t) != 0 {
		t.Error("the file is still there")
	}
}

func TestPutsAndCollectionsTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				ref, err := b.Put(t.Context(), 1, strings.NewReader("contended"), 100)
				if err != nil {
					t.Error(err)
				}
				if err := b.Own(t.Context(), 1, ref.SHA256, "k", "o"); err != nil {
					t.Error(err)
				}
				if _, err := b.Collect(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	sum := sha256.Sum256([]byte("contended"))
	if text, err := b.read(t, 1, hex.EncodeToString(sum[:])); text != "contended" || err != nil {
		t.Errorf("%q %v", text, err)
	}
}

// fakeS3 is as much of S3 as a put, get and delete of one object needs.
func fakeS3(t *testing.T) *httptest.Server {
	t.Helper()
	var mu sync.Mutex
	objects := map[string][]byte{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, there := objects[r.URL.Path]
		switch r.Method {
		case http.MethodPut:
			raw, _ := io.ReadAll(r.Body)
			// Over plain HTTP the client signs in chunks: "size;chunk-signature=…\r\ndata\r\n".
			if _, rest, found := bytes.Cut(raw, []byte("\r\n")); found {
				raw, _, _ = bytes.Cut(rest, []byte("\r\n"))
			}
			objects[r.URL.Path] = raw
			w.Header().Set("ETag", `"e"`)
		case http.MethodDelete:
			delete(objects, r.URL.Path)
			w.WriteHeader(http.StatusNoContent)
		default:
			if !there {
				w.Header().Set("Content-Type", "application/xml")
				w.WriteHeader(http.StatusNotFound)
				io.WriteString(w, `<Error><Code>NoSuchKey</Code></Error>`)
				return
			}
			w.Header().Set("ETag", `"e"`)
			http.ServeContent(w, r, "", time.Unix(1, 0), bytes.NewReader(body))
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func TestS3(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s3, err := NewS3(S3Options{Endpoint: fakeS3(t).URL, Bucket: "bucket", Region: "r", AccessKey: "a", SecretKey: "s", Prefix: "p/"})
	if err != nil {
		t.Fatal(err)
	}
	b.deps.Backend = s3
	ref := b.put(t, 1, "in the cloud")
	if err := b.Own(t.Context(), 1, ref.SHA256, "k", "o"); err != nil {
		t.Fatal(err)
	}
	if text, err := b.read(t, 1, ref.SHA256); text != "in the cloud" || err != nil {
		t.Errorf("%q %v", text, err)
	}
	if err := s3.Delete(t.Context(), key(1, ref.SHA256)); err != nil {
		t.Error(err)
	}
	if _, err := s3.Open(t.Context(), key(1, ref.SHA256)); !errors.Is(err, ErrMissing) {
		t.Errorf("a missing object: %v", err)
	}
	for _, endpoint := range []string{"", "s3.example.com", "ftp://x", "://"} {
		if _, err := NewS3(S3Options{Endpoint: endpoint}); err == nil {
			t.Errorf("endpoint %q is taken", endpoint)
		}
	}
}
