package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

// The operations that the network half may ask for. There is none to install
// what nobody signed, to read files, or to run anything.
const (
	opDo      = "do"
	opStatus  = "status"
	opReports = "reports"
	opCondemn = "condemn"
)

type request struct {
	Op     string        `json:"op"`
	Order  Order         `json:"order"`
	Above  int64         `json:"above,omitempty"`
	Exit   protocol.Exit `json:"exit,omitempty"`
	Reason string        `json:"reason,omitempty"`
}

type response struct {
	Outcome Outcome           `json:"outcome"`
	Status  Status            `json:"status"`
	Reports []protocol.Report `json:"reports,omitempty"`
	Error   string            `json:"error,omitempty"`
}

// maxRequest holds the metadata, the manifest and an order.
const maxRequest = 40 << 20

// Serve answers on a listener until the context ends, or nobody has asked for
// as long as idle; 0 is for ever. What has begun is finished first.
func (w *Worker) Serve(ctx context.Context, l net.Listener, idle time.Duration) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var open sync.WaitGroup
	var busy atomic.Int64
	quiet := time.NewTimer(idle)
	if idle <= 0 {
		quiet.Stop()
	}
	go func() {
		for {
			select {
			case <-ctx.Done():
			case <-quiet.C:
				if busy.Load() > 0 {
					quiet.Reset(idle)
					continue
				}
			}
			if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				w.Log.Warn("close the socket", "error", err)
			}
			return // somebody may have come in at the last moment: that is finished
		}
	}()
	for {
		c, err := l.Accept()
		if err != nil {
			open.Wait()
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept on the worker's socket: %w", err)
		}
		if idle > 0 {
			quiet.Reset(idle)
		}
		busy.Add(1)
		open.Go(func() {
			defer func() {
				if busy.Add(-1) == 0 {
					debug.FreeOSMemory() // until somebody asks again
				}
			}()
			if err := w.answer(ctx, c); err != nil {
				w.Log.Warn("answer on the worker's socket", "error", err)
			}
		})
	}
}

func (w *Worker) answer(ctx context.Context, c net.Conn) error {
	err := c.SetReadDeadline(time.Now().Add(time.Minute))
	var in request
	if err == nil {
		err = json.NewDecoder(io.LimitReader(c, maxRequest)).Decode(&in)
	}
	if err == nil {
		err = json.NewEncoder(c).Encode(w.dispatch(ctx, in))
	}
	return errors.Join(err, c.Close())
}

func (w *Worker) dispatch(ctx context.Context, in request) (out response) {
	var err error
	switch in.Op {
	case opDo:
		out.Outcome = w.Do(ctx, in.Order)
	case opCondemn:
		out.Outcome = w.Condemn(ctx, in.Order, in.Exit, in.Reason)
	case opStatus:
		out.Status, err = w.Status()
	case opReports:
		out.Reports, err = w.Reports(in.Above, protocol.MaxReports)
	default:
		err = fmt.Errorf("the worker knows no operation %q", in.Op)
	}
	if err != nil {
		out.Error = err.Error()
	}
	return out
}

// Remote is a worker behind its socket, for the network half.
type Remote struct{ Path string }

func (r Remote) call(ctx context.Context, in request) (out response, err error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", r.Path)
	if err != nil {
		return out, fmt.Errorf("reach the worker: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		if err := c.SetDeadline(time.Unix(1, 0)); err != nil {
			slog.Debug("the worker's connection is gone", "error", err)
		}
	})
	defer stop()
	if err = json.NewEncoder(c).Encode(in); err == nil {
		err = json.NewDecoder(c).Decode(&out)
	}
	if err = errors.Join(err, c.Close()); err != nil {
		return out, fmt.Errorf("ask the worker: %w", err)
	}
	if out.Error != "" {
		return out, errors.New(out.Error)
	}
	return out, nil
}

// Do hands an order over and waits for what becomes of it.
func (r Remote) Do(ctx context.Context, o Order) (Outcome, error) {
	out, err := r.call(ctx, request{Op: opDo, Order: o})
	return out.Outcome, err
}

// Condemn asks for a bundle to be put into quarantine.
func (r Remote) Condemn(ctx context.Context, o Order, exit protocol.Exit, reason string) (Outcome, error) {
	out, err := r.call(ctx, request{Op: opCondemn, Order: o, Exit: exit, Reason: reason})
	return out.Outcome, err
}

// Status asks what the worker remembers.
func (r Remote) Status(ctx context.Context) (Status, error) {
	out, err := r.call(ctx, request{Op: opStatus})
	return out.Status, err
}

// Reports takes reports above a number, and lets the worker forget the rest.
func (r Remote) Reports(ctx context.Context, above int64) ([]protocol.Report, error) {
	out, err := r.call(ctx, request{Op: opReports, Above: above})
	return out.Reports, err
}

// Listen makes the socket, for the group of the network half only.
func Listen(path string, group int) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	err = os.Chmod(path, 0o660)
	if err == nil && group >= 0 {
		err = os.Chown(path, -1, group)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
