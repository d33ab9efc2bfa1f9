package ceremony

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/signalbox/signalbox/agents/bundle"
)

// Key is somebody's private key. It prints as its id.
type Key struct{ private ed25519.PrivateKey }

// NewKey makes a key from random bytes.
func NewKey(random io.Reader) (Key, error) {
	_, private, err := ed25519.GenerateKey(random)
	if err != nil {
		return Key{}, fmt.Errorf("make a key: %w", err)
	}
	return Key{private}, nil
}

// Public is the half to give away.
func (k Key) Public() ed25519.PublicKey { return k.private.Public().(ed25519.PublicKey) }

// ID is the key's name in metadata.
func (k Key) ID() string { return KeyID(k.Public()) }

// String keeps the private half out of logs.
func (k Key) String() string { return "key " + k.ID() }

// KeyID is the TUF id of a public key: the hash of its canonical form.
func KeyID(public ed25519.PublicKey) string {
	data, err := bundle.Canonical(documentKey(public))
	if err != nil {
		return "" // a struct of three strings always encodes
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// FormatPublic is the text of a .pub file.
func FormatPublic(public ed25519.PublicKey) string {
	return "ed25519 " + base64.StdEncoding.EncodeToString(public)
}

// ParsePublic reads a .pub file's text, or the key alone in base64 or hex.
func ParsePublic(text string) (ed25519.PublicKey, error) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "ed25519 ")
	if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) == ed25519.PublicKeySize {
		return raw, nil
	}
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == ed25519.PublicKeySize {
		return raw, nil
	}
	return nil, fmt.Errorf("%.60q is no public key: wanted the content of a .pub file, or an ed25519 key in base64", text)
}

// sealed is a private key on disk: argon2id of the passphrase opens XChaCha20-Poly1305.
type sealed struct {
	Schema  int               `json:"schema"`
	Type    string            `json:"type"`
	Public  ed25519.PublicKey `json:"public"`
	Time    uint32            `json:"argon2id_time"`
	Memory  uint32            `json:"argon2id_kib"`
	Salt    []byte            `json:"salt"`
	Nonce   []byte            `json:"nonce"`
	Private []byte            `json:"private"`
}

const (
	sealedSchema = 1
	sealedType   = "ed25519"
	kdfTime      = 3
	kdfKiB       = 64 << 10
	// Bounds of what a key file may ask for: a foreign one must not eat the machine.
	kdfMaxTime = 32
	kdfMaxKiB  = 1 << 20
)

// Seal is the key as a file's content, to be opened with the passphrase.
func (k Key) Seal(passphrase string, random io.Reader) ([]byte, error) {
	if passphrase == "" {
		return nil, errors.New("a key needs a passphrase")
	}
	s := sealed{Schema: sealedSchema, Type: sealedType, Public: k.Public(), Time: kdfTime, Memory: kdfKiB,
		Salt: make([]byte, 16), Nonce: make([]byte, chacha20poly1305.NonceSizeX)}
	for _, b := range [][]byte{s.Salt, s.Nonce} {
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, fmt.Errorf("seal a key: %w", err)
		}
	}
	box, err := s.box(passphrase)
	if err != nil {
		return nil, err
	}
	s.Private = box.Seal(nil, s.Nonce, k.private.Seed(), s.Public)
	return json.MarshalIndent(s, "", "  ")
}

// PublicOf is the public half in a sealed key's file, which anybody may have
// altered: good for saying early that a key is the wrong one.
func PublicOf(data []byte) (ed25519.PublicKey, error) {
	s, err := readSealed(data)
	return s.Public, err
}

func readSealed(data []byte) (sealed, error) {
	var s sealed
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("this is no key file: %w", err)
	}
	if s.Schema != sealedSchema || s.Type != sealedType || len(s.Public) != ed25519.PublicKeySize || len(s.Nonce) != chacha20poly1305.NonceSizeX ||
		s.Time < 1 || s.Time > kdfMaxTime || s.Memory < 8 || s.Memory > kdfMaxKiB {
		return s, errors.New("this is no key file that this program can read")
	}
	return s, nil
}

// OpenKey reads a sealed key.
func OpenKey(data []byte, passphrase string) (Key, error) {
	s, err := readSealed(data)
	if err != nil {
		return Key{}, err
	}
	box, err := s.box(passphrase)
	if err != nil {
		return Key{}, err
	}
	seed, err := box.Open(nil, s.Nonce, s.Private, s.Public)
	if err != nil || len(seed) != ed25519.SeedSize {
		return Key{}, errors.New("the passphrase is wrong, or the key file is damaged")
	}
	k := Key{ed25519.NewKeyFromSeed(seed)}
	if !k.Public().Equal(s.Public) {
		return Key{}, errors.New("the key file's two halves do not belong together")
	}
	return k, nil
}

func (s sealed) box(passphrase string) (interface {
	Seal(dst, nonce, plaintext, additionalData []byte) []byte
	Open(dst, nonce, ciphertext, additionalData []byte) ([]byte, error)
}, error) {
	key := argon2.IDKey([]byte(passphrase), s.Salt, s.Time, s.Memory, 1, chacha20poly1305.KeySize)
	box, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("seal a key: %w", err)
	}
	return box, nil
}
