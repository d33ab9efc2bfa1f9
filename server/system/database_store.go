package system

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
)

const slowDatabase = 250 * time.Millisecond

type store struct{ db *database.DB }

// size is how many bytes the database takes where it lives.
func (s store) size(ctx context.Context) (n uint64, err error) {
	query := "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	if s.db.Dialect == database.Postgres {
		query = "SELECT pg_database_size(current_database())"
	}
	err = s.db.Reader(ctx).Raw(query).Scan(&n).Error
	return n, err
}

func (s store) clock(ctx context.Context) (t time.Time, err error) {
	var micros int64
	err = s.db.Reader(ctx).Raw("SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT").Scan(&micros).Error
	return time.UnixMicro(micros), err
}

// DatabaseCheck asks whether the database answers, how fast, and how large it is.
func DatabaseCheck(db *database.DB, now func() time.Time) Check {
	return Check{"database", func(ctx context.Context) Result {
		start := now()
		size, err := (store{db}).size(ctx)
		if err != nil {
			return Result{Fail, fmt.Sprintf("The database does not answer: %s.", err), "See that it runs, that database.url is right, and that its disk has room."}
		}
		took := now().Sub(start).Round(100 * time.Microsecond)
		r := Good("%s answers in %s and takes %s.", map[database.Dialect]string{database.SQLite: "SQLite", database.Postgres: "PostgreSQL"}[db.Dialect], took, bytes(size))
		if took > slowDatabase {
			r.Status, r.Fix = Warn, "See what else uses its disk and processor."
		}
		return r
	}}
}
