package version

import (
	"os/exec"
	"testing"
)

func TestDeb(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1.0", "1.0", 0}, {"1.0-1", "1.0-2", -1}, {"1.10", "1.9", 1}, {"1:0.1", "9.9", 1}, {"1.0~rc1", "1.0", -1},
		{"1.0~rc1-1", "1.0~rc1-1+b1", -1}, {"2.36-9+deb12u10", "2.36-9+deb12u9", 1}, {"1.0a", "1.0+", -1}, {"1.0", "1.0-0", 0},
		{"20230311+deb12u1", "20230311", 1}, {"0:1", "1", 0}, {"1.001", "1.1", 0}, {"1-2-3", "1-2-4", -1}, {"", "", 0}, {"1~~", "1~", -1},
		{"123456789012345678901234567890", "123456789012345678901234567891", -1},
	} {
		if got := Deb(c.a, c.b); got != c.want {
			t.Errorf("%q with %q: %d", c.a, c.b, got)
		}
		if got := Deb(c.b, c.a); got != -c.want {
			t.Errorf("%q with %q: %d", c.b, c.a, got)
		}
		if c.a == "" {
			continue
		}
		word := map[int]string{-1: "lt", 0: "eq", 1: "gt"}[c.want]
		if err := exec.Command("dpkg", "--compare-versions", c.a, word, c.b).Run(); err != nil {
			t.Errorf("dpkg does not say %q %s %q: %v", c.a, word, c.b, err)
		}
	}
}

// The cases are those that rpm's own documentation of ~ and ^ and its test names describe.
func TestRPM(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1.0-1.el9", "1.0-1.el9", 0}, {"1.0-1.el9", "1.0-2.el9", -1}, {"0:1.10-1", "0:1.9-1", 1}, {"1:1-1", "9-1", 1}, {"1.0~rc1", "1.0", -1},
		{"1.0^git1", "1.0", 1}, {"1.0^git1", "1.0.1", -1}, {"1.0^", "1.0", 1}, {"1.0~rc1^git1", "1.0~rc1", 1}, {"1.0~rc1^git1", "1.0", -1},
		{"5.5p1", "5.5p2", -1}, {"10xyz", "10.1xyz", -1}, {"xyz.4", "8", -1}, {"2.0.1a", "2.0.1", 1}, {"1_0", "1.0", 0}, {"1.0^a", "1.0^b", -1},
		{"20101121", "20101122", -1}, {"1b.fc17", "1.fc17", -1}, {"1.0~", "1.0^", -1},
	} {
		if got := RPM(c.a, c.b); got != c.want {
			t.Errorf("%q with %q: %d", c.a, c.b, got)
		}
		if got, back := RPM(c.a, c.b), RPM(c.b, c.a); got != -back {
			t.Errorf("%q with %q: %d, and back %d", c.a, c.b, got, back)
		}
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("1.0~rc1-1", "1:1.0^a")
	f.Add("é", "\x80")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, compare := range []func(a, b string) int{Deb, RPM} {
			if compare(a, a) != 0 || compare(a, b) != -compare(b, a) {
				t.Errorf("%q with %q: %d, and back %d", a, b, compare(a, b), compare(b, a))
			}
		}
	})
}
