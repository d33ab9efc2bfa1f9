package stage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/need"
	"github.com/signalbox/signalbox/agents/protocol"
)

func content(size int) ([]byte, need.Blob) {
	raw := make([]byte, size)
	r := rand.New(rand.NewPCG(uint64(size), 7))
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	sum := sha256.Sum256(raw)
	return raw, need.Blob{SHA256: hex.EncodeToString(sum[:]), Size: int64(size), For: "thing"}
}

// setup gives a stager whose portal is handler.
func setup(t *testing.T, handler http.HandlerFunc) *Stager {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return &Stager{Dir: t.TempDir(), Now: time.Now, Progress: func(protocol.Progress) {}, Get: func(ctx context.Context, path string, h http.Header) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
		if err != nil {
			return nil, err
		}
		r.Header = h
		return s.Client().Do(r)
	}}
}

func serve(raw []byte, b need.Blob) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+b.SHA256+`"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(raw)))
	}
}

func check(t *testing.T, s *Stager, raw []byte, b need.Blob) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(s.Dir, b.SHA256))
	if err != nil || string(got) != string(raw) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, b.SHA256+".part")); err == nil {
		t.Error("the unfinished file is still there")
	}
}

// The server breaks every connection off, at each offset once.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	raw, b := content(40_000)
	for _, every := range []int{1, 997, 32 << 10, 39_999} {
		var requests atomic.Int64
		s := setup(t, func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			from := 0
			if h := r.Header.Get("Range"); h != "" {
				if _, err := fmt.Sscanf(h, "bytes=%d-", &from); err != nil || r.Header.Get("If-Range") != `"`+b.SHA256+`"` {
					t.Errorf("range %q, if-range %q", h, r.Header.Get("If-Range"))
				}
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(raw)-1, len(raw)))
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(raw)-from))
			if from > 0 {
				w.WriteHeader(http.StatusPartialContent)
			}
			cut := every
			if every == 1 && from > 20 {
				cut = len(raw) // a thousand requests are not better than twenty
			}
			if _, err := w.Write(raw[from:min(from+cut, len(raw))]); err != nil {
				return
			}
		})
		if err := s.Fetch(context.Background(), []need.Blob{b}, protocol.Staging{}); err != nil {
			t.Errorf("cut every %d: %v", every, err)
			continue
		}
		check(t, s, raw, b)
		if every == 997 && requests.Load() != 41 {
			t.Errorf("%d requests", requests.Load())
		}
	}
}

func TestAnswersThatAreNotWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	raw, b := content(10_000)
	half := func(s *Stager) {
		if err := os.WriteFile(filepath.Join(s.Dir, b.SHA256+".part"), raw[:5000], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("the whole for a range", func(t *testing.T) {
		s := setup(t, func(w http.ResponseWriter, r *http.Request) { w.Write(raw) })
		half(s)
		if err := s.Fetch(context.Background(), []need.Blob{b}, protocol.Staging{}); err != nil {
			t.Fatal(err)
		}
		check(t, s, raw, b)
	})
	t.Run("another range", func(t *testing.T) {
		s := setup(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-4999/10000")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(raw[:5000])
		})
		half(s)
		if err := s.Fetch(context.Background(), []need.Blob{b}, protocol.Staging{}); err == nil || !strings.Contains(err.Error(), "another range") {
			t.Fatal(err)
		}
	})
	t.Run("endless", func(t *testing.T) {
		s := setup(t, func(w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 8192)); err != nil {
					return
				}
			}
		})
		err := s.Fetch(context.Background(), []need.Blob{b}, protocol.Staging{})
		if bundle.KindOf(err) != bundle.Integrity {
			t.Error(err)
		}
		entries, err := os.ReadDir(s.Dir)
		if err != nil || len(entries) != 0 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	})
	t.Run("an older part that is too long", func(t *testing.T) {
		s := setup(t, serve(raw, b))
		if err := os.WriteFile(filepath.Join(s.Dir, b.SHA256+".part"), make([]byte, 20_000), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := s.Fetch(context.Background(), []need.Blob{b}, protocol.Staging{}); err != nil {
			t.Fatal(err)
		}
		check(t, s, raw, b)
	})
	t.Run("absent", func(t *testing.T) {
		s := setup(t, http.NotFound)
		if err := s.Fetch(context.Background(), []need.Blob{b}, protocol.Staging{}); bundle.KindOf(err) != bundle.Incomplete {
			t.Error(err)
		}
	})
	t.Run("busy", func(t *testing.T) {
		s := setup(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		var status *StatusError
		if err := s.Fetch(context.Background(), []need.Blob{b}, protocol.Staging{}); !errors.As(err, &status) || status.After != 7*time.Second {
			t.Error(err)
		}
	})
}

// A whole file that is wrong is fetched three times; a short one is never wrong.
func TestWrongContent(t *testing.T) {
	t.Parallel()
	raw, b := content(5000)
	bad := append([]byte{raw[0] ^ 1}, raw[1:]...)
	var requests atomic.Int64
	s := setup(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) <= 2 {
			w.Write(bad)
			return
		}
		serve(raw, b)(w, r)
	})
	if err := s.Fetch(context.Background(), []need.Blob{b}, protocol.Staging{}); err != nil {
		t.Fatal(err)
	}
	check(t, s, raw, b)
	requests.Store(0)
	s = setup(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); w.Write(bad) })
	if err := s.Fetch(context.Background(), []need.Blob{b}, protocol.Staging{}); bundle.KindOf(err) != bundle.Integrity || requests.Load() != tries {
		t.Errorf("%d requests, %v", requests.Load(), err)
	}
	s = setup(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Length", "5000")
		w.Write(bad[:4000])
	})
	if err := s.Fetch(context.Background(), []need.Blob{b}, protocol.Staging{}); bundle.KindOf(err) == bundle.Integrity || err == nil {
		t.Error(err)
	}
}

func TestSlowSource(t *testing.T) {
	t.Parallel()
	_, b := content(5000)
	s := setup(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("x"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	s.Patience = 100 * time.Millisecond
	if err := s.Fetch(context.Background(), []need.Blob{b}, protocol.Staging{}); !errors.Is(err, ErrSlow) {
		t.Error(err)
	}
}

// The limiter's own arithmetic is trusted; that every byte passes it is not.
func TestCap(t *testing.T) {
	t.Parallel()
	raw, b := content(300 << 10)
	s := setup(t, serve(raw, b))
	begun := time.Now()
	if err := s.Fetch(context.Background(), []need.Blob{b}, protocol.Staging{Kbps: 400}); err != nil {
		t.Fatal(err)
	}
	// 300 KiB at 400 KiB/s with an empty bucket; slower is allowed to be as slow as the machine is.
	if took := time.Since(begun); took < 700*time.Millisecond {
		t.Errorf("took only %s", took)
	}
	check(t, s, raw, b)
}

func TestHours(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	later, night := at.Add(time.Hour), protocol.Span{From: at.Add(8 * time.Hour), To: at.Add(18 * time.Hour)}
	past := protocol.Span{From: at.Add(-8 * time.Hour), To: at.Add(-time.Hour)}
	for name, c := range map[string]struct {
		rules protocol.Staging
		ok    bool
		next  *time.Time
	}{
		"always":         {protocol.Staging{}, true, nil},
		"not yet":        {protocol.Staging{NotBefore: &later}, false, &later},
		"at night":       {protocol.Staging{Hours: []protocol.Span{past, night}}, false, &night.From},
		"now":            {protocol.Staging{Hours: []protocol.Span{{From: at, To: later}}}, true, nil},
		"never again":    {protocol.Staging{Hours: []protocol.Span{past}}, false, nil},
		"the end is out": {protocol.Staging{Hours: []protocol.Span{{From: at.Add(-time.Hour), To: at}}}, false, nil},
	} {
		ok, next := Allowed(c.rules, at)
		if ok != c.ok || (next == nil) != (c.next == nil) || next != nil && !next.Equal(*c.next) {
			t.Errorf("%s: %v, %v", name, ok, next)
		}
	}
	raw, b := content(200 << 10)
	s := setup(t, serve(raw, b))
	var calls atomic.Int64
	s.Now = func() time.Time { // the hour ends in the middle
		if calls.Add(1) > 3 {
			return at.Add(2 * time.Hour)
		}
		return at
	}
	rules := protocol.Staging{Hours: []protocol.Span{{From: at, To: later}}}
	if err := s.Fetch(context.Background(), []need.Blob{b}, rules); !errors.Is(err, ErrHours) {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(s.Dir, b.SHA256+".part")); err != nil || info.Size() == 0 {
		t.Errorf("nothing was kept: %v", err)
	}
	s.Now = func() time.Time { return at }
	if err := s.Fetch(context.Background(), []need.Blob{b}, rules); err != nil {
		t.Fatal(err)
	}
	check(t, s, raw, b)
}

func TestProgressAndKeep(t *testing.T) {
	t.Parallel()
	raw, b := content(100_000)
	s := setup(t, serve(raw, b))
	var last protocol.Progress
	s.Progress = func(p protocol.Progress) { last = p }
	other := need.Blob{SHA256: strings.Repeat("0", 64), Size: 3}
	if err := os.WriteFile(filepath.Join(s.Dir, other.SHA256), []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Fetch(context.Background(), []need.Blob{other, b}, protocol.Staging{}); err != nil {
		t.Fatal(err)
	}
	if last.DoneBytes != 100_003 || last.TotalBytes != 100_003 || last.Step != "thing" {
		t.Errorf("%+v", last)
	}
	if err := s.Keep([]need.Blob{b}); err != nil || len(s.Missing([]need.Blob{b, other})) != 1 {
		t.Error(err)
	}
}
