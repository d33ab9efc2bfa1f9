package ci

import (
	"context"
	"fmt"
	"time"
)

const (
	checkedByWebhook = "webhook"
	checkedByPoll    = "poll"
	// pollRarely is how much rarer a resource is polled that a hook tells of, and
	// pollAtLeast how often all the same: a hook may be broken in ways that do not show.
	pollRarely  = 10
	pollAtLeast = time.Hour
	// heardWithin is for how long an event that was heard of proves that such are sent.
	heardWithin = 7 * 24 * time.Hour
)

// polling is how the server learns of a resource's versions.
type polling struct {
	by, reason string
	every      time.Duration
}

func (r resourceRow) every() time.Duration { return time.Duration(r.CheckEvery) * time.Millisecond }

// eventOf is the webhook event that tells of versions of a type.
var eventOf = map[string]string{gitType: "push", pullType: "pull_request", releaseType: "release"}

// pollingOf decides how often a resource is polled. It falls back by itself: what it
// says is asked anew after each check.
func (s *Service) pollingOf(ctx context.Context, r resourceRow) (polling, error) {
	normal := polling{by: checkedByPoll, every: r.every()}
	if r.CheckEvery == 0 {
		normal.reason = "It is checked only when asked, or when a webhook tells of something new."
		return normal, nil
	}
	normal.reason = fmt.Sprintf("It is polled every %s", words(r.every()))
	event := eventOf[r.Type]
	switch {
	case event == "":
		normal.reason += "."
		return normal, nil
	case r.Repository == "":
		normal.reason += ", since its address is known only when a build runs."
		return normal, nil
	case s.deps.HookAlive == nil:
		normal.reason += "."
		return normal, nil
	}
	alive, err := s.deps.HookAlive(ctx, r.TeamID, r.Repository)
	if err != nil {
		return normal, err
	}
	if !alive {
		if trouble, err := s.troubleOf(ctx, r); err != nil || trouble != "" {
			normal.reason += ", since " + trouble + "."
			return normal, err
		}
		normal.reason += fmt.Sprintf(", since no hook of %s was heard of within the last day.", r.Repository)
		return normal, nil
	}
	names, err := s.namesOf(ctx, r.TeamID, []string{addressOf(r.Repository)})
	if err != nil {
		return normal, err
	}
	heard, err := s.heardSince(ctx, r.TeamID, event, names, toMillis(s.now().Add(-heardWithin)))
	if err != nil {
		return normal, err
	}
	if !heard {
		normal.reason += fmt.Sprintf(", since the hook of %s has not sent %s events lately.", r.Repository, event)
		return normal, nil
	}
	rarely := max(min(pollRarely*r.every(), pollAtLeast), r.every())
	return polling{by: checkedByWebhook, every: rarely, reason: fmt.Sprintf(
		"A hook tells of %s at once, so it is polled only every %s; every %s again when the hook falls silent.", r.Repository, words(rarely), words(r.every()))}, nil
}

// words is a duration as people say it.
func words(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := d / unit.of; n > 0 && d%unit.of == 0 {
			if n == 1 {
				return unit.name
			}
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return d.String()
}
