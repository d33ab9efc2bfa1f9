package issues

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/signalbox/signalbox/server/platform/database"
)

// BenchmarkDigestWithAlerts is what rules add to the cost of an event: none, and
// one of each kind that counts.
func BenchmarkDigestWithAlerts(b *testing.B) {
	rules := []Condition{{Type: WhenNew}, {Type: WhenRegressed}, {Type: WhenEvents, Count: 100_000, Minutes: 60}, {Type: WhenUsers, Count: 1000, Minutes: 60}, {Type: WhenSpike}}
	for _, n := range []int{-1, 0, len(rules)} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			w := &watched{newDesk(b), &outbox{channels: []AlertChannel{{ID: "m", Kind: ActMail, Name: "Ops", Enabled: true}}}}
			if w.DB.Dialect != database.SQLite {
				b.Skip("the store is filled by SQLite's own functions")
			}
			w.UseReleases()
			if n >= 0 {
				w.UseAlerts(w.out, nil)
			}
			w.fill(10_000, 2_000)
			for _, c := range rules[:max(n, 0)] {
				w.rule(c)
				if c.Type == WhenNew {
					w.rule(c, inEnvironment("production"))
				}
			}
			batches := make([][]Accepted, 20)
			for i := range batches {
				batches[i] = w.typical(2_000, i*maxBatch*31, maxBatch)
			}
			b.ResetTimer()
			before := processorTime(b)
			for n := 0; b.Loop(); n++ {
				batch := batches[n%len(batches)]
				for i := range batch {
					batch[i].EventID = fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())
				}
				w.take(batch...)
			}
			b.ReportMetric(float64(b.N*maxBatch)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N*maxBatch), "cpu-us/event")
			b.ReportMetric(0, "ns/op")
		})
	}
}
