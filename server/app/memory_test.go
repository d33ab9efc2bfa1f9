package app

import (
	"math"
	"runtime/debug"
	"testing"
)

// TestMemoryLimit changes the whole process, so it runs alone.
func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for _, c := range []struct {
		mb              int
		available, want int64
	}{
		{0, 10 << 30, 9 << 30}, // as much as there is
		{0, 1 << 30, 9 << 30},  // is set already, as by GOMEMLIMIT
		{700, 1 << 30, 700 << 20},
	} {
		limitMemory(c.mb, c.available)
		if got := debug.SetMemoryLimit(-1); got/100 != c.want/100 {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
