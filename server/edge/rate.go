package edge

import (
	"context"
	"io"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// piece is how much is sent at once; burst is how far ahead of its cap a sender may run.
	piece = 32 << 10
	burst = piece
	// forgetRates is how long a limiter that nobody uses is kept.
	forgetRates = 10 * time.Minute
)

// rates are the caps on what goes out: of the server, of each site, of each node.
type rates struct {
	mu   sync.Mutex
	list map[rateName]*capped
}

// rateName is whose cap it is: a node, a site of a team, or, empty, the server.
type rateName struct {
	node string
	team int64
	site string
}

// capped is one cap. Whoever sends under it waits in turn: were all to reserve their place
// at once, a machine that stood still for a moment would let all of them go together.
type capped struct {
	*rate.Limiter
	used time.Time
	turn chan struct{}
}

func newCap(l *rate.Limiter) *capped { return &capped{Limiter: l, turn: make(chan struct{}, 1)} }

// wait lets n bytes go when their time has come.
func (c *capped) wait(ctx context.Context, n int) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.turn }()
	return c.WaitN(ctx, n)
}

func bytesPerSecond(kbps int64) rate.Limit { return rate.Limit(kbps << 10) }

// limiter is the one under a name, with the cap that holds now; nil without a cap.
func (r *rates) limiter(name rateName, kbps int64, now time.Time) *capped {
	if kbps <= 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.list == nil {
		r.list = map[rateName]*capped{}
	}
	c := r.list[name]
	if c == nil {
		c = newCap(rate.NewLimiter(bytesPerSecond(kbps), burst))
		r.list[name] = c
		for other, o := range r.list { // few: those that fetch now
			if other != name && now.Sub(o.used) > forgetRates {
				delete(r.list, other)
			}
		}
	}
	if c.used = now; c.Limit() != bytesPerSecond(kbps) {
		c.SetLimit(bytesPerSecond(kbps))
	}
	return c
}

// limiters are all that hold for what a node fetches.
func (s *Service) limiters(n *Node, siteKBps int64) []*capped {
	now := time.Now() // the limiters' own clock
	if siteKBps == 0 {
		siteKBps = s.SiteKBps
	}
	var list []*capped
	add := func(name rateName, kbps int64) {
		if l := s.rates.limiter(name, kbps, now); l != nil {
			list = append(list, l)
		}
	}
	add(rateName{node: n.ID}, s.NodeKBps)
	if n.Site != "" { // nodes without a site share no link that we know of
		add(rateName{team: n.Team, site: n.Site}, siteKBps)
	}
	add(rateName{}, s.ServerKBps)
	return list
}

// send copies at the pace of all limiters.
func send(ctx context.Context, w io.Writer, r io.Reader, limiters []*capped) error {
	buffer := make([]byte, piece)
	for {
		n, err := io.ReadFull(r, buffer)
		if n > 0 {
			for _, l := range limiters {
				if err := l.wait(ctx, n); err != nil {
					return err
				}
			}
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
