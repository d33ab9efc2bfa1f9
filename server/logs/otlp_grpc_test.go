package logs

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/wire/grpc"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// grpcClient speaks HTTP/2 without TLS, or with it.
func grpcClient(t *testing.T, secure bool) *http.Client {
	t.Helper()
	p := &http.Protocols{}
	p.SetUnencryptedHTTP2(!secure)
	p.SetHTTP2(secure)
	transport := &http.Transport{Protocols: p, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// export makes a call and gives its status with its message, and the answer.
func (w world) export(client *http.Client, url string, body []byte, header ...string) (status, message, answer string) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), "POST", url, bytes.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("TE", "trailers")
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := client.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		w.Fatal(res.Status, err)
	}
	if status = res.Header.Get("Grpc-Status"); status == "" {
		status = res.Trailer.Get("Grpc-Status")
	}
	return status, res.Header.Get("Grpc-Message"), string(raw)
}

// logRecord is an ExportLogsServiceRequest with one line.
func logRecord(line string) []byte {
	wrap := func(tag byte, inner []byte) []byte {
		return append(binary.AppendUvarint([]byte{tag}, uint64(len(inner))), inner...)
	}
	body := wrap(0x2a, wrap(0x0a, []byte(line))) // body.string_value
	at := append([]byte{0x09}, binary.LittleEndian.AppendUint64(nil, uint64(noon.UnixNano()))...)
	return wrap(0x0a, wrap(0x12, wrap(0x12, append(at, body...)))) // resource_logs, scope_logs, log_records
}

func packed(t *testing.T, message []byte) []byte {
	t.Helper()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(message); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	body := grpc.Frame(z.Bytes())
	body[0] = 1
	return body
}

func TestOTLPOverGRPC(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		w := setup(t)
		var config *tls.Config
		scheme := "http://"
		if secure {
			config, scheme = selfSigned(t), "https://"
		}
		l, err := w.ListenOTLP(t.Context(), anyPort, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close(context.WithoutCancel(t.Context())) })
		at := scheme + l.Addr.String()
		client := grpcClient(t, secure)
		token := "authorization: Bearer red"
		tests := []struct {
			name, path string
			body       []byte
			header     []string
			status     string
		}{
			{"plain", exportMethod, grpc.Frame(logRecord("over grpc")), []string{token}, "0"},
			{"basic", exportMethod, grpc.Frame(logRecord("over grpc")), []string{"authorization: Basic eDpyZWQ="}, "0"},
			{"gzip", exportMethod, packed(t, logRecord("over grpc")), []string{token, "grpc-encoding: gzip"}, "0"},
			{"nothing in it", exportMethod, grpc.Frame(nil), []string{token}, "0"},
			{"no token", exportMethod, grpc.Frame(logRecord("no")), nil, "16"},
			{"a wrong token", exportMethod, grpc.Frame(logRecord("no")), []string{"authorization: Bearer nobody"}, "16"},
			{"a reader", exportMethod, grpc.Frame(logRecord("no")), []string{"authorization: Bearer reader"}, "7"},
			{"another's tenant", exportMethod, grpc.Frame(logRecord("no")), []string{token, "x-scope-orgid: blues"}, "7"},
			{"another method", "/opentelemetry.proto.collector.trace.v1.TraceService/Export", grpc.Frame(nil), []string{token}, "12"},
			{"no frame", exportMethod, []byte("hello"), []string{token}, "3"},
			{"no records", exportMethod, grpc.Frame([]byte("hello")), []string{token}, "3"},
			{"too large", exportMethod, []byte{0, 0xff, 0xff, 0xff, 0xff}, []string{token}, "3"},
			{"too large inside", exportMethod, packed(t, make([]byte, 8<<20)), []string{token, "grpc-encoding: gzip"}, "3"},
			{"an unknown encoding", exportMethod, packed(t, logRecord("no")), []string{token, "grpc-encoding: lzma"}, "3"},
		}
		for _, c := range tests {
			status, message, _ := w.export(client, at+c.path, c.body, c.header...)
			if status != c.status || (message == "") != (status == "0") {
				t.Errorf("%s: %s %s", c.name, status, message)
			}
		}
		if n := len(w.search(red, "grpc").Lines); n != 3 {
			t.Errorf("%d lines", n)
		}
		if n := len(w.search(red, "no").Lines) + len(w.search(blue, "").Lines); n != 0 {
			t.Errorf("%d lines too many", n)
		}
		res, err := client.Get(at + "/")
		if err != nil || res.StatusCode != http.StatusUnsupportedMediaType {
			t.Fatal(res, err)
		}
		res.Body.Close()
	}
}

// TestOTLPOverGRPCWhileFull: a client is told to come back, and when.
func TestOTLPOverGRPCWhileFull(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l, err := w.ListenOTLP(t.Context(), anyPort, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(context.WithoutCancel(t.Context())) })
	if err := w.Store.Close(); err != nil {
		t.Fatal(err)
	}
	status, message, _ := w.export(grpcClient(t, false), "http://"+l.Addr.String()+exportMethod, grpc.Frame(logRecord("late")), "authorization: Bearer red")
	if status != "14" || !strings.Contains(message, "again") {
		t.Error(status, message)
	}
	l.Close(t.Context())
	if _, err := net.Dial("tcp", l.Addr.String()); err == nil {
		t.Error("it listens on")
	}
}

// TestOTLPRecordings plays again what real clients sent: the bodies of their requests, as they came over the wire.
func TestOTLPRecordings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file, header, query string
		lines               int
	}{
		{"otel-js-grpc.bin", "", "service:shop-js level:error trace_id:0af7651916cd43dd8448eb211c80319c order.id:77 charge", 1},
		{"otel-js-grpc-gzip.bin", "grpc-encoding: gzip", "service:shop-js level:error charge", 1},
		{"otelslog-grpc.bin", "", "service:shop-go level:warn user.id:7 slow", 1},
		{"otelslog-http.bin", "http", "service:shop-go level:warn user.id:7 slow", 1},
		{"otelslog-http-gzip.bin", "http gzip", "service:shop-go level:error order:77 exception.message:\"card declined\"", 1},
	}
	for _, c := range tests {
		w := setup(t)
		w.Service.Now = time.Now
		body, err := os.ReadFile(filepath.Join("testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(c.header, "http") {
			header := []string{red, "Content-Type: application/x-protobuf"}
			if strings.HasSuffix(c.header, "gzip") {
				header = append(header, "Content-Encoding: gzip")
			}
			if status, text := w.call("POST", "/v1/logs", string(body), header...); status != http.StatusOK {
				t.Fatal(c.file, status, text)
			}
		} else {
			l, err := w.ListenOTLP(t.Context(), anyPort, nil)
			if err != nil {
				t.Fatal(err)
			}
			header := []string{"authorization: Bearer red"}
			if c.header != "" {
				header = append(header, c.header)
			}
			if status, message, _ := w.export(grpcClient(t, false), "http://"+l.Addr.String()+exportMethod, body, header...); status != "0" {
				t.Fatal(c.file, status, message)
			}
			l.Close(t.Context())
		}
		if lines := w.searchAll(c.query); len(lines) != c.lines {
			t.Errorf("%s: %+v", c.file, w.searchAll(""))
		}
	}
}

// searchAll searches from the beginning: recordings have times of their own.
func (w world) searchAll(query string) []Line {
	w.Helper()
	f, err := w.Service.Find(w.reds(), Search{Team: "reds", Query: query, From: time.Unix(0, 0), To: time.Now().Add(48 * time.Hour), Limit: 50})
	if err != nil {
		w.Fatal(err)
	}
	return f.Lines
}

// reds is the context of who may do anything with the reds' lines.
func (w world) reds() context.Context {
	w.Helper()
	caller, err := identify(w.Context(), "red")
	if err != nil {
		w.Fatal(err)
	}
	return identity.With(w.Context(), caller)
}
