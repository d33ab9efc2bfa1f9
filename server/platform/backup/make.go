package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

// Source is an installation that is to be saved; a server may be running on it.
type Source struct {
	DB  *database.DB
	Box *secrets.Box
	// Dir is the data folder; Folders are what is saved of it.
	Dir     string
	Folders []Folder
	Blobs   blobs.Backend
	// Kind is Everything or DatabaseOnly.
	Kind    string
	Program string
	Node    string
	NewID   func() string
	Now     func() time.Time
}

// Result is an archive that was made.
type Result struct {
	Header   Header
	Manifest Manifest
	// Size is the archive's own.
	Size int64
	Took time.Duration
}

// scratchPrefix begins the folders that hold what a backup froze.
const scratchPrefix = ".backup-"

// Make makes an archive at path.
func Make(ctx context.Context, s Source, to string) (Result, error) {
	start := s.Now()
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return Result{}, fmt.Errorf("make the data folder: %w", err)
	}
	sweep(filepath.Join(s.Dir, scratchPrefix+"*"), start)
	sweep(filepath.Join(filepath.Dir(to), "*"+partial), start)
	// In the data folder, because a second name needs the same disk.
	scratch, err := os.MkdirTemp(s.Dir, scratchPrefix)
	if err != nil {
		return Result{}, fmt.Errorf("make a folder for the backup: %w", err)
	}
	defer os.RemoveAll(scratch) // the next backup removes what stays
	m := &maker{Source: s, scratch: scratch}
	if err := m.freezeAll(ctx, true); err != nil {
		return Result{}, err
	}
	snapshot, err := s.DB.Snapshot(ctx, scratch)
	if err != nil {
		return Result{}, err
	}
	m.at = start                                                      // SQLite does not tell when its copy began; it was not before
	defer func() { _ = snapshot.Close(context.WithoutCancel(ctx)) }() // it was only read
	if err := m.freezeAll(ctx, false); err != nil {
		return Result{}, err
	}
	head := Header{ID: s.NewID(), Kind: s.Kind, Program: s.Program, Dialect: string(s.DB.Dialect), Schema: snapshot.Schema, Node: s.Node, At: m.at.UTC()}
	if m.out, err = Create(to, head, s.Box); err != nil {
		return Result{}, err
	}
	if err := m.fill(ctx, snapshot); err != nil {
		return Result{}, errors.Join(err, m.out.Abort())
	}
	manifest, size, err := m.out.Finish(m.manifest, s.Now())
	return Result{Header: m.out.Header, Manifest: manifest, Size: size, Took: s.Now().Sub(start)}, err
}

// leftAfter is how old something unfinished must be before it is removed: nobody makes a
// backup for as long.
const leftAfter = 24 * time.Hour

// sweep removes what a killed backup or restoration left behind. What does not let itself
// be removed is tried again next time.
func sweep(pattern string, now time.Time) {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return // only a bad pattern is an error
	}
	for _, p := range found {
		if info, err := os.Stat(p); err == nil && now.Sub(info.ModTime()) > leftAfter {
			_ = os.RemoveAll(p)
		}
	}
}

type maker struct {
	Source
	scratch  string
	at       time.Time
	out      *Writer
	manifest Manifest
}

func (m *maker) freezeAll(ctx context.Context, early bool) error {
	if m.Kind == DatabaseOnly {
		return nil
	}
	for _, f := range m.Folders {
		if f.Early && !early || f.Steady != "" && early {
			continue
		}
		if err := freeze(ctx, m.Dir, filepath.Join(m.scratch, "files"), f); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) fill(ctx context.Context, s *database.Snapshot) error {
	m.manifest = Manifest{Tables: s.Tables, Sequences: s.Sequences}
	for _, p := range s.Parts {
		head := PartHead{Name: "database/" + p.Name, Size: -1, Zstd: true, Columns: p.Columns}
		if _, err := m.out.Add(head, func(w io.Writer) error { return s.Write(ctx, p, w) }); err != nil {
			return err
		}
	}
	if m.Kind == DatabaseOnly {
		return nil
	}
	if err := m.addFiles(ctx); err != nil {
		return err
	}
	return s.Each(ctx, blobs.OwnedQuery, func(row []any) error {
		team, _ := row[0].(int64)
		size, _ := row[2].(int64)
		return m.addBlob(ctx, blobs.Key(team, fmt.Sprint(row[1])), size)
	})
}

func (m *maker) addFiles(ctx context.Context) error {
	root := filepath.Join(m.scratch, "files")
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		// Segments are compressed already.
		head := PartHead{Name: "files/" + filepath.ToSlash(rel), Size: -1, Zstd: !strings.HasSuffix(p, ".parquet")}
		_, err = m.out.Add(head, func(w io.Writer) error { return copyFile(w, p) })
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // there was none
	}
	return err
}

func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

func (m *maker) addBlob(ctx context.Context, key string, size int64) error {
	content, err := m.Blobs.Open(ctx, key)
	if errors.Is(err, blobs.ErrMissing) {
		m.manifest.Missing = append(m.manifest.Missing, key)
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the blob %s: %w", key, err)
	}
	defer content.Close()
	_, err = m.out.Add(PartHead{Name: path.Join("blobs", key), Size: size, Zstd: true}, func(w io.Writer) error {
		_, err := io.Copy(w, content)
		return err
	})
	return err
}
