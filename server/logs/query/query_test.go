package query

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// line is the record that the tables ask about.
func line() *record.Record {
	return &record.Record{
		Time:    time.Date(2026, 11, 20, 12, 34, 56, 0, time.UTC),
		Stream:  record.MakeLabels(map[string]string{"service": "api", "host": "web-1"}),
		Level:   record.Warn,
		Message: `GET /orders/41 failed: Connection refused by db_main (10.0.0.7:5432)`,
		Fields: record.SortFields([]record.Field{
			{Name: "trace_id", Value: "4bf92f3577b34da6"}, {Name: "duration", Value: "1.5s"},
			{Name: "status", Value: "503", Kind: record.Number}, {Name: "user.email", Value: "Ann@example.org"},
			{Name: "host", Value: "hidden"}, {Name: "empty", Value: ""}, {Name: "size", Value: "2048"},
		}),
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want bool
	}{
		{"", true}, {"*", true},
		{"failed", true}, {"FAILED", true}, {"fail", false}, {"fail*", true}, {"*aile*", true}, {"conn*fused", true}, {"x*fused", false},
		{"connection refused", true}, {`"connection refused"`, true}, {`"refused connection"`, false}, {`"connection ref"`, false},
		{"db", false}, {"db_main", true}, {"main", false}, {"orders/41", true}, {"orders/4", false}, {"10.0.0.7", true}, {"10.0.0.7:5432", true},
		{"4bf92f3577b34da6", true}, {"4bf92f*", true}, {"ann", true}, {"web", false}, {"web-1", false},
		{"failed timeout", false}, {"failed or timeout", true}, {"timeout OR failed", true}, {"(timeout or failed) refused", true},
		{"timeout or failed gone", false}, {"-timeout", true}, {"-failed", false}, {"not failed", false}, {"NOT timeout", true}, {"failed and refused", true}, {"!timeout", true},
		{"-(timeout or failed)", false}, {"-(timeout or gone) failed", true},
		{"/Conn.*refused/", true}, {"/conn.*refused/", false}, {"/conn.*refused/i", true}, {"/orders/41", true}, {"-/conn/", true},
		{"service:api", true}, {"service:API", true}, {"service:ap", false}, {"service:a*", true}, {"service:*", true}, {"nothing:*", false}, {"empty:*", false}, {"-nothing:*", true},
		{"host:web-1", true}, {"host:hidden", false}, {"host:(web-1 or web-2)", true}, {"host:(web-2, web-3)", false},
		{"user.email:ann@example.org", true}, {"user.email:=ann@example.org", false}, {"user.email:~example", true}, {"user.email:/@example/", true},
		{"status:503", true}, {"status:>500", true}, {"status:>=503", true}, {"status:<503", false}, {"status:[500..599]", true}, {"status:[400..499]", false}, {"status:(>600 or <504)", true},
		{"duration:>1s", true}, {"duration:>1500ms", false}, {"duration:>=1500ms", true}, {"duration:<2m", true}, {"duration:>1KB", false}, {"size:>1KiB", true}, {"size:>2KiB", false},
		{"level:warn", true}, {"level:warning", true}, {"level:>=warn", true}, {"level:>warn", false}, {"level:<error", true}, {"level:(error or warn)", true}, {"-level:debug", true},
		{`message:"connection refused"`, true}, {"msg:refused", true}, {"message:conn*", true}, {`"user.email":ann@example.org`, true},
		{"nothing:>5", false}, {`nothing:""`, true}, {`service:""`, false}, {"trace_id:4bf92f3577b34da6", true},
		{"https://example.org", false}, {"std::vector", false}, {"12:30", false},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			q, err := Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			plan := NewPlan(q, func(name string) bool { return name == "service" || name == "host" })
			r := line()
			if got := plan.Match(r); got != test.want {
				t.Fatalf("%v, want %v; tree %#v", got, test.want, q.Filter)
			}
			if holds, known := plan.Decide(r.Stream, r.Level); known && holds != test.want {
				t.Errorf("its labels and level are taken for %v", holds)
			}
			if test.want {
				mustNotPrune(t, plan)
			}
		})
	}
}

// mustNotPrune: what matches may be skipped neither by token nor by stream.
func mustNotPrune(t *testing.T, p *Plan) {
	t.Helper()
	r := line()
	if !p.Streams(r.Stream) {
		t.Error("the stream of a match would be skipped")
	}
	held := map[string]bool{}
	hold := func(text string) {
		for _, token := range record.Tokens(text) {
			held[token] = true
		}
	}
	hold(r.Message)
	for _, f := range r.Fields {
		hold(f.Value)
	}
	for _, any := range p.Tokens() {
		found := false
		for _, token := range any {
			found = found || held[token]
		}
		if !found {
			t.Errorf("a match would be skipped for want of %q", any)
		}
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	api := record.MakeLabels(map[string]string{"service": "api"})
	tests := []struct {
		text    string
		tokens  string
		streams bool
		columns string
	}{
		{"connection refused", "[[connection] [refused]]", true, "any"},
		{`"a b-c"`, "[[a] [b] [c]]", true, "any"},
		{"tim*", "[]", true, "any"}, {"conn-tim*", "[[conn]]", true, "any"}, {"*a.b.c*", "[[b]]", true, "any"},
		{"one or two", "[[one two]]", true, "any"}, {"one or -two", "[]", true, "any"}, {"(one two) or three", "[[one three]]", true, "any"},
		{"-one", "[]", true, "any"}, {"trace_id:4bf92f", "[[4bf92f]]", true, "[trace_id]"}, {"status:>5", "[]", true, "[status]"},
		{"level:error", "[]", true, "[level]"}, {"msg:word", "[[word]]", true, "[message]"},
		{"service:web", "[]", false, "[service]"}, {"service:api", "[]", true, "[service]"}, {"-service:api", "[]", false, "[service]"},
		{"service:web or word", "[]", true, "any"}, {"service:web word", "[[word]]", false, "any"}, {"service:/^w/", "[]", false, "[service]"},
		{"", "[]", true, "[]"},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			q, err := Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			p := NewPlan(q, func(name string) bool { return name == "service" })
			columns := "any"
			if p.Columns() != nil {
				columns = fmt.Sprint(p.Columns())
			}
			if got := fmt.Sprint(p.Tokens()); got != test.tokens || p.Streams(api) != test.streams || columns != test.columns {
				t.Errorf("tokens %s, streams %v, columns %s", got, p.Streams(api), columns)
			}
		})
	}
}

func TestErrorsNameTheirPlace(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, marked, message string }{
		{`error "open`, `"open`, "quotation mark"},
		{"(a b", "(", "not closed"}, {"a b)", ")", "closes nothing"}, {"a ()", "()", "nothing between"},
		{"a or", "or", "beside or"}, {"or a", "or", "beside or"}, {"a -", "-", "missing behind"},
		{"service:", "service:", "value is missing"}, {"level:>loud", ">loud", "no level"}, {"status:>many", ">many", "no number"},
		{"status:[1..", "[", "not closed"}, {"status:[1]", "[1]", "two dots"}, {"/(/", "/(/", "regular expression"},
		{"a | ", "", "pipe is missing"}, {"a | summe x", "summe", "no pipe"}, {"a | stats foo(x)", "foo", "no figure"}, {"a | stats sum()", "sum()", "field is missing"},
		{"a | limit x", "limit x", "number from 1"}, {"a | stats count() by (time(1x))", "stats count() by (time(1x", "Steps of time"},
		{"ä ö ü (x", "(", "not closed"}, {"service:()", "()", "nothing between"},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(test.text)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("no error: %v", err)
			}
			marked := string([]rune(test.text)[e.Pos:e.End])
			if marked != test.marked || !strings.Contains(e.Message, test.message) {
				t.Errorf("%q at %q, want %q at %q", e.Message, marked, test.message, test.marked)
			}
		})
	}
}

func table(r Result) string {
	var b strings.Builder
	for _, v := range r.Rows {
		for i, name := range r.Columns {
			if i > 0 {
				b.WriteByte(' ')
			}
			value, _ := v.Value(name)
			b.WriteString(value)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func lines() []*record.Record {
	var all []*record.Record
	for i := range 60 {
		r := &record.Record{
			Time: time.Date(2026, 11, 20, 12, i/10, i%10, 0, time.UTC), Level: record.Info,
			Stream:  record.MakeLabels(map[string]string{"service": []string{"api", "web", "db"}[i%3]}),
			Message: fmt.Sprintf("request %d took %dms", i, i*10),
			Fields:  []record.Field{{Name: "ms", Value: fmt.Sprint(i)}, {Name: "user", Value: fmt.Sprintf("u%d", i%7)}},
		}
		if i%10 == 0 {
			r.Level = record.Error
		}
		all = append(all, r)
	}
	return all
}

func TestPipes(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"| stats count()", "60\n"},
		{"nothing_at_all | stats count(), sum(ms)", "0 \n"},
		{"level:error | stats count() as errors by (service) | sort errors desc, service", "api 2\ndb 2\nweb 2\n"},
		{"| stats by (level) count() sum(ms) avg(ms) min(ms) max(ms)", "error 6 150 25 0 50\ninfo 54 1620 30 1 59\n"},
		{"| stats count_uniq(user), p50(ms), p90(ms), median(ms), quantile(0, ms)", "7 29.5 53.1 29.5 0\n"},
		{"| stats count() by (time(1m)) | limit 2", "2026-11-20T12:00:00Z 10\n2026-11-20T12:01:00Z 10\n"},
		{"| top 2 user", "u0 9\nu1 9\n"},
		{"service:api | top user | limit 1", "u0 3\n"},
		{"| fields service, ms | sort ms desc | limit 2", "db 59\nweb 58\n"},
		{"| sort by (ms desc) | fields ms | limit 3", "59\n58\n57\n"},
		{"| dedup service | fields service", "api\nweb\ndb\n"},
		{"| where ms:>57 | fields ms", "58\n59\n"},
		{"| pattern | fields pattern, count", "request <*> took <*> 60\n"},
		{"| stats count() by (user) | where count:>=9 | sort -user | limit 1", "u3 9\n"},
		{"| limit 3 | stats count()", "3\n"},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			q, err := Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			plan, run := NewPlan(q, nil), NewRun(q, DefaultLimits())
			for _, r := range lines() {
				if plan.Match(r) && !run.Add(r) {
					break
				}
			}
			if got := table(run.Result()); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}

func TestPipesAreBounded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"| stats count() by (ms)", "| sort ms", "| top 100 ms", "", "| dedup _msg"} {
		q, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		run := NewRun(q, Limits{Rows: 5, Groups: 5})
		for _, r := range lines() {
			if !run.Add(r) {
				break
			}
		}
		if result := run.Result(); len(result.Rows) != 5 || result.Cut == "" {
			t.Errorf("%q: %d rows, cut %q", text, len(result.Rows), result.Cut)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		text Text
		want bool
	}{
		{"Straße gesperrt", Text{Text: "straße", Mode: WholeWords}, true},
		{"STRASSE", Text{Text: "straße", Mode: WholeWords}, false},
		{"ÄÖÜ test", Text{Text: "äöü", Mode: WholeWords}, true}, {"xäöü", Text{Text: "äöü", Mode: WholeWords}, false},
		{"aXbx xb", Text{Text: "xb", Mode: WholeWords}, true}, {"aXbx", Text{Text: "xb", Mode: Substring}, true},
		{"abc", Text{Text: "ABC", Mode: WholeWords, Exact: true}, false}, {"a.b", Text{Text: ".", Mode: WholeWords}, true},
		{"ab", Text{Text: "abc", Mode: Substring}, false}, {"\xff\xfe bad", Text{Text: "bad", Mode: WholeWords}, true},
	}
	for _, test := range tests {
		if got := newNeedle(test.text).in(test.in); got != test.want {
			t.Errorf("%q in %q: %v", test.text.Text, test.in, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`error "connection refused" service:api -host:web1 duration:>1.5s | stats count() by (host) | sort count desc`,
		"/re/i (a or b*) status:[1..2] x:(a,b) | top 5 a | dedup b | fields c | limit 1", "a | stats p95(x) by (time(5m), y)", `"\n" '`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err != nil {
			var e *Error
			if n := len([]rune(text)); !errors.As(err, &e) || e.Pos < 0 || e.End < e.Pos || e.End > n {
				t.Fatalf("%q: %#v of %d", text, err, n)
			}
			return
		}
		plan := NewPlan(q, func(name string) bool { return name == "service" || name == "host" })
		if plan.Match(line()) {
			mustNotPrune(t, plan)
		}
		run := NewRun(q, Limits{Rows: 10, Groups: 10})
		run.Add(line())
		run.Result()
	})
}

func BenchmarkMatch(b *testing.B) {
	for _, text := range []string{"refused", "level:warn \"connection refused\"", "/conn.*refused/i", "trace_id:4bf92f3577b34da6"} {
		b.Run(text, func(b *testing.B) {
			q, err := Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			plan, r := NewPlan(q, nil), line()
			b.ReportAllocs()
			for b.Loop() {
				plan.Match(r)
			}
		})
	}
}
