package jsonlines

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

var options = Options{Lines: 5, Line: 200}

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		o          Options
		want       string
	}{
		{"lines", "{\"msg\":\"a\",\"n\":1}\n\n{\"msg\":\"b\",\"user\":{\"id\":\"x\"}}\n", options, `{} "" [{msg a 0} {n 1 1}]|{} "" [{msg b 0} {user.id x 0}]`},
		{"an array", `[{"msg":"a"},{"msg":"b"}]`, options, `{} "" [{msg a 0}]|{} "" [{msg b 0}]`},
		{"text", "plain words\n\"quoted\"\n[1,2", options, `{} "plain words" []|{} "quoted" []|{} "[1,2" []`},
		{"labels", `{"app":"api","hostname":"h","level":"info","zone":"z"}`, options, `{host="h", service="api"} "" [{level info 0} {zone z 0}]`},
		{"named parts", `{"m":"hello","when":"2026-01-31T12:00:00Z","zone":"z"}`, Options{Time: "when", Message: "m", Stream: []string{"zone"}, Lines: 5, Line: 200}, `{zone="z"} "hello" []`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b, err := Read(strings.NewReader(test.body), test.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range b.Records {
				got = append(got, fmt.Sprintf("%s %q %v", r.Stream.Key(), r.Message, r.Fields))
			}
			if strings.Join(got, "|") != test.want {
				t.Errorf("got %s, want %s", strings.Join(got, "|"), test.want)
			}
		})
	}
}

func TestOddLinesAreCounted(t *testing.T) {
	t.Parallel()
	b, err := Read(strings.NewReader("{\"a\":1}\n\xff\xfe\n"+strings.Repeat("x", 300)+"\n"), options)
	if err != nil || len(b.Records) != 1 || len(b.Rejected) != 2 || b.First == "" {
		t.Errorf("%v %v", b, err)
	}
	if _, err := Read(strings.NewReader(strings.Repeat("x\n", 6)), options); !errors.Is(err, ErrTooMany) {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"msg\":\"a\",\"app\":\"x\"}\n[1]"))
	f.Add([]byte(`[{"a":{"b":[1]}}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Read(strings.NewReader(string(body)), options)
		if err != nil && !errors.Is(err, ErrTooMany) {
			t.Fatal(err)
		}
		for i := range b.Records {
			record.Normalise(&b.Records[i], b.Records[i].Time)
		}
	})
}

func TestTextTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	tests := []struct{ line, want string }{
		{"2026-01-02T03:04:05.5Z hello", "2026-01-02T03:04:05.5Z"}, {"2026-01-02 03:04:05,123 INFO hello", "2026-01-02T03:04:05.123Z"}, {"[2026-01-02 03:04:05] hello", "2026-01-02T03:04:05Z"},
		{"2026/01/02 03:04:05 hello", "2026-01-02T03:04:05Z"}, {"Dec 31 23:59:59 host app: x", "2025-12-31T23:59:59Z"}, {"Jan  1 00:00:01 host app: x", "2026-01-01T00:00:01Z"},
		{`127.0.0.1 - - [02/Jan/2026:03:04:05 +0100] "GET / HTTP/1.1" 200`, "2026-01-02T02:04:05Z"},
		{"no time in here at all", ""}, {"12 apples and 5 pears are here", ""}, {"short", ""}, {"", ""},
	}
	for _, test := range tests {
		got := ""
		if at, ok := textTime(test.line, now); ok {
			got = at.UTC().Format(time.RFC3339Nano)
		}
		if got != test.want {
			t.Errorf("%q: %s, want %s", test.line, got, test.want)
		}
	}
}
