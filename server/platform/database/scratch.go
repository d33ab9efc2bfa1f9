package database

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// ScratchSchema makes a schema of its own beside the tables of a PostgreSQL database, and
// returns the address at which it looks like an empty database. Call drop in the end.
func (db *DB) ScratchSchema(ctx context.Context, name string) (address string, drop func(context.Context) error, err error) {
	if db.Dialect != Postgres {
		return "", nil, errors.New("only PostgreSQL has schemas")
	}
	u, err := url.Parse(db.url)
	if err != nil {
		return "", nil, errors.New("database.url is no URL")
	}
	execute := func(ctx context.Context, statement string) error {
		conn, err := pgx.Connect(ctx, db.url)
		if err != nil {
			return fmt.Errorf("connect to PostgreSQL: %w", err)
		}
		_, err = conn.Exec(ctx, statement)
		return errors.Join(err, conn.Close(ctx))
	}
	quotedName := pgx.Identifier{name}.Sanitize()
	if err := execute(ctx, "CREATE SCHEMA "+quotedName); err != nil {
		return "", nil, fmt.Errorf("make a schema to try the backup in (the database's user needs the right to CREATE): %w", err)
	}
	query := u.Query()
	query.Set("search_path", name)
	u.RawQuery = query.Encode()
	return u.String(), func(ctx context.Context) error { return execute(ctx, "DROP SCHEMA IF EXISTS "+quotedName+" CASCADE") }, nil
}
