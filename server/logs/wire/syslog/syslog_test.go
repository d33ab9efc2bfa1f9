package syslog

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{`<165>1 2026-01-02T03:04:05.000003Z web1 api 1234 ID47 [ex@32473 iut="3" name="a \"b\" \] c"][x y="z"] ` + "\ufeffhello", `2026-01-02T03:04:05.000003Z info {host="web1", service="api", source="syslog"} "hello" [{ex.iut 3 0} {ex.name a "b" ] c 0} {facility local4 0} {msgid ID47 0} {pid 1234 0} {x.y z 0}]`},
		{`<11>1 - - - - - - just text`, `0001-01-01T00:00:00Z error {source="syslog"} "just text" [{facility user 0}]`},
		{`<34>1 2026-01-02T03:04:05Z h a - - [broken text`, `2026-01-02T03:04:05Z fatal {host="h", service="a", source="syslog"} "[broken text" [{facility auth 0}]`},
		{`<13>Jan  1 23:59:59 web1 sshd[77]: Accepted key`, `2026-01-01T23:59:59Z info {host="web1", service="sshd", source="syslog"} "Accepted key" [{facility user 0} {pid 77 0}]`},
		{`<13>Dec 31 23:59:59 web1 cron: x`, `2025-12-31T23:59:59Z info {host="web1", service="cron", source="syslog"} "x" [{facility user 0}]`},
		{`<13>2026-01-02T03:04:05+01:00 web1 app: x`, `2026-01-02T02:04:05Z info {host="web1", service="app", source="syslog"} "x" [{facility user 0}]`},
		{`<189>*Jan  2 03:04:05.123: %LINK-3-UPDOWN: Interface up`, `2026-01-02T03:04:05.123Z info {service="%LINK-3-UPDOWN", source="syslog"} "Interface up" [{facility local7 0}]`},
		{`<13>no time here`, `0001-01-01T00:00:00Z info {source="syslog"} "no time here" [{facility user 0}]`},
		{`nothing at all`, `0001-01-01T00:00:00Z unknown {source="syslog"} "nothing at all" []`},
		{`<999>x`, `0001-01-01T00:00:00Z unknown {source="syslog"} "<999>x" []`},
		{"<12>Jan  2 03:04:05 tag: x\n", `2026-01-02T03:04:05Z warn {service="tag", source="syslog"} "x" [{facility user 0}]`},
		{``, `0001-01-01T00:00:00Z unknown {source="syslog"} "" []`},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			r := Parse(test.text, now, time.UTC)
			got := fmt.Sprintf("%s %s %s %q %v", r.Time.Format(time.RFC3339Nano), r.Level, r.Stream.Key(), r.Message, r.Fields)
			if got != test.want {
				t.Errorf("\ngot  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	// The second form is what rsyslog sends: its count includes the line's end.
	stream := "<13>one\n5 <1>ab6 <1>cd\n<13>two\r\n\n3 of them\n" + fmt.Sprintf("%d ", MaxMessage+3) + strings.Repeat("x", MaxMessage+3) + "<13>last"
	r := NewReader(strings.NewReader(stream))
	want := []string{"<13>one", "<1>ab", "<1>cd\n", "<13>two", "", strings.Repeat("x", MaxMessage), "<13>last"}
	for i, text := range want {
		got, err := r.Next()
		if i == 4 { // "3 of them" is a count and what follows
			text = "of "
		}
		if err != nil {
			t.Fatal(i, err)
		}
		if i == 4 && got == "of " {
			if rest, err := r.Next(); err != nil || rest != "them" {
				t.Errorf("%q %v", rest, err)
			}
			continue
		}
		if got != text {
			t.Errorf("%d: %.40q, want %.40q", i, got, text)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`<165>1 2026-01-02T03:04:05.000003Z web1 api 1234 ID47 [ex@32473 iut="3"] hello`)
	f.Add(`<13>Jan  1 23:59:59 web1 sshd[77]: Accepted key`)
	f.Add("5 <1>ab6 <1>cd\n12345678 x")
	f.Fuzz(func(t *testing.T, text string) {
		Parse(text, now, time.UTC)
		r := NewReader(strings.NewReader(text))
		total := 0
		for {
			m, err := r.Next()
			if err != nil {
				break
			}
			if total += len(m) + 1; total > len(text)+1 {
				t.Fatalf("more came out than went in: %q", text)
			}
		}
	})
}
