package fluent

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

var limits = Limits{Message: 1 << 20, Decoded: 1 << 20, Line: 100}

// wire are bytes that stand for themselves in what pack writes.
type wire []byte

// pack writes values as clients do.
func pack(v any) []byte {
	switch v := v.(type) {
	case nil:
		return []byte{0xc0}
	case bool:
		if v {
			return []byte{0xc3}
		}
		return []byte{0xc2}
	case int:
		return []byte{0xd2, byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
	case string:
		return appendStr(nil, v)
	case []byte:
		out := []byte{0xc6, 0, 0, byte(len(v) >> 8), byte(len(v))}
		return append(out, v...)
	case wire:
		return v
	case []any:
		out := []byte{0xdc, byte(len(v) >> 8), byte(len(v))}
		for _, item := range v {
			out = append(out, pack(item)...)
		}
		return out
	case map[string]any:
		out := []byte{0x80 | byte(len(v))}
		for name, item := range v {
			out = append(append(out, pack(name)...), pack(item)...)
		}
		return out
	}
	panic(fmt.Sprintf("%T", v))
}

// eventTimes of noon and a bit.
var (
	noon    = wire("\xd7\x00\x6b\x00\x36\x40\x00\x00\x00\x05")
	noonExt = wire("\xc7\x08\x00\x6b\x00\x36\x40\x00\x00\x00\x05")
)

type events = []any

func zipped(raw []byte) []byte {
	var b bytes.Buffer
	for _, part := range [][]byte{raw[:len(raw)/2], raw[len(raw)/2:]} { // several members, as clients append
		w := gzip.NewWriter(&b)
		if _, err := w.Write(part); err != nil {
			panic(err)
		}
		if err := w.Close(); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func show(m Message) string {
	var out strings.Builder
	for _, r := range m.Records {
		at := "-"
		if !r.Time.IsZero() {
			at = r.Time.Format(time.RFC3339Nano)
		}
		fmt.Fprintf(&out, "%s %s %q %v;", at, r.Stream.Key(), r.Message, r.Fields)
	}
	return fmt.Sprint(out.String(), m.Rejected, m.Chunk)
}

func TestModes(t *testing.T) {
	t.Parallel()
	one := map[string]any{"log": "one\n"}
	packed := append(pack(events{noon, one}), pack(events{noonExt, map[string]any{"message": "two"}})...)
	both := `2026-11-20T12:00:00.000000005Z {service="t"} "one" [{tag t 0}];2026-11-20T12:00:00.000000005Z {service="t"} "two" [{tag t 0}];map[]`
	tests := []struct {
		name string
		sent any
		want string
	}{
		{"message", events{"t", noon, one}, `2026-11-20T12:00:00.000000005Z {service="t"} "one" [{tag t 0}];map[]`},
		{"message in seconds with an option", events{"t", 1795176000, one, map[string]any{"chunk": "abc="}}, `2026-11-20T12:00:00Z {service="t"} "one" [{tag t 0}];map[]abc=`},
		{"forward", events{"t", events{events{noon, one}, events{noonExt, map[string]any{"message": "two"}}}}, both},
		{"forward with metadata", events{"t", events{events{events{noon, map[string]any{}}, one}}, map[string]any{"fluent_signal": 0}}, `2026-11-20T12:00:00.000000005Z {service="t"} "one" [{tag t 0}];map[]`},
		{"packed", events{"t", packed, map[string]any{"chunk": "x"}}, both + "x"},
		{"packed as text", events{"t", string(packed), map[string]any{"compressed": "text"}}, both},
		{"compressed", events{"t", zipped(packed), map[string]any{"compressed": "gzip"}}, both},
		{"a group of Fluent Bit", events{"t", events{events{-1, one}, events{wire("\xd7\x00\xff\xff\xff\xfe\x00\x00\x00\x00"), one}}}, `map[]`},
		{"metrics", events{"t", packed, map[string]any{"fluent_signal": 1, "chunk": "y"}}, `map[metrics and traces are no log lines:1]y`},
		{"odd events", events{"t", events{5, events{noon}, events{noon, 5}, events{nil, one}}}, `- {service="t"} "one" [{tag t 0}];map[an event is no pair of time and record:2 an event's record is no map:1]`},
		{"Docker", events{"docker.x", noon, map[string]any{"container_name": "/shop-api", "log": []byte("a\xffb")}}, `2026-11-20T12:00:00.000000005Z {service="shop-api"} "a�b" [{tag docker.x 0}];map[]`},
		{"a nested record", events{"", noon, map[string]any{"k": map[string]any{"a": events{1, "<x>", nil, map[string]any{"z": true}}}}}, `2026-11-20T12:00:00.000000005Z {} "" [{k.a [1,"<x>",null,{"z":true}] 3}];map[]`},
		{"a long line", events{"t", noon, map[string]any{"msg": strings.Repeat("x", 200)}}, `2026-11-20T12:00:00.000000005Z {service="t"} "` + strings.Repeat("x", 100) + `" [{tag t 0}];map[]`},
	}
	for _, test := range tests {
		r := NewReader(bytes.NewReader(append([]byte{0xc0}, pack(test.sent)...)), limits)
		m, err := r.Next()
		if err != nil || show(m) != test.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", test.name, err, show(m), test.want)
		}
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("%s: behind it %v", test.name, err)
		}
	}
}

func TestKindsOfNumbers(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"\x05": "5", "\xff": "-1", "\xcc\xff": "255", "\xcd\x01\x00": "256", "\xce\x00\x01\x00\x00": "65536", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff": "18446744073709551615",
		"\xd0\x80": "-128", "\xd1\xff\x00": "-256", "\xd2\xff\xff\x00\x00": "-65536", "\xd3\xff\xff\xff\xff\xff\xff\xff\xfe": "-2",
		"\xca\x3f\xc0\x00\x00": "1.5", "\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00": "1.5", "\xc2": "false", "\xc3": "true", "\xc0": "null", "\xa1x": `"x"`, "\xd9\x01x": `"x"`, "\xda\x00\x01x": `"x"`,
		"\xc4\x01x": `"x"`, "\xc5\x00\x01x": `"x"`, "\xd4\x01x": `"x"`, "\x91\x05": "[5]", "\xdd\x00\x00\x00\x01\x05": "[5]", "\x81\x05\x06": `{"5":6}`, "\xde\x00\x01\xa1a\x06": `{"a":6}`,
		"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x01": `"NaN"`,
	} {
		d := decoder{r: strings.NewReader(raw), room: 1000}
		v, err := d.next(0)
		if got := string(appendJSON(nil, v)); err != nil || got != want {
			t.Errorf("%x: %s, want %s: %v", raw, got, want, err)
		}
	}
}

func TestOddStreams(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		raw  []byte
		want error
	}{
		{"nothing", nil, io.EOF},
		{"HTTP", []byte("GET / HTTP/1.1\r\n"), ErrMalformed},
		{"no such head", []byte{0xc1}, ErrMalformed},
		{"a short list", pack(events{"t"}), ErrMalformed},
		{"an event without a record", pack(events{"t", 5}), ErrMalformed},
		{"cut off", pack(events{"t", noon, map[string]any{"a": "b"}})[:12], io.ErrUnexpectedEOF},
		{"a length that only claims", []byte("\x92\xa1t\xc6\x7f\xff\xff\xff"), ErrTooLarge},
		{"many empty lists", append([]byte("\x92\xa1t\xdd\x00\x0f\xff\xff"), bytes.Repeat([]byte{0x90}, 1<<20)...), ErrTooLarge},
		{"a deep list", bytes.Repeat([]byte{0x91}, 100), ErrTooLarge},
		{"no gzip", pack(events{"t", []byte("hello"), map[string]any{"compressed": "gzip"}}), ErrMalformed},
		{"an unknown compression", pack(events{"t", []byte("hello"), map[string]any{"compressed": "lzma"}}), ErrMalformed},
		{"a bomb", pack(events{"t", zipped(make([]byte, 8<<20)), map[string]any{"compressed": "gzip"}}), ErrMalformed},
		{"packed and cut off", pack(events{"t", pack(events{noon, "x"})[:5]}), ErrMalformed},
	}
	for _, test := range tests {
		if _, err := NewReader(bytes.NewReader(test.raw), limits).Next(); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	nonce := []byte("0123456789abcdef")
	hello, err := (&decoder{r: bytes.NewReader(Hello(nonce)), room: 1000}).next(0)
	if got := string(appendJSON(nil, hello)); err != nil || got != `["HELO",{"nonce":"0123456789abcdef","auth":"","keepalive":true}]` {
		t.Errorf("%s %v", got, err)
	}
	ping := func(key string) Ping {
		raw := pack(events{"PING", "client", []byte("salt"), digest("salt", "client", nonce, key), "", ""})
		p, err := NewReader(bytes.NewReader(raw), limits).Ping()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := ping("secret")
	if !p.Knows(nonce, "secret") || p.Knows(nonce, "other") || p.Knows([]byte("another"), "secret") || ping("other").Knows(nonce, "secret") {
		t.Error("the key is not what decides")
	}
	for refusal, want := range map[string]string{"": `["PONG",true,"","server","` + digest("salt", "server", nonce, "secret") + `"]`, "no": `["PONG",false,"no","server",""]`} {
		v, err := (&decoder{r: bytes.NewReader(p.Pong("server", nonce, "secret", refusal)), room: 1000}).next(0)
		if got := string(appendJSON(nil, v)); err != nil || got != want {
			t.Errorf("%s, want %s: %v", got, want, err)
		}
	}
	// The digest of the specification: SHA-512 of salt, host, nonce and key.
	if got := digest("a", "b", []byte("c"), "d"); got[:16] != hex.EncodeToString([]byte{0xd8, 0x02, 0x2f, 0x20, 0x60, 0xad, 0x6e, 0xfd}) {
		t.Error(got)
	}
	for _, bad := range [][]byte{nil, pack(5), pack(events{"PONG", "a", "b", "c"}), pack(events{"PING"}), append([]byte{0xc6, 0, 1, 0, 0}, make([]byte, 1<<16)...)} {
		if _, err := NewReader(bytes.NewReader(bad), limits).Ping(); err == nil {
			t.Errorf("%x: no error", bad[:min(len(bad), 8)])
		}
	}
	if got := Ack("abc="); string(got) != "\x81\xa3ack\xa4abc=" {
		t.Errorf("%q", got)
	}
}

func FuzzNext(f *testing.F) {
	packed := pack(events{noon, map[string]any{"log": "one"}})
	f.Add(pack(events{"t", events{events{noon, map[string]any{"log": "x", "k": map[string]any{"a": events{1, nil}}}}}, map[string]any{"chunk": "c"}}))
	f.Add(pack(events{"t", zipped(packed), map[string]any{"compressed": "gzip"}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := NewReader(bytes.NewReader(raw), Limits{Message: 1 << 16, Decoded: 1 << 16, Line: 100})
		for {
			m, err := r.Next()
			for _, rec := range m.Records {
				if len(rec.Fields) > record.DefaultLimits.Fields || len(rec.Message) > 3*100 {
					t.Fatal("beyond the limits")
				}
			}
			if err != nil {
				return
			}
		}
	})
}
