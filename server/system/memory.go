package system

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// MemoryCheck tells what the server's process takes; it is there to be read,
// not to warn, since what is much depends on the machine.
func MemoryCheck(start time.Time, now func() time.Time) Check {
	return Check{"memory", func(context.Context) Result {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		resident := m.Sys
		if raw, err := os.ReadFile("/proc/self/statm"); err == nil {
			resident = residentOf(string(raw), uint64(os.Getpagesize()), m.Sys)
		}
		return Good("The server takes %s (%s of it live objects), %d goroutines, up for %s.",
			bytes(resident), bytes(m.HeapAlloc), runtime.NumGoroutine(), now().Sub(start).Round(time.Second))
	}}
}

// residentOf reads the second number of /proc/self/statm, in pages.
func residentOf(statm string, page, otherwise uint64) uint64 {
	fields := strings.Fields(statm)
	if len(fields) < 2 {
		return otherwise
	}
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return otherwise
	}
	return pages * page
}
