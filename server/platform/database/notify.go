package database

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
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
	// self marks what this process sends: it has heard that already.
	self string

	mu        sync.Mutex
	next      int
	listeners map[string]map[int]func(string)
	cancel    context.CancelFunc
	stopped   sync.WaitGroup
}

func newBus() *bus { return &bus{self: rand.Text(), listeners: map[string]map[int]func(string){}} }

// Notify wakes the listeners of channel with a payload of at most 7 kB, after
// the commit of the context's transaction if there is one. Notifications are
// hints: a listener that misses one must find the work by looking. Those of this
// process hear it at once, whatever becomes of its connection.
func (db *DB) Notify(ctx context.Context, channel, payload string) error {
	if db.Dialect == Postgres {
		if err := db.Writer(ctx).Exec("SELECT pg_notify(?, ?)", db.channel, db.bus.self+"\x1f"+channel+"\x1f"+payload).Error; err != nil {
			return err
		}
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

// listenPostgres keeps one connection listening until close. It listens when it
// returns: nothing that is sent after that is missed.
func (b *bus) listenPostgres(ctx context.Context, url, channel string, log *slog.Logger) error {
	conn, err := listening(ctx, url, channel)
	if err != nil {
		return fmt.Errorf("listen to PostgreSQL: %w", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	b.cancel = cancel
	b.stopped.Go(func() {
		for {
			if conn != nil {
				err = b.hear(ctx, conn)
			}
			if ctx.Err() != nil {
				return
			}
			log.Warn("listening to PostgreSQL was interrupted; trying again in a second", "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
			if conn, err = listening(ctx, url, channel); err == nil {
				b.deliverAll()
			}
		}
	})
	return nil
}

// listening opens a connection that hears the channel.
func listening(ctx context.Context, url, channel string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return nil, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	return conn, nil
}

// hear hands on what other processes send, until the connection ends.
func (b *bus) hear(ctx context.Context, conn *pgx.Conn) error {
	defer conn.Close(context.WithoutCancel(ctx))
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		sender, rest, _ := strings.Cut(n.Payload, "\x1f")
		if channel, payload, ok := strings.Cut(rest, "\x1f"); ok && sender != b.self {
			b.deliver(channel, payload)
		}
	}
}

func (b *bus) close() {
	if b.cancel != nil {
		b.cancel()
	}
	b.stopped.Wait()
}
