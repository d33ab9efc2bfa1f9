package logs

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

func TestOTLP(t *testing.T) {
	t.Parallel()
	w := setup(t)
	raw, err := os.ReadFile("wire/otlp/testdata/request.json")
	if err != nil {
		t.Fatal(err)
	}
	long := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":5},{"body":{"stringValue":"fine"}}]}]}]}`
	const isProto = "Content-Type: application/x-protobuf"
	tests := []struct {
		name, body string
		header     []string
		status     int
		want       string
	}{
		{"JSON", string(raw), []string{red, isJSON}, 200, "{}"},
		{"protobuf", "\x0a\x0c\x12\x0a\x12\x08\x2a\x06\x0a\x04wire", []string{red, isProto}, 200, ""},
		{"nothing", "", []string{red, isProto}, 200, ""},
		{"an odd record", long, []string{red, isJSON}, 200, `{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"a log record cannot be read (1)"}}`},
		{"no token", "{}", []string{isJSON}, 401, `{"code":16,`},
		{"a reader", "{}", []string{isJSON, reader}, 403, `{"code":7,`},
		{"no JSON", "{", []string{isJSON, red}, 400, `{"code":3,`},
		{"no protobuf", "hello", []string{isProto, red}, 400, "\x08\x03\x12"},
		{"large", strings.Repeat("x", 2<<20), []string{isProto, red}, 413, "larger than allowed"},
	}
	for _, test := range tests {
		status, text := w.call("POST", "/v1/logs", test.body, test.header...)
		if status != test.status || !strings.Contains(text, test.want) || test.want == "" && text != "" {
			t.Errorf("%s: %d %q", test.name, status, text)
		}
	}
	for query, want := range map[string]int{"service:api": 2, "trace_id:5b8efff798038103d269b633813fc60c": 1, "wire": 1, "n:* inner": 1, "http.status:>500": 1, "fine": 1} {
		if got := w.search(red, query); len(got.Lines) != want {
			t.Errorf("%s: %d lines, want %d", query, len(got.Lines), want)
		}
	}
	if status, _ := w.call("POST", "/otlp/v1/logs", "{}", red, isJSON); status != http.StatusOK {
		t.Errorf("Loki's address for it: %d", status)
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const path, isJournal = "/insert/journald/upload", "Content-Type: application/vnd.fdo.journal"
	entry := "MESSAGE=journal one\nPRIORITY=3\n_HOSTNAME=w1\n_SYSTEMD_UNIT=ssh.service\n\n"
	tests := []struct {
		name, body string
		header     []string
		status     int
		want       string
	}{
		{"two entries and one without a message", entry + "PRIORITY=3\n\nMESSAGE=journal two\n", []string{red}, 202, "OK.\n"},
		{"nothing", "", []string{red}, 202, "OK.\n"},
		{"garbage behind an entry", "MESSAGE=before garbage\n\nhello world\n", []string{red}, 400, "export format"},
		{"cut off", "MESSAGE\n\x05\x00", []string{red}, 400, "middle of an entry"},
		{"a wrong encoding", entry, []string{red, "Content-Encoding: xz"}, 400, "xz"},
		{"no token", entry, nil, 401, "token"},
	}
	for _, test := range tests {
		if status, text := w.call("POST", path, test.body, append(test.header, isJournal)...); status != test.status || !strings.Contains(text, test.want) {
			t.Errorf("%s: %d %q", test.name, status, text)
		}
	}
	for query, want := range map[string]int{"journal": 2, "service:ssh host:w1 level:error": 1, "garbage": 1} {
		if got := w.search(red, query); len(got.Lines) != want {
			t.Errorf("%s: %d lines, want %d", query, len(got.Lines), want)
		}
	}
}

// TestJournalThatFollows holds that lines are kept while the request goes on.
func TestJournalThatFollows(t *testing.T) {
	t.Parallel()
	w := setup(t)
	body, in := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/insert/journald/upload", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer red")
	req.Header.Set("Expect", "100-continue")
	status := make(chan int, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			status <- 0
			return
		}
		res.Body.Close()
		status <- res.StatusCode
	}()
	for i := range 3 {
		if _, err := io.WriteString(in, "MESSAGE=following "+strconv.Itoa(i)+"\n\n"); err != nil {
			t.Fatal(err)
		}
		w.until("following", i+1)
	}
	in.Close()
	if got := <-status; got != http.StatusAccepted {
		t.Error(got)
	}
}

// until waits for the reds to find so many lines.
func (w world) until(query string, lines int) {
	w.Helper()
	n := 0
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if n = len(w.search(red, query).Lines); n == lines {
			return
		}
	}
	w.Fatalf("%s: %d lines, want %d", query, n, lines)
}

func TestGathering(t *testing.T) {
	t.Parallel()
	left, kept := 10_000, 0
	g := gathering{
		next: func() (record.Record, error) {
			if left == 0 {
				return record.Record{}, io.EOF
			}
			left--
			return record.Record{Message: strings.Repeat("x", 5000)}, nil
		},
		keep: func(_ context.Context, records []record.Record) error {
			kept += len(records)
			return nil
		},
		interrupt: func() {},
	}
	if read, failed := g.run(t.Context()); read != io.EOF || failed != nil || kept != 10_000 {
		t.Errorf("%v %v %d", read, failed, kept)
	}
	// What cannot be kept ends the stream, and a reader that waits is woken.
	full, woken, sent := errors.New("full"), make(chan struct{}), false
	g.next = func() (record.Record, error) {
		if sent {
			<-woken
			return record.Record{}, io.ErrClosedPipe
		}
		sent = true
		return record.Record{}, nil
	}
	g.keep = func(context.Context, []record.Record) error { return full }
	g.interrupt = func() { close(woken) }
	if read, failed := g.run(t.Context()); read != io.ErrClosedPipe || failed != full {
		t.Errorf("%v %v", read, failed)
	}
}
