package app_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

// fetch gets a blob and counts its bytes as they come.
func (s *simulated) fetch(b *testing.B, url, sha string, counted *atomic.Int64) error {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url+protocol.BlobPath(sha), nil)
	if err != nil {
		return err
	}
	s.seq++
	protocol.Sign(r, nil, s.node, s.key, time.Now(), s.seq)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	hash := sha256.New()
	buffer := make([]byte, 32<<10)
	for {
		n, err := answer.Body.Read(buffer)
		counted.Add(int64(n))
		hash.Write(buffer[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if answer.StatusCode != http.StatusOK || hex.EncodeToString(hash.Sum(nil)) != sha {
		return fmt.Errorf("%d, or other content", answer.StatusCode)
	}
	return nil
}

// peak looks at a counter ten times a second and gives the most that any second brought.
func peak(counted *atomic.Int64, done <-chan struct{}) float64 {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	type sample struct {
		at time.Time
		n  int64
	}
	last := []sample{{time.Now(), 0}}
	most := 0.0
	for {
		select {
		case <-done:
			return most
		case at := <-tick.C:
			last = append(last, sample{at, counted.Load()})
			for at.Sub(last[0].at) > 1100*time.Millisecond {
				last = last[1:]
			}
			if span := at.Sub(last[0].at); span >= 900*time.Millisecond {
				most = max(most, float64(last[len(last)-1].n-last[0].n)/span.Seconds())
			}
		}
	}
}

// BenchmarkStaging: 200 nodes fetch a bundle at once, with the server capped and,
// for comparison, as fast as it goes. The peak stays within 5 % of the cap.
func BenchmarkStaging(b *testing.B) {
	const nodes, capKBps = 200, 20 << 10
	size := 2 << 20
	if soak {
		size = 25 << 20
	}
	raw := make([]byte, size)
	random := mathrand.NewChaCha8([32]byte{1})
	if _, err := random.Read(raw); err != nil {
		b.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	sha := hex.EncodeToString(sum[:])
	for b.Loop() {
		for _, kind := range []string{"capped", "naive"} {
			var wrap []string
			if kind == "capped" {
				wrap = []string{"env", fmt.Sprintf("SIGNALBOX_EDGE_SERVER_KBPS=%d", capKBps)}
			}
			p := launchOn(b, b.TempDir(), "", wrap...)
			p.publishBundle(b, "main", string(raw))
			var token struct{ Token string }
			p.call(b, "POST", "/api/v1/edge/tokens", map[string]any{"team": "main", "name": "all", "accepts": true, "max_uses": nodes}, &token)
			fleet := make([]simulated, nodes)
			if failed := each(nodes, 8, func(i int) error { return fleet[i].enrol(b.Context(), nil, p.url, token.Token, i) }); failed > 0 {
				b.Fatalf("%d could not enrol", failed)
			}
			var counted atomic.Int64
			done, most := make(chan struct{}), make(chan float64)
			go func() { most <- peak(&counted, done) }()
			before, begun := p.processor(b), time.Now()
			if failed := each(nodes, nodes, func(i int) error { return fleet[i].fetch(b, p.url, sha, &counted) }); failed > 0 {
				b.Fatalf("%d did not get it", failed)
			}
			took := time.Since(begun)
			close(done)
			rate := <-most
			b.ReportMetric(rate/1e6, "MB/s-peak-"+kind)
			b.ReportMetric(took.Seconds(), "s-"+kind)
			b.ReportMetric(100*float64(p.processor(b)-before)/float64(took), "%core-"+kind)
			b.ReportMetric(float64(counted.Load())/1e6, "MB")
			if over := 100 * (rate/(capKBps<<10) - 1); kind == "capped" {
				b.ReportMetric(over, "%over-cap")
			}
			p.end(15)
		}
	}
	load(b)
}
