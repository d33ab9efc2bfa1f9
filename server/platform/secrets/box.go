package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
)

// sealed values look like this:
//
//	version(1) keyID(8) nonce(12) wrappedDataKey(32+16) nonce(12) ciphertext(n+16)
const (
	version   = 1
	nonceSize = 12
	tagSize   = 16
	wrapEnd   = 1 + keyIDSize + nonceSize + keySize + tagSize
	overhead  = wrapEnd + nonceSize + tagSize
)

// Box seals and opens values.
type Box struct {
	path string // of the key file, "" when there is none to read again
	ring atomic.Pointer[ring]
}

// ring is the keys as they were read at one time.
type ring struct {
	newest  [keyIDSize]byte
	ciphers map[[keyIDSize]byte]cipher.AEAD
	// text tells whether the file has changed since.
	text [sha256.Size]byte
}

func newBox(keys []key) *Box {
	b := &Box{}
	b.ring.Store(newRing(keys))
	return b
}

func newRing(keys []key) *ring {
	r := &ring{ciphers: map[[keyIDSize]byte]cipher.AEAD{}}
	hash := sha256.New()
	for _, k := range keys {
		r.ciphers[k.id] = gcm(k.secret[:])
		r.newest = k.id
		hash.Write([]byte(k.line()))
	}
	r.text = [sha256.Size]byte(hash.Sum(nil))
	return r
}

// Reload reads the key file again and reports whether its keys have changed: a key may be
// added while the server runs.
func (b *Box) Reload() (changed bool, err error) {
	if b.path == "" {
		return false, nil
	}
	keys, err := readKeys(b.path)
	if err != nil {
		return false, fmt.Errorf("read the key file: %w", err)
	}
	before, now := b.ring.Load(), newRing(keys)
	if before.text == now.text {
		return false, nil
	}
	return b.ring.CompareAndSwap(before, now), nil
}

func gcm(secret []byte) cipher.AEAD {
	block, err := aes.NewCipher(secret)
	if err != nil {
		panic(err) // only for a key of the wrong size, and ours have 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // only for a block size other than AES's
	}
	return aead
}

// bind is the associated data; the length keeps ("ab", "c") from being ("a", "bc").
func bind(table, row string) []byte {
	data := binary.AppendUvarint(nil, uint64(len(table)))
	return append(append(data, table...), row...)
}

// Seal encrypts plain for that row of that table and no other.
func (b *Box) Seal(table, row string, plain []byte) []byte {
	ad, r := bind(table, row), b.ring.Load()
	out := make([]byte, 0, overhead+len(plain))
	out = append(out, version)
	out = append(out, r.newest[:]...)
	dataKey := random(keySize)
	out = appendSealed(out, r.ciphers[r.newest], dataKey, ad)
	return appendSealed(out, gcm(dataKey), plain, ad)
}

func random(n int) []byte {
	raw := make([]byte, n)
	rand.Read(raw) // never fails
	return raw
}

func appendSealed(out []byte, c cipher.AEAD, plain, ad []byte) []byte {
	nonce := random(nonceSize)
	return c.Seal(append(out, nonce...), nonce, plain, ad)
}

// ErrSealed is the cause when something sealed does not open.
var ErrSealed = errors.New("it was sealed with another key, for another row, or is damaged")

// Open decrypts what Seal made for that row.
func (b *Box) Open(table, row string, sealed []byte) ([]byte, error) {
	id, err := keyID(sealed)
	if err != nil {
		return nil, fmt.Errorf("open a secret of %s: %w", table, err)
	}
	wrapper, known := b.ring.Load().ciphers[id]
	if !known && b.missed(id) {
		wrapper, known = b.ring.Load().ciphers[id]
	}
	if !known {
		return nil, fmt.Errorf("open a secret of %s: the key file lacks the key %s: %w", table, hex.EncodeToString(id[:]), ErrSealed)
	}
	ad := bind(table, row)
	wrapped := sealed[1+keyIDSize : wrapEnd]
	dataKey, err := wrapper.Open(nil, wrapped[:nonceSize], wrapped[nonceSize:], ad)
	if err != nil {
		return nil, fmt.Errorf("open a secret of %s: %w", table, ErrSealed)
	}
	rest := sealed[wrapEnd:]
	plain, err := gcm(dataKey).Open(nil, rest[:nonceSize], rest[nonceSize:], ad)
	if err != nil {
		return nil, fmt.Errorf("open a secret of %s: %w", table, ErrSealed)
	}
	return plain, nil
}

func keyID(sealed []byte) (id [keyIDSize]byte, err error) {
	if len(sealed) < overhead || sealed[0] != version {
		return id, ErrSealed
	}
	copy(id[:], sealed[1:])
	return id, nil
}

// missed looks whether a key that is not known has been added to the file, by somebody who
// seals with it already. It reports whether the keys are others now.
func (b *Box) missed(id [keyIDSize]byte) bool {
	changed, err := b.Reload()
	if err != nil {
		return false // what is sealed stays closed, and the caller's error names the key
	}
	return changed || b.ring.Load().ciphers[id] != nil
}

// Knows reports whether the key file has the key that sealed was made with.
func (b *Box) Knows(sealed []byte) bool {
	id, err := keyID(sealed)
	return err == nil && b.ring.Load().ciphers[id] != nil
}
