package otlp

import (
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

var update = flag.Bool("update", false, "write the golden files")

var limits = Limits{Lines: 10, Line: 200}

func show(b Batch) string {
	var out strings.Builder
	for _, r := range b.Records {
		fmt.Fprintf(&out, "%s %s %s %q\n", r.Time.Format(time.RFC3339Nano), r.Level, r.Stream.Key(), r.Message)
		for _, f := range r.Fields {
			fmt.Fprintf(&out, "\t%s = %s (%d)\n", f.Name, f.Value, f.Kind)
		}
	}
	return out.String() + fmt.Sprintln(b.Rejected)
}

type fixed uint64

// message is one of protobuf, from numbers and values.
func message(parts ...any) []byte {
	var out []byte
	for i := 0; i < len(parts); i += 2 {
		n := protowire.Number(parts[i].(int))
		switch v := parts[i+1].(type) {
		case string:
			out = protowire.AppendString(protowire.AppendTag(out, n, protowire.BytesType), v)
		case []byte:
			out = protowire.AppendBytes(protowire.AppendTag(out, n, protowire.BytesType), v)
		case int:
			out = protowire.AppendVarint(protowire.AppendTag(out, n, protowire.VarintType), uint64(v))
		case fixed:
			out = protowire.AppendFixed64(protowire.AppendTag(out, n, protowire.Fixed64Type), uint64(v))
		}
	}
	return out
}

func keyed(key string, value []byte) []byte { return message(1, key, 2, value) }

func unhex(text string) []byte {
	raw, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return raw
}

const noon = 1795176000000000000

// same is one request in protobuf; testdata/request.json is it in JSON.
func same() []byte {
	first := message(1, fixed(noon+1), 2, 17, 3, "ERROR", 5, message(1, "refused <by> db"), 6, keyed("http.status", message(3, 502)), 6, keyed("ok", message(2, 0)),
		6, keyed("took", message(4, fixed(math.Float64bits(1.5)))), 6, keyed("tags", message(5, message(1, message(1, "a"), 1, message(3, 2)))),
		6, keyed("user", message(6, message(1, keyed("name", message(1, "ada")), 1, keyed("id", message(3, 7))))), 6, keyed("raw", message(7, "\x00\xff")),
		9, unhex("5b8efff798038103d269b633813fc60c"), 10, unhex("eee19b7ec3c1b174"), 12, "db.refused")
	second := message(11, fixed(noon+2), 3, "NOTICE!", 5, message(6, message(1, keyed("msg", message(1, "inner <x>")), 1, keyed("n", message(5, message(1, message()))))), 9, make([]byte, 16))
	resource := message(1, keyed("service.name", message(1, "api")), 1, keyed("service.namespace", message(1, "shop")), 1, keyed("host.name", message(1, "w1")),
		1, keyed("deployment.environment.name", message(1, "prod")), 1, keyed("k8s.pod.name", message(1, "api-7")), 1, keyed("process.pid", message(3, 42)))
	scope := message(1, "lib", 2, "1.0", 3, keyed("kind", message(1, "x")))
	bare := message(2, message(2, message(5, message(1, "hello"))))
	// The resource behind its records, as the encoding allows.
	return message(1, message(2, message(1, scope, 2, first, 2, second), 1, resource), 1, bare, 99, 5)
}

func TestBothEncodings(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(filepath.Join("testdata", "request.json"))
	if err != nil {
		t.Fatal(err)
	}
	fromJSON, err := ReadJSON(body, limits)
	if err != nil {
		t.Fatal(err)
	}
	fromProto, err := ReadProtobuf(same(), limits)
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "request.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(show(fromProto)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if show(fromProto) != string(want) {
		t.Errorf("protobuf:\n%s\nwant\n%s", show(fromProto), want)
	}
	if show(fromJSON) != string(want) {
		t.Errorf("JSON:\n%s\nwant\n%s", show(fromJSON), want)
	}
}

func TestOddRequests(t *testing.T) {
	t.Parallel()
	one := func(record []byte) []byte {
		return message(1, message(2, message(2, record, 2, message(5, message(1, "fine")))))
	}
	deep := message(1, "x")
	for range 40 {
		deep = message(5, message(1, deep))
	}
	for name, record := range map[string][]byte{"cut off": message(5, message(1, "x"))[:3], "nested deep": message(5, deep), "long": message(5, message(1, strings.Repeat("x", 201)))} {
		b, err := ReadProtobuf(one(record), limits)
		if err != nil || len(b.Records) != 1 || len(b.Rejected) != 1 {
			t.Errorf("%s: %v %s", name, err, show(b))
		}
	}
	inJSON := func(record string) string {
		return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + record + `]}]}]}`
	}
	b, err := ReadJSON([]byte(inJSON(`{"body":5},{"timeUnixNano":"soon"},7,{"body":{"stringValue":"fine"},"traceId":"xyz","spanId":"00","severityNumber":99},{"body":null}`)), limits)
	if err != nil || len(b.Records) != 2 || b.Rejected[unreadable] != 3 || len(b.Records[0].Fields) != 0 {
		t.Errorf("%v %s", err, show(b))
	}
	for _, body := range []string{"", "[", `{"resourceLogs":5}`} {
		if _, err := ReadJSON([]byte(body), limits); err == nil {
			t.Errorf("%q: no error", body)
		}
	}
	if _, err := ReadJSON([]byte(inJSON(strings.Repeat("{},", 10)+"{}")), limits); err != ErrTooMany {
		t.Error(err)
	}
	if _, err := ReadProtobuf(message(1, message(2, message(2, "", 2, "", 2, "", 2, "", 2, "", 2, "", 2, "", 2, "", 2, "", 2, "", 2, ""))), limits); err != ErrTooMany {
		t.Error(err)
	}
	for _, body := range []string{"hello", "\x0a\x05a", "\xff"} {
		if _, err := ReadProtobuf([]byte(body), limits); err == nil {
			t.Errorf("%q: no error", body)
		}
	}
	if b, err := ReadProtobuf(nil, limits); err != nil || len(b.Records) != 0 {
		t.Errorf("nothing at all: %v %s", err, show(b))
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		string(Answer(true, 0, "")):                `{}`,
		string(Answer(true, 2, "why")):             `{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"why"}}`,
		string(Answer(false, 0, "")):               "",
		string(Answer(false, 2, "why")):            string(message(1, message(1, 2, 2, "why"))),
		string(Status(true, Unavailable, "full")):  `{"code":14,"message":"full"}`,
		string(Status(false, Unavailable, "full")): string(message(1, 14, 2, "full")),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(same())
	f.Add([]byte(`{"resourceLogs":[{"resource":{"attributes":[{"key":"a","value":{"kvlistValue":{"values":[{"key":"b","value":{"intValue":"5"}}]}}}]},"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"},"traceId":"5b8efff798038103d269b633813fc60c"}]}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, read := range []func([]byte, Limits) (Batch, error){ReadProtobuf, ReadJSON} {
			b, _ := read(body, limits) // only that it comes back matters, and within the limits
			if len(b.Records) > limits.Lines {
				t.Fatal("more lines than allowed")
			}
			for _, r := range b.Records {
				if len(r.Message) > limits.Line {
					t.Fatal("a line longer than allowed")
				}
			}
		}
	})
}
