package issues

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

func item(n int) Accepted {
	return Accepted{Project: 1, Team: 2, Key: 3, Received: time.UnixMicro(1_700_000_000_000_000).UTC(), EventID: fmt.Sprintf("%032x", n), ItemType: "event",
		Client: "test/1", Address: "192.0.2.1", Payload: []byte(fmt.Sprintf(`{"n":%d}`, n))}
}

// openTest opens a spool in a folder and starts its writer.
func openTest(t testing.TB, dir string, at int64) *spool {
	t.Helper()
	p, err := openSpool(dir, 1<<30, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.begin(at); err != nil {
		t.Fatal(err)
	}
	go p.write()
	return p
}

// end stops a spool as a clean exit does.
func (p *spool) finish(t testing.TB) {
	t.Helper()
	p.stop()
	p.written.Wait()
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
}

// all reads what lies in the spool from a place on.
func (p *spool) all(t testing.TB, at int64) []Accepted {
	t.Helper()
	var list []Accepted
	for {
		batch, next, err := p.read(at)
		if err != nil {
			t.Fatal(err)
		}
		if next == at {
			return list
		}
		list, at = append(list, batch...), next
	}
}

func TestRecordsSurviveTheirEncoding(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]Accepted{
		"plain": item(1),
		"full": {Project: -1, Team: 1 << 60, Key: 0, Received: time.UnixMicro(-5).UTC(), Sent: time.UnixMicro(99).UTC(), Address: "::1", EventID: "x", ItemType: "attachment",
			Header: map[string]string{"a": "b", "": "é\x00"}, Payload: bytes.Repeat([]byte{0, 255}, 1000)},
		"empty": {Received: time.UnixMicro(0).UTC(), Payload: []byte{}},
	} {
		raw := appendRecord([]byte("before"), a)[6:]
		n, err := recordLength(raw)
		if err != nil || n != int64(len(raw)) {
			t.Fatal(name, n, err)
		}
		got, err := readRecord(raw)
		if err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		for _, at := range []int{0, 4, 8, len(raw) - 1} {
			bad := slices.Clone(raw)
			bad[at] ^= 1
			if _, err := readRecord(bad); !errors.Is(err, errTorn) {
				t.Errorf("%s: a flipped bit at %d is not seen", name, at)
			}
		}
	}
}

func TestSpoolKeepsOrderAcrossRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := 0
	for range 3 {
		p := openTest(t, dir, 0)
		for range 50 {
			n++
			if err := p.keep(appendRecord(nil, item(n))); err != nil {
				t.Fatal(err)
			}
		}
		p.finish(t)
		if err := p.keep(appendRecord(nil, item(0))); !problem.Is(err, problem.Unavailable) {
			t.Errorf("after the end: %v", err)
		}
	}
	p := openTest(t, dir, 0)
	defer p.finish(t)
	list := p.all(t, 0)
	if len(list) != n {
		t.Fatalf("%d of %d", len(list), n)
	}
	for i, a := range list {
		if a.EventID != item(i+1).EventID || i > 0 && a.Offset <= list[i-1].Offset {
			t.Fatalf("%d: %+v", i, a)
		}
	}
	// From each place on the rest follows.
	if rest := p.all(t, list[99].Offset); len(rest) != n-100 || rest[0].EventID != list[100].EventID {
		t.Errorf("%d follow", len(rest))
	}
}

func TestOneSyncServesManyRequests(t *testing.T) {
	t.Parallel()
	p, err := openSpool(t.TempDir(), 1<<30, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.begin(0); err != nil {
		t.Fatal(err)
	}
	var syncs atomic.Int64
	gate := make(chan struct{})
	p.sync = func(*os.File) error {
		syncs.Add(1)
		<-gate
		return nil
	}
	go p.write()
	defer p.finish(t)
	var group sync.WaitGroup
	for n := range 200 {
		group.Go(func() {
			if err := p.keep(appendRecord(nil, item(n))); err != nil {
				t.Error(err)
			}
		})
	}
	until(t, "all wait", func() bool { return len(p.in) > 0 && syncs.Load() == 1 && len(p.in) >= 150 })
	close(gate)
	group.Wait()
	if n := syncs.Load(); n > 50 {
		t.Errorf("%d syncs for 200 requests", n)
	}
	if len(p.all(t, 0)) != 200 {
		t.Error("not all are there")
	}
}

func TestTornTail(t *testing.T) {
	t.Parallel()
	whole := appendRecord(nil, item(9))
	for name, tail := range map[string][]byte{"half a record": whole[:len(whole)/2], "half a head": whole[:5], "zeros": make([]byte, 4096),
		"garbage": []byte("garbage garbage"), "a length of gigabytes": {255, 255, 255, 63, 1, 2, 3, 4, 5}, "nothing": nil} {
		dir := t.TempDir()
		p := openTest(t, dir, 0)
		for n := range 10 {
			if err := p.keep(appendRecord(nil, item(n))); err != nil {
				t.Fatal(err)
			}
		}
		p.finish(t)
		f, err := os.OpenFile(p.segments[0].path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		f.Write(tail)
		f.Close()
		for life := range 3 {
			p = openTest(t, dir, 0)
			if err := p.keep(appendRecord(nil, item(100+life))); err != nil {
				t.Fatal(err)
			}
			if list := p.all(t, 0); len(list) != 11+life || list[len(list)-1].EventID != item(100+life).EventID {
				t.Errorf("%s, life %d: %d items", name, life, len(list))
			}
			p.finish(t)
		}
	}
}

func TestDamageInTheMiddleCostsOneFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for life := range 2 {
		p := openTest(t, dir, 0)
		for n := range 10 {
			if err := p.keep(appendRecord(nil, item(10*life+n))); err != nil {
				t.Fatal(err)
			}
		}
		p.finish(t)
	}
	p := openTest(t, dir, 0)
	defer p.finish(t)
	raw, err := os.ReadFile(p.segments[0].path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 255
	if err := os.WriteFile(p.segments[0].path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	list := p.all(t, 0)
	if len(list) < 13 || len(list) > 16 || list[len(list)-1].EventID != item(19).EventID {
		t.Errorf("%d items", len(list))
	}
}

func TestFullSpoolTellsSendersToComeBack(t *testing.T) {
	t.Parallel()
	p := openTest(t, t.TempDir(), 0)
	defer p.finish(t)
	p.max = 10_000
	raw := appendRecord(nil, Accepted{Payload: make([]byte, 3000)})
	for range 3 {
		if err := p.keep(raw); err != nil {
			t.Fatal(err)
		}
	}
	err := p.keep(raw)
	if !problem.Is(err, problem.Unavailable) || problem.From(err).RetryAfter == 0 {
		t.Fatal(err)
	}
	p.advance(p.all(t, 0)[1].Offset)
	if err := p.keep(raw); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// TestFailedSync: nobody is told that it is safe, and what comes after is.
func TestFailedSync(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]error{"full": syscall.ENOSPC, "broken": syscall.EIO} {
		dir := t.TempDir()
		p, err := openSpool(dir, 1<<30, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.begin(0); err != nil {
			t.Fatal(err)
		}
		var failing atomic.Bool
		p.sync = func(f *os.File) error {
			if failing.Load() {
				return cause
			}
			return f.Sync()
		}
		go p.write()
		kept := 0
		for n := range 30 {
			failing.Store(n%10 >= 5)
			err := p.keep(appendRecord(nil, item(n)))
			switch {
			case failing.Load() && err == nil, !failing.Load() && err != nil:
				t.Fatal(name, n, err)
			case err == nil:
				kept++
			case cause == syscall.ENOSPC && !problem.Is(err, problem.Unavailable):
				t.Error(err)
			}
		}
		check := func(p *spool) {
			list := p.all(t, 0)
			if len(list) != kept {
				t.Errorf("%s: %d of %d", name, len(list), kept)
			}
			for _, a := range list {
				var n int
				if fmt.Sscanf(string(a.Payload), `{"n":%d}`, &n); n%10 >= 5 {
					t.Errorf("%s: item %d was refused and is there", name, n)
				}
			}
		}
		check(p)
		failing.Store(false)
		p.finish(t)
		p = openTest(t, dir, 0)
		check(p)
		p.finish(t)
	}
}

func TestDigestedFilesGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var at int64
	for life := range 4 { // each life begins a file
		p := openTest(t, dir, at)
		for n := range 5 {
			if err := p.keep(appendRecord(nil, item(5*life+n))); err != nil {
				t.Fatal(err)
			}
		}
		at = p.all(t, at)[3].Offset // the last one stays
		p.advance(at)
		p.finish(t)
	}
	left, err := segmentsIn(dir)
	if err != nil || len(left) != 1 {
		t.Fatalf("%d files, %v", len(left), err)
	}
	p := openTest(t, dir, at)
	defer p.finish(t)
	if list := p.all(t, at); len(list) != 4 || list[3].EventID != item(19).EventID {
		t.Errorf("%d items", len(list))
	}
	// A database older than the spool: what is there is digested again.
	old := openTest(t, dir, 0)
	defer old.finish(t)
	if list := old.all(t, 0); len(list) < 4 {
		t.Errorf("%d items", len(list))
	}
}

// TestPositionBeyondTheFiles: the data folder was lost, the database was not.
func TestPositionBeyondTheFiles(t *testing.T) {
	t.Parallel()
	p := openTest(t, t.TempDir(), 1_000_000)
	defer p.finish(t)
	if err := p.keep(appendRecord(nil, item(1))); err != nil {
		t.Fatal(err)
	}
	if list := p.all(t, 1_000_000); len(list) != 1 || list[0].Offset <= 1_000_000 {
		t.Errorf("%+v", list)
	}
}

func TestPoisonIsPutAside(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	hold := make(chan struct{})
	var once sync.Once
	c.fail = func(batch []Accepted) error {
		once.Do(func() { <-hold }) // so that the others come as one batch
		for _, a := range batch {
			switch {
			case strings.Contains(string(a.Payload), "panics"):
				panic("ouch")
			case strings.Contains(string(a.Payload), "poison"):
				return errors.New("this cannot be digested")
			}
		}
		return nil
	}
	w.run(t)
	p, k := w.newProject(t, "shop")
	const n = 150
	for i := range n {
		message := "fine"
		switch i {
		case 40:
			message = "poison"
		case 99:
			message = "panics"
		}
		if a := w.send(k, event(newID(), message)); a.Code != 200 {
			t.Fatal(status(a))
		}
	}
	close(hold)
	list := c.await(t, n-2)
	until(t, "the spool is empty", func() bool { d, e := w.spool.state(); return d == e })
	if !slices.IsSortedFunc(list, func(a, b Accepted) int { return int(a.Offset - b.Offset) }) || len(list) != n-2 {
		t.Errorf("%d items, or not in order", len(list))
	}
	rejected, err := w.rejectedOf(t.Context(), p.ID, 10)
	if err != nil || len(rejected) != 2 || rejected[1].Reason != "this cannot be digested" || rejected[0].Reason != "panic: ouch" {
		t.Errorf("%+v %v", rejected, err)
	}
	if out := w.outcome(t, p.ID); out["invalid/digestion/error"] != 2 || out["accepted//error"] != n {
		t.Errorf("%v", out)
	}
}

func TestDigestionWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	var tries atomic.Int64
	c.fail = func([]Accepted) error {
		if tries.Add(1) < 4 {
			return problem.New(problem.Unavailable, "The server's disk is full.")
		}
		return nil
	}
	w.run(t)
	p, k := w.newProject(t, "shop")
	if a := w.send(k, event(newID(), "x")); a.Code != 200 {
		t.Fatal(status(a))
	}
	c.await(t, 1)
	if rejected, err := w.rejectedOf(t.Context(), p.ID, 10); err != nil || len(rejected) != 0 || tries.Load() != 4 {
		t.Errorf("%d tries, %+v %v", tries.Load(), rejected, err)
	}
}

// TestRestartGoesOn: what one life accepted and did not digest, the next one does, once.
func TestRestartGoesOn(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	first := collect(w.Service)
	first.fail = func([]Accepted) error { return problem.New(problem.Unavailable, "Not now.") }
	w.run(t)
	p, k := w.newProject(t, "shop")
	ids := map[string]bool{}
	for range 300 {
		id := newID()
		if a := w.send(k, event(id, "x")); a.Code != 200 {
			t.Fatal(status(a))
		}
		ids[id] = true
	}
	w.Stop(t.Context())
	w.Service = w.service(t)
	second := collect(w.Service)
	w.run(t)
	list := second.await(t, 300)
	if len(list) != 300 || len(first.list()) != 0 {
		t.Errorf("%d and %d", len(list), len(first.list()))
	}
	for _, a := range list {
		if !ids[a.EventID] || a.Project != p.ID {
			t.Errorf("%+v", a)
		}
		delete(ids, a.EventID)
	}
	for _, n := range second.batches {
		if n > batchItems {
			t.Errorf("a batch of %d", n)
		}
	}
	w.Stop(t.Context())
	w.Service = w.service(t)
	third := collect(w.Service)
	w.run(t)
	if a := w.send(k, event(newID(), "last")); a.Code != 200 {
		t.Fatal(status(a))
	}
	if list := third.await(t, 1); len(list) != 1 {
		t.Errorf("digested again: %d", len(list))
	}
}

func TestItemsOfADeletedProjectAreDropped(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	var closed atomic.Bool
	closed.Store(true)
	c.fail = func([]Accepted) error {
		if closed.Load() {
			return problem.New(problem.Unavailable, "Not now.")
		}
		return nil
	}
	w.run(t)
	gone, k := w.newProject(t, "gone")
	_, other := w.newProject(t, "other")
	for range 20 {
		for _, key := range []Key{k, other} {
			if a := w.send(key, event(newID(), "x")); a.Code != 200 {
				t.Fatal(status(a))
			}
		}
	}
	// The first batch is on its way already; what is read after the deletion is dropped.
	w.call(t, "DELETE", fmt.Sprintf("/api/v1/issues/projects/%d", gone.ID), nil, 204, nil)
	until(t, "the key is refused", func() bool { return w.send(k, event(newID(), "x")).Code == 403 })
	closed.Store(false)
	until(t, "the spool is empty", func() bool { d, e := w.spool.state(); return d == e })
	n := 0
	for _, a := range c.list() {
		if a.Project == other.Project {
			n++
		}
	}
	if n != 20 {
		t.Errorf("%d of the other project", n)
	}
}

func FuzzSpool(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendRecord(appendRecord(nil, item(1)), item(2)))
	f.Add(appendRecord(nil, Accepted{Header: map[string]string{"a": "b"}, Payload: []byte("x")}))
	f.Add(appendRecord(nil, item(1))[:20])
	f.Add([]byte{255, 255, 255, 63, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		whole, err := wholeRecords(bytes.NewReader(raw), -1)
		if err != nil || whole > int64(len(raw)) {
			t.Fatal(whole, err)
		}
		// What is whole stays whole when more follows, and reads the same.
		again, err := wholeRecords(bytes.NewReader(raw[:whole]), -1)
		if err != nil || again != whole {
			t.Fatal(again, whole, err)
		}
		for at := int64(0); at < whole; {
			n, err := recordLength(raw[at:])
			if err != nil {
				t.Fatal(err)
			}
			a, err := readRecord(raw[at : at+n])
			if err != nil {
				t.Fatal(err)
			}
			back, err := readRecord(appendRecord(nil, a))
			if err != nil || back.EventID != a.EventID || !bytes.Equal(back.Payload, a.Payload) || len(back.Header) != len(a.Header) {
				t.Fatal(err)
			}
			at += n
		}
		// Bytes with a right checksum may still be no item.
		if len(raw) > 0 && len(raw) < 1<<16 {
			_, _ = readRecord(appendChecked(raw))
		}
	})
}

// appendChecked makes a record of any body.
func appendChecked(body []byte) []byte {
	a := appendRecord(nil, Accepted{Payload: body})
	raw := append(a[:recordHead:recordHead], body...)
	raw[0], raw[1], raw[2], raw[3] = byte(len(body)), byte(len(body)>>8), 0, 0
	sum := checksum(raw[:4], body)
	raw[4], raw[5], raw[6], raw[7] = byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)
	return raw
}
