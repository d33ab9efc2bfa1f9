package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
)

func labelled(pairs ...string) record.Labels {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return record.MakeLabels(m)
}

// Counting by time, value, label and stream agrees with a plain count, in memory and on disk.
func TestCounts(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true})
	w.put(4000, 5, day.Add(6*time.Hour), 5*time.Hour)
	w.flush()
	w.put(2000, 6, day.Add(9*time.Hour), 5*time.Hour)
	ctx := context.Background()
	req := store.Request{Team: 1, From: day.Add(7 * time.Hour), To: day.Add(13 * time.Hour)}
	type cell struct {
		hour  int
		level record.Level
	}
	want, hosts, levels := map[cell]int64{}, map[string]int64{}, map[string]int64{}
	for i := range w.all {
		r := &w.all[i]
		if r.Time.Before(req.From) || !r.Time.Before(req.To) {
			continue
		}
		want[cell{r.Time.Hour(), r.Level}]++
		hosts[r.Stream.Get("host")]++
		levels[r.Level.String()]++
	}
	buckets, stats, err := w.Histogram(ctx, req, time.Hour)
	if err != nil || len(buckets) != 6 || stats.Partial != store.Whole {
		t.Fatalf("%d buckets, %+v, %v", len(buckets), stats, err)
	}
	for _, b := range buckets {
		for level, n := range b.Counts {
			if want[cell{b.Start.Hour(), record.Level(level)}] != n {
				t.Fatalf("%s %v: %d", b.Start, record.Level(level), n)
			}
		}
	}
	facets, _, err := w.Facets(ctx, req, []string{"host", "level", "http.request.method", "none"}, 2)
	if err != nil || len(facets[0].Values) != 2 || facets[0].Distinct != 3 || facets[3].Lines != 0 || facets[2].Lines == 0 {
		t.Fatalf("%+v, %v", facets, err)
	}
	for i, counts := range []map[string]int64{hosts, levels} {
		for _, v := range facets[i].Values {
			if counts[v.Value] != v.Lines {
				t.Fatalf("%s=%s: %d, not %d", facets[i].Name, v.Value, v.Lines, counts[v.Value])
			}
		}
	}
}

func TestStreamsAndNames(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true})
	ctx := context.Background()
	w.append(record.Record{Time: day, Stream: labelled("service", "a", "host", "x"), Message: "one", Fields: []record.Field{{Name: "n", Value: "1", Kind: record.Number}}})
	w.flush()
	w.append(record.Record{Time: day.Add(30 * time.Hour), Stream: labelled("service", "b"), Message: "two"}, record.Record{Time: day, Stream: labelled("service", "a", "host", "x"), Message: "three"})
	if err := w.Append(ctx, 2, []record.Record{{Time: day, Stream: labelled("service", "secret"), Message: "of team 2"}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to   time.Duration
		labels     string
		values     string
		streams    int
		firstLines int64
	}{
		{-time.Hour, time.Hour, "[host service]", "[a]", 1, 2},
		{time.Hour, 40 * time.Hour, "[service]", "[b]", 1, 1},
		{-time.Hour, 40 * time.Hour, "[host service]", "[a b]", 2, 2},
		{-9 * time.Hour, -8 * time.Hour, "[]", "[]", 0, 0},
	} {
		req := store.Request{Team: 1, From: day.Add(c.from), To: day.Add(c.to)}
		names, err1 := w.Labels(ctx, req)
		values, err2 := w.Values(ctx, req, "service")
		streams, _, err3 := w.Streams(ctx, req)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(names) != c.labels || fmt.Sprint(values) != c.values || len(streams) != c.streams || c.streams > 0 && streams[0].Lines != c.firstLines {
			t.Errorf("%v: %v %v %+v", c, names, values, streams)
		}
	}
	fields, _, err := w.Fields(ctx, store.Request{Team: 1})
	if err != nil || len(fields) != 3 {
		t.Errorf("fields: %+v, %v", fields, err)
	}
	sizes := w.Sizes(0)
	if len(sizes) != 3 || sizes[0].Lines != 2 || sizes[0].Disk == 0 || !sizes[1].Day.Equal(day.Add(24*time.Hour)) || sizes[2].Team != 2 {
		t.Errorf("sizes: %+v", sizes)
	}
	byStream, err := w.StreamSizes(ctx, 1, day)
	if err != nil || len(byStream) != 1 || byStream[0].Lines != 2 || byStream[0].Disk == 0 {
		t.Errorf("sizes of streams: %+v, %v", byStream, err)
	}
}

func TestAround(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true})
	for i := range 60 {
		s := labelled("service", string(rune('a'+i%2)))
		w.append(record.Record{Time: day.Add(time.Duration(i/4) * time.Second), Stream: s, Message: fmt.Sprint(i)})
		if i == 30 {
			w.flush()
		}
	}
	rows, _ := w.search(store.Request{Match: words{list: []string{"29"}}})
	for _, c := range []struct{ before, after, index, n int }{{3, 4, 3, 8}, {0, 0, 0, 1}, {100, 100, 14, 30}, {0, 2, 0, 3}} {
		got, err := w.Around(context.Background(), 1, rows[0].ID, c.before, c.after)
		if err != nil || got.Index != c.index || len(got.Rows) != c.n {
			t.Fatalf("%+v: %d of %d, %v", c, got.Index, len(got.Rows), err)
		}
		for i, r := range got.Rows {
			if want := fmt.Sprint(29 + 2*(i-c.index)); r.Message != want {
				t.Fatalf("%+v: line %d is %s, not %s", c, i, r.Message, want)
			}
		}
	}
	if got, err := w.Around(context.Background(), 2, rows[0].ID, 1, 1); err != nil || got.Index != -1 || len(got.Rows) != 0 {
		t.Fatalf("another team sees %+v, %v", got, err)
	}
	if id, err := store.ParseID(rows[0].ID.String()); err != nil || id != rows[0].ID {
		t.Fatalf("%v, %v", id, err)
	}
	for _, bad := range []string{"", "-", "x", "1-", "1-!", "99999999999999999999999999-1"} {
		if _, err := store.ParseID(bad); err == nil {
			t.Errorf("%q is taken for an id", bad)
		}
	}
}

// A tail hears of what matches, in order, once it is committed; a reader that does not
// read costs nobody anything, and is told what it missed.
func TestTail(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tail, idle := w.Tail(1, words{list: []string{"even"}}), w.Tail(1, nil)
	other := w.Tail(2, nil)
	var got []string
	for i := range 3000 {
		w.append(record.Record{Time: day, Message: fmt.Sprint([]string{"even ", "odd "}[i%2], i)})
		if i%200 == 199 { // before the 256 chunks are full that a tail has room for
			for len(got) < (i+1)/2 {
				c, err := tail.Next(ctx)
				if err != nil || c.Dropped+c.Missed > 0 {
					t.Fatalf("%+v, %v", c, err)
				}
				for _, r := range c.Rows {
					got = append(got, r.Message)
				}
			}
		}
	}
	for i := range got {
		if got[i] != fmt.Sprint("even ", 2*i) {
			t.Fatalf("line %d is %s", i, got[i])
		}
	}
	total := int64(0)
	for total < 3000 {
		c, err := idle.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		total += int64(len(c.Rows)) + c.Dropped + c.Missed
	}
	if total != 3000 {
		t.Fatalf("the idle tail accounts for %d lines", total)
	}
	tail.Close()
	if _, err := tail.Next(ctx); !errors.Is(err, store.ErrClosed) {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Next(ctx); !errors.Is(err, store.ErrClosed) {
		t.Fatal(err)
	}
	w.open()
}

// A search that costs more than it may stops, says why, and what it gives is right.
func TestBudgets(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true})
	w.put(40_000, 1, day, time.Hour)
	w.flush()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		budget store.Budget
		want   store.Partial
	}{
		{store.Budget{Time: 1}, store.PartialTime},
		{store.Budget{Bytes: 1}, store.PartialBytes},
		{store.Budget{Memory: 1}, store.PartialMemory},
		{store.Budget{}, store.Whole},
	} {
		rows, stats := w.search(store.Request{Budget: c.budget})
		if stats.Partial != c.want || (c.want != store.Whole) != (len(rows) < 40_000) {
			t.Errorf("%+v: %d lines, %+v", c.budget, len(rows), stats)
		}
	}
	if _, stats, err := w.Search(cancelled, store.Request{Team: 1}).List(); !errors.Is(err, context.Canceled) || stats.Partial != store.PartialCancel {
		t.Errorf("cancelled: %+v, %v", stats, err)
	}
	n := 0
	search := w.Search(context.Background(), store.Request{Team: 1})
	for range search.All() {
		if n++; n == 10 {
			break
		}
	}
	if n != 10 || search.Err() != nil {
		t.Errorf("%d lines, %v", n, search.Err())
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	now := day.Add(10*24*time.Hour + time.Hour)
	keep := store.Retention{}
	free := int64(1 << 40)
	w := setup(t, store.Options{NoMerge: true, Now: func() time.Time { return now }, Retention: func(team int64) store.Retention { return keep },
		DiskFree: func(string) (int64, int64, error) { return free, 1 << 40, nil }})
	for d := range 10 {
		for i := range 50 {
			w.append(record.Record{Time: day.Add(time.Duration(d)*24*time.Hour + time.Duration(i)*time.Minute), Stream: labelled("service", []string{"chatty", "calm"}[i%2]), Message: fmt.Sprint(d, "-", i)})
		}
	}
	w.flush()
	lines := func() int { rows, _ := w.search(store.Request{}); return len(rows) }
	retain := func(want store.Reason, left int) {
		t.Helper()
		gone, err := w.Retain(context.Background())
		if err != nil || (len(gone) > 0) != (want != "") || len(gone) > 0 && gone[0].Why != want || lines() != left {
			t.Fatalf("%s: %+v, %v, %d lines left, not %d", want, gone, err, lines(), left)
		}
	}
	retain("", 500)
	keep = store.Retention{Age: 8 * 24 * time.Hour}
	retain(store.ReasonAge, 400)
	keep.Streams = []store.StreamRetention{{Match: func(l record.Labels) bool { return l.Get("service") == "chatty" }, Age: 5 * 24 * time.Hour}}
	retain(store.ReasonStream, 325)
	retain("", 325)
	w.reopen()
	retain("", 325)
	bytes := int64(0)
	for _, d := range w.Sizes(1) {
		bytes += d.Disk
	}
	keep = store.Retention{Bytes: bytes - 1}
	retain(store.ReasonBytes, 300)
	keep, free = store.Retention{}, 600<<20
	retain(store.ReasonDisk, 0)
	w.append(record.Record{Time: now, Message: "today"})
	w.flush()
	retain("", 1)
}

// A search under way keeps its lines while retention and merging take their files away.
func TestSearchOutlivesItsFiles(t *testing.T) {
	t.Parallel()
	now := day.Add(90 * 24 * time.Hour)
	w := setup(t, store.Options{NoMerge: true, Now: func() time.Time { return now }, Retention: func(int64) store.Retention { return store.Retention{Age: time.Hour} }})
	for i := range 4 {
		w.put(9000, uint64(i), day.Add(time.Duration(i)*time.Hour), time.Hour)
		w.flush()
	}
	n := 0
	search := w.Search(context.Background(), store.Request{Team: 1})
	for range search.All() {
		if n++; n == 1 {
			if merged, err := w.Merge(context.Background()); err != nil || !merged {
				t.Fatal(merged, err)
			}
			if gone, err := w.Retain(context.Background()); err != nil || len(gone) != 1 {
				t.Fatal(gone, err)
			}
		}
	}
	if n != 36_000 || search.Stats().Partial != store.Whole {
		t.Fatalf("%d lines, %+v", n, search.Stats())
	}
	if rows, _ := w.search(store.Request{}); len(rows) != 0 {
		t.Fatalf("%d lines are left", len(rows))
	}
}
