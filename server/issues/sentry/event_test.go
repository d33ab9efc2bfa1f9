package sentry

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func parseEvent(t testing.TB, raw string) Event {
	t.Helper()
	e, err := ParseEvent([]byte(raw), arrived, time.Time{})
	if err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return e
}

// Every field may come in a shape that nobody documented.
func TestLenientEvents(t *testing.T) {
	t.Parallel()
	stack := `{"frames":[{"filename":"a.py","function":"f","lineno":"12","colno":3.0}]}`
	cases := []struct {
		name, raw string
		got       func(Event) any
		want      any
	}{
		{"empty", `{}`, func(e Event) any { return []string{e.Type, e.Level, e.Platform, e.Environment} }, []string{"default", "error", "other", "production"}},
		{"dashed id", `{"event_id":"56D9BA5B-2493-4107-bd8d-d936afdb56d2"}`, func(e Event) any { return e.ID }, "56d9ba5b24934107bd8dd936afdb56d2"},
		{"no id", `{"event_id":"zz"}`, func(e Event) any { return e.ID }, ""},
		{"level of others", `{"level":"WARN"}`, func(e Event) any { return e.Level }, "warning"},
		{"level number", `{"level":40}`, func(e Event) any { return e.Level }, "error"},
		{"numbers as text", `{"release":1.10,"dist":42,"logger":true}`, func(e Event) any { return []string{e.Release, e.Dist, e.Logger} }, []string{"1.10", "42", "true"}},
		{"null everywhere", `{"tags":null,"user":null,"exception":null,"threads":null,"request":null,"contexts":null,"breadcrumbs":null,"fingerprint":null,"sdk":null,"extra":null}`, func(e Event) any { return e.Type }, "default"},
		{"wrong types everywhere", `{"tags":1,"user":[],"exception":"x","threads":5,"request":"r","contexts":[],"breadcrumbs":true,"sdk":[],"extra":"x","modules":[],"debug_meta":1}`, func(e Event) any { return e.Type }, "default"},
		{"tags object", `{"tags":{"a":1,"b":true,"c":null,"d":""}}`, func(e Event) any { return e.Tags }, []Pair{{"a", "1"}, {"b", "true"}}},
		{"tags pairs", `{"tags":[["a","1"],["a","2"],null,["b"],{"key":"c","value":"3"}]}`, func(e Event) any { return e.Tags }, []Pair{{"a", "2"}, {"c", "3"}}},
		{"exception values", `{"exception":{"values":[null,{"type":"E","value":1}]}}`, func(e Event) any { return e.Exceptions }, []Exception{{Type: "E", Value: "1"}}},
		{"exception object", `{"exception":{"type":"E","value":{"a":1}}}`, func(e Event) any { return e.Exceptions }, []Exception{{Type: "E", Value: `{"a":1}`}}},
		{"old name", `{"sentry.interfaces.Exception":{"values":[{"type":"E"}]}}`, func(e Event) any { return e.Exceptions[0].Type }, "E"},
		{"type in the value", `{"exception":[{"value":"TypeError: x is null"}]}`, func(e Event) any { return e.Exceptions[0].Type + "|" + e.Exceptions[0].Value }, "TypeError|x is null"},
		{"line as text", `{"exception":[{"type":"E","stacktrace":` + stack + `}]}`, func(e Event) any {
			f := e.Exceptions[0].Stack.Frames[0]
			return []int{f.Line, f.Column}
		}, []int{12, 3}},
		{"guess in app", `{"stacktrace":{"frames":[{"abs_path":"/x/node_modules/y.js"},{"abs_path":"/srv/a.js"}]}}`, func(e Event) any {
			return []bool{e.Stack.Frames[0].InApp, e.Stack.Frames[1].InApp}
		}, []bool{false, true}},
		{"file from a URL", `{"stacktrace":{"frames":[{"abs_path":"https://x.org/a/b.js?c"}]}}`, func(e Event) any { return e.Stack.Frames[0].Filename }, "/a/b.js"},
		{"fingerprint numbers", `{"fingerprint":["a",1,null,2.5]}`, func(e Event) any { return e.Fingerprint }, []string{"a", "1", "2.5"}},
		{"fingerprint text", `{"fingerprint":"a"}`, func(e Event) any { return e.Fingerprint }, []string{"a"}},
		{"message object", `{"message":{"message":"a %s","params":["b"]}}`, func(e Event) any { return e.Message.Text() }, "a b"},
		{"message beside logentry", `{"message":"a b","logentry":{"message":"a %s"}}`, func(e Event) any { return e.Message }, Message{Template: "a %s", Formatted: "a b"}},
		{"python's percent", `{"logentry":{"message":"100%% of %d {}","params":[5,"x"]}}`, func(e Event) any { return e.Message.Text() }, "100% of 5 x"},
		{"query text", `{"request":{"url":"http://x/a?b=1#c","query_string":"d=%20e&f"}}`, func(e Event) any {
			return fmt.Sprint(e.Request.URL, e.Request.Query, e.Request.Fragment)
		}, "http://x/a[{d  e} {f }]c"},
		{"query in the URL", `{"request":{"url":"http://x/a?b=1"}}`, func(e Event) any { return e.Request.Query }, []Pair{{"b", "1"}}},
		{"headers of lists", `{"request":{"headers":{"A":["1","2"],"B":"3"}}}`, func(e Event) any { return e.Request.Headers }, []Pair{{"A", "1, 2"}, {"B", "3"}}},
		{"header pairs", `{"request":{"headers":[["A","1"]]}}`, func(e Event) any { return e.Request.Headers }, []Pair{{"A", "1"}}},
		{"cookies text", `{"request":{"cookies":"a=1; b=2"}}`, func(e Event) any { return e.Request.Cookies }, []Pair{{"a", "1"}, {"b", "2"}}},
		{"empty request", `{"request":{}}`, func(e Event) any { return e.Request == nil }, true},
		{"user of odd types", `{"user":{"id":7,"plan":"pro","data":{"x":1}}}`, func(e Event) any { return fmt.Sprint(e.User.ID, e.User.Data) }, "7map[plan:pro x:1]"},
		{"python's NaN", `{"extra":{"a":NaN,"b":Infinity,"c":1e999,"d":9007199254740993}}`, func(e Event) any { return fmt.Sprint(e.Extra) }, "map[a:NaN b:Infinity c:1e999 d:9007199254740993]"},
		{"escapes", `{"message":"a\u0000b\ud83d\ude00\ud83dc\/\x\"\u00zz"}`, func(e Event) any { return e.Message.Formatted }, "ab😀\uFFFDc/x\"\uFFFD00zz"},
		{"broken UTF-8", "{\"message\":\"a\xffb\x00c\"}", func(e Event) any { return e.Message.Formatted }, "a\uFFFDbc"},
		{"trailing commas", `{"tags":{"a":"1",},"fingerprint":["x",],}`, func(e Event) any { return len(e.Tags) + len(e.Fingerprint) }, 2},
		{"context that is no object", `{"contexts":{"a":1,"trace":{"trace_id":"t","span_id":"s"}}}`, func(e Event) any { return fmt.Sprint(e.Contexts["a"], e.TraceID, e.SpanID) }, "map[value:1]ts"},
		{"feedback", `{"type":"feedback","contexts":{"feedback":{"message":"m","contact_email":"e"}}}`, func(e Event) any { return *e.Feedback }, Feedback{Message: "m", Email: "e"}},
		{"client errors", `{"errors":[{"type":"invalid_data","name":"tags"},"x"]}`, func(e Event) any { return e.Errors }, []string{"The client reports invalid_data in tags.", "The client reports x."}},
		{"debug ids", `{"debug_meta":{"images":[{"type":"sourcemap","code_file":"a.js","debug_id":"E5BC5ACEB5E05F2DA766775C5D864CB3"}]}}`, func(e Event) any { return e.DebugImages[0].DebugID }, "e5bc5ace-b5e0-5f2d-a766-775c5d864cb3"},
		{"message said twice", `{"message":"E: x","exception":[{"type":"E","value":"x"}]}`, func(e Event) any { return e.Message.Text() }, ""},
	}
	for _, c := range cases {
		if got, want := fmt.Sprintf("%#v", c.got(parseEvent(t, c.raw))), fmt.Sprintf("%#v", c.want); got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, want)
		}
	}
}

func TestNoEvents(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "x", "[]", "null", `{"a"}`, `{"a":`, `{"a":1`, `{"a":"x`, `{"a":[1}`, `{"a":x}`, `{}{}`, `{a:1}`, strings.Repeat(`{"extra":`, 3000)} {
		if _, err := ParseEvent([]byte(raw), arrived, time.Time{}); err == nil {
			t.Errorf("%.40s: no error", raw)
		}
	}
}

func TestTrimming(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 20_000)
	var frames, crumbs, tags, pairs []string
	for i := range 300 {
		frames = append(frames, fmt.Sprintf(`{"function":"f%d"}`, i))
		crumbs = append(crumbs, fmt.Sprintf(`{"message":"c%d"}`, i))
		tags = append(tags, fmt.Sprintf(`"t%d%s":"%s"`, i, strings.Repeat("k", 40), long))
		pairs = append(pairs, fmt.Sprintf(`"k%d":%d`, i, i))
	}
	e := parseEvent(t, `{"message":"`+long+`","release":"`+long+`","tags":{`+strings.Join(tags, ",")+`},"extra":{"a":"`+long+`","p":{`+strings.Join(pairs, ",")+`},"deep":`+strings.Repeat(`{"x":`, 20)+"1"+strings.Repeat("}", 20)+`},
		"breadcrumbs":[`+strings.Join(crumbs, ",")+`],"exception":[{"type":"E","value":"v","stacktrace":{"frames":[`+strings.Join(frames, ",")+`]}}]}`)
	s := e.Exceptions[0].Stack
	if len(s.Frames) != maxFrames || s.Omitted != 250 || s.Frames[0].Function != "f0" || s.Frames[24].Function != "f24" || s.Frames[25].Function != "f275" || s.Frames[49].Function != "f299" {
		t.Errorf("frames: %d, omitted %d at %d", len(s.Frames), s.Omitted, s.OmittedAt)
	}
	if n := len(e.Breadcrumbs); n != maxCrumbs || e.Breadcrumbs[n-1].Message != "c299" {
		t.Errorf("breadcrumbs: %d", n)
	}
	if len(e.Tags) != maxTags || len(e.Tags[0].Key) > maxTagKey || len(e.Tags[0].Value) > maxTagValue {
		t.Errorf("tags: %d", len(e.Tags))
	}
	if m := e.Message.Formatted; len(m) > maxMessage || !utf8.ValidString(m) || !strings.HasSuffix(m, ellipsis) {
		t.Errorf("message: %d bytes", len(m))
	}
	if p := e.Extra["p"].(map[string]any); len(p) != maxPairs {
		t.Errorf("pairs: %d", len(p))
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `{…}`) || len(text) > 200_000 {
		t.Errorf("stored form: %d bytes", len(text))
	}
	if n := len(e.Errors); n != 1 || !strings.Contains(e.Errors[0], "message, release, tags, extra, breadcrumbs, exception") {
		t.Errorf("remarks: %v", e.Errors)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	now := arrived
	cases := []struct {
		name, stamp string
		sent        time.Time
		want        time.Time
	}{
		{"float", `1795189312.371`, time.Time{}, time.Unix(1795189312, 371e6)},
		{"milliseconds", `1795189312371`, time.Time{}, time.Unix(1795189312, 371e6)},
		{"float as text", `"1795189312.5"`, time.Time{}, time.Unix(1795189312, 5e8)},
		{"RFC 3339", `"2026-11-20T15:00:00.123456789Z"`, time.Time{}, time.Date(2026, 11, 20, 15, 0, 0, 123456789, time.UTC)},
		{"without zone", `"2026-11-20T15:00:00"`, time.Time{}, time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)},
		{"other zone", `"2026-11-20T16:00:00+01:00"`, time.Time{}, time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)},
		{"nonsense", `"soon"`, time.Time{}, now},
		{"future", `"2030-01-01T00:00:00Z"`, time.Time{}, now},
		{"past", `"2020-01-01T00:00:00Z"`, time.Time{}, now},
		{"small drift stays", `"2026-11-20T15:59:00Z"`, now.Add(-30 * time.Second), now.Add(-time.Minute)},
		{"clock an hour slow", `"2026-11-20T14:59:50Z"`, now.Add(-time.Hour), now.Add(-10 * time.Second)},
		{"clock two years ahead", `"2028-11-20T15:59:50Z"`, now.AddDate(2, 0, 0), now.Add(-10 * time.Second)},
	}
	for _, c := range cases {
		e, err := ParseEvent([]byte(`{"timestamp":`+c.stamp+`}`), now, c.sent)
		if err != nil {
			t.Fatal(err)
		}
		if !e.Timestamp.Equal(c.want) {
			t.Errorf("%s: %v, want %v", c.name, e.Timestamp, c.want)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	for _, rec := range recordings(f) {
		for _, item := range readRecorded(f, rec).Items {
			if item.Type != "attachment" {
				f.Add(item.Payload)
			}
		}
	}
	f.Add([]byte(`{"exception":{"values":{"values":[{}]}},"tags":[[[]]],"request":{"headers":{"a":[["x"]]}},"extra":{"a":[1,{"b":NaN}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		ParseSession(raw, arrived)
		ParseSessions(raw, arrived, 100)
		ParseCheckIn(raw)
		ParseClientReport(raw, arrived)
		ParseUserReport(raw)
		ParseLogs(raw, arrived)
		ParseMetrics(raw, arrived)
		ParseSpans(raw, arrived)
		ParseSecurity(raw, arrived)
		e, err := ParseEvent(raw, arrived, arrived)
		if err != nil {
			return
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("not storable: %v", err)
		}
		if strings.Contains(string(text), `\u0000`) {
			t.Fatalf("a NUL: %s", text)
		}
		var back Event
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("not readable: %v", err)
		}
	})
}
