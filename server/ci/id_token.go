package ci

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/vars"
)

// Sealer encrypts what is kept in a row; *secrets.Box is one.
type Sealer interface {
	Seal(table, row string, plain []byte) []byte
	Open(table, row string, sealed []byte) ([]byte, error)
}

// The algorithms of tokens. The words are those of JSON Web Algorithms.
const (
	rs256 = "RS256"
	es256 = "ES256"
)

const (
	tokenLife    = time.Hour
	maxTokenLife = 24 * time.Hour
)

// idToken issues a token that says which team, pipeline and job asks, signed by
// this server: clouds that trust it need no stored credentials.
type idToken struct {
	service   *Service
	algorithm string
	life      time.Duration
	claims    map[string]any
}

type idTokenConfig struct {
	Audience  []string `json:"audience"`
	Scope     string   `json:"subject_scope"`
	ExpiresIn string   `json:"expires_in"`
	Algorithm string   `json:"algorithm"`
}

func (s *Service) openIDToken(b engine.Build, config any) (*idToken, error) {
	c := idTokenConfig{Algorithm: rs256, Scope: "pipeline"}
	if err := readConfig(config, &c); err != nil {
		return nil, err
	}
	if c.Algorithm != rs256 && c.Algorithm != es256 {
		return nil, fmt.Errorf("algorithm %q is neither RS256 nor ES256", c.Algorithm)
	}
	life := tokenLife
	if c.ExpiresIn != "" {
		var err error
		if life, err = time.ParseDuration(c.ExpiresIn); err != nil || life <= 0 || life > maxTokenLife {
			return nil, fmt.Errorf("expires_in %q is not a duration of at most 24h", c.ExpiresIn)
		}
	}
	subject, err := subjectOf(b, c.Scope)
	if err != nil {
		return nil, err
	}
	claims := map[string]any{"iss": s.publicURL(), "sub": subject, "team": b.TeamName, "pipeline": b.PipelineName}
	if len(c.Audience) > 0 {
		claims["aud"] = c.Audience
	}
	if len(b.InstanceVars) > 0 {
		claims["instance_vars"] = b.InstanceVars
	}
	if b.JobName != "" {
		claims["job"] = b.JobName
	}
	return &idToken{s, c.Algorithm, life, claims}, nil
}

// subjectOf names who asks, as exactly as the scope wants. Slashes inside of names
// are escaped, so that no name can pass for another's path.
func subjectOf(b engine.Build, scope string) (string, error) {
	depth := map[string]int{"team": 1, "pipeline": 2, "instance": 3, "job": 4}[scope]
	if depth == 0 {
		return "", fmt.Errorf("subject_scope %q is not team, pipeline, instance or job", scope)
	}
	instance := ""
	if len(b.InstanceVars) > 0 {
		instance = encode(b.InstanceVars)
	}
	parts := []string{b.TeamName, b.PipelineName, instance, b.JobName}[:depth]
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/"), nil
}

// Get issues a token under the only name there is.
func (t *idToken) Get(ctx context.Context, ref vars.Ref) (any, bool, error) {
	if ref.Path != "token" {
		return nil, false, nil
	}
	key, err := t.service.signingKey(ctx, t.algorithm)
	if err != nil {
		return nil, false, err
	}
	now := t.service.now()
	claims := map[string]any{"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(t.life).Unix(), "jti": t.service.deps.NewID()}
	for name, value := range t.claims {
		claims[name] = value
	}
	token, err := key.sign(claims)
	return token, err == nil, err
}

// signingKey is a key of this server, with the name under which it is published.
type signingKey struct {
	algorithm, kid string
	private        crypto.Signer
}

const signingTable = "ci_signing_keys"

// signingKey makes the key at its first use; of nodes that do so at once, the first wins.
func (s *Service) signingKey(ctx context.Context, algorithm string) (signingKey, error) {
	if s.deps.Sealer == nil {
		return signingKey{}, errors.New("this server has no key file to keep signing keys with")
	}
	row, err := s.storedKey(ctx, algorithm)
	if err == nil && row.Algorithm == "" {
		if err = s.makeKey(ctx, algorithm); err == nil {
			row, err = s.storedKey(ctx, algorithm)
		}
	}
	if err != nil {
		return signingKey{}, err
	}
	plain, err := s.deps.Sealer.Open(signingTable, algorithm, row.Sealed)
	if err != nil {
		return signingKey{}, err
	}
	private, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return signingKey{}, fmt.Errorf("read the signing key %s: %w", row.Kid, err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return signingKey{}, fmt.Errorf("the signing key %s cannot sign", row.Kid)
	}
	return signingKey{algorithm, row.Kid, signer}, nil
}

func (s *Service) makeKey(ctx context.Context, algorithm string) error {
	var private crypto.Signer
	var err error
	if algorithm == es256 {
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		return err
	}
	plain, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	return s.insertKey(ctx, signingKeyRow{Algorithm: algorithm, Kid: s.deps.NewID(), Sealed: s.deps.Sealer.Seal(signingTable, algorithm, plain),
		CreatedAt: toMillis(s.now())})
}

func encode64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// sign makes a JSON Web Token in its compact form.
func (k signingKey) sign(claims map[string]any) (string, error) {
	head := encode64([]byte(encode(map[string]string{"alg": k.algorithm, "kid": k.kid, "typ": "JWT"})))
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := head + "." + encode64(body)
	digest := sha256.Sum256([]byte(text))
	if private, ok := k.private.(*ecdsa.PrivateKey); ok {
		r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
		if err != nil {
			return "", err
		}
		return text + "." + encode64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)), nil
	}
	signature, err := k.private.Sign(rand.Reader, digest[:], crypto.SHA256)
	return text + "." + encode64(signature), err
}

// publicKey is a key as JSON Web Key Sets show it.
func (k signingKey) publicKey() (map[string]string, error) {
	out := map[string]string{"use": "sig", "alg": k.algorithm, "kid": k.kid}
	switch public := k.private.Public().(type) {
	case *rsa.PublicKey:
		out["kty"], out["n"], out["e"] = "RSA", encode64(public.N.Bytes()), encode64(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			return nil, err
		}
		out["kty"], out["crv"], out["x"], out["y"] = "EC", "P-256", encode64(point[1:33]), encode64(point[33:])
	default:
		return nil, fmt.Errorf("the signing key %s is of an unknown kind", k.kid)
	}
	return out, nil
}
