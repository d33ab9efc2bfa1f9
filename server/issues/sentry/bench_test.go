package sentry

import (
	"encoding/json"
	"testing"
)

func benchEvent(tb testing.TB) []byte {
	for _, rec := range recordings(tb) {
		if rec.name == "0041_py264_POST_api-1-envelope" {
			return readRecorded(tb, rec).Items[0].Payload
		}
	}
	tb.Fatal("the recording is missing")
	return nil
}

func BenchmarkParseEvent(b *testing.B) {
	raw := benchEvent(b)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseEvent(raw, arrived, arrived); err != nil {
			b.Fatal(err)
		}
	}
}

// What the digester does next with the event.
func BenchmarkStoredForm(b *testing.B) {
	e, err := ParseEvent(benchEvent(b), arrived, arrived)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(e); err != nil {
			b.Fatal(err)
		}
	}
}
