package sentry

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"

	"github.com/signalbox/signalbox/server/platform/content"
)

var update = flag.Bool("update", false, "write the golden files anew")

// recording is a request exactly as a real client sent it; the body is decoded.
type recording struct {
	name   string
	method string
	path   string
	header http.Header
	query  map[string][]string
	body   []byte
}

func recordings(t testing.TB) []recording {
	t.Helper()
	names, err := filepath.Glob("testdata/requests/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	var out []recording
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, readRecording(t, strings.TrimSuffix(filepath.Base(name), ".txt"), raw))
	}
	return out
}

func readRecording(t testing.TB, name string, raw []byte) recording {
	t.Helper()
	end := bytes.Index(raw, []byte("\n\n"))
	if crlf := bytes.Index(raw, []byte("\r\n\r\n")); crlf >= 0 && (end < 0 || crlf < end) {
		end = crlf + 2
	}
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(
		dropFraming(string(raw[:end])) + "\r\n\r\n")))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	body := bytes.TrimPrefix(raw[end:], []byte("\r"))
	body = bytes.TrimPrefix(bytes.TrimPrefix(body, []byte("\n")), []byte("\r"))
	body = bytes.TrimPrefix(body, []byte("\n"))
	return recording{name: name, method: req.Method, path: req.URL.Path, header: req.Header, query: req.URL.Query(), body: body}
}

// dropFraming removes what would make net/http wait for a body.
func dropFraming(head string) string {
	var keep []string
	for line := range strings.Lines(head) {
		l := strings.ToLower(line)
		if !strings.HasPrefix(l, "transfer-encoding:") && !strings.HasPrefix(l, "content-length:") {
			keep = append(keep, strings.TrimRight(line, "\r\n"))
		}
	}
	return strings.Join(keep, "\r\n")
}

// goldenItem is how an item stands in a golden file.
type goldenItem struct {
	Type   string
	Item   any
	Length int
}

var arrived = time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC)

func TestRecordedClients(t *testing.T) {
	t.Parallel()
	for _, rec := range recordings(t) {
		t.Run(rec.name, func(t *testing.T) {
			t.Parallel()
			env := readRecorded(t, rec)
			if _, err := ParseAuth(rec.header, rec.query, env.Header.DSN); err != nil {
				t.Fatalf("auth: %v", err)
			}
			if len(env.Items) == 0 {
				t.Fatal("no items")
			}
			var items []goldenItem
			for _, item := range env.Items {
				if item.TooLarge {
					t.Fatalf("%s counts as too large", item.Type)
				}
				// Sent and received at the same moment: no drift.
				items = append(items, goldenItem{item.Type, parseItem(t, item, env.Header.SentAt), len(item.Payload)})
			}
			compareGolden(t, filepath.Join("testdata/golden", rec.name+".json"), map[string]any{
				"header": env.Header, "items": items,
			})
		})
	}
}

// readRecorded sends the body through the encoding that the client used.
func readRecorded(t testing.TB, rec recording) Envelope {
	t.Helper()
	encoding := rec.header.Get("Content-Encoding")
	body, err := content.Decode(bytes.NewReader(encode(t, encoding, rec.body)), encoding, DefaultLimits().Decoded)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(rec.path, "/store/") {
		raw, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		env, err := ReadStore(raw)
		if err != nil {
			t.Fatal(err)
		}
		return env
	}
	env, err := ReadEnvelope(body, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func encode(t testing.TB, encoding string, body []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&buf)
	case "br":
		w = brotli.NewWriter(&buf)
	default:
		return body
	}
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func parseItem(t testing.TB, item Item, sent time.Time) any {
	t.Helper()
	when := arrived
	if !sent.IsZero() {
		when = sent
	}
	var v any
	var err error
	switch item.Type {
	case "event", "transaction", "feedback":
		v, err = ParseEvent(item.Payload, when, sent)
	case "session":
		v, err = ParseSession(item.Payload, when)
	case "sessions":
		v, err = ParseSessions(item.Payload, when, 100)
	case "check_in":
		v, err = ParseCheckIn(item.Payload)
	case "client_report":
		v, err = ParseClientReport(item.Payload, when)
	case "user_report":
		v, err = ParseUserReport(item.Payload)
	case "log":
		v, err = ParseLogs(item.Payload, when)
	case "trace_metric":
		v, err = ParseMetrics(item.Payload, when)
	case "span":
		v, err = ParseSpans(item.Payload, when)
	case "attachment":
		return map[string]any{"filename": item.Filename, "content_type": item.ContentType, "text": string(item.Payload)}
	default:
		t.Fatalf("an item of type %q", item.Type)
	}
	if err != nil {
		t.Fatalf("%s: %v", item.Type, err)
	}
	return v
}

func compareGolden(t testing.TB, name string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run with -update and look at the difference.\ngot:\n%s", name, got)
	}
}

// The stored form must read back to itself: the page is made from it.
func TestStoredFormReadsBack(t *testing.T) {
	t.Parallel()
	for _, rec := range recordings(t) {
		for _, item := range readRecorded(t, rec).Items {
			if item.Type != "event" && item.Type != "transaction" && item.Type != "feedback" {
				continue
			}
			e, err := ParseEvent(item.Payload, arrived, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			first, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			var back Event
			if err := json.Unmarshal(first, &back); err != nil {
				t.Fatalf("%s: %v", rec.name, err)
			}
			second, err := json.Marshal(back)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first, second) {
				t.Errorf("%s: stored form changes:\n%s\n%s", rec.name, first, second)
			}
		}
	}
}
