package junit_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/ci/junit"
)

var update = flag.Bool("update", false, "write the golden files")

var roomy = junit.Limits{Bytes: 1 << 20, Cases: 1000}

func parse(r io.Reader, limits junit.Limits) ([]junit.Case, error) {
	var cases []junit.Case
	err := junit.Parse(r, limits, func(c junit.Case) error {
		cases = append(cases, c)
		return nil
	})
	return cases, err
}

// TestGolden reads what each writer writes; beside a.xml, a.golden says what is in it.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cases, err := parse(strings.NewReader(string(data)), roomy)
			var got strings.Builder
			for _, c := range cases {
				line, err := json.MarshalIndent(c, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&got, "%s\n", line)
			}
			fmt.Fprintf(&got, "error: %v\n", err)
			golden := strings.TrimSuffix(file, ".xml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("got\n%swant\n%s", got.String(), want)
			}
			// However the bytes arrive, they say the same.
			slowly, slowErr := parse(iotest.OneByteReader(strings.NewReader(string(data))), roomy)
			if fmt.Sprint(slowly, slowErr) != fmt.Sprint(cases, errOf(parse(strings.NewReader(string(data)), roomy))) {
				t.Errorf("byte by byte: %v %v", slowly, slowErr)
			}
		})
	}
}

func errOf(_ []junit.Case, err error) error { return err }

func TestHostile(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk went away")
	for name, tc := range map[string]struct {
		report io.Reader
		limits junit.Limits
		cases  int
		want   error
	}{
		"empty":     {strings.NewReader(""), roomy, 0, junit.ErrFormat},
		"no xml":    {strings.NewReader("ok 1 - it works\n"), roomy, 0, junit.ErrFormat},
		"deep":      {strings.NewReader("<testsuites>" + strings.Repeat("<testsuite>", 100_000)), junit.Limits{Bytes: 1 << 22, Cases: 1}, 0, junit.ErrFormat},
		"too large": {strings.NewReader("<testsuite>" + strings.Repeat(" ", 1000)), junit.Limits{Bytes: 500, Cases: 1}, 0, junit.ErrTooLarge},
		"endless":   {io.MultiReader(strings.NewReader("<testsuite><testcase><failure>"), endless{}), junit.Limits{Bytes: 1 << 20, Cases: 1}, 0, junit.ErrTooLarge},
		"too many":  {strings.NewReader("<testsuite>" + strings.Repeat("<testcase/>", 100)), junit.Limits{Bytes: 1 << 20, Cases: 99}, 99, junit.ErrTooMany},
		"just full": {strings.NewReader("<testsuite>" + strings.Repeat("<testcase/>", 100) + "</testsuite>"), junit.Limits{Bytes: 1124 + 11, Cases: 100}, 100, nil},
		"broken":    {io.MultiReader(strings.NewReader("<testsuite><testcase/>"), iotest.ErrReader(broken)), roomy, 1, broken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cases, err := parse(tc.report, tc.limits)
			if len(cases) != tc.cases || !errors.Is(err, tc.want) || tc.want == nil && err != nil {
				t.Errorf("%d cases, %v", len(cases), err)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestTextsAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 100_000)
	cases, err := parse(strings.NewReader(`<testsuite name="`+long+`"><testcase name="`+long+`" classname="`+long+`" file="`+long+`"><failure message="`+long+`">`+long+
		`</failure><system-out>`+long+`</system-out></testcase></testsuite>`), junit.Limits{Bytes: 4 << 20, Cases: 1})
	if err != nil || len(cases) != 1 {
		t.Fatal(len(cases), err)
	}
	c := cases[0]
	for name, text := range map[string]string{"suite": c.Suite, "name": c.Name, "class": c.Class, "file": c.File, "message": c.Message, "output": c.Output} {
		if limit := map[string]int{"message": 4 << 10, "output": 64 << 10}[name]; len(text) > max(limit, 1<<10) || !utf8.ValidString(text) || !strings.HasSuffix(text, "…") {
			t.Errorf("%s has %d bytes and ends in %q", name, len(text), text[len(text)-8:])
		}
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"": 0, "0.25": 250 * time.Millisecond, "1,234.5": 1234500 * time.Millisecond, "-1": 0, "NaN": 0, "x": 0,
		"1e300": 1000 * 24 * time.Hour, "+Inf": 1000 * 24 * time.Hour, " 2 ": 2 * time.Second} {
		cases, err := parse(strings.NewReader(`<testsuite><testcase time="`+text+`"/></testsuite>`), roomy)
		if err != nil || cases[0].Duration != want {
			t.Errorf("%q: %v %v", text, cases, err)
		}
	}
}

func TestAnErrorOfTheReceiverEndsIt(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	err := junit.Parse(strings.NewReader("<testsuite><testcase/><testcase/></testsuite>"), roomy, func(junit.Case) error { return enough })
	if !errors.Is(err, enough) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		err := junit.Parse(strings.NewReader(string(data)), junit.Limits{Bytes: 1 << 16, Cases: 50}, func(c junit.Case) error {
			n++
			for _, text := range []string{c.Suite, c.Class, c.Name, c.Message, c.Output, c.File} {
				if !utf8.ValidString(text) || len(text) > 64<<10 {
					t.Errorf("%d bytes: %q", len(text), text)
				}
			}
			if c.Duration < 0 || c.Line < 0 || c.State == "" || !c.State.Bad() && c.Output != "" {
				t.Errorf("%+v", c)
			}
			return nil
		})
		if n > 50 {
			t.Errorf("%d cases, %v", n, err)
		}
	})
}

func BenchmarkParse50000(b *testing.B) {
	var s strings.Builder
	s.WriteString("<testsuites><testsuite name=\"all\">")
	for i := range 50_000 {
		fmt.Fprintf(&s, `<testcase classname="example.org/shop/cart" name="TestNumber%d" time="0.001000"></testcase>`, i)
	}
	s.WriteString("</testsuite></testsuites>")
	b.SetBytes(int64(s.Len()))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if err := junit.Parse(strings.NewReader(s.String()), junit.Limits{Bytes: 1 << 30, Cases: 50_000}, func(junit.Case) error { n++; return nil }); err != nil || n != 50_000 {
			b.Fatal(n, err)
		}
	}
}
