package github

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

const (
	// GitHub refuses more than ten minutes; a minute into the past forgives clocks.
	jwtPast   = time.Minute
	jwtFuture = 9 * time.Minute
)

// parseKey reads an App's private key as GitHub gives it (PKCS#1) or as openssl
// may have rewritten it (PKCS#8).
func parseKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the App's private key is not PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the App's private key is neither PKCS#1 nor PKCS#8")
	}
	key, ok := any.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the App's private key is not RSA")
	}
	return key, nil
}

// appToken is the JSON Web Token by which an App speaks for itself (RS256, the
// only algorithm GitHub takes).
func appToken(key *rsa.PrivateKey, app int64, now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"iat": now.Add(-jwtPast).Unix(), "exp": now.Add(jwtFuture).Unix(), "iss": fmt.Sprint(app)})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign as the App: %w", err)
	}
	return text + "." + encode(signature), nil
}
