package github

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestSignedVector(t *testing.T) {
	t.Parallel()
	// GitHub's published test vector.
	const header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	secret, body := []byte("It's a Secret to Everybody"), []byte("Hello, World!")
	if !Signed(header, body, secret) || !Signed(header, body, []byte("other"), secret) {
		t.Error("the vector does not verify")
	}
	for _, c := range []struct {
		header  string
		body    string
		secrets [][]byte
	}{
		{header, "Hello, World?", [][]byte{secret}}, {header, "Hello, World!", [][]byte{[]byte("other")}}, {header, "Hello, World!", nil},
		{"", "Hello, World!", [][]byte{secret}}, {strings.TrimPrefix(header, "sha256="), "Hello, World!", [][]byte{secret}}, {header[:40], "Hello, World!", [][]byte{secret}},
		{header + "00", "Hello, World!", [][]byte{secret}}, {"sha1=757107ea", "Hello, World!", [][]byte{secret}}, {"sha256=zz", "Hello, World!", [][]byte{secret}},
		{sign("", []byte("x")), "x", [][]byte{nil, {}}}, {"sha256=", "x", [][]byte{nil}},
	} {
		if Signed(c.header, []byte(c.body), c.secrets...) {
			t.Errorf("verified: %+v", c)
		}
	}
}

func FuzzSigned(f *testing.F) {
	f.Add("sha256=00", []byte("x"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if Signed(header, body, []byte("a secret that nobody knows: 3f1c")) {
			t.Error("signed by chance")
		}
	})
}

func TestReceive(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	form := url.Values{"payload": {`{"action":"opened","repository":{"full_name":"a/b"},"sender":{"login":"ada"}}`}}.Encode()
	deep := strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000)
	for _, c := range []struct {
		name, guid, event, body string
		change                  func(*http.Request)
		status                  int
		contains                string
	}{
		{"push", "g-1", "push", `{"ref":"refs/heads/main"}`, nil, 202, `"status":"accepted"`},
		{"again", "g-1", "push", `{"ref":"refs/heads/main"}`, nil, 202, `"status":"duplicate"`},
		{"ping", "g-2", "ping", `{"zen":"Keep it logically awesome."}`, nil, 200, `"status":"pong"`},
		{"unknown event", "g-3", "brand_new_thing", `{}`, nil, 202, "accepted"},
		{"form", "g-4", "issues", form, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 202, "accepted"},
		{"charset", "g-5", "push", `{}`, func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }, 202, "accepted"},
		{"wrong signature", "g-6", "push", `{}`, func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign("no", []byte(`{}`))) }, 401, "does not match"},
		{"no signature", "g-6", "push", `{}`, func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, 401, "not signed"},
		{"only the old signature", "g-6", "push", `{}`, func(r *http.Request) {
			r.Header.Del("X-Hub-Signature-256")
			r.Header.Set("X-Hub-Signature", "sha1=00")
		}, 401, ""},
		{"GUID free after refusals", "g-6", "push", `{}`, nil, 202, "accepted"},
		{"unknown hook", "g-7", "push", `{}`, func(r *http.Request) { r.URL.Path = "/hooks/github/" + strings.Repeat("0", 32) }, 404, ""},
		{"malformed hook", "g-7", "push", `{}`, func(r *http.Request) { r.URL.Path = "/hooks/github/x" }, 404, ""},
		{"content type", "g-8", "push", `{}`, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415, "application/json"},
		{"no event", "g-8", "", `{}`, nil, 400, "X-GitHub-Event"},
		{"bad event", "g-8", "Push\n", `{}`, nil, 400, ""},
		{"no GUID", "", "push", `{}`, nil, 400, "X-GitHub-Delivery"},
		{"not JSON", "g-8", "push", `{"ref":`, nil, 400, "not a JSON object"},
		{"array", "g-8", "push", `[1]`, nil, 400, "not a JSON object"},
		{"empty", "g-8", "push", ``, nil, 400, ""},
		{"nested", "g-8", "push", deep, nil, 400, ""},
		{"not UTF-8", "g-8", "push", "{\"a\":\"\xff\"}", nil, 400, "UTF-8"},
		{"form without payload", "g-8", "push", "a=b", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 400, "payload"},
		{"announced too large", "g-8", "push", `{}`, func(r *http.Request) { r.ContentLength = maxBody + 1 }, 413, "25 MB"},
		{"truncated", "g-8", "push", `{}`, func(r *http.Request) { r.ContentLength = 10 }, 400, "shorter"},
		{"GET", "g-8", "push", `{}`, func(r *http.Request) { r.Method = http.MethodGet }, 404, ""},
	} {
		r := request(h, c.guid, c.event, c.body)
		if c.change != nil {
			c.change(r)
		}
		if w := b.do(r); w.Code != c.status || !strings.Contains(w.Body.String(), c.contains) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	list := b.list(t, DeliveryFilter{Verdict: Accepted})
	if len(list) != 6 {
		t.Errorf("%d deliveries are kept", len(list))
	}
	for _, d := range list {
		if d.GUID == "g-4" {
			full, err := b.Delivery(b.as(t.Context()), d.ID)
			if err != nil || d.Action != "opened" || d.Repository != "a/b" || d.Sender != "ada" || !json.Valid(full.Body) || full.Headers["User-Agent"] == "" {
				t.Errorf("%+v %v", full, err)
			}
			if strings.Contains(fmt.Sprint(full.Headers), "sha256=") {
				t.Error("the signature is kept")
			}
		}
	}
	hooks, err := b.Hooks(t.Context(), 1)
	if err != nil || hooks[0].LastDeliveryAt == 0 || hooks[0].LastPingAt == 0 {
		t.Errorf("%+v %v", hooks, err)
	}
}

// endless is a chunked body that never ends by itself.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.read += int64(len(p))
	return len(p), nil
}

func TestUnannouncedBodyIsCut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	body := &endless{}
	r := request(h, "g", "push", "")
	r.Body, r.ContentLength = io.NopCloser(body), -1
	if w := b.do(r); w.Code != http.StatusRequestEntityTooLarge || body.read > maxBody+1<<20 {
		t.Errorf("%d after %d bytes", w.Code, body.read)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	if err := b.memory.Acquire(t.Context(), bodyMemory); err != nil {
		t.Fatal(err)
	}
	if w := b.do(request(h, "g", "push", `{}`)); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("without memory: %d", w.Code)
	}
	b.memory.Release(bodyMemory)
	if w := b.do(request(h, "g", "push", `{}`)); w.Code != http.StatusAccepted {
		t.Errorf("with memory again: %d", w.Code)
	}
}

func TestBigBodyGoesToTheBlobStore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	body := `{"ref":"refs/heads/main","pad":"` + strings.Repeat("x", inlineBody) + `"}`
	for range 2 {
		if w := b.do(request(h, "big", "push", body)); w.Code != http.StatusAccepted {
			t.Fatal(w.Code, w.Body)
		}
	}
	list := b.list(t, DeliveryFilter{})
	row, err := b.findDelivery(t.Context(), list[0].ID)
	if err != nil || row.Blob == "" || row.Body != nil {
		t.Fatalf("blob %q, %d bytes in the row, %v", row.Blob, len(row.Body), err)
	}
	if d, err := b.Delivery(b.as(t.Context()), row.ID); err != nil || string(d.Body) != body {
		t.Errorf("%d bytes, %v", len(d.Body), err)
	}
	if err := b.DeleteHook(b.as(t.Context()), h.ID); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(2 * time.Hour)
	if n, err := b.Blobs.Collect(t.Context()); n != 1 || err != nil {
		t.Errorf("collected %d, %v", n, err)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	status := func(secret, guid string) int {
		return b.do(request(HookSecret{Hook: h.Hook, Secret: secret}, guid, "push", `{}`)).Code
	}
	if got := status(h.Secret, "1"); got != 202 {
		t.Fatal(got)
	}
	next, err := b.RotateHook(b.as(t.Context()), h.ID)
	if err != nil || next.Secret == h.Secret {
		t.Fatal(err)
	}
	until(t, "the new secret is known", func() bool { return status(next.Secret, "2") == 202 })
	if got := status(h.Secret, "3"); got != 202 {
		t.Errorf("the previous secret within its week: %d", got)
	}
	b.clock.advance(previousValid + time.Minute)
	if got := status(h.Secret, "4"); got != 401 {
		t.Errorf("the previous secret after its week: %d", got)
	}
	third, err := b.RotateHook(b.as(t.Context()), h.ID)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the third secret is known", func() bool { return status(third.Secret, "5") == 202 })
	if got := status(h.Secret, "6"); got != 401 {
		t.Errorf("the first secret after two rotations: %d", got)
	}
	if err := b.DeleteHook(b.as(t.Context()), h.ID); err != nil {
		t.Fatal(err)
	}
	until(t, "the hook is forgotten", func() bool { return status(third.Secret, "7") == 404 })
}

func TestRefusalsAreCapped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	bad := func() { b.do(request(HookSecret{Hook: h.Hook, Secret: "wrong"}, "g", "push", `{"secret":"body"}`)) }
	refused := func() []Delivery { return b.list(t, DeliveryFilter{Verdict: Refused, Limit: 200}) }
	bad()
	until(t, "the refusal is shown", func() bool { return len(refused()) == 1 })
	if d := refused()[0]; d.State != None || d.GUID != "" || d.Error == "" || d.Size != 17 || len(d.Body) != 0 {
		t.Errorf("%+v", d)
	}
	for range 20 {
		bad()
	}
	until(t, "the others are counted", func() bool { return len(b.refusals.in) == 0 })
	// From here on run's own maps are ours: it has ended.
	b.Stop()
	if list := refused(); len(list) != 1 || list[0].Repeats != 21 {
		t.Errorf("%d rows, %d repeats", len(list), list[0].Repeats)
	}
	for range keepRefused + 5 {
		b.clock.advance(refusalPause + time.Second)
		b.refusals.take(t.Context(), openHook{id: h.ID, team: 1}.refused(http.Header{}, "", 0, b.Now(), "no"))
	}
	if n := len(refused()); n != keepRefused {
		t.Errorf("%d refused rows are kept", n)
	}
	if w := b.do(request(h, "late", "push", `{}`)); w.Code != http.StatusServiceUnavailable {
		t.Errorf("after Stop: %d", w.Code)
	}
}

func TestManyAtOnceAreStoredOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	for i := range 200 {
		group.Go(func() {
			w := b.do(request(h, fmt.Sprintf("g-%d", i%100), "push", `{}`))
			var r receipt
			if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != 202 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			mu.Lock()
			got[r.Status]++
			mu.Unlock()
		})
	}
	group.Wait()
	if got["accepted"] != 100 || got["duplicate"] != 100 || len(b.list(t, DeliveryFilter{Limit: 200})) != 100 {
		t.Error(got)
	}
}

func TestOneBadRowSpoilsOnlyItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	guid, other := "a", "b"
	good := &arrival{row: deliveryRow{ID: "1", TeamID: 1, HookID: h.ID, GUID: &guid, Verdict: "accepted", State: "waiting", Headers: "{}"}, done: make(chan struct{})}
	bad := &arrival{row: deliveryRow{ID: "2", TeamID: 1, HookID: "gone", GUID: &other, Verdict: "accepted", State: "waiting", Headers: "{}"}, done: make(chan struct{})}
	b.Stop() // the writer is ours now
	b.spool.write(t.Context(), []*arrival{good, bad})
	if good.err != nil || bad.err == nil || len(b.list(t, DeliveryFilter{})) != 1 {
		t.Errorf("%v %v", good.err, bad.err)
	}
}

func BenchmarkReceive(b *testing.B) {
	s := setup(b)
	h := s.newHook(b)
	body := `{"ref":"refs/heads/main","pad":"` + strings.Repeat("x", 8000) + `"}`
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if w := s.do(request(h, randomHex(16), "push", body)); w.Code != 202 {
				b.Error(w.Code, w.Body)
			}
		}
	})
}
