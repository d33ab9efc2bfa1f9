package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// passHeader carries the pass of a call, forwardedHeader the name of the member that
	// handed a person's request on.
	passHeader      = "X-Signalbox-Pass"
	forwardedHeader = "X-Signalbox-Forwarded"
	passTable       = "cluster"
	// skew is how far members' clocks may differ.
	skew = 2 * time.Minute
	// maxCall bounds a call's body.
	maxCall = 1 << 20
)

// Absent is the error of asking a member that is not there.
type Absent struct {
	Member Member
	cause  error
}

// Error says who is missing.
func (a *Absent) Error() string {
	if a.cause != nil {
		return fmt.Sprintf("the server %s does not answer: %v", a.Member.Title(), a.cause)
	}
	return fmt.Sprintf("the server %s is not there", a.Member.Title())
}

func (a *Absent) Unwrap() error { return a.cause }

func transport() http.RoundTripper {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       time.Minute,
		ResponseHeaderTimeout: time.Minute,
		TLSHandshakeTimeout:   5 * time.Second,
	}
}

type pass struct {
	Method string    `json:"method"`
	Path   string    `json:"path"`
	To     string    `json:"to"`
	Sum    []byte    `json:"sum"`
	At     time.Time `json:"at"`
}

// Call posts to a route of another member that is for members only. Close the answer.
func (c *Cluster) Call(ctx context.Context, m Member, path string, in any) (io.ReadCloser, error) {
	if !m.There || m.Address == "" {
		return nil, &Absent{Member: m}
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	plain, err := json.Marshal(pass{http.MethodPost, path, m.Node, sum[:], c.deps.Now()})
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(passHeader, base64.RawURLEncoding.EncodeToString(c.deps.Box.Seal(passTable, path, plain)))
	answer, err := c.deps.Transport.RoundTrip(r)
	if err != nil {
		return nil, &Absent{m, err}
	}
	if answer.StatusCode != http.StatusOK {
		said, err := io.ReadAll(io.LimitReader(answer.Body, 2000))
		return nil, errors.Join(fmt.Errorf("the server %s answers %s: %s", m.Title(), answer.Status, said), err, answer.Body.Close())
	}
	return answer.Body, nil
}

var errNoPass = errors.New("this address is for the servers of one installation among themselves")

// Admit reads the body of a call and checks that another member has made it.
func (c *Cluster) Admit(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCall+1))
	if err != nil || len(body) > maxCall {
		return nil, errors.Join(errNoPass, err)
	}
	sealed, err := base64.RawURLEncoding.DecodeString(r.Header.Get(passHeader))
	if err != nil || len(sealed) == 0 {
		return nil, errNoPass
	}
	plain, err := c.deps.Box.Open(passTable, r.URL.Path, sealed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoPass, err)
	}
	var p pass
	if err := json.Unmarshal(plain, &p); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoPass, err)
	}
	sum, age := sha256.Sum256(body), c.deps.Now().Sub(p.At)
	if p.Method != r.Method || p.Path != r.URL.Path || p.To != c.deps.Self.Node || !bytes.Equal(p.Sum, sum[:]) || age > skew || age < -skew {
		return nil, errNoPass
	}
	return body, nil
}
