package logql

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/record"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// lines: one each 10 s for 10 minutes, of two services.
type lines []*record.Record

func testLines() lines {
	var all lines
	for i := range 60 {
		r := &record.Record{
			Time: noon.Add(time.Duration(i) * 10 * time.Second), Level: record.Info,
			Stream:  record.MakeLabels(map[string]string{"app": []string{"api", "web"}[i%2], "env": "prod"}),
			Message: fmt.Sprintf(`level=info path=/p%d took=%dms size=%d`, i%3, i*10, i),
			Fields:  []record.Field{{Name: "trace_id", Value: strconv.Itoa(i)}, {Name: "zone", Value: []string{"a", "b", "c"}[i%3]}},
		}
		if i%6 == 0 {
			r.Level, r.Message = record.Error, `{"msg":"boom","status":500,"user":{"ip":"10.0.0.`+strconv.Itoa(i)+`"}}`
		}
		all = append(all, r)
	}
	return all
}

func (l lines) Scan(_ context.Context, q *query.Query, _ []string, from, to time.Time, fn func(*record.Record) bool) error {
	plan := query.NewPlan(q, nil)
	for _, r := range l {
		if !r.Time.Before(from) && r.Time.Before(to) && plan.Match(r) && !fn(r) {
			break
		}
	}
	return nil
}

func TestLogQueries(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want int
	}{
		{`{app="api"}`, 30}, {`{app=~"a.*|web"}`, 60}, {`{app=~"a"}`, 0}, {`{app!="api"}`, 30}, {`{app!~"w.b"}`, 30}, {`{none=""}`, 60}, {`{}`, 60},
		{`{trace_id="1"}`, 0}, {`{level="error"}`, 10}, {`{detected_level!="error", env="prod"}`, 50},
		{`{app="api"} |= "boom"`, 10}, {`{env="prod"} != "boom"`, 50}, {`{env="prod"} |= "Boom"`, 0}, {`{env="prod"} |~ "(?i)BOOM"`, 10}, {`{env="prod"} !~ "bo+m"`, 50},
		{`{env="prod"} |= "boom" or "path=/p1 "`, 30}, {`{env="prod"} |> "level=<_> path=/p1 <_>"`, 20}, {`{env="prod"} |= "boom" |= "500"`, 10},
		{`{env="prod"} | json`, 60}, {`{env="prod"} | json | status=500`, 10}, {`{env="prod"} | json | status >= 400 and user_ip = "10.0.0.6"`, 1},
		{`{env="prod"} | json s="status", ip="user.ip" | s="500" | ip = ip("10.0.0.0/28")`, 3}, {`{env="prod"} | json | user_ip = ip("10.0.0.10-10.0.0.20")`, 2},
		{`{env="prod"} | logfmt | path="/p1"`, 20}, {`{env="prod"} | logfmt | took > 500ms`, 8}, {`{env="prod"} | logfmt | took >= 0.5s, size < 52`, 2}, {`{env="prod"} | logfmt | (size > 57 or size == 1)`, 3},
		{`{env="prod"} | logfmt p="path" | p=~"/p[12]"`, 40}, {`{env="prod"} | pattern "level=<lvl> path=<path> <_>" | path != "" | lvl="info" | path="/p1"`, 20},
		{"{env=\"prod\"} | regexp `took=(?P<ms>\\d+)ms` | ms > 550", 4}, {`{env="prod"} | zone="a" or zone="b"`, 40}, {`{env="prod"} | trace_id="7"`, 1},
		{`{env="prod"} | label_format z=zone | z="a"`, 20}, {`{env="prod"} | label_format z="{{.zone | ToUpper}}" | z="A"`, 20},
		{`{env="prod"} | line_format "{{.app}}: {{.zone}}" |= "api: a"`, 10}, {`{env="prod"} | drop zone | zone="a"`, 0}, {`{env="prod"} | drop zone="a" | zone="a"`, 0}, {`{env="prod"} | keep zone | app="api"`, 0},
		{`{env="prod"} | json | __error__="" # words`, 60}, {`{app="api",} | decolorize`, 30}, {"{app=`api`}", 30},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			e, err := Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			stream := query.NewStream(e.Log)
			err = testLines().Scan(t.Context(), e.Log, nil, noon, noon.Add(time.Hour), func(r *record.Record) bool {
				if stream.Apply(r) != nil {
					n++
				}
				return true
			})
			if err != nil || n != test.want {
				t.Errorf("%d lines, want %d (%v)", n, test.want, err)
			}
		})
	}
}

func show(list []Series) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(s.Labels.Key())
		for _, v := range s.Values {
			if math.IsNaN(v) {
				b.WriteString(" -")
			} else {
				b.WriteString(" " + strconv.FormatFloat(v, 'g', 4, 64))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	// At 12:05 and 12:10; the windows are (12:00, 12:05] and (12:05, 12:10].
	tests := []struct{ text, want string }{
		{`vector(1)+vector(1)`, "{} 2 2\n"}, {`1 + 2 * 3 ^ 2`, "{} 19 19\n"}, {`(1 + 2) * 3 > bool 8`, "{} 1 1\n"}, {`-1 + 2`, "{} 1 1\n"},
		{`count_over_time({app="api"}[5m])`, `{app="api", env="prod"} 15 14` + "\n"},
		{`sum(count_over_time({env="prod"}[5m]))`, "{} 30 29\n"}, {`sum by (app) (count_over_time({env="prod"}[5m]))`, `{app="api"} 15 14` + "\n" + `{app="web"} 15 15` + "\n"},
		{`sum(count_over_time({env="prod"}[5m])) by (zone)`, "{zone=\"a\"} 10 9\n{zone=\"b\"} 10 10\n{zone=\"c\"} 10 10\n"},
		{`sum by (level, detected_level) (count_over_time({env="prod"} | drop __error__ [5m]))`, "{detected_level=\"error\", level=\"error\"} 5 4\n{detected_level=\"info\", level=\"info\"} 25 25\n"},
		{`sum(rate({env="prod"}[5m]))`, "{} 0.1 0.09667\n"}, {`sum(count_over_time({env="prod"}[5m] |= "boom"))`, "{} 5 4\n"}, {`sum(count_over_time({env="prod"}[5m] offset 5m))`, "{} 1 30\n"},
		{`sum(count_over_time({env="prod"}[20m]))`, "{} 31 60\n"},
		{`sum(sum_over_time({env="prod"} | logfmt | unwrap size [5m]))`, "{} 375 1125\n"}, {`max_over_time({env="prod"} | logfmt | unwrap size [5m]) by (app)`, "{app=\"api\"} 28 58\n{app=\"web\"} 29 59\n"},
		{`avg(avg_over_time({app="web"} | logfmt | unwrap duration(took) [5m]) by (env))`, "{} 0.15 0.45\n"}, {`quantile_over_time(0.5, {app="web"} | logfmt | unwrap size [5m]) by ()`, "{} 15 45\n"},
		{`first_over_time({app="web"} | logfmt | unwrap size [5m]) by ()`, "{} 1 31\n"}, {`last_over_time({app="web"} | logfmt | unwrap size [5m]) by ()`, "{} 29 59\n"},
		{`topk(1, sum by (app) (count_over_time({env="prod"}[5m])))`, "{app=\"api\"} 15 -\n{app=\"web\"} - 15\n"}, {`count(count_over_time({env="prod"}[5m]) > 14)`, "{} 2 1\n"},
		{`sum by (app) (count_over_time({level="error"}[5m])) / sum by (app) (count_over_time({env="prod"}[5m]))`, "{app=\"api\"} 0.3333 0.2857\n"},
		{`sum by (app) (count_over_time({env="prod"}[5m])) unless sum by (app) (count_over_time({level="error"}[5m]))`, "{app=\"web\"} 15 15\n"},
		{`sum(count_over_time({app="none"}[5m])) or vector(0)`, "{} 0 0\n"}, {`absent_over_time({app="none"}[5m])`, "{} 1 1\n"}, {`absent_over_time({app="api"}[5m])`, ""},
		{`sum(bytes_over_time({app="web"} |= "size=1 "[5m]))`, ""}, {`label_replace(sum by (app) (count_over_time({app="api"}[5m])), "name", "x-$1", "app", "(a).*")`, `{app="api", name="x-a"} 15 14` + "\n"},
		{`stddev(sum by (app) (count_over_time({env="prod"}[5m])))`, "{} 0 0.5\n"}, {`avg without (app) (count_over_time({env="prod"}[5m]))`, "{env=\"prod\"} 15 14.5\n"},
		{`count_over_time({app="none"}[5m])`, ""}, {`sort_desc(sum by (app) (count_over_time({env="prod"}[5m])))`, "{app=\"web\"} 15 15\n{app=\"api\"} 15 14\n"},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			e, err := Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			span := Span{noon.Add(5 * time.Minute), noon.Add(10 * time.Minute), 5 * time.Minute}
			list, err := Eval(t.Context(), testLines(), e.Metric, span)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(list); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}

func TestInstant(t *testing.T) {
	t.Parallel()
	e, err := Parse(`sum(count_over_time({env="prod"}[1m]))`)
	if err != nil {
		t.Fatal(err)
	}
	at := noon.Add(3 * time.Minute)
	list, err := Eval(t.Context(), testLines(), e.Metric, Span{Start: at, End: at})
	if err != nil || show(list) != "{} 6\n" {
		t.Errorf("%s %v", show(list), err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	e, err := Parse(`count_over_time({env="prod"}[1m])`)
	if err != nil {
		t.Fatal(err)
	}
	var limit *LimitError
	if _, err := Eval(t.Context(), testLines(), e.Metric, Span{noon, noon.Add(24 * time.Hour), time.Second}); !errors.As(err, &limit) {
		t.Errorf("too many points: %v", err)
	}
	var many lines
	for i := range maxSeries + 1 {
		many = append(many, &record.Record{Time: noon, Stream: record.Labels{{Name: "env", Value: "prod"}, {Name: "i", Value: strconv.Itoa(i)}}})
	}
	if _, err := Eval(t.Context(), many, e.Metric, Span{Start: noon, End: noon}); !errors.As(err, &limit) {
		t.Errorf("too many series: %v", err)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, `{`, `{app}`, `{app=}`, `{app="a"`, `{app="a" env="b"}`, `{app="a"} |`, `{app="a"} | json |= `, `{app="a"} | unwrap x`, `{app="a"} x`, `{app=~"("}`, `{app="a"} |~ "("`,
		`rate({app="a"})`, `rate({app="a"}[])`, `rate({app="a"}[5x])`, `rate({app="a"}[0s])`, `sum_over_time({app="a"}[5m])`, `count_over_time({app="a"} | unwrap x [5m])`, `topk(sum(rate({a="b"}[1m])))`,
		`quantile_over_time(2, {a="b"} | unwrap x [1m])`, `sum(rate({a="b"}[1m]) by (x)`, `nothing({a="b"}[1m])`, `vector(x)`, `1 +`, `{a="b"} | line_format "{{"`, `{a="b"} | regexp "x"`, `{a="b"} | x > "y"`, `{a="b"} | x > y`,
		`{a="b"} | x = ip("1.2")`, `{a="b"} |= ip("1.2.3.4")`, `rate({a="b"}[1m]) * on (x) group_left rate({a="b"}[1m])`, "{a=\"b\"} |= `x", `label_replace(vector(1), "a", "b", "c", "(")`,
		strings.Repeat("(", 400) + "1", `{a="b"}` + strings.Repeat(`|="x"`, 600), strings.Repeat("x", 9000),
	} {
		_, err := Parse(text)
		var e *query.Error
		if !errors.As(err, &e) || e.Message == "" || e.End < e.Pos || e.End > len([]rune(text)) {
			t.Errorf("%.60q: %#v", text, err)
		}
	}
}

func TestSelector(t *testing.T) {
	t.Parallel()
	e, err := ParseSelector(`{app="api", zone!="x"}`)
	if err != nil {
		t.Fatal(err)
	}
	if !query.NewPlan(&query.Query{Filter: e}, nil).Match(testLines()[0]) {
		t.Error("does not match")
	}
	if _, err := ParseSelector(`{app="api"} x`); err == nil {
		t.Error("no error")
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`sum by (level) (count_over_time({app=~"a.+"} |= "x" or "y" | json a="b.c" | logfmt | status>=400 and (ip=ip("10.0.0.0/8")) | drop __error__ [5m] offset 1h)) / 2`,
		`{a="b"} | pattern "<x> <_>" | line_format "{{.x}}" | label_format a=b,c="{{.d}}" | decolorize | unpack`, `quantile_over_time(0.9, {a="b"} | unwrap duration(x) | x!="" [1d]) without (y) or vector(1)`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			var q *query.Error
			if !errors.As(err, &q) || q.Pos < 0 || q.End < q.Pos || q.End > len([]rune(text)) {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		if e.Log != nil {
			s := query.NewStream(e.Log)
			s.Apply(testLines()[0])
			return
		}
		var limit *LimitError
		if _, err := Eval(t.Context(), testLines()[:12], e.Metric, Span{noon, noon.Add(10 * time.Minute), time.Minute}); err != nil && !errors.As(err, &limit) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
