package github

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

const (
	// digestBatch shares one commit, unless handling takes longer than digestHold:
	// intake waits for it on SQLite.
	digestBatch = 8
	digestHold  = 3 * time.Millisecond
	// digestAttempts take about three hours.
	digestAttempts = 20
	maxError       = 2000
)

// Digest handles all deliveries that are due, in the order they came.
func (s *Service) Digest(ctx context.Context) error {
	// Looking first on a reading connection keeps an idle loop off the writer.
	waiting, err := s.anyWaiting(ctx)
	if err != nil || !waiting {
		return err
	}
	for more := true; more && ctx.Err() == nil; {
		// What is stored from now on wakes the loop again.
		if more, err = s.digestSome(ctx); err != nil {
			return fmt.Errorf("digest deliveries: %w", err)
		}
	}
	return ctx.Err()
}

// errHandler marks an error of OnDelivery, as opposed to one of the database.
type errHandler struct{ error }

func (e errHandler) Unwrap() error { return e.error }

// digestSome handles a batch in one transaction. When one of them fails, all are
// rolled back and handled one by one, so that a bad one spoils only itself. It reports
// whether there may be more.
func (s *Service) digestSome(ctx context.Context) (more bool, err error) {
	var rows []deliveryRow
	err = s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if rows, err = s.due(ctx, digestBatch); err != nil {
			return err
		}
		more = len(rows) == digestBatch
		began := time.Now()
		for i, row := range rows {
			if i > 0 && time.Since(began) > digestHold {
				rows, more = rows[:i], true // the others are still waiting
				break
			}
			if err := s.handle(ctx, row); err != nil {
				return err
			}
		}
		return s.announceDigest(ctx, rows)
	})
	var handler errHandler
	if err == nil || !errors.As(err, &handler) || ctx.Err() != nil {
		return more, err
	}
	for _, row := range rows {
		if err := s.digestOne(ctx, row.Seq); err != nil {
			return false, err
		}
	}
	return len(rows) == digestBatch, nil
}

func (s *Service) digestOne(ctx context.Context, seq int64) error {
	var row deliveryRow
	err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		var waiting bool
		if row, waiting, err = s.dueOne(ctx, seq); err != nil || !waiting {
			return err
		}
		if err := s.handle(ctx, row); err != nil {
			return err
		}
		return s.announceDigest(ctx, []deliveryRow{row})
	})
	var handler errHandler
	if err == nil || !errors.As(err, &handler) || ctx.Err() != nil {
		return err
	}
	attempts := row.Attempts + 1
	state, next := Waiting, s.Now().Add(digestDelay(attempts)).UnixMilli()
	if attempts >= digestAttempts {
		state = Failed
	}
	message := err.Error()
	s.Log.Warn("a delivery could not be digested", "delivery", row.ID, "event", row.Event, "attempt", attempts, "error", err)
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.markError(ctx, seq, state, attempts, next, message[:min(len(message), maxError)]); err != nil {
			return err
		}
		return s.announceDigest(ctx, []deliveryRow{row})
	})
}

// digestDelay doubles from a second to a quarter of an hour.
func digestDelay(attempts int) time.Duration {
	return min(time.Second<<min(attempts-1, 20), 15*time.Minute)
}

func (s *Service) handle(ctx context.Context, row deliveryRow) (err error) {
	d := row.delivery()
	if d.Body, err = s.body(ctx, row); err != nil {
		return errHandler{err}
	}
	caused, err := s.callHandler(ctx, d)
	if err != nil {
		return errHandler{err}
	}
	return s.markDone(ctx, row, caused)
}

func (s *Service) callHandler(ctx context.Context, d Delivery) (caused []Effect, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("handling a delivery panicked", "delivery", d.ID, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("handling it panicked: %v", p)
		}
	}()
	return s.OnDelivery(ctx, d)
}

func (s *Service) announceDigest(ctx context.Context, rows []deliveryRow) error {
	told := map[string]bool{}
	for _, r := range rows {
		if told[r.HookID] {
			continue
		}
		told[r.HookID] = true
		if err := s.publish(ctx, r.TeamID, deliveryTopic, r.HookID); err != nil {
			return err
		}
	}
	return nil
}
