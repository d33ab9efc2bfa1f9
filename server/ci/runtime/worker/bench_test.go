package worker

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// BenchmarkStart measures what a container adds to a command: from Start to its
// first line, and until its end is known. Run with -benchtime=50x.
func BenchmarkStart(b *testing.B) {
	for name, hermetic := range map[string]bool{"network": false, "hermetic": true} {
		b.Run(name, func(b *testing.B) {
			w := setup(b)
			var started, first, ended []time.Duration
			for b.Loop() {
				s := shell("echo hello")
				s.Hermetic = hermetic
				began := time.Now()
				p := w.start(s)
				started = append(started, time.Since(began))
				_, err := p.Follow(w.ctx, 0, func(runtime.Frame) error {
					first = append(first, time.Since(began))
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				ended = append(ended, time.Since(began))
				b.StopTimer()
				if err := w.Remove(w.ctx, s.ID); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			for what, times := range map[string][]time.Duration{"started": started, "line": first, "ended": ended} {
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, what+"-p50-ms")
				b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, what+"-p95-ms")
			}
			load, err := os.ReadFile("/proc/loadavg")
			if err != nil {
				b.Fatal(err)
			}
			b.Logf("load average %s", strings.TrimSpace(string(load)))
		})
	}
}
