package issues

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"gorm.io/gorm"

	"github.com/signalbox/signalbox/server/platform/database"
)

// statements keeps compiled what digestion says for every batch: on SQLite
// compiling an insert of many rows takes longer than running it. PostgreSQL's
// driver does that itself.
//
// A statement that is met for the first time runs as it is. It is compiled
// before the next batch, outside any transaction: a transaction holds the only
// connection for which it could be.
type statements struct {
	mu     sync.Mutex
	ready  map[string]*sql.Stmt
	wanted []string
}

func newStatements() *statements { return &statements{ready: map[string]*sql.Stmt{}} }

// find gives a compiled statement, bound to the transaction; nil when it has to run as it is.
func (s *statements) find(ctx context.Context, g *gorm.DB, text string) *sql.Stmt {
	tx, is := g.Statement.ConnPool.(*sql.Tx)
	if s == nil || !is {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	compiled, known := s.ready[text]
	if !known {
		s.ready[text] = nil
		s.wanted = append(s.wanted, text)
	}
	if compiled == nil {
		return nil
	}
	return tx.StmtContext(ctx, compiled)
}

// compile prepares what was met since the last call.
func (s *statements) compile(ctx context.Context, db *database.DB) error {
	s.mu.Lock()
	wanted := s.wanted
	s.wanted = nil
	s.mu.Unlock()
	if len(wanted) == 0 || db.Dialect != database.SQLite {
		return nil
	}
	pool, err := db.Writer(ctx).DB()
	if err != nil {
		return err
	}
	for _, text := range wanted {
		compiled, err := pool.PrepareContext(ctx, text)
		if err != nil {
			return fmt.Errorf("compile a statement: %w", err)
		}
		s.mu.Lock()
		s.ready[text] = compiled
		s.mu.Unlock()
	}
	return nil
}

// exec runs a statement of the context's transaction. It does not end with the
// context, for which each run would need a watcher: the transaction does.
func (r rows) exec(ctx context.Context, text string, args ...any) error {
	g := r.db.Writer(ctx)
	if compiled := r.statements.find(ctx, g, text); compiled != nil {
		_, err := compiled.ExecContext(context.WithoutCancel(ctx), args...)
		return err
	}
	return g.Exec(text, args...).Error
}

// query hands each row of an answer to scan.
func (r rows) query(ctx context.Context, scan func(*sql.Rows) error, text string, args ...any) (err error) {
	g := r.db.Writer(ctx)
	var answer *sql.Rows
	if compiled := r.statements.find(ctx, g, text); compiled != nil {
		answer, err = compiled.QueryContext(context.WithoutCancel(ctx), args...)
	} else {
		answer, err = g.Raw(text, args...).Rows()
	}
	if err != nil {
		return err
	}
	defer answer.Close()
	for answer.Next() {
		if err := scan(answer); err != nil {
			return err
		}
	}
	return answer.Err()
}

// among is the condition that a column has one of some values, and its
// argument. SQLite gets them as one JSON text, so that the statement is the
// same however many they are.
func among[T int64 | string](r rows, column string, values []T) (condition string, arg any) {
	if r.db.Dialect != database.SQLite {
		return column + " IN ?", values
	}
	raw, err := json.Marshal(values)
	if err != nil {
		return column + " IN ?", values // numbers and texts have a form
	}
	return column + " IN (SELECT value FROM json_each(?))", string(raw)
}

// chunkRows are how many rows one insert holds, so that few statements do for any number.
var chunkRows = []int{64, 8, 1}

// inserts are the texts of insertMany by table and number of rows: built once.
var inserts sync.Map

type insertKey struct {
	into, tail    string
	columns, rows int
}

func insertText(k insertKey) string {
	if text, known := inserts.Load(k); known {
		return text.(string)
	}
	group := "(?" + strings.Repeat(",?", k.columns-1) + ")"
	text := "INSERT INTO " + k.into + " VALUES " + group + strings.Repeat(","+group, k.rows-1) + " " + k.tail
	inserts.Store(k, text)
	return text
}

// insertMany writes rows with few statements. tail follows the values.
func (r rows) insertMany(ctx context.Context, into string, columns int, values []any, tail string) error {
	for _, n := range chunkRows {
		for len(values) >= n*columns {
			if err := r.exec(ctx, insertText(insertKey{into, tail, columns, n}), values[:n*columns]...); err != nil {
				return err
			}
			values = values[n*columns:]
		}
	}
	return nil
}
