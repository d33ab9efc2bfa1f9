package vars

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseRef(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want Ref
		err  string
	}{
		{text: "name", want: Ref{Path: "name"}},
		{text: "creds.user", want: Ref{Path: "creds", Fields: []string{"user"}}},
		{text: "a.b.c", want: Ref{Path: "a", Fields: []string{"b", "c"}}},
		{text: "vault:db.password", want: Ref{Source: "vault", Path: "db", Fields: []string{"password"}}},
		{text: ".:local", want: Ref{Source: ".", Path: "local"}},
		{text: `"a.b".c`, want: Ref{Path: "a.b", Fields: []string{"c"}}},
		{text: `"x:y"`, want: Ref{Path: "x:y"}},
		{text: `s:"a.b"."c:d"`, want: Ref{Source: "s", Path: "a.b", Fields: []string{"c:d"}}},
		{text: "path/to/it", want: Ref{Path: "path/to/it"}},
		{text: "größe", want: Ref{Path: "größe"}},
		{text: " spaced .field ", want: Ref{Path: "spaced", Fields: []string{"field"}}},
		{text: "", err: "invalid var '': empty field"},
		{text: "a..b", err: "invalid var 'a..b': empty field"},
		{text: "a.", err: "invalid var 'a.': empty field"},
		{text: "vault:", err: "invalid var 'vault:': empty field"},
		{text: `vault:"".x`, err: `invalid var 'vault:"".x': empty field`},
		{text: `"q":x`, err: `invalid var '"q":x': source must not be quoted`},
	} {
		got, err := ParseRef(c.text)
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("ParseRef(%q) error = %v, want %s", c.text, err, c.err)
			}
			continue
		}
		if err != nil || got.Source != c.want.Source || got.Path != c.want.Path || strings.Join(got.Fields, "|") != strings.Join(c.want.Fields, "|") {
			t.Errorf("ParseRef(%q) = %+v, %v, want %+v", c.text, got, err, c.want)
		}
	}
}

func TestRefStringReadsBack(t *testing.T) {
	t.Parallel()
	for text, ref := range map[string]Ref{
		"a":                   {Path: "a"},
		"s:a.b":               {Source: "s", Path: "a", Fields: []string{"b"}},
		`"a.b"."c/d"."e f".g`: {Path: "a.b", Fields: []string{"c/d", "e f", "g"}},
		`.:"a:b"`:             {Source: ".", Path: "a:b"},
	} {
		if got := ref.String(); got != text {
			t.Errorf("%+v.String() = %s, want %s", ref, got, text)
		}
		back, err := ParseRef(text)
		if err != nil || back.String() != text {
			t.Errorf("ParseRef(%s) = %+v, %v", text, back, err)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	tree := map[string]any{
		"z":       []any{"x ((a)) and ((b.c))", 7, "((a))"},
		"((key))": map[string]string{"n": "((src:p))"},
		"list":    []string{"((.:l))", "(( no ))", "((", "(())"},
	}
	var got []string
	for _, ref := range Find(tree) {
		got = append(got, ref.String())
	}
	want := []string{"key", "src:p", ".:l", "a", "b.c"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Find = %v, want %v", got, want)
	}
}

func TestRefsSkipsWhatIsNoReference(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "(a)", "((a b))", "((a..b))", "((a)", "$((1+2))", "((a", `((":")`} {
		if refs := Refs(text); len(refs) != 0 {
			t.Errorf("Refs(%q) = %v", text, refs)
		}
	}
}
