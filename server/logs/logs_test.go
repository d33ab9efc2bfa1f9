package logs

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/identity"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// world is a server with two teams, each with a token: "reds" and "blues".
type world struct {
	*testing.T
	*Service
	url string
}

func setup(t *testing.T) world {
	t.Helper()
	lines, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Memory: 32 << 20, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	s := New(Deps{Store: lines, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler), Identify: identify, MaxBody: 1 << 20, MaxDecoded: 4 << 20})
	server := httptest.NewServer(handler(s))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := lines.Close(); err != nil {
			t.Error(err)
		}
	})
	return world{t, s, server.URL}
}

// identify knows the tokens red, blue and reader, who may only read red lines.
func identify(_ context.Context, token string) (identity.Caller, error) {
	teams := map[string]identity.Team{"red": {ID: 1, Name: "reds"}, "blue": {ID: 2, Name: "blues"}, "reader": {ID: 1, Name: "reds"}}
	team, ok := teams[token]
	if !ok {
		return identity.Caller{}, errors.New("unknown")
	}
	c := identity.Caller{UserID: team.ID, Name: token, Roles: map[int64]identity.Role{team.ID: identity.Owner}, Teams: map[string]identity.Team{team.Name: team}}
	if token == "reader" {
		c.Scopes = identity.TokenScopes{"logs:read"}
	}
	return c, nil
}

// call makes a request and gives the status and the body; header is name: value pairs.
func (w world) call(method, path, body string, header ...string) (int, string) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

const (
	red    = "Authorization: Bearer red"
	blue   = "Authorization: Bearer blue"
	reader = "Authorization: Bearer reader"
	isJSON = "Content-Type: application/json"
)

// push brings three lines of the reds.
func (w world) push() {
	w.Helper()
	body := `{"streams":[{"stream":{"service":"api","host":"w1"},"values":[["1763640000000000000","level=error refused by db"],["1763640001000000000","{\"msg\":\"slow\",\"level\":\"warn\",\"ms\":12,\"trace_id\":\"abc\"}"]]},` +
		`{"stream":{"service":"web"},"values":[["1763640002000000000","hello",{"trace_id":"def"}]]}]}`
	body = strings.NewReplacer("17636400", "17951760").Replace(body) // at noon
	if status, text := w.call("POST", "/loki/api/v1/push", body, red, isJSON); status != http.StatusNoContent {
		w.Fatal(status, text)
	}
}

func (w world) search(token, query string) Found {
	w.Helper()
	team := map[string]string{red: "reds", reader: "reds", blue: "blues"}[token]
	body, err := json.Marshal(Search{Team: team, Query: query, From: noon.Add(-time.Minute), To: noon.Add(time.Minute)})
	if err != nil {
		w.Fatal(err)
	}
	status, text := w.call("POST", "/api/v1/logs/search", string(body), token, isJSON)
	var found Found
	if err := json.Unmarshal([]byte(text), &found); err != nil || status != http.StatusOK {
		w.Fatal(status, text, err)
	}
	return found
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	w := setup(t)
	line := `{"msg":"x"}`
	tests := []struct {
		name, path, body string
		header           []string
		status           int
	}{
		{"nobody", "/insert/jsonline", line, nil, 401},
		{"a wrong token", "/insert/jsonline", line, []string{"Authorization: Bearer no"}, 401},
		{"a reader", "/insert/jsonline", line, []string{reader}, 403},
		{"another's tenant", "/loki/api/v1/push", `{"streams":[]}`, []string{blue, isJSON, "X-Scope-OrgID: reds"}, 403},
		{"its own tenant", "/loki/api/v1/push", `{"streams":[]}`, []string{blue, isJSON, "X-Scope-OrgID: blues"}, 204},
		{"basic", "/insert/jsonline", line, []string{"Authorization: Basic eDpibHVl"}, 200},
		{"an API key", "/insert/jsonline", line, []string{"X-API-Key: blue"}, 200},
		{"Elasticsearch's key", "/elasticsearch/_bulk", "", []string{"Authorization: ApiKey aWQ6Ymx1ZQ=="}, 200},
		{"Elasticsearch without a token", "/elasticsearch/_bulk", "", nil, 401},
	}
	for _, test := range tests {
		if status, text := w.call("POST", test.path, test.body, test.header...); status != test.status {
			t.Errorf("%s: %d %s", test.name, status, text)
		}
	}
}

func TestEachTeamSeesItsOwn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.push()
	if n := len(w.search(red, "").Lines); n != 3 {
		t.Errorf("the reds find %d lines", n)
	}
	id := w.search(red, "refused").Lines[0].ID
	if n := len(w.search(blue, "").Lines); n != 0 {
		t.Errorf("the blues find %d lines of the reds", n)
	}
	for _, path := range []string{"/loki/api/v1/labels", "/loki/api/v1/series", "/loki/api/v1/label/service/values", "/loki/api/v1/patterns?query=%7B%7D", "/loki/api/v1/detected_fields", "/loki/api/v1/query_range?query=%7B%7D",
		"/loki/api/v1/index/stats", "/loki/api/v1/index/volume", "/api/v1/logs/export?team=blues", "/api/v1/logs/around?team=blues&id=" + id} {
		query := "start=1795175000&end=1795177000"
		if strings.Contains(path, "?") {
			path += "&" + query
		} else {
			path += "?" + query
		}
		if status, text := w.call("GET", path, "", blue); status >= 500 || strings.Contains(text, "api") && strings.Contains(text, "w1") || strings.Contains(text, "refused") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	for _, path := range []string{"/api/v1/logs/around?team=reds&id=" + id, "/api/v1/logs/export?team=reds", "/api/v1/logs/tail?team=reds"} {
		if status, _ := w.call("GET", path, "", blue); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestSearches(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.push()
	for query, want := range map[string]int{"refused": 1, "level:>=warn": 2, "trace_id:abc": 1, "trace_id:ABC or hello": 2, "service:api": 2, "-service:api": 1, "ms:>10": 1, "nothing": 0, "host:w1 slow | fields ms": 1} {
		if got := w.search(reader, query); len(got.Lines)+len(got.Rows) != want {
			t.Errorf("%s: %d lines, want %d", query, len(got.Lines), want)
		}
	}
	table := w.search(red, "| stats count() as n by (service) | sort n desc")
	if strings.Join(table.Columns, ",") != "service,n" || len(table.Rows) != 2 || strings.Join(table.Rows[0], ",") != "api,2" {
		t.Errorf("%v %v", table.Columns, table.Rows)
	}
	status, text := w.call("POST", "/api/v1/logs/search", `{"team":"reds","query":"service:api (x"}`, red, isJSON)
	if status != http.StatusBadRequest || !strings.Contains(text, `"field":"query","message":"12-13"`) {
		t.Errorf("%d %s", status, text)
	}
	slow := w.search(red, "slow").Lines[0]
	if slow.Level != "warn" || slow.Message != "slow" || slow.Labels["service"] != "api" || len(slow.Fields) != 2 {
		t.Errorf("%+v", slow)
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.push()
	in := `{"team":"reds","query":"","from":"2026-11-20T11:59:00Z","to":"2026-11-20T12:01:00Z"`
	tests := []struct{ path, body, want string }{
		{"histogram", in + `,"bars":2}`, `"total":3`},
		{"histogram", in + `,"bars":2}`, `"counts":{"error":1,"unknown":1,"warn":1}`},
		{"names", in + `}`, `{"name":"service","kind":"string","lines":3,"label":true}`},
		{"values", in + `,"names":["service"]}`, `{"value":"api","lines":2}`},
		{"field", in + `,"name":"ms"}`, `"numbers":{"min":12,"max":12,"avg":12,"p50":12,"p95":12}`},
		{"patterns", in + `}`, `"pattern":"level=error refused by db"`},
	}
	for _, test := range tests {
		if status, text := w.call("POST", "/api/v1/logs/"+test.path, test.body, red, isJSON); status != http.StatusOK || !strings.Contains(text, test.want) {
			t.Errorf("%s: %d %s", test.path, status, text)
		}
	}
	for _, bad := range []string{`{"team":"reds","query":"","names":[]}`, `{"team":"reds","query":"","names":["a"],"from":"2026-11-20T12:00:00Z","to":"2026-11-20T11:00:00Z"}`} {
		if status, text := w.call("POST", "/api/v1/logs/values", bad, red, isJSON); status != http.StatusBadRequest {
			t.Errorf("%d %s", status, text)
		}
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.push()
	span := "&from=2026-11-20T11:59:00Z&to=2026-11-20T12:01:00Z&order=oldest"
	tests := []struct{ query, want string }{
		{"format=txt", "2026-11-20T12:00:00Z level=error refused by db\n2026-11-20T12:00:01Z slow\n2026-11-20T12:00:02Z hello\n"},
		{"format=csv&query=" + url.QueryEscape("slow | fields service, ms"), "_time,service,ms,_msg\n2026-11-20T12:00:01Z,api,12,\n"},
		{"query=hello", `{"_msg":"hello","_time":"2026-11-20T12:00:02Z","service":"web","trace_id":"def"}` + "\n"},
	}
	for _, test := range tests {
		if status, text := w.call("GET", "/api/v1/logs/export?team=reds&"+test.query+span, "", red); status != http.StatusOK || text != test.want {
			t.Errorf("%s: %d %q", test.query, status, text)
		}
	}
	for _, bad := range []string{"format=xls", "from=yesterday", "query=" + url.QueryEscape("| stats count()"), "query=%28"} {
		if status, text := w.call("GET", "/api/v1/logs/export?team=reds&"+bad, "", red); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, status, text)
		}
	}
}

// TestLoki holds what Grafana's data source and logcli call.
func TestLoki(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.push()
	span := "start=1795175940&end=1795176060"
	tests := []struct {
		path, query string
		status      int
		want        string
	}{
		{"/query_range", `{service="api"}`, 200, `"resultType":"streams","result":[{"stream":{"detected_level":"warn","host":"w1","ms":"12","service":"api","trace_id":"abc"},"values":[["1795176001000000000","slow"]]}`},
		{"/query_range", `sum by (level, detected_level) (count_over_time({service=~".+"} | drop __error__ [2m]))`, 200, `"resultType":"matrix"`},
		{"/query_range", `{service="api"} |= "refused" | logfmt`, 200, `"level=error refused by db"`},
		{"/query_range", `{service="api"`, 400, "parse error at line 1, col 15"},
		{"/query", `vector(1)+vector(1)`, 200, `"resultType":"vector","result":[{"metric":{},"value":[`},
		{"/query", `sum(count_over_time({service="web"}[5m]))`, 200, `"result":[]`},
		{"/labels", "", 200, `{"status":"success","data":["host","service"]}`},
		{"/label/service/values", "", 200, `{"status":"success","data":["api","web"]}`},
		{"/series", "", 200, `{"data":[{"host":"w1","service":"api"},{"service":"web"}],"status":"success"}`},
		{"/index/stats", `{service="api"}`, 200, `"entries":2,"streams":1`},
		{"/index/volume", `{service=~".+"}`, 200, `"resultType":"vector"`},
		{"/index/volume_range", `{service=~".+"}`, 200, `"resultType":"matrix"`},
		{"/patterns", `{service="web"}`, 200, `"pattern":"hello","samples":[[`},
		{"/detected_labels", "", 200, `{"detectedLabels":[{"label":"host","cardinality":1},{"label":"service","cardinality":2}]}`},
		{"/detected_fields", `{service="api"}`, 200, `"label":"trace_id"`},
		{"/format_query", `{a="b"}`, 200, `"status":"success"`},
		{"/status/buildinfo", "", 200, `"version":"3.7.0"`},
	}
	for _, test := range tests {
		status, text := w.call("GET", "/loki/api/v1"+test.path+"?"+span+"&query="+url.QueryEscape(test.query), "", reader)
		if status != test.status || !strings.Contains(text, test.want) {
			t.Errorf("%s %s: %d %s", test.path, test.query, status, text)
		}
	}
	status, text := w.call("GET", "/loki/api/v1/query_range?"+span+"&query="+url.QueryEscape(`{service="web"}`), "", red, "X-Loki-Response-Encoding-Flags: categorize-labels")
	if !strings.Contains(text, `"encodingFlags":["categorize-labels"]`) || !strings.Contains(text, `["1795176002000000000","hello",{"structuredMetadata":{"trace_id":"def"}}]`) {
		t.Errorf("%d %s", status, text)
	}
	status, text = w.call("POST", "/loki/api/v1/query_range", "query="+url.QueryEscape(`{service="web"}`)+"&"+span+"&direction=forward&limit=1", red, "Content-Type: application/x-www-form-urlencoded")
	if status != http.StatusOK || !strings.Contains(text, "hello") {
		t.Errorf("a posted form: %d %s", status, text)
	}
	for _, bad := range []string{"start=x", "end=x", "since=x", "limit=x", "step=x", "start=1795176060&end=1795175940"} {
		if status, text := w.call("GET", "/loki/api/v1/query_range?query=%7B%7D&"+bad, "", red); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, status, text)
		}
	}
}

func TestOddBodies(t *testing.T) {
	t.Parallel()
	w := setup(t)
	tests := []struct {
		path, body string
		header     []string
		status     int
		want       string
	}{
		{"/loki/api/v1/push", "{", []string{isJSON}, 400, "no push request"},
		{"/loki/api/v1/push", "hello", nil, 400, "snappy"},
		{"/loki/api/v1/push", strings.Repeat("x", 2<<20), []string{isJSON}, 413, "larger than allowed"},
		{"/loki/api/v1/push", "x", []string{isJSON, "Content-Encoding: gzip"}, 400, "gzip"},
		{"/loki/api/v1/push", "x", []string{isJSON, "Content-Encoding: lzma"}, 400, "lzma"},
		{"/insert/jsonline", "{\"a\":1}\n\xff\n", nil, 200, `{"accepted":1,"rejected":1,"first_error":"a line is neither JSON nor text"}`},
		{"/elasticsearch/logs/_bulk", "nonsense\n", nil, 400, "Malformed action/metadata line [1]"},
		{"/elasticsearch/logs/_bulk", "{\"create\":{}}\n5\n{\"create\":{}}\n{\"message\":\"ok\"}\n", nil, 200, `"errors":true,"items":[{"create":{"_index":"logs","_id":"","status":400,`},
		{"/_bulk", "{\"create\":{}}\n{\"message\":\"ok\"}\n\n", nil, 200, `"errors":false,"items":[`},
	}
	for _, test := range tests {
		if status, text := w.call("POST", test.path, test.body, append(test.header, red)...); status != test.status || !strings.Contains(text, test.want) {
			t.Errorf("%s %.20q: %d %s", test.path, test.body, status, text)
		}
	}
	if found := w.search(red, "ok"); len(found.Lines) != 2 {
		t.Errorf("%d lines were kept", len(found.Lines))
	}
}

func TestElasticHandshakes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for path, want := range map[string]string{"/elasticsearch": `"number":"8.`, "/elasticsearch/": `"number":"8.`, "/elasticsearch/_license": `"active"`, "/elasticsearch/_cluster/health": "green", "/elasticsearch/_index_template/x": "{}",
		"/_cat/health": "green", "/logs/_refresh": `"successful":1`} {
		if status, text := w.call("GET", path, "", red); status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if status, text := w.call("PUT", "/elasticsearch/_index_template/x", "{}", red); status != http.StatusOK || !strings.Contains(text, `"acknowledged":true`) {
		t.Errorf("%d %s", status, text)
	}
}

func TestClocksFarAhead(t *testing.T) {
	t.Parallel()
	w := setup(t)
	if status, text := w.call("POST", "/insert/jsonline", `{"msg":"from the future","time":"2040-01-01T00:00:00Z"}`, red); status != http.StatusOK {
		t.Fatal(status, text)
	}
	found := w.search(red, "future")
	if len(found.Lines) != 1 || !found.Lines[0].Time.Equal(noon) || found.Lines[0].Fields[0].Name != "claimed_time" {
		t.Errorf("%+v", found.Lines)
	}
}

func TestAround(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.push()
	id := w.search(red, "slow").Lines[0].ID
	status, text := w.call("GET", "/api/v1/logs/around?team=reds&id="+id, "", red)
	var c Context
	if err := json.Unmarshal([]byte(text), &c); err != nil || status != http.StatusOK || len(c.Lines) != 2 || c.Index != 1 {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := w.call("GET", "/api/v1/logs/around?team=reds&id=x", "", red); status != http.StatusBadRequest {
		t.Error(status)
	}
}
