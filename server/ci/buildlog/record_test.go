package buildlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"
)

// FuzzScanner reads foreign bytes as records: no panic, no endless loop, and what it
// accepts encodes to the same bytes again.
func FuzzScanner(f *testing.F) {
	var seed []byte
	for _, r := range []Record{
		{Time: epoch, Origin: "4a", Kind: KindLog, Source: Stderr, Payload: "text\n", consumed: 5},
		{Time: epoch, Kind: KindStatus, Version: "1.0", Data: []byte(`{"status":"started"}`)},
	} {
		var err error
		if seed, err = appendRecord(seed, &r); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(seed)
	f.Add(seed[:len(seed)-3])
	f.Add([]byte{0xff, 0xff, 0xff, 0, 1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, data []byte) {
		scan := newScanner(bytes.NewReader(data), 0, int64(len(data)))
		for {
			err := scan.advance()
			if errors.Is(err, io.EOF) || errors.Is(err, errDamaged) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r := scan.rec.record()
			again, err := appendRecord(nil, &r)
			if err != nil {
				t.Fatal(err)
			}
			var back rawRecord
			if err := decodeBody(again[headerSize:], &back); err != nil || fmt.Sprint(back.record()) != fmt.Sprint(r) {
				t.Fatalf("%+v became %+v, %v", r, back.record(), err)
			}
		}
	})
}

func benchLine(i int) string {
	return fmt.Sprintf("2026-01-02T03:04:05Z module/%04d compiled object number %d without warnings\r\n", i%977, i)
}

// million is a log of 1,000,000 lines in two interleaved sections.
func million(b *testing.B) (*Store, *Log) {
	b.Helper()
	store, l := setup(b)
	batch := make([]Record, 0, 1000)
	for i := range 1_000_000 {
		batch = append(batch, out([]string{"aaaa", "bbbb"}[i/5%2], benchLine(i)))
		if len(batch) == cap(batch) {
			add(b, l, batch...)
			batch = batch[:0]
		}
	}
	return store, l
}

func BenchmarkLineWriter(b *testing.B) {
	_, l := setup(b)
	w := l.LineWriter(LineOptions{Origin: "aaaa", Source: Stdout, Now: time.Now})
	var chunk []byte
	for i := range 50 {
		chunk = append(chunk, benchLine(i)...)
	}
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if _, err := w.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*50/b.Elapsed().Seconds(), "lines/s")
}

func BenchmarkAppendOne(b *testing.B) {
	_, l := setup(b)
	for b.Loop() {
		add(b, l, out("aaaa", "one short line of output\n"))
	}
}

func BenchmarkMillion(b *testing.B) {
	store, l := million(b)
	b.Run("line 900000", func(b *testing.B) {
		for b.Loop() {
			if lines, err := l.Lines(900_000, 200); err != nil || len(lines) != 200 {
				b.Fatal(err)
			}
		}
	})
	for name, q := range map[string]Query{
		"search literal":         {Text: "number 99999", Limit: 1000},
		"search literal, cased":  {Text: "number 99999", CaseSensitive: true, Limit: 1000},
		"search regex":           {Text: `module/0\d+ .*number 99999\d`, Regex: true, Limit: 1000},
		"search regex, no words": {Text: `\d{6} w`, Regex: true, Limit: 1000},
		"search all match":       {Text: "object", Limit: 1000},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if found, err := l.Search(b.Context(), q); err != nil || found.Lines == 0 {
					b.Fatal(found, err)
				}
			}
		})
	}
	closeLog(b, l)
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			closeLog(b, open(b, store, 7))
		}
	})
	b.Run("open without index", func(b *testing.B) {
		for b.Loop() {
			if err := os.Remove(indexPath(l.path)); err != nil {
				b.Fatal(err)
			}
			closeLog(b, open(b, store, 7))
		}
	})
}
