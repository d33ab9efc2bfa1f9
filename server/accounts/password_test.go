package accounts

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestProductionParameters(t *testing.T) {
	t.Parallel()
	if production != (argon{memory: 19456, time: 2, threads: 1}) {
		t.Fatalf("new hashes are made with %+v", production)
	}
}

func TestHashAndVerify(t *testing.T) {
	t.Parallel()
	h := newHasher()
	phc, err := h.hash(t.Context(), "correct horse")
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatal(phc, err)
	}
	other, err := h.hash(t.Context(), "correct horse")
	if err != nil || other == phc {
		t.Fatal("two hashes of one password are the same")
	}
	for password, want := range map[string]bool{"correct horse": true, "Correct horse": false, "": false, "correct horse ": false} {
		if got, err := h.verify(t.Context(), phc, password); err != nil || got != want {
			t.Errorf("verify %q: %v %v", password, got, err)
		}
	}
	if ok, err := h.verify(t.Context(), "", "anything"); ok || err != nil {
		t.Fatalf("nobody's hash: %v %v", ok, err)
	}
}

// A hash made elsewhere, by the reference implementation's test vectors' parameters.
func TestVerifyReadsForeignParameters(t *testing.T) {
	t.Parallel()
	const phc = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	if ok, err := newHasher().verify(t.Context(), phc, "password"); err != nil || !ok {
		t.Fatalf("%v %v", ok, err)
	}
}

func TestParseRefusesDangerousHashes(t *testing.T) {
	t.Parallel()
	for _, phc := range []string{
		"", "plain", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg", "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=99999999,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg", "$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=64,t=1,p=1$$nf65EOgLrQMR/uIPnA4rEg", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=64,t=1,p=1$!$nf65EOgLrQMR/uIPnA4rEg",
	} {
		if _, err := newHasher().verify(t.Context(), phc, "x"); phc != "" && !errors.Is(err, errHash) {
			t.Errorf("%q: %v", phc, err)
		}
	}
}

func TestHasherBoundsItsQueue(t *testing.T) {
	t.Parallel()
	h := newHasher()
	for range atOnce {
		h.turns <- struct{}{}
		h.queue <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, queueLimit)
	for range queueLimit - atOnce {
		go func() { _, err := h.take(ctx); waiting <- err }()
	}
	for deadline := time.Now().Add(time.Minute); len(h.queue) < queueLimit; {
		if time.Now().After(deadline) {
			t.Fatal("the queue did not fill")
		}
		<-time.After(time.Millisecond)
	}
	if _, err := h.take(t.Context()); !problem.Is(err, problem.TooMany) {
		t.Fatalf("the queue is full, but: %v", err)
	}
	cancel()
	for range queueLimit - atOnce {
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if len(h.queue) != atOnce {
		t.Fatalf("%d places in the queue are lost", len(h.queue)-atOnce)
	}
}

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	for password, why := range map[string]string{
		"short": "shorter than 10", "ninechars": "shorter than 10", "aaaaaaaaaaaa": "one character repeated", "Some.Person": "user's name",
		strings.Repeat("ab", 300): "longer than 512", "abcdefghij\xff": "UTF-8", "ten chars!": "", "жжжжжжжжжд": "", "correct horse battery": "",
	} {
		err := checkPassword("password", password, "some.person")
		if why == "" && err != nil || why != "" && (err == nil || !strings.Contains(err.Error(), why)) {
			t.Errorf("%q: %v, want %q", password, err, why)
		}
	}
}

func TestGeneratedPasswords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		p := generatePassword()
		if len(p) != 23 || seen[p] || checkPassword("", p, "admin") != nil || strings.ContainsAny(p, "0O1lI") {
			t.Fatalf("generated %q", p)
		}
		seen[p] = true
	}
}

func FuzzParse(f *testing.F) {
	f.Add("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	f.Add("$argon2id$v=19$m=-1,t=2,p=256$$")
	f.Fuzz(func(t *testing.T, phc string) {
		a, salt, key, err := parse(phc)
		if err == nil && (a.memory > 256*1024 || a.time > 16 || len(salt) < 8 || len(key) < 16) {
			t.Fatalf("%q was accepted as %+v", phc, a)
		}
	})
}
