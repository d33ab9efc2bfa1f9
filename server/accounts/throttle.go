package accounts

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	freePerUser    = 5  // wrong passwords for one user from one address before waiting begins
	freePerAddress = 50 // for any users from one address: an office shares one
	firstWait      = 30 * time.Second
	longestWait    = 15 * time.Minute
	forgetAfter    = 15 * time.Minute
	maxThrottled   = 10_000
)

// throttle counts login attempts in memory, per node. An attempt counts before
// the password is looked at, so that attempts at the same time cannot pass
// together, and is taken back when it was right.
type throttle struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[string]*attempts
}

type attempts struct {
	count       int
	last, until time.Time
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, entries: map[string]*attempts{}}
}

// admit counts an attempt, or says how long to wait. justBlocked is true for
// the attempt that uses up the last free one.
func (t *throttle) admit(user, address string) (justBlocked bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	pair, place := keys(user, address)
	p, a := t.entry(pair, now), t.entry(place, now)
	if wait := max(p.until.Sub(now), a.until.Sub(now)); wait > 0 {
		seconds := int(math.Ceil(wait.Seconds()))
		e := problem.New(problem.TooMany, "Too many wrong passwords. Try again in %d seconds.", seconds)
		e.RetryAfter = seconds
		return false, e
	}
	p.add(freePerUser, now)
	a.add(freePerAddress, now)
	return p.count == freePerUser, nil
}

// succeeded forgets the user's attempts and takes the address's back.
func (t *throttle) succeeded(user, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	pair, place := keys(user, address)
	delete(t.entries, pair)
	if a := t.entries[place]; a != nil {
		a.count--
		a.until = time.Time{}
	}
}

func (a *attempts) add(free int, now time.Time) {
	a.count++
	a.last = now
	if over := a.count - free; over >= 0 {
		a.until = now.Add(min(firstWait<<min(over, 10), longestWait))
	}
}

func (t *throttle) entry(key string, now time.Time) *attempts {
	if e := t.entries[key]; e != nil && now.Sub(later(e.last, e.until)) < forgetAfter {
		return e
	}
	if len(t.entries) >= maxThrottled {
		t.makeRoom(now)
	}
	e := &attempts{last: now}
	t.entries[key] = e
	return e
}

// makeRoom drops what is forgotten anyway, and if that is little, the tenth that
// is oldest: a tenth at a time, so that a flood from many addresses does not pay
// for a walk with every attempt.
func (t *throttle) makeRoom(now time.Time) {
	kept := make([]string, 0, len(t.entries))
	for key, e := range t.entries {
		if now.Sub(later(e.last, e.until)) >= forgetAfter {
			delete(t.entries, key)
		} else {
			kept = append(kept, key)
		}
	}
	if len(kept) < maxThrottled*9/10 {
		return
	}
	slices.SortFunc(kept, func(a, b string) int {
		x, y := t.entries[a], t.entries[b]
		return later(x.last, x.until).Compare(later(y.last, y.until))
	})
	for _, key := range kept[:len(kept)/10] {
		delete(t.entries, key)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// keys counts an IPv6 caller by its /64, which is what one customer is given.
func keys(user, address string) (pair, place string) {
	if ip, err := netip.ParseAddr(address); err == nil && ip.Is6() && !ip.Is4In6() {
		if prefix, err := ip.WithZone("").Prefix(64); err == nil {
			address = prefix.String()
		}
	}
	if len(user) > maxName {
		user = user[:maxName]
	}
	return "u\x00" + strings.ToLower(user) + "\x00" + address, "a\x00" + address
}
