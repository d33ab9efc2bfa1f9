package assistant_test

import (
	"testing"
	"time"
)

// BenchmarkSlack measures from a question to the first sign of life and to the answer, as Slack sees them.
func BenchmarkSlack(b *testing.B) {
	d := newDesk(b)
	d.setUp("socket")
	var first, last time.Duration
	for b.Loop() {
		asked := time.Now()
		ts := d.slack.Mention("U1", "C111", "", "builds?")
		d.await("a sign of life", func() bool { return len(d.slack.Thread("C111", ts)) > 1 })
		first += time.Since(asked)
		d.answered("C111", ts, 1)
		last += time.Since(asked)
	}
	b.ReportMetric(float64(first.Microseconds())/1000/float64(b.N), "ms/sign")
	b.ReportMetric(float64(last.Microseconds())/1000/float64(b.N), "ms/answer")
}
