package logs

import (
	"net/http"
	"os"
	"strings"
	"testing"
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
