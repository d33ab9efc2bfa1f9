package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s, err := Open(ctx, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	base := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	var recs []record.Record
	for i := range 30000 {
		recs = append(recs, record.Record{Time: base.Add(time.Duration(i) * time.Second), Stream: record.MakeLabels(map[string]string{"service": fmt.Sprint("s", i%7)}),
			Level: record.Level(i % 7), Message: fmt.Sprintf("Line number %d of many", i), Fields: []record.Field{{Name: "trace_id", Value: fmt.Sprintf("t%x", i*7919)}, {Name: fmt.Sprint("rare", i%500), Value: "1", Kind: record.Number}}})
	}
	if err := s.Append(ctx, 1, recs); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		list, st, err := s.Search(ctx, Request{Team: 1, Newest: true, Limit: 5}).List()
		if err != nil || len(list) != 5 || list[0].Message != "Line number 29999 of many" || len(list[0].Fields) != 2 {
			t.Fatalf("%v %+v %+v", err, st, list)
		}
		all, st, err := s.Search(ctx, Request{Team: 1}).List()
		if err != nil || len(all) != 30000 {
			t.Fatalf("%v %d %+v", err, len(all), st)
		}
		for i, r := range all {
			if r.Message != fmt.Sprintf("Line number %d of many", i) || r.Fields[1].Value != fmt.Sprintf("t%x", i*7919) || r.Stream.Get("service") != fmt.Sprint("s", i%7) || r.Level != record.Level(i%7) {
				t.Fatalf("%d: %+v", i, r)
			}
		}
		h, st, err := s.Histogram(ctx, Request{Team: 1, From: base, To: base.Add(24 * time.Hour)}, time.Hour)
		t.Log(len(h), h[0].Total(), st, err)
	}
	check()
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	check()
	s.Close()
	if s, err = Open(ctx, Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	check()
}
