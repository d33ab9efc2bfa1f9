package sentry

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"
)

// plain is encoding/json's form, with HTML's characters as they are.
func plain(t testing.TB, e *Event) string {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSuffix(out.Bytes(), []byte("\n")))
}

func compare(t testing.TB, e *Event) {
	t.Helper()
	got, err := e.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := plain(t, e); string(got) != want {
		t.Fatalf("the forms differ:\n%s\n%s", got, want)
	}
}

// fill gives every field below v a value that is not zero.
func fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth)
	case reflect.Struct:
		if t, is := v.Addr().Interface().(*time.Time); is {
			*t = time.Date(2026, 11, 21, 8, 0, depth%60, 5000, time.UTC)
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), depth+i+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), depth+1)
		fill(v.Index(1), depth+2)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, key := range []string{"b", "a<"} {
			x := reflect.New(v.Type().Elem()).Elem()
			fill(x, depth+1)
			v.SetMapIndex(reflect.ValueOf(key), x)
		}
	case reflect.Interface:
		v.Set(reflect.ValueOf(map[string]any{"list": []any{1.5, nil, true, "x", map[string]any(nil), []any(nil), []any{}, int64(7), 1e-9, 1e30, -0.25, 12345678901.0}}))
	case reflect.String:
		v.SetString("a \"text\"\n\twith \\ <&> é € \u2028 \x01 \xff and more")
	case reflect.Bool:
		v.SetBool(true)
	default:
		v.SetInt(int64(depth + 1))
	}
}

func TestEncodingKnowsEveryField(t *testing.T) {
	t.Parallel()
	var e Event
	compare(t, &e)
	fill(reflect.ValueOf(&e).Elem(), 0)
	e.Feedback, e.Security, e.Spans = nil, nil, nil // left to encoding/json, which escapes
	compare(t, &e)
	e.Exceptions[0].Stack.Frames = []Frame{}
	e.Exceptions[1].Stack.Frames = nil
	e.Message.Params, e.User.Geo, e.SDK.Packages = []any{}, map[string]any{}, []string{}
	compare(t, &e)
	compare(t, &Event{Message: Message{Params: []any{}}, User: User{Data: map[string]any{}}, SDK: SDK{Integrations: []string{}}, Request: &Request{}, Stack: &Stack{}})
	compare(t, &Event{Feedback: &Feedback{Message: "hi"}, Security: &SecurityReport{}, Spans: []Span{{Name: "x"}}})
}

func TestEncodingRefusesWhatJSONCannotHold(t *testing.T) {
	t.Parallel()
	for _, e := range []*Event{{Extra: map[string]any{"x": math.NaN()}}, {Timestamp: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		if _, err := e.AppendJSON(nil); err == nil {
			t.Errorf("%+v has a form", e)
		}
	}
}

func TestEncodingOfRecordedEvents(t *testing.T) {
	t.Parallel()
	events := 0
	for _, rec := range recordings(t) {
		for _, item := range readRecorded(t, rec).Items {
			if e, err := ParseEvent(item.Payload, arrived, arrived); err == nil && len(e.Spans) == 0 && e.Feedback == nil && e.Security == nil {
				events++
				compare(t, &e)
			}
		}
	}
	if events == 0 {
		t.Error("no recorded event was read")
	}
}

func BenchmarkEncode(b *testing.B) {
	var largest Event
	size := 0
	for _, rec := range recordings(b) {
		for _, item := range readRecorded(b, rec).Items {
			if e, err := ParseEvent(item.Payload, arrived, arrived); err == nil && item.Type == "event" && len(item.Payload) > size {
				largest, size = e, len(item.Payload)
			}
		}
	}
	for name, run := range map[string]func() ([]byte, error){
		"encoding/json": func() ([]byte, error) { return json.Marshal(&largest) },
		"append":        func() ([]byte, error) { return largest.AppendJSON(make([]byte, 0, 16<<10)) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
