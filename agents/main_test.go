package main

import (
	"context"
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
		{nil, exitUsage, "usage"},
		{[]string{"fly"}, exitUsage, "no command"},
		{[]string{"version"}, 0, "signalbox-agent"},
		{[]string{"doctor", "--nope"}, exitUsage, "nope"},
		{[]string{"doctor", "--state-dir", "/proc/nowhere"}, 1, "FAIL state folder"},
	} {
		var out strings.Builder
		if code := run(context.Background(), c.args, &out, &out); code != c.code || !strings.Contains(out.String(), c.contains) {
			t.Errorf("%v: exit %d, said %q", c.args, code, out.String())
		}
	}
}

func TestDoctorMeasuresFreeSpace(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	run(context.Background(), []string{"doctor", "--state-dir", t.TempDir()}, &out, &out)
	if !strings.Contains(out.String(), "free space in") {
		t.Error(out.String())
	}
}
