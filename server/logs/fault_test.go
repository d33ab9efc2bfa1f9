package logs

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// soaking makes the long form of a test.
func soaking() bool { return os.Getenv("SIGNALBOX_SOAK") != "" }

// memory is a figure of the child's /proc/PID/status, in MB.
func (c *child) memory(t *testing.T, what string) int {
	t.Helper()
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(c.cmd.Process.Pid) + "/status")
	if err != nil {
		t.Skip("this system does not tell the memory of processes")
	}
	for _, line := range strings.Split(string(raw), "\n") {
		if value, found := strings.CutPrefix(line, what+":"); found {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			if err != nil {
				t.Fatal(err)
			}
			return kb / 1024
		}
	}
	t.Fatalf("no %s", what)
	return 0
}

// ask makes a request to the child as the reds and gives the status and the start of the answer; 0 when the
// connection broke, as it may when a body is refused before its end.
func (c *child) ask(t *testing.T, method, path, kind string, body io.Reader, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer red")
	req.Header.Set("Content-Type", kind)
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := (&http.Client{Timeout: 3 * time.Minute}).Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(raw)
}

// find searches the reds' lines of the last hours.
func (c *child) find(t *testing.T, query string) (status int, f Found) {
	t.Helper()
	body, err := json.Marshal(Search{Team: "reds", Query: query, From: time.Now().Add(-3 * time.Hour), To: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	status, text := c.ask(t, "POST", "/api/v1/logs/search", "application/json", bytes.NewReader(body))
	if status == http.StatusOK {
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatal(err)
		}
	}
	return status, f
}

// until polls until done, and fails after a minute.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); !done(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("waited for ", what)
		}
	}
}

// endlessly gives a head and then as much of one letter.
func endlessly(head string, size int64) io.Reader {
	return io.MultiReader(strings.NewReader(head), io.LimitReader(garbage{}, size))
}

type garbage struct{}

func (garbage) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestOneLineOfGarbage: a line that never ends, over each way in, costs its sender and nobody else, and little memory.
func TestOneLineOfGarbage(t *testing.T) {
	t.Parallel()
	size := int64(80 << 20) // more than a request may hold
	if soaking() {
		size = 2 << 30
	}
	c := startChild(t, t.TempDir(), 0)
	if status, text := c.ask(t, "POST", "/insert/jsonline", "application/json", strings.NewReader(`{"msg":"before"}`)); status != http.StatusOK {
		t.Fatal(status, text)
	}
	var bomb bytes.Buffer
	z, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(z, endlessly(`{"msg":"`, size)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	before := c.memory(t, "VmHWM")
	for _, way := range []struct{ path, kind, head string }{
		{"/insert/jsonline", "application/x-ndjson", `{"msg":"`},
		{"/loki/api/v1/push", "application/json", `{"streams":[{"stream":{"a":"b"},"values":[["1","`},
		{"/loki/api/v1/push", "application/x-protobuf", "\xff\xff\xff\xff\x07"},
		{"/elasticsearch/_bulk", "application/x-ndjson", `{"create":{"_index":"`},
		{"/v1/logs", "application/x-protobuf", "\x0a\xff\xff\xff\xff\x07"},
		{"/v1/logs", "application/json", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"`},
	} {
		if status, text := c.ask(t, "POST", way.path, way.kind, endlessly(way.head, size)); status != 0 && status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d %.200s", way.path, status, text)
		}
		if status, text := c.ask(t, "POST", way.path, way.kind, bytes.NewReader(bomb.Bytes()), "Content-Encoding: gzip"); status != http.StatusRequestEntityTooLarge && status != http.StatusBadRequest {
			t.Errorf("%s packed: %d %.200s", way.path, status, text)
		}
	}
	// A journal is a stream without an end: its line is read to nothing, and the next one is kept.
	journal := io.MultiReader(endlessly("MESSAGE=", size), strings.NewReader(fmt.Sprintf("\n\n__REALTIME_TIMESTAMP=%d\nMESSAGE=after the garbage\n\n", time.Now().UnixMicro())))
	if status, text := c.ask(t, "POST", "/insert/journald/upload", "application/vnd.fdo.journal", journal); status != http.StatusAccepted && status != http.StatusBadRequest {
		t.Errorf("journald: %d %.200s", status, text)
	}
	c.stream(t, c.syslog, io.MultiReader(endlessly("<13>", size), strings.NewReader("\n<13>after the garbage\n")))
	c.stream(t, c.fluent, endlessly("\x93\xa1t\x00\x81\xa3log\xdb\x7f\xff\xff\xff", size))
	after := c.memory(t, "VmHWM")
	t.Logf("%d MB of memory at most, %d before", after, before)
	if after-before > 450 {
		t.Errorf("%d MB of memory for lines that are not kept", after-before)
	}
	until(t, "a line behind the garbage", func() bool { _, f := c.find(t, `"after the garbage"`); return len(f.Lines) >= 1 })
	if _, f := c.find(t, "before"); len(f.Lines) != 1 {
		t.Error("the line from before is gone")
	}
}

// stream writes to a port until all is written or it is shown the door.
func (c *child) stream(t *testing.T, address string, from io.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.Copy(conn, from) // being cut off is one of the answers
}

// TestManyFieldNames: a hundred thousand names cost a line each its field, and no table of a hundred thousand columns.
func TestManyFieldNames(t *testing.T) {
	t.Parallel()
	c := startChild(t, t.TempDir(), 400) // many small segments, which are merged
	before := c.memory(t, "VmHWM")
	const requests, lines, fields = 20, 100, 50
	for r := range requests {
		var body strings.Builder
		for l := range lines {
			fmt.Fprintf(&body, `{"msg":"many","n":%d`, r*lines+l)
			for f := range fields {
				fmt.Fprintf(&body, `,"name_%d":"value %d"`, (r*lines+l)*fields+f, f)
			}
			body.WriteString("}\n")
		}
		if status, text := c.ask(t, "POST", "/insert/jsonline", "application/x-ndjson", strings.NewReader(body.String())); status != http.StatusOK || !strings.Contains(text, `"accepted":100`) {
			t.Fatal(status, text)
		}
	}
	for query, want := range map[string]int{"n:1999 name_99999:*": 1, `name_73:"value 23"`: 1, "name_100000:*": 0, "n:7": 1} {
		if status, f := c.find(t, query); status != http.StatusOK || len(f.Lines) != want {
			t.Errorf("%s: %d, %d lines %s", query, status, len(f.Lines), f.Cut)
		}
	}
	status, text := c.ask(t, "POST", "/api/v1/logs/names", "application/json", strings.NewReader(fmt.Sprintf(`{"team":"reds","from":%q}`, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))))
	if status != http.StatusOK || strings.Count(text, `"name"`) > 20_000 {
		t.Errorf("%d, %d names", status, strings.Count(text, `"name"`))
	}
	status, text = c.ask(t, "GET", "/loki/api/v1/detected_fields?query=%7B%7D", "", nil)
	if status != http.StatusOK {
		t.Errorf("detected fields: %d %.200s", status, text)
	}
	t.Logf("%d MB of memory at most, %d before; %d names listed", c.memory(t, "VmHWM"), before, strings.Count(text, `"label"`))
	if used := c.memory(t, "VmHWM") - before; used > 300 {
		t.Errorf("%d MB of memory", used)
	}
}

// TestGreedyQueries: what would take all memory or time ends early and says so, or is refused, while others are served.
func TestGreedyQueries(t *testing.T) {
	t.Parallel()
	c := startChild(t, t.TempDir(), 0)
	total := 60_000
	if soaking() {
		total = 1_000_000
	}
	start := time.Now().Add(-time.Hour)
	for at := 0; at < total; {
		var body strings.Builder
		for range 10_000 {
			fmt.Fprintf(&body, `{"time":%q,"msg":"request %d served to a customer with a name that takes some room","id":"%032x","user":"u%d"}`+"\n", start.Add(time.Duration(at)*time.Millisecond).UTC().Format(time.RFC3339Nano), at, at*2654435761, at)
			at++
		}
		if status, text := c.ask(t, "POST", "/insert/jsonline?_service=shop", "application/x-ndjson", strings.NewReader(body.String())); status != http.StatusOK {
			t.Fatal(status, text)
		}
	}
	before := c.memory(t, "VmHWM")
	for _, query := range []string{
		"| stats count() by (id, user, _msg)",
		"| stats count_uniq(id) as n, count_uniq(user) as m by (user)",
		"| top 1000000000 by (id)",
		"| sort id | limit 1000000000",
		"| dedup id",
		"| pattern",
		"/(x+x+)+y/",
		"/((a{1,200}){1,200}){1,200}/",
		"/" + strings.Repeat("(.*a|", 900) + "b" + strings.Repeat(")", 900) + "/",
		strings.Repeat("(", 5000) + "x" + strings.Repeat(")", 5000),
		strings.Repeat("a or ", 20_000) + "b",
	} {
		began := time.Now()
		status, f := c.find(t, query)
		if status != http.StatusOK && (status < 400 || status >= 500) {
			t.Errorf("%.60s: %d", query, status)
		}
		if took := time.Since(began); took > 40*time.Second {
			t.Errorf("%.60s: %s", query, took)
		}
		if len(f.Rows) > 200_000 {
			t.Errorf("%.60s: %d rows", query, len(f.Rows))
		}
		t.Logf("%.60s: %d in %s, %d rows, %d lines %s", query, status, time.Since(began).Round(time.Millisecond), len(f.Rows), len(f.Lines), f.Cut)
	}
	span := fmt.Sprintf("&start=%d&end=%d", start.UnixNano(), time.Now().UnixNano())
	for _, path := range []string{
		"/loki/api/v1/query_range?query=" + escapeQuery(`sum by (id) (count_over_time({service=~".+"} | json [1s]))`) + "&step=1s" + span,
		"/loki/api/v1/query_range?query=" + escapeQuery(`topk(1000000, count_over_time({service=~".*"} | json [1m]))`) + "&step=1ms" + span,
		"/loki/api/v1/query_range?limit=1000000000&query=" + escapeQuery(`{service=~".*"}`) + span,
		"/loki/api/v1/series?match[]=" + escapeQuery(`{service=~".*"}`) + span,
	} {
		began := time.Now()
		status, text := c.ask(t, "GET", path, "", nil)
		if status != http.StatusOK && (status < 400 || status >= 500) {
			t.Errorf("%.120s: %d %.200s", path, status, text)
		}
		t.Logf("%.120s: %d in %s", path, status, time.Since(began).Round(time.Millisecond))
	}
	t.Logf("%d MB of memory at most, %d before", c.memory(t, "VmHWM"), before)
	if used := c.memory(t, "VmHWM") - before; used > 400 {
		t.Errorf("%d MB of memory", used)
	}
	if status, f := c.find(t, "user:u77"); status != http.StatusOK || len(f.Lines) != 1 {
		t.Error("afterwards:", status, len(f.Lines))
	}
}

func escapeQuery(q string) string {
	return strings.NewReplacer("%", "%25", " ", "%20", "+", "%2B", "{", "%7B", "}", "%7D", "|", "%7C", `"`, "%22", "&", "%26").Replace(q)
}

// TestTailsThatStopReading: readers that hang cost intake nothing and hold little; one that reads is told what it missed.
func TestTailsThatStopReading(t *testing.T) {
	t.Parallel()
	c := startChild(t, t.TempDir(), 0)
	host := strings.TrimPrefix(c.url, "http://")
	open := func(head string, buffer int) net.Conn {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if tcp, ok := conn.(*net.TCPConn); ok {
			if err := tcp.SetReadBuffer(buffer); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.WriteString(conn, head+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer red\r\n"); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	for range 5 {
		if _, err := io.WriteString(open("GET /api/v1/logs/tail?team=reds", 4096), "\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(open("GET /loki/api/v1/tail?query=%7B%7D", 4096), "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	reader := open("GET /api/v1/logs/tail?team=reds", 4<<20)
	if _, err := io.WriteString(reader, "\r\n"); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(reader)
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatal(line, err)
	}
	before := c.memory(t, "VmHWM")
	line := `{"msg":"` + strings.Repeat("a long line ", 40) + `"}` + "\n"
	requests := 6
	if soaking() {
		requests = 200
	}
	for range requests {
		if status, text := c.ask(t, "POST", "/insert/jsonline", "application/x-ndjson", strings.NewReader(strings.Repeat(line, 5000))); status != http.StatusOK {
			t.Fatal(status, text)
		}
	}
	t.Logf("%d MB of memory at most, %d before", c.memory(t, "VmHWM"), before)
	if used := c.memory(t, "VmHWM") - before; used > 400 {
		t.Errorf("%d MB of memory", used)
	}
	if err := reader.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		text, err := in.ReadString('\n')
		if err != nil {
			t.Fatal("it is not told what it missed: ", err)
		}
		if strings.Contains(text, `"dropped":`) || strings.Contains(text, `"missed":`) {
			break
		}
	}
}
