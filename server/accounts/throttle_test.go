package accounts

import (
	"fmt"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestThrottleGrowsAndForgets(t *testing.T) {
	t.Parallel()
	c := newClock()
	th := newThrottle(c.now)
	for i := range freePerUser {
		blocked, err := th.admit("ann", "1.2.3.4")
		if err != nil || blocked != (i == freePerUser-1) {
			t.Fatalf("attempt %d: %v %v", i, blocked, err)
		}
	}
	for _, wait := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		_, err := th.admit("Ann", "1.2.3.4")
		p := problem.From(err)
		if p.Kind != problem.TooMany || p.RetryAfter != int(wait.Seconds()) {
			t.Fatalf("%v, retry after %d, want %v", err, p.RetryAfter, wait)
		}
		if _, err := th.admit("bob", "1.2.3.4"); err != nil {
			t.Fatalf("another user from there: %v", err)
		}
		if _, err := th.admit("ann", "1.2.3.5"); err != nil {
			t.Fatalf("the user from elsewhere: %v", err)
		}
		th.succeeded("bob", "1.2.3.4")
		th.succeeded("ann", "1.2.3.5")
		c.pass(wait)
		if _, err := th.admit("ann", "1.2.3.4"); err != nil {
			t.Fatalf("after %v: %v", wait, err)
		}
	}
	c.pass(longestWait + forgetAfter)
	for range freePerUser {
		if _, err := th.admit("ann", "1.2.3.4"); err != nil {
			t.Fatalf("was not forgotten: %v", err)
		}
	}
}

func TestThrottleCountsAnAddressForAllUsers(t *testing.T) {
	t.Parallel()
	th := newThrottle(newClock().now)
	for i := range freePerAddress {
		if _, err := th.admit(fmt.Sprint("user", i), fmt.Sprintf("2001:db8::%x", i)); err != nil {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	if _, err := th.admit("somebody", "2001:db8::ffff"); !problem.Is(err, problem.TooMany) {
		t.Fatalf("the /64 goes on: %v", err)
	}
	if _, err := th.admit("somebody", "2001:db8:0:1::1"); err != nil {
		t.Fatalf("the next /64: %v", err)
	}
}

func TestThrottleRightPasswordsDoNotAddUp(t *testing.T) {
	t.Parallel()
	th := newThrottle(newClock().now)
	for i := range 4 * freePerAddress {
		if _, err := th.admit("ann", "1.2.3.4"); err != nil {
			t.Fatalf("login %d: %v", i, err)
		}
		th.succeeded("ann", "1.2.3.4")
	}
}

func TestThrottleIsBoundedAndStillCounts(t *testing.T) {
	t.Parallel()
	c := newClock()
	th := newThrottle(c.now)
	address := func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255) }
	for i := range 3 * maxThrottled {
		c.pass(time.Microsecond)
		if _, err := th.admit("ann", address(i)); err != nil {
			t.Fatal(err)
		}
		if n := len(th.entries); n > maxThrottled+1 {
			t.Fatalf("%d entries", n)
		}
	}
	last := address(3*maxThrottled - 1)
	for range freePerUser - 1 {
		if _, err := th.admit("ann", last); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := th.admit("ann", last); !problem.Is(err, problem.TooMany) {
		t.Fatalf("the flood made it forget the newest: %v", err)
	}
	c.pass(forgetAfter + longestWait)
	th.makeRoom(c.now())
	if len(th.entries) != 0 {
		t.Fatalf("%d entries are forgotten and still there", len(th.entries))
	}
}
