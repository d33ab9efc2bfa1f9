package jsonlines

import (
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/logs/record"
)

// What journalctl -o json prints keeps its time, level and place.
func TestJournal(t *testing.T) {
	t.Parallel()
	const text = `{"__REALTIME_TIMESTAMP":"1761300033596162","_HOSTNAME":"web-1","PRIORITY":"3","_SYSTEMD_UNIT":"nginx.service","MESSAGE":"it failed"}
{"__REALTIME_TIMESTAMP":"1761300033596163","SYSLOG_IDENTIFIER":"cron"}
`
	b, err := Read(strings.NewReader(text), Options{Service: "other", Lines: 10, Line: 1000})
	if err != nil || len(b.Records) != 1 || len(b.Rejected) != 1 {
		t.Fatalf("%+v, %v", b, err)
	}
	r := b.Records[0]
	if r.Message != "it failed" || r.Time.UnixMicro() != 1761300033596162 || r.Level != record.Error || r.Stream.Key() != `{host="web-1", service="nginx", source="journald"}` {
		t.Errorf("%+v", r)
	}
}
