package logs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/logs/wire/grpc"
)

// setupOn is setup over a store that the test shapes, with a clock of its own.
func setupOn(t *testing.T, o store.Options, now func() time.Time) world {
	t.Helper()
	o.Dir, o.Memory, o.Now = t.TempDir(), 32<<20, now
	lines, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s := New(Deps{Store: lines, Now: now, Log: slog.New(slog.DiscardHandler), Identify: identify, MaxBody: 1 << 20, MaxDecoded: 4 << 20})
	server := httptest.NewServer(handler(s))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := lines.Close(); err != nil {
			t.Error(err)
		}
	})
	return world{t, s, server.URL}
}

// TestDiskFull: each way in says in its own words that the batch is to be sent again, search goes on, and streams
// without answers wait for room.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	free := atomic.Int64{}
	free.Store(1 << 40)
	w := setupOn(t, store.Options{DiskFree: func(string) (int64, int64, error) { return free.Load(), 1 << 40, nil }}, func() time.Time { return noon })
	l := w.listen(Listening{Syslog: anyPort, SyslogTeam: 1, Fluent: anyPort, FluentTeam: 1})
	port, err := w.ListenOTLP(t.Context(), anyPort, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close(context.WithoutCancel(t.Context())) })
	w.push()
	free.Store(1 << 20)
	until(t, "the store to look at the disk", func() bool {
		status, _ := w.call("POST", "/insert/jsonline", `{"msg":"filling"}`, red)
		return status == http.StatusServiceUnavailable
	})
	stamp := noon.Format(time.RFC3339)
	tests := []struct {
		name, path, body, kind string
		status                 int
		says                   string
	}{
		{"Loki", "/loki/api/v1/push", fmt.Sprintf(`{"streams":[{"stream":{"a":"b"},"values":[["%d","late"]]}]}`, noon.UnixNano()), "application/json", 503, "full"},
		{"bulk", "/elasticsearch/_bulk", `{"create":{"_index":"x"}}` + "\n" + `{"@timestamp":"` + stamp + `","message":"late"}` + "\n", "application/x-ndjson", 503, "full"},
		{"OTLP", "/v1/logs", string(logRecord("late")), "application/x-protobuf", 503, "full"},
		{"JSON lines", "/insert/jsonline", `{"msg":"late"}`, "application/x-ndjson", 503, "full"},
		{"journal", "/insert/journald/upload", "MESSAGE=late\n\n", "application/vnd.fdo.journal", 503, "full"},
	}
	for _, c := range tests {
		req, err := http.NewRequestWithContext(t.Context(), "POST", w.url+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer red")
		req.Header.Set("Content-Type", c.kind)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != c.status || !strings.Contains(string(raw), c.says) || res.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %s %v %s", c.name, res.Status, res.Header, raw)
		}
	}
	if status, message, _ := w.export(grpcClient(t, false), "http://"+port.Addr.String()+exportMethod, grpc.Frame(logRecord("late")), "authorization: Bearer red"); status != "14" || !strings.Contains(message, "full") {
		t.Error("gRPC:", status, message)
	}
	chunk := w.dial("tcp", l.Fluent)
	w.send(chunk, event("late", "abc="))
	if rest, _ := io.ReadAll(chunk); len(rest) != 0 { // no acknowledgement: the client sends again
		t.Errorf("%q", rest)
	}
	waits := w.dial("tcp", l.SyslogTCP)
	w.send(waits, "<13>1 "+stamp+" w1 app - - - waiting for room\n")
	if n := len(w.search(red, "refused").Lines); n != 1 {
		t.Errorf("search finds %d lines while the disk is full", n)
	}
	if n := len(w.search(red, "late").Lines); n != 0 {
		t.Errorf("%d lines were kept and their senders told otherwise", n)
	}
	free.Store(1 << 40)
	w.until("waiting room", 1)
	if status, text := w.call("POST", "/insert/jsonline", `{"msg":"room again"}`, red); status != http.StatusOK {
		t.Error(status, text)
	}
}

// TestIntakeWhileTheClockIsWrong: lines keep the times that their senders give them, whatever this machine's clock shows.
func TestIntakeWhileTheClockIsWrong(t *testing.T) {
	t.Parallel()
	clock := atomic.Int64{}
	clock.Store(noon.UnixNano())
	w := setupOn(t, store.Options{}, func() time.Time { return time.Unix(0, clock.Load()).UTC() })
	if _, err := w.Store.Retain(t.Context()); err != nil {
		t.Fatal(err)
	}
	accept := func(text string, at time.Time) {
		t.Helper()
		if err := w.Accept(t.Context(), Batch{Team: 1, Source: "x", Records: []record.Record{{Time: at, Message: text}}}); err != nil {
			t.Fatal(err)
		}
	}
	clock.Store(0) // a dead battery
	accept("sent right", noon.Add(time.Second))
	accept("sent without a time", time.Time{})
	clock.Store(noon.AddDate(1, 0, 0).UnixNano())
	accept("sent while ahead", noon.Add(2*time.Second))
	if gone, err := w.Store.Retain(t.Context()); err != nil || len(gone) != 0 {
		t.Error(gone, err)
	}
	clock.Store(noon.UnixNano())
	accept("from a sender that is ahead", noon.AddDate(0, 0, 40))
	if lines := w.search(red, "sent or sender").Lines; len(lines) != 4 {
		t.Errorf("%+v", lines)
	}
	if lines := w.search(red, "claimed_time:*").Lines; len(lines) != 1 || lines[0].Message != "from a sender that is ahead" {
		t.Errorf("%+v", lines)
	}
}
