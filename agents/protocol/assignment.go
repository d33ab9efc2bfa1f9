package protocol

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Action is what an assignment asks for.
type Action string

// The actions.
const (
	// ActionStage: fetch and keep; do not install yet, whatever the window says.
	ActionStage Action = "stage"
	// ActionInstall: fetch, and install in a window.
	ActionInstall Action = "install"
	// ActionRollback: restore what was before this bundle.
	ActionRollback Action = "rollback"
	// ActionStop: begin nothing new for this rollout; what is installing ends.
	ActionStop Action = "stop"
)

// Assignment is an order of the portal to one node.
type Assignment struct {
	Rollout        string `json:"rollout"`
	Node           string `json:"node"`
	Bundle         string `json:"bundle"`
	ManifestSHA256 string `json:"manifest_sha256"`
	BundleVersion  int64  `json:"bundle_version"`
	Action         Action `json:"action"`
	// Issued grows with every new order to the node: of two, the later holds.
	Issued  time.Time `json:"issued"`
	Staging Staging   `json:"staging"`
	// Windows are the next ones, as instants, so that the node needs no time zones. Empty: any time.
	Windows             []Span     `json:"windows"`
	LatestStartSeconds  int64      `json:"latest_start_seconds"` // before a window's end
	Deadline            *time.Time `json:"deadline,omitempty"`
	OnMissed            string     `json:"on_missed"` // next or skip
	Install             Install    `json:"install"`
	Rollback            Rollback   `json:"rollback"`
	Health              Health     `json:"health"`
	OfflineGraceSeconds int64      `json:"offline_grace_seconds"`
}

// Span is a stretch of time; To is not in it.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Contains tells whether at is in the span.
func (s Span) Contains(at time.Time) bool { return !at.Before(s.From) && at.Before(s.To) }

// Staging says when and how fast to fetch.
type Staging struct {
	NotBefore *time.Time `json:"not_before,omitempty"`
	// Kbps is in kilobytes (1,024 bytes) a second for this node; 0 is without a limit.
	Kbps int64 `json:"kbps"`
	// Hours are when fetching is allowed, as instants; empty: always.
	Hours []Span `json:"hours,omitempty"`
	// Mode is delta-preferred or whole.
	Mode string `json:"mode"`
}

// Install says how.
type Install struct {
	Reboot         string `json:"reboot"`    // never, ifNeeded or always
	Conffiles      string `json:"conffiles"` // keep or replace
	TimeoutSeconds int64  `json:"timeout_seconds"`
	HoldPolicy     string `json:"hold_policy"` // refuse, or skip to leave held packages
}

// Rollback says whether and how the node goes back by itself.
type Rollback struct {
	Enabled bool   `json:"enabled"`
	Method  string `json:"method"` // snapshot, packages, auto or none
	Keep    int    `json:"keep"`   // snapshots
}

// Health says what must hold after the install.
type Health struct {
	Checks         []Check `json:"checks"`
	TimeoutSeconds int64   `json:"timeout_seconds"`
	SuccessesInRow int     `json:"successes_in_row"`
}

// Check is one: of type http it has a URL, of type unit a Name, of type exec a Path.
type Check struct {
	Type string `json:"type"`
	URL  string `json:"url,omitempty"`
	Name string `json:"name,omitempty"`
	Path string `json:"path,omitempty"`
	// Expect is a status for http (0 is any 2xx).
	Expect int `json:"expect,omitempty"`
}

// Envelope is an Assignment under the portal's signature.
type Envelope struct {
	Payload   []byte `json:"payload"` // the Assignment's JSON; base64 in JSON
	KeyID     string `json:"key_id"`  // of the timestamp role in the trusted root
	Signature []byte `json:"signature"`
}

// envelopeDomain keeps a signature of an order from ever being one of metadata,
// which the same key signs.
const envelopeDomain = "signalbox-edge-assignment-v1\n"

// ErrEnvelope is why an order is not believed.
var ErrEnvelope = errors.New("the order's signature does not hold")

// Seal signs an assignment.
func Seal(a Assignment, keyID string, key ed25519.PrivateKey) (*Envelope, error) {
	payload, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("write the assignment: %w", err)
	}
	return &Envelope{Payload: payload, KeyID: keyID, Signature: ed25519.Sign(key, append([]byte(envelopeDomain), payload...))}, nil
}

// Open checks an envelope against the keys of the timestamp role and gives what
// is in it. That it is for this node and not older than the last is the caller's to check.
func (e *Envelope) Open(keys map[string]ed25519.PublicKey) (Assignment, error) {
	var a Assignment
	key, known := keys[e.KeyID]
	if !known || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, append([]byte(envelopeDomain), e.Payload...), e.Signature) {
		return a, ErrEnvelope
	}
	if err := json.Unmarshal(e.Payload, &a); err != nil {
		return a, fmt.Errorf("read the order: %w", err)
	}
	return a, nil
}
