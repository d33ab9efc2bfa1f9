package logs

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// A child of these tests is this same test binary, taking lines over HTTP into the folder that this names.
const childDir = "SIGNALBOX_TEST_LOGS_INTAKE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := serveChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func childStore(ctx context.Context, dir string) (*store.Store, error) {
	rows, _ := strconv.Atoi(os.Getenv(childDir + "_ROWS")) // 0 is the default
	return store.Open(ctx, store.Options{Dir: dir, FlushRows: rows, Memory: 64 << 20})
}

// handler is the intake with all that is beside it, as app serves it.
func handler(s *Service) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.UseRawPath = true
	engine.Use(func(c *gin.Context) {
		if token, ok := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer "); ok {
			if caller, err := identify(c.Request.Context(), token); err == nil {
				c.Request = c.Request.WithContext(identity.With(c.Request.Context(), caller))
			}
		}
	})
	s.Routes(api.NewRouter(engine, &api.Table{}))
	return engine
}

// serveChild prints where it listens: HTTP, syslog over TCP and Fluent.
func serveChild(dir string) error {
	ctx := context.Background()
	lines, err := childStore(ctx, dir)
	if err != nil {
		return err
	}
	const mib = 1 << 20
	s := New(Deps{Store: lines, Now: time.Now, Log: slog.New(slog.DiscardHandler), Identify: identify, MaxBody: 16 * mib, MaxDecoded: 64 * mib})
	l, err := s.Listen(ctx, Listening{Syslog: anyPort, SyslogTeam: 1, Fluent: anyPort, FluentTeam: 1})
	if err != nil {
		return err
	}
	port, err := net.Listen("tcp", anyPort)
	if err != nil {
		return err
	}
	fmt.Println("http://"+port.Addr().String(), l.SyslogTCP, l.Fluent)
	return http.Serve(port, handler(s))
}

// child is a server in a process of its own.
type child struct {
	cmd                 *exec.Cmd
	url, syslog, fluent string
}

func startChild(t *testing.T, dir string, rows int) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childDir+"="+dir, childDir+"_ROWS="+strconv.Itoa(rows))
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	text, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the child did not start: %v", err)
	}
	if n, err := fmt.Sscan(text, &c.url, &c.syslog, &c.fluent); n != 3 {
		t.Fatal(text, err)
	}
	return c
}

func (c *child) kill() {
	c.cmd.Process.Kill() // an error says that it is gone
	c.cmd.Wait()         // killed: its error is no news
}

// batch is what one request holds; whoever gets no answer sends it again.
type batch struct {
	protocol string
	names    []string
	sent     int
	taken    bool
}

// request writes a batch as its protocol has it.
func (b *batch) request(ctx context.Context, url string) (*http.Request, error) {
	var path, kind, body string
	switch b.protocol {
	case "loki":
		path, kind = "/loki/api/v1/push", "application/json"
		var values []string
		for _, name := range b.names {
			values = append(values, fmt.Sprintf(`["%d",%q]`, time.Now().UnixNano(), name))
		}
		body = `{"streams":[{"stream":{"service":"loki"},"values":[` + strings.Join(values, ",") + `]}]}`
	case "elastic":
		path, kind = "/elasticsearch/_bulk", "application/x-ndjson"
		for _, name := range b.names {
			body += fmt.Sprintf("{\"create\":{\"_index\":\"x\"}}\n{\"@timestamp\":%q,\"message\":%q}\n", time.Now().UTC().Format(time.RFC3339Nano), name)
		}
	case "otlp":
		path, kind = "/v1/logs", "application/x-protobuf"
		for _, name := range b.names {
			body += string(logRecord(name))
		}
	}
	req, err := http.NewRequestWithContext(ctx, "POST", url+path, strings.NewReader(body))
	if err == nil {
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Authorization", "Bearer red")
	}
	return req, err
}

// send says whether the batch was taken; an error that it may have been.
func (b *batch) send(ctx context.Context, client *http.Client, url string) error {
	req, err := b.request(ctx, url)
	if err != nil {
		return err
	}
	b.sent++
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return err
	case res.StatusCode >= 300, b.protocol == "elastic" && !strings.Contains(string(raw), `"errors":false`):
		return fmt.Errorf("%s: %s %s", b.protocol, res.Status, raw)
	}
	b.taken = true
	return nil
}

// TestIntakeSurvivesKills: killed at any moment while three protocols send at once, the server has afterwards what it
// acknowledged, and twice only what a client sent twice.
func TestIntakeSurvivesKills(t *testing.T) {
	t.Parallel()
	rounds := 10
	if os.Getenv("SIGNALBOX_SOAK") != "" {
		rounds = 200
	}
	dir := t.TempDir()
	protocols := []string{"loki", "elastic", "otlp"}
	all := map[string][]*batch{}
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 7))
	for range rounds {
		c := startChild(t, dir, 3000)
		killed := time.AfterFunc(time.Duration(30+rng.IntN(250))*time.Millisecond, c.kill)
		var mu sync.Mutex
		var senders sync.WaitGroup
		for _, protocol := range protocols {
			senders.Go(func() {
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				client := &http.Client{Transport: transport}
				mu.Lock()
				list := all[protocol]
				mu.Unlock()
				list = sendUntilKilled(t.Context(), client, c.url, protocol, list)
				mu.Lock()
				all[protocol] = list
				mu.Unlock()
			})
		}
		senders.Wait()
		killed.Stop()
		c.kill()
	}
	checkTaken(t, dir, all)
}

// sendUntilKilled first sends again what had no answer, then more.
func sendUntilKilled(ctx context.Context, client *http.Client, url, protocol string, list []*batch) []*batch {
	for _, b := range list[max(len(list)-1, 0):] {
		for !b.taken {
			if b.send(ctx, client, url) != nil {
				return list
			}
		}
	}
	for {
		b := &batch{protocol: protocol}
		for i := range 1 + len(list)%7 {
			b.names = append(b.names, fmt.Sprintf("%s-%d-%d", protocol, len(list), i))
		}
		list = append(list, b)
		if b.send(ctx, client, url) != nil {
			return list
		}
	}
}

func checkTaken(t *testing.T, dir string, all map[string][]*batch) {
	t.Helper()
	lines, err := childStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	found := map[string]int{}
	rows := lines.Search(t.Context(), store.Request{Team: 1, Budget: store.Budget{Time: time.Minute, Bytes: 1 << 40, Memory: 1 << 30}})
	for row := range rows.All() {
		found[row.Message]++
	}
	if st := rows.Stats(); rows.Err() != nil || st.Partial != store.Whole {
		t.Fatalf("%+v, %v", st, rows.Err())
	}
	taken, twice := 0, 0
	for protocol, list := range all {
		for _, b := range list {
			for _, name := range b.names {
				n := found[name]
				if b.taken && n == 0 {
					t.Errorf("%s was acknowledged and is lost", name)
				}
				if n > b.sent {
					t.Errorf("%s was sent %d times and is there %d times", name, b.sent, n)
				}
				delete(found, name)
				if taken++; n > 1 {
					twice++
				}
			}
		}
		if len(list) < 10 {
			t.Errorf("only %d batches of %s", len(list), protocol)
		}
	}
	if len(found) > 0 {
		t.Errorf("lines that nobody sent: %v", found)
	}
	if d := lines.Damaged(); len(d) > 0 {
		t.Errorf("a kill is no damage: %+v", d)
	}
	t.Logf("%d lines, %d of them twice because they were sent twice", taken, twice)
}
