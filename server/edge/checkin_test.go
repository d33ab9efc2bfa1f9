package edge

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

func TestCheckIn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.node(t, "edge-1")
	exit := protocol.ExitHealthFailed
	answer, status := a.checkIn(t, protocol.CheckIn{State: protocol.StateStaging, Bundle: "b-1", Rollout: "r-1", Progress: &protocol.Progress{DoneBytes: 5, TotalBytes: 10, Step: "libssl3"},
		Agent: "1.1.0", RootVersion: 2, TargetsVersion: 7, Clock: noon.Add(-time.Hour), DiskFree: 1 << 30, BootID: "c", LastExit: &exit, Quarantined: []string{"b-0"}})
	if status != 200 || answer.State != protocol.NodeAccepted || answer.NextInSeconds < 240 || answer.NextInSeconds > 360 || !answer.Time.Equal(noon) {
		t.Fatal(status, answer)
	}
	n := a.row(t)
	if n.AgentState != protocol.StateStaging || n.Bundle != "b-1" || n.Rollout != "r-1" || n.DoneBytes != 5 || n.Step != "libssl3" || n.Agent != "1.1.0" || n.RootVersion != 2 || n.TargetsVersion != 7 ||
		n.ClockSkew != -3600_000 || n.DiskFree != 1<<30 || n.BootID != "c" || *n.LastExit != exit || !slices.Equal(n.Quarantined, []string{"b-0"}) || int64(n.SeenAt) != noon.UnixMilli() || n.seq != a.seq {
		t.Errorf("%+v", n)
	}
	if answer, _ := a.checkIn(t, protocol.CheckIn{State: protocol.StateInstalling}); answer.NextInSeconds > 36 {
		t.Errorf("while installing it comes in %d s", answer.NextInSeconds)
	}
	for name, in := range map[string]string{
		"no state": `{}`, "an unknown state": `{"state":"dancing"}`, "an unknown exit": `{"state":"idle","last_exit":77}`, "control characters": `{"state":"idle","bundle":"a\u0007"}`,
		"too much in quarantine": `{"state":"idle","quarantined":[` + strings.Repeat(`"a",`, 60) + `"a"]}`, "no JSON": `{`, "no UTF-8": "{\"state\":\"\xff\"}",
	} {
		if out := a.do("POST", protocol.PathCheckIn, []byte(in)); out.Code != 400 {
			t.Errorf("%s: %d", name, out.Code)
		}
	}
	if out := a.do("POST", protocol.PathCheckIn, []byte(`{"state":"idle","of_a_newer_agent":1}`)); out.Code != 200 {
		t.Errorf("unknown field: %d %s", out.Code, out.Body)
	}
	if out := a.do("POST", protocol.PathCheckIn, []byte(`{"state":"`+strings.Repeat("a", protocol.MaxMessage)+`"}`)); out.Code != 413 {
		t.Errorf("too large: %d", out.Code)
	}
}

func TestWhoseRequestItIs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a, b := w.node(t, "edge-1"), w.node(t, "edge-2")
	body := []byte(`{"state":"idle"}`)
	post := func(change func(*http.Request)) *httptest.ResponseRecorder {
		a.seq++
		r := httptest.NewRequest("POST", protocol.PathCheckIn, strings.NewReader(string(body)))
		protocol.Sign(r, body, a.id, a.key, w.clock.now(), a.seq)
		change(r)
		out := httptest.NewRecorder()
		w.engine.ServeHTTP(out, r)
		return out
	}
	for name, change := range map[string]func(*http.Request){
		"another node's name": func(r *http.Request) { r.Header.Set(protocol.HeaderNode, b.id) },
		"no node":             func(r *http.Request) { r.Header.Del(protocol.HeaderNode) },
		"an unknown node":     func(r *http.Request) { r.Header.Set(protocol.HeaderNode, "nobody") },
		"another number":      func(r *http.Request) { r.Header.Set(protocol.HeaderSeq, "99") },
		"no signature":        func(r *http.Request) { r.Header.Del(protocol.HeaderSignature) },
		"another's signature": func(r *http.Request) { protocol.Sign(r, body, a.id, b.key, w.clock.now(), a.seq) },
		"a clock two days off": func(r *http.Request) {
			protocol.Sign(r, body, a.id, a.key, w.clock.now().Add(48*time.Hour), a.seq)
		},
	} {
		out := post(change)
		if out.Code != 401 || out.Header().Get(protocol.HeaderTime) == "" {
			t.Errorf("%s: %d %v", name, out.Code, out.Header())
		}
	}
	if out := post(func(r *http.Request) {
		protocol.Sign(r, body, a.id, a.key, w.clock.now().Add(-20*time.Hour), a.seq)
	}); out.Code != 200 {
		t.Errorf("a clock 20 hours off: %d", out.Code)
	}
}

func TestNumbersAreUsedOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.node(t, "edge-1")
	body := []byte(`{"state":"idle"}`)
	at := func(seq int64) int { return a.doAs(seq, "POST", protocol.PathCheckIn, body).Code }
	// Parallel requests overtake each other.
	for seq, want := range map[int64]int{100: 200} {
		if got := at(seq); got != want {
			t.Fatal(got)
		}
	}
	for _, c := range []struct {
		seq  int64
		want int
	}{{100, 409}, {99, 200}, {99, 409}, {37, 200}, {36, 409}, {101, 200}, {37, 409}, {38, 200}, {1000, 200}, {936, 409}, {937, 200}} {
		if got := at(c.seq); got != c.want {
			t.Errorf("%d: %d, want %d", c.seq, got, c.want)
		}
	}
	out := a.doAs(5, "POST", protocol.PathCheckIn, body)
	if out.Code != 409 || out.Header().Get(protocol.HeaderLastSeq) != "1000" {
		t.Errorf("%d %v", out.Code, out.Header())
	}
	if n := a.row(t); n.Doubled != 6 || n.DoubledAt == 0 || n.seq != 1000 {
		t.Errorf("%d times at %d, %d", n.Doubled, n.DoubledAt, n.seq)
	}
	doubled := 0
	for _, e := range a.events(t) {
		if e.Kind == KindDoubled {
			doubled++
		}
	}
	if doubled != 1 {
		t.Errorf("%d events in an hour", doubled)
	}
	// A server that starts anew goes on where the row is.
	w.start(t, w.DB)
	for _, c := range []struct {
		seq  int64
		want int
	}{{999, 409}, {1000, 409}, {1001, 200}} {
		if got := at(c.seq); got != c.want {
			t.Errorf("after a restart %d: %d, want %d", c.seq, got, c.want)
		}
	}
}

func TestWhatAnotherServerHeardCounts(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.node(t, "edge-1")
	if _, status := a.checkIn(t, protocol.CheckIn{}); status != 200 {
		t.Fatal(status)
	}
	a.row(t)
	if err := w.DB.Writer(t.Context()).Exec("UPDATE edge_nodes SET seq = 500, bundle = 'b-9' WHERE id = ?", a.id).Error; err != nil {
		t.Fatal(err)
	}
	w.fleet.forget(a.id)
	if out := a.doAs(400, "POST", protocol.PathCheckIn, []byte(`{"state":"idle"}`)); out.Code != 409 {
		t.Errorf("%d", out.Code)
	}
	w.fleet.forget("")
	if out := a.doAs(501, "POST", protocol.PathCheckIn, []byte(`{"state":"idle"}`)); out.Code != 200 {
		t.Errorf("%d", out.Code)
	}
}

func TestLostAndReturned(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a, b := w.node(t, "edge-1"), w.node(t, "edge-2")
	a.checkIn(t, protocol.CheckIn{})
	b.checkIn(t, protocol.CheckIn{})
	a.row(t)
	w.clock.advance(20 * time.Minute)
	b.checkIn(t, protocol.CheckIn{})
	var fleet Fleet
	w.want(t, "vic", "GET", "/api/v1/edge/nodes?team=main&q=offline", "", 200, &fleet)
	if fleet.Total != 2 { // what b said is not written yet
		t.Errorf("offline: %+v", fleet.Counts)
	}
	b.row(t)
	w.want(t, "vic", "GET", "/api/v1/edge/nodes?team=main&q=offline", "", 200, &fleet)
	if fleet.Total != 1 || fleet.Items[0].Name != "edge-1" || !fleet.Items[0].Offline || fleet.Counts.Offline != 1 {
		t.Errorf("offline: %+v", fleet)
	}
	w.clock.advance(24 * time.Hour)
	for range 2 {
		if err := w.findLost(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.row(t); n.LostAt == 0 {
		t.Error("nobody noticed")
	}
	a.checkIn(t, protocol.CheckIn{})
	if n := a.row(t); n.LostAt != 0 {
		t.Error("it is back")
	}
	var kinds []Kind
	for _, e := range a.events(t) {
		kinds = append(kinds, e.Kind)
	}
	if !slices.Equal(kinds, []Kind{KindReturned, KindLost, KindAccepted, KindEnrolled}) {
		t.Errorf("%v", kinds)
	}
}

func TestWhatCouldNotBeWrittenIsWrittenLater(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.node(t, "edge-1")
	body := []byte(`{"state":"idle","bundle":"b-5"}`)
	a.doAs(50, "POST", protocol.PathCheckIn, body)
	a.doAs(50, "POST", protocol.PathCheckIn, body) // twice: an event waits to be written
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.flush(ctx); err == nil {
		t.Fatal("it was written")
	}
	if n := a.row(t); n.Bundle != "b-5" || n.seq != 50 {
		t.Errorf("%+v", n)
	}
	if e := a.events(t); e[0].Kind != KindDoubled {
		t.Errorf("%+v", e[0])
	}
}

func TestADeletedNodeHoldsNothingUp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a, b := w.node(t, "edge-1"), w.node(t, "edge-2")
	body := []byte(`{"state":"idle"}`)
	a.doAs(50, "POST", protocol.PathCheckIn, body)
	a.doAs(50, "POST", protocol.PathCheckIn, body)
	b.checkIn(t, protocol.CheckIn{Bundle: "b-6"})
	if err := w.DB.Writer(t.Context()).Exec("DELETE FROM edge_nodes WHERE id = ?", a.id).Error; err != nil {
		t.Fatal(err)
	}
	if n := b.row(t); n.Bundle != "b-6" {
		t.Errorf("%+v", n)
	}
}

func TestOrdersAndQuarantine(t *testing.T) {
	t.Parallel()
	w := setup(t)
	order := &protocol.Envelope{KeyID: "k"}
	var asked []Node
	w.OnCheckIn = func(_ context.Context, n Node, in protocol.CheckIn) (*protocol.Envelope, error) {
		asked = append(asked, n)
		if in.State == protocol.StateFailed {
			return nil, errors.New("broken")
		}
		return order, nil
	}
	a := w.node(t, "edge-1")
	answer, _ := a.checkIn(t, protocol.CheckIn{State: protocol.StateQuarantined, Bundle: "b-1", Quarantined: []string{"b-1", "b-2"}})
	if answer.Assignment == nil || answer.Assignment.KeyID != "k" || len(asked) != 1 || asked[0].Bundle != "b-1" {
		t.Fatal(answer, asked)
	}
	if _, status := a.checkIn(t, protocol.CheckIn{State: protocol.StateFailed}); status != 500 {
		t.Errorf("%d", status)
	}
	a.checkIn(t, protocol.CheckIn{State: protocol.StateQuarantined, Quarantined: []string{"b-1", "b-2"}})
	a.row(t)
	w.want(t, "ada", "POST", "/api/v1/edge/nodes/"+a.id+"/release", `{"bundle":"b-3"}`, 409, nil)
	w.want(t, "vic", "POST", "/api/v1/edge/nodes/"+a.id+"/release", `{"bundle":"b-1"}`, 403, nil)
	w.want(t, "ada", "POST", "/api/v1/edge/nodes/"+a.id+"/release", `{"bundle":"b-1"}`, 204, nil)
	for range 2 { // until it has heeded
		if answer, _ := a.checkIn(t, protocol.CheckIn{Quarantined: []string{"b-1", "b-2"}}); !slices.Equal(answer.ReleaseQuarantine, []string{"b-1"}) {
			t.Errorf("%v", answer.ReleaseQuarantine)
		}
	}
	if answer, _ := a.checkIn(t, protocol.CheckIn{Quarantined: []string{"b-2"}}); answer.ReleaseQuarantine != nil {
		t.Errorf("%v", answer.ReleaseQuarantine)
	}
	if n := a.row(t); len(n.Releases) != 0 {
		t.Errorf("%v", n.Releases)
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var heard []protocol.Report
	fail := false
	w.OnReports = func(_ context.Context, _ Node, list []protocol.Report) error {
		heard = append(heard, list...)
		if fail {
			return errors.New("broken")
		}
		return nil
	}
	a := w.node(t, "edge-1")
	exit := protocol.ExitOK
	report := func(seq int64) protocol.Report {
		return protocol.Report{Seq: seq, At: noon.Add(-time.Hour), Rollout: "r", Bundle: "b", State: protocol.StateSucceeded, Exit: &exit, Message: "done", Details: json.RawMessage(`{"n":1}`)}
	}
	send := func(list ...protocol.Report) (int64, int) {
		var out protocol.ReportsAnswer
		status := a.send(t, "POST", protocol.PathReports, protocol.ReportsRequest{Reports: list}, &out)
		return out.Acked, status
	}
	fail = true
	if _, status := send(report(1)); status != 500 {
		t.Fatal(status)
	}
	fail, heard = false, nil
	for _, c := range []struct {
		seqs []int64
		want int64
	}{{[]int64{2, 1, 2}, 2}, {[]int64{1, 2}, 2}, {[]int64{2, 5, 3}, 5}, {nil, 5}, {[]int64{4}, 5}} {
		var list []protocol.Report
		for _, seq := range c.seqs {
			list = append(list, report(seq))
		}
		if acked, status := send(list...); acked != c.want || status != 200 {
			t.Errorf("%v: %d %d", c.seqs, acked, status)
		}
	}
	if len(heard) != 4 {
		t.Errorf("heard %d", len(heard))
	}
	e := a.events(t)
	if len(e) != 6 || e[0].Seq != 5 || *e[0].Exit != exit || e[0].State != protocol.StateSucceeded || string(e[0].Details) != `{"n":1}` || int64(e[0].At) != noon.Add(-time.Hour).UnixMilli() {
		t.Errorf("%d, %+v", len(e), e[0])
	}
	// What cannot be read is kept as far as it can, and does not hold up the rest.
	bad := report(6)
	bad.State, bad.Message = "dancing", "la\x00la"
	if acked, status := send(bad, report(7)); acked != 7 || status != 200 || len(heard) != 5 {
		t.Errorf("%d %d, heard %d", acked, status, len(heard))
	}
	if e := a.events(t); e[1].Message != "a report that cannot be read, its state is none: lala" || e[1].State != "" {
		t.Errorf("%+v", e[1])
	}
	if _, status := send(report(0)); status != 400 {
		t.Errorf("no number: %d", status)
	}
	if _, status := send(make([]protocol.Report, 101)...); status != 400 {
		t.Errorf("too many: %d", status)
	}
}
