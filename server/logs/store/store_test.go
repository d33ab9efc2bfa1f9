package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/logs/store/corpus"
)

// world is a store with what was put into it.
type world struct {
	*store.Store
	t   testing.TB
	opt store.Options
	all []record.Record // of team 1
}

func setup(t testing.TB, opt store.Options) *world {
	t.Helper()
	if opt.Dir == "" {
		opt.Dir = t.TempDir()
	}
	w := &world{t: t, opt: opt}
	w.open()
	t.Cleanup(func() { w.Close() })
	return w
}

func (w *world) open() {
	w.t.Helper()
	s, err := store.Open(context.Background(), w.opt)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Store = s
}

func (w *world) reopen() {
	w.t.Helper()
	if err := w.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

func (w *world) flush() {
	w.t.Helper()
	if err := w.Flush(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// put appends lines of the corpus and remembers them.
func (w *world) put(n int, seed uint64, start time.Time, span time.Duration) {
	w.t.Helper()
	c := corpus.New(corpus.Options{Lines: n, Hosts: 3, Start: start, Span: span, Seed: seed})
	for {
		recs := make([]record.Record, 500)
		k := c.Batch(recs)
		if k == 0 {
			return
		}
		w.append(recs[:k]...)
	}
}

func (w *world) append(recs ...record.Record) {
	w.t.Helper()
	if err := w.Append(context.Background(), 1, recs); err != nil {
		w.t.Fatal(err)
	}
	w.all = append(w.all, recs...)
}

// text is all of a line in one comparable piece.
func text(r *record.Record) string {
	return fmt.Sprintf("%d %s %s %q %v", r.Time.UnixNano(), r.Stream.Key(), r.Level, r.Message, r.Fields)
}

func (w *world) search(req store.Request) ([]store.Row, store.Stats) {
	w.t.Helper()
	req.Team = 1
	list, stats, err := w.Search(context.Background(), req).List()
	if err != nil {
		w.t.Fatal(err)
	}
	return list, stats
}

// check compares a search with a plain look at everything that was put in.
func (w *world) check(name string, req store.Request) {
	w.t.Helper()
	var want []string
	for i := range w.all {
		r := &w.all[i]
		if (!req.From.IsZero() && r.Time.Before(req.From)) || (!req.To.IsZero() && !r.Time.Before(req.To)) {
			continue
		}
		if m := req.Match; m == nil || m.Streams(r.Stream) && m.Match(r) {
			want = append(want, text(r))
		}
	}
	rows, stats := w.search(req)
	got := make([]string, len(rows))
	ids := map[store.ID]bool{}
	for i := range rows {
		got[i] = text(&rows[i].Record)
		if ids[rows[i].ID] {
			w.t.Fatalf("%s: the line %s came twice", name, rows[i].ID)
		}
		ids[rows[i].ID] = true
		if i > 0 && (req.Newest && rows[i].Time.After(rows[i-1].Time) || !req.Newest && rows[i].Time.Before(rows[i-1].Time)) {
			w.t.Fatalf("%s: line %d is out of order", name, i)
		}
	}
	if req.Limit > 0 && len(want) > req.Limit { // which of equal times come first is the store's choice
		if len(got) != req.Limit {
			w.t.Fatalf("%s: %d lines, not %d: %+v", name, len(got), req.Limit, stats)
		}
		byTime := func(s string) string { return strings.SplitN(s, " ", 2)[0] }
		slices.Sort(want)
		if req.Newest {
			slices.Reverse(want)
		}
		for i := range got {
			if byTime(got[i]) != byTime(want[i]) {
				w.t.Fatalf("%s: line %d is %s, not %s", name, i, got[i], want[i])
			}
		}
		return
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		w.t.Fatalf("%s: %d lines, not %d: %+v\n%s", name, len(got), len(want), stats, firstDifference(got, want))
	}
}

func firstDifference(got, want []string) string {
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			g := "nothing"
			if i < len(got) {
				g = got[i]
			}
			return fmt.Sprintf("line %d:\n got %s\nwant %s", i, g, want[i])
		}
	}
	return "more than wanted: " + got[len(want)]
}

// checkAll asks everything that the planner treats differently.
func (w *world) checkAll(stage string) {
	w.t.Helper()
	mid := w.all[len(w.all)/2]
	trace, _ := mid.Field(record.TraceID)
	for name, m := range map[string]store.Matcher{
		"everything": nil,
		"word":       words{list: []string{"overloaded"}},
		"no word":    words{list: []string{"nonexistent"}},
		"phrase":     words{phrase: corpus.Phrase, level: record.Error},
		"trace id":   words{field: record.TraceID, value: trace.Value},
		"column":     words{field: "http.request.method", value: "PUT"},
		"rest":       words{field: "billing.cached", value: "true"},
		"rare field": words{field: "feature.flag_7", value: "on"},
		"stream":     words{stream: record.Label{Name: "service", Value: "mailer"}},
	} {
		for _, req := range []store.Request{
			{}, {Newest: true}, {Limit: 7}, {Limit: 7, Newest: true},
			{From: mid.Time.Add(-time.Minute), To: mid.Time.Add(time.Minute), Newest: true},
			{From: mid.Time, Limit: 50}, {To: mid.Time, Limit: 50, Newest: true},
		} {
			req.Match = m
			w.check(fmt.Sprintf("%s, %s, %+v", stage, name, req), req)
		}
	}
}

// The same questions have the same answers wherever the lines are: in the memtable, in a
// segment, in both, after a restart and after merging.
func TestFindsEverywhere(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true, Now: func() time.Time { return day.Add(12 * time.Hour) }})
	w.put(3000, 1, day.Add(8*time.Hour), time.Hour)
	w.checkAll("memtable")
	w.reopen()
	w.checkAll("replayed")
	w.flush()
	w.checkAll("segment")
	for i := range 5 {
		w.put(300+i*100, uint64(10+i), day.Add(time.Duration(7*60+i*40)*time.Minute), 50*time.Minute)
		w.flush()
	}
	w.put(1200, 3, day.Add(8*time.Hour), time.Hour)
	w.checkAll("both")
	before := w.Sizes(1)
	for merged := true; merged; {
		var err error
		if merged, err = w.Merge(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	after := w.Sizes(1)
	if after[0].Segments >= before[0].Segments || after[0].Lines != before[0].Lines {
		t.Fatalf("merging: %+v became %+v", before, after)
	}
	w.checkAll("merged")
	w.reopen()
	w.checkAll("merged and reopened")
	if d := w.Damaged(); len(d) > 0 {
		t.Fatalf("damage: %+v", d)
	}
}

// Odd values come back as they went in, through every form the store has.
func TestKeepsOddLines(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true})
	at := day.Add(time.Hour)
	label := record.MakeLabels(map[string]string{"service": `a"b\c`, "host": "\n"})
	odd := []record.Field{
		{Name: "", Value: "no name"}, {Name: "_msg", Value: "not the message"}, {Name: "a.b", Value: "dot"},
		{Name: "arr", Value: `[1,{"x":null}]`, Kind: record.JSON}, {Name: "bad", Value: "\xff\xfe\x00"}, {Name: "bad number", Value: "NaN", Kind: record.String},
		{Name: "bool", Value: "true", Kind: record.Bool}, {Name: "empty", Value: ""}, {Name: "nul\x00", Value: "x"}, {Name: "number", Value: "-1.5e-7", Kind: record.Number},
		{Name: "quote\"", Value: "tab\tnewline\n\x01"}, {Name: "unicode", Value: "grüße 日本 𝄞"},
	}
	for i := range 300 {
		w.append(
			record.Record{Time: at.Add(time.Duration(i)), Stream: label, Level: record.Fatal, Message: "\xffnot utf8\x00", Fields: slices.Clone(odd)},
			record.Record{Time: at, Message: "", Stream: nil},
			// One name, three kinds: none is refused, and each keeps its own.
			record.Record{Time: at, Stream: label, Message: "kinds", Fields: []record.Field{{Name: "k", Value: []string{"1", "true", "x"}[i%3], Kind: []record.Kind{record.Number, record.Bool, record.String}[i%3]}}},
			record.Record{Time: at.Add(time.Duration(i/20) * 13 * time.Hour), Stream: label, Message: "days " + strings.Repeat("long ", i*10)},
		)
	}
	w.check("memtable", store.Request{})
	w.flush()
	w.check("segments", store.Request{})
	w.check("kinds", store.Request{Match: words{field: "k", value: "true"}})
	w.check("rest", store.Request{Match: words{field: "number", value: "-1.5e-7"}})
	w.reopen()
	w.check("reopened", store.Request{})
}

// A hundred thousand names of fields must cost neither memory nor columns.
func TestManyFieldNames(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true, Memory: 64 << 20})
	for i := range 100 {
		recs := make([]record.Record, 100)
		for k := range recs {
			fields := make([]record.Field, 10)
			for f := range fields {
				fields[f] = record.Field{Name: fmt.Sprintf("field_%06d", (i*100+k)*10+f), Value: "v"}
			}
			recs[k] = record.Record{Time: day.Add(time.Duration(i*100+k) * time.Millisecond), Message: "many", Fields: fields}
		}
		w.append(recs...)
	}
	w.flush()
	w.check("all", store.Request{})
	w.check("one", store.Request{Match: words{field: "field_054321", value: "v"}})
	list, stats, err := w.Fields(context.Background(), store.Request{Team: 1})
	if err != nil || len(list) == 0 || len(list) > 2000 {
		t.Fatalf("%d fields, %+v, %v", len(list), stats, err)
	}
}

// Pages by cursor give every line once, in both directions, though many share a time.
func TestCursor(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true})
	rng := rand.New(rand.NewPCG(1, 2))
	var batch []record.Record
	for i := range 3000 {
		batch = append(batch, record.Record{Time: day.Add(time.Duration(rng.IntN(200)) * time.Second), Stream: record.MakeLabels(map[string]string{"s": fmt.Sprint(i % 5)}), Message: fmt.Sprint(i)})
		if i%50 == 49 {
			w.append(batch...)
			batch = nil
		}
		if i%700 == 699 {
			w.flush()
		}
	}
	for _, newest := range []bool{false, true} {
		seen := map[string]bool{}
		req := store.Request{Limit: 90, Newest: newest}
		for {
			rows, _ := w.search(req)
			if len(rows) == 0 {
				break
			}
			for _, r := range rows {
				if seen[r.Message] {
					t.Fatalf("newest %v: %s twice", newest, r.Message)
				}
				seen[r.Message] = true
			}
			req.After = rows[len(rows)-1].ID
		}
		if len(seen) != 3000 {
			t.Fatalf("newest %v: %d lines", newest, len(seen))
		}
	}
}

// Huge lines are cut, and neither writing nor reading holds many of them at once.
func TestHugeLines(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true, MaxLine: 256 << 10, Memory: 32 << 20})
	for i := range 120 {
		recs := []record.Record{{Time: day.Add(time.Duration(i) * time.Second), Message: fmt.Sprint(i, " ") + strings.Repeat("é garbage ", 60_000),
			Fields: []record.Field{{Name: "a", Value: strings.Repeat("x", 200<<10)}, {Name: "b", Value: strings.Repeat("y", 200<<10)}, {Name: "c", Value: "z"}}}}
		if err := w.Append(context.Background(), 1, recs); err != nil {
			t.Fatal(err)
		}
	}
	w.flush()
	n := 0
	for row := range w.Search(context.Background(), store.Request{Team: 1, Newest: true}).All() {
		if len(row.Message) > 256<<10 || len(row.Message) < 250<<10 || !strings.HasPrefix(row.Message, fmt.Sprint(119-n, " é")) || len(row.Fields) != 3 || row.Size() > 520<<10 {
			t.Fatalf("line %d: %d bytes, %.20s", n, row.Size(), row.Message)
		}
		n++
	}
	if n != 120 {
		t.Fatal(n)
	}
	facets, _, err := w.Facets(context.Background(), store.Request{Team: 1}, []string{"a", "_msg"}, 3)
	if err != nil || facets[0].Distinct != 1 || len(facets[0].Values[0].Value) != 512 || facets[1].Distinct != 120 {
		t.Fatalf("%d, %v", facets[0].Distinct, err)
	}
}
