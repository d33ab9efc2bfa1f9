package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

// Target is where an archive is restored to.
type Target struct {
	Box *secrets.Box
	// Dir is the data folder, which must be empty but for the key file and Ignore.
	Dir    string
	Ignore []string
	// Database is its address; a PostgreSQL database must be empty.
	Database string
	// Open opens it.
	Open func(ctx context.Context, address string) (*database.DB, error)
	// Blobs keeps the blobs; nil puts them into the data folder.
	Blobs blobs.Backend
	// Newest is the number of this program's last migration.
	Newest int64
	Now    func() time.Time
}

// Restored is what came back.
type Restored struct {
	Header   Header
	Manifest Manifest
	// Rows counts what was loaded, by table.
	Rows map[string]int64
	Took time.Duration
}

const restorePrefix = ".restore-"

// Restore puts an archive back, all of it or nothing: whatever of it is damaged or
// missing leaves the target as it was.
func Restore(ctx context.Context, archive string, t Target) (Restored, error) {
	start := t.Now()
	in, err := Open(archive, t.Box)
	if err != nil {
		return Restored{}, err
	}
	defer in.Close() // it was only read
	r := &restorer{Target: t, in: in, rows: map[string]int64{}}
	if err := r.refuse(ctx); err != nil {
		return Restored{}, err
	}
	sweep(filepath.Join(t.Dir, restorePrefix+"*"), start)
	if r.scratch, err = os.MkdirTemp(t.Dir, restorePrefix); err != nil {
		return Restored{}, fmt.Errorf("make a folder to restore into: %w", err)
	}
	defer os.RemoveAll(r.scratch) // the next attempt removes what stays
	if err := r.run(ctx); err != nil {
		return Restored{}, errors.Join(err, r.close(ctx))
	}
	return Restored{Header: in.Header, Manifest: in.Manifest, Rows: r.rows, Took: t.Now().Sub(start)}, nil
}

type restorer struct {
	Target
	in      *Reader
	scratch string
	rows    map[string]int64
	db      *database.DB   // PostgreSQL only
	load    *database.Load // PostgreSQL only
	blobs   blobs.Backend
}

// refuse says why the archive does not fit the target.
func (r *restorer) refuse(ctx context.Context) error {
	h := r.in.Header
	postgres := strings.HasPrefix(r.Database, "postgres://") || strings.HasPrefix(r.Database, "postgresql://")
	switch {
	case h.Schema > r.Newest:
		return fmt.Errorf("the archive has the schema %d and this program knows %d at most; restore it with version %s or a newer one", h.Schema, r.Newest, h.Program)
	case h.Dialect == string(database.Postgres) && !postgres:
		return errors.New("the archive is of a PostgreSQL database; name an empty one as database.url")
	case h.Dialect == string(database.SQLite) && postgres:
		return errors.New("the archive is of a SQLite database; leave database.url empty")
	}
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if err := r.refuseFolder(h.Kind); err != nil {
		return err
	}
	if !postgres {
		return nil
	}
	db, err := r.Open(ctx, r.Database)
	if err != nil {
		return err
	}
	r.db = db
	empty, err := db.Empty(ctx)
	if err == nil && !empty {
		err = errors.New("the PostgreSQL database is not empty; name one that is as database.url")
	}
	if err != nil {
		return errors.Join(err, r.close(ctx))
	}
	return nil
}

func (r *restorer) refuseFolder(kind string) error {
	file := r.databaseFile()
	if file != "" {
		if _, err := os.Stat(file); err == nil {
			return fmt.Errorf("%s is there already; move it away (with its -wal and -shm), or restore into an empty folder", file)
		}
	}
	if kind == DatabaseOnly {
		return nil // the rest stays as it is
	}
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return fmt.Errorf("read the data folder: %w", err)
	}
	var there []string
	for _, e := range entries {
		if !slices.Contains(r.Ignore, e.Name()) && !strings.HasPrefix(e.Name(), restorePrefix) && e.Name() != "lost+found" {
			there = append(there, e.Name())
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("the data folder %s is not empty: it has %s; restore into an empty one", r.Dir, strings.Join(there, ", "))
	}
	return nil
}

// databaseFile is where SQLite's file goes; empty for PostgreSQL.
func (r *restorer) databaseFile() string {
	if r.in.Header.Dialect == string(database.Postgres) {
		return ""
	}
	return strings.TrimPrefix(r.Database, "sqlite:")
}

func (r *restorer) run(ctx context.Context) (err error) {
	if r.db != nil {
		if r.load, err = r.db.BeginLoad(ctx, r.in.Header.Schema); err != nil {
			return err
		}
	}
	if r.blobs = r.Blobs; r.blobs == nil {
		if r.blobs, err = blobs.NewDisk(filepath.Join(r.scratch, "blobs")); err != nil {
			return err
		}
	}
	for {
		head, content, err := r.in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := r.put(ctx, head, content); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if err := r.compare(ctx); err != nil {
		return err
	}
	if r.load != nil {
		load := r.load
		r.load = nil
		if err := load.Commit(ctx, r.in.Manifest.Sequences); err != nil {
			return err
		}
	}
	return errors.Join(r.settle(), r.close(ctx))
}

// put brings one part to its place below the scratch folder, or into the database.
func (r *restorer) put(ctx context.Context, head PartHead, content io.Reader) error {
	kind, name, _ := strings.Cut(head.Name, "/")
	if !filepath.IsLocal(name) {
		return &DamagedError{head.Name, "its name leads out of the data folder"}
	}
	switch {
	case kind == "database" && r.load != nil:
		from := &remembering{Reader: content}
		n, err := r.load.Table(ctx, database.SnapshotPart{Name: name, Columns: head.Columns}, from)
		r.rows[name] = n
		if from.failed != nil {
			return from.failed // PostgreSQL hands back only the words of it
		}
		if err != nil {
			return fmt.Errorf("load the table %s: %w", name, err)
		}
		return nil
	case kind == "database" && name == database.SnapshotFile:
		return writeFile(filepath.Join(r.scratch, "database"), content)
	case kind == "files":
		return writeFile(filepath.Join(r.scratch, "files", filepath.FromSlash(name)), content)
	case kind == "blobs":
		if err := r.blobs.Put(ctx, name, content, head.Size); err != nil {
			return fmt.Errorf("put back %s: %w", head.Name, err)
		}
		return nil
	}
	return fmt.Errorf("the archive has a part %s, which this program does not know; it is of version %s", head.Name, r.in.Header.Program)
}

// remembering keeps the error that its reader got.
type remembering struct {
	io.Reader
	failed error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.failed = err
	}
	return n, err
}

func writeFile(path string, content io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Sync(), f.Close())
}

// compare counts the rows of what was restored and holds them against the manifest.
func (r *restorer) compare(ctx context.Context) error {
	if r.databaseFile() != "" {
		rows, err := database.CountFile(ctx, filepath.Join(r.scratch, "database"))
		if err != nil {
			return &DamagedError{"database/" + database.SnapshotFile, err.Error()}
		}
		r.rows = rows
	}
	for table, want := range r.in.Manifest.Tables {
		if got := r.rows[table]; got != want {
			return &DamagedError{"database/" + table, fmt.Sprintf("%d rows came back of %d", got, want)}
		}
	}
	return nil
}

// settle gives everything its name; the database comes last, since by it one sees that a
// folder is in use.
func (r *restorer) settle() error {
	moves := [][2]string{}
	if r.Blobs == nil && r.in.Header.Kind == Everything {
		moves = append(moves, [2]string{filepath.Join(r.scratch, "blobs"), filepath.Join(r.Dir, "blobs")})
	}
	entries, err := os.ReadDir(filepath.Join(r.scratch, "files"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		moves = append(moves, [2]string{filepath.Join(r.scratch, "files", e.Name()), filepath.Join(r.Dir, e.Name())})
	}
	if file := r.databaseFile(); file != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		moves = append(moves, [2]string{filepath.Join(r.scratch, "database"), file})
	}
	for _, m := range moves {
		if err := move(m[0], m[1]); err != nil {
			return fmt.Errorf("put %s in its place: %w", filepath.Base(m[1]), err)
		}
	}
	return syncFolder(r.Dir)
}

// move renames, or copies where a database lies on another disk than the data folder.
func move(from, to string) error {
	err := os.Rename(from, to)
	if err == nil {
		return nil
	}
	if info, statErr := os.Stat(from); statErr != nil || info.IsDir() {
		return err
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := writeFile(to+partial, f); err != nil {
		return err
	}
	return os.Rename(to+partial, to)
}

// close gives up what was not committed, and lets go of the database.
func (r *restorer) close(ctx context.Context) (err error) {
	if r.load != nil {
		err = r.load.Rollback(ctx)
		r.load = nil
	}
	if r.db != nil {
		err = errors.Join(err, r.db.Close())
		r.db = nil
	}
	return err
}
