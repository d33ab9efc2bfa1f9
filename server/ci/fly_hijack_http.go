package ci

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// maxInput bounds one message of fly, which sends what was pasted in pieces of 32 kB.
	maxInput = 1 << 20
	// helloWithin is how long fly may take to say what to run.
	helloWithin = 30 * time.Second
	// hijackPing is how often the other side must show that it is there.
	hijackPing = 20 * time.Second
)

type hijackWindow struct {
	Size struct {
		Columns uint16 `json:"columns"`
		Rows    uint16 `json:"rows"`
	} `json:"window_size"`
}

func (w *hijackWindow) size() *runtime.WindowSize {
	if w == nil {
		return nil
	}
	return &runtime.WindowSize{Columns: int(w.Size.Columns), Rows: int(w.Size.Rows)}
}

// hijackSpec is fly's first message. Its "privileged" is left out on purpose: a
// session has the rights of the container that it is in.
type hijackSpec struct {
	Path string        `json:"path"`
	Args []string      `json:"args"`
	Env  []string      `json:"env"`
	Dir  string        `json:"dir"`
	User string        `json:"user"`
	TTY  *hijackWindow `json:"tty"`
}

func (h hijackSpec) exec() runtime.ExecSpec {
	return runtime.ExecSpec{Args: append([]string{h.Path}, h.Args...), Env: h.Env, Dir: h.Dir, User: h.User, TTY: h.TTY.size()}
}

type hijackInput struct {
	Closed bool          `json:"closed"`
	Stdin  []byte        `json:"stdin"`
	TTY    *hijackWindow `json:"tty"`
}

type hijackOutput struct {
	Stdout   []byte `json:"stdout,omitempty"`
	Stderr   []byte `json:"stderr,omitempty"`
	Error    string `json:"error,omitempty"`
	Exit     *int   `json:"exit_status,omitempty"`
	NotFound bool   `json:"executable_not_found,omitempty"`
}

// hijackContainer is a terminal in a container, for those who may change the team's
// pipelines: they could have read the same with a task. It takes the raw connection
// because it is a WebSocket.
func (f fly) hijackContainer(c *gin.Context) error {
	ctx := c.Request.Context()
	team, err := f.team(c, identity.Write)
	if err != nil {
		return err
	}
	row, err := f.presentOne(ctx, team.ID, c.Param("handle"))
	if err != nil {
		return err
	}
	b, err := f.build(ctx, row.Step.BuildID)
	if err != nil {
		return err
	}
	if sent, err := f.sendHome(c, b.Node, "The container"); sent {
		return err
	}
	// A browser would send the session's cookie from any page, so only our own origin may.
	inside, done, err := f.sessions.begin(ctx, row.Step.BuildID)
	if err != nil {
		return err
	}
	defer done()
	conn, err := websocket.Accept(c.Writer, c.Request, nil)
	if err != nil {
		return nil //nolint:nilerr // Accept has answered already
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxInput)
	h := &hijacked{conn: conn, idle: hijackIdle}
	if err := h.serve(inside, func(spec runtime.ExecSpec) (runtime.Session, error) { return f.hijack(inside, row, spec) }); err != nil {
		f.deps.Log.InfoContext(ctx, "a session in a container broke off", "container", row.Step.Container, "error", err)
	}
	return nil
}

// hijacked is one session on one connection.
type hijacked struct {
	conn    *websocket.Conn
	idle    time.Duration
	session runtime.Session
	moved   atomic.Int64 // counts what went through
	blocked atomic.Bool  // the reader waits for the process, so no pong is seen
}

// serve passes everything on until the process ends.
func (h *hijacked) serve(ctx context.Context, open func(runtime.ExecSpec) (runtime.Session, error)) error {
	hello, cancelHello := context.WithTimeout(ctx, helloWithin)
	defer cancelHello()
	var spec hijackSpec
	if err := wsjson.Read(hello, h.conn, &spec); err != nil || spec.Path == "" {
		return errors.Join(err, h.conn.Close(websocket.StatusUnsupportedData, "malformed process spec"))
	}
	var err error
	if h.session, err = open(spec.exec()); err != nil {
		return h.refuse(ctx, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	closeSession := sync.OnceValue(h.session.Close)
	// Whatever ends the session for another reason ends the process, and with it its output.
	defer context.AfterFunc(ctx, func() { _ = closeSession() })()
	// A context that ends during a read or write closes the connection, on which the
	// reason is still to be sent.
	last := context.WithoutCancel(ctx)
	go func() { cancel(h.readInputs(last)) }()
	go h.watch(ctx, cancel)
	var outputs sync.WaitGroup
	outputs.Go(func() {
		h.copy(last, h.session.Stdout(), func(p []byte) hijackOutput { return hijackOutput{Stdout: p} })
	})
	outputs.Go(func() {
		h.copy(last, h.session.Stderr(), func(p []byte) hijackOutput { return hijackOutput{Stderr: p} })
	})
	outputs.Wait()
	status := h.session.Wait()
	cause := context.Cause(ctx)
	out := hijackOutput{Exit: &status}
	var left websocket.CloseError
	if cause != nil && !errors.As(cause, &left) {
		out = hijackOutput{Error: cause.Error()}
	}
	if err := errors.Join(h.send(last, out), closeSession()); err != nil {
		return err
	}
	return h.conn.Close(websocket.StatusNormalClosure, "")
}

// refuse says why there is no process, in the frames that fly knows.
func (h *hijacked) refuse(ctx context.Context, err error) error {
	if errors.Is(err, runtime.ErrNoProgram) {
		if err := h.send(ctx, hijackOutput{NotFound: true}); err != nil {
			return err
		}
	}
	said := err.Error()
	var p *problem.Error
	if errors.As(err, &p) {
		said = p.Detail
	}
	return errors.Join(h.send(ctx, hijackOutput{Error: said}), h.conn.Close(websocket.StatusNormalClosure, ""))
}

// send gives a message to the connection; one that takes nothing is dead.
func (h *hijacked) send(ctx context.Context, out hijackOutput) error {
	ctx, cancel := context.WithTimeout(ctx, hijackPing)
	defer cancel()
	return wsjson.Write(ctx, h.conn, out)
}

func (h *hijacked) copy(ctx context.Context, from io.Reader, frame func([]byte) hijackOutput) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			h.moved.Add(1)
			if h.send(ctx, frame(buf[:n])) != nil {
				_, _ = io.Copy(io.Discard, from) // nobody hears it; the process ends with the session
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// readInputs returns when the other side has left, with what it said.
func (h *hijacked) readInputs(ctx context.Context) error {
	for {
		_, data, err := h.conn.Read(ctx)
		if err != nil {
			return err
		}
		var in hijackInput
		if err := json.Unmarshal(data, &in); err != nil {
			return errors.New("malformed input")
		}
		h.moved.Add(1)
		if err := h.input(in); err != nil {
			if err := h.send(ctx, hijackOutput{Error: err.Error()}); err != nil {
				return err
			}
		}
	}
}

func (h *hijacked) input(in hijackInput) error {
	switch {
	case in.Closed:
		_ = h.session.Stdin().Close() // closed already is fine
	case in.TTY != nil:
		return h.session.Resize(*in.TTY.size())
	default:
		h.blocked.Store(true)
		_, _ = h.session.Stdin().Write(in.Stdin) // a process need not read its input
		h.blocked.Store(false)
	}
	return nil
}

// watch ends a session whose other side is gone, or in which nothing moves.
func (h *hijacked) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(hijackPing)
	defer tick.Stop()
	still, seen := time.Duration(0), h.moved.Load()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if now := h.moved.Load(); now != seen {
			still, seen = 0, now
		} else if still += hijackPing; still >= h.idle {
			cancel(errors.New("idle timeout (" + h.idle.String() + ") reached"))
			return
		}
		if h.blocked.Load() {
			continue
		}
		within, done := context.WithTimeout(context.WithoutCancel(ctx), hijackPing)
		err := h.conn.Ping(within)
		done()
		if err != nil && !h.blocked.Load() {
			cancel(err)
			return
		}
	}
}
