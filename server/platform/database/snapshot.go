package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

// versions is the table in which goose remembers the migrations.
const versions = "goose_db_version"

// SnapshotPart is one thing that a snapshot is written as: on PostgreSQL a table, in the
// text format of COPY; on SQLite the whole database file.
type SnapshotPart struct {
	Name    string
	Columns []string
}

// Snapshot is the database as it was at one instant. Close it.
type Snapshot struct {
	// Schema is the number of the last migration.
	Schema int64
	Parts  []SnapshotPart
	// Tables has the number of rows of each table.
	Tables map[string]int64
	// Sequences are PostgreSQL's counters of ids; they stand outside transactions, so
	// they may be ahead of the tables.
	Sequences map[string]int64

	source snapshotSource
}

type snapshotSource interface {
	write(ctx context.Context, p SnapshotPart, w io.Writer) error
	each(ctx context.Context, query string, fn func(row []any) error) error
	close(ctx context.Context) error
}

// Snapshot takes one, while others read and write. On SQLite it needs a file in the
// folder scratch, as large as the database; on PostgreSQL it holds a transaction open.
func (db *DB) Snapshot(ctx context.Context, scratch string) (*Snapshot, error) {
	if db.Dialect == Postgres {
		return snapshotPostgres(ctx, db.url)
	}
	return snapshotSQLite(ctx, strings.TrimPrefix(db.url, "sqlite:"), scratch)
}

// Write writes one part.
func (s *Snapshot) Write(ctx context.Context, p SnapshotPart, w io.Writer) error {
	return s.source.write(ctx, p, w)
}

// Each calls fn with every row of a query's answer.
func (s *Snapshot) Each(ctx context.Context, query string, fn func(row []any) error) error {
	return s.source.each(ctx, query, fn)
}

// Close lets go of the snapshot.
func (s *Snapshot) Close(ctx context.Context) error { return s.source.close(ctx) }

// liteFile is a database file that nobody else writes.
type liteFile struct {
	path string
	pool *sql.DB
}

// SnapshotFile is the name of the part that holds a whole SQLite database.
const SnapshotFile = "signalbox.db"

func openLite(ctx context.Context, path, options string) (*liteFile, error) {
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+options)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	pool.SetMaxOpenConns(1)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), pool.Close())
	}
	return &liteFile{path, pool}, nil
}

// snapshotSQLite lets SQLite write a copy in one reading transaction, on a connection of
// its own: the one that writes must not wait for it.
func snapshotSQLite(ctx context.Context, path, scratch string) (*Snapshot, error) {
	from, err := openLite(ctx, path, "?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, err
	}
	to := filepath.Join(scratch, "snapshot.db")
	_, err = from.pool.ExecContext(ctx, "VACUUM INTO ?", to)
	if err = errors.Join(err, from.pool.Close()); err != nil {
		return nil, fmt.Errorf("copy the database: %w", err)
	}
	return openSnapshotFile(ctx, to)
}

// openSnapshotFile describes a database file as a snapshot.
func openSnapshotFile(ctx context.Context, path string) (*Snapshot, error) {
	f, err := openLite(ctx, path, "?mode=ro&_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	s := &Snapshot{source: f, Parts: []SnapshotPart{{Name: SnapshotFile}}, Tables: map[string]int64{}}
	if err := f.describe(ctx, s); err != nil {
		return nil, errors.Join(fmt.Errorf("read the copy of the database: %w", err), f.pool.Close())
	}
	return s, nil
}

func (f *liteFile) describe(ctx context.Context, s *Snapshot) error {
	// Shadow tables of full text belong to their table.
	const tables = `SELECT name FROM sqlite_master m WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name <> '` + versions + `'
		AND NOT EXISTS (SELECT 1 FROM sqlite_master v WHERE v.sql LIKE 'CREATE VIRTUAL%' AND m.name <> v.name AND m.name LIKE v.name || '\_%' ESCAPE '\')`
	var names []string
	err := f.each(ctx, tables, func(row []any) error {
		names = append(names, fmt.Sprint(row[0]))
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		var n int64
		if err := f.pool.QueryRowContext(ctx, `SELECT COUNT(*) FROM "`+name+`"`).Scan(&n); err != nil {
			return err
		}
		s.Tables[name] = n
	}
	s.Schema, err = schemaOf(ctx, f.pool)
	return err
}

// schemaOf is the number of the last migration of a database; 0 where there is none.
func schemaOf(ctx context.Context, pool *sql.DB) (version int64, err error) {
	err = pool.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+versions).Scan(&version)
	return version, err
}

func (f *liteFile) write(_ context.Context, _ SnapshotPart, w io.Writer) error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(w, file)
	return err
}

func (f *liteFile) each(ctx context.Context, query string, fn func(row []any) error) error {
	rows, err := f.pool.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (f *liteFile) close(context.Context) error {
	return errors.Join(f.pool.Close(), os.Remove(f.path))
}

// pgSnapshot is a transaction that sees one instant.
type pgSnapshot struct {
	conn *pgx.Conn
	tx   pgx.Tx
}

func snapshotPostgres(ctx context.Context, address string) (*Snapshot, error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	p := &pgSnapshot{conn: conn}
	if p.tx, err = conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	s := &Snapshot{source: p, Tables: map[string]int64{}, Sequences: map[string]int64{}}
	if err := p.describe(ctx, s); err != nil {
		return nil, errors.Join(fmt.Errorf("read the tables of the database: %w", err), p.close(ctx))
	}
	return s, nil
}

// pgColumns lists what COPY must carry: not what is computed from other columns.
const pgColumns = `SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> '` + versions + `'
	AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY c.relname, a.attnum`

func (p *pgSnapshot) describe(ctx context.Context, s *Snapshot) error {
	err := p.each(ctx, pgColumns, func(row []any) error {
		table, column := fmt.Sprint(row[0]), fmt.Sprint(row[1])
		if n := len(s.Parts); n == 0 || s.Parts[n-1].Name != table {
			s.Parts = append(s.Parts, SnapshotPart{Name: table})
		}
		last := &s.Parts[len(s.Parts)-1]
		last.Columns = append(last.Columns, column)
		return nil
	})
	if err != nil {
		return err
	}
	err = p.each(ctx, "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL AND sequencename NOT LIKE 'goose%'", func(row []any) error {
		if n, ok := row[1].(int64); ok {
			s.Sequences[fmt.Sprint(row[0])] = n
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range s.Parts {
		var n int64
		if err := p.tx.QueryRow(ctx, "SELECT COUNT(*) FROM "+pgx.Identifier{t.Name}.Sanitize()).Scan(&n); err != nil {
			return err
		}
		s.Tables[t.Name] = n
	}
	return p.tx.QueryRow(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+versions).Scan(&s.Schema)
}

func quoted(columns []string) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = pgx.Identifier{c}.Sanitize()
	}
	return strings.Join(list, ", ")
}

func (p *pgSnapshot) write(ctx context.Context, t SnapshotPart, w io.Writer) error {
	_, err := p.conn.PgConn().CopyTo(ctx, w, "COPY "+pgx.Identifier{t.Name}.Sanitize()+" ("+quoted(t.Columns)+") TO STDOUT")
	return err
}

func (p *pgSnapshot) each(ctx context.Context, query string, fn func(row []any) error) error {
	rows, err := p.tx.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := rows.Values()
		if err != nil {
			return err
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (p *pgSnapshot) close(ctx context.Context) error {
	return errors.Join(p.tx.Rollback(ctx), p.conn.Close(context.WithoutCancel(ctx)))
}

// CountFile checks a SQLite database file and counts the rows of its tables.
func CountFile(ctx context.Context, path string) (map[string]int64, error) {
	f, err := openLite(ctx, path, "?mode=ro&_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Tables: map[string]int64{}}
	var verdict string
	err = f.pool.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict)
	if err == nil && verdict != "ok" {
		err = errors.New(verdict)
	}
	if err == nil {
		err = f.describe(ctx, s)
	}
	return s.Tables, errors.Join(err, f.pool.Close())
}
