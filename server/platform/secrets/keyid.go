package secrets

import "encoding/hex"

// KeyID names the key that a sealed value was made with, as the key file does; empty for
// what is no sealed value.
func KeyID(sealed []byte) string {
	id, err := keyID(sealed)
	if err != nil {
		return ""
	}
	return hex.EncodeToString(id[:])
}
