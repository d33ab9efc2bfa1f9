package database

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// pgChannel begins the name of the channel; the schema follows, because
// PostgreSQL's channels are the database's and several installations may share one.
const pgChannel = "signalbox."

// bus hands notifications to this process's listeners.
type bus struct {
	mu        sync.Mutex
	next      int
	listeners map[string]map[int]func(string)
	cancel    context.CancelFunc
	stopped   sync.WaitGroup
}

func newBus() *bus { return &bus{listeners: map[string]map[int]func(string){}} }

// Notify wakes the listeners of channel with a payload of at most 7 kB, after
// the commit of the context's transaction if there is one. Notifications are
// hints: a listener that misses one must find the work by looking.
func (db *DB) Notify(ctx context.Context, channel, payload string) error {
	if db.Dialect == Postgres {
		return db.Writer(ctx).Exec("SELECT pg_notify(?, ?)", db.channel, channel+"\x1f"+payload).Error
	}
	db.AfterCommit(ctx, func() { db.bus.deliver(channel, payload) })
	return nil
}

// Listen calls f for each notification of channel, on the notifier's goroutine:
// f must not block. After a lost connection f is called with "", which means
// that anything may have happened. The result stops listening.
func (db *DB) Listen(channel string, f func(payload string)) (stop func()) {
	b := db.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	id := b.next
	if b.listeners[channel] == nil {
		b.listeners[channel] = map[int]func(string){}
	}
	b.listeners[channel][id] = f
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners[channel], id)
	}
}

func (b *bus) deliver(channel, payload string) {
	b.mu.Lock()
	fs := make([]func(string), 0, len(b.listeners[channel]))
	for _, f := range b.listeners[channel] {
		fs = append(fs, f)
	}
	b.mu.Unlock()
	for _, f := range fs {
		f(payload)
	}
}

func (b *bus) deliverAll() {
	b.mu.Lock()
	channels := make([]string, 0, len(b.listeners))
	for c := range b.listeners {
		channels = append(channels, c)
	}
	b.mu.Unlock()
	for _, c := range channels {
		b.deliver(c, "")
	}
}

// listenPostgres keeps one connection listening until close.
func (b *bus) listenPostgres(ctx context.Context, url, channel string, log *slog.Logger) {
	ctx, cancel := context.WithCancel(ctx)
	b.cancel = cancel
	b.stopped.Go(func() {
		for first := true; ctx.Err() == nil; first = false {
			if err := b.listenOnce(ctx, url, channel, first); err != nil && ctx.Err() == nil {
				log.Warn("listening to PostgreSQL was interrupted; trying again in a second", "error", err)
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		}
	})
}

func (b *bus) listenOnce(ctx context.Context, url, channel string, first bool) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
	}
	if !first {
		b.deliverAll()
	}
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		channel, payload, _ := strings.Cut(n.Payload, "\x1f")
		b.deliver(channel, payload)
	}
}

func (b *bus) close() {
	if b.cancel != nil {
		b.cancel()
	}
	b.stopped.Wait()
}
