package sentry

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/signalbox/signalbox/server/platform/content"
)

func TestReadEnvelope(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("ab", 16)
	cases := []struct {
		name, raw string
		want      string // types and payloads
	}{
		{"only headers", `{}`, ""},
		{"only headers and newlines", "{}\n\n\n", ""},
		{"without length", "{}\n{\"type\":\"event\"}\n{\"a\":1}", `event={"a":1}`},
		{"without length, newline", "{}\n{\"type\":\"event\"}\n{\"a\":1}\n", `event={"a":1}`},
		{"carriage return belongs to the payload", "{}\n{\"type\":\"event\"}\nx\r\n", "event=x\r"},
		{"with length", "{}\n{\"type\":\"attachment\",\"length\":3}\na\nb\n", "attachment=a\nb"},
		{"with length at the end", "{}\n{\"type\":\"attachment\",\"length\":3}\na\nb", "attachment=a\nb"},
		{"length zero", "{}\n{\"type\":\"attachment\",\"length\":0}\n\n{\"type\":\"event\"}\nx", "attachment= event=x"},
		{"length null", "{}\n{\"type\":\"event\",\"length\":null}\nx", "event=x"},
		{"two", "{}\n{\"type\":\"event\"}\nx\n{\"type\":\"session\"}\ny\n", "event=x session=y"},
		{"blank lines between", "{}\n{\"type\":\"event\"}\nx\n\n\n{\"type\":\"session\"}\ny\n", "event=x session=y"},
		{"unknown items lose their payload", "{}\n{\"type\":\"replay_video\",\"length\":3}\nabc\n{\"type\":\"event\"}\nx", "replay_video= event=x"},
		{"unknown keys", "{\"x\":{\"y\":[1]}}\n{\"type\":\"event\",\"z\":[{}]}\nx", "event=x"},
		{"header only of an item", "{}\n{\"type\":\"event\"}", "event="},
	}
	for _, c := range cases {
		// One byte at a time: framing must not depend on how bytes arrive.
		env, err := ReadEnvelope(iotest.OneByteReader(strings.NewReader(c.raw)), DefaultLimits())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var parts []string
		for _, i := range env.Items {
			parts = append(parts, i.Type+"="+string(i.Payload))
		}
		if got := strings.Join(parts, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	env, err := ReadEnvelope(strings.NewReader(`{"event_id":"`+strings.ToUpper(id[:8])+"-"+id[8:12]+"-"+id[12:16]+"-"+id[16:20]+"-"+id[20:]+`","dsn":"http://k@h/1","sdk":{"name":"s","version":"1"},"sent_at":"2026-11-20T15:38:54.967187034Z","trace":{"sampled":"true","sample_rate":1}}`+
		"\n"+`{"type":"log","item_count":2,"content_type":"a/b","filename":"f","attachment_type":"event.minidump"}`+"\n{}"), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	h, i := env.Header, env.Items[0]
	if h.EventID != id || h.DSN != "http://k@h/1" || h.SDK.Name != "s" || h.SentAt.Nanosecond() != 967187034 || h.Trace["sample_rate"] != "1" {
		t.Errorf("header: %+v", h)
	}
	if i.Count != 2 || i.ContentType != "a/b" || i.Filename != "f" || i.AttachmentType != "event.minidump" {
		t.Errorf("item: %+v", i)
	}
}

func TestMalformedEnvelopes(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, raw string
		line      int
		part      string
	}{
		{"empty", "", 1, "empty"},
		{"no object", "[]\n", 1, "header is not a JSON object"},
		{"html", "<html>", 1, "header is not a JSON object"},
		{"broken header", "{\n", 1, "header is not a JSON object"},
		{"broken item header", "{}\nnonsense\n", 2, "item's header is not a JSON object"},
		{"no type", "{}\n{}\nx", 2, "names no type"},
		{"short", "{}\n{\"type\":\"attachment\",\"length\":10}\nabc", 2, "shorter"},
		{"long", "{}\n{\"type\":\"attachment\",\"length\":2}\nabc\n", 3, "longer"},
		{"huge claim", "{}\n{\"type\":\"attachment\",\"length\":99999999}\nabc", 2, "shorter"},
		{"header line", "{\"x\":\"" + strings.Repeat("x", 9000) + "\"}\n", 1, "too long"},
		{"items", "{}\n" + strings.Repeat("{\"type\":\"event\"}\nx\n", 1001), 2002, "too many"},
	}
	for _, c := range cases {
		_, err := ReadEnvelope(strings.NewReader(c.raw), DefaultLimits())
		var m *MalformedError
		if !errors.As(err, &m) || m.Line != c.line || !strings.Contains(m.Reason, c.part) {
			t.Errorf("%s: %v, want line %d: …%s…", c.name, err, c.line, c.part)
		}
	}
	broken := errors.New("connection reset")
	if _, err := ReadEnvelope(io.MultiReader(strings.NewReader("{}\n{\"type\":\"event\"}\nab"), iotest.ErrReader(broken)), DefaultLimits()); !errors.Is(err, broken) {
		t.Errorf("a broken connection: %v", err)
	}
}

func TestItemLimits(t *testing.T) {
	t.Parallel()
	l := DefaultLimits()
	l.Event, l.Attachment, l.CheckIn, l.Sessions, l.Decoded = 20, 10, 5, 1, 10_000
	big := strings.Repeat("x", 30)
	raw := "{}\n{\"type\":\"event\"}\n" + big + "\n{\"type\":\"event\",\"length\":30}\n" + big + "\n{\"type\":\"check_in\"}\n123456\n" +
		"{\"type\":\"attachment\",\"length\":6}\nabcdef\n{\"type\":\"attachment\",\"length\":6}\nabcdef\n{\"type\":\"session\"}\n{}\n{\"type\":\"session\"}\n{}\n{\"type\":\"event\"}\nok"
	env, err := ReadEnvelope(strings.NewReader(raw), l)
	if err != nil {
		t.Fatal(err)
	}
	want := []bool{true, true, true, false, true, false, true, false}
	for i, item := range env.Items {
		if item.TooLarge != want[i] || item.TooLarge && item.Payload != nil {
			t.Errorf("item %d (%s): too large %v, %d bytes", i, item.Type, item.TooLarge, len(item.Payload))
		}
	}
	if env.Items[0].Size != 30 || env.Items[1].Size != 30 {
		t.Errorf("sizes %d, %d", env.Items[0].Size, env.Items[1].Size)
	}
	l.Decoded = 40
	if _, err := ReadEnvelope(strings.NewReader(raw), l); !errors.Is(err, ErrTooLarge) {
		t.Errorf("body above its limit: %v", err)
	}
}

func TestReadStore(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("0a", 16)
	event := `{"event_id":"` + id + `","message":"x","sdk":{"name":"old"}}`
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	io.WriteString(w, event)
	w.Close()
	for name, body := range map[string]string{
		"plain": event, "spaces": " \n" + event + "\n", "base64": base64.StdEncoding.EncodeToString([]byte(event)),
		"base64 of zlib": base64.StdEncoding.EncodeToString(z.Bytes()),
	} {
		env, err := ReadStore([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if env.Header.EventID != id || env.Header.SDK.Name != "old" || len(env.Items) != 1 || env.Items[0].Type != "event" || string(env.Items[0].Payload) != event {
			t.Errorf("%s: %+v", name, env)
		}
	}
	var bombed bytes.Buffer
	w = zlib.NewWriter(&bombed)
	w.Write(make([]byte, 8<<20))
	w.Close()
	if _, err := ReadStore([]byte(base64.StdEncoding.EncodeToString(bombed.Bytes()))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("bomb: %v", err)
	}
	var m *MalformedError
	for _, body := range []string{"", "x", "[]", "{", `{"a":1}x`, "AAAA"} {
		if _, err := ReadStore([]byte(body)); !errors.As(err, &m) {
			t.Errorf("%q: %v", body, err)
		}
	}
	if env, err := ReadStore([]byte(`{"type":"transaction"}`)); err != nil || env.Items[0].Type != "transaction" {
		t.Errorf("transaction: %+v, %v", env, err)
	}
}

func FuzzReadEnvelope(f *testing.F) {
	for _, rec := range recordings(f) {
		f.Add(rec.body)
	}
	f.Add([]byte("{}\n{\"type\":\"attachment\",\"length\":3}\na\nb\n"))
	l := DefaultLimits()
	l.Decoded, l.Event = 1<<20, 1<<16
	f.Fuzz(func(t *testing.T, raw []byte) {
		env, err := ReadEnvelope(bytes.NewReader(raw), l)
		if err != nil {
			return
		}
		total := 0
		for _, i := range env.Items {
			total += len(i.Payload)
		}
		if total > len(raw) {
			t.Errorf("%d bytes became %d", len(raw), total)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for name, encoder := range encoders {
		var buf bytes.Buffer
		w := encoder(&buf)
		io.WriteString(w, "hello hello hello")
		w.Close()
		f.Add(buf.Bytes(), wireName(name))
	}
	f.Fuzz(func(t *testing.T, raw []byte, encoding string) {
		r, err := content.Decode(bytes.NewReader(raw), encoding, 1<<16)
		if err != nil {
			return
		}
		n, err := io.Copy(io.Discard, r)
		if n > 1<<16 {
			t.Errorf("%d bytes came out", n)
		}
		var m *MalformedError
		if err != nil && !errors.Is(err, ErrTooLarge) && !errors.As(err, &m) {
			t.Errorf("an error of no known kind: %v", err)
		}
	})
}
