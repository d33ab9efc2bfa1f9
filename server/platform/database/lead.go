package database

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// leadEvery is how often a leader looks whether it still is, and others whether they may be.
	leadEvery = 2 * time.Second
	// leadPatience is how long PostgreSQL may take to say so.
	leadPatience = 10 * time.Second
)

// Leadership says whether this process leads among those that share the database.
// It is an advisory lock of PostgreSQL, held by a connection of its own: the lock
// ends with the connection, and so with the process. SQLite has one process, which leads.
type Leadership struct {
	mu      sync.Mutex
	led     context.Context // ends when this process leads no more; nil while it does not
	end     context.CancelFunc
	changed chan struct{}
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// Lead begins to seek the leadership of that name until Stop.
func (db *DB) Lead(ctx context.Context, name string) *Leadership {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &Leadership{changed: make(chan struct{}), stop: stop}
	if db.Dialect != Postgres {
		l.led, l.end = context.WithCancel(ctx)
		return l
	}
	sum := sha256.Sum256([]byte(db.channel + "\x00" + name))
	key := int64(binary.BigEndian.Uint64(sum[:8]))
	l.done.Go(func() { l.seek(ctx, db.url, key, db.log) })
	return l
}

// Leading gives a context that ends when this process leads no more, nil while it
// does not lead, and a channel that is closed when that changes.
func (l *Leadership) Leading() (led context.Context, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.led, l.changed
}

// Stop gives the leadership up.
func (l *Leadership) Stop() {
	l.stop()
	l.done.Wait()
	l.set(nil)
}

// set tells that this process leads from now on, while ctx lasts; nil that it does not.
func (l *Leadership) set(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.led == nil && ctx == nil {
		return
	}
	if l.end != nil {
		l.end()
		l.led, l.end = nil, nil
	}
	if ctx != nil {
		l.led, l.end = context.WithCancel(ctx)
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Leadership) seek(ctx context.Context, url string, key int64, log *slog.Logger) {
	for ctx.Err() == nil {
		err := l.hold(ctx, url, key, log)
		l.set(nil)
		if ctx.Err() == nil {
			log.Warn("the connection that leads, or would, was lost; trying again", "error", err)
			pause(ctx, leadEvery)
		}
	}
}

// hold waits on one connection for the lock and then keeps it.
func (l *Leadership) hold(ctx context.Context, url string, key int64, log *slog.Logger) error {
	settings, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	// A machine that lost its power says no goodbye: PostgreSQL is to notice in half a minute.
	for name, value := range map[string]string{"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"} {
		settings.RuntimeParams[name] = value
	}
	conn, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return err
	}
	defer func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), leadPatience)
		defer cancel()
		_ = conn.Close(late) // whatever it says, the connection is over
	}()
	leads := false
	for {
		if leads, err = ask(ctx, conn, key, leads); err != nil {
			return errors.Join(err, ctx.Err())
		}
		if led, _ := l.Leading(); leads && led == nil {
			log.Info("this server leads: it runs the loops of which there is to be one")
			l.set(ctx)
		}
		if !pause(ctx, leadEvery) {
			return ctx.Err()
		}
	}
}

// ask tries to get the lock, or looks whether the connection that has it still lives.
func ask(ctx context.Context, conn *pgx.Conn, key int64, leads bool) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, leadPatience)
	defer cancel()
	if leads {
		return true, conn.Ping(ctx)
	}
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", key).Scan(&leads); err != nil {
		return false, fmt.Errorf("ask PostgreSQL for the leadership: %w", err)
	}
	return leads, nil
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
