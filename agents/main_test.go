package main

import (
	"strings"
	"testing"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args     []string
		code     int
		contains string
	}{
		{nil, 2, "usage"},
		{[]string{"fly"}, 2, "no command"},
		{[]string{"version"}, 0, "signalbox-agent"},
		{[]string{"doctor", "--nope"}, 2, "nope"},
		{[]string{"doctor", "--state-dir", "/proc/nowhere"}, 1, "FAIL state folder"},
	} {
		var out strings.Builder
		if code := run(c.args, &out, &out); code != c.code || !strings.Contains(out.String(), c.contains) {
			t.Errorf("%v: exit %d, said %q", c.args, code, out.String())
		}
	}
}

func TestDoctorMeasuresFreeSpace(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	run([]string{"doctor", "--state-dir", t.TempDir()}, &out, &out)
	if !strings.Contains(out.String(), "free space in") {
		t.Error(out.String())
	}
}
