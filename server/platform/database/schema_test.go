package database_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// columns lists "table.column kind null default-or-not" in the dialects' common words.
// Full text (issues_search) is left out: it has each dialect's own form.
func columns(t *testing.T, db *database.DB) []string {
	t.Helper()
	query := `SELECT m.name || '.' || c.name || ' ' || LOWER(c.type) || CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' not null' ELSE '' END
		FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose%'
		AND m.name NOT LIKE 'issues_search%'`
	if db.Dialect == database.Postgres {
		query = `SELECT table_name || '.' || column_name || ' ' || data_type || CASE WHEN is_nullable = 'NO' THEN ' not null' ELSE '' END
			FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE 'goose%'
			AND table_name NOT LIKE 'issues_search%'`
	}
	var out []string
	if err := db.Reader(t.Context()).Raw(query).Scan(&out).Error; err != nil {
		t.Fatal(err)
	}
	// What one dialect calls differently from the other.
	same := strings.NewReplacer(" bytea", " blob", " integer", " bigint", " int ", " bigint ")
	for i := range out {
		out[i] = same.Replace(out[i])
	}
	slices.Sort(out)
	return out
}

func indexes(t *testing.T, db *database.DB) []string {
	t.Helper()
	query := `SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name NOT LIKE 'goose%' AND tbl_name NOT LIKE 'issues_search%'`
	if db.Dialect == database.Postgres {
		query = `SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename NOT LIKE 'goose%' AND tablename NOT LIKE 'issues_search%'
			AND indexname NOT LIKE '%\_pkey' AND indexname NOT LIKE '%\_key'`
	}
	var out []string
	if err := db.Reader(t.Context()).Raw(query).Scan(&out).Error; err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func TestBothDialectsEndInTheSameSchema(t *testing.T) {
	t.Parallel()
	if os.Getenv("TEST_POSTGRES_URL") == "" {
		return // compared when make test runs the suite on PostgreSQL
	}
	pg := databasetest.Open(t)
	lite, err := database.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer lite.Close()
	if _, err := lite.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	diff(t, "column", columns(t, lite), columns(t, pg))
	diff(t, "index", indexes(t, lite), indexes(t, pg))
}

func diff(t *testing.T, what string, lite, pg []string) {
	t.Helper()
	if len(lite) == 0 {
		t.Fatalf("no %s found", what)
	}
	for _, c := range lite {
		if !slices.Contains(pg, c) {
			t.Errorf("only SQLite has the %s %s", what, c)
		}
	}
	for _, c := range pg {
		if !slices.Contains(lite, c) {
			t.Errorf("only PostgreSQL has the %s %s", what, c)
		}
	}
}

func TestMigratingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	applied, err := db.Migrate(t.Context())
	if err != nil || len(applied) != 0 {
		t.Fatalf("%v %v", applied, err)
	}
}
