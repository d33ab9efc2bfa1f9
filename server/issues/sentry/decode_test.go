package sentry

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/signalbox/signalbox/server/platform/content"
)

// encoders are the encodings that clients send.
var encoders = map[string]func(io.Writer) io.WriteCloser{
	"gzip":     func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"deflate":  func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"br":       func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, 1) },
	"raw":      func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 1); return f },
	"zstd":     func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w, zstd.WithWindowSize(1<<20)); return z },
	"identity": func(w io.Writer) io.WriteCloser { return nopCloser{w} },
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func wireName(name string) string {
	if name == "raw" {
		return "deflate"
	}
	return name
}

func TestDecode(t *testing.T) {
	t.Parallel()
	const text = `{"event_id":"1"}` + "\n"
	for name, encoder := range encoders {
		var buf bytes.Buffer
		w := encoder(&buf)
		io.WriteString(w, text)
		w.Close()
		for _, limit := range []int64{1000, int64(len(text))} {
			r, err := content.Decode(bytes.NewReader(buf.Bytes()), wireName(name), limit)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got, err := io.ReadAll(r); err != nil || string(got) != text {
				t.Errorf("%s, limit %d: %q, %v", name, limit, got, err)
			}
		}
		r, err := content.Decode(bytes.NewReader(buf.Bytes()), wireName(name), int64(len(text))-1)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := io.ReadAll(r); !errors.Is(err, ErrTooLarge) || len(got) != len(text)-1 {
			t.Errorf("%s over its limit: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestDecodeLayersAndNonsense(t *testing.T) {
	t.Parallel()
	var inner, outer bytes.Buffer
	z := gzip.NewWriter(&inner)
	io.WriteString(z, "hello")
	z.Close()
	b := brotli.NewWriter(&outer)
	b.Write(inner.Bytes())
	b.Close()
	r, err := content.Decode(&outer, " GZIP, br", 100)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != "hello" || err != nil {
		t.Errorf("two layers: %q, %v", got, err)
	}
	var m *MalformedError
	if _, err := content.Decode(strings.NewReader(""), "gzip,gzip,gzip", 9); !errors.As(err, &m) {
		t.Errorf("three layers: %v", err)
	}
	if _, err := content.Decode(strings.NewReader(""), "lzma", 9); !errors.As(err, &m) {
		t.Errorf("unknown: %v", err)
	}
	for name := range encoders {
		if name == "identity" || name == "raw" {
			continue
		}
		r, err := content.Decode(strings.NewReader("this is not compressed"), name, 100)
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if !errors.As(err, &m) {
			t.Errorf("%s of plain text: %v", name, err)
		}
	}
}

// bomb is a reader of a gigabyte that is small on the wire: one member
// repeated, which gzip and zstd join. The others cannot be joined and take long
// to make; they get 160 MB, more than the limit.
func bomb(t testing.TB, name string) io.Reader {
	t.Helper()
	var member bytes.Buffer
	w := encoders[name](&member)
	zeros := make([]byte, 1<<20)
	n, members := 16, 64
	if name == "br" || name == "deflate" {
		n, members = 160, 1
	}
	for range n {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	readers := []io.Reader{bytes.NewReader(member.Bytes())}
	for range members - 1 {
		readers = append(readers, bytes.NewReader(member.Bytes()))
	}
	return io.MultiReader(readers...)
}

// A gigabyte in a small body must be refused without being held. The test is
// not parallel because it measures the heap.
func TestBombsStaySmall(t *testing.T) {
	for _, name := range []string{"gzip", "deflate", "br", "zstd"} {
		body := bomb(t, name)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		r, err := content.Decode(body, name, DefaultLimits().Decoded)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ReadEnvelope(io.MultiReader(strings.NewReader("{}\n{\"type\":\"event\"}\n"), r), DefaultLimits())
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		if used := int64(after.TotalAlloc - before.TotalAlloc); used > 48<<20 {
			t.Errorf("%s: %d MB were allocated", name, used>>20)
		}
	}
}

func TestParseAuth(t *testing.T) {
	t.Parallel()
	h := func(kv ...string) http.Header {
		out := http.Header{}
		for i := 0; i < len(kv); i += 2 {
			out.Set(kv[i], kv[i+1])
		}
		return out
	}
	cases := []struct {
		name   string
		header http.Header
		query  string
		dsn    string
		want   Auth
		err    error
	}{
		{"header", h("X-Sentry-Auth", "Sentry sentry_key=k1, sentry_version=7, sentry_client=a/1"), "", "", Auth{"k1", "a/1", "7"}, nil},
		{"header, other order, no spaces", h("X-Sentry-Auth", "sentry sentry_version=7,sentry_client=a/1,sentry_timestamp=1,sentry_key=k1"), "", "", Auth{"k1", "a/1", "7"}, nil},
		{"authorization", h("Authorization", "Sentry sentry_key=k1"), "", "", Auth{Key: "k1"}, nil},
		{"bearer is not ours", h("Authorization", "Bearer k1"), "", "", Auth{}, ErrNoAuth},
		{"query", h(), "sentry_key=k1&sentry_version=7&sentry_client=b%2F2", "", Auth{"k1", "b/2", "7"}, nil},
		{"dsn", h("User-Agent", "sentry.go/1"), "", "http://k1@h:1/2", Auth{Key: "k1", Client: "sentry.go/1"}, nil},
		{"dsn with secret", h(), "", "http://k1:s@h/2", Auth{Key: "k1"}, nil},
		{"all agree", h("X-Sentry-Auth", "Sentry sentry_key=k1"), "sentry_key=k1", "http://k1@h/1", Auth{Key: "k1"}, nil},
		{"they disagree", h("X-Sentry-Auth", "Sentry sentry_key=k1"), "sentry_key=k2", "", Auth{}, ErrAuthConflict},
		{"dsn disagrees", h("X-Sentry-Auth", "Sentry sentry_key=k1"), "", "http://k2@h/1", Auth{}, ErrAuthConflict},
		{"none", h(), "", "", Auth{}, ErrNoAuth},
		{"broken dsn", h(), "", "::", Auth{}, ErrNoAuth},
		{"no key's characters", h(), "sentry_key=a%20b%27", "", Auth{}, ErrNoAuth},
		{"too long", h(), "sentry_key=" + strings.Repeat("a", 200), "", Auth{}, ErrNoAuth},
	}
	for _, c := range cases {
		q, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseAuth(c.header, q, c.dsn)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestCategory(t *testing.T) {
	t.Parallel()
	for itemType, want := range map[string]string{"event": "error", "transaction": "transaction", "span": "span", "attachment": "attachment",
		"session": "session", "sessions": "session", "check_in": "monitor", "feedback": "feedback", "user_report": "feedback", "log": "log_item",
		"trace_metric": "trace_metric", "client_report": "internal", "replay_video": "replay", "profile": "profile", "": "default", "x": "default"} {
		if got := Category(itemType); got != want {
			t.Errorf("%s: %s, want %s", itemType, got, want)
		}
	}
	if Known("replay_event") || !Known("event") {
		t.Error("replays are not kept, events are")
	}
}
