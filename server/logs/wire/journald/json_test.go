package journald

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/signalbox/signalbox/server/logs/record"
)

// An entry that journalctl prints as JSON becomes what its export becomes.
func TestJSONIsTheSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ json, export string }{
		{`{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1761300033596162","_HOSTNAME":"web-1","PRIORITY":"3","SYSLOG_IDENTIFIER":"nginx","_SYSTEMD_UNIT":"nginx.service","_PID":"17","MESSAGE":"it failed"}`,
			"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1761300033596162\n_HOSTNAME=web-1\nPRIORITY=3\nSYSLOG_IDENTIFIER=nginx\n_SYSTEMD_UNIT=nginx.service\n_PID=17\nMESSAGE=it failed\n\n"},
		{`{"__REALTIME_TIMESTAMP":"1761300033596162","_TRANSPORT":"kernel","SYSLOG_IDENTIFIER":"kernel","MESSAGE":[104,105,27]}`,
			"__REALTIME_TIMESTAMP=1761300033596162\n_TRANSPORT=kernel\nSYSLOG_IDENTIFIER=kernel\nMESSAGE\n\x03\x00\x00\x00\x00\x00\x00\x00hi\x1b\n\n"},
		{`{"__REALTIME_TIMESTAMP":"1761300033596162","PRIORITY":"6"}`, "__REALTIME_TIMESTAMP=1761300033596162\nPRIORITY=6\n\n"},
	} {
		fields, err := record.Flatten([]byte(c.json), record.DefaultLimits)
		if err != nil || !IsEntry(fields) {
			t.Fatal(c.json, err)
		}
		got, err1 := FromFields(fields)
		want, err2 := NewReader(bytes.NewReader([]byte(c.export)), 1<<20).Next()
		if fmt.Sprint(got, err1) != fmt.Sprint(want, err2) {
			t.Errorf("%s\n got %+v, %v\nwant %+v, %v", c.json, got, err1, want, err2)
		}
	}
	if IsEntry([]record.Field{{Name: "MESSAGE", Value: "x"}}) {
		t.Error("any object is taken for an entry")
	}
}
