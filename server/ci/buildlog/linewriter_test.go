package buildlog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func writer(l *Log, source string, resume bool) *LineWriter {
	return l.LineWriter(LineOptions{Origin: "a", Source: source, Now: func() time.Time { return epoch }, Resume: resume})
}

func payloads(t *testing.T, l *Log) []string {
	t.Helper()
	events, err := l.Events(0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, e.Payload)
	}
	return got
}

func TestLineWriterMakesOneEventPerLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", maxLine/2+10)
	for _, c := range []struct {
		name   string
		chunks []string
		want   []string
	}{
		{"whole lines", []string{"a\nb\n"}, []string{"a\n", "b\n"}},
		{"cut anywhere", []string{"a", "b\r", "\nc", "\n"}, []string{"ab\r\n", "c\n"}},
		{"no end", []string{"a\nrest"}, []string{"a\n", "rest"}},
		{"empty lines", []string{"\n\n"}, []string{"\n", "\n"}},
		{"a character in two chunks", []string{"\xc3", "\xa9\n"}, []string{"é\n"}},
		{"invalid text", []string{"a\xffb\n"}, []string{"a\uFFFDb\n"}},
		{"a long line", []string{long}, []string{long[:maxLine], long[maxLine:]}},
		{"a long line cut inside a character", []string{"x" + long}, []string{"x" + long[:maxLine-2], long[maxLine-2:]}},
		{"nothing", []string{"", ""}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, l := setup(t)
			defer closeLog(t, l)
			w := writer(l, Stdout, false)
			for _, chunk := range c.chunks {
				if n, err := w.Write([]byte(chunk)); err != nil || n != len(chunk) {
					t.Fatal(n, err)
				}
			}
			if err := errors.Join(w.Close(), w.Close()); err != nil {
				t.Fatal(err)
			}
			if got := payloads(t, l); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
			if _, err := w.Write([]byte("x")); err == nil {
				t.Error("a closed writer took output")
			}
		})
	}
}

func TestAPartialLineIsShownSoon(t *testing.T) {
	t.Parallel()
	_, l := setup(t)
	defer closeLog(t, l)
	w := writer(l, Stdout, false)
	if _, err := w.Write([]byte("password: \xc3")); err != nil {
		t.Fatal(err)
	}
	var got []Event
	if err := l.Follow(t.Context(), 0, func(e []Event) error { got = e; return ErrStop }); err != nil {
		t.Fatal(err)
	}
	if got[0].Payload != "password: " {
		t.Errorf("%q", got[0].Payload)
	}
	if _, err := w.Write([]byte("\xa9\n")); err != nil {
		t.Fatal(err)
	}
	lines, err := l.Lines(1, 9)
	if err != nil || len(lines) != 2 || !lines[0].Partial || lines[1].Text != "é" {
		t.Errorf("%+v %v", lines, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestResumeNeitherLosesNorDoubles cuts a stream at random places, as a killed server
// does, and gives it again from the start.
func TestResumeNeitherLosesNorDoubles(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var stream strings.Builder
	for i := range 300 {
		fmt.Fprintf(&stream, "line %d %s%s", i, strings.Repeat("ü", rng.IntN(40)), []string{"\n", "\r\n"}[i%2])
	}
	whole := stream.String()
	store, l := setup(t)
	for _, part := range []float64{0.2, 0.21, 0.7, 1} {
		// The old server's writer is simply forgotten, with what it had pending.
		feed(t, writer(l, Stdout, true), whole[:int(part*float64(len(whole)))], rng)
		feed(t, writer(l, Stderr, true), "only once\n", rng)
		closeLog(t, l)
		l = open(t, store, 7)
	}
	var stdout strings.Builder
	stderr := 0
	events, err := l.Events(0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Source == Stderr {
			stderr++
		} else {
			stdout.WriteString(e.Payload)
		}
	}
	if stdout.String() != whole || stderr != 1 {
		t.Errorf("%d bytes of %d, %d lines of stderr", stdout.Len(), len(whole), stderr)
	}
	closeLog(t, l)
}

func feed(t *testing.T, w *LineWriter, text string, rng *rand.Rand) {
	t.Helper()
	for len(text) > 0 {
		n := min(len(text), 1+rng.IntN(200))
		if err := w.WriteAt(epoch, []byte(text[:n])); err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
	if w.idle != nil {
		w.idle.Stop()
	}
}
