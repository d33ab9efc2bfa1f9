package edge

import (
	"crypto/ed25519"
	"regexp"
	"slices"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Node is a machine of the fleet.
type Node struct {
	ID     string             `json:"id"`
	Team   int64              `json:"-"`
	Name   string             `json:"name"`
	Site   string             `json:"site"`
	Labels map[string]string  `json:"labels"`
	State  protocol.NodeState `json:"state"`
	// Fingerprint is of its key, for comparing with what the machine shows.
	Fingerprint   string     `json:"fingerprint"`
	Hostname      string     `json:"hostname"`
	OSID          string     `json:"os_id"`
	VersionID     string     `json:"version_id"`
	Codename      string     `json:"codename"`
	Arch          string     `json:"arch"`
	PackageSystem string     `json:"package_system"`
	Kernel        string     `json:"kernel"`
	Variant       string     `json:"variant"`
	Token         string     `json:"token"`
	Address       string     `json:"address"`
	EnrolledAt    api.Millis `json:"enrolled_at"`
	DecidedBy     string     `json:"decided_by"`
	DecidedAt     api.Millis `json:"decided_at,omitzero"`
	ChangedAt     api.Millis `json:"changed_at"`
	RotatedAt     api.Millis `json:"rotated_at,omitzero"`
	Said
	// InventoryAt is when its list of packages came, whose hash is InventorySHA256.
	InventorySHA256 string     `json:"inventory_sha256"`
	InventoryAt     api.Millis `json:"inventory_at,omitzero"`
	Held            []string   `json:"held"`
	BootedAt        api.Millis `json:"booted_at,omitzero"`
	Set             int64      `json:"-"`
	// Releases are bundles that a person let go of quarantine.
	Releases []string `json:"releases"`

	key       ed25519.PublicKey
	reportSeq int64
}

// Said is what a node's check-ins say.
type Said struct {
	SeenAt         api.Millis     `json:"seen_at,omitzero"`
	NextAt         api.Millis     `json:"next_at,omitzero"` // when it should come again
	Agent          string         `json:"agent"`
	AgentState     protocol.State `json:"agent_state"`
	AgentStateAt   api.Millis     `json:"agent_state_at,omitzero"`
	Bundle         string         `json:"bundle"`
	Rollout        string         `json:"rollout"`
	DoneBytes      int64          `json:"done_bytes"`
	TotalBytes     int64          `json:"total_bytes"`
	Step           string         `json:"step"`
	LastExit       *protocol.Exit `json:"last_exit"`
	Quarantined    []string       `json:"quarantined"`
	RootVersion    int64          `json:"root_version"`
	TargetsVersion int64          `json:"targets_version"`
	ClockSkew      int64          `json:"clock_skew_ms"`
	DiskFree       int64          `json:"disk_free"`
	BootID         string         `json:"boot_id"`
	LostAt         api.Millis     `json:"lost_at,omitzero"`
	// DoubledAt is when a request's number had been used before: the key may be in two places.
	DoubledAt api.Millis `json:"doubled_at,omitzero"`
	Doubled   int64      `json:"doubled"`
	seq       int64
}

// When a silent node is shown as offline, and when people are told.
const (
	missedCheckIns = 3
	lostAfter      = 24 * time.Hour
)

// offline tells whether a node has missed its check-ins. That is normal, and no failure.
func (s *Service) offline(n *Node, now time.Time) bool {
	return n.SeenAt == 0 || now.UnixMilli()-int64(n.SeenAt) > missedCheckIns*s.Interval.Milliseconds()
}

// machine is what the node says it is.
func (n *Node) machine() protocol.Machine {
	return protocol.Machine{Hostname: n.Hostname, OSID: n.OSID, VersionID: n.VersionID, Codename: n.Codename, Arch: n.Arch, PackageSystem: n.PackageSystem, Kernel: n.Kernel, BootID: n.BootID}
}

var (
	nodeName   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$`)
	siteName   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,62})?$`)
	labelKey   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$`)
	labelValue = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9._:/+-]{0,126}[A-Za-z0-9])?)?$`) // a time zone is one, too
	plainWord  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~-]{0,63}$`)
)

const maxLabels = 32

func validateName(name string) error {
	if !nodeName.MatchString(name) {
		return problem.FieldError("name", "give 1 to 128 letters, digits, dots, dashes or underscores, beginning and ending with a letter or digit")
	}
	return nil
}

func validateSite(site string) error {
	if site != "" && !siteName.MatchString(site) {
		return problem.FieldError("site", "give at most 64 letters, digits, dots, dashes or underscores")
	}
	return nil
}

func validateLabels(labels map[string]string) error {
	if len(labels) > maxLabels {
		return problem.FieldError("labels", "give at most %d", maxLabels)
	}
	for key, value := range labels {
		if !labelKey.MatchString(key) || !labelValue.MatchString(value) {
			return problem.FieldError("labels", "%.60q: names and values are letters, digits, dots, dashes and underscores", key)
		}
	}
	return nil
}

func validateMachine(m protocol.Machine) error {
	for field, value := range map[string]string{"machine.os_id": m.OSID, "machine.version_id": m.VersionID, "machine.arch": m.Arch} {
		if !plainWord.MatchString(value) {
			return problem.FieldError(field, "is missing or has characters that no system's name has")
		}
	}
	if m.PackageSystem != "apt" && m.PackageSystem != "rpm" {
		return problem.FieldError("machine.package_system", "is neither apt nor rpm")
	}
	for field, value := range map[string]string{"machine.hostname": m.Hostname, "machine.codename": m.Codename, "machine.kernel": m.Kernel, "machine.boot_id": m.BootID} {
		if !printable(value, 253) {
			return problem.FieldError(field, "is longer than 253 bytes or has control characters")
		}
	}
	return nil
}

// printable tells whether a text of a node may be kept and shown.
func printable(text string, most int) bool {
	return len(text) <= most && !slices.ContainsFunc([]rune(text), func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' })
}
