package vars

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func TestTrackerKeepsOnlyWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	var tracker Tracker
	lookup := tracker.Watch(Static{
		"db":    map[string]any{"user": "admin", "password": "hunter2", "hosts": []any{"h1", map[string]any{"x": "h2"}}},
		"token": "abc", "port": 5432, "blank": "  ", "texts": []string{"t1"}, "map": map[string]string{"k": "m1"},
	})
	for _, text := range []string{"((db.password))", "((db.hosts))", "((token))", "((port))", "((blank))", "((texts))", "((map))"} {
		if _, err := Interpolate(context.Background(), text, lookup); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Interpolate(context.Background(), "((db.nope))", lookup); err == nil {
		t.Error("missing field was accepted")
	}
	if _, err := Interpolate(context.Background(), "((nope))", lookup); err == nil {
		t.Error("missing var was accepted")
	}
	want := []string{"abc", "h1", "h2", "hunter2", "m1", "t1"}
	if got := tracker.Values(); !reflect.DeepEqual(got, want) {
		t.Errorf("Values = %v, want %v", got, want)
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		secrets []string
		in, out string
	}{
		{"nothing tracked", nil, "hello", "hello"},
		{"one", []string{"s3cret"}, "the s3cret is s3cret", "the ((redacted)) is ((redacted))"},
		{"at both ends", []string{"ab"}, "abxab", "((redacted))x((redacted))"},
		{"longest wins", []string{"abc", "abcdef"}, "abcdef abcde", "((redacted)) ((redacted))de"},
		{"one character", []string{"#"}, "a#b", "a((redacted))b"},
		{"blank is ignored", []string{" ", "\n"}, "a b\n", "a b\n"},
		{"lines", []string{"line one\nline two\n"}, "x line two y\r\nline one\r\n", "x ((redacted)) y\r\n((redacted))\r\n"},
		{"whole value of several lines", []string{"k1=v1\nk2=v2"}, "k1=v1\nk2=v2", "((redacted))"},
		{"trailing newline of a value", []string{"token\n"}, "token", "((redacted))"},
		{"braces of a JSON value", []string{"{\n  \"a\": \"zz\"\n}"}, "{ } \"a\": \"zz\"", "{ } ((redacted))"},
		{"self overlap", []string{"aba"}, "ababa", "((redacted))ba"},
		{"beginning only", []string{"secret"}, "secre", "secre"},
		{"bytes that are no text", []string{"\xff\xfe"}, "a\xff\xfeb", "a((redacted))b"},
		{"beginning inside another", []string{"aab"}, "aaab", "a((redacted))"},
	} {
		var tracker Tracker
		for _, s := range c.secrets {
			tracker.Track(s)
		}
		if got := tracker.Redact(c.in); got != c.out {
			t.Errorf("%s: %q, want %q", c.name, got, c.out)
		}
		for cut := range len(c.in) + 1 {
			if got := inTwo(&tracker, c.in, cut); got != c.out {
				t.Errorf("%s cut at %d: %q, want %q", c.name, cut, got, c.out)
			}
		}
		if got := byteByByte(&tracker, c.in); got != c.out {
			t.Errorf("%s byte by byte: %q, want %q", c.name, got, c.out)
		}
	}
}

func inTwo(tracker *Tracker, text string, cut int) string {
	var out bytes.Buffer
	r := tracker.Redactor(&out)
	r.Write([]byte(text[:cut]))
	r.Write([]byte(text[cut:]))
	r.Flush()
	return out.String()
}

func byteByByte(tracker *Tracker, text string) string {
	var out bytes.Buffer
	r := tracker.Redactor(&out)
	for i := range len(text) {
		r.Write([]byte{text[i]})
	}
	r.Flush()
	return out.String()
}

func TestRedactorHoldsBackOnlyWhatItMust(t *testing.T) {
	t.Parallel()
	var tracker Tracker
	tracker.Track("secret")
	var out bytes.Buffer
	r := tracker.Redactor(&out)
	r.Write([]byte("a line\nsec"))
	if out.String() != "a line\n" {
		t.Errorf("passed on %q", out.String())
	}
	r.Write([]byte("ond\n"))
	if out.String() != "a line\nsecond\n" {
		t.Errorf("passed on %q", out.String())
	}
}

func TestRedactorSeesValuesTrackedLater(t *testing.T) {
	t.Parallel()
	var tracker Tracker
	var out bytes.Buffer
	r := tracker.Redactor(&out)
	r.Write([]byte("late "))
	tracker.Track("late")
	r.Write([]byte("late"))
	r.Flush()
	if out.String() != "late ((redacted))" {
		t.Errorf("got %q", out.String())
	}
}

func TestRedactorDoesNotKeepTheCallersBytes(t *testing.T) {
	t.Parallel()
	var tracker Tracker
	tracker.Track("secret")
	var out bytes.Buffer
	r := tracker.Redactor(&out)
	chunk := []byte("sec")
	r.Write(chunk)
	copy(chunk, "xxx")
	r.Write([]byte("ret"))
	r.Flush()
	if out.String() != Redacted {
		t.Errorf("got %q", out.String())
	}
}

func TestTrackerFromManyGoroutines(t *testing.T) {
	t.Parallel()
	var tracker Tracker
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			secret := strings.Repeat("s", i+3)
			tracker.Track(secret)
			if got := tracker.Redact("x " + secret); !strings.HasPrefix(got, "x "+Redacted) {
				t.Errorf("got %q", got)
			}
		})
	}
	wg.Wait()
}

func FuzzRedactor(f *testing.F) {
	f.Add("secret", "ab", "the secret is ab", 7)
	f.Add("aab", "ab", "aaab", 2)
	f.Fuzz(func(t *testing.T, one, two, text string, cut int) {
		var tracker Tracker
		tracker.Track([]any{one, two})
		if cut < 0 || cut > len(text) {
			cut = len(text) / 2
		}
		whole := tracker.Redact(text)
		if parts := inTwo(&tracker, text, cut); parts != whole {
			t.Fatalf("in parts %q, whole %q", parts, whole)
		}
		// What is left may not hold a value, unless the mark itself does.
		for _, value := range tracker.Values() {
			left := strings.ReplaceAll(whole, Redacted, "\x00")
			if strings.Contains(left, value) && !strings.Contains(value, "\x00") && !strings.Contains(text, Redacted) {
				t.Fatalf("%q is still in %q", value, whole)
			}
		}
	})
}

func BenchmarkRedactor(b *testing.B) {
	var tracker Tracker
	for _, s := range []string{"hunter2", "ghp_0123456789abcdef", "-----BEGIN KEY-----\nAAAA\nBBBB\n-----END KEY-----"} {
		tracker.Track(s)
	}
	line := []byte(strings.Repeat("compiling package github.com/acme/web ok\n", 25))
	r := tracker.Redactor(&bytes.Buffer{})
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		r.out.(*bytes.Buffer).Reset()
		r.Write(line)
	}
}
