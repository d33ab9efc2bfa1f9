package sourcemap

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func parsed(t testing.TB, raw []byte) *Map {
	t.Helper()
	m, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// app.js was built by Vite from cart.ts and main.ts.
func TestLookup(t *testing.T) {
	t.Parallel()
	m := parsed(t, file(t, "app.js.map"))
	cases := []struct {
		what         string
		line, column int
		want         string
	}{
		{"throw", 6, 32, "../cart.ts:12 in Cart.total"},
		{"inside a template and a callback", 5, 45, "../cart.ts:10 in Cart.total"},
		{"reduce", 7, 21, "../cart.ts:14 in Cart.total"},
		{"an arrow with a name", 9, 16, "../cart.ts:19 in checkout"},
		{"a call", 12, 9, "../main.ts:5 in pay"},
		{"top of a file", 14, 1, "../main.ts:8 in "},
		{"behind the last mapping of a line", 6, 9999, "../cart.ts:12 in Cart.total"},
		{"a line without mappings", 1, 1, "none"},
		{"a line that is not there", 99, 1, "none"},
		{"line 0", 0, 1, "none"},
		{"no column", 6, 0, "../cart.ts:11 in Cart.total"},
	}
	for _, c := range cases {
		got := "none"
		if p, ok := m.Lookup(c.line, c.column); ok {
			got = fmt.Sprintf("%s:%d in %s", p.Source, p.Line, m.Function(p))
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	m := parsed(t, file(t, "app.js.map"))
	f := sentry.Frame{Filename: "/assets/app.js", AbsPath: "https://x.org/assets/app.js", Function: "e.total", Line: 6, Column: 32, InApp: true}
	if ok, why := m.Apply(&f); !ok {
		t.Fatal(why)
	}
	if f.Filename != "cart.ts" || f.Line != 12 || f.Function != "Cart.total" || !f.InApp ||
		f.Context != "      throw new RangeError('the cart is empty: ' + text);" || len(f.PreContext) != 5 || len(f.PostContext) != 5 {
		t.Errorf("frame: %+v", f)
	}
	if b := f.Minified; b == nil || b.Line != 6 || b.Column != 32 || b.Function != "e.total" || b.Filename != "/assets/app.js" {
		t.Errorf("before: %+v", f.Minified)
	}
	for _, f := range []sentry.Frame{{}, {Line: 400, Column: 1}} {
		if ok, why := m.Apply(&f); ok || !strings.HasSuffix(why, ".") || f.Minified != nil {
			t.Errorf("line %d: %v %q", f.Line, ok, why)
		}
	}
}

func TestSections(t *testing.T) {
	t.Parallel()
	one := `{"version":3,"sources":["a.js"],"names":["x"],"mappings":"AAAAA;CACA"}`
	two := `{"version":3,"sourceRoot":"src/","sources":["b.js",null],"sourcesContent":["function go() {\n  stop();\n}"],"names":[],"mappings":"AACE","ignoreList":[0]}`
	m := parsed(t, []byte(`{"version":3,"debugId":"E5BC5ACEB5E05F2DA766775C5D864CB3","sections":[{"offset":{"line":0,"column":0},"map":`+one+`},{"offset":{"line":1,"column":10},"map":`+two+`},{"offset":{"line":5,"column":0},"map":`+two+`}]}`))
	if m.DebugID() != "e5bc5ace-b5e0-5f2d-a766-775c5d864cb3" {
		t.Errorf("debug id %q", m.DebugID())
	}
	for _, c := range []struct {
		line, column int
		want         string
	}{{1, 1, "a.js:1:1 x"}, {2, 5, "a.js:2:1 "}, {2, 11, "src/b.js:2:3 "}, {6, 1, "src/b.js:2:3 "}, {4, 1, ""}} {
		got := ""
		if p, ok := m.Lookup(c.line, c.column); ok {
			got = fmt.Sprintf("%s:%d:%d %s", p.Source, p.Line, p.Column, p.Name)
			if p.Ignored != (p.Source == "src/b.js") {
				t.Errorf("%s: ignored %v", p.Source, p.Ignored)
			}
		}
		if got != c.want {
			t.Errorf("%d:%d: %q, want %q", c.line, c.column, got, c.want)
		}
	}
	p, _ := m.Lookup(6, 1)
	before, line, after, ok := m.Context(p, 3)
	if !ok || line != "  stop();" || len(before) != 1 || len(after) != 1 || m.Function(p) != "go" {
		t.Errorf("context: %v %q %v %v in %q", before, line, after, ok, m.Function(p))
	}
}

func TestMalformedMaps(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"empty": "", "no json": "x", "version": `{"version":2,"mappings":""}`, "bad base64": `{"version":3,"sources":["a"],"mappings":"!"}`,
		"ends in a number": `{"version":3,"sources":["a"],"mappings":"g"}`, "no such source": `{"version":3,"sources":[],"mappings":"AAAA"}`,
		"no such name": `{"version":3,"sources":["a"],"mappings":"AAAAC"}`, "negative": `{"version":3,"sources":["a"],"mappings":"DAAA"}`,
		"too large a number": `{"version":3,"sources":["a"],"mappings":"gggggggggggC"}`, "sections out of order": `{"version":3,"sections":[{"offset":{"line":5,"column":0},"map":{"version":3,"mappings":""}},{"offset":{"line":1,"column":0},"map":{"version":3,"mappings":""}}]}`,
		"nested sections": `{"version":3,"sections":[{"offset":{},"map":{"version":3,"sections":[]}}]}`, "section without map": `{"version":3,"sections":[{"offset":{}}]}`,
	} {
		var m *MalformedError
		if _, err := Parse([]byte(raw)); !errors.As(err, &m) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse([]byte(`{"version":3,"mappings":"` + strings.Repeat(";", maxLines+2) + `"}`)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("lines: %v", err)
	}
	if _, err := Parse([]byte(")]}'\n{\"version\":3,\"sources\":[],\"mappings\":\"\"}")); err != nil {
		t.Errorf("guard: %v", err)
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	cases := []struct{ src, want string }{ // ^ marks the place
		{"function a() { ^ }", "a"},
		{"async function* a(x = {}) { ^ }", "a"},
		{"const a = () => { ^ }", "a"},
		{"const a = async ({b, c}) => { ^ }", "a"},
		{"const a: F = (x: number): string => { ^ }", "a"},
		{"a.b = function (x) { ^ }", "a.b"},
		{"const o = { m() { ^ } }", "m"},
		{"const o = { m: function () { ^ } }", "m"},
		{"class A { m() { ^ } }", "A.m"},
		{"class A extends B { async m(x: {y: 1}): Promise<void> { ^ } }", "A.m"},
		{"class A { get m() { ^ } }", "A.m"},
		{"function a() { if (x) { ^ } }", "a"},
		{"function a() { for (const x of y) { try { ^ } catch (e) { } } }", "a"},
		{"function a() { list.map((x) => { ^ }) }", "a"},
		{"function a() {} ^", ""},
		{"function a() { function b() { ^ } }", "b"},
		{"function a() { function b() { } ^ }", "a"},
		{"function a() { const o = { x: 1 }; ^ }", "a"},
		{"function a() { s = '}'; ^ }", "a"},
		{"function a() { s = `}${ {x: '`'} }`; ^ }", "a"},
		{"function a() { /* } */ // }\n ^ }", "a"},
		{"function a() { return /[}/]}/.test(x) ? 1 / 2 : ^ 3 }", "a"},
		{"if (x) { ^ }", ""},
		{"function a() { ^", "a"},
		{"} } ^", ""},
	}
	for _, c := range cases {
		at := strings.IndexByte(c.src, '^')
		content := strings.Replace(c.src, "^", " ", 1)
		line := 1 + strings.Count(content[:at], "\n")
		column := at - strings.LastIndexByte(content[:at], '\n')
		raw := fmt.Appendf(nil, `{"version":3,"sources":["a.ts"],"sourcesContent":[%q],"mappings":"AAAA"}`, "x")
		m := parsed(t, raw)
		m.sources[0].content = content
		if got := m.Function(Position{Line: line, Column: column}); got != c.want {
			t.Errorf("%s: %q, want %q", c.src, got, c.want)
		}
	}
}

func TestCleanSource(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"webpack://shop/./src/cart.ts": "src/cart.ts", "webpack:///src/a.vue?1f2e": "src/a.vue", "../../src/a.ts": "src/a.ts",
		"./a.ts": "a.ts", "https://x.org/a.ts": "https://x.org/a.ts", "webpack:///./node_modules/x/i.js": "node_modules/x/i.js", "": ""} {
		if got := CleanSource(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	u, id := References([]byte("x()\n//# debugId=E5BC5ACE-b5e0-5f2d-a766-775c5d864cb3\n//# sourceMappingURL=app.js.map\n"))
	if u != "app.js.map" || id != "e5bc5ace-b5e0-5f2d-a766-775c5d864cb3" {
		t.Errorf("%q %q", u, id)
	}
	if u, _ := References([]byte("a{}/*# sourceMappingURL=a.css.map */")); u != "a.css.map" {
		t.Errorf("css: %q", u)
	}
	if u, id := References(file(t, "app.js")); u != "app.mjs.map" || id != "" {
		t.Errorf("vite: %q %q", u, id)
	}
}

// bigMap makes a map of about 10 MB: 3 MB of mappings, the rest source.
func bigMap() []byte {
	var b bytes.Buffer
	b.WriteString(`{"version":3,"sources":["a.ts"],"names":["n"],"sourcesContent":["`)
	b.WriteString(strings.Repeat(`function a() { return 1; }\n`, 260_000))
	b.WriteString(`"],"mappings":"AAAAA`)
	for range 500_000 {
		b.WriteString(",CACA") // six characters with the comma's neighbour
	}
	b.WriteString(`"}`)
	return b.Bytes()
}

// Not parallel: it measures the heap.
func TestBigMapMemory(t *testing.T) {
	raw := bigMap()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m := parsed(t, raw)
	runtime.ReadMemStats(&after)
	peak := after.TotalAlloc - before.TotalAlloc
	runtime.GC()
	runtime.ReadMemStats(&after)
	kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	runtime.KeepAlive(raw) // it was there before as well
	t.Logf("%d MB map: %d MB allocated, %d MB kept, Size says %d MB", len(raw)>>20, peak>>20, kept>>20, m.Size()>>20)
	if peak > 8*uint64(len(raw)) || kept > 3*int64(len(raw)) {
		t.Errorf("a map of %d MB allocated %d MB and keeps %d MB", len(raw)>>20, peak>>20, kept>>20)
	}
	if _, ok := m.Lookup(1, 400_000); !ok {
		t.Error("nothing found in the middle")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(file(f, "app.js.map"))
	f.Add([]byte(`{"version":3,"sections":[{"offset":{"line":1,"column":2},"map":{"version":3,"sources":["a"],"sourcesContent":["function a(){\n}"],"mappings":"AAAA"}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Parse(raw)
		if err != nil {
			return
		}
		for _, at := range [][2]int{{1, 1}, {2, 3}, {100, 100}, {1, 0}} {
			frame := sentry.Frame{Line: at[0], Column: at[1]}
			m.Apply(&frame)
		}
	})
}

func BenchmarkParse10MB(b *testing.B) {
	raw := bigMap()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	m := parsed(b, file(b, "app.js.map"))
	b.ReportAllocs()
	for b.Loop() {
		f := sentry.Frame{Line: 6, Column: 32}
		if ok, why := m.Apply(&f); !ok {
			b.Fatal(why)
		}
	}
}
