package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/backup"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/system"
)

// saved is what of the data folder belongs into a backup. Containers, caches and images
// are made again; ci/bundles and the spool hold what is under way.
var saved = []backup.Folder{
	{Path: "node-id"},
	{Path: "issues/spool"},
	{Path: "ci/logs", Early: true, Skip: []string{".index"}},
	{Path: "logs", Steady: "manifest", Skip: []string{"/lock", ".tmp"}},
}

// installation is what the server and the commands know of it alike.
type installation struct {
	config config.Config
	db     *database.DB
	box    *secrets.Box
	log    *slog.Logger
}

// blobBackend is where blobs lie.
func blobBackend(cfg config.Config) (blobs.Backend, error) {
	b := cfg.Blobs
	if b.S3Endpoint == "" {
		return blobs.NewDisk(blobFolder(cfg))
	}
	return blobs.NewS3(blobs.S3Options{Endpoint: b.S3Endpoint, Bucket: b.S3Bucket, Region: b.S3Region, AccessKey: b.S3AccessKey, SecretKey: b.S3SecretKey})
}

// source is this installation as something to save.
func (i installation) source(kind string) (backup.Source, error) {
	backend, err := blobBackend(i.config)
	if err != nil {
		return backup.Source{}, err
	}
	return backup.Source{DB: i.db, Box: i.box, Dir: i.config.DataDir, Folders: saved, Blobs: backend, Kind: kind, Program: Version, Node: i.node(), NewID: randomID, Now: now}, nil
}

// node is this server's name, empty before its first start.
func (i installation) node() string {
	raw, err := os.ReadFile(filepath.Join(i.config.DataDir, "node-id"))
	if err != nil {
		return "" // the first start makes it
	}
	return string(raw)
}

// target is where this configuration wants an archive restored to.
func (i installation) target() (backup.Target, error) {
	cfg := i.config
	t := backup.Target{Box: i.box, Dir: cfg.DataDir, Database: cfg.Database.URL, Now: now, Ignore: []string{"backups"},
		Open: func(ctx context.Context, address string) (*database.DB, error) {
			return database.Open(ctx, address, i.log)
		}}
	if rel, err := filepath.Rel(cfg.DataDir, cfg.Secrets.KeyFile); err == nil && filepath.IsLocal(rel) {
		t.Ignore = append(t.Ignore, strings.Split(rel, string(os.PathSeparator))[0])
	}
	dialect := database.SQLite
	if strings.HasPrefix(t.Database, "postgres") {
		dialect = database.Postgres
	}
	var err error
	if t.Newest, err = dialect.Newest(); err != nil {
		return t, err
	}
	if cfg.Blobs.S3Endpoint != "" {
		t.Blobs, err = blobBackend(cfg)
	}
	return t, err
}

// backups assembles what makes, keeps and rehearses backups of it.
func (i installation) backups(audit func(ctx context.Context, team int64, action, object, detail string) error) (*system.Backups, error) {
	cfg := i.config.Backup
	d := system.BackupDeps{DB: i.db, Now: now, NewID: randomID, Log: i.log, Audit: audit, Node: i.node(), Folder: cfg.Folder, KeyFile: i.config.Secrets.KeyFile,
		Source: i.source, Target: i.target, Inspect: i.inspect,
		Settings: system.BackupSettings{EveryHours: cfg.EveryHours, AtMinute: cfg.AtMinute(), Keep: cfg.Keep, Rehearse: cfg.Rehearse}}
	if cfg.S3Endpoint != "" {
		remote, err := blobs.NewS3(blobs.S3Options{Endpoint: cfg.S3Endpoint, Bucket: cfg.S3Bucket, Region: cfg.S3Region, AccessKey: cfg.S3AccessKey, SecretKey: cfg.S3SecretKey, Prefix: cfg.S3Prefix})
		if err != nil {
			return nil, fmt.Errorf("backup.s3_endpoint: %w", err)
		}
		d.Remote, d.RemoteName = remote, fmt.Sprintf("%s/%s/%s", strings.TrimRight(cfg.S3Endpoint, "/"), cfg.S3Bucket, cfg.S3Prefix)
	}
	return system.NewBackups(d), nil
}

// inspect opens every part of an installation that was restored for a try.
func (i installation) inspect(ctx context.Context, dir string, db *database.DB) (steps []system.RehearsalStep, err error) {
	note := func(name string, fn func() (string, error)) {
		if err != nil {
			return
		}
		start := now()
		var detail string
		if detail, err = fn(); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
			return
		}
		steps = append(steps, system.RehearsalStep{Name: name, Detail: detail, TookMS: now().Sub(start).Milliseconds()})
	}
	note("secrets", func() (string, error) {
		n, err := secrets.Unreadable(ctx, db, i.box, SealedColumns())
		if err == nil && n > 0 {
			err = fmt.Errorf("the key file lacks the keys of %d of them", n)
		}
		return "The key file opens every one.", err
	})
	note("log lines", func() (string, error) { return inspectLines(ctx, filepath.Join(dir, "logs"), i.log) })
	return steps, err
}

// inspectLines opens the store of log lines, which checks its files, and counts.
func inspectLines(ctx context.Context, dir string, log *slog.Logger) (string, error) {
	lines, err := store.Open(context.WithoutCancel(ctx), store.Options{Dir: dir, Memory: 64 << 20, MinFree: 1, Now: now, Log: log, NoMerge: true})
	if err != nil {
		return "", err
	}
	var total, segments int64
	for _, s := range lines.Sizes(0) {
		total, segments = total+s.Lines, segments+int64(s.Segments)
	}
	damaged := lines.Damaged()
	if err := lines.Close(); err != nil {
		return "", err
	}
	if len(damaged) > 0 {
		return "", fmt.Errorf("%d places are damaged, the first %s: %s", len(damaged), damaged[0].File, damaged[0].Detail)
	}
	return fmt.Sprintf("%d lines in %d segments and the write-ahead log, none damaged.", total, segments), nil
}

// migrateSaving migrates a database, and saves it before, unless nobody wants that. saved
// is the archive, empty when there was nothing to migrate.
func (i installation) migrateSaving(ctx context.Context) (applied []string, archive string, made backup.Result, err error) {
	applied, err = i.db.MigrateAfter(ctx, func(plan database.Plan) error {
		if !i.config.Backup.BeforeMigration {
			return nil
		}
		if i.box == nil {
			if i.box, _, err = secrets.OpenBox(i.config.Secrets.KeyFile); err != nil {
				return err
			}
		}
		source, err := i.source(backup.DatabaseOnly)
		if err != nil {
			return err
		}
		path := filepath.Join(i.config.Backup.Folder, system.ArchiveName(now(), system.ByMigration, randomID()))
		if made, err = backup.Make(ctx, source, path); err != nil {
			return fmt.Errorf("nothing was migrated, because the database could not be saved before (backup.before_migration: false goes on without): %w", err)
		}
		archive = path
		i.log.Info("saved the database before migrating it", "archive", path, "bytes", made.Size, "took", made.Took.String(), "migrations", len(plan.Pending))
		return nil
	})
	return applied, archive, made, err
}

// migrate brings the database up to date for the server.
func (a *App) migrate(ctx context.Context) error {
	_, archive, made, err := a.installation().migrateSaving(ctx)
	a.premigration = func(ctx context.Context) error {
		if archive == "" {
			return nil
		}
		return a.backups.RecordMigration(ctx, archive, made)
	}
	return err
}

func (a *App) installation() installation {
	return installation{a.config, a.db, a.box, a.log}
}

// wireBackups comes after accounts, which keeps the audit log.
func (a *App) wireBackups(ctx context.Context) (err error) {
	if a.backups, err = a.installation().backups(a.audit); err != nil {
		return errUsage{err}
	}
	a.backups.Register(a.jobs)
	return a.premigration(ctx)
}

// existingBox opens the key file, which must be there: a new one would be of no use.
func existingBox(cfg config.Config, why string) (*secrets.Box, error) {
	if _, err := os.Stat(cfg.Secrets.KeyFile); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no key file %s; %s", cfg.Secrets.KeyFile, why)
	}
	box, _, err := secrets.OpenBox(cfg.Secrets.KeyFile)
	return box, err
}
