package redhat_test

import (
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/edge/build/redhat"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	// Each line rises from left to right.
	for _, line := range []string{
		"1.0~rc1-1 1.0~rc2-1 1.0-1 1.0-1.el9 1.0-2 1.0^git1-1 1.0^git2-1 1.0.1-1 1.1-1 1.10-1 2-1 1:0.1-1",
		"5.5p1-1 5.5p2-1 5.5p10-1", "xyz-1 xyz.4-1 8-1",
	} {
		words := strings.Fields(line)
		for i := range words {
			for j := range words {
				got, want := redhat.Compare(words[i], words[j]), 0
				if i < j {
					want = -1
				} else if i > j {
					want = 1
				}
				if got != want {
					t.Errorf("Compare(%s, %s) = %d, want %d", words[i], words[j], got, want)
				}
			}
		}
	}
	// Pairs as rpm's own tests have them.
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1.0", "1.0", 0}, {"2.0.1", "2.0.1a", -1}, {"2.0.1a", "2.0.1", 1}, {"5.5p1", "5.5p2", -1}, {"5.5p10", "5.5p1", 1}, {"10xyz", "10.1xyz", -1},
		{"xyz10", "xyz10.1", -1}, {"8", "xyz.4", 1}, {"xyz.4", "2", -1}, {"6.0.rc1", "6.0", 1}, {"10b2", "10a1", 1}, {"1.0aa", "1.0a", 1}, {"10.0001", "10.1", 0},
		{"4_0", "4.0", 0}, {"20101121", "20101122", -1}, {"1.0^", "1.0", 1}, {"1.0^git1~pre", "1.0^git1", -1}, {"1.0~rc1^git1", "1.0~rc1", 1}, {"1.0^git1", "1.01", -1},
		{"1.0.", "1.0", 0}, {"1.0-1", "1.0", 0}, {"0:1.0-1", "1.0-1", 0}, {"1b.fc17", "1b.fc17", 0}, {"1b.fc17", "1.fc17", -1}, {"1.fc17", "1b.fc17", 1}, {"1g.fc17", "1.fc17", 1},
	} {
		if got := redhat.Compare(c.a, c.b); got != c.want {
			t.Errorf("Compare(%s, %s) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("1:1.0~rc1-2", "1.0^b1")
	f.Fuzz(func(t *testing.T, a, b string) {
		if redhat.Compare(a, b) != -redhat.Compare(b, a) || redhat.Compare(a, a) != 0 {
			t.Errorf("%q and %q", a, b)
		}
	})
}
