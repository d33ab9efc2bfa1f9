package debian_test

import (
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/edge/build/debian"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	// Each line rises from left to right.
	for _, line := range []string{
		"1.0~~ 1.0~ 1.0~rc1 1.0 1.0-1 1.0-1+b1 1.0-1+deb12u1 1.0-1+deb12u2 1.0-1+deb12u10 1.0-2 1.0a 1.0+git 1.0.1 1.00.2 1.2 1.10 2 1:0.1 2:0",
		"5.36.0-7+deb12u3 5.36.0-7+deb12u4", "2026b-0+deb12u1 2026f-0+deb12u1", "22.01+dfsg-8 22.01+really26.02+dfsg-0+deb12u1",
		"0 0-0a 0-1 0.0~ 0.0", "1.2-3-4 1.2-3-5 1.2.3",
	} {
		words := strings.Fields(line)
		for i := range words {
			for j := range words {
				got, want := debian.Compare(words[i], words[j]), 0
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
	for _, same := range [][2]string{{"1.0", "0:1.0"}, {"1.0-0", "1.0"}, {"1.01", "1.1"}, {"00012345678901234567890", "12345678901234567890"}} {
		if debian.Compare(same[0], same[1]) != 0 {
			t.Errorf("%s and %s are the same version", same[0], same[1])
		}
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("1:1.0~rc1-2", "1.0+b1")
	f.Fuzz(func(t *testing.T, a, b string) {
		if debian.Compare(a, b) != -debian.Compare(b, a) || debian.Compare(a, a) != 0 {
			t.Errorf("%q and %q", a, b)
		}
	})
}
