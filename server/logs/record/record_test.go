package record

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFlatten(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{}`:                                    `[]`,
		`{"a":"x"}`:                             `[{a x 0}]`,
		` { "b" : 1.5e3 , "a" : true } `:        `[{a true 2} {b 1.5e3 1}]`,
		`{"a":{"b":{"c":null,"d":"e"}},"z":0}`:  `[{a.b.d e 0} {z 0 1}]`,
		`{"a":[1,{"b":"]"}],"c":[]}`:            `[{a [1,{"b":"]"}] 3} {c [] 3}]`,
		`{"a":"1","a":"2"}`:                     `[{a 2 0}]`,
		`{"q\"":"tab\tnl\n\u00e9\ud834\udd1e"}`: "[{q\" tab\tnl\né𝄞 0}]",
		`{"lone":"\ud834x"}`:                    "[{lone \ufffdx 0}]",
		`{"":{"":"v"}}`:                         `[{. v 0}]`,
	} {
		got, err := Flatten([]byte(in), DefaultLimits)
		if strings.Contains(in, `{"":`) { // an empty name has nothing to put a dot behind
			want = `[{ v 0}]`
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v; want %s", in, got, err, want)
		}
	}
	for _, bad := range []string{``, `[]`, `"x"`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{"a":tru}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":1}x`, `{"a":-}`, `{a:1}`, `{"a":[1}`} {
		if got, err := Flatten([]byte(bad), DefaultLimits); err == nil {
			t.Errorf("%s became %v", bad, got)
		}
	}
}

func TestFlattenLimits(t *testing.T) {
	t.Parallel()
	limits := Limits{Depth: 2, Fields: 3, Name: 5, Value: 20}
	got, err := Flatten([]byte(`{"a":{"b":{"c":1}},"longer_name":"x","f3":"3","f4":"4"}`), limits)
	if want := `[{_more f3=3 f4=4  0} {a.b {"c":1} 3} {longe x 0}]`; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, %v; want %s", got, err, want)
	}
	if got, _ = Flatten([]byte(`{"v":"`+strings.Repeat("é", 30)+`"}`), limits); got[0].Value != strings.Repeat("é", 10) {
		t.Errorf("%q", got[0].Value)
	}
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	if got, err := Flatten([]byte(deep), Limits{}); err == nil && len(got) != 1 {
		t.Errorf("%d fields", len(got))
	}
	var many strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&many, `,"k%d":%d`, i, i)
	}
	if got, err := Flatten([]byte("{"+many.String()[1:]+"}"), DefaultLimits); err != nil || len(got) != 256 {
		t.Errorf("%d fields, %v", len(got), err)
	}
}

// What encoding/json takes for an object we take too, with the same leaves.
func FuzzFlatten(f *testing.F) {
	for _, s := range []string{`{"a":{"b":[1,2]},"c":"\ud834\udd1e","d":-1.5e-7,"e":null}`, `{"a":1,"a":{"b":2}}`, `{"x":"\u0000"}`, `{`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Flatten([]byte(s), Limits{})
		var want map[string]any
		if json.Unmarshal([]byte(s), &want) == nil && want != nil && err != nil && strings.Count(s, "{") < 100 && strings.Count(s, "[") < 100 {
			t.Fatalf("%q is refused", s)
		}
		if !slices.IsSortedFunc(got, func(a, b Field) int { return strings.Compare(a.Name, b.Name) }) {
			t.Fatalf("%q: not sorted: %v", s, got)
		}
		if _, err := Flatten([]byte(s), Limits{Depth: 2, Fields: 4, Name: 3, Value: 5}); err != nil && got != nil {
			t.Fatalf("%q is refused with limits: %v", s, err)
		}
	})
}

func TestNormalise(t *testing.T) {
	t.Parallel()
	received := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct{ in, time, level, message, fields string }{
		{`{"ts":"2026-11-20T10:00:00.5Z","level":"warn","msg":"hello","traceId":"abc","user":1}`, "10:00:00.5", "warn", "hello", "[{trace_id abc 0} {user 1 1}]"},
		{`{"time":1763632800000,"severity":"ERROR","log":"x"}`, "10:00:00", "error", "x", "[]"},
		{`{"@timestamp":"2026-11-20 10:00:00,250","timestamp":"other","lvl":30,"message":"m","msg":"second"}`, "10:00:00.25", "info", "m", "[{msg second 0} {timestamp other 0}]"},
		{`{"level":"bogus","message":{"a":1},"trace":{"id":"t1"}}`, "08:00:00", "unknown", "", "[{level bogus 0} {message.a 1 1} {trace_id t1 0}]"},
		{`{"Timestamp":"2026-11-20T12:00:00+02:00","Level":"Information","Message":"m","SpanId":"s"}`, "10:00:00", "info", "m", "[{span_id s 0}]"},
		{`{"time":"yesterday","message":"[ERROR] no level field"}`, "08:00:00", "error", "[ERROR] no level field", "[{time yesterday 0}]"},
	} {
		fields, err := Flatten([]byte(c.in), DefaultLimits)
		if err != nil {
			t.Fatal(c.in, err)
		}
		r := Record{Fields: fields}
		Normalise(&r, received)
		if got := r.Time.UTC().Format("15:04:05.999"); got != c.time || r.Level.String() != c.level || r.Message != c.message || fmt.Sprint(r.Fields) != c.fields {
			t.Errorf("%s: %s %s %q %v", c.in, got, r.Level, r.Message, r.Fields)
		}
	}
	set := Record{Time: received, Level: Debug, Message: "own", Fields: []Field{{"level", "error", String}, {"msg", "other", String}, {"time", "1", Number}}}
	if Normalise(&set, received); set.Level != Debug || set.Message != "own" || len(set.Fields) != 3 {
		t.Errorf("what was set has changed: %+v", set)
	}
	label := Record{Stream: Labels{{"level", "fatal"}}}
	if Normalise(&label, received); label.Level != Fatal {
		t.Errorf("%+v", label)
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	r := Record{Message: ` {"msg":"inner","a":{"b":1}} `, Fields: []Field{{"file", "x.log", String}}}
	if !Expand(&r, DefaultLimits) || fmt.Sprint(r.Fields) != "[{a.b 1 1} {file x.log 0} {msg inner 0}]" {
		t.Errorf("%+v", r)
	}
	for text, want := range map[string]Level{`{"level":"error","msg":"m"}`: Error, `{"msg":"m"}`: Info, `{"level":"none at all"}`: Info, `{"severity":30}`: Info} {
		r := Record{Message: text, Level: Info}
		if !Expand(&r, DefaultLimits) || r.Level != want {
			t.Errorf("%s: %v", text, r.Level)
		}
	}
	carried := Record{Message: `{"msg":"m"}`, Level: Warn, Fields: []Field{{"level", "debug", String}}}
	if !Expand(&carried, DefaultLimits) || carried.Level != Warn {
		t.Errorf("a field from outside counts more than the level: %+v", carried)
	}
	for _, plain := range []string{"", "{", "text", `{"a":}`, "[1]"} {
		r := Record{Message: plain}
		if Expand(&r, DefaultLimits) || r.Message != plain {
			t.Errorf("%q was expanded: %+v", plain, r)
		}
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for _, s := range []string{"2026-11-20T10:00:00Z", "2026-11-20T12:00:00+02:00", "2026-11-20T12:00:00+0200", "2026-11-20T10:00:00", "2026-11-20 10:00:00", "2026-11-20 10:00:00.000000000 +0000", "2026/11/20 10:00:00",
		"20/Nov/2026:10:00:00 +0000", "Fri, 20 Nov 2026 10:00:00 GMT", "1795168800", "1795168800000", "1795168800000000", "1795168800000000000", "1795168800.0", "1.7951688e9", " 2026-11-20T10:00:00Z "} {
		if got, ok := ParseTime(s); !ok || !got.Equal(want) {
			t.Errorf("%s: %v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "x", "0", "12", "-5", "NaN", "1e400", "10:00", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", strings.Repeat("1", 80)} {
		if got, ok := ParseTime(s); ok {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Level{"INFO": Info, "Warning": Warn, " err ": Error, "30": Info, "50": Error, "3": Error, "7": Debug, "0": Fatal, "WARN2": Warn, "notice": Info, "panic": Fatal, "T": Trace, "trace": Trace} {
		if got, ok := ParseLevel(in); !ok || got != want {
			t.Errorf("%q: %v %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "x", "35", "99999999999999999", "information about", "\xff", "info-ish"} {
		if got, ok := ParseLevel(in); ok {
			t.Errorf("%q is %v", in, got)
		}
	}
	for in, want := range map[string]Level{
		"2026-11-20 ERROR something": Error, "[warn] disk": Warn, "level=debug msg=x": Debug, `{"severity":"CRITICAL"}`: Fatal, "there was no error at all": Unknown, "": Unknown,
		"time=1 lvl=info x": Info, "lvl=eror x": Error, "<fatal> x": Fatal, "MY_ERROR_CODE": Unknown, "INFO: started": Info, "GET /error HTTP": Unknown, "E0101 x": Unknown,
	} {
		if got := DetectLevel(in); got != want {
			t.Errorf("%q: %v, not %v", in, got, want)
		}
	}
	for n, want := range map[int]Level{0: Unknown, 1: Trace, 4: Trace, 5: Debug, 9: Info, 13: Warn, 17: Error, 24: Fatal, 25: Unknown} {
		if OTelLevel(n) != want {
			t.Errorf("%d: %v", n, OTelLevel(n))
		}
	}
	for l := range Level(Levels) {
		if got, ok := ParseLevel(l.String()); !ok || got != l {
			t.Errorf("%v", l)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"GET /api/v1?x=Ü_1 Grüße, 日本!": "get api v1 x ü_1 grüße 日本", "": "", "...": "", "a": "a", "user-42": "user 42", "\xffA\xfe": "\xffa\xfe",
	} {
		if got := strings.Join(Tokens(in), " "); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	if got := fmt.Sprint(InnerTokens("foo bar/Baz qux")); got != "[bar baz]" {
		t.Error(got)
	}
	if got := InnerTokens("whole"); len(got) != 0 {
		t.Error(got)
	}
}

// The store hashes lines as they stand, queries hash folded words: both must agree for any text.
func FuzzHashes(f *testing.F) {
	for _, s := range []string{"Exactly8 sixteenbytes_xyz a", "İstanbul K ſ", "\xff\xc3", strings.Repeat("A", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		hashes := AppendHashes(nil, s)
		tokens := Tokens(s)
		if len(hashes) != len(tokens) {
			t.Fatalf("%q: %d hashes, %q", s, len(hashes), tokens)
		}
		for i, token := range tokens {
			if HashToken(token) != hashes[i] || Fold(token) != token && Fold(Fold(token)) != Fold(token) {
				t.Fatalf("%q: %q", s, token)
			}
		}
	})
}

func TestLabelsAndFields(t *testing.T) {
	t.Parallel()
	l := Labels{{"b", "2"}, {"a", "1"}, {"b", "3"}}.Sort()
	if l.Key() != `{a="1", b="3"}` || l.Get("b") != "3" || l.Get("c") != "" || len(l.Map()) != 2 {
		t.Error(l.Key())
	}
	if a, b := (Labels{{"a", `1", b="2`}}).Key(), (Labels{{"a", "1"}, {"b", "2"}}).Key(); a == b {
		t.Error("two streams have one key")
	}
	if got := MakeLabels(map[string]string{"z": "1", "a": "2", "empty": ""}); got.Key() != `{a="2", z="1"}` {
		t.Error(got.Key())
	}
	r := Record{Stream: l, Level: Warn, Message: "m", Time: time.Unix(0, 0)}
	for i := range 20 {
		r.Set(Field{Name: fmt.Sprintf("f%02d", (i*7)%20), Value: fmt.Sprint(i)})
	}
	r.Set(Field{Name: "f03", Value: "new"})
	for name, want := range map[string]string{"f03": "new", "a": "1", "level": "warn", "_msg": "m", "_stream": l.Key(), "_time": "1970-01-01T00:00:00Z"} {
		if got, ok := r.Value(name); !ok || got != want {
			t.Errorf("%s: %q %v", name, got, ok)
		}
	}
	if _, ok := r.Value("none"); ok || len(r.Fields) != 20 {
		t.Error("a field too many")
	}
	if f, ok := r.Remove("f03"); !ok || f.Value != "new" || len(r.Fields) != 19 {
		t.Error(f)
	}
	if n, ok := (Field{Value: "1.5"}).Number(); !ok || math.Abs(n-1.5) > 1e-9 {
		t.Error(n)
	}
}

func BenchmarkFlatten(b *testing.B) {
	raw := []byte(`{"@timestamp":"2026-11-20T10:00:00.123Z","level":"info","service":"checkout","host":"node-07","message":"GET /api/v1/cart HTTP/1.1 status=200 bytes=5120 duration=35ms","trace_id":"0af7651916cd43dd8448eb211c80319c","http":{"request":{"method":"GET"},"response":{"status":200}}}`)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		fields, err := Flatten(raw, DefaultLimits)
		if err != nil {
			b.Fatal(err)
		}
		r := Record{Fields: fields}
		Normalise(&r, time.Time{})
	}
}

func BenchmarkHashes(b *testing.B) {
	const line = "GET /api/v1/cart HTTP/1.1 status=200 bytes=5120 duration=35ms client=172.16.3.9 user=155120"
	var hashes []uint32
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		hashes = AppendHashes(hashes[:0], line)
	}
}
