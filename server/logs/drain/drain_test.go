package drain

import (
	"fmt"
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		messages []string
		want     []string
	}{
		{"numbers differ", []string{"took 12 ms", "took 99 ms"}, []string{"2 took <*> ms"}},
		{"words differ behind the first two", []string{"user login of alice failed", "user login of bob failed"}, []string{"2 user login of <*> failed"}},
		{"another number of words", []string{"a b c", "a b c d"}, []string{"1 a b c", "1 a b c d"}},
		{"too different", []string{"open file one two three four", "open file red green blue grey"}, []string{"1 open file one two three four", "1 open file red green blue grey"}},
		{"name=value", []string{"done status=200 path=/a", "done status=500 path=/a"}, []string{"2 done status=<*> path=/a"}},
		{"a comma stays", []string{"port 80, open", "port 81, open"}, []string{"2 port <*>, open"}},
		{"empty", []string{"", "   "}, []string{"2 "}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tree := New(100)
			for _, message := range test.messages {
				tree.Add(message)
			}
			var got []string
			for _, p := range tree.Patterns() {
				got = append(got, fmt.Sprintf("%d %s", p.Count, p.Text))
			}
			if strings.Join(got, "|") != strings.Join(test.want, "|") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	tree := New(50)
	for i := range 10_000 {
		word := strings.Repeat(string(rune('a'+i%26)), 1+i/26%90)
		tree.Add(word + " " + word + " " + word)
	}
	if n := len(tree.Patterns()); n > 50 || !tree.Full() {
		t.Errorf("%d patterns, full %v", n, tree.Full())
	}
	long := tree.Add(strings.Repeat("x ", 100_000))
	if long != nil {
		t.Errorf("a full tree took %q", long.Text)
	}
}

func TestCountsAddUp(t *testing.T) {
	t.Parallel()
	tree := New(1000)
	for i := range 3000 {
		tree.Add(fmt.Sprintf("request %d of service-%c took %dms", i, 'a'+i%5, i%400))
	}
	var sum int64
	for _, p := range tree.Patterns() {
		sum += p.Count
	}
	if sum != 3000 || len(tree.Patterns()) > 5 {
		t.Errorf("%d messages in %d patterns", sum, len(tree.Patterns()))
	}
}

func FuzzAdd(f *testing.F) {
	f.Add("took 12 ms", "took x ms")
	f.Add("\xff\xfe a=1", "")
	f.Fuzz(func(t *testing.T, a, b string) {
		tree := New(10)
		tree.Add(a)
		tree.Add(b)
		tree.Add(a)
		var sum int64
		for _, p := range tree.Patterns() {
			sum += p.Count
			if p.Sample != a && p.Sample != b {
				t.Errorf("sample %q is none of the messages", p.Sample)
			}
		}
		if sum != 3 {
			t.Errorf("%d of 3 messages counted", sum)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	tree := New(1000)
	for i := 0; b.Loop(); i++ {
		tree.Add(fmt.Sprintf("GET /api/v1/orders/%d took %dms for user alice", i, i%500))
	}
}
