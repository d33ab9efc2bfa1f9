package edge

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

func TestCapsAreShared(t *testing.T) {
	t.Parallel()
	s := &Service{Deps: Deps{Settings: Settings{ServerKBps: 1000, SiteKBps: 100, NodeKBps: 10}}}
	a, b, c := &Node{ID: "a", Team: 1, Site: "osl"}, &Node{ID: "b", Team: 1, Site: "osl"}, &Node{ID: "c", Team: 2, Site: "osl"}
	of := func(n *Node, site int64) []*capped { return s.limiters(n, site) }
	la, lb, lc := of(a, 0), of(b, 0), of(c, 0)
	if len(la) != 3 || la[0] == lb[0] || la[1] != lb[1] || la[1] == lc[1] || la[2] != lc[2] {
		t.Error("node, site and server do not share as they should")
	}
	if la[1].Limit() != 100<<10 {
		t.Errorf("%v", la[1].Limit())
	}
	if again := of(a, 50); again[1] != la[1] || again[1].Limit() != 50<<10 {
		t.Error("a site's own cap does not hold at once")
	}
	if alone := of(&Node{ID: "d", Team: 1}, 0); len(alone) != 2 {
		t.Error("nodes without a site share one")
	}
	s.Settings = Settings{}
	if free := of(a, 0); len(free) != 0 {
		t.Errorf("%d limiters without caps", len(free))
	}
	s.rates.limiter(rateName{node: "x"}, 1, time.Now().Add(2*forgetRates))
	if len(s.rates.list) != 1 {
		t.Errorf("%d limiters are kept", len(s.rates.list))
	}
}

// TestSendIsWholeAndNeverAhead counts what the limiter was asked for instead of
// looking at a clock.
func TestSendIsWholeAndNeverAhead(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789"), 20_000)
	limiter := rate.NewLimiter(rate.Inf, burst)
	var out bytes.Buffer
	if err := send(t.Context(), &out, bytes.NewReader(content), []*capped{newCap(limiter)}); err != nil || !bytes.Equal(out.Bytes(), content) {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
	// With an empty bucket that fills in an hour, no more than the burst goes out.
	slow := rate.NewLimiter(rate.Every(time.Hour), burst)
	out.Reset()
	ctx := deadline{t.Context()}
	if err := send(ctx, &out, io.LimitReader(bytes.NewReader(content), 1<<20), []*capped{newCap(slow)}); err == nil || out.Len() > burst {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
}

// deadline is a context that ends before a slow limiter lets anything through.
type deadline struct{ context.Context }

func (deadline) Deadline() (time.Time, bool) { return time.Now().Add(time.Minute), true }
