package store_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/logs/store/corpus"
)

// lines is how large the corpus of the benchmarks is; the targets are for the full one.
// SIGNALBOX_BENCH_LINES asks for another, which may be far more: 100,000,000 lines take
// five gigabytes of disk and ten minutes, so give SIGNALBOX_BENCH_DIR too, where they stay for the next run.
func lines() int {
	if n, err := strconv.Atoi(os.Getenv("SIGNALBOX_BENCH_LINES")); err == nil && n > 0 {
		return n
	}
	if os.Getenv("SIGNALBOX_SOAK") != "" {
		return 2_000_000
	}
	return 200_000
}

var day = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func rss() float64 {
	b, _ := os.ReadFile("/proc/self/statm")
	f := strings.Fields(string(b))
	n := 0
	for _, c := range f[1] {
		n = n*10 + int(c-'0')
	}
	return float64(n*os.Getpagesize()) / (1 << 20)
}

func size(tb testing.TB, dir string) (bytes int64, files int) {
	err := filepath.Walk(dir, func(_ string, i os.FileInfo, err error) error {
		if err == nil && !i.IsDir() {
			bytes += i.Size()
			files++
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return bytes, files
}

// fill writes a corpus and reports what intake costs.
func fill(b *testing.B, s *store.Store, dir string, n int) *corpus.Corpus {
	c := corpus.New(corpus.Options{Lines: n, Start: day, Seed: 1})
	recs := make([]record.Record, 1000)
	var used time.Duration
	start := time.Now()
	most := 0.0
	for {
		k := c.Batch(recs)
		if k == 0 {
			break
		}
		before := cpu()
		if err := s.Append(context.Background(), 1, recs[:k]); err != nil {
			b.Fatal(err)
		}
		used += cpu() - before
		most = max(most, rss())
	}
	before := cpu()
	if err := s.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	used += cpu() - before
	bytes, files := size(b, filepath.Join(dir, "segments"))
	b.Logf("intake of %d lines: %.0f lines/CPU s, %.1fs wall, %.1f MB on disk in %d files, RSS at most %.0f MB",
		n, float64(n)/used.Seconds(), time.Since(start).Seconds(), float64(bytes)/1e6, files, most)
	return c
}

// words is a matcher for benchmarks: all words, in this order as one phrase if phrase is set.
type words struct {
	list   []string
	phrase string
	level  record.Level
	field  string
	value  string
	re     *regexp.Regexp
	stream record.Label
}

func (w words) Match(r *record.Record) bool {
	if w.level != record.Unknown && r.Level != w.level {
		return false
	}
	if w.field != "" {
		f, _ := r.Field(w.field)
		return f.Value == w.value
	}
	if w.re != nil {
		return w.re.MatchString(r.Message)
	}
	if w.phrase != "" {
		return strings.Contains(r.Message, w.phrase)
	}
	for _, word := range w.list {
		if !strings.Contains(r.Message, word) {
			return false
		}
	}
	return true
}

func (w words) Tokens() (out [][]string) {
	for _, word := range append(slices.Concat(w.list, record.Tokens(w.phrase)), record.Tokens(w.value)...) {
		out = append(out, []string{word})
	}
	return out
}

func (w words) Streams(l record.Labels) bool {
	return w.stream.Name == "" || l.Get(w.stream.Name) == w.stream.Value
}

func (w words) Decide(l record.Labels, _ record.Level) (holds, known bool) {
	return w.Streams(l), w.stream.Name != ""
}

func (w words) Columns() []string {
	if w.field != "" {
		return []string{w.field}
	}
	if w.stream.Name != "" {
		return []string{}
	}
	c := []string{store.ColumnMessage}
	if w.level != record.Unknown {
		c = append(c, store.ColumnLevel)
	}
	return c
}

// median runs a query a few times warm and reports its median and first time.
func median(b *testing.B, name string, target time.Duration, fn func() store.Stats) {
	var times, used []time.Duration
	var stats store.Stats
	for range 7 {
		start, before := time.Now(), cpu()
		stats = fn()
		times, used = append(times, time.Since(start)), append(used, cpu()-before)
	}
	first := times[0]
	slices.Sort(times)
	slices.Sort(used)
	b.Logf("%-26s %7.2f ms, %7.2f of CPU (first %7.2f, target %2d): %d of %d lines, %.1f MB, %d units, %d pruned %s", name, float64(times[3])/1e6, float64(used[3])/1e6,
		float64(first)/1e6, target.Milliseconds(), stats.Matched, stats.Lines, float64(stats.Bytes)/1e6, stats.Units, stats.Pruned, stats.Partial)
	if stats.Matched == 0 && !strings.Contains(name, "nowhere") {
		b.Errorf("%s found nothing", name)
	}
}

func open(b *testing.B, opt store.Options) (*store.Store, string) {
	b.Helper()
	opt.Dir = b.TempDir()
	s, err := store.Open(context.Background(), opt)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s, opt.Dir
}

// BenchmarkStore is intake and then the queries that the targets are about, warm.
func BenchmarkStore(b *testing.B) {
	n := lines()
	s, dir := openKept(b)
	c := corpus.New(corpus.Options{Lines: n, Start: day, Seed: 1})
	if len(s.Sizes(1)) == 0 {
		fill(b, s, dir, n)
	}
	queries(b, s, c, n)
	if os.Getenv("SIGNALBOX_BENCH_DIR") == "" {
		during(b, s, n)
	}
	cold(b, dir, s, c, n)
	for b.Loop() {
	}
}

// BenchmarkSmallBudget is intake with 100 MiB for everything.
func BenchmarkSmallBudget(b *testing.B) {
	s, dir := open(b, store.Options{Memory: 100 << 20})
	idle := rss()
	fill(b, s, dir, lines())
	b.Logf("RSS was %.0f MB before", idle)
	for b.Loop() {
	}
}

// BenchmarkMerge is what many small flushes cost: one a thousand lines, merged as they come.
func BenchmarkMerge(b *testing.B) {
	for _, merge := range []bool{false, true} {
		name := "as flushed"
		if merge {
			name = "merged"
		}
		b.Run(name, func(b *testing.B) {
			s, dir := open(b, store.Options{FlushRows: 1000, NoMerge: true})
			fill(b, s, dir, lines()/2)
			if merge {
				before, start, rounds := cpu(), time.Now(), 0
				for merged := true; merged; rounds++ {
					var err error
					if merged, err = s.Merge(context.Background()); err != nil {
						b.Fatal(err)
					}
				}
				bytes, files := size(b, filepath.Join(dir, "segments"))
				used := cpu() - before
				b.Logf("%d merges: %.0f lines/CPU s, %.1fs wall, %.1f MB on disk in %d files, RSS now %.0f MB", rounds-1, float64(lines()/2)/used.Seconds(), time.Since(start).Seconds(), float64(bytes)/1e6, files, rss())
			}
			find := store.Request{Team: 1, From: day, To: day.Add(24 * time.Hour), Newest: true, Limit: 100, Match: words{list: []string{"nonexistent"}}}
			var times []time.Duration
			for range 7 {
				start := time.Now()
				if _, _, err := s.Search(context.Background(), find).List(); err != nil {
					b.Fatal(err)
				}
				times = append(times, time.Since(start))
			}
			b.Logf("a word that is nowhere: first %.2f ms, last %.2f ms", times[0].Seconds()*1e3, times[6].Seconds()*1e3)
			for b.Loop() {
			}
		})
	}
}

// during compares queries while lines come in with the same while none do.
func during(b *testing.B, s *store.Store, n int) {
	ctx := context.Background()
	hour := store.Request{Team: 1, From: day.Add(13 * time.Hour), To: day.Add(14 * time.Hour), Newest: true, Limit: 100}
	run := func(rounds int) (p50, p99 time.Duration) {
		var times []time.Duration
		for i := range rounds {
			req := hour
			req.Match = []store.Matcher{words{phrase: corpus.Phrase, level: record.Error}, words{list: []string{corpus.HostWord}}, words{list: []string{"nonexistent"}}}[i%3]
			start := time.Now()
			if _, _, err := s.Search(ctx, req).List(); err != nil {
				b.Fatal(err)
			}
			times = append(times, time.Since(start))
		}
		slices.Sort(times)
		return times[len(times)/2], times[len(times)*99/100]
	}
	quiet50, quiet99 := run(300)
	const rate = 50_000
	stop, done := make(chan struct{}), make(chan int)
	go func() {
		c := corpus.New(corpus.Options{Lines: 1 << 30, Start: day.Add(24 * time.Hour), Seed: 2})
		recs, sent := make([]record.Record, rate/50), 0
		tick := time.NewTicker(time.Second / 50)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				done <- sent
				return
			case <-tick.C:
				k := c.Batch(recs)
				if err := s.Append(ctx, 1, recs[:k]); err == nil {
					sent += k
				}
			}
		}
	}()
	start := time.Now()
	var busy50, busy99 time.Duration
	for time.Since(start) < min(time.Duration(n/50_000)*time.Second, 10*time.Second) {
		busy50, busy99 = run(300)
	}
	close(stop)
	sent := <-done
	b.Logf("queries, quiet: median %.2f ms, p99 %.2f; while %.0f lines/s come in: median %.2f ms, p99 %.2f",
		quiet50.Seconds()*1e3, quiet99.Seconds()*1e3, float64(sent)/time.Since(start).Seconds(), busy50.Seconds()*1e3, busy99.Seconds()*1e3)
}

// question is one of the queries that the targets are about.
type question struct {
	name   string
	target time.Duration
	run    func(*store.Store) (store.Stats, error)
}

func questions(c *corpus.Corpus, n int) []question {
	hour := store.Request{Team: 1, From: day.Add(13 * time.Hour), To: day.Add(14 * time.Hour), Newest: true, Limit: 100}
	whole := store.Request{Team: 1, From: day, To: day.Add(24 * time.Hour), Newest: true, Limit: 100}
	find := func(req store.Request, m store.Matcher) func(*store.Store) (store.Stats, error) {
		req.Match = m
		return func(s *store.Store) (store.Stats, error) {
			_, stats, err := s.Search(context.Background(), req).List()
			return stats, err
		}
	}
	histogram := func(m store.Matcher) func(*store.Store) (store.Stats, error) {
		req := whole
		req.Match = m
		return func(s *store.Store) (store.Stats, error) {
			_, stats, err := s.Histogram(context.Background(), req, 10*time.Minute)
			return stats, err
		}
	}
	return []question{
		{"rare word, 24 h", 15 * time.Millisecond, find(whole, words{list: []string{corpus.RareWord}})},
		{"phrase + level, 1 h", 10 * time.Millisecond, find(hour, words{phrase: corpus.Phrase, level: record.Error})},
		{"trace id", 5 * time.Millisecond, find(whole, words{field: record.TraceID, value: c.TraceID(n / 3)})},
		{"histogram of an app, day", 10 * time.Millisecond, histogram(words{stream: record.Label{Name: "service", Value: corpus.App}})},
		{"top hosts with a word", 80 * time.Millisecond, func(s *store.Store) (store.Stats, error) {
			req := whole
			req.Match = words{list: []string{corpus.HostWord}}
			_, stats, err := s.Facets(context.Background(), req, []string{"host"}, 10)
			return stats, err
		}},
		{"regex, 1 h", 40 * time.Millisecond, func(s *store.Store) (store.Stats, error) {
			req := hour
			req.Match = words{re: regexp.MustCompile(`status=20[34] bytes=\d{3} `)}
			return s.Each(context.Background(), req, []string{}, func() store.Sink { return ignore{} })
		}},
		{"newest 100", 10 * time.Millisecond, find(whole, nil)},
		{"histogram of all, day", 0, histogram(nil)},
		{"a trace id that is nowhere", 0, find(whole, words{field: record.TraceID, value: "0123456789abcdef0123456789abcdef"})},
	}
}

func queries(b *testing.B, s *store.Store, c *corpus.Corpus, n int) {
	for _, q := range questions(c, n) {
		median(b, q.name, q.target, func() store.Stats {
			stats, err := q.run(s)
			if err != nil {
				b.Fatal(err)
			}
			return stats
		})
	}
}

type ignore struct{}

func (ignore) Add(*record.Record) {}

// openKept opens the store in the folder that SIGNALBOX_BENCH_DIR names, or in a new one.
func openKept(b *testing.B) (*store.Store, string) {
	dir := os.Getenv("SIGNALBOX_BENCH_DIR")
	if dir == "" {
		return open(b, store.Options{})
	}
	s, err := store.Open(context.Background(), store.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s, dir
}

// cold asks everything once more, each question of a store just opened whose files are in no cache.
func cold(b *testing.B, dir string, warm *store.Store, c *corpus.Corpus, n int) {
	if os.Getuid() != 0 {
		b.Log("cold figures need the right to drop the page cache")
		return
	}
	if err := warm.Close(); err != nil {
		b.Fatal(err)
	}
	for _, ask := range questions(c, n) {
		s, err := store.Open(context.Background(), store.Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		unix.Sync()
		if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0); err != nil {
			b.Logf("no cold figures: %v", err)
		}
		start := time.Now()
		stats, err := ask.run(s)
		b.Logf("cold: %-26s %7.2f ms: %.1f MB, error %v", ask.name, time.Since(start).Seconds()*1e3, float64(stats.Bytes)/1e6, err)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
