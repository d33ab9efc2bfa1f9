package assistant

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// atTheSameTime is how many people ask at once.
const atTheSameTime = 200

// BenchmarkQuestions asks 200 questions at once on two processors, with GitHub and the
// capabilities played: what a team's Monday morning is at worst.
func BenchmarkQuestions(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(200 << 20))
	s := setup(b)
	s.GitHub = steady{connections{s.hub}, s.hub.client()}
	ask := []string{"How many open bugs do we have?", "Are any critical bugs related to PRs merged this week?", "Which builds are failing right now?", "What new errors came in since the last release?",
		"Which PRs can be merged now?", "Any errors in payments in the last hour?", "Which edge agents are not patched?", "Did any webhook deliveries fail today?"}
	var took []time.Duration
	b.ResetTimer()
	for range b.N {
		var wait sync.WaitGroup
		var mu sync.Mutex
		for i := range atTheSameTime {
			wait.Go(func() {
				began := time.Now()
				run, err := s.Ask(s.as(b.Context()), Question{Team: "main", Text: ask[i%len(ask)], Zone: "Europe/London"})
				if err != nil || run.Status != Answered {
					b.Errorf("%s: %s %v", ask[i%len(ask)], run.Status, err)
				}
				mu.Lock()
				defer mu.Unlock()
				took = append(took, time.Since(began))
			})
		}
		wait.Wait()
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Milliseconds()), "p95-ms")
	b.ReportMetric(float64(resident(b))/(1<<20), "RSS-MB")
}

// resident is how much memory this process has, in bytes; 0 where that is not told.
func resident(b *testing.B) int64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb << 10
		}
	}
	return 0
}
