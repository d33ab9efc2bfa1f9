package telemetry

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
)

// exporter posts spans as OTLP in JSON. OpenTelemetry's own one would add 6 MB to
// the binary for what is one request.
type exporter struct {
	url     string
	headers http.Header
	client  *http.Client
	closed  atomic.Bool
	// pause is how long the first wait before another try is.
	pause time.Duration
	// failed is told how many spans were lost, and why.
	failed func(err error, spans int)
}

// tries is how often one batch is sent; later ones are not to wait for a collector that is gone.
const tries = 4

func newExporter(endpoint string, headers []string) (*exporter, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("telemetry.endpoint: %q is no address such as http://127.0.0.1:4318", endpoint)
	}
	if !strings.HasSuffix(u.Path, "/v1/traces") {
		u = u.JoinPath("v1", "traces")
	}
	e := &exporter{url: u.String(), headers: http.Header{}, pause: 500 * time.Millisecond, failed: func(error, int) {},
		// The collector is the operator's and often on this machine, so no guard stands before it; a redirect is nobody's wish.
		client: &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	for _, h := range headers {
		name, value, found := strings.Cut(h, "=")
		if !found || strings.TrimSpace(name) == "" {
			return nil, errors.New("telemetry.headers: each is Name=value")
		}
		e.headers.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return e, nil
}

// ExportSpans sends a batch, again after a while where the collector asks for that.
// What could not be sent is told and forgotten: traces are not worth a queue without end.
func (e *exporter) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	if len(spans) == 0 || e.closed.Load() {
		return nil
	}
	body, err := compressed(encode(spans))
	for try := 1; err == nil; try++ {
		var again time.Duration
		if again, err = e.send(ctx, body); err == nil {
			return nil
		}
		if again < 0 || try == tries {
			break
		}
		err = wait(ctx, max(again, e.pause<<(try-1)), err)
	}
	e.failed(err, len(spans))
	return nil // told already; the SDK would only print it
}

// wait gives nil after a while, or why when ctx ends before.
func wait(ctx context.Context, d time.Duration, why error) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return why
	}
}

// send posts once. With an error comes how long to wait at least; negative when it is final.
func (e *exporter) send(ctx context.Context, body []byte) (time.Duration, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return -1, err
	}
	for name, values := range e.headers {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Content-Encoding", "gzip")
	answer, err := e.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)); err != nil {
		return 0, err
	}
	switch status := answer.StatusCode; {
	case status < 300:
		return 0, nil
	case status == http.StatusTooManyRequests, status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
		if err != nil || seconds < 0 {
			seconds = 0
		}
		return time.Duration(seconds) * time.Second, fmt.Errorf("the collector answered %d", status)
	default:
		return -1, fmt.Errorf("the collector answered %d", status)
	}
}

// Shutdown ends the exporter; the SDK has sent what was left.
func (e *exporter) Shutdown(context.Context) error {
	e.closed.Store(true)
	e.client.CloseIdleConnections()
	return nil
}

func compressed(message any) ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	if err := errors.Join(json.NewEncoder(zip).Encode(message), zip.Close()); err != nil {
		return nil, fmt.Errorf("encode traces: %w", err)
	}
	return out.Bytes(), nil
}
