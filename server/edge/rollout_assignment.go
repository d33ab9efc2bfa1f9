package edge

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/policy"
	"github.com/signalbox/signalbox/server/edge/rollout"
)

// zone gives the windows for nodes of a site in a time zone. What it gives depends on the
// rows and the clock alone, so that an order is the same from every server, and
// the same again until it changes: nodes keep each that is new.
func (h *head) zone(name, site string, now time.Time) *zoned {
	h.mu.Lock()
	defer h.mu.Unlock()
	key, at := name, h.sites[site]
	if at != nil {
		key += "\n" + site
	}
	z := h.zones[key]
	if z != nil && now.Before(z.until) {
		return z
	}
	loc := zoneOf(h.policy, name)
	day := now.UTC().Truncate(24 * time.Hour)
	z = &zoned{until: day.Add(24 * time.Hour)}
	windows := windowsAt(h.policy, loc, day.Add(-lookBack), manyWindows, h.frozen, h.row.mends())
	z.windows, z.ended = z.ahead(windows, now)
	z.none = windows != nil && len(z.windows) == 0
	if windows != nil && h.policy.Spec.Schedule.MaintenanceWindow == "" {
		z.at = later(z.at, day) // it begins where it is looked from
	}
	hours := h.policy.Spec.Staging.StagingHours(loc, day, shownWindows+2)
	if at != nil {
		hours = meeting(hours, policy.Upcoming([]policy.Window{at.window}, at.zone, day, shownWindows+2))
	}
	z.hours, _ = z.ahead(hours, now)
	h.zones[key] = z
	return z
}

// meeting is when a policy's hours and a site's are both. Where they never meet the
// site's hold: whoever set them knows the link, and no hours at all would mean always.
func meeting(policys, sites []policy.Interval) (both []policy.Interval) {
	if policys == nil {
		return sites
	}
	for _, p := range policys {
		for _, s := range sites {
			from, to := later(p.From, s.From), p.To
			if s.To.Before(to) {
				to = s.To
			}
			if from.Before(to) {
				both = append(both, policy.Interval{From: from, To: to})
			}
		}
	}
	if len(both) == 0 {
		return sites
	}
	return both
}

// ahead are the stretches that are not over; when the last was over, and when the
// next will be, bounds for how long the answer holds.
func (z *zoned) ahead(list []policy.Interval, now time.Time) (spanned []protocol.Span, ended time.Time) {
	for len(list) > 0 && !list[0].To.After(now) {
		ended = list[0].To
		list = list[1:]
	}
	z.at = later(z.at, ended)
	if len(list) > 0 && list[0].To.Before(z.until) {
		z.until = list[0].To
	}
	return spans(list[:min(len(list), shownWindows)]), ended
}

// lookBack finds the last window of any policy: there is one each week.
const lookBack = 8 * 24 * time.Hour

func spans(list []policy.Interval) []protocol.Span {
	out := make([]protocol.Span, len(list))
	for i, w := range list {
		out[i] = protocol.Span{From: w.From.UTC(), To: w.To.UTC()}
	}
	return out
}

// assignment is the whole order of a node.
func (h *head) assignment(m memberRow, action protocol.Action, z *zoned) protocol.Assignment {
	p, r := h.policy.Spec, h.row
	issued := later(millisTime(r.OrderedAt), later(millisTime(m.ChangedAt), z.at))
	a := protocol.Assignment{Rollout: r.ID, Node: m.NodeID, Bundle: r.BundleID, ManifestSHA256: r.ManifestSHA256, BundleVersion: r.BundleVersion, Action: action, Issued: issued.UTC(),
		Staging: protocol.Staging{Kbps: int64(p.Staging.PerNodeKBps), Hours: z.hours, Mode: string(p.Staging.Mode)},
		Windows: z.windows, LatestStartSeconds: int64(p.Schedule.LatestStart.Go() / time.Second), OnMissed: string(p.Schedule.OnMissed),
		Install:             protocol.Install{Reboot: p.Install.Reboot, Conffiles: p.Install.Conffiles, TimeoutSeconds: int64(p.Install.Timeout.Go() / time.Second), HoldPolicy: p.Install.HoldPolicy},
		Rollback:            protocol.Rollback{Enabled: p.Rollback.Enabled, Method: p.Rollback.Method, Keep: p.Rollback.KeepSnapshots},
		Health:              protocol.Health{Checks: checksOf(p.Rollback), TimeoutSeconds: int64(p.Rollback.HealthCheckTimeoutSeconds), SuccessesInRow: p.Rollback.SuccessesInRow},
		OfflineGraceSeconds: int64(p.Install.OfflineGrace.Go() / time.Second),
	}
	if from := h.stagesFrom(m, action); !from.IsZero() {
		a.Staging.NotBefore = &from
	}
	if r.DeadlineAt > 0 {
		ends := millisTime(r.DeadlineAt)
		a.Deadline = &ends
	}
	return a
}

// stagesFrom spreads the beginning of staging over the jitter, each node at a moment
// of its own. Who may install need not wait for it.
func (h *head) stagesFrom(m memberRow, action protocol.Action) time.Time {
	staging := h.policy.Spec.Staging
	from := staging.NotBefore.Start(time.UTC)
	if action != protocol.ActionStage || staging.Jitter == 0 || m.State != rollout.Waiting {
		return from
	}
	sum := sha256.Sum256([]byte(h.row.ID + "\n" + m.NodeID))
	part := float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
	return later(from, millisTime(h.row.StartedAt)).Add(time.Duration(part * float64(staging.Jitter.Go()))).Truncate(time.Second)
}

func checksOf(r policy.Rollback) []protocol.Check {
	out := []protocol.Check{}
	if r.HealthCheckURL != "" {
		out = append(out, protocol.Check{Type: "http", URL: r.HealthCheckURL})
	}
	for _, h := range r.HealthChecks {
		out = append(out, protocol.Check{Type: h.Type, URL: h.URL, Name: h.Name, Path: h.Path, Expect: h.Expect})
	}
	return out
}
