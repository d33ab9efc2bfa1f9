package app

import (
	"math"
	"runtime/debug"
)

// limitMemory has the collector work harder near a limit rather than let the kernel end
// the server: half of what a burst of requests takes is garbage. mb is the limit in MB;
// 0 leaves what GOMEMLIMIT has set, or takes nine tenths of available.
func limitMemory(mb int, available int64) {
	const mib = 1 << 20
	switch {
	case mb > 0:
		debug.SetMemoryLimit(int64(mb) * mib)
	case debug.SetMemoryLimit(-1) == math.MaxInt64: // not set
		debug.SetMemoryLimit(available / 10 * 9)
	}
}
