package resource

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/outbound"
)

const (
	// webPatience bounds what one exchange waits for a busy service in all.
	webPatience = 2 * time.Minute
	webAttempts = 6
	// webAnswer bounds an answer that is kept in memory.
	webAnswer = 32 << 20
)

// web calls an HTTP service for one check, get or put: through the guarded dialer, with
// patience for a service that is busy, and without a secret in any message.
type web struct {
	opts    Options
	service string // what messages call the other side
	client  *http.Client
	pool    *http.Transport
	log     io.Writer
	secrets []string
}

// webSettings are what sources have in common.
type webSettings struct {
	insecure     bool
	certificates []string
	secrets      []string
	// authorize adds credentials. It sees every request, redirected ones too, and must
	// look at where they go.
	authorize func(*http.Request)
}

func newWeb(opts Options, req Request, service string, s webSettings) (*web, error) {
	pool, err := opts.transport(s.insecure, s.certificates)
	if err != nil {
		return nil, err
	}
	w := &web{opts: opts, service: service, pool: pool, log: req.Log, secrets: s.secrets}
	w.client = &http.Client{
		Transport:     &authorizing{next: pool, authorize: s.authorize},
		CheckRedirect: checkRedirect,
	}
	return w, nil
}

func (w *web) close() { w.pool.CloseIdleConnections() }

// transport connects through the guard, and never through a proxy, which would dial unguarded.
func (o Options) transport(insecure bool, certificates []string) (*http.Transport, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	for _, pem := range certificates {
		if !roots.AppendCertsFromPEM([]byte(pem)) {
			return nil, errors.New("source.ca_certs holds something that is not a certificate in PEM. Correct it in the pipeline")
		}
	}
	return &http.Transport{
		DialContext:            o.Dial,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure}, //nolint:gosec // the pipeline asks for it
		TLSHandshakeTimeout:    15 * time.Second,
		ResponseHeaderTimeout:  time.Minute,
		MaxResponseHeaderBytes: 256 << 10,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    8,
	}, nil
}

type authorizing struct {
	next      http.RoundTripper
	authorize func(*http.Request)
}

func (a *authorizing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "signalbox")
	// What may be secret in the address of one request is nobody's business in the next.
	r.Header.Del("Referer")
	if a.authorize != nil {
		a.authorize(r)
	}
	return a.next.RoundTrip(r)
}

// checkRedirect follows reads only: a redirected POST would silently become a GET.
func checkRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case via[0].Method != http.MethodGet && via[0].Method != http.MethodHead:
		return fmt.Errorf("it redirects to %s, which is followed only when reading. Write that address in the pipeline", r.URL.Host)
	case len(via) > 5:
		return errors.New("it redirects more than five times")
	case via[0].URL.Scheme == "https" && r.URL.Scheme != "https":
		return fmt.Errorf("it redirects from https to %s, which is not followed", r.URL.Scheme)
	}
	return nil
}

// exchange is one request.
type exchange struct {
	method, url string
	header      http.Header
	body        []byte
	file        string // sent instead of body
	// again says that doing it twice does no harm: then it is repeated also when it may
	// have been done although no good answer came.
	again bool
}

// answer is a response that was read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// statusError is a refusal by the other side, in its own words.
type statusError struct {
	service string
	status  int
	words   string
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("%s answered %d %s", e.service, e.status, http.StatusText(e.status))
	if e.words != "" {
		text += ": " + e.words
	}
	return text
}

// answered reports whether err is a refusal with one of the statuses.
func answered(err error, statuses ...int) bool {
	var refusal *statusError
	return errors.As(err, &refusal) && slices.Contains(statuses, refusal.status)
}

// do sends and reads the answer; every status but 2xx is a statusError.
func (w *web) do(ctx context.Context, x exchange) (answer, error) {
	var a answer
	err := w.repeat(ctx, x, func(response *http.Response) error {
		data, err := readAtMost(response.Body, webAnswer)
		a = answer{status: response.StatusCode, header: response.Header, body: data}
		return err
	})
	return a, err
}

func readAtMost(r io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("the answer is larger than %d MiB", most>>20)
	}
	return data, err
}

// repeat sends until there is an answer that use can take, or no hope for one.
func (w *web) repeat(ctx context.Context, x exchange, use func(*http.Response) error) error {
	left := webPatience
	for attempt := 1; ; attempt++ {
		delay, err := w.attempt(ctx, x, use)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if delay < 0 || attempt == webAttempts {
			return err
		}
		delay = cmp.Or(delay, time.Second<<(attempt-1))
		if delay > left {
			return fmt.Errorf("%w. It asks to wait %s, longer than this step waits", err, delay.Round(time.Second))
		}
		left -= delay
		if _, err := fmt.Fprintf(w.log, "%s; trying again in %s\n", err, delay.Round(time.Second)); err != nil {
			return err
		}
		if err := w.opts.sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// never is the delay after a failure that will not pass.
const never = time.Duration(-1)

// attempt sends once. With an error comes how long to wait before the next attempt: 0
// leaves it to the caller.
func (w *web) attempt(ctx context.Context, x exchange, use func(*http.Response) error) (time.Duration, error) {
	r, err := x.request(ctx)
	if err != nil {
		return never, w.clean(err)
	}
	response, err := w.client.Do(r)
	if err != nil {
		delay := never
		var dial *net.OpError
		if !outbound.IsRefused(err) && (x.again || errors.As(err, &dial) && dial.Op == "dial") {
			delay = 0
		}
		return delay, w.clean(fmt.Errorf("%s cannot be reached: %w", w.service, withoutURL(err)))
	}
	defer response.Body.Close()
	if response.StatusCode/100 == 2 {
		if err := use(response); err != nil {
			delay := never
			if x.again {
				delay = 0
			}
			return delay, w.clean(fmt.Errorf("%s did not finish its answer: %w", w.service, err))
		}
		return 0, nil
	}
	head, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	words := ownWords(head)
	if err != nil && words == "" {
		words = "(and nothing more could be read)"
	}
	return w.delay(response, x.again), &statusError{service: w.service, status: response.StatusCode, words: w.redact(words)}
}

func (x exchange) request(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if x.body != nil {
		body = bytes.NewReader(x.body)
	}
	var size int64
	if x.file != "" {
		file, err := os.Open(x.file)
		if err != nil {
			return nil, err
		}
		info, err := file.Stat()
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		body, size = file, info.Size()
		if size == 0 { // a length of 0 with a body means an unknown one
			body = http.NoBody
			if err := file.Close(); err != nil {
				return nil, err
			}
		}
	}
	r, err := http.NewRequestWithContext(ctx, cmp.Or(x.method, http.MethodGet), x.url, body)
	if err != nil {
		return nil, withoutURL(err)
	}
	if x.file != "" {
		r.ContentLength = size
	}
	for name, values := range x.header {
		r.Header[name] = slices.Clone(values)
	}
	return r, nil
}

// delay says whether and when a refusal is worth another attempt.
func (w *web) delay(response *http.Response, again bool) time.Duration {
	asked, known := retryAfter(response.Header, w.opts.now())
	switch status := response.StatusCode; {
	case status == http.StatusTooManyRequests, known && (status == http.StatusForbidden || status == http.StatusServiceUnavailable):
		return asked
	case status >= 500 && status != http.StatusNotImplemented && again:
		return asked
	}
	return never
}

// retryAfter reads how long a service asks to wait: seconds or a date, or the end of
// its rate limit where that is used up.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return max(time.Duration(seconds)*time.Second, time.Second), true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), time.Second), true
	}
	if h.Get("X-Ratelimit-Remaining") == "0" {
		if unix, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64); err == nil {
			return max(time.Unix(unix, 0).Sub(now), time.Second), true
		}
	}
	return 0, false
}

// withoutURL drops the address that net/http puts before its errors: it may hold a token.
func withoutURL(err error) error {
	var at *url.Error
	for errors.As(err, &at) {
		err = at.Err
	}
	return err
}

// clean takes secrets out of an error; it stays what it was when it has none.
func (w *web) clean(err error) error {
	if text := err.Error(); w.redact(text) != text {
		return errors.New(w.redact(text))
	}
	return err
}

func (w *web) redact(text string) string { return redact(text, w.secrets) }

func redact(text string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) < 4 {
			continue
		}
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			text = strings.ReplaceAll(text, form, "((redacted))")
		}
	}
	return text
}
