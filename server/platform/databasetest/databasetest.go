// Package databasetest gives each test a fresh, migrated, real database: a
// SQLite file, or a schema of its own on PostgreSQL when TEST_POSTGRES_URL is set.
package databasetest

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/signalbox/signalbox/server/platform/database"
)

// URL returns the address of a database of this test's own, not yet migrated.
func URL(t testing.TB) string {
	t.Helper()
	server := os.Getenv("TEST_POSTGRES_URL")
	if server == "" {
		return "sqlite:" + filepath.Join(t.TempDir(), "signalbox.db")
	}
	raw := make([]byte, 8)
	rand.Read(raw)
	name := "t_" + hex.EncodeToString(raw)
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatalf("connect to TEST_POSTGRES_URL: %v", err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
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
