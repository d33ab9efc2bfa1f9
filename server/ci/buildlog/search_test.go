package buildlog

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	_, l := setup(t)
	t.Cleanup(func() { closeLog(t, l) })
	add(t, l,
		out("a", "Compiling main.go\n"),
		out("b", "\x1b[31mERR\x1b[0mOR: disk full\r\n"),
		out("a", "no error, error-free\n"),
		out("a", "Größe: 5 µm\n"),
		out("b", "task (failed) [x]\n"),
	)
	for _, c := range []struct {
		query   Query
		lines   int64
		matches int64
		listed  string
	}{
		{Query{Text: "error"}, 2, 3, "2[0:5] 3[3:8 10:15]"},
		{Query{Text: "error", CaseSensitive: true}, 1, 2, "3[3:8 10:15]"},
		{Query{Text: "ERROR: d", CaseSensitive: true}, 1, 1, "2[0:8]"},
		{Query{Text: "error", Origin: "b"}, 1, 1, "2[0:5]"},
		{Query{Text: "GRÖSSE"}, 0, 0, ""},
		{Query{Text: "GRÖßE"}, 1, 1, "4[0:7]"},
		{Query{Text: "[31m"}, 0, 0, ""},
		{Query{Text: "(failed) ["}, 1, 1, "5[5:15]"},
		{Query{Text: "TASK"}, 1, 1, "5[0:4]"},
		{Query{Text: `err\w+[:-]`, Regex: true}, 2, 2, "2[0:6] 3[10:16]"},
		{Query{Text: `full$`, Regex: true}, 1, 1, "2[12:16]"},
		{Query{Text: `^task|Größe`, Regex: true, CaseSensitive: true}, 2, 2, "4[0:7] 5[0:4]"},
		{Query{Text: `x*`, Regex: true}, 1, 1, "5[15:16]"},
		{Query{Text: ""}, 0, 0, ""},
		{Query{Text: "o", Limit: 1}, 3, 7, "1[1:2 15:16]"},
	} {
		q := c.query
		if q.Limit == 0 {
			q.Limit = 10
		}
		found, err := l.Search(t.Context(), q)
		if err != nil {
			t.Errorf("%+v: %v", q, err)
			continue
		}
		got := ""
		for _, m := range found.Listed {
			got += fmt.Sprintf(" %d[", m.N)
			for i, at := range m.Columns {
				if i > 0 {
					got += " "
				}
				got += fmt.Sprintf("%d:%d", at[0], at[1])
			}
			got += "]"
		}
		if got != "" {
			got = got[1:]
		}
		if q.Text == "o" {
			if !found.Capped || len(found.Listed) != 1 {
				t.Errorf("not capped: %+v", found)
			}
			continue
		}
		if found.Lines != c.lines || found.Matches != c.matches || got != c.listed || found.Capped {
			t.Errorf("%+v: %d lines, %d matches, %s", q, found.Lines, found.Matches, got)
		}
	}
}

func TestSearchRefusals(t *testing.T) {
	t.Parallel()
	_, l := setup(t)
	defer closeLog(t, l)
	add(t, l, out("a", "x\n"))
	if _, err := l.Search(t.Context(), Query{Text: "a(", Regex: true, Limit: 1}); !errors.Is(err, ErrPattern) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Search(ctx, Query{Text: "x", Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestSearchKnowsPlacesInSections(t *testing.T) {
	t.Parallel()
	_, l := setup(t)
	defer closeLog(t, l)
	var records []Record
	for i := range 40_000 {
		records = append(records, out(string(rune('a'+i%3)), fmt.Sprintf("number %d here, and some more text to fill several blocks\n", i)))
	}
	add(t, l, records...)
	found, err := l.Search(t.Context(), Query{Text: `number \d+77 `, Regex: true, Limit: 1000})
	if err != nil || found.Lines != 400-1 || len(found.Listed) != 399 || found.Capped {
		t.Fatalf("%d lines, %d listed, %v", found.Lines, len(found.Listed), err)
	}
	for _, m := range found.Listed {
		if want := (m.N - 1) / 3; m.Nth != want {
			t.Fatalf("line %d of %s is number %d, not %d", m.N, m.Origin, want, m.Nth)
		}
	}
}

// FuzzFinder holds the shortcut against the regular expression alone.
func FuzzFinder(f *testing.F) {
	f.Add("err(or|s)+: x", "ERRors: x", false)
	f.Add("(?i:ab)c{2}", "xABcc", true)
	f.Add("\u212a\u0130", "ki", false)
	f.Fuzz(func(t *testing.T, pattern, text string, sensitive bool) {
		find, err := newFinder(Query{Text: pattern, Regex: true, CaseSensitive: sensitive})
		if err != nil {
			return
		}
		if !sensitive {
			pattern = "(?i)" + pattern
		}
		want := int64(0)
		for _, at := range regexp.MustCompile(pattern).FindAllStringIndex(text, -1) {
			if at[0] != at[1] {
				want++
			}
		}
		if got, _ := find.all([]byte(text), nil); got != want {
			t.Errorf("%q in %q: %d, want %d (literal %q)", pattern, text, got, want, find.literal)
		}
	})
}

func FuzzPlain(f *testing.F) {
	f.Add([]byte("\x1b[1;31mx\x1b]8;;u\x1b\\y\x1b(B"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for i, c := range appendPlain(nil, text) {
			if c == escape {
				t.Errorf("escape at %d of %q", i, text)
			}
		}
	})
}
