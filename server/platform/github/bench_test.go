package github

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

// BenchmarkWebhook sends deliveries of 8 kB at 500 a second over real
// connections while they are digested, and reports how long the answers took.
// Run it with -benchtime 5000x; the sender does not wait for answers.
func BenchmarkWebhook(b *testing.B) {
	s := setup(b)
	h := s.newHook(b)
	var digested sync.WaitGroup
	s.OnDelivery = func(ctx context.Context, d Delivery) ([]Effect, error) {
		s.DB.AfterCommit(ctx, digested.Done)
		return []Effect{{Kind: "check", ID: d.GUID}}, s.mark(ctx, d.GUID)
	}
	loops := work.NewLoops(s.clock.now, slog.New(slog.DiscardHandler))
	loops.Start(b.Context(), s.Loops()...)
	b.Cleanup(loops.Stop)
	server := httptest.NewServer(s.engine)
	b.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	body := `{"ref":"refs/heads/main","repository":{"full_name":"a/b"},"pad":"` + strings.Repeat("x", 8000) + `"}`
	took := make([]time.Duration, b.N)
	var group sync.WaitGroup
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	digested.Add(b.N)
	b.ResetTimer()
	for i := range b.N {
		<-pace.C
		group.Go(func() {
			r := request(h, fmt.Sprintf("bench-%d", i), "push", body)
			out, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+r.URL.Path, strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			out.Header = r.Header
			start := time.Now()
			response, err := client.Do(out)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			took[i] = time.Since(start)
			if response.StatusCode != http.StatusAccepted {
				b.Error(response.StatusCode)
			}
		})
	}
	group.Wait()
	digested.Wait()
	b.StopTimer()
	slices.Sort(took)
	for name, share := range map[string]float64{"p50-ms": .5, "p99-ms": .99, "max-ms": 1} {
		b.ReportMetric(float64(took[min(int(share*float64(b.N)), b.N-1)].Microseconds())/1000, name)
	}
}
