package query

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	// The canonical form of what is typed; it must parse to itself again.
	cases := [][2]string{
		{"", ""},
		{"   ", ""},
		{"is:unresolved", "is:unresolved"},
		{"is:ignored IS:Muted", "is:archived is:archived"},
		{"is:[new,regressed]", "is:[new,regressed]"},
		{"!is:assigned", "!is:assigned"},
		{"env:prod", "environment:prod"},
		{"environment:[prod, staging]", "environment:[prod,staging]"},
		{"release:2.4", "release:2.4"},
		{"release:shop@2.*", "release:shop@2.*"},
		{"release:latest", "release:latest"},
		{"level:error", "level:error"},
		{"error.type:KeyError", "type:KeyError"},
		{"user.email:bob@example.org", "user.email:bob@example.org"},
		{"user.id:7 user:bob", "user.id:7 user:bob"},
		{"has:user.email", "has:user.email"},
		{"!has:customer", "!has:customer"},
		{"has:env", "has:environment"},
		{"has:tags.level2", "has:level2"},
		{"!customer:acme", "!customer:acme"},
		{"customer:[a,\"b c\",d*]", `customer:[a,"b c",d*]`},
		{`"my tag":x`, `"my tag":x`},
		{"tags.region:eu", "region:eu"},
		{"times_seen:>10", "events:>10"},
		{"times_seen:>=1k", "events:>=1k"},
		{"users:5", "users:5"},
		{"first_seen:-7d", "first_seen:-7d"},
		{"age:+30m", "first_seen:+30m"},
		{"first_seen:>-2w", "first_seen:>-2w"},
		{"last_seen:>2026-01-01", "last_seen:>2026-01-01"},
		{`last_seen:<="2026-01-01 10:00"`, `last_seen:<="2026-01-01 10:00"`},
		{"assigned:me", "assigned:me"},
		{"assignee:[me,none]", "assigned:[me,none]"},
		{"card declined", "card declined"},
		{`"card declined"`, `"card declined"`},
		{`!"card declined"`, `!"card declined"`},
		{"time*out", "time*out"},
		{`a\*b`, `a\*b`},
		{`title:"say \"hi\""`, `title:"say \"hi\""`},
		{"https://x.org/a?b=1", `"https://x.org/a?b=1"`},
		{"std::vector", `"std::vector"`},
		{"undefined:", "!"},
		{"no-colon-here", "no-colon-here"},
		{"größe:3", `"größe:3"`},
		{"a:b:c", "a:b:c"},
		{`url:https://x.org/a`, `url:https://x.org/a`},
		{`"OR"`, `"OR"`},
		{`level:""`, `level:""`},
		{`title:">x"`, `title:">x"`},
	}
	for _, c := range cases {
		q, err := Parse(c[0])
		if c[1] == "!" {
			if err == nil {
				t.Errorf("%q: no error", c[0])
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c[0], err)
			continue
		}
		if got := q.String(); got != c[1] {
			t.Errorf("%q\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}

func TestParseTerms(t *testing.T) {
	t.Parallel()
	q, err := Parse(`is:unresolved !env:[a*b,c] times_seen:>10 "two words" has:x`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Term{
		{Key: "is", Type: State, Op: Equal, Values: []Value{{Text: "unresolved"}}, Pos: 0, End: 13},
		{Key: "environment", Type: Text, Op: Equal, Not: true, Values: []Value{{Text: "a*b", Parts: []string{"a", "b"}}, {Text: "c"}}, Pos: 14, End: 26},
		{Key: "events", Type: Number, Op: Greater, Values: []Value{{Text: "10", Number: 10}}, Pos: 27, End: 41},
		{Type: Text, Op: FreeWords, Values: []Value{{Text: "two words", Quoted: true}}, Pos: 42, End: 53},
		{Key: "x", Type: Tag, Op: Has, Pos: 54, End: 59},
	}
	if !reflect.DeepEqual(q.Terms, want) {
		t.Errorf("got  %+v\nwant %+v", q.Terms, want)
	}
	if free := q.Free(); len(free) != 1 || free[0].Pos != 42 {
		t.Errorf("free: %+v", free)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text string
		pos  int
		part string
	}{
		{"is:unsolved", 3, "There is no state"},
		{"is:", 0, "is:unresolved"},
		{"a b level:", 4, "A value is missing behind level:"},
		{"environmnt:prod", 0, "did you mean environment?"},
		{"relaese:1", 0, "did you mean release?"},
		{"bookmarks:me", 0, "assigned:me"},
		{"status:resolved", 0, "is:resolved"},
		{"times_seen:many", 11, "number"},
		{"times_seen:>", 11, "number"},
		{"first_seen:yesterday", 11, "-7d"},
		{"first_seen:-7y", 11, "-7d"},
		{"first_seen:[-7d,-8d]", 11, "not a list"},
		{"level:>error", 6, "cannot be compared"},
		{`title:"abc`, 6, "does not end"},
		{`"abc`, 0, "does not end"},
		{`title:"a"b`, 6, "space is missing"},
		{"env:[a", 4, "list does not end"},
		{"env:[]", 4, "list is empty"},
		{"a OR b", 2, "level:[error,fatal]"},
		{"(level:error) x", 0, "cannot group"},
		{"! x", 0, "without a space"},
		{"has:", 0, "has:user.email"},
		{"has:a*", 4, "one name"},
		{"has:is", 4, "Every issue"},
		{`""`, 0, "nothing between"},
		{strings.Repeat("a ", 60), 100, "more than 50"},
		{strings.Repeat("a", 2001), 0, "longer than"},
		{"\xff", 0, "not valid text"},
		{"é é is:x", 7, "no state"},
	}
	for _, c := range cases {
		_, err := Parse(c.text)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if e.Pos != c.pos || !strings.Contains(e.Sentence, c.part) {
			t.Errorf("%q: at %d: %s (want %d: …%s…)", c.text, e.Pos, e.Sentence, c.pos, c.part)
		}
		if e.End < e.Pos || !strings.HasSuffix(e.Sentence, ".") {
			t.Errorf("%q: %+v is no place or no sentence", c.text, e)
		}
	}
}

func TestBetween(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	cases := []struct {
		text     string
		from, to time.Time
	}{
		{"first_seen:-7d", now.AddDate(0, 0, -7), time.Time{}},
		{"first_seen:+7d", time.Time{}, now.AddDate(0, 0, -7)},
		{"first_seen:<-1h", time.Time{}, now.Add(-time.Hour)},
		{"first_seen:2026-01-05", day(5), day(6)},
		{"first_seen:>2026-01-05", day(6), time.Time{}},
		{"first_seen:>=2026-01-05", day(5), time.Time{}},
		{"first_seen:<2026-01-05", time.Time{}, day(5)},
		{"first_seen:<=2026-01-05", time.Time{}, day(6)},
		{"first_seen:>=2026-01-05T10:00", day(5).Add(10 * time.Hour), time.Time{}},
	}
	for _, c := range cases {
		q, err := Parse(c.text)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		if from, to := q.Terms[0].Between(now); !from.Equal(c.from) || !to.Equal(c.to) {
			t.Errorf("%s: %v to %v, want %v to %v", c.text, from, to, c.from, c.to)
		}
	}
}

func TestLike(t *testing.T) {
	t.Parallel()
	cases := [][2]string{{"a", "a"}, {"a*", "a%"}, {"*a*b*", "%a%b%"}, {"100%", `100\%`}, {"a_b", `a\_b`}, {`a\*`, "a*"}, {`"a\\b"`, `a\\b`}}
	for _, c := range cases {
		q, err := Parse("title:" + c[0])
		if err != nil {
			t.Fatalf("%s: %v", c[0], err)
		}
		if got := q.Terms[0].Values[0].Like(); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range KeyNames() {
		if name == "has" {
			continue
		}
		if k, hint := lookup(name); hint != "" || k.name != name {
			t.Errorf("%s is no key: %s", name, hint)
		}
	}
	for _, name := range StateNames() {
		if states[name] != name {
			t.Errorf("%s is no state", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`is:unresolved !env:[a*b,"c d"] times_seen:>10 "two words" has:x first_seen:-7d`, `"a":"b`, `\*`, `!a:[,]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := Parse(s)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Sentence == "" || e.Pos < 0 || e.End < e.Pos {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		text := q.String()
		if len(text) > maxLength {
			return
		}
		again, err := Parse(text)
		if err != nil {
			t.Fatalf("%q is written %q, which fails: %v", s, text, err)
		}
		if got := again.String(); got != text {
			t.Fatalf("%q is written %q, then %q", s, text, got)
		}
	})
}
