package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// Sentence says what a policy does, for whoever is about to let it.
func (s Spec) Sentence() string {
	parts := []string{fmt.Sprintf("Bundle %s goes to nodes with %s", s.BundleRef.Version, s.Targets.Selector), s.order()}
	if s.Targets.Selector.Empty() {
		parts[0] = fmt.Sprintf("Bundle %s goes to every node", s.BundleRef.Version)
	}
	if n := s.RolloutStrategy.MaxUnavailablePerSite; n > 0 {
		parts = append(parts, fmt.Sprintf("at most %d at once per site", n))
	}
	switch {
	case s.Schedule.MaintenanceWindow == "":
		parts = append(parts, "at any time")
	case s.Schedule.Timezone == NodeTimezone:
		parts = append(parts, s.Schedule.MaintenanceWindow+" by each node's own clock")
	default:
		parts = append(parts, s.Schedule.MaintenanceWindow+" "+s.Schedule.Timezone)
	}
	if !s.Schedule.Deadline.IsZero() {
		text, _ := s.Schedule.Deadline.MarshalText() // never fails
		parts = append(parts, "until "+string(text))
	}
	out := strings.Join(parts, ", ") + "."
	if stops := s.RolloutStrategy.PauseOn.stops(); stops != "" {
		out += " It pauses when " + stops + "."
	}
	switch {
	case !s.Rollback.Enabled:
		out += " Nodes do not go back by themselves."
	case s.Rollback.HealthCheckURL != "" || len(s.Rollback.HealthChecks) > 0:
		out += " A node that is unhealthy after it goes back by itself."
	}
	if n := s.Approval.Required; n > 0 {
		out += fmt.Sprintf(" %s must approve first.", count(n, "person", "people"))
	}
	return out
}

// order says in which order nodes get it.
func (s Spec) order() string {
	r := s.RolloutStrategy
	size := count(r.BatchSize.Number, "node", "nodes")
	if r.BatchSize.Part > 0 {
		text, _ := r.BatchSize.MarshalText() // never fails
		size = string(text)
	}
	first := ""
	if c := r.Canary; c != nil && r.Type != AllAtOnce {
		first = "first to " + count(c.Count, "canary", "canaries")
		if c.PerVariant > 0 {
			first += fmt.Sprintf(" with %d of each variant", c.PerVariant)
		}
		if c.Soak > 0 {
			first += " for " + c.Soak.String()
		}
		first += ", then "
	}
	switch r.Type {
	case AllAtOnce:
		return "to all at once"
	case OnlyCanary:
		return first + "to all others at once"
	case Manual:
		return first + "in batches of " + size + ", each when a person says so"
	}
	if r.BatchDelayMinutes > 0 {
		return first + fmt.Sprintf("in batches of %s, %s apart", size, count(r.BatchDelayMinutes, "minute", "minutes"))
	}
	return first + "in batches of " + size
}

func (p PauseOn) stops() string {
	var list []string
	if p.FailureRate < 100_00 {
		text, _ := p.FailureRate.MarshalText() // never fails
		list = append(list, fmt.Sprintf("more than %s of at least %d nodes fail", text, max(1, p.MinSamples)))
	}
	if p.Consecutive > 0 {
		list = append(list, fmt.Sprintf("%d fail in a row", p.Consecutive))
	}
	if len(p.AnyExit) > 0 {
		codes := make([]string, len(p.AnyExit))
		for i, code := range p.AnyExit {
			codes[i] = strconv.Itoa(code)
		}
		list = append(list, "one ends with exit "+strings.Join(codes, ", "))
	}
	return strings.Join(list, ", or ")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
