package portal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

// door is a portal that checks signatures and then does as the test says.
type door struct {
	t    *testing.T
	mu   sync.Mutex
	key  ed25519.PublicKey
	seqs []int64
	now  time.Time
	then http.HandlerFunc
	seen int64
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	s, err2 := protocol.ReadSignature(r.Header)
	if err != nil || err2 != nil {
		d.t.Errorf("%v, %v", err, err2)
		return
	}
	w.Header().Set(protocol.HeaderTime, fmt.Sprint(d.now.UnixMilli()))
	if err := s.Verify(d.key, r.Method, r.RequestURI, sha256.Sum256(body), d.now); err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.Seq <= d.seen {
		w.Header().Set(protocol.HeaderLastSeq, fmt.Sprint(d.seen))
		w.WriteHeader(http.StatusConflict)
		return
	}
	d.seen = s.Seq
	d.seqs = append(d.seqs, s.Seq)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	d.then(w, r)
}

func (d *door) public() ed25519.PublicKey {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.key
}

func setup(t *testing.T) (*Client, *door, string) {
	t.Helper()
	d := &door{t: t, now: time.Now(), then: func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"state":"accepted","next_in_seconds":7}`)
	}}
	s := httptest.NewServer(d)
	t.Cleanup(s.Close)
	dir := t.TempDir()
	return client(t, d, dir, s.URL), d, dir
}

func client(t *testing.T, d *door, dir, url string) *Client {
	t.Helper()
	c, err := New(dir, Identity{URL: url + "/", Node: "n1"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	d.key = c.key.Public().(ed25519.PublicKey)
	return c
}

func TestNumbersNeverRepeat(t *testing.T) {
	t.Parallel()
	c, d, dir := setup(t)
	for range 3 {
		if out, err := c.CheckIn(t.Context(), protocol.CheckIn{}); err != nil || out.NextInSeconds != 7 {
			t.Fatal(out, err)
		}
	}
	again := client(t, d, dir, strings.TrimSuffix(c.id.URL, "/"))
	if _, err := again.CheckIn(t.Context(), protocol.CheckIn{}); err != nil {
		t.Fatal(err)
	}
	d.seen += 1_000_000 // an older image of this node was restored
	if _, err := again.CheckIn(t.Context(), protocol.CheckIn{}); err != nil || d.seqs[len(d.seqs)-1] <= 1_000_000 {
		t.Error(d.seqs, err)
	}
}

// A clock that is years off is noticed by the first answer.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	c, d, _ := setup(t)
	d.now = time.Now().AddDate(3, 0, 0)
	if _, err := c.CheckIn(t.Context(), protocol.CheckIn{}); err != nil {
		t.Fatal(err)
	}
	if c.Offset() < 2*365*24*time.Hour {
		t.Error(c.Offset())
	}
	d.now = time.Now().Add(time.Hour)
	if _, err := c.CheckIn(t.Context(), protocol.CheckIn{}); err != nil || c.Offset() != 0 {
		t.Error(c.Offset(), err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	c, d, _ := setup(t)
	answer := func(status int, header, body string) {
		d.then = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	answer(http.StatusForbidden, "", `{"title":"Forbidden","detail":"This node was revoked."}`)
	_, err := c.CheckIn(t.Context(), protocol.CheckIn{})
	if !Revoked(err) || !strings.Contains(err.Error(), "was revoked") {
		t.Error(err)
	}
	answer(http.StatusServiceUnavailable, "90", "")
	_, err = c.CheckIn(t.Context(), protocol.CheckIn{})
	var r *Refusal
	if !errors.As(err, &r) || r.After != 90*time.Second || Revoked(err) {
		t.Error(err)
	}
	answer(http.StatusNotFound, "", "")
	if _, err = c.Metadata(t.Context(), "2.root.json", 100); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	answer(http.StatusOK, "", strings.Repeat("x", 101))
	if _, err = c.Metadata(t.Context(), "timestamp.json", 100); err == nil || !strings.Contains(err.Error(), "longer than 100") {
		t.Error(err)
	}
	answer(http.StatusOK, "", "no json")
	if _, err = c.Reports(t.Context(), nil); err == nil {
		t.Error("garbage was read")
	}
	answer(http.StatusFound, "", "")
	if _, err = c.CheckIn(t.Context(), protocol.CheckIn{}); err == nil {
		t.Error("a redirect was followed")
	}
}

// The new key counts from the portal's answer on; where the answer was lost, asking again finds out.
func TestRotate(t *testing.T) {
	t.Parallel()
	c, d, dir := setup(t)
	old, lose := d.public(), false
	d.then = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != protocol.PathRotate {
			return
		}
		var in protocol.RotateRequest
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !protocol.VerifyRotation("n1", d.key, in.PublicKey, in.Proof) {
			t.Errorf("%v: the proof does not hold", err)
		}
		d.key = in.PublicKey
		if lose {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, `{"fingerprint":"x"}`)
	}
	fingerprint, err := c.Rotate(t.Context())
	if err != nil || fingerprint != protocol.Fingerprint(d.public()) || d.public().Equal(old) {
		t.Fatal(fingerprint, err)
	}
	if _, err := os.Stat(filepath.Join(dir, newKeyFile)); err == nil {
		t.Error("the new key is there twice")
	}
	d.mu.Lock()
	lose = true
	d.mu.Unlock()
	if _, err := c.Rotate(t.Context()); err == nil {
		t.Fatal("the answer was lost")
	}
	d.mu.Lock()
	lose = false
	d.mu.Unlock()
	if fingerprint, err = c.Rotate(t.Context()); err != nil || fingerprint != protocol.Fingerprint(d.public()) {
		t.Fatal(fingerprint, err)
	}
	if kept, err := Key(dir, nil); err != nil || FingerprintOf(kept) != fingerprint {
		t.Error(err)
	}
}

// `signalbox-agent rotate` is another process: the one that checks in takes the new key by itself.
func TestRotatedElsewhere(t *testing.T) {
	t.Parallel()
	c, d, dir := setup(t)
	checkIn := d.then
	if _, err := c.CheckIn(t.Context(), protocol.CheckIn{}); err != nil {
		t.Fatal(err)
	}
	d.then = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != protocol.PathRotate {
			checkIn(w, r)
			return
		}
		var in protocol.RotateRequest
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		d.key = in.PublicKey
		io.WriteString(w, `{"fingerprint":"x"}`)
	}
	other, err := New(dir, c.id, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // old key, then a number that the other process has passed, then well
		if out, err := c.CheckIn(t.Context(), protocol.CheckIn{}); err != nil || out.NextInSeconds != 7 {
			t.Fatal(out, err)
		}
	}
	d.mu.Lock()
	d.key = make([]byte, ed25519.PublicKeySize)
	before := len(d.seqs)
	d.mu.Unlock()
	if _, err := c.CheckIn(t.Context(), protocol.CheckIn{}); !Unauthorized(err) || len(d.seqs) != before {
		t.Error(err)
	}
}

// What root writes into the network half's folder stays that half's.
func TestFolderKeepsItsOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("giving files away needs root")
		return
	}
	c, _, dir := setup(t)
	if err := os.Chown(dir, 4711, 4711); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CheckIn(t.Context(), protocol.CheckIn{}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "seq"))
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != 4711 {
		t.Error(info, err)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := ReadIdentity(dir); !errors.Is(err, ErrNotEnrolled) {
		t.Error(err)
	}
	id := Identity{URL: "https://portal", Node: "n1", Name: "till-7", Interval: 300}
	if err := id.Write(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadIdentity(dir); err != nil || got != id {
		t.Error(got, err)
	}
	if err := os.WriteFile(filepath.Join(dir, keyFile), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(dir, id, time.Now); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Error(err)
	}
	if _, err := New(t.TempDir(), Identity{CA: "no certificate"}, time.Now); err == nil {
		t.Error("a certificate authority that is none")
	}
}
