package loki

import (
	"fmt"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/signalbox/signalbox/server/logs/record"
)

var limits = Limits{Decoded: 1 << 20, Streams: 10, Lines: 10}

func show(b Batch) string {
	out := ""
	for _, r := range b.Records {
		out += fmt.Sprintf("%s %s %q %v\n", r.Time.Format(time.RFC3339Nano), r.Stream.Key(), r.Message, r.Fields)
	}
	return out + fmt.Sprint(b.Rejected)
}

func TestReadJSON(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, want string }{
		{"two lines", `{"streams":[{"stream":{"app":"api"},"values":[["1763640000000000001","one"],["1763640000000000002","two",{"trace_id":"abc"}]]}]}`,
			"2025-11-20T12:00:00.000000001Z {app=\"api\"} \"one\" []\n2025-11-20T12:00:00.000000002Z {app=\"api\"} \"two\" [{trace_id abc 0}]\nmap[]"},
		{"odd lines", `{"streams":[{"stream":{},"values":[["x","one"],["1"],["1763640000000000000",5],[1763640000000000000,"ok"],["1","a",7]]}]}`,
			"2025-11-20T12:00:00Z {} \"ok\" []\nmap[a line is no text:1 a timestamp is no number of nanoseconds:1 an entry has no line:1 the metadata of a line is no object:1]"},
		{"nothing", `{"streams":[]}`, "map[]"},
	}
	for _, test := range tests {
		b, err := ReadJSON([]byte(test.body), limits)
		if err != nil || show(b) != test.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", test.name, err, show(b), test.want)
		}
	}
	for _, bad := range []string{`[`, `{"streams":5}`, `{"streams":[{"stream":{"a":1}}]}`} {
		if _, err := ReadJSON([]byte(bad), limits); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

func message(parts ...any) []byte {
	var out []byte
	for i := 0; i < len(parts); i += 2 {
		n := protowire.Number(parts[i].(int))
		switch v := parts[i+1].(type) {
		case string:
			out = protowire.AppendBytes(protowire.AppendTag(out, n, protowire.BytesType), []byte(v))
		case []byte:
			out = protowire.AppendBytes(protowire.AppendTag(out, n, protowire.BytesType), v)
		case uint64:
			out = protowire.AppendVarint(protowire.AppendTag(out, n, protowire.VarintType), v)
		}
	}
	return out
}

func TestReadProtobuf(t *testing.T) {
	t.Parallel()
	line := message(1, message(1, uint64(1763640000), 2, uint64(5)), 2, "one", 3, message(1, "trace_id", 2, "abc"), 9, uint64(7))
	good := message(1, message(2, line, 1, `{app="api", zone="a\"b"}`, 3, uint64(99)))
	b, err := ReadProtobuf(snappy.Encode(nil, good), limits)
	want := "2025-11-20T12:00:00.000000005Z {app=\"api\", zone=\"a\\\"b\"} \"one\" [{trace_id abc 0}]\nmap[]"
	if err != nil || show(b) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, show(b), want)
	}
	b, err = ReadProtobuf(snappy.Encode(nil, message(1, message(1, `{app`, 2, line))), limits)
	if err != nil || show(b) != "map[the labels of a stream cannot be read:1]" {
		t.Errorf("%v %s", err, show(b))
	}
	var many []byte
	for range 11 {
		many = append(many, message(2, line)...)
	}
	for name, body := range map[string][]byte{
		"no snappy": []byte("hello"), "cut off": snappy.Encode(nil, good[:len(good)-3]), "too many": snappy.Encode(nil, message(1, many)),
		"a bomb": snappy.Encode(nil, make([]byte, 2<<20)),
	} {
		if _, err := ReadProtobuf(body, limits); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestParseLabels(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, want string
		ok         bool
	}{
		{`{a="b"}`, `{a="b"}`, true}, {` { b = "2" , a="1", } `, `{a="1", b="2"}`, true}, {`{}`, `{}`, true}, {"{a=`x`}", `{a="x"}`, true}, {`{a="x,y=\"z\""}`, `{a="x,y=\"z\""}`, true},
		{`a="b"`, "", false}, {`{a}`, "", false}, {`{a=b}`, "", false}, {`{="b"}`, "", false}, {`{a="b" c="d"}`, "", false}, {`{a="b`, "", false},
	}
	for _, test := range tests {
		got, err := ParseLabels(test.text)
		if (err == nil) != test.ok || test.ok && got.Key() != test.want {
			t.Errorf("%s: %s %v", test.text, got.Key(), err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"streams":[{"stream":{"app":"api"},"values":[["1763640000000000001","one",{"a":{"b":1}}]]}]}`))
	f.Add(snappy.Encode(nil, message(1, message(1, `{a="b"}`, 2, message(1, message(1, uint64(1)), 2, "x", 3, message(1, "n", 2, "v"))))))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, read := range []func([]byte, Limits) (Batch, error){ReadJSON, ReadProtobuf, func(raw []byte, l Limits) (Batch, error) { return ReadProtobuf(snappy.Encode(nil, raw), l) }} {
			b, err := read(body, limits)
			if err == nil && len(b.Records) > limits.Lines {
				t.Errorf("%d lines", len(b.Records))
			}
			for i := range b.Records {
				record.Normalise(&b.Records[i], time.Unix(0, 0))
			}
		}
	})
}
