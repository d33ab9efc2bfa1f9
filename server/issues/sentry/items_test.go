package sentry

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	s, err := ParseSession([]byte(`{"sid":"a","did":7,"init":true,"seq":3,"started":"2026-11-20T15:00:00Z","status":"Unhandled","errors":"2","duration":1.5,"attrs":{"release":"r","environment":"e"}}`), arrived)
	want := Session{ID: "a", UserID: "7", Init: true, Seq: 3, Started: start, Timestamp: arrived, Status: SessionCrashed, Errors: 2,
		Duration: 1500 * time.Millisecond, SessionAttrs: SessionAttrs{Release: "r", Environment: "e"}}
	if err != nil || s != want {
		t.Errorf("got %+v, %v", s, err)
	}
	if s, err := ParseSession([]byte(`{"sid":"a","status":"new thing","duration":null}`), arrived); err != nil || s.Status != SessionOK || s.Duration >= 0 || !s.Started.Equal(arrived) {
		t.Errorf("smallest: %+v, %v", s, err)
	}
	for _, raw := range []string{`{}`, `[]`, `{"sid":"a"`} {
		if _, err := ParseSession([]byte(raw), arrived); err == nil {
			t.Errorf("%s: no error", raw)
		}
	}
	all, err := ParseSessions([]byte(`{"aggregates":[{"started":"2026-11-20T15:00:00Z","exited":5,"crashed":-1,"did":"u"},{"errored":2},{"abnormal":1}],"attrs":{"release":"r"}}`), arrived, 2)
	if err != nil || len(all.Buckets) != 2 || all.Release != "r" || all.Buckets[0] != (SessionBucket{Started: start, UserID: "u", Exited: 5}) ||
		all.Buckets[1] != (SessionBucket{Started: arrived, Errored: 2}) {
		t.Errorf("buckets: %+v, %v", all, err)
	}
}

func TestCheckIns(t *testing.T) {
	t.Parallel()
	c, err := ParseCheckIn([]byte(`{"check_in_id":"00000000-0000-0000-0000-000000000000","monitor_slug":"nightly","status":"failed","duration":"2","monitor_config":{"schedule":{"type":"interval","value":2,"unit":"hours"},"checkin_margin":5,"max_runtime":99999999,"failure_issue_threshold":2,"recovery_threshold":3,"timezone":"Europe/Berlin"},"contexts":{"other":1,"trace":{"trace_id":"t"}}}`))
	want := CheckIn{Slug: "nightly", Status: CheckInError, Environment: "production", Duration: 2 * time.Second, TraceID: "t",
		Monitor: &MonitorConfig{Interval: 2, Unit: "hour", Margin: 5 * time.Minute, MaxRuntime: 366 * 24 * time.Hour, FailureThreshold: 2, RecoverThreshold: 3, Timezone: "Europe/Berlin"}}
	if err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v %+v, %v", c, c.Monitor, err)
	}
	c, err = ParseCheckIn([]byte(`{"check_in_id":"A46A3DA068234314B180C54250A5B3DD","monitor_slug":"n","monitor_config":{"schedule":{"type":"crontab","value":"0 3 * * *"}}}`))
	if err != nil || c.ID != "a46a3da068234314b180c54250a5b3dd" || c.Monitor.Crontab != "0 3 * * *" || c.Status != CheckInOK || c.Duration >= 0 {
		t.Errorf("got %+v, %v", c, err)
	}
	var m *MalformedError
	if _, err := ParseCheckIn([]byte(`{"status":"ok"}`)); !errors.As(err, &m) {
		t.Errorf("no monitor: %v", err)
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	r, err := ParseClientReport([]byte(`{"timestamp":1795189312,"discarded_events":[{"reason":"ratelimit_backoff","category":"error","quantity":3},{"quantity":0}],"filtered_events":[{"reason":"x","category":"y","quantity":1}]}`), arrived)
	if err != nil || !reflect.DeepEqual(r.Discarded, []Discarded{{"ratelimit_backoff", "error", 3}, {"x", "y", 1}}) || r.Timestamp.Unix() != 1795189312 {
		t.Errorf("got %+v, %v", r, err)
	}
	u, err := ParseUserReport([]byte(`{"event_id":"A46A3DA068234314B180C54250A5B3DD","name":"Ann","email":"a@b.c","comments":"It broke"}`))
	if err != nil || u != (UserReport{"a46a3da068234314b180c54250a5b3dd", "Ann", "a@b.c", "It broke"}) {
		t.Errorf("got %+v, %v", u, err)
	}
	if _, err := ParseUserReport([]byte(`{"name":"x"}`)); err == nil {
		t.Error("a report about nothing is taken")
	}
}

func TestTelemetry(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"go":          `{"items":[{"timestamp":"2026-11-20T15:00:00Z","level":"ERROR","severity_number":17,"body":"b","attributes":{"n":{"value":12,"type":"integer"},"f":{"value":1.5},"plain":"x","l":{"value":["a"]}}}]}`,
		"javascript":  `{"version":2,"items":[{"timestamp":1795186800,"level":"error","severity_number":17,"body":"b","attributes":{"n":{"value":12},"f":{"value":1.5},"plain":"x","l":{"value":["a"]}}}]}`,
		"bare array":  `[{"timestamp":1795186800,"level":"error","severity_number":17,"body":"b","attributes":{"n":{"value":12},"f":{"value":1.5},"plain":"x","l":{"value":["a"]}}}]`,
		"single item": `{"timestamp":1795186800,"level":"error","severity_number":17,"body":"b","attributes":{"n":{"value":12},"f":{"value":1.5},"plain":"x","l":{"value":["a"]}}}`,
	} {
		logs, err := ParseLogs([]byte(raw), arrived)
		want := []LogItem{{Timestamp: time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC), Level: "error", Severity: 17, Body: "b",
			Attributes: map[string]any{"n": int64(12), "f": 1.5, "plain": "x", "l": []any{"a"}}}}
		if err != nil || !reflect.DeepEqual(logs, want) {
			t.Errorf("%s: %+v, %v", name, logs, err)
		}
	}
	m, err := ParseMetrics([]byte(`{"items":[{"name":"n","type":"gauge","value":NaN,"unit":"s"},{"type":"counter"}]}`), arrived)
	if err != nil || len(m) != 1 || m[0].Value != 0 || m[0].Unit != "s" || !m[0].Timestamp.Equal(arrived) {
		t.Errorf("metrics: %+v, %v", m, err)
	}
	s, err := ParseSpans([]byte(`{"span_id":"a","op":"db","description":"SELECT 1","start_timestamp":1795186800,"timestamp":1795186700,"data":{"x":1}}`), arrived)
	if err != nil || len(s) != 1 || s[0].Op != "db" || s[0].Name != "SELECT 1" || s[0].End.Before(s[0].Start) || s[0].Attributes["x"] != int64(1) {
		t.Errorf("span of the first version: %+v, %v", s, err)
	}
	if _, err := ParseLogs([]byte(`{"items":`), arrived); err == nil {
		t.Error("cut-off logs are taken")
	}
}

func TestSecurityReports(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, raw, kind, directive, host, message string }{
		{"csp", `{"csp-report":{"document-uri":"https://x.org/a?b=1","referrer":"https://r/","violated-directive":"script-src 'self'","blocked-uri":"https://Evil.example/a.js","status-code":200}}`, TypeCSP, "script-src", "evil.example", "Blocked 'script' from 'evil.example'"},
		{"effective wins", `{"csp-report":{"violated-directive":"default-src","effective-directive":"img-src","blocked-uri":"data"}}`, TypeCSP, "img-src", "data", "Blocked 'img' from 'data'"},
		{"inline", `{"csp-report":{"effective-directive":"script-src-elem","blocked-uri":"inline"}}`, TypeCSP, "script-src-elem", "inline", "Blocked 'script' from 'inline'"},
		{"nothing blocked", `{"csp-report":{"effective-directive":"style-src"}}`, TypeCSP, "style-src", "", "Blocked unsafe 'style'"},
		{"reporting API", `[{"type":"deprecation","body":{}},{"type":"csp-violation","user_agent":"UA","body":{"documentURL":"https://x.org/","effectiveDirective":"img-src","blockedURL":"https://i.example/x.png","lineNumber":3}}]`, TypeCSP, "img-src", "i.example", "Blocked 'img' from 'i.example'"},
		{"expect-ct", `{"expect-ct-report":{"hostname":"x.org","port":443}}`, TypeExpectCT, "", "", "Expect-CT failed for 'x.org'"},
		{"hpkp", `{"hostname":"x.org","known-pins":["a"],"served-certificate-chain":["b"]}`, TypeHPKP, "", "", "Public key pinning validation failed for 'x.org'"},
	}
	for _, c := range cases {
		events, err := ParseSecurity([]byte(c.raw), arrived)
		if err != nil || len(events) != 1 {
			t.Errorf("%s: %+v, %v", c.name, events, err)
			continue
		}
		e := events[0]
		if e.Type != c.kind || e.Security.Directive != c.directive || e.Security.BlockedHost != c.host || e.Message.Text() != c.message || !e.Timestamp.Equal(arrived) {
			t.Errorf("%s: %+v %+v", c.name, e, e.Security)
		}
	}
	for _, raw := range []string{`{}`, `[]`, `x`, `{"csp-report":`} {
		if _, err := ParseSecurity([]byte(raw), arrived); err == nil {
			t.Errorf("%s: no error", raw)
		}
	}
}

func TestMinidumpEvent(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		fields map[string][]string
		want   string
	}{
		{"whole", map[string][]string{"sentry": {`{"release":"1"}`}}, `{"release":"1"}`},
		{"cut", map[string][]string{"sentry__1": {`{"rel`}, "sentry__2": {`ease":"1"}`}}, `{"release":"1"}`},
		{"brackets", map[string][]string{"sentry[release]": {"1"}, "sentry[tags][a]": {"b"}, "other": {"x"}}, `{"release":"1","tags":{"a":"b"}}`},
		{"collision", map[string][]string{"sentry[a]": {"1"}, "sentry[a][b]": {"2"}}, `{"a":{"b":"2"}}`},
		{"none", map[string][]string{"x": {"y"}}, `{}`},
		{"deep", map[string][]string{"sentry[" + strings.Repeat("a][", 50) + "a]": {"1"}}, `{}`},
	}
	for _, c := range cases {
		if got := string(MinidumpEvent(c.fields)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestUserKey(t *testing.T) {
	t.Parallel()
	cases := []struct {
		user User
		want string
	}{
		{User{ID: "7", Email: "e"}, "id:7"}, {User{Email: "e", Username: "u"}, "email:e"}, {User{Username: "u"}, "username:u"},
		{User{IPAddress: "1.2.3.4"}, "ip:1.2.3.4"}, {User{IPAddress: AutoIP}, ""}, {User{}, ""},
	}
	for _, c := range cases {
		if got := c.user.Key(); got != c.want {
			t.Errorf("%+v: %q", c.user, got)
		}
	}
}
