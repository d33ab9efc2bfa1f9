package app_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// attachedEvent is a compressed envelope: an event and a large attachment that
// no other event has.
func attachedEvent(t testing.TB, id string, size int) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(z, "{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"message\":\"with a dump\",\"platform\":\"native\"}\n{\"type\":\"attachment\",\"length\":%d,\"filename\":\"dump.bin\"}\n", id, size)
	block := bytes.Repeat([]byte(id), 512)
	for left := size; left > 0; left -= len(block) {
		z.Write(block[:min(left, len(block))]) // to memory
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestLargeAttachmentsCostBoundedMemory: several clients send attachments of 50
// MB at once. Those for which there is no room are told to come back; all that
// are acknowledged are kept whole.
func TestLargeAttachmentsCostBoundedMemory(t *testing.T) {
	t.Parallel()
	const size = 50 << 20
	clients, bound := 3, 600 // bodies have 128 MB together, which a collector doubles
	if soak {
		clients = 12
	}
	p := launch(t)
	project := p.errorProject(t, "main", "Shop")
	url := fmt.Sprintf("%s/api/%d/envelope/?sentry_key=%s", p.url, project.ID, project.Key)
	var group sync.WaitGroup
	var waited atomic.Int64
	ids := make([]string, clients)
	for c := range clients {
		ids[c] = newGUID()
		body := attachedEvent(t, ids[c], size)
		group.Go(func() {
			for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Content-Encoding", "gzip")
				answer, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				said, err := io.ReadAll(answer.Body)
				answer.Body.Close()
				switch {
				case err != nil:
					t.Error(err)
					return
				case answer.StatusCode == http.StatusOK:
					return
				case answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "":
					t.Errorf("%d %s", answer.StatusCode, said)
					return
				}
				waited.Add(1)
			}
			t.Error("there never was room")
		})
	}
	group.Wait()
	for _, id := range ids {
		var shown struct{ Attachments []struct{ ID, Size int64 } }
		found := "/api/v1/issues/events/" + id + "?team=main"
		eventually(t, "the attachment of "+id, func() bool {
			if p.status(t, "GET", found) != http.StatusOK {
				return false
			}
			p.call(t, "GET", found, nil, &shown)
			return len(shown.Attachments) == 1 && shown.Attachments[0].Size == size
		})
	}
	peak := p.memory(t, "VmHWM")
	t.Logf("%d attachments, told to wait %d times, %d MB at most", clients, waited.Load(), peak)
	if peak > bound {
		t.Errorf("%d MB of memory for %d attachments of %d MB", peak, clients, size>>20)
	}
}

// TestManyFingerprintsCostBoundedMemory: every event is an error of its own.
func TestManyFingerprintsCostBoundedMemory(t *testing.T) {
	t.Parallel()
	each, clients := 200, 4
	if soak {
		each = 2500
	}
	p := launch(t)
	project := p.errorProject(t, "main", "Shop")
	url := fmt.Sprintf("%s/api/%d/envelope/?sentry_key=%s", p.url, project.ID, project.Key)
	var group sync.WaitGroup
	for c := range clients {
		group.Go(func() {
			for n := range each {
				body := fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\"}\n{\"message\":\"m\",\"fingerprint\":[\"%d-%d\"]}\n", newGUID(), c, n)
				answer, err := http.Post(url, "text/plain", bytes.NewReader([]byte(body)))
				if err != nil {
					t.Error(err)
					return
				}
				answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
					t.Error(answer.StatusCode)
					return
				}
			}
		})
	}
	group.Wait()
	eventually(t, "all to be digested", func() bool { _, waiting := p.acceptedCount(t, project); return waiting == 0 })
	resident := p.memory(t, "VmRSS")
	t.Logf("%d MB after %d issues", resident, each*clients)
	if resident > 200 {
		t.Errorf("%d MB for %d issues", resident, each*clients)
	}
}
