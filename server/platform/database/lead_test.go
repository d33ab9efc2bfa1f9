package database_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// leads waits until l leads, and gives the context of that.
func leads(t *testing.T, l *database.Leadership) context.Context {
	t.Helper()
	late := time.After(time.Minute)
	for {
		led, changed := l.Leading()
		if led != nil {
			return led
		}
		select {
		case <-changed:
		case <-late:
			t.Fatal("nobody leads")
		}
	}
}

// TestLead: one leads; when it stops, or its connection is cut, another one does.
func TestLead(t *testing.T) {
	t.Parallel()
	url := databasetest.URL(t)
	open := func() *database.DB {
		db, err := database.Open(t.Context(), url, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	db := open()
	first := db.Lead(t.Context(), "loops")
	defer first.Stop()
	led := leads(t, first)
	if led.Err() != nil {
		t.Error(led.Err())
	}
	if db.Dialect != database.Postgres {
		first.Stop()
		if led.Err() == nil {
			t.Error("it leads after it stopped")
		}
		return // one process
	}
	second := open().Lead(t.Context(), "loops")
	defer second.Stop()
	other := open().Lead(t.Context(), "another")
	defer other.Stop()
	leads(t, other)
	if led, _ := second.Leading(); led != nil {
		t.Error("two lead")
	}
	first.Stop()
	if led.Err() == nil {
		t.Error("it leads after it stopped")
	}
	led = leads(t, second)
	if err := db.Writer(t.Context()).Exec("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").Error; err != nil {
		t.Fatal(err)
	}
	select {
	case <-led.Done():
	case <-time.After(time.Minute):
		t.Error("it believes that it leads, without its connection")
	}
	leads(t, second)
}
