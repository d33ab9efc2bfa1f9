package portal

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/protocol"
)

// Client speaks for one node.
type Client struct {
	dir string
	id  Identity
	now func() time.Time
	web *http.Client

	mu     sync.Mutex
	key    ed25519.PrivateKey
	seq    int64 // the last that was used
	kept   int64 // up to which numbers are reserved on disk
	offset time.Duration
}

// reserve is how many numbers are taken at once: writing each to disk would wear
// a node's flash out, and a gap does no harm.
const reserve = 1000

// messageTime bounds everything but blobs.
const messageTime = time.Minute

// New makes a client for the node whose folder it is; it reads the key or makes it.
func New(dir string, id Identity, now func() time.Time) (*Client, error) {
	key, err := Key(dir, rand.Reader)
	if err != nil {
		return nil, err
	}
	c := &Client{dir: dir, id: id, now: now, key: key}
	raw, err := os.ReadFile(c.seqPath())
	if err == nil {
		c.kept, err = strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the number of the last request: %w", err)
	}
	c.seq = c.kept
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// A link that swallows everything must not hold up what can be done without one.
	transport.DialContext = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	transport.ResponseHeaderTimeout = 20 * time.Second
	transport.MaxIdleConns, transport.IdleConnTimeout = 2, 30*time.Second // the portal has thousands like this one
	if id.CA != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM([]byte(id.CA)) {
			return nil, errors.New("the portal's certificate authority is no PEM certificate")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	c.web = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c, nil
}

func (c *Client) seqPath() string { return filepath.Join(c.dir, "seq") }

// next gives a number that was never used.
func (c *Client) next(above int64) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq = max(c.seq, above) + 1
	if c.seq > c.kept {
		kept := c.seq + reserve
		if err := replace(c.seqPath(), []byte(strconv.FormatInt(kept, 10)+"\n"), 0o600); err != nil {
			return 0, fmt.Errorf("keep the number of the request: %w", err)
		}
		c.kept = kept
	}
	return c.seq, nil
}

// Offset is what the portal's clock is ahead of this machine's, where that is
// more than a day; else 0: small differences are nobody's business.
func (c *Client) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

func (c *Client) heard(h http.Header) {
	ms, err := strconv.ParseInt(h.Get(protocol.HeaderTime), 10, 64)
	if err != nil {
		return
	}
	offset := time.UnixMilli(ms).Sub(c.now())
	if offset.Abs() <= protocol.ClockTolerance {
		offset = 0
	}
	c.mu.Lock()
	c.offset = offset
	c.mu.Unlock()
}

// Refusal is an answer of the portal that is none of success.
type Refusal struct {
	Status int
	Detail string
	After  time.Duration // that it wants to be left alone
}

// Error is what the portal said.
func (r *Refusal) Error() string {
	if r.Detail == "" {
		return fmt.Sprintf("the portal answered %d", r.Status)
	}
	return fmt.Sprintf("the portal answered %d: %s", r.Status, r.Detail)
}

// Revoked tells whether the portal no longer has this node.
func Revoked(err error) bool {
	var r *Refusal
	return errors.As(err, &r) && r.Status == http.StatusForbidden
}

// attempts bounds how often one request is signed anew: for the key, the clock, the number.
const attempts = 4

// send signs and sends, and again where the answer shows that the clock, the
// number or the key was wrong. The answer's body is the caller's to close.
func (c *Client) send(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	var above int64
	for attempt := 0; ; attempt++ {
		seq, err := c.next(above)
		if err != nil {
			return nil, err
		}
		r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.id.URL, "/")+path, bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("ask the portal: %w", err)
		}
		for name, values := range header {
			r.Header[name] = values
		}
		if len(body) > 0 && r.Header.Get("Content-Type") == "" {
			r.Header.Set("Content-Type", "application/json")
		}
		before := c.Offset()
		c.mu.Lock()
		key := c.key
		c.mu.Unlock()
		protocol.Sign(r, body, c.id.Node, key, c.now().Add(before), seq)
		answer, err := c.web.Do(r)
		if err != nil {
			return nil, fmt.Errorf("ask the portal: %w", err)
		}
		c.heard(answer.Header)
		last, _ := strconv.ParseInt(answer.Header.Get(protocol.HeaderLastSeq), 10, 64) // absent: 0
		again := answer.StatusCode == http.StatusConflict && last > 0 || answer.StatusCode == http.StatusUnauthorized && (c.Offset() != before || c.rotated(key))
		if attempt+1 >= attempts || !again {
			return answer, nil
		}
		above = last
		if err := drain(answer.Body); err != nil {
			return nil, err
		}
	}
}

// rotated tells whether another process has given the node a new key meanwhile, and takes it.
func (c *Client) rotated(used ed25519.PrivateKey) bool {
	key, err := keyAt(filepath.Join(c.dir, keyFile), nil)
	if err != nil || key.Equal(used) {
		return false
	}
	c.mu.Lock()
	c.key = key
	c.mu.Unlock()
	return true
}

func drain(body io.ReadCloser) error {
	_, err := io.CopyN(io.Discard, body, 64<<10)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, body.Close())
}

// refusal reads why an answer is none.
func refusal(answer *http.Response) error {
	r := &Refusal{Status: answer.StatusCode}
	if n, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && n > 0 {
		r.After = min(time.Duration(n)*time.Second, time.Hour)
	}
	var said struct{ Title, Detail string }
	raw, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err == nil && json.Unmarshal(raw, &said) == nil {
		if r.Detail = said.Detail; r.Detail == "" {
			r.Detail = said.Title
		}
	}
	return r
}

// message sends a body and reads the answer of at most limit bytes.
func (c *Client) message(ctx context.Context, method, path string, header http.Header, body []byte, limit int64) (raw []byte, err error) {
	ctx, stop := context.WithTimeout(ctx, messageTime)
	defer stop()
	answer, err := c.send(ctx, method, path, header, body)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode/100 != 2 {
		return nil, refusal(answer)
	}
	raw, err = io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("the portal's answer to %s is longer than %d bytes", path, limit)
	}
	return raw, err
}

func (c *Client) call(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write the message: %w", err)
	}
	raw, err := c.message(ctx, http.MethodPost, path, nil, body, 16<<20)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("read the portal's answer: %w", err)
	}
	return nil
}

// Enroll asks to become a node. The client's identity has no node yet.
func (c *Client) Enroll(ctx context.Context, in protocol.EnrollRequest) (out protocol.EnrollAnswer, err error) {
	in.PublicKey = c.key.Public().(ed25519.PublicKey)
	return out, c.call(ctx, protocol.PathEnroll, in, &out)
}

// CheckIn says how things are and hears what to do.
func (c *Client) CheckIn(ctx context.Context, in protocol.CheckIn) (out protocol.CheckInAnswer, err error) {
	return out, c.call(ctx, protocol.PathCheckIn, in, &out)
}

// Reports brings reports and says up to which the portal has them.
func (c *Client) Reports(ctx context.Context, list []protocol.Report) (int64, error) {
	var out protocol.ReportsAnswer
	err := c.call(ctx, protocol.PathReports, protocol.ReportsRequest{Reports: list}, &out)
	return out.Acked, err
}

// Inventory sends an inventory's JSON.
func (c *Client) Inventory(ctx context.Context, raw []byte) error {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10))
	if err != nil {
		return fmt.Errorf("compress the inventory: %w", err)
	}
	body := w.EncodeAll(raw, nil)
	if err := w.Close(); err != nil {
		return fmt.Errorf("compress the inventory: %w", err)
	}
	_, err = c.message(ctx, http.MethodPut, protocol.PathInventory, http.Header{"Content-Type": {"application/zstd"}, "Content-Encoding": {"zstd"}}, body, 64<<10)
	return err
}

// Metadata is a bundle.Fetcher.
func (c *Client) Metadata(ctx context.Context, name string, limit int64) ([]byte, error) {
	raw, err := c.message(ctx, http.MethodGet, protocol.PathMetadata+name, nil, nil, limit)
	var r *Refusal
	if errors.As(err, &r) && r.Status == http.StatusNotFound {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return raw, err
}

// Manifest fetches what a bundle says of itself.
func (c *Client) Manifest(ctx context.Context, id string) ([]byte, error) {
	return c.message(ctx, http.MethodGet, protocol.ManifestPath(id), nil, nil, bundle.MaxManifest)
}

// Get asks for a path with these headers; blobs are fetched with it.
func (c *Client) Get(ctx context.Context, path string, header http.Header) (*http.Response, error) {
	return c.send(ctx, http.MethodGet, path, header, nil)
}

// Rotate gives the node a new key. It is on disk before the portal hears of it,
// so that a node which is cut off in between knows both.
func (c *Client) Rotate(ctx context.Context) (fingerprint string, err error) {
	next := filepath.Join(c.dir, newKeyFile)
	key, err := keyAt(next, rand.Reader)
	if err != nil {
		return "", err
	}
	public := key.Public().(ed25519.PublicKey)
	var out protocol.RotateAnswer
	in := protocol.RotateRequest{PublicKey: public, Proof: protocol.RotationProof(c.id.Node, c.key.Public().(ed25519.PublicKey), key)}
	err = c.call(ctx, protocol.PathRotate, in, &out)
	var r *Refusal
	if errors.As(err, &r) && r.Status == http.StatusUnauthorized {
		// The last attempt may have reached the portal and its answer not us: then the new key is the one.
		c.mu.Lock()
		old := c.key
		c.key = key
		c.mu.Unlock()
		if _, probe := c.message(ctx, http.MethodGet, protocol.PathMetadata+"timestamp.json", nil, nil, 1<<20); Unauthorized(probe) {
			c.mu.Lock()
			c.key = old
			c.mu.Unlock()
			return "", err
		}
		err = nil
	}
	if err != nil {
		return "", err
	}
	if err := os.Rename(next, filepath.Join(c.dir, keyFile)); err != nil {
		return "", fmt.Errorf("keep the new key: %w", err)
	}
	c.mu.Lock()
	c.key = key
	c.mu.Unlock()
	return protocol.Fingerprint(public), journal.SyncDir(c.dir)
}

// Unauthorized tells whether the portal does not know the key.
func Unauthorized(err error) bool {
	var r *Refusal
	return errors.As(err, &r) && r.Status == http.StatusUnauthorized
}
