package protocol

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func TestSignature(t *testing.T) {
	t.Parallel()
	body := []byte(`{"state":"idle"}`)
	for _, c := range []struct {
		name   string
		change func(r *http.Request, body *[]byte, now *time.Time)
		want   error
	}{
		{"as it was sent", func(*http.Request, *[]byte, *time.Time) {}, nil},
		{"another method", func(r *http.Request, _ *[]byte, _ *time.Time) { r.Method = "PUT" }, ErrSignature},
		{"another path", func(r *http.Request, _ *[]byte, _ *time.Time) { r.URL.Path = "/edge/v1/rotate" }, ErrSignature},
		{"another query", func(r *http.Request, _ *[]byte, _ *time.Time) { r.URL.RawQuery = "a=2" }, ErrSignature},
		{"another body", func(_ *http.Request, b *[]byte, _ *time.Time) { *b = []byte(`{}`) }, ErrSignature},
		{"another number", func(r *http.Request, _ *[]byte, _ *time.Time) { r.Header.Set(HeaderSeq, "8") }, ErrSignature},
		{"another time", func(r *http.Request, _ *[]byte, _ *time.Time) { r.Header.Set(HeaderTime, "8") }, ErrSignature},
		{"no signature", func(r *http.Request, _ *[]byte, _ *time.Time) { r.Header.Del(HeaderSignature) }, ErrUnsigned},
		{"number zero", func(r *http.Request, _ *[]byte, _ *time.Time) { r.Header.Set(HeaderSeq, "0") }, ErrUnsigned},
		{"23 hours off", func(_ *http.Request, _ *[]byte, now *time.Time) { *now = now.Add(-23 * time.Hour) }, nil},
		{"two days off", func(_ *http.Request, _ *[]byte, now *time.Time) { *now = now.Add(48 * time.Hour) }, ErrClock},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), "POST", "https://portal/edge/v1/checkin?a=1", bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			sent, now := body, start
			Sign(r, sent, "node-1", key(1), now, 7)
			c.change(r, &sent, &now)
			s, err := ReadSignature(r.Header)
			if err == nil {
				if s.Node != "node-1" {
					t.Errorf("node = %q", s.Node)
				}
				err = s.Verify(public(key(1)), r.Method, r.URL.RequestURI(), sha256.Sum256(sent), now)
			}
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	keys := map[string]ed25519.PublicKey{"k": public(key(1))}
	e, err := Seal(Assignment{Node: "n", Rollout: "r", Action: ActionInstall, Windows: []Span{{start, start.Add(time.Hour)}}}, "k", key(1))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back Envelope
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	a, err := back.Open(keys)
	if err != nil || a.Node != "n" || !a.Windows[0].Contains(start) || a.Windows[0].Contains(start.Add(time.Hour)) {
		t.Errorf("opened %+v, %v", a, err)
	}
	back.Payload[2] ^= 1
	if _, err := back.Open(keys); !errors.Is(err, ErrEnvelope) {
		t.Errorf("changed: %v", err)
	}
	foreign, _ := Seal(Assignment{}, "k", key(2)) // marshals
	if _, err := foreign.Open(keys); !errors.Is(err, ErrEnvelope) {
		t.Errorf("of a foreign key: %v", err)
	}
	bare := &Envelope{Payload: []byte("{}"), KeyID: "k", Signature: ed25519.Sign(key(1), []byte("{}"))}
	if _, err := bare.Open(keys); !errors.Is(err, ErrEnvelope) {
		t.Errorf("signed for something else: %v", err)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	old, next := key(1), key(2)
	proof := RotationProof("n", public(old), next)
	if !VerifyRotation("n", public(old), public(next), proof) {
		t.Error("a true proof is refused")
	}
	if VerifyRotation("m", public(old), public(next), proof) || VerifyRotation("n", public(next), public(next), proof) || VerifyRotation("n", public(old), public(old), proof) {
		t.Error("a proof is taken for something else")
	}
	if f := Fingerprint(public(old)); len(f) != 39 || strings.Count(f, ":") != 7 {
		t.Errorf("fingerprint %q", f)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, s := range States() {
		if !s.Valid() || s.Final() && s.Touching() {
			t.Errorf("state %s is odd", s)
		}
	}
	if State("x").Valid() || Exit(13).Valid() || !ExitReboot.Valid() || Exit(99).String() == "" {
		t.Error("unknown words are taken")
	}
	if v := (Machine{OSID: "debian", VersionID: "12", Arch: "amd64"}).Variant(); v != "debian/12/amd64" {
		t.Errorf("variant %q", v)
	}
	// A check-in stays one small message.
	exit := ExitOK
	raw, err := json.Marshal(CheckIn{State: StateStaging, Bundle: "20261121-build-42", Rollout: strings.Repeat("r", 26), Progress: &Progress{1 << 20, 14 << 20, "libssl3"},
		Agent: "1.2.3", RootVersion: 3, TargetsVersion: 41, InventorySHA256: strings.Repeat("a", 64), Clock: start, DiskFree: 1 << 34, BootID: strings.Repeat("b", 36), LastExit: &exit})
	if err != nil || len(raw) > 600 {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
}

func TestInventoryHash(t *testing.T) {
	t.Parallel()
	a := Inventory{Kernel: "6.1"}
	b := Inventory{Kernel: "6.1", UptimeSeconds: 5, Packages: []Package{}, Held: []string{}}
	if a.Hash() != b.Hash() || len(a.Hash()) != 64 {
		t.Error("the uptime or an empty list changes the hash")
	}
	b.Packages = []Package{{Name: "a", Version: "1", Arch: "all"}}
	if a.Hash() == b.Hash() {
		t.Error("packages do not count")
	}
}

func FuzzReadSignature(f *testing.F) {
	f.Add("n", "1", "2", "AAAA")
	f.Fuzz(func(t *testing.T, node, at, seq, sig string) {
		h := http.Header{}
		for name, value := range map[string]string{HeaderNode: node, HeaderTime: at, HeaderSeq: seq, HeaderSignature: sig} {
			h.Set(name, value)
		}
		s, err := ReadSignature(h)
		if err == nil && (s.Seq <= 0 || s.Verify(public(key(1)), "GET", "/", sha256.Sum256(nil), start) == nil) {
			t.Error("taken")
		}
	})
}
