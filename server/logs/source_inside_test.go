package logs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
)

func someBuild(lines ...string) BuildLines {
	b := BuildLines{Team: 1, Build: 77, Number: "3", Pipeline: "shop", Job: "unit", From: noon.Add(-10 * time.Second)}
	for i, text := range lines {
		b.Lines = append(b.Lines, BuildLine{N: int64(i + 1), Time: noon.Add(time.Duration(i) * time.Millisecond), Step: "test", Kind: "task", Output: "stdout", Text: text})
	}
	return b
}

func TestBuildLines(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := someBuild("compiling", "", `{"msg":"cannot connect","level":"error","build_id":1,"build_line":999}`, "password=hunter22 given")
	if err := w.KeepBuildLines(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{"source:build job:unit pipeline:shop": 3, "build_id:77": 3, "build_id:77 build_line:3 level:error cannot": 1, "build_id:1": 0, "step:test step_kind:task output:stdout build:3": 3, "hunter22": 0} {
		if got := len(w.search(red, query).Lines); got != want {
			t.Errorf("%s: %d lines, want %d", query, got, want)
		}
	}
	if n := len(w.search(blue, "").Lines); n != 0 {
		t.Errorf("another team finds %d lines", n)
	}
	n, at, err := w.BuildPlace(t.Context(), b)
	if err != nil || n != 4 || !at.Equal(b.Lines[3].Time) {
		t.Error(n, at, err)
	}
	for _, other := range []BuildLines{{Team: 2, Build: 77, Pipeline: "shop", Job: "unit"}, {Team: 1, Build: 7, Pipeline: "shop", Job: "unit"}, {Team: 1, Build: 77, Pipeline: "shop", Job: "lint"}} {
		if n, _, err := w.BuildPlace(t.Context(), other); n != 0 || err != nil {
			t.Errorf("%+v: %d %v", other, n, err)
		}
	}
}

// TestBuildLinesInParts: a hand-over that broke off anywhere goes on behind what is kept.
func TestBuildLinesInParts(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var texts []string
	for i := range 2*insideBatch + 7 {
		texts = append(texts, fmt.Sprintf("line %d", i))
	}
	b := someBuild(texts...)
	for from := 0; from < len(texts); {
		part := b
		part.Lines = b.Lines[from:min(from+333, len(texts))]
		if err := w.KeepBuildLines(t.Context(), part); err != nil {
			t.Fatal(err)
		}
		n, _, err := w.BuildPlace(t.Context(), b)
		if err != nil || n != part.Lines[len(part.Lines)-1].N {
			t.Fatal(n, err)
		}
		from = int(n)
	}
	if got := w.search(red, "| stats count() as n"); got.Rows[0][0] != fmt.Sprint(len(texts)) {
		t.Error(got.Rows)
	}
	// What is flushed into segments is known as well.
	if err := w.Store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, _, err := w.BuildPlace(t.Context(), b); n != int64(len(texts)) || err != nil {
		t.Error(n, err)
	}
}

func TestDeliveryLines(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var list []Delivery // newest first
	add := func(d Delivery) {
		d.Seq, d.ID = int64(len(list)+1), fmt.Sprintf("d%03d", len(list)+1)
		list = slices.Insert(list, 0, d)
	}
	broken := false
	source := func(_ context.Context, before int64, limit int) ([]Delivery, error) {
		if broken {
			return nil, errors.New("no database")
		}
		at := slices.IndexFunc(list, func(d Delivery) bool { return before == 0 || d.Seq < before })
		if at < 0 {
			return nil, nil
		}
		return list[at:min(at+limit, len(list))], nil
	}
	d := w.deliveries(source)
	keep := func() {
		t.Helper()
		if err := d.keep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	add(Delivery{Team: 1, At: noon.Add(-25 * time.Hour), Settled: true, Event: "old"})
	for range 2*deliveryPage + 3 {
		add(Delivery{Team: 1, At: noon.Add(-50 * time.Second), Settled: true, Event: "push", Repository: "acme/shop", Sender: "ada", Verdict: "accepted", State: "done", GUID: "11-22", DigestMS: 12, Attempts: 1, Size: 900})
	}
	add(Delivery{Team: 2, At: noon, Settled: true, Refused: true, Verdict: "refused", State: "none", Error: "The request is not signed."})
	add(Delivery{Team: 1, At: noon, Event: "release", Action: "published"})                                       // under way
	add(Delivery{Team: 1, At: noon.Add(-40 * time.Second), Event: "pull_request", State: "waiting", Attempts: 3}) // for too long
	keep()
	keep()
	for query, want := range map[string]int{"source:delivery event:push": 2*deliveryPage + 3, "release": 0, "event:pull_request": 1, "old": 0} {
		if got := w.search(red, query+" | stats count() as n").Rows; got[0][0] != fmt.Sprint(want) && (want > 0 || len(got) > 0 && got[0][0] != "0") {
			t.Errorf("%s: %v, want %d", query, got, want)
		}
	}
	line := w.search(red, "event:push digest_ms:12 guid:11-22").Lines[0]
	if line.Message != "Delivery: push of acme/shop by ada, accepted, done" || line.Level != "info" {
		t.Errorf("%+v", line)
	}
	if lines := w.search(blue, "level:warn").Lines; len(lines) != 1 || lines[0].Message != "Delivery: a request, refused: The request is not signed." {
		t.Errorf("%+v", lines)
	}
	list[1].Settled, list[1].Failed, list[1].State, list[1].Error = true, true, "failed", "boom"
	keep()
	// Another life, and one that had an error half way, find what is there.
	d = w.deliveries(source)
	keep()
	broken = true
	if err := d.keep(t.Context()); err == nil {
		t.Error("an error is silent")
	}
	if lines := w.search(red, "event:release level:error boom").Lines; len(lines) != 1 {
		t.Errorf("%+v", lines)
	}
	if got := w.search(red, "source:delivery | stats count() as n").Rows; got[0][0] != fmt.Sprint(2*deliveryPage+5) {
		t.Error(got)
	}
}

// ownWorld logs into its own store.
func ownWorld(t *testing.T) (world, *OwnLog, *atomic.Int64) {
	w := setup(t)
	passed := &atomic.Int64{}
	return w, NewOwnLog(counting{passed}), passed
}

// counting counts what reaches the handler behind.
type counting struct{ n *atomic.Int64 }

func (c counting) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (c counting) Handle(context.Context, slog.Record) error    { c.n.Add(1); return nil }
func (c counting) WithAttrs([]slog.Attr) slog.Handler           { return c }
func (c counting) WithGroup(string) slog.Handler                { return c }
func ownStamp(l slog.Level, text string, a ...slog.Attr) slog.Record {
	r := slog.NewRecord(noon, l, text, 0)
	r.AddAttrs(a...)
	return r
}

func TestOwnLog(t *testing.T) {
	t.Parallel()
	w, own, passed := ownWorld(t)
	early := slog.New(own).With("part", "start").WithGroup("net").With("port", 80)
	if err := early.Handler().Handle(t.Context(), ownStamp(slog.LevelWarn, "slow disk", slog.Group("disk", "free", 12), slog.Bool("full", false), slog.Any("error", errors.New("no room")))); err != nil {
		t.Fatal(err)
	}
	stop := w.KeepOwn(t.Context(), own, 1)
	h := slog.New(own).Handler()
	for _, r := range []slog.Record{
		ownStamp(slog.LevelInfo, "request", slog.String("route", "/loki/api/v1/push"), slog.Int("status", 204)),
		ownStamp(slog.LevelInfo, "request", slog.String("route", "/api/v1/ci/builds"), slog.Int("status", 200), slog.String("password", "hunter22")),
		ownStamp(slog.LevelError, "request", slog.String("route", "/loki/api/v1/push"), slog.Int("status", 500)),
	} {
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	stop() // keeps what there is
	for query, want := range map[string]int{"source:signalbox": 3, "service:signalbox level:warn part:start net.port:80 net.disk.free:12 net.full:false net.error:\"no room\"": 1, "status:204": 0, "level:error status:500": 1, "hunter22": 0} {
		if got := len(w.search(red, query).Lines); got != want {
			t.Errorf("%s: %d lines, want %d", query, got, want)
		}
	}
	if passed.Load() != 4 || own.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("the handler behind is passed over", passed.Load())
	}
	if err := h.Handle(t.Context(), ownStamp(slog.LevelInfo, "after the end")); err != nil || len(own.shared.queue) != 0 {
		t.Error(err, len(own.shared.queue))
	}
}

// TestOwnLogNeverWaits: with nobody to take them lines are dropped and counted.
func TestOwnLogNeverWaits(t *testing.T) {
	t.Parallel()
	w, own, _ := ownWorld(t)
	log := slog.New(own)
	for i := range ownQueue + 250 {
		if err := log.Handler().Handle(t.Context(), ownStamp(slog.LevelInfo, fmt.Sprintf("line %d", i))); err != nil {
			t.Fatal(err)
		}
	}
	stop := w.KeepOwn(t.Context(), own, 1)
	stop()
	if got := w.search(red, "line | stats count() as n").Rows; got[0][0] != fmt.Sprint(ownQueue) {
		t.Error(got)
	}
	if lines := w.search(red, "dropped:250").Lines; len(lines) != 1 || !strings.HasPrefix(lines[0].Message, "250 of the server's own lines") {
		t.Errorf("%+v", lines)
	}
}

// TestOwnLogNeverHearsItself: what is logged while own lines are kept makes no lines, and
// a store that refuses them does not keep the server busy.
func TestOwnLogNeverHearsItself(t *testing.T) {
	t.Parallel()
	w, own, passed := ownWorld(t)
	ctx := context.WithValue(t.Context(), keepingOwn{}, true)
	if err := own.Handle(ctx, ownStamp(slog.LevelWarn, "about keeping")); err != nil || len(own.shared.queue) != 0 || passed.Load() != 1 {
		t.Error(err, len(own.shared.queue), passed.Load())
	}
	if err := w.Store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := own.Handle(t.Context(), ownStamp(slog.LevelWarn, "nowhere to go")); err != nil {
		t.Fatal(err)
	}
	stop := w.KeepOwn(t.Context(), own, 1)
	stop()
	own.shared.mu.Lock()
	defer own.shared.mu.Unlock()
	if own.shared.dropped != 1 {
		t.Error(own.shared.dropped)
	}
}

func TestOwnLogIsDiscarded(t *testing.T) {
	t.Parallel()
	own := NewOwnLog(slog.DiscardHandler)
	slog.New(own).Info("early")
	own.take(ownStamp(slog.LevelInfo, "early"))
	own.Discard()
	own.take(ownStamp(slog.LevelInfo, "late"))
	if n := len(own.shared.queue); n != 0 {
		t.Error(n)
	}
}

var _ store.Matcher = ofBuild{}

// TestInsideFields: nothing that a line brings may stand where the server speaks.
func TestInsideFields(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := Batch{Team: 1, Source: "x", Records: []record.Record{{Time: noon, Message: `{"build_id":"forged","message":"{\"build_id\":\"again\"}"}`}},
		Mark: func(_ int, r *record.Record) { r.Set(record.Field{Name: "build_id", Value: "5"}) }}
	if err := w.Accept(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if lines := w.search(red, "build_id:5").Lines; len(lines) != 1 {
		t.Errorf("%+v", w.search(red, "").Lines)
	}
}

// TestNodeLines: what nodes report becomes lines once, whatever breaks off in between.
func TestNodeLines(t *testing.T) {
	t.Parallel()
	w := setup(t)
	reports := []NodeReport{
		{ID: 1, Team: 1, At: noon.Add(-50 * time.Second), Node: "a1", Name: "node-a", Site: "osl", Kind: "accepted", Actor: "ann", Exit: -1},
		{ID: 2, Team: 1, At: noon.Add(-time.Minute), Node: "a1", Name: "node-a", Site: "osl", Kind: "report", State: "rolled-back", Bundle: "b-7", Message: "health check failed", Output: "Unpacking apt\n\nSetting up apt\n", Exit: 6},
		{ID: 3, Team: 2, At: noon.Add(-time.Minute), Node: "b1", Name: "node-b", Kind: "returned", Exit: -1},
	}
	var fails atomic.Bool
	list := func(_ context.Context, after int64, _, _ time.Time, limit int) ([]NodeReport, error) {
		if fails.Load() {
			return nil, errors.New("the database is away")
		}
		i := slices.IndexFunc(reports, func(r NodeReport) bool { return r.ID > after })
		if i < 0 {
			return nil, nil
		}
		return reports[i:min(len(reports), i+limit)], nil
	}
	loop := w.NodeLoop(list)
	for range 2 {
		if err := loop.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	fails.Store(true)
	if loop.Run(t.Context()) == nil {
		t.Error("nothing said of a list that fails")
	}
	fails.Store(false)
	reports = append(reports, NodeReport{ID: 4, Team: 1, At: noon, Node: "a1", Name: "node-a", Site: "osl", Kind: "report", State: "succeeded", Exit: 0})
	// A server that has just started knows only what the store holds.
	for _, again := range []func(context.Context) error{loop.Run, w.NodeLoop(list).Run} {
		if err := again(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]int{"source:node": 5, "report_id:2": 3, "level:error health": 1, "host:node-a site:osl": 5, "exit_code:6": 3, "actor:ann": 1, "state:succeeded exit_code:0": 1} {
		if got := len(w.search(red, query).Lines); got != want {
			t.Errorf("%s: %d lines, want %d", query, got, want)
		}
	}
	if n := len(w.search(blue, "source:node").Lines); n != 1 {
		t.Errorf("another team finds %d lines", n)
	}
}
