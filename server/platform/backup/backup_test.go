package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/backup"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

// world is a small installation with something in every part of it.
type world struct {
	t      *testing.T
	dir    string
	db     *database.DB
	box    *secrets.Box
	store  *blobs.Store
	source backup.Source
}

var folders = []backup.Folder{{Path: "node-id"}, {Path: "spool"}, {Path: "builds", Early: true, Skip: []string{".index"}}, {Path: "lines", Steady: "manifest", Skip: []string{"/lock"}}}

func setup(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "data"), db: databasetest.Open(t)}
	w.file("node-id", "n1")
	w.file("spool/1", "waits")
	w.file("builds/0/1.log", strings.Repeat("a line\n", 40_000))
	w.file("builds/0/1.index", "made again")
	w.file("lines/manifest", "one")
	w.file("lines/lock", "")
	w.file("lines/segments/1.parquet", "columns")
	var err error
	if w.box, _, err = secrets.OpenBox(filepath.Join(w.dir, "secrets.key")); err != nil {
		t.Fatal(err)
	}
	disk, err := blobs.NewDisk(filepath.Join(w.dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	if w.store, err = blobs.New(blobs.Deps{DB: w.db, Backend: disk, Spool: filepath.Join(w.dir, "tmp"), Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	w.exec("INSERT INTO accounts_teams (name, created_at) VALUES ('web', 1)")
	w.exec("INSERT INTO accounts_users (name, password_hash, created_at) VALUES ('ann', ?, 1)", "tab\there, newline\nand \\N")
	ref, err := w.store.Put(t.Context(), 1, strings.NewReader("an artifact"), 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.Own(t.Context(), 1, ref.SHA256, "test", "1"); err != nil {
		t.Fatal(err)
	}
	w.source = backup.Source{DB: w.db, Box: w.box, Dir: w.dir, Folders: folders, Blobs: disk, Kind: backup.Everything, Program: "1.0", Node: "n1",
		NewID: func() string { return "id" }, Now: time.Now}
	return w
}

func (w *world) file(name, content string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if err := w.db.Writer(w.t.Context()).Exec(sql, args...).Error; err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) make() (path string, made backup.Result) {
	w.t.Helper()
	path = filepath.Join(w.t.TempDir(), "one.sbx")
	made, err := backup.Make(w.t.Context(), w.source, path)
	if err != nil {
		w.t.Fatal(err)
	}
	return path, made
}

// target is an empty place, on the dialect of the world.
func (w *world) target() backup.Target {
	w.t.Helper()
	dir := filepath.Join(w.t.TempDir(), "back")
	t := backup.Target{Box: w.box, Dir: dir, Database: filepath.Join(dir, database.SnapshotFile), Now: time.Now, Ignore: []string{"secrets.key"},
		Open: func(ctx context.Context, address string) (*database.DB, error) {
			return database.Open(ctx, address, slog.New(slog.DiscardHandler))
		}}
	var err error
	if t.Newest, err = w.db.Dialect.Newest(); err != nil {
		w.t.Fatal(err)
	}
	if w.db.Dialect == database.Postgres {
		address, drop, err := w.db.ScratchSchema(w.t.Context(), fmt.Sprintf("back%d", time.Now().UnixNano()))
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { drop(context.WithoutCancel(w.t.Context())) })
		t.Database = address
	}
	return t
}

func content(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestBackupComesBackWhole(t *testing.T) {
	t.Parallel()
	w := setup(t)
	path, made := w.make()
	if made.Manifest.Tables["accounts_users"] != 1 || made.Size == 0 || len(made.Manifest.Missing) != 0 {
		t.Errorf("%+v", made)
	}
	if raw := content(t, path); strings.Contains(raw, "a line") || strings.Contains(raw, "ann") {
		t.Error("the archive can be read without the key")
	}
	target := w.target()
	back, err := backup.Restore(t.Context(), path, target)
	if err != nil {
		t.Fatal(err)
	}
	if back.Header.Node != "n1" || back.Rows["accounts_teams"] != 2 && back.Rows["accounts_teams"] != 1 {
		t.Errorf("%+v", back)
	}
	for name, want := range map[string]string{"node-id": "n1", "spool/1": "waits", "builds/0/1.log": strings.Repeat("a line\n", 40_000), "lines/manifest": "one", "lines/segments/1.parquet": "columns"} {
		if got := content(t, filepath.Join(target.Dir, name)); got != want {
			t.Errorf("%s: %.40q", name, got)
		}
	}
	for _, name := range []string{"builds/0/1.index", "lines/lock", "secrets.key"} {
		if _, err := os.Stat(filepath.Join(target.Dir, name)); err == nil {
			t.Errorf("%s is in the backup", name)
		}
	}
	db, err := target.Open(t.Context(), target.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var hash string
	if err := db.Reader(t.Context()).Raw("SELECT password_hash FROM accounts_users WHERE name = 'ann'").Scan(&hash).Error; err != nil || hash != "tab\there, newline\nand \\N" {
		t.Errorf("%q %v", hash, err)
	}
	// What is new gets ids behind the old ones, and its keys are watched.
	if err := db.Writer(t.Context()).Exec("INSERT INTO accounts_teams (name, created_at) VALUES ('new', 1)").Error; err != nil {
		t.Error(err)
	}
	if err := db.Writer(t.Context()).Exec("INSERT INTO accounts_members (team_id, user_id, role) VALUES (999, 999, 'owner')").Error; err == nil {
		t.Error("the foreign keys did not come back")
	}
	disk, err := blobs.NewDisk(filepath.Join(target.Dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	restored, err := blobs.New(blobs.Deps{DB: db, Backend: disk, Spool: t.TempDir(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range made.Manifest.Parts {
		if sha, ok := strings.CutPrefix(p.Name, "blobs/"); ok {
			r, _, err := restored.Open(t.Context(), 1, filepath.Base(sha))
			if err != nil {
				t.Fatal(err)
			}
			if raw, err := io.ReadAll(r); err != nil || string(raw) != "an artifact" {
				t.Errorf("%q %v", raw, err)
			}
			r.Close()
		}
	}
	if _, err := backup.Restore(t.Context(), path, target); err == nil || !strings.Contains(err.Error(), "not empty") && !strings.Contains(err.Error(), "there already") {
		t.Errorf("restored over something: %v", err)
	}
}

// TestDamageIsNamed flips bytes all over an archive: each is refused by the part it is in,
// and nothing reaches the target.
func TestDamageIsNamed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	path, made := w.make()
	whole := []byte(content(t, path))
	named := map[string]bool{}
	for at := bytes.IndexByte(whole[20:], '\n') + 21; at < len(whole); at += max(1, len(whole)/150) {
		broken := bytes.Clone(whole)
		broken[at] ^= 0x40
		bad := filepath.Join(t.TempDir(), "bad.sbx")
		if err := os.WriteFile(bad, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := backup.Verify(bad, w.box)
		var damaged *backup.DamagedError
		if !errors.As(err, &damaged) || !strings.Contains(err.Error(), strings.TrimPrefix(damaged.Part, "after ")) {
			t.Fatalf("byte %d: %v", at, err)
		}
		named[damaged.Part] = true
	}
	known := 0
	for _, p := range made.Manifest.Parts {
		if named[p.Name] {
			known++
		}
	}
	if known == 0 {
		t.Errorf("no part was named: %v", named)
	}
	for _, cut := range []int{30, len(whole) / 2, len(whole) - 1} {
		bad := filepath.Join(t.TempDir(), "cut.sbx")
		if err := os.WriteFile(bad, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		target := w.target()
		if _, err := backup.Restore(t.Context(), bad, target); err == nil {
			t.Fatalf("an archive cut at %d was restored", cut)
		}
		if left, err := os.ReadDir(target.Dir); err == nil && len(left) > 0 {
			t.Errorf("a refused archive left %v", left)
		}
	}
	if _, err := backup.Verify(filepath.Join(w.dir, "node-id"), w.box); err == nil || !strings.Contains(err.Error(), "no archive") {
		t.Error(err)
	}
	more := filepath.Join(t.TempDir(), "more.sbx")
	if err := os.WriteFile(more, append(bytes.Clone(whole), 0), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Verify(more, w.box); err == nil {
		t.Error("something behind the end was taken")
	}
}

func TestOtherKeyIsNamed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	path, made := w.make()
	other, _, err := secrets.OpenBox(filepath.Join(t.TempDir(), "other.key"))
	if err != nil {
		t.Fatal(err)
	}
	var missing *backup.KeyError
	if _, err := backup.Verify(path, other); !errors.As(err, &missing) || missing.Key != secrets.KeyID(made.Header.Key) || !strings.Contains(err.Error(), "put the key file") {
		t.Errorf("%v", err)
	}
	// A rotated key file keeps the old key.
	if err := secrets.AddKey(filepath.Join(w.dir, "secrets.key")); err != nil {
		t.Fatal(err)
	}
	rotated, _, err := secrets.OpenBox(filepath.Join(w.dir, "secrets.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Verify(path, rotated); err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := setup(t)
	path, _ := w.make()
	newer := w.target()
	newer.Newest = 3
	if _, err := backup.Restore(t.Context(), path, newer); err == nil || !strings.Contains(err.Error(), "version 1.0 or a newer one") {
		t.Error(err)
	}
	used := w.target()
	if err := os.MkdirAll(filepath.Join(used.Dir, "blobs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Restore(t.Context(), path, used); err == nil || !strings.Contains(err.Error(), "it has blobs") {
		t.Error(err)
	}
	if _, err := backup.Make(t.Context(), w.source, path); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Error(err)
	}
}

// TestUnfinishedIsNoArchive stops a backup in its middle, by a blob that cannot be read.
func TestUnfinishedIsNoArchive(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.source.Blobs = brokenBlobs{}
	path := filepath.Join(t.TempDir(), "one.sbx")
	if _, err := backup.Make(t.Context(), w.source, path); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
	if left, err := filepath.Glob(filepath.Join(w.dir, ".backup-*")); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
	w.source.Blobs = missingBlobs{}
	if made, err := backup.Make(t.Context(), w.source, path); err != nil || len(made.Manifest.Missing) != 1 {
		t.Errorf("%+v %v", made.Manifest.Missing, err)
	}
}

type brokenBlobs struct{ blobs.Backend }

func (brokenBlobs) Open(context.Context, string) (io.ReadCloser, error) {
	return nil, errors.New("the disk is gone")
}

type missingBlobs struct{ blobs.Backend }

func (missingBlobs) Open(context.Context, string) (io.ReadCloser, error) {
	return nil, blobs.ErrMissing
}

// TestBackupWhileWritten: rows and the files that belong to them are written all the time,
// files are merged and removed; what comes back fits together.
func TestBackupWhileWritten(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended, begun := make(chan error, 1), make(chan struct{})
	go func() { ended <- w.churn(ctx, begun) }()
	<-begun
	path, _ := w.make()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	target := w.target()
	back, err := backup.Restore(t.Context(), path, target)
	if err != nil {
		t.Fatal(err)
	}
	manifest := content(t, filepath.Join(target.Dir, "lines/manifest"))
	if _, err := os.Stat(filepath.Join(target.Dir, "lines/segments", manifest+".parquet")); manifest != "one" && err != nil {
		t.Errorf("the manifest names %s, which did not come along: %v", manifest, err)
	}
	if back.Rows["accounts_tokens"] < 1 {
		t.Errorf("%d rows", back.Rows["accounts_tokens"])
	}
}

func (w *world) churn(ctx context.Context, begun chan struct{}) error {
	last := ""
	for n := 1; ctx.Err() == nil; n++ {
		name := fmt.Sprintf("s%d", n)
		for path, text := range map[string]string{"lines/segments/" + name + ".parquet": name, "lines/manifest.new": name} {
			if err := os.WriteFile(filepath.Join(w.dir, path), []byte(text), 0o600); err != nil {
				return err
			}
		}
		if err := os.Rename(filepath.Join(w.dir, "lines/manifest.new"), filepath.Join(w.dir, "lines/manifest")); err != nil {
			return err
		}
		if last != "" {
			if err := os.Remove(filepath.Join(w.dir, "lines/segments", last+".parquet")); err != nil {
				return err
			}
		}
		last = name
		if err := w.db.Writer(context.WithoutCancel(ctx)).Exec("INSERT INTO accounts_tokens (id, hash, user_id, name, scopes, created_at) SELECT ?, ?, id, 'x', '*', 1 FROM accounts_users LIMIT 1", name, name).Error; err != nil {
			return err
		}
		if n == 3 {
			close(begun)
		}
		// The log store merges a few times a second at most.
		select {
		case <-ctx.Done():
		case <-time.After(3 * time.Millisecond):
		}
	}
	return nil
}

// FuzzVerify reads what is no archive of ours, and never more than it says.
func FuzzVerify(f *testing.F) {
	box, _, err := secrets.OpenBox(filepath.Join(f.TempDir(), "secrets.key"))
	if err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(f.TempDir(), "one.sbx")
	out, err := backup.Create(path, backup.Header{ID: "a", Kind: backup.Everything}, box)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := out.Add(backup.PartHead{Name: "files/x", Size: -1, Zstd: true}, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err }); err != nil {
		f.Fatal(err)
	}
	if _, _, err := out.Finish(backup.Manifest{}, time.Unix(1, 0)); err != nil {
		f.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(raw[:len(raw)-5])
	f.Add([]byte("signalbox-backup 1\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Verify(path, box); err == nil && !bytes.Equal(data, raw) {
			t.Error("another archive was taken")
		}
	})
}
