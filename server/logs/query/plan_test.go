package query

import (
	"testing"

	"github.com/signalbox/signalbox/server/logs/record"
)

// What labels and level decide needs no line to be read.
func TestDecide(t *testing.T) {
	t.Parallel()
	api := record.MakeLabels(map[string]string{"service": "api"})
	for _, test := range []struct {
		text    string
		level   record.Level
		verdict verdict
	}{
		{"", record.Unknown, always}, {"service:api", record.Unknown, always}, {"service:web", record.Info, never},
		{"service:/^a/", record.Unknown, always}, {"-service:api", record.Info, never}, {"host:x", record.Info, perhaps},
		{"level:error", record.Error, always}, {"level:error", record.Info, never}, {"level:error", record.Unknown, perhaps},
		{"level:>=warn", record.Error, always}, {"level:>=warn", record.Debug, never}, {"-level:error", record.Info, always},
		{"service:api level:error", record.Error, always}, {"service:api level:error", record.Warn, never},
		{"service:api timeout", record.Info, perhaps}, {"service:web timeout", record.Info, never},
		{"service:api or timeout", record.Info, always}, {"level:error or service:web", record.Unknown, perhaps},
	} {
		q, err := Parse(test.text)
		if err != nil {
			t.Fatal(test.text, err)
		}
		holds, known := NewPlan(q, nil).Decide(api, test.level)
		if want := test.verdict; known != (want != perhaps) || known && holds != (want == always) {
			t.Errorf("%q at %v: %v, known %v", test.text, test.level, holds, known)
		}
	}
}
