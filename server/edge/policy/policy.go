package policy

// The only version and kind that there are.
const (
	APIVersion = "patchmgmt.io/v1"
	Kind       = "PatchPolicy"
)

// Policy is a whole file.
type Policy struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"`
}

// Metadata names a policy; namespace and labels are for the reader.
type Metadata struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Spec is what a policy wants.
type Spec struct {
	BundleRef       BundleRef `json:"bundleRef"`
	Targets         Targets   `json:"targets"`
	Staging         Staging   `json:"staging"`
	Schedule        Schedule  `json:"schedule"`
	RolloutStrategy Strategy  `json:"rolloutStrategy"`
	Install         Install   `json:"install"`
	Rollback        Rollback  `json:"rollback"`
	Approval        Approval  `json:"approval"`
}

// BundleRef names a published bundle: Version is its id, Checksum the SHA-256 of
// its manifest.
type BundleRef struct {
	Version  string `json:"version"`
	Checksum string `json:"checksum,omitempty"`
	Channel  string `json:"channel,omitempty"`
}

// Targets says which nodes.
type Targets struct {
	Selector     Selector `json:"selector"`
	ExcludeNodes []string `json:"excludeNodes,omitempty"`
	// MaxNodes refuses a selector that hits more; 0 is no limit.
	MaxNodes int `json:"maxNodes,omitempty"`
}

// Staging is how a bundle reaches the nodes before the window.
type Staging struct {
	NotBefore   Instant  `json:"notBefore,omitzero"`
	Jitter      Duration `json:"jitter,omitempty"`
	PerNodeKBps int      `json:"perNodeKBps,omitempty"`
	PerSiteKBps int      `json:"perSiteKBps,omitempty"`
	// Hours is a daily stretch such as "20:00-06:00"; empty is always.
	Hours    string `json:"hours,omitempty"`
	UseRelay bool   `json:"useRelay,omitempty"`
	Mode     Mode   `json:"mode,omitempty"`
}

// Mode is how packages are brought over.
type Mode string

// The modes.
const (
	ModeDelta Mode = "delta-preferred"
	ModeWhole Mode = "whole"
)

// Schedule is when nodes may install.
type Schedule struct {
	// MaintenanceWindow is one or several of "Tue 02:00-04:00", apart by ";";
	// empty is at any time.
	MaintenanceWindow string `json:"maintenanceWindow,omitempty"`
	// Timezone is an IANA name, or "node" for each node's own.
	Timezone    string   `json:"timezone,omitempty"`
	LatestStart Duration `json:"latestStart,omitempty"`
	Deadline    Instant  `json:"deadline,omitzero"`
	Freeze      []Freeze `json:"freeze,omitempty"`
	OnMissed    OnMissed `json:"onMissed,omitempty"`
}

// NodeTimezone in Schedule.Timezone stands for the zone of each node.
const NodeTimezone = "node"

// Freeze is a stretch in which nothing is installed. A day stands for the whole day.
type Freeze struct {
	From   Instant `json:"from"`
	To     Instant `json:"to"`
	Reason string  `json:"reason,omitempty"`
	// Allow lists severities of what is installed all the same.
	Allow []string `json:"allow,omitempty"`
}

// OnMissed is what a node does that was not there in its window.
type OnMissed string

// The ways.
const (
	MissedNext OnMissed = "next"
	MissedSkip OnMissed = "skip"
)

// Type is how a rollout goes through its nodes.
type Type string

// The types.
const (
	RollingUpdate Type = "RollingUpdate"
	AllAtOnce     Type = "AllAtOnce"
	// OnlyCanary is the canaries first, then all others at once.
	OnlyCanary Type = "Canary"
	// Manual waits for a person before each batch.
	Manual Type = "Manual"
)

// Strategy is how carefully a rollout goes on.
type Strategy struct {
	Type                  Type    `json:"type"`
	Canary                *Canary `json:"canary,omitempty"`
	BatchSize             Count   `json:"batchSize,omitzero"`
	BatchDelayMinutes     int     `json:"batchDelayMinutes,omitempty"`
	MaxUnavailablePerSite int     `json:"maxUnavailablePerSite,omitempty"`
	PauseOn               PauseOn `json:"pauseOn"`
	// SilentAfter counts a node as failed that was not heard of for so long since
	// its installation began.
	SilentAfter Duration `json:"silentAfter,omitempty"`
}

// Canary is the batch before all others.
type Canary struct {
	Count      int      `json:"count"`
	PerVariant int      `json:"perVariant,omitempty"`
	Soak       Duration `json:"soak,omitempty"`
}

// PauseOn is what stops a rollout until a person looks.
type PauseOn struct {
	// FailureRate pauses when more than this part of the finished nodes failed.
	FailureRate Percent `json:"failureRate,omitempty"`
	MinSamples  int     `json:"minSamples,omitempty"`
	Consecutive int     `json:"consecutive,omitempty"`
	AnyExit     []int   `json:"anyExit,omitempty"`
}

// Install is how a node installs.
type Install struct {
	Reboot     string   `json:"reboot,omitempty"`
	Conffiles  string   `json:"conffiles,omitempty"`
	Timeout    Duration `json:"timeout,omitempty"`
	HoldPolicy string   `json:"holdPolicy,omitempty"`
	// OfflineGrace is how long after its expiry a bundle may still be installed
	// that was staged before.
	OfflineGrace Duration `json:"offlineGrace,omitempty"`
}

// Rollback is how a node judges itself, and goes back.
type Rollback struct {
	Enabled                   bool     `json:"enabled"`
	Method                    string   `json:"method,omitempty"`
	HealthCheckURL            string   `json:"healthCheckUrl,omitempty"`
	HealthCheckTimeoutSeconds int      `json:"healthCheckTimeoutSeconds,omitempty"`
	HealthChecks              []Health `json:"healthChecks,omitempty"`
	SuccessesInRow            int      `json:"successesInRow,omitempty"`
	KeepSnapshots             int      `json:"keepSnapshots,omitempty"`
}

// Health is one check that a node makes of itself.
type Health struct {
	Type string `json:"type"`
	// Name is a unit's, URL an address on this node, Path a program's.
	Name string `json:"name,omitempty"`
	URL  string `json:"url,omitempty"`
	Path string `json:"path,omitempty"`
	// Expect is the status of an answer; 0 is any from 200 to 299.
	Expect int `json:"expect,omitempty"`
}

// Approval is how many people must agree before a rollout begins.
type Approval struct {
	Required int `json:"required,omitempty"`
}

// Default is a policy in which only what has no sensible value is missing.
func Default() Policy {
	var p Policy
	p.Spec.Staging.Mode = ModeDelta
	p.Spec.Schedule.Timezone = "UTC"
	p.Spec.Schedule.OnMissed = MissedNext
	p.Spec.RolloutStrategy.Type = RollingUpdate
	p.Spec.RolloutStrategy.BatchSize = Count{Number: 100}
	p.Spec.RolloutStrategy.SilentAfter = 6 * hour
	p.Spec.RolloutStrategy.PauseOn = PauseOn{FailureRate: 5_00, MinSamples: 20, AnyExit: []int{3, 7}}
	p.Spec.Install = Install{Reboot: "ifNeeded", Conffiles: "keep", Timeout: 30 * minute, HoldPolicy: "refuse", OfflineGrace: 7 * 24 * hour}
	p.Spec.Rollback = Rollback{Enabled: true, Method: "auto", HealthCheckTimeoutSeconds: 120, SuccessesInRow: 1, KeepSnapshots: 1}
	return p
}
