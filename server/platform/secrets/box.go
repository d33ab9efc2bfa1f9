package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
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
	newest  [keyIDSize]byte
	ciphers map[[keyIDSize]byte]cipher.AEAD
}

func newBox(keys []key) *Box {
	b := &Box{ciphers: map[[keyIDSize]byte]cipher.AEAD{}}
	for _, k := range keys {
		b.ciphers[k.id] = gcm(k.secret[:])
		b.newest = k.id
	}
	return b
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
	ad := bind(table, row)
	out := make([]byte, 0, overhead+len(plain))
	out = append(out, version)
	out = append(out, b.newest[:]...)
	dataKey := random(keySize)
	out = appendSealed(out, b.ciphers[b.newest], dataKey, ad)
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
	wrapper, known := b.ciphers[id]
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

// Current reports whether sealed was made with the newest key; others want resealing.
func (b *Box) Current(sealed []byte) bool {
	id, err := keyID(sealed)
	return err == nil && id == b.newest
}

// Knows reports whether the key file has the key that sealed was made with.
func (b *Box) Knows(sealed []byte) bool {
	id, err := keyID(sealed)
	return err == nil && b.ciphers[id] != nil
}
