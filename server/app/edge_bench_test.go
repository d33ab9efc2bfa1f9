package app_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

// simulated is a machine as the portal sees it.
type simulated struct {
	node string
	key  ed25519.PrivateKey
	seq  int64
}

// say makes a signed request over a connection of its own: between two check-ins a real one is closed.
func (s *simulated) say(ctx context.Context, roots *tls.Config, url, path string, in, out any) (int, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	s.seq++
	protocol.Sign(r, body, s.node, s.key, time.Now(), s.seq)
	transport := &http.Transport{TLSClientConfig: roots, DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode < 300 {
		err = json.Unmarshal(raw, out)
	}
	return answer.StatusCode, err
}

func (s *simulated) enrol(ctx context.Context, roots *tls.Config, url, token string, i int) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	s.key = private
	var answer protocol.EnrollAnswer
	status, err := s.say(ctx, roots, url, protocol.PathEnroll, protocol.EnrollRequest{Token: token, Name: fmt.Sprintf("edge-%05d", i), Site: fmt.Sprintf("site-%03d", i/50), PublicKey: public, Agent: "1.0.0",
		Machine: protocol.Machine{Hostname: fmt.Sprintf("edge-%05d", i), OSID: "debian", VersionID: "12", Codename: "bookworm", Arch: "amd64", PackageSystem: "apt"}}, &answer)
	if s.node = answer.Node; err == nil && status != http.StatusCreated {
		err = fmt.Errorf("enrolment: %d", status)
	}
	return err
}

func (s *simulated) checkIn(ctx context.Context, roots *tls.Config, url string) error {
	exit := protocol.ExitOK
	var answer protocol.CheckInAnswer
	status, err := s.say(ctx, roots, url, protocol.PathCheckIn, protocol.CheckIn{State: protocol.StateStaging, Bundle: "20261121-build-42", Rollout: "r-19", Progress: &protocol.Progress{DoneBytes: mathrand.Int64N(14 << 20), TotalBytes: 14 << 20, Step: "libssl3"},
		Agent: "1.0.0", RootVersion: 1, TargetsVersion: 41, Clock: time.Now(), DiskFree: 1 << 34, BootID: "c0ffee00-0000-4000-8000-000000000000", LastExit: &exit}, &answer)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("check-in: %d", status)
	}
	return err
}

// certificate makes one for this machine, which the whole test trusts.
func certificate(b *testing.B) (cert, key string, trust *tls.Config) {
	b.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		b.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for path, text := range map[string][]byte{cert: public, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(public)
	return cert, key, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// each does something with every one of n, with so many at once, and counts what failed.
func each(n, workers int, do func(i int) error) (failed int64) {
	var next, bad atomic.Int64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if do(int(i)) != nil {
					bad.Add(1)
				}
			}
		})
	}
	group.Wait()
	return bad.Load()
}

// BenchmarkTenThousandNodes: 10,000 agents with their own keys, each check-in a
// full TLS handshake. At 300 s ± 20 % they cost the server less than 15 % of one
// core and 300 MB; the rush after an outage refuses nobody after a retry.
func BenchmarkTenThousandNodes(b *testing.B) {
	const nodes = 10_000
	cert, key, trust := certificate(b)
	http.DefaultTransport.(*http.Transport).TLSClientConfig = trust // what the other clients of this test use
	b.Cleanup(func() { http.DefaultTransport.(*http.Transport).TLSClientConfig = nil })
	p := launchOn(b, b.TempDir(), "", "env", "SIGNALBOX_SERVER_TLS_CERT="+cert, "SIGNALBOX_SERVER_TLS_KEY="+key)
	var token struct{ Token string }
	p.call(b, "POST", "/api/v1/edge/tokens", map[string]any{"team": "main", "name": "all", "accepts": true, "max_uses": nodes}, &token)
	fleet := make([]simulated, nodes)
	begun := time.Now()
	if failed := each(nodes, 16, func(i int) error { return fleet[i].enrol(b.Context(), trust, p.url, token.Token, i) }); failed > 0 {
		b.Fatalf("%d could not enrol", failed)
	}
	b.ReportMetric(nodes/time.Since(begun).Seconds(), "enrolled/s")
	lasts := 20 * time.Second
	if soak {
		lasts = 5 * time.Minute
	}
	for b.Loop() {
		steady(b, p, trust, fleet, lasts)
		grid(b, p)
		before, begun := p.processor(b), time.Now()
		retried := atomic.Int64{}
		refused := each(nodes, 64, func(i int) error {
			err := fleet[i].checkIn(b.Context(), trust, p.url)
			if err != nil {
				retried.Add(1)
				err = fleet[i].checkIn(b.Context(), trust, p.url)
			}
			return err
		})
		took := time.Since(begun)
		b.ReportMetric(nodes/took.Seconds(), "rush-checkins/s")
		b.ReportMetric(float64((p.processor(b)-before).Microseconds())/nodes, "rush-cpu-us/checkin")
		b.ReportMetric(float64(retried.Load()), "rush-retried")
		b.ReportMetric(float64(refused), "rush-refused")
		b.ReportMetric(float64(p.memory(b, "VmRSS")), "MB-after-rush")
	}
	load(b)
}

// steady is the usual day: check-ins come evenly, each from the next node.
func steady(b *testing.B, p *process, trust *tls.Config, fleet []simulated, lasts time.Duration) {
	b.Helper()
	const every = 300 * time.Second
	gap := every / time.Duration(len(fleet))
	before, begun := p.processor(b), time.Now()
	var failed atomic.Int64
	var group sync.WaitGroup
	n := 0
	for ; time.Since(begun) < lasts; n++ {
		node := &fleet[n%len(fleet)]
		group.Go(func() {
			if node.checkIn(b.Context(), trust, p.url) != nil {
				failed.Add(1)
			}
		})
		if wait := time.Until(begun.Add(time.Duration(n+1) * gap)); wait > 0 {
			select {
			case <-time.After(wait):
			case <-b.Context().Done():
				return
			}
		}
	}
	group.Wait()
	b.ReportMetric(float64(n)/time.Since(begun).Seconds(), "checkins/s")
	b.ReportMetric(100*float64(p.processor(b)-before)/float64(time.Since(begun)), "%core")
	b.ReportMetric(float64(p.memory(b, "VmRSS")), "MB")
	b.ReportMetric(float64(failed.Load()), "failed")
}

// grid is what a page costs that shows all of them, whole and then only what changed.
func grid(b *testing.B, p *process) {
	b.Helper()
	for _, what := range []string{"whole", "changes"} {
		path := "/api/v1/edge/grid?team=main"
		if what == "changes" {
			path += fmt.Sprintf("&since=%d", time.Now().Add(time.Minute).UnixMilli())
		}
		begun := time.Now()
		answer := p.request(b, "GET", path, nil)
		n, err := io.Copy(io.Discard, answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			b.Fatal(answer.StatusCode, err)
		}
		answer.Body.Close()
		b.ReportMetric(float64(time.Since(begun).Milliseconds()), "ms-grid-"+what)
		b.ReportMetric(float64(n)/1024, "KB-grid-"+what)
	}
}
