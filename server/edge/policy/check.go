package policy

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones must be the same whatever the machine has installed
)

// Bounds of what a policy may ask for.
const (
	maxApprovals = 10
	maxHealth    = 20
	maxExclude   = 10_000
)

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)
	versionForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+:~-]{0,127}$`)
	checksumForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	unitForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:._@\\-]{0,250}$`)
)

// check applies the rules that one value alone cannot break.
func check(p *Policy, d *decoder) {
	d.oneOf("apiVersion", p.APIVersion, APIVersion)
	d.oneOf("kind", p.Kind, Kind)
	if !nameForm.MatchString(p.Metadata.Name) {
		d.errorf("metadata.name", "must be 1 to 63 of a-z, 0-9, - and ., beginning and ending with a letter or digit")
	}
	s := &p.Spec
	d.bundle(s.BundleRef)
	d.targets(s.Targets)
	d.staging(s.Staging)
	d.schedule(s)
	d.strategy(s.RolloutStrategy)
	d.install(s.Install)
	d.rollback(s.Rollback)
	if s.Approval.Required < 0 || s.Approval.Required > maxApprovals {
		d.errorf("spec.approval.required", "must be from 0 to %d", maxApprovals)
	}
}

// oneOf refuses words that are not among those known.
func (d *decoder) oneOf(path, word string, known ...string) {
	if slices.Contains(known, word) {
		return
	}
	if word == "" && !d.given(path) {
		d.errorf(path, "is missing; write %s", strings.Join(known, " or "))
		return
	}
	d.errorf(path, "%q must be %s", word, strings.Join(known, " or "))
}

func (d *decoder) within(path string, n, least, most int) {
	if n < least || n > most {
		d.errorf(path, "must be from %d to %d", least, most)
	}
}

func (d *decoder) bundle(b BundleRef) {
	if !versionForm.MatchString(b.Version) {
		d.errorf("spec.bundleRef.version", "must be the id of a bundle, such as \"20241105-build-42\"")
	}
	if b.Checksum != "" && !checksumForm.MatchString(b.Checksum) {
		const path = "spec.bundleRef.checksum"
		if !strings.HasPrefix(b.Checksum, "sha256:") {
			d.errorf(path, "must be \"sha256:\" and 64 hexadecimal digits")
			return
		}
		// Written like that in examples: readable, but nothing to compare with.
		d.warnf(path, "is no complete SHA-256; a rollout will be refused until it is that of the bundle's manifest")
	}
}

func (d *decoder) targets(t Targets) {
	const at = "spec.targets.selector"
	if t.MaxNodes < 0 {
		d.errorf("spec.targets.maxNodes", "must not be below 0")
	}
	if t.Selector.Empty() && t.MaxNodes == 0 {
		d.errorf(at, "names no label and so means every node; if that is meant, say how many at most with spec.targets.maxNodes")
	}
	if len(t.ExcludeNodes) > maxExclude {
		d.errorf("spec.targets.excludeNodes", "names more than %d nodes; use a label", maxExclude)
	}
	for i, r := range t.Selector.MatchExpressions {
		here := fmt.Sprintf("%s.matchExpressions[%d]", at, i)
		if r.Key == "" {
			d.errorf(here+".key", "is missing")
		}
		d.oneOf(here+".operator", string(r.Operator), string(In), string(NotIn), string(Exists), string(DoesNotExist))
		listed := r.Operator == In || r.Operator == NotIn
		if listed && len(r.Values) == 0 {
			d.errorf(here+".values", "%s needs at least one value", r.Operator)
		}
		if !listed && len(r.Values) > 0 {
			d.errorf(here+".values", "%s takes no values", r.Operator)
		}
	}
}

func (d *decoder) staging(s Staging) {
	d.oneOf("spec.staging.mode", string(s.Mode), string(ModeDelta), string(ModeWhole))
	if s.PerNodeKBps < 0 {
		d.errorf("spec.staging.perNodeKBps", "must not be below 0")
	}
	if s.PerSiteKBps < 0 {
		d.errorf("spec.staging.perSiteKBps", "must not be below 0")
	}
	if s.Hours != "" {
		if _, err := ParseHours(s.Hours); err != nil {
			d.errorf("spec.staging.hours", "%v", err)
		}
	}
	if s.UseRelay {
		d.warnf("spec.staging.useRelay", "there are no relays yet; nodes stage from the server")
	}
}

func (d *decoder) schedule(spec *Spec) {
	const at = "spec.schedule."
	s := spec.Schedule
	d.oneOf(at+"onMissed", string(s.OnMissed), string(MissedNext), string(MissedSkip))
	if s.Timezone != NodeTimezone {
		if _, err := time.LoadLocation(s.Timezone); err != nil || s.Timezone == "Local" || s.Timezone == "" {
			d.errorf(at+"timezone", "there is no time zone %q; write an IANA name such as America/New_York, or node", s.Timezone)
		}
	}
	if s.MaintenanceWindow != "" {
		windows, err := ParseWindows(s.MaintenanceWindow)
		if err != nil {
			d.errorf(at+"maintenanceWindow", "%v", err)
		}
		for _, w := range windows {
			if w.Length < spec.Install.Timeout.Go() {
				d.errorf(at+"maintenanceWindow", "a window of %s is shorter than spec.install.timeout, which is %s", Duration(w.Length), spec.Install.Timeout)
				break
			}
			if s.LatestStart.Go() >= w.Length {
				d.errorf(at+"latestStart", "leaves nothing of a window of %s", Duration(w.Length))
				break
			}
		}
	} else if s.LatestStart > 0 {
		d.warnf(at+"latestStart", "means nothing without a maintenanceWindow")
	}
	if !s.Deadline.IsZero() && !spec.Staging.NotBefore.IsZero() && !s.Deadline.End(time.UTC).After(spec.Staging.NotBefore.Start(time.UTC)) {
		d.errorf(at+"deadline", "is not after spec.staging.notBefore")
	}
	for i, f := range s.Freeze {
		here := fmt.Sprintf("%sfreeze[%d]", at, i)
		if f.From.IsZero() || f.To.IsZero() {
			d.errorf(here, "needs from and to")
		} else if !f.To.End(time.UTC).After(f.From.Start(time.UTC)) {
			d.errorf(here+".to", "is not after from")
		}
		for j, word := range f.Allow {
			d.oneOf(fmt.Sprintf("%s.allow[%d]", here, j), word, Severities...)
		}
	}
}

// Severities that a freeze may let through.
var Severities = []string{"critical", "high", "medium", "low"}

func (d *decoder) strategy(s Strategy) {
	const at = "spec.rolloutStrategy."
	d.oneOf(at+"type", string(s.Type), string(RollingUpdate), string(AllAtOnce), string(OnlyCanary), string(Manual))
	if s.BatchSize.Number < 1 && s.BatchSize.Part < 1 {
		d.errorf(at+"batchSize", "must be at least 1 or more than 0%%")
	}
	d.within(at+"batchDelayMinutes", s.BatchDelayMinutes, 0, 7*24*60)
	if s.MaxUnavailablePerSite < 0 {
		d.errorf(at+"maxUnavailablePerSite", "must not be below 0")
	}
	if c := s.Canary; c != nil {
		if c.Count < 0 || c.PerVariant < 0 || c.Count+c.PerVariant == 0 {
			d.errorf(at+"canary", "needs a count or a number perVariant, at least 1")
		}
	} else if s.Type == OnlyCanary {
		d.errorf(at+"canary", "is missing, and the type is Canary")
	}
	if s.Type == AllAtOnce && s.Canary != nil {
		d.warnf(at+"canary", "means nothing with AllAtOnce; the type Canary has the canaries first and all others at once")
	}
	d.within(at+"pauseOn.minSamples", s.PauseOn.MinSamples, 0, 100_000)
	d.within(at+"pauseOn.consecutive", s.PauseOn.Consecutive, 0, 10_000)
	for i, code := range s.PauseOn.AnyExit {
		d.within(fmt.Sprintf("%spauseOn.anyExit[%d]", at, i), code, 1, 12)
	}
	if s.SilentAfter < 10*minute {
		d.errorf(at+"silentAfter", "must be at least 10m: nodes check in every few minutes")
	}
	if p := s.PauseOn; p.FailureRate >= 100_00 && p.Consecutive == 0 && len(p.AnyExit) == 0 {
		d.warnf(at+"pauseOn", "says nothing, so no failure will stop this rollout")
	}
}

func (d *decoder) install(i Install) {
	const at = "spec.install."
	d.oneOf(at+"reboot", i.Reboot, "never", "ifNeeded", "always")
	d.oneOf(at+"conffiles", i.Conffiles, "keep", "replace")
	d.oneOf(at+"holdPolicy", i.HoldPolicy, "refuse", "skip")
	if i.Timeout < minute || i.Timeout > 24*hour {
		d.errorf(at+"timeout", "must be from 1m to 24h")
	}
}

func (d *decoder) rollback(r Rollback) {
	const at = "spec.rollback."
	d.oneOf(at+"method", r.Method, "auto", "snapshot", "packages", "none")
	d.within(at+"healthCheckTimeoutSeconds", r.HealthCheckTimeoutSeconds, 1, 24*60*60)
	d.within(at+"successesInRow", r.SuccessesInRow, 1, 1000)
	d.within(at+"keepSnapshots", r.KeepSnapshots, 0, 100)
	if r.HealthCheckURL != "" {
		d.loopback(at+"healthCheckUrl", r.HealthCheckURL)
	}
	d.within(at+"healthChecks", len(r.HealthChecks), 0, maxHealth)
	for i, h := range r.HealthChecks {
		here := fmt.Sprintf("%shealthChecks[%d]", at, i)
		d.oneOf(here+".type", h.Type, "http", "unit", "exec")
		d.only(here+".url", "http", h.Type, h.URL)
		d.only(here+".name", "unit", h.Type, h.Name)
		d.only(here+".path", "exec", h.Type, h.Path)
		switch {
		case h.Type == "http":
			d.loopback(here+".url", h.URL)
		case h.Type == "unit" && !unitForm.MatchString(h.Name):
			d.errorf(here+".name", "must be the name of a unit")
		case h.Type == "exec" && (!path.IsAbs(h.Path) || path.Clean(h.Path) != h.Path):
			d.errorf(here+".path", "must be the whole path of a program on the node")
		}
		if h.Expect != 0 {
			d.within(here+".expect", h.Expect, 100, 599)
		}
	}
	if !r.Enabled && (r.HealthCheckURL != "" || len(r.HealthChecks) > 0) {
		d.warnf(at+"enabled", "is false: a node that fails its health checks stays as it is")
	}
}

// only refuses a key that belongs to another type of health check.
func (d *decoder) only(path, belongs, have, value string) {
	if value != "" && belongs != have {
		d.errorf(path, "belongs to checks of type %s", belongs)
	}
}

// loopback refuses addresses that are not on the node itself: a policy must not
// make ten thousand machines knock at a door.
func (d *decoder) loopback(path, text string) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Host == "" {
		d.errorf(path, "%q must be an http or https address", text)
		return
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		d.errorf(path, "must be on the node itself: localhost, 127.0.0.1 or [::1]")
	}
}
