package store

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store/corpus"
)

func TestColumnSizes(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s, err := Open(ctx, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	c := corpus.New(corpus.Options{Lines: 131072, Start: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Span: 90 * time.Minute, Seed: 1})
	recs := make([]record.Record, 1000)
	raw := 0
	var buf []byte
	for {
		k := c.Batch(recs)
		if k == 0 {
			break
		}
		for i := range recs[:k] {
			buf = corpus.AppendJSON(buf[:0], &recs[i])
			raw += len(buf) + 1
		}
		if err := s.Append(ctx, 1, recs[:k]); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	t.Logf("json %.1f per line", float64(raw)/131072)
	for _, p := range s.segments.byDay {
		for _, g := range p.segments {
			r, err := s.readers.get(s, g)
			if err != nil {
				t.Fatal(err)
			}
			sizes := map[string]int64{}
			for _, rg := range r.pq.Metadata().RowGroups {
				for _, c := range rg.Columns {
					sizes[c.MetaData.PathInSchema[0]] += c.MetaData.TotalCompressedSize
				}
			}
			t.Log(g.info.Rows, g.info.Bytes, r.desc.Blocks, len(r.desc.Groups))
			for k, v := range sizes {
				t.Logf("%-40s %8d %.2f", k, v, float64(v)/float64(g.info.Rows))
			}
			st, _ := os.Stat(segmentPath(dir, g.info) + ".idx")
			t.Logf("idx %d %.2f", st.Size(), float64(st.Size())/float64(g.info.Rows))
			st, _ = os.Stat(segmentPath(dir, g.info) + ".parquet")
			t.Logf("footer %.2f", float64(st.Size()-r.desc.Footer)/float64(g.info.Rows))
		}
	}
}
