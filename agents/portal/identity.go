package portal

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/protocol"
)

// Identity is who this node is and where its portal is.
type Identity struct {
	URL  string `json:"url"`
	Node string `json:"node"`
	Name string `json:"name"`
	CA   string `json:"ca,omitempty"` // PEM of who signed the portal's certificate, beside the system's own
	// Interval is between check-ins, in seconds, until the portal says otherwise.
	Interval int `json:"interval,omitempty"`
}

const (
	identityFile = "node.json"
	keyFile      = "key"
	newKeyFile   = "key.next"
)

// ErrNotEnrolled means that there is no identity yet.
var ErrNotEnrolled = errors.New("this machine is not enrolled: run signalbox-agent enroll")

// ReadIdentity reads who this node is.
func ReadIdentity(dir string) (id Identity, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, identityFile))
	if errors.Is(err, os.ErrNotExist) {
		return id, ErrNotEnrolled
	}
	if err == nil {
		err = json.Unmarshal(raw, &id)
	}
	if err != nil {
		return id, fmt.Errorf("read who this node is: %w", err)
	}
	return id, nil
}

// replace writes a file of the folder, and leaves it to whom the folder belongs:
// a person runs doctor and rotate as root, and the network half must still read it.
func replace(path string, content []byte, mode os.FileMode) error {
	if err := journal.Replace(path, content, mode); err != nil || os.Geteuid() != 0 {
		return err
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(path, int(owner.Uid), int(owner.Gid))
}

// Write keeps it.
func (id Identity) Write(dir string) error {
	raw, err := json.MarshalIndent(id, "", " ")
	if err == nil {
		err = replace(filepath.Join(dir, identityFile), append(raw, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep who this node is: %w", err)
	}
	return nil
}

// Key reads the node's private key, and makes one where there is none: asking
// again to be enrolled must ask with the same key.
func Key(dir string, random io.Reader) (ed25519.PrivateKey, error) {
	return keyAt(filepath.Join(dir, keyFile), random)
}

// keyAt reads a key; where there is none it makes one, unless random is nil.
func keyAt(path string, random io.Reader) (ed25519.PrivateKey, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && random != nil {
		_, key, err := ed25519.GenerateKey(random)
		if err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
		return key, replace(path, []byte(base64.StdEncoding.EncodeToString(key.Seed())+"\n"), 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("read the node's key: %w", err)
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the node's key in %s is damaged", path)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// FingerprintOf is the key as people compare it with what the portal shows.
func FingerprintOf(key ed25519.PrivateKey) string {
	return protocol.Fingerprint(key.Public().(ed25519.PublicKey))
}
