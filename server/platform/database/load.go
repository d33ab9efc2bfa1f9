package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Empty reports whether a database holds nothing that anybody would miss: it has no
// tables of ours, or no user is in them.
func (db *DB) Empty(ctx context.Context) (bool, error) {
	query := "SELECT COUNT(*) FROM sqlite_master WHERE name = 'accounts_users'"
	if db.Dialect == Postgres {
		query = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'accounts_users'"
	}
	var n int64
	if err := db.Reader(ctx).Raw(query).Scan(&n).Error; err != nil || n == 0 {
		return n == 0, err
	}
	err := db.Reader(ctx).Raw("SELECT COUNT(*) FROM accounts_users").Scan(&n).Error
	return n == 0, err
}

// Load fills an empty PostgreSQL database from the parts of a snapshot: all of it or
// nothing, by Commit.
type Load struct {
	conn *pgx.Conn
	tx   pgx.Tx
	// keys are the foreign keys, which are put back at the end: tables come in any order.
	keys [][2]string
}

// BeginLoad brings the database to the schema of the snapshot and begins to fill it.
func (db *DB) BeginLoad(ctx context.Context, schema int64) (*Load, error) {
	if db.Dialect != Postgres {
		return nil, errors.New("only PostgreSQL is loaded table by table")
	}
	if err := db.MigrateTo(ctx, schema); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, db.url)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	l := &Load{conn: conn}
	if l.tx, err = conn.Begin(ctx); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	if err := l.clear(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the tables: %w", err), l.Rollback(ctx))
	}
	return l, nil
}

// clear removes foreign keys and the rows that migrations make.
func (l *Load) clear(ctx context.Context) error {
	rows, err := l.tx.Query(ctx, `SELECT conrelid::regclass::text, 'ADD CONSTRAINT ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid), quote_ident(conname)
		FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace`)
	if err != nil {
		return err
	}
	var drop []string
	for rows.Next() {
		var table, add, name string
		if err := rows.Scan(&table, &add, &name); err != nil {
			return err
		}
		l.keys = append(l.keys, [2]string{table, add})
		drop = append(drop, "ALTER TABLE "+table+" DROP CONSTRAINT "+name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rows, err = l.tx.Query(ctx, "SELECT DISTINCT relname FROM ("+pgColumns+") t")
	if err != nil {
		return err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	if len(tables) > 0 {
		drop = append(drop, "TRUNCATE "+quoted(tables))
	}
	for _, statement := range drop {
		if _, err := l.tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// Table fills one table with what Snapshot.Write has written, and counts its rows.
func (l *Load) Table(ctx context.Context, p SnapshotPart, r io.Reader) (int64, error) {
	tag, err := l.conn.PgConn().CopyFrom(ctx, r, "COPY "+pgx.Identifier{p.Name}.Sanitize()+" ("+quoted(p.Columns)+") FROM STDIN")
	return tag.RowsAffected(), err
}

// Commit sets the counters of ids, puts the foreign keys back, which checks them, and ends
// the transaction.
func (l *Load) Commit(ctx context.Context, sequences map[string]int64) error {
	var failed error
	for name, value := range sequences {
		if _, err := l.tx.Exec(ctx, "SELECT setval($1::regclass, $2)", pgx.Identifier{name}.Sanitize(), value); err != nil {
			failed = errors.Join(failed, fmt.Errorf("set the counter %s: %w", name, err))
		}
		if failed != nil {
			break
		}
	}
	for _, k := range l.keys {
		if failed != nil {
			break
		}
		if _, err := l.tx.Exec(ctx, "ALTER TABLE "+strings.Join(k[:], " ")); err != nil {
			failed = fmt.Errorf("put back a foreign key of %s: %w", k[0], err)
		}
	}
	if failed == nil {
		failed = l.tx.Commit(ctx)
	}
	return errors.Join(failed, l.conn.Close(context.WithoutCancel(ctx)))
}

// Rollback gives up what was loaded.
func (l *Load) Rollback(ctx context.Context) error {
	return errors.Join(l.tx.Rollback(context.WithoutCancel(ctx)), l.conn.Close(context.WithoutCancel(ctx)))
}
