package apply

import (
	"bytes"
	"context"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

// behind serves a worker on a socket until the test ends, or it ends by itself.
func behind(t *testing.T, w *Worker, idle time.Duration) (Remote, <-chan error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path, -1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Serve(ctx, l, idle) }()
	t.Cleanup(stop)
	return Remote{Path: path}, ended
}

func TestSocket(t *testing.T) {
	t.Parallel()
	b := paperBench(t, upgrade)
	remote, _ := behind(t, b.worker, 0)
	ctx := t.Context()
	st, err := remote.Status(ctx)
	if err != nil || st.Record.Run.State != protocol.StateIdle || !st.Pinned {
		t.Fatal(st, err)
	}
	out, err := remote.Do(ctx, b.order())
	if err != nil {
		t.Fatal(err)
	}
	b.want(out, protocol.StateSucceeded, protocol.ExitOK, "")
	list, err := remote.Reports(ctx, 0)
	if err != nil || len(list) < 4 || list[0].Seq != 1 {
		t.Fatal(list, err)
	}
	last := list[len(list)-1].Seq
	if list, err = remote.Reports(ctx, last); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	if list, err = b.worker.Reports(0, 10); err != nil || len(list) != 0 {
		t.Error("what was taken is still there", list, err)
	}
	if st, err = remote.Status(ctx); err != nil || len(st.Stash) != 4 || st.Record.Current != "b2" {
		t.Error(st, err)
	}
}

// Whoever reaches the socket can say what they like.
func TestSocketTakesNoNonsense(t *testing.T) {
	t.Parallel()
	b := paperBench(t, upgrade)
	remote, _ := behind(t, b.worker, 0)
	for name, text := range map[string]string{
		"nothing": "", "no json": "GET / HTTP/1.0\r\n\r\n", "another type": `{"op":7}`, "an unknown operation": `{"op":"shell","reason":"rm -rf /"}`,
		"an order of nobody": `{"op":"do","order":{"envelope":{"payload":"e30=","key_id":"x","signature":"eA=="}}}`, "no order": `{"op":"do"}`,
		"deep": strings.Repeat(`{"order":`, 50_000), "a quarantine of nobody": `{"op":"condemn","exit":3,"reason":"x"}`,
	} {
		c, err := net.Dial("unix", remote.Path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(text)); err != nil {
			t.Logf("%s: %v", name, err) // it has hung up already
		}
		if err := c.(*net.UnixConn).CloseWrite(); err != nil {
			t.Logf("%s: %v", name, err)
		}
		raw, err := io.ReadAll(c)
		if err != nil {
			t.Logf("%s: %v", name, err)
		}
		if bytes.Contains(raw, []byte(`"state":"succeeded"`)) {
			t.Errorf("%s: %s", name, raw)
		}
		c.Close()
	}
	st, err := remote.Status(t.Context())
	if err != nil || st.Record.Run.State != protocol.StateIdle || len(st.Record.Quarantined) != 0 {
		t.Error(st.Record, err)
	}
	if got := b.worker.System.(*paper).read(); got["till"] != "1.0" {
		t.Error(got)
	}
}

func TestSocketEndsWhenNobodyAsks(t *testing.T) {
	t.Parallel()
	b := paperBench(t, upgrade)
	remote, ended := behind(t, b.worker, 300*time.Millisecond)
	if _, err := remote.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := remote.Status(t.Context()); err == nil {
		t.Error("it still answers")
	}
}
