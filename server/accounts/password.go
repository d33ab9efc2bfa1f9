package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// argon holds the parameters that a PHC string carries.
type argon struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

// The parameters of new hashes: OWASP's second choice, which two at once fit
// into 38 MiB.
var current = argon{memory: 19 * 1024, time: 2, threads: 1}

const (
	saltBytes = 16
	keyBytes  = 32
	atOnce    = 2
	// queueLimit is how many logins may wait for a turn; a hash takes some 30 ms.
	queueLimit = 64

	minPassword = 10
	maxPassword = 512
)

// hasher computes at most two hashes at once: each takes 19 MiB, and a flood of
// logins must not take the server's memory.
type hasher struct {
	turns chan struct{}
	queue chan struct{}
	dummy string
}

func newHasher() *hasher {
	h := &hasher{turns: make(chan struct{}, atOnce), queue: make(chan struct{}, queueLimit)}
	// Compared with for unknown users, so that they take as long as known ones.
	h.dummy = format(current, random(saltBytes), random(keyBytes))
	return h
}

func (h *hasher) take(ctx context.Context) (done func(), err error) {
	select {
	case h.queue <- struct{}{}:
	default:
		p := problem.New(problem.TooMany, "Too many people are signing in at this moment. Try again in a few seconds.")
		p.RetryAfter = 3
		return nil, p
	}
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns; <-h.queue }, nil
	case <-ctx.Done():
		<-h.queue
		return nil, ctx.Err()
	}
}

// hash makes a PHC string of the password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	done, err := h.take(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	salt := random(saltBytes)
	return format(current, salt, current.key(password, salt, keyBytes)), nil
}

// verify reports whether the password is the one behind the PHC string; an
// empty string is nobody's and takes as long.
func (h *hasher) verify(ctx context.Context, phc, password string) (bool, error) {
	known := phc != ""
	if !known {
		phc = h.dummy
	}
	params, salt, key, err := parse(phc)
	if err != nil {
		return false, err
	}
	done, err := h.take(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	same := subtle.ConstantTimeCompare(params.key(password, salt, len(key)), key) == 1
	return same && known, nil
}

func (a argon) key(password string, salt []byte, size int) []byte {
	return argon2.IDKey([]byte(password), salt, a.time, a.memory, a.threads, uint32(size))
}

func format(a argon, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.time, a.threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

var errHash = errors.New("not an argon2id hash in PHC form")

// parse refuses parameters that would exhaust memory or weaken the comparison:
// the row may come from a restored or tampered database.
func parse(phc string) (a argon, salt, key []byte, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return a, nil, nil, errHash
	}
	var version int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return a, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &a.memory, &a.time, &a.threads); err != nil {
		return a, nil, nil, errHash
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return a, nil, nil, errHash
	}
	if key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return a, nil, nil, errHash
	}
	if a.memory < 8 || a.memory > 256*1024 || a.time < 1 || a.time > 16 || a.threads < 1 || a.threads > 16 || len(salt) < 8 || len(key) < 16 || len(key) > 64 {
		return a, nil, nil, errHash
	}
	return a, salt, key, nil
}

// checkPassword is the rule for passwords that people choose in the UI. Length
// is what counts; rules about kinds of characters only make passwords alike.
func checkPassword(field, password, name string) error {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return problem.FieldError(field, "is shorter than %d characters", minPassword)
	case len(password) > maxPassword:
		return problem.FieldError(field, "is longer than %d bytes", maxPassword)
	case !utf8.ValidString(password):
		return problem.FieldError(field, "is not UTF-8")
	case strings.EqualFold(password, name):
		return problem.FieldError(field, "is the user's name")
	case strings.Count(password, password[:1]) == len(password):
		return problem.FieldError(field, "is one character repeated")
	}
	return nil
}

// checkOperatorPassword is the rule for those who hold the data folder or set
// the environment: they could write any hash, so only nonsense is refused.
func checkOperatorPassword(password string) error {
	switch {
	case password == "":
		return problem.FieldError("password", "is empty")
	case len(password) > maxPassword:
		return problem.FieldError("password", "is longer than %d bytes", maxPassword)
	}
	return nil
}

// generatePassword is easy to read aloud: 20 letters and digits without look-alikes, 99 bits.
func generatePassword() string {
	const alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
	var b strings.Builder
	for i := range 20 {
		if i > 0 && i%5 == 0 {
			b.WriteByte('-')
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic(err) // the system's random source does not fail
		}
		b.WriteByte(alphabet[n.Int64()])
	}
	return b.String()
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}
