package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	driver "modernc.org/sqlite"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Dialect is which database is behind a DB; the words name the migration folders.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// DB is an open state store.
type DB struct {
	// Dialect is for the few statements that differ.
	Dialect Dialect

	url            string
	writer, reader *gorm.DB
	bus            *bus
	// channel is PostgreSQL's for this installation's notifications.
	channel string
	log     *slog.Logger
}

// Open connects to url: "postgres://…", or "sqlite:PATH" (or a bare path).
// It does not migrate; call Migrate.
func Open(ctx context.Context, address string, log *slog.Logger) (*DB, error) {
	db := &DB{url: address, log: log, bus: newBus()}
	var err error
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		err = db.openPostgres(ctx)
	} else {
		err = db.openSQLite(ctx, strings.TrimPrefix(address, "sqlite:"))
	}
	if err != nil {
		return nil, err
	}
	return db, nil
}

func settings() *gorm.Config {
	return &gorm.Config{
		Logger: logger.New(discard{}, logger.Config{LogLevel: logger.Silent}),
		// Every multi-statement change opens its own transaction through Tx.
		SkipDefaultTransaction: true,
		// Not PrepareStmt: its lock is held while waiting for a connection, which the
		// transaction that holds the only one may need for its next statement.
	}
}

type discard struct{}

func (discard) Printf(string, ...any) {}

func (db *DB) openSQLite(ctx context.Context, path string) error {
	db.Dialect = SQLite
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the database: %w", err)
	}
	open := func(extra string, conns int) (*gorm.DB, error) {
		dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
			"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)" + extra
		g, err := gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: dsn}, settings())
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		pool, err := g.DB()
		if err != nil {
			return nil, err
		}
		pool.SetMaxOpenConns(conns)
		pool.SetMaxIdleConns(conns)
		return g, pool.PingContext(ctx)
	}
	var err error
	if db.writer, err = open("&_txlock=immediate", 1); err != nil {
		return err
	}
	db.reader, err = open("&_pragma=query_only(1)", 8)
	return err
}

func (db *DB) openPostgres(ctx context.Context) error {
	db.Dialect = Postgres
	g, err := gorm.Open(postgres.Open(db.url), settings())
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	pool, err := g.DB()
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(24)
	pool.SetMaxIdleConns(12)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	db.writer, db.reader = g, g
	if err := pool.PingContext(ctx); err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	var schema string
	if err := g.WithContext(ctx).Raw("SELECT current_schema()").Scan(&schema).Error; err != nil {
		return fmt.Errorf("ask PostgreSQL for the schema: %w", err)
	}
	db.channel = pgChannel + schema
	return db.bus.listenPostgres(ctx, db.url, db.channel, db.log)
}

// Close stops listening and closes the connections.
func (db *DB) Close() error {
	db.bus.close()
	var errs []error
	for _, g := range []*gorm.DB{db.writer, db.reader} {
		if pool, err := g.DB(); err == nil {
			errs = append(errs, pool.Close())
		}
		if db.Dialect == Postgres {
			break
		}
	}
	return errors.Join(errs...)
}

type txKey struct{}

type transaction struct {
	db     *DB
	handle *gorm.DB
	after  []func()
}

// Tx runs fn in a transaction carried by the context; a Tx inside a Tx joins it.
// It commits when fn returns nil, and then runs what AfterCommit collected.
func (db *DB) Tx(ctx context.Context, fn func(ctx context.Context) error) error {
	if t, ok := ctx.Value(txKey{}).(*transaction); ok && t.db == db {
		return fn(ctx)
	}
	t := &transaction{db: db}
	err := db.writer.WithContext(ctx).Transaction(func(g *gorm.DB) error {
		t.handle, t.after = g, nil
		return fn(context.WithValue(ctx, txKey{}, t))
	})
	if err != nil {
		return explainFull(err)
	}
	for _, f := range t.after {
		f()
	}
	return nil
}

// AfterCommit runs f once the context's transaction has committed; at once when there is none.
func (db *DB) AfterCommit(ctx context.Context, f func()) {
	if t, ok := ctx.Value(txKey{}).(*transaction); ok && t.db == db {
		t.after = append(t.after, f)
		return
	}
	f()
}

// Writer is the context's transaction, or the writing connection.
func (db *DB) Writer(ctx context.Context) *gorm.DB {
	if t, ok := ctx.Value(txKey{}).(*transaction); ok && t.db == db {
		return t.handle.WithContext(ctx)
	}
	return db.writer.WithContext(ctx)
}

// Reader is the context's transaction, so that it sees its own writes, or the reading pool.
func (db *DB) Reader(ctx context.Context) *gorm.DB {
	if t, ok := ctx.Value(txKey{}).(*transaction); ok && t.db == db {
		return t.handle.WithContext(ctx)
	}
	return db.reader.WithContext(ctx)
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	pool, err := db.reader.DB()
	if err != nil {
		return err
	}
	return pool.PingContext(ctx)
}

// IsDuplicate reports whether err is a violated unique key.
func IsDuplicate(err error) bool {
	var lite *driver.Error
	if errors.As(err, &lite) {
		return lite.Code() == 2067 || lite.Code() == 1555 // SQLITE_CONSTRAINT_UNIQUE, …_PRIMARYKEY
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}

// IsNotFound reports whether err is a row that does not exist.
func IsNotFound(err error) bool { return errors.Is(err, gorm.ErrRecordNotFound) }

// NotFound turns a missing row into a problem with that sentence and passes
// everything else on, a full disk explained.
func NotFound(err error, format string, args ...any) error {
	if IsNotFound(err) {
		return problem.New(problem.NotFound, format, args...)
	}
	return explainFull(err)
}

// explainFull makes a full disk an Unavailable problem: senders are told to come back.
func explainFull(err error) error {
	if !IsFull(err) || problem.Is(err, problem.Unavailable) {
		return err
	}
	p := problem.Wrap(err, problem.Unavailable, "The server's disk is full. Nothing was changed; free space and try again.")
	p.RetryAfter = 30
	return p
}

// IsFull reports whether err means that the disk is full.
func IsFull(err error) bool {
	var lite *driver.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == 13 // SQLITE_FULL
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "53100" || errors.Is(err, syscall.ENOSPC) || errors.Is(err, io.ErrShortWrite)
}
