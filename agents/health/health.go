// Package health asks whether a machine works after its packages have changed:
// a page answers, a unit is active, a program ends with 0. The machine is well
// when all checks held several times in a row before the time is over; one that
// fails in between starts the count again.
package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/protocol"
)

// Checker runs checks on one machine.
type Checker struct {
	Root host.Root
	// Every is the pause between two rounds; 0 is two seconds.
	Every time.Duration
	// Most is how long one check may take; 0 is ten seconds.
	Most time.Duration
	// Limit bounds the whole, whatever is asked for; 0 is no bound.
	Limit time.Duration
}

// Wait returns nil once everything held often enough in a row, else why it did not.
func (c Checker) Wait(ctx context.Context, h protocol.Health) error {
	if len(h.Checks) == 0 {
		return nil
	}
	every, timeout := c.Every, time.Duration(h.TimeoutSeconds)*time.Second
	if every <= 0 {
		every = 2 * time.Second
	}
	if timeout <= 0 {
		timeout = 2 * time.Minute
	}
	if c.Limit > 0 {
		timeout = min(timeout, c.Limit)
	}
	ctx, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	row, last := 0, errors.New("no check has ended")
	for {
		err := c.round(ctx, h.Checks)
		if err == nil {
			row++
		} else {
			row = 0
			if ctx.Err() == nil || last == nil || strings.HasPrefix(last.Error(), "no check") {
				last = err
			}
		}
		if row >= max(1, h.SuccessesInRow) {
			return nil
		}
		select {
		case <-ctx.Done():
			if row > 0 {
				last = fmt.Errorf("only %d good in a row of %d", row, h.SuccessesInRow)
			}
			return fmt.Errorf("not healthy within %s: %w", timeout, last)
		case <-ticks.C:
		}
	}
}

func (c Checker) round(ctx context.Context, checks []protocol.Check) error {
	for _, check := range checks {
		if err := c.one(ctx, check); err != nil {
			return err
		}
	}
	return nil
}

func (c Checker) one(ctx context.Context, check protocol.Check) error {
	most := c.Most
	if most <= 0 {
		most = 10 * time.Second
	}
	ctx, stop := context.WithTimeout(ctx, most)
	defer stop()
	switch check.Type {
	case "http":
		return page(ctx, check)
	case "unit":
		out, err := c.Root.Run(ctx, "systemctl", "is-active", "--", check.Name)
		if err == nil && out.Exit != 0 {
			err = fmt.Errorf("it is %s", strings.TrimSpace(out.Text))
		}
		return named("unit "+check.Name, err)
	case "exec":
		out, err := c.Root.Run(ctx, check.Path)
		if err == nil && out.Exit != 0 {
			err = fmt.Errorf("it ended with %d: %s", out.Exit, lastLine(out.Text))
		}
		return named(check.Path, err)
	}
	// A kind that this agent does not know must not pass for a good one.
	return fmt.Errorf("this agent knows no check of type %q", check.Type)
}

func named(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// client follows no redirects and uses no proxy: a check is about this machine.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true, Proxy: nil},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func page(ctx context.Context, check protocol.Check) error {
	if err := OnThisMachine(check.URL); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, check.URL, nil)
	if err != nil {
		return named(check.URL, err)
	}
	answer, err := client.Do(r)
	if err != nil {
		return named(check.URL, err)
	}
	_, err = io.CopyN(io.Discard, answer.Body, 64<<10)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	good := answer.StatusCode == check.Expect || check.Expect == 0 && answer.StatusCode/100 == 2
	if !good {
		err = errors.Join(err, errors.New("it answered "+strconv.Itoa(answer.StatusCode)))
	}
	return named(check.URL, errors.Join(err, answer.Body.Close()))
}

// OnThisMachine refuses a page that is not the machine's own: the agent is no
// tool for reaching into the network it stands in.
func OnThisMachine(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is no address of a page", address)
	}
	name := u.Hostname()
	if ip := net.ParseIP(name); name != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s is not on this machine", name)
	}
	return nil
}
