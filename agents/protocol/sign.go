package protocol

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a signed request, and of the answers.
const (
	HeaderNode      = "X-Edge-Node"
	HeaderTime      = "X-Edge-Time" // of a request: the node's clock; of an answer: the portal's. Unix milliseconds
	HeaderSeq       = "X-Edge-Seq"
	HeaderSignature = "X-Edge-Signature"
	// HeaderLastSeq is in a 409: the highest that the portal has seen.
	HeaderLastSeq = "X-Edge-Last-Seq"
)

// ClockTolerance is how wrong a node's clock may be.
const ClockTolerance = 24 * time.Hour

const (
	requestDomain  = "signalbox-edge-v1\n"
	rotationDomain = "signalbox-edge-rotate-v1\n"
)

// Why a request is not believed.
var (
	ErrUnsigned  = errors.New("the request is not signed as it should be")
	ErrSignature = errors.New("the request's signature does not hold")
	ErrClock     = errors.New("the request's time is more than a day off")
)

// signed is what the signature is over. The body comes as its hash, so that a
// big one need not be held.
func signed(method, uri string, body [sha256.Size]byte, at, seq int64) []byte {
	return []byte(requestDomain + method + "\n" + uri + "\n" + hex.EncodeToString(body[:]) + "\n" + strconv.FormatInt(at, 10) + "\n" + strconv.FormatInt(seq, 10))
}

// Sign puts the headers on a request. body is what it will carry, nil for none;
// node is empty only when enrolling. seq must be higher than in every request
// before, across restarts too.
func Sign(r *http.Request, body []byte, node string, key ed25519.PrivateKey, now time.Time, seq int64) {
	at := now.UnixMilli()
	message := signed(r.Method, r.URL.RequestURI(), sha256.Sum256(body), at, seq)
	if node != "" {
		r.Header.Set(HeaderNode, node)
	}
	r.Header.Set(HeaderTime, strconv.FormatInt(at, 10))
	r.Header.Set(HeaderSeq, strconv.FormatInt(seq, 10))
	r.Header.Set(HeaderSignature, base64.StdEncoding.EncodeToString(ed25519.Sign(key, message)))
}

// Signature is what the headers of a request say, not yet believed.
type Signature struct {
	Node string
	Time time.Time
	Seq  int64
	at   int64
	raw  []byte
}

// ReadSignature reads the headers; the error is ErrUnsigned.
func ReadSignature(h http.Header) (Signature, error) {
	s := Signature{Node: h.Get(HeaderNode)}
	var err1, err2, err3 error
	s.at, err1 = strconv.ParseInt(h.Get(HeaderTime), 10, 64)
	s.Seq, err2 = strconv.ParseInt(h.Get(HeaderSeq), 10, 64)
	s.raw, err3 = base64.StdEncoding.DecodeString(h.Get(HeaderSignature))
	if err1 != nil || err2 != nil || err3 != nil || s.Seq <= 0 || len(s.raw) != ed25519.SignatureSize || strings.ContainsAny(s.Node, "\r\n") {
		return Signature{}, ErrUnsigned
	}
	s.Time = time.UnixMilli(s.at)
	return s, nil
}

// Verify checks the signature of a request with this method, URI (path and
// query as they were sent) and hash of the body. The sequence number is the caller's to compare.
func (s Signature) Verify(key ed25519.PublicKey, method, uri string, body [sha256.Size]byte, now time.Time) error {
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, signed(method, uri, body, s.at, s.Seq), s.raw) {
		return ErrSignature
	}
	if d := now.Sub(s.Time); d > ClockTolerance || d < -ClockTolerance {
		return ErrClock
	}
	return nil
}

// RotationProof shows that the new key is its sender's; it names the node and the key that it replaces.
func RotationProof(node string, old ed25519.PublicKey, key ed25519.PrivateKey) []byte {
	return ed25519.Sign(key, rotationMessage(node, old))
}

// VerifyRotation checks a RotationProof.
func VerifyRotation(node string, old, key ed25519.PublicKey, proof []byte) bool {
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, rotationMessage(node, old), proof)
}

func rotationMessage(node string, old ed25519.PublicKey) []byte {
	return []byte(rotationDomain + node + "\n" + hex.EncodeToString(old))
}

// Fingerprint is a public key for people to compare: eight groups of four hex digits.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	digits := hex.EncodeToString(sum[:16])
	var groups []string
	for i := 0; i < len(digits); i += 4 {
		groups = append(groups, digits[i:i+4])
	}
	return strings.Join(groups, ":")
}
