package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/logs/store/corpus"
)

// Segments with token filters instead of postings are read as they are, and merged into the new form.
func TestOldSegments(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.CopyFS(dir, os.DirFS("testdata/old")); err != nil {
		t.Fatal(err)
	}
	was := setup(t, store.Options{NoMerge: true}) // what the old one was given
	was.put(300, 1, day, time.Hour)
	was.put(200, 2, day.Add(30*time.Minute), time.Hour)
	w := setup(t, store.Options{Dir: dir, NoMerge: true, Now: func() time.Time { return day.Add(72 * time.Hour) }})
	w.all = was.all
	w.checkAll("as it was")
	if merged, err := w.Merge(context.Background()); err != nil || !merged {
		t.Fatal(merged, err)
	}
	w.checkAll("merged")
	data, err := os.ReadFile(one(t, dir, ".idx"))
	if err != nil || string(data[:4]) != "SBX2" || len(w.Damaged()) != 0 {
		t.Fatalf("%.4s, %v, %+v", data, err, w.Damaged())
	}
}

// leveled is a matcher of one level whose verdict needs no line that has a level.
type leveled struct{ level record.Level }

func (m leveled) Match(r *record.Record) bool { return r.Level == m.level }
func (m leveled) Tokens() [][]string          { return nil }
func (m leveled) Streams(record.Labels) bool  { return true }
func (m leveled) Columns() []string           { return []string{store.ColumnLevel} }
func (m leveled) Decide(_ record.Labels, l record.Level) (holds, known bool) {
	return l == m.level, l != record.Unknown
}

// plainly counts as Histogram should.
func (w *world) plainly(req store.Request, step time.Duration) map[string]int64 {
	want := map[string]int64{}
	for i := range w.all {
		r := &w.all[i]
		if r.Time.Before(req.From) || !r.Time.Before(req.To) || req.Match != nil && !(req.Match.Streams(r.Stream) && req.Match.Match(r)) {
			continue
		}
		want[fmt.Sprint(r.Time.Truncate(step).Unix(), r.Level)]++
	}
	return want
}

// Histograms are the same whether they come from counts or from lines, and wherever the range cuts.
func TestHistogramByCounts(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true})
	for i := range 3 {
		w.put(9000, uint64(i), day.Add(time.Duration(i)*2*time.Minute), 3*time.Minute)
		if i == 1 { // lines without a level in one stream: nothing is known of those by their level
			w.append(record.Record{Time: day.Add(2 * time.Minute), Stream: labelled("service", "plain"), Message: "no level"})
		}
		if i < 2 {
			w.flush()
		}
	}
	read := map[string]int64{}
	for name, m := range map[string]store.Matcher{"all": nil, "app": words{stream: record.Label{Name: "service", Value: "checkout"}}, "level": leveled{record.Error}, "word": words{list: []string{corpus.HostWord}}} {
		for _, c := range []struct{ from, to, step time.Duration }{
			{0, 10 * time.Minute, time.Minute}, {0, 10 * time.Minute, 2 * time.Minute}, {0, time.Hour, 7 * time.Minute},
			{37 * time.Second, 5 * time.Minute, time.Minute}, {0, 130 * time.Second, 10 * time.Second}, {0, 10 * time.Minute, time.Second},
		} {
			req := store.Request{Team: 1, From: day.Add(c.from), To: day.Add(c.to), Match: m}
			buckets, stats, err := w.Histogram(context.Background(), req, c.step)
			if err != nil || stats.Partial != store.Whole {
				t.Fatal(stats, err)
			}
			want, matched := w.plainly(req, c.step), int64(0)
			for _, b := range buckets {
				for level, n := range b.Counts {
					key := fmt.Sprint(b.Start.Unix(), record.Level(level))
					if want[key] != n {
						t.Errorf("%s %+v: %s has %d, not %d", name, c, key, n, want[key])
					}
					matched += n
				}
			}
			if stats.Matched != matched {
				t.Errorf("%s %+v: %d matched, not %d", name, c, stats.Matched, matched)
			}
			if c.step == time.Minute && c.from == 0 {
				read[name] = stats.Lines
			}
		}
	}
	// Lines in memory are always looked at; beyond them, only those whose level is not known.
	if in := int64(9000); read["all"] != in || read["app"] != in || read["level"] > in+2 || read["word"] <= in {
		t.Errorf("lines read: %v", read)
	}
}

// Counts that cannot be read cost time, never a count, and are listed.
func TestDamagedCounts(t *testing.T) {
	t.Parallel()
	w := setup(t, store.Options{NoMerge: true, Dir: t.TempDir()})
	w.put(9000, 1, day, 3*time.Minute)
	w.flush()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	flip(t, one(t, w.opt.Dir, ".idx"), -9)
	w.open()
	req := store.Request{Team: 1, From: day, To: day.Add(time.Hour)}
	buckets, stats, err := w.Histogram(context.Background(), req, 5*time.Minute) // the last counts of the file
	total := int64(0)
	for _, b := range buckets {
		total += b.Total()
	}
	if err != nil || total != 9000 || stats.Lines != 9000 {
		t.Fatalf("%d lines, %+v, %v", total, stats, err)
	}
	if d := w.Damaged(); len(d) != 1 || d[0].What != store.DamageFilter {
		t.Fatalf("damage: %+v", d)
	}
}
