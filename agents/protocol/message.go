package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Machine is what a node says it is.
type Machine struct {
	Hostname      string `json:"hostname"`
	OSID          string `json:"os_id"`          // of /etc/os-release: debian, ubuntu, rocky
	VersionID     string `json:"version_id"`     // 12, 24.04, 9.4
	Codename      string `json:"codename"`       // bookworm; empty where there is none
	Arch          string `json:"arch"`           // as the package manager says it: amd64, x86_64
	PackageSystem string `json:"package_system"` // apt or rpm
	Kernel        string `json:"kernel"`
	BootID        string `json:"boot_id"`
}

// Variant is the kind of bundle that fits: "debian/12/amd64".
func (m Machine) Variant() string { return m.OSID + "/" + m.VersionID + "/" + m.Arch }

// EnrollRequest asks to become a node. It is signed like every request, by the
// key that it holds and with an empty node, which proves that the key is the sender's.
// Sending it again with the same key gives the same node.
type EnrollRequest struct {
	Token     string            `json:"token"`
	Name      string            `json:"name"`
	PublicKey []byte            `json:"public_key"` // ed25519; base64 in JSON
	Site      string            `json:"site,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	Machine   Machine           `json:"machine"`
	Agent     string            `json:"agent"` // its version
}

// EnrollAnswer makes a machine a node.
type EnrollAnswer struct {
	Node  string    `json:"node"`
	State NodeState `json:"state"`
	Time  time.Time `json:"time"`
	// Root is the chain of signed root metadata, oldest first; empty until the team has published a root.
	Root            []json.RawMessage `json:"root"`
	IntervalSeconds int               `json:"interval_seconds"`
}

// Progress is how far staging or installing is.
type Progress struct {
	DoneBytes  int64  `json:"done_bytes"`
	TotalBytes int64  `json:"total_bytes"`
	Step       string `json:"step,omitempty"` // a word for people: the package being fetched or installed
}

// CheckIn is a node's regular message.
type CheckIn struct {
	State           State     `json:"state"`
	Bundle          string    `json:"bundle,omitempty"`  // that State speaks of; when idle, the last that succeeded
	Rollout         string    `json:"rollout,omitempty"` // that brought it
	Progress        *Progress `json:"progress,omitempty"`
	Agent           string    `json:"agent"`
	RootVersion     int64     `json:"root_version"`
	TargetsVersion  int64     `json:"targets_version"`
	InventorySHA256 string    `json:"inventory_sha256,omitempty"` // Inventory.Hash; empty while there is none
	Clock           time.Time `json:"clock"`
	DiskFree        int64     `json:"disk_free"`
	BootID          string    `json:"boot_id"`
	LastExit        *Exit     `json:"last_exit,omitempty"`
	Quarantined     []string  `json:"quarantined,omitempty"` // bundles
}

// CheckInAnswer tells the node what to do until it comes again.
type CheckInAnswer struct {
	State         NodeState `json:"state"`
	Assignment    *Envelope `json:"assignment,omitempty"` // nil: nothing is asked of the node
	WantInventory bool      `json:"want_inventory,omitempty"`
	NextInSeconds int       `json:"next_in_seconds"`
	Time          time.Time `json:"time"`
	// ReleaseQuarantine names bundles that may be tried again.
	ReleaseQuarantine []string `json:"release_quarantine,omitempty"`
}

// Package is one that is on the node.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
	Source  string `json:"source,omitempty"` // of which it was built, where that has another name
	Status  string `json:"status,omitempty"` // as the package manager says it; empty: installed properly
}

// Inventory is what is on a node. It is sent as JSON compressed with zstd, only
// when the portal wants it.
type Inventory struct {
	Packages      []Package         `json:"packages"` // sorted by name, then arch
	Held          []string          `json:"held"`
	Kernel        string            `json:"kernel"`
	UptimeSeconds int64             `json:"uptime"`
	OSRelease     map[string]string `json:"os_release"`
}

// Hash is what a check-in names the inventory by: the SHA-256, in hex, of its
// JSON without the uptime, which would make every one new. Nil lists count as empty ones.
func (i Inventory) Hash() string {
	i.UptimeSeconds = 0
	if i.Packages == nil {
		i.Packages = []Package{}
	}
	if i.Held == nil {
		i.Held = []string{}
	}
	if i.OSRelease == nil {
		i.OSRelease = map[string]string{}
	}
	raw, _ := json.Marshal(i) // strings and numbers: cannot fail
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Report is one thing that happened on a node. Its Seq grows by one per node for
// ever, so that a report which is sent twice is counted once.
type Report struct {
	Seq     int64           `json:"seq"`
	At      time.Time       `json:"at"`
	Rollout string          `json:"rollout,omitempty"`
	Bundle  string          `json:"bundle,omitempty"`
	State   State           `json:"state"`
	Exit    *Exit           `json:"exit,omitempty"`   // only where a run has ended
	Method  string          `json:"method,omitempty"` // of a rollback: packages, btrfs
	Message string          `json:"message,omitempty"`
	Details json.RawMessage `json:"details,omitempty"` // an object
}

// ReportsRequest brings what has queued up, oldest first, at most MaxReports.
type ReportsRequest struct {
	Reports []Report `json:"reports"`
}

// ReportsAnswer says up to which Seq the node may forget.
type ReportsAnswer struct {
	Acked int64 `json:"acked"`
}

// RotateRequest gives the node a new key. The request is signed by the old one;
// Proof, made by RotationProof, shows that the new one is the sender's.
type RotateRequest struct {
	PublicKey []byte `json:"public_key"`
	Proof     []byte `json:"proof"`
}

// RotateAnswer confirms; from now on only the new key is taken.
type RotateAnswer struct {
	Fingerprint string `json:"fingerprint"`
}
