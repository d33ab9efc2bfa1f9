package logs

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

func TestConditions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in    AlertCondition
		want  string // the condition as it is stored, or the field that is wrong
		words string
	}{
		{AlertCondition{Kind: WhenThreshold, Query: " level:error ", Value: 3, Days: 9, Over: "x"},
			`{"kind":"threshold","query":"level:error","minutes":5,"figure":"count()","op":"\u003e","value":3}`, "there are more than 3 lines of “level:error” within 5 minutes"},
		{AlertCondition{Kind: WhenThreshold, Query: "| stats quantile(0.5, ms)  by service", Op: OpLess, Value: 1.5, Minutes: 60},
			`{"kind":"threshold","query":"","minutes":60,"figure":"p50(ms)","by":"service","op":"\u003c","value":1.5}`, "p50(ms) of the lines for one service is less than 1.5 within 1 hour"},
		{AlertCondition{Kind: WhenThreshold, Query: `"a | b" | where ms:>9 | stats max("strange name")`, Minutes: 1},
			`{"kind":"threshold","query":"\"a | b\" | where ms:\u003e9","minutes":1,"figure":"max(\"strange name\")","op":"\u003e"}`, ""},
		{AlertCondition{Kind: WhenThreshold, Figure: " quantile(0.123, d) ", By: `"a b"`}, `{"kind":"threshold","query":"","minutes":5,"figure":"quantile(0.123, d)","by":"a b","op":"\u003e"}`, ""},
		{AlertCondition{Kind: WhenAbsent, Query: "tick", Value: 9}, `{"kind":"absence","query":"tick","minutes":5}`, "there are no lines of “tick” within 5 minutes"},
		{AlertCondition{Kind: WhenPattern, Query: "level:error"}, `{"kind":"pattern","query":"level:error","minutes":60,"days":7}`, "lines of “level:error” have a message of a kind not seen for 7 days"},
		{AlertCondition{Kind: WhenRatio, Query: "status:>=500", Over: "status:*", Value: 5, Least: 20, Figure: "max(x)", By: "y"},
			`{"kind":"ratio","query":"status:\u003e=500","minutes":5,"op":"\u003e","value":5,"over":"status:*","least":20}`,
			"lines of “status:>=500” are more than 5 % of the lines of “status:*” within 5 minutes and those are at least 20"},
		{AlertCondition{Kind: "no"}, "condition.kind", ""},
		{AlertCondition{Kind: WhenThreshold, Query: `"open`}, "query", ""},
		{AlertCondition{Kind: WhenThreshold, Query: strings.Repeat("a", 4001)}, "condition.query", ""},
		{AlertCondition{Kind: WhenThreshold, Query: "a | limit 5"}, "condition.query", ""},
		{AlertCondition{Kind: WhenThreshold, Query: "a | stats count() by (time(5m))"}, "condition.query", ""},
		{AlertCondition{Kind: WhenThreshold, Query: "a | stats count(), max(ms)"}, "condition.query", ""},
		{AlertCondition{Kind: WhenAbsent, Query: "a | stats count()"}, "condition.query", ""},
		{AlertCondition{Kind: WhenThreshold, Figure: "count() | limit 1"}, "condition.figure", ""},
		{AlertCondition{Kind: WhenThreshold, Figure: "count() by (x)"}, "condition.figure", ""},
		{AlertCondition{Kind: WhenThreshold, Figure: "nonsense"}, "condition.figure", ""},
		{AlertCondition{Kind: WhenThreshold, By: "a, b"}, "", ""}, // one strange name
		{AlertCondition{Kind: WhenThreshold, Op: "="}, "condition.op", ""},
		{AlertCondition{Kind: WhenThreshold, Minutes: -1}, "condition.minutes", ""},
		{AlertCondition{Kind: WhenThreshold, Minutes: 10081}, "condition.minutes", ""},
		{AlertCondition{Kind: WhenRatio, Over: "(x"}, "condition.over", ""},
		{AlertCondition{Kind: WhenRatio, Least: -1}, "condition.least", ""},
		{AlertCondition{Kind: WhenPattern, Days: 91}, "condition.days", ""},
	}
	for _, test := range tests {
		c := test.in
		got, words := "", ""
		if err := c.check(); err != nil {
			got = problem.From(err).Fields[0].Field
		} else {
			got, words = written(c), c.words()
			again := c
			if err := again.check(); err != nil || again != c {
				t.Errorf("%s is not checked the same again: %s %v", got, written(again), err)
			}
		}
		if test.want != "" && got != test.want || test.words != "" && words != test.words {
			t.Errorf("%+v:\n%s\n%s", test.in, got, words)
		}
	}
}

func TestNarrowed(t *testing.T) {
	t.Parallel()
	tests := []struct{ query, by, subject, want string }{
		{"refused", "", "", "refused"}, {"", "service", "api", `service:"api"`}, {"refused", "service", `a "b"`, `service:"a \"b\"" refused`},
		{"a or b", "host", "w1", `host:"w1" (a or b)`}, {"a | where b", "host", "w1", `a | where b | where host:"w1"`}, {"a", "host", "", "-host:* a"}, {"", "a b", "x", `"a b":"x"`},
	}
	for _, test := range tests {
		got := AlertCondition{Kind: WhenThreshold, Query: test.query, By: test.by}.narrowed(test.subject)
		if _, err := query.Parse(got); got != test.want || err != nil {
			t.Errorf("%+v: %s %v", test, got, err)
		}
	}
}

func TestAlertSentences(t *testing.T) {
	t.Parallel()
	c := AlertCondition{Kind: WhenAbsent, Query: "tick", Minutes: 10}
	tests := []struct {
		a    Alert
		want string
	}{
		{Alert{Condition: c}, "When there are no lines of “tick” within 10 minutes, show it here and tell nobody."},
		{Alert{Condition: c, Actions: []AlertAction{{TellMail, "x"}, {TellSlack, "x"}, {TellWebhook, "x"}}, Resolve: true, Throttle: 60, Remind: 1440},
			"When there are no lines of “tick” within 10 minutes, send mail to ops, post to ops in Slack and call the webhook ops, and again when it is over, at most every hour; remind every day while it lasts."},
	}
	for _, test := range tests {
		if got := test.a.sentence(func(AlertAction) string { return "ops" }); got != test.want {
			t.Error(got)
		}
	}
}

func TestAlertRequests(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	w.lines(1, "api", "oops")
	condition := `{"kind":"threshold","query":"oops","minutes":5,"value":2}`
	body := func(more string) string {
		return `{"team":"reds","name":"Errors","condition":` + condition + more + `}`
	}
	id := strings.Repeat("0", 31) + "1"
	tests := []struct {
		name, method, path, body, token string
		status                          int
		want                            string
	}{
		{"none yet", "GET", "?team=reds", "", reader, 200, `{"items":[]}`},
		{"channels", "GET", "/targets?team=reds", "", reader, 200, `{"channels":[{"id":"hook","kind":"webhook","name":"ops","summary":"https://example.com","enabled":true},{"id":"off"`},
		{"made by who may only read", "POST", "", body(""), reader, 403, ""},
		{"made for another team", "POST", "", body(""), blue, 404, ""},
		{"a name is missing", "POST", "", `{"team":"reds","condition":` + condition + `}`, red, 400, `"field":"name"`},
		{"a channel that is not there", "POST", "", body(`,"actions":[{"type":"mail","target":"hook"}]`), red, 400, "which is a channel for webhook and not for mail"},
		{"another's channel", "POST", "", body(`,"actions":[{"type":"mail","target":"x"}]`), red, 400, "names a channel that this team does not have"},
		{"a channel twice", "POST", "", body(`,"actions":[{"type":"webhook","target":"hook"},{"type":"webhook","target":"hook"}]`), red, 400, "twice"},
		{"a strange action", "POST", "", body(`,"actions":[{"type":"pigeon","target":"hook"}]`), red, 400, "none of mail, slack, webhook and github"},
		{"a bad wait", "POST", "", body(`,"throttle_minutes":-1`), red, 400, `"field":"throttle_minutes"`},
		{"a bad query", "POST", "", strings.Replace(body(""), "oops", "(oops", 1), red, 400, `"field":"query"`},
		{"an unknown field", "POST", "", body(`,"colour":1`), red, 400, "colour"},
		{"made", "POST", "", body(`,"actions":[{"type":"webhook","target":"hook"},{"type":"mail","target":"off"}]`), red, 201,
			`"throttle_minutes":10,"remind_minutes":0,"resolve":true,"state":"waiting","value":null,"error":"","firing":[],"sentence":"When there are more than 2 lines`},
		{"listed", "GET", "?team=reds", "", reader, 200, `"problem":"The channel night is switched off."`},
		{"one", "GET", "/" + id, "", reader, 200, `"created_by":"red"`},
		{"another team's", "GET", "/" + id, "", blue, 404, ""},
		{"history of another team's", "GET", "/" + id + "/history", "", blue, 404, ""},
		{"a test", "POST", "/" + id + "/test", "", red, 200, `"why":"Somebody asked for a test."`},
		{"how the test fared", "GET", "/" + id + "/history?limit=1", "", reader, 200, `"about":"test","state":"sent","error":"","ended_at":"2026-11-20T12:00:00Z"},{"type":"mail","target":"off","label":"night","about":"test","state":"failed","error":"The channel night is switched off."`},
		{"a test by who may only read", "POST", "/" + id + "/test", "", reader, 403, ""},
		{"a change by who may only read", "PATCH", "/" + id, `{"enabled":false}`, reader, 403, ""},
		{"a bad change", "PATCH", "/" + id, `{"mute_minutes":-1}`, red, 400, "mute_minutes"},
		{"off", "PATCH", "/" + id, `{"enabled":false,"actions":[]}`, red, 200, `"state":"off"`},
		{"a test of one that tells nobody", "POST", "/" + id + "/test", "", red, 409, "tells nobody"},
		{"removed by another", "DELETE", "/" + id, "", blue, 404, ""},
		{"removed", "DELETE", "/" + id, "", red, 204, ""},
		{"gone", "GET", "/" + id, "", red, 404, ""},
	}
	for _, test := range tests {
		if status, text := w.call(test.method, alertsPath+test.path, test.body, test.token, isJSON); status != test.status || !strings.Contains(text, test.want) {
			t.Errorf("%s: %d %s", test.name, status, text)
		}
	}
	m := w.posts.last(t)
	if m.Title != "Test of the alert Errors" || !strings.Contains(m.Text, "When there are more than 2 lines of “oops” within 5 minutes") {
		t.Errorf("%+v", m)
	}
}

// TestAlertBeginsAnew: another condition forgets what the old one found.
func TestAlertBeginsAnew(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	id := w.make("Errors", AlertCondition{Kind: WhenThreshold, Query: "oops", Minutes: 5})
	w.lines(1, "api", "oops")
	w.look()
	w.told("at first", "Errors: 1 line")
	w.change(id, `{"name":"Mistakes"}`)
	if a := w.alert(id); a.State != alertFiring || a.Name != "Mistakes" {
		t.Errorf("%+v", a)
	}
	w.change(id, `{"condition":{"kind":"threshold","query":"api","minutes":5}}`)
	if a := w.alert(id); a.State != alertWaiting || len(a.Firing) != 0 || w.history(id)[0].EndedAt == 0 {
		t.Errorf("%+v", a)
	}
	w.posts.gone["hook"] = true
	w.change(id, `{"enabled":false}`)
	if a := w.alert(id); a.Problem != "The channel is gone. Choose another one." {
		t.Errorf("%+v", a)
	}
	w.pass(firingsKept + time.Minute)
	if err := w.sweepAlerts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.history(id)); n != 0 {
		t.Errorf("%d firings are kept for more than their time", n)
	}
}

func TestAlertTools(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	w.make("Errors", AlertCondition{Kind: WhenThreshold, Query: "oops", Minutes: 5})
	w.call("POST", searchesPath, `{"team":"reds","name":"Mine","query":"oops","shared":true}`, red, isJSON)
	r := tools.NewRegistry()
	if err := w.RegisterAlertTools(r); err != nil {
		t.Fatal(err)
	}
	caller, err := identify(t.Context(), "reader")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"logs_alerts_list": `"state":"waiting"`, "logs_saved_list": `"query":"oops"`} {
		out, err := r.Call(identity.With(t.Context(), caller), name, []byte(`{"team":"reds"}`))
		if err != nil || !strings.Contains(written(out), want) {
			t.Errorf("%s: %v %s", name, err, written(out))
		}
	}
}

// TestPreviewIsWhatHappens compares what an alert did with what its preview says it
// would have done.
func TestPreviewIsWhatHappens(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	conditions := []AlertCondition{
		{Kind: WhenThreshold, Query: "oops", Minutes: 3, Value: 2},
		{Kind: WhenThreshold, Query: "oops", Minutes: 3, Value: 2, By: "service"},
		{Kind: WhenThreshold, Query: "beat", Minutes: 3, Op: OpLess, Value: 3},
		{Kind: WhenAbsent, Query: "oops", Minutes: 4},
		{Kind: WhenRatio, Query: "oops", Over: "", Minutes: 3, Value: 40, Least: 2},
	}
	var ids []string
	for i, c := range conditions {
		ids = append(ids, w.make(fmt.Sprint("Alert ", i), c))
	}
	plan := []int{0, 1, 3, 0, 0, 0, 0, 0, 2, 2, 0, 0, 5, 0, 0, 0, 0, 1, 0, 0}
	for i, n := range plan {
		w.pass(30 * time.Second)
		w.lines(1, "api", "beat")
		w.lines(n, "api", "oops")
		w.lines(n/2, "web", "oops")
		w.pass(-30 * time.Second)
		w.look()
		if i%7 == 6 {
			w.look(3) // and no beat
		}
	}
	for i, c := range conditions {
		c = w.alert(ids[i]).Condition
		body := `{"team":"reds","condition":` + written(c) + `,"name":"ignored"}`
		status, text := w.call("POST", alertsPath+"/preview", body, reader, isJSON)
		var p AlertPreview
		decode(t, text, &p)
		if status != http.StatusOK || p.Note != "" || len(p.Points) > previewPoints || len(p.Points) < previewPoints-20 {
			t.Fatalf("%d: %d, %d points, %s", i, status, len(p.Points), p.Note)
		}
		// Before there was nothing, about which alerts on silence fire for long in a preview.
		since := noon.Add(time.Minute).UnixMilli()
		words := func(subject string, at, ended api.Millis, value *float64) string {
			if int64(at) <= since {
				return ""
			}
			return fmt.Sprintf("%s %s %g %d\n", subject, time.UnixMilli(int64(at)).UTC().Format("15:04"), *value, ended)
		}
		did, would := "", ""
		for _, f := range w.history(ids[i]) {
			did += words(f.Subject, f.At, f.EndedAt, f.Value)
		}
		for _, f := range p.Firings {
			would += words(f.Subject, f.At, f.EndedAt, f.Value)
		}
		if did != would || did == "" {
			t.Errorf("%s: did\n%swould\n%s", c.words(), did, would)
		}
	}
}

func TestPreviews(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	w.pass(-3*24*time.Hour + time.Hour)
	w.lines(4, "api", "hello 17")
	w.lines(30, "api", "GET /", "ms=900")
	w.pass(3*24*time.Hour - 4*time.Hour)
	w.lines(4, "api", "hello 18")
	w.lines(2, "api", "cannot reach 10.0.0.7")
	w.lines(30, "web", "GET /", "ms=900")
	w.pass(3 * time.Hour)
	figure := `{"kind":"threshold","query":"GET","minutes":30,"figure":"avg(ms)","by":"service","value":500}`
	pattern := `{"kind":"pattern","query":"","minutes":60,"days":2}`
	tests := []struct {
		name, body string
		status     int
		want       []string
	}{
		{"a bad range", `{"team":"reds","days":3,"condition":` + figure + `}`, 400, []string{`"field":"days"`}},
		{"a figure over a day", `{"team":"reds","condition":` + figure + `}`, 200, []string{`"count":1,"last_day":1,"note":"Windows are looked at`, `"subject":"web"`, `"at":"2026-11-20T09:00:00Z","ended_at":"2026-11-20T09:30:00Z","value":900`}},
		{"a figure over a week", `{"team":"reds","days":7,"condition":` + figure + `}`, 200, []string{`"count":2,"last_day":1,`}},
		{"new kinds", `{"team":"reds","condition":` + pattern + `}`, 200, []string{`"count":1,"last_day":1,`, `"subject":"cannot reach <*>"`, `"value":1}`, `"note":""`}},
		{"new kinds over a week", `{"team":"reds","days":7,"condition":` + pattern + `}`, 200, []string{`"count":3,"last_day":1,`}},
		{"without a condition", `{"team":"reds"}`, 400, []string{`"field":"condition.kind"`}},
	}
	for _, test := range tests {
		status, text := w.call("POST", alertsPath+"/preview", test.body, reader, isJSON)
		for _, want := range test.want {
			if status != test.status || !strings.Contains(text, want) {
				t.Errorf("%s: %d %s\nlacks %s", test.name, status, text[max(strings.Index(text, `"firings"`), 0):], want)
			}
		}
	}
	if status, _ := w.call("POST", alertsPath+"/preview", `{"team":"reds","condition":`+pattern+`}`, blue, isJSON); status != http.StatusNotFound {
		t.Error("another team's:", status)
	}
}
