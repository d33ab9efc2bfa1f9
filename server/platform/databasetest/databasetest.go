// Package databasetest gives each test a fresh, migrated, real database: a
// SQLite file, or a database of its own on PostgreSQL when TEST_POSTGRES_URL is set.
package databasetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/signalbox/signalbox/server/platform/database"
)

// template is a migrated database that this process copies: copying costs a
// tenth of migrating.
var template struct {
	sync.Once
	name string // on PostgreSQL
	file []byte // on SQLite
	err  error
}

// URL returns the address of a migrated database of this test's own, gone soon after its end.
func URL(t testing.TB) string {
	t.Helper()
	server := os.Getenv("TEST_POSTGRES_URL")
	ctx := context.WithoutCancel(t.Context())
	template.Do(func() {
		if server == "" {
			template.file, template.err = makeFile(ctx)
			return
		}
		template.name, template.err = makeTemplate(ctx, server)
	})
	if template.err != nil {
		t.Fatalf("make the template database: %v", template.err)
	}
	if server == "" {
		path := filepath.Join(t.TempDir(), "signalbox.db")
		if err := os.WriteFile(path, template.file, 0o600); err != nil {
			t.Fatal(err)
		}
		return "sqlite:" + path
	}
	name := newName()
	if err := execute(ctx, server, "CREATE DATABASE "+name+" TEMPLATE "+template.name+" STRATEGY FILE_COPY"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { go drop(ctx, server, name) })
	return named(server, name)
}

// EmptyURL is URL without a schema, on either.
func EmptyURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv("TEST_POSTGRES_URL")
	if server == "" {
		return "sqlite:" + filepath.Join(t.TempDir(), "signalbox.db")
	}
	ctx := context.WithoutCancel(t.Context())
	name := newName()
	if err := execute(ctx, server, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { go drop(ctx, server, name) })
	return named(server, name)
}

var dropping sync.Mutex

// drop deletes a database behind the tests, one at a time: PostgreSQL takes half a
// second for it. Those that are left when the process ends go with their server.
func drop(ctx context.Context, server, name string) {
	dropping.Lock()
	defer dropping.Unlock()
	_ = execute(ctx, server, "DROP DATABASE "+name+" WITH (FORCE)")
}

func newName() string {
	raw := make([]byte, 8)
	rand.Read(raw) // never fails
	return "t_" + hex.EncodeToString(raw)
}

func execute(ctx context.Context, server, statement string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connect to TEST_POSTGRES_URL: %w", err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// named is the address of another database of the same server.
func named(server, name string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server // connecting to it failed before
	}
	u.Path = "/" + name
	return u.String()
}

func makeTemplate(ctx context.Context, server string) (string, error) {
	name := newName()
	if err := execute(ctx, server, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	db, err := database.Open(ctx, named(server, name), slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	_, err = db.Migrate(ctx)
	return name, errors.Join(err, db.Close())
}

// makeFile is the bytes of a migrated SQLite database.
func makeFile(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "databasetest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	db, err := database.Open(ctx, "sqlite:"+path, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	_, err = db.Migrate(ctx)
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path) // whole: the last one to close writes the log back
}

// Open opens and migrates a database of this test's own and closes it at the end.
func Open(t testing.TB) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), URL(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}
