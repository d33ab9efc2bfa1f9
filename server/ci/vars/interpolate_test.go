package vars

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

var known = Sources{
	"": Static{
		"name": "web", "port": 8080, "ratio": 0.5, "big": json.Number("12345678901234567890"), "fromjson": float64(42),
		"on": true, "nothing": nil, "list": []any{"a", "b"}, "a.b": "dotted",
		"creds": map[string]any{"user": "u", "deep": map[string]any{"k": "v"}}, "plain": map[string]string{"x": "y"},
	},
	"vault": Static{"db": map[string]any{"password": "s3cret"}},
	".":     Static{"tag": "v1"},
}

func TestInterpolate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		in   any
		want any
	}{
		{"no reference", "plain", "plain"},
		{"text", "((name))", "web"},
		{"inside text", "x-((name))-y", "x-web-y"},
		{"several", "((name)):((port))", "web:8080"},
		{"the same twice", "((name))((name))", "webweb"},
		{"whole scalar keeps number", "((port))", 8080},
		{"whole scalar keeps bool", "((on))", true},
		{"whole scalar keeps null", "((nothing))", nil},
		{"whole scalar keeps list", "((list))", []any{"a", "b"}},
		{"whole scalar keeps map", "((creds.deep))", map[string]any{"k": "v"}},
		{"whole scalar keeps float", "((ratio))", 0.5},
		{"big number in text", "n=((big))", "n=12345678901234567890"},
		{"whole float in text", "n=((fromjson))", "n=42"},
		{"field", "((creds.user))", "u"},
		{"field of field", "((creds.deep.k))", "v"},
		{"field of text map", "((plain.x))", "y"},
		{"quoted", `(("a.b"))`, "dotted"},
		{"source", "((vault:db.password))", "s3cret"},
		{"local", "img:((.:tag))", "img:v1"},
		{"list of any", []any{"((name))", 1, nil}, []any{"web", 1, nil}},
		{"list of text", []string{"((name))", "((port))"}, []any{"web", 8080}},
		{"map", map[string]any{"k": "((name))", "n": 3}, map[string]any{"k": "web", "n": 3}},
		{"text map", map[string]string{"k": "((on))"}, map[string]any{"k": true}},
		{"key", map[string]any{"((name))-x": 1}, map[string]any{"web-x": 1}},
		{"number as key", map[string]any{"((port))": 1}, map[string]any{"8080": 1}},
		{"nested", map[string]any{"a": []any{map[string]any{"b": "((name))"}}}, map[string]any{"a": []any{map[string]any{"b": "web"}}}},
		{"not a reference", "$((1 + 2))", "$((1 + 2))"},
		{"value is not read again", "((.:again))", "((name))"},
	} {
		lookup := First{known, Sources{".": Static{"again": "((name))"}}}
		got, err := Interpolate(context.Background(), c.in, lookup)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %#v, %v, want %#v", c.name, got, err, c.want)
		}
	}
}

func TestInterpolateErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		in   any
		err  string
	}{
		{"undefined", "((nope))", "undefined vars: nope"},
		{"all undefined, sorted", map[string]any{"a": "((z))", "b": []any{"((m)) ((a))", "((z))"}}, "undefined vars: a, m, z"},
		{"undefined local", "((.:nope))", "undefined vars: .:nope"},
		{"unknown source", "((other:x))", "missing source 'other' in var: other:x"},
		{"missing field", "((creds.nope))", "missing field 'nope' in var: creds.nope"},
		{"field of text", "((name.x))", "cannot access field 'x' of non-map value ('string') from var: name.x"},
		{"list inside text", "x ((list))", "cannot interpolate non-primitive value ([]interface {}) from var: list"},
		{"bool inside text", "x ((on))", "cannot interpolate non-primitive value (bool) from var: on"},
		{"fraction inside text", "x ((ratio))", "cannot interpolate non-primitive value (float64) from var: ratio"},
		{"map as key", map[string]any{"((creds))": 1}, "cannot use the value of ((creds)) (map[string]interface {}) as a key"},
		{"malformed", "((a..b))", "invalid var 'a..b': empty field"},
	} {
		_, err := Interpolate(context.Background(), c.in, known)
		if err == nil || err.Error() != c.err {
			t.Errorf("%s: error %v, want %s", c.name, err, c.err)
		}
	}
	var undefined *UndefinedError
	if _, err := Interpolate(context.Background(), "((q))", known); !errors.As(err, &undefined) || undefined.Names[0] != "q" {
		t.Errorf("error %v is no UndefinedError", err)
	}
	if _, err := Interpolate(context.Background(), "((q))", nil); !errors.Is(err, ErrNoLookup) {
		t.Errorf("without lookup: %v", err)
	}
}

func TestInterpolateKnownLeavesTheRest(t *testing.T) {
	t.Parallel()
	in := map[string]any{"((k))": "((name)) ((later)) ((vault:db.password))", "l": []any{"((later))"}}
	got, err := InterpolateKnown(context.Background(), in, Static{"name": "web", "k": "key"})
	want := map[string]any{"key": "web ((later)) ((vault:db.password))", "l": []any{"((later))"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestInterpolateKeepsItsInput(t *testing.T) {
	t.Parallel()
	in := map[string]any{"a": []any{"((name))"}, "b": map[string]any{"((name))": 1}}
	before, _ := json.Marshal(in)
	if _, err := Interpolate(context.Background(), in, known); err != nil {
		t.Fatal(err)
	}
	if after, _ := json.Marshal(in); string(after) != string(before) {
		t.Errorf("input became %s", after)
	}
}

type failing struct{}

func (failing) Get(context.Context, Ref) (any, bool, error) {
	return nil, false, errors.New("store is down")
}

func TestFirstStopsAtAnError(t *testing.T) {
	t.Parallel()
	_, err := Interpolate(context.Background(), "((x))", First{Static{}, failing{}, Static{"x": 1}})
	if err == nil || err.Error() != "store is down" {
		t.Errorf("error %v", err)
	}
}

func FuzzInterpolate(f *testing.F) {
	for _, seed := range []string{"((a))", "x((a.b))y", "(((a)))", `(("a.b".c))`, "((s:a))", "((.:a)", "((a))((a))"} {
		f.Add(seed, "value")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		lookup := First{Static{"a": value}, Sources{".": Static{"a": value}}}
		got, err := InterpolateKnown(context.Background(), text, lookup)
		if err == nil && len(Refs(text)) == 0 && got != text {
			t.Fatalf("text without references changed: %q -> %q", text, got)
		}
		for _, ref := range Refs(text) {
			back, err := ParseRef(ref.String())
			if err != nil {
				t.Fatalf("%+v does not read back: %v", ref, err)
			}
			if back.Path != ref.Path || back.Source != ref.Source || len(back.Fields) != len(ref.Fields) {
				t.Fatalf("%+v reads back as %+v", ref, back)
			}
		}
	})
}
