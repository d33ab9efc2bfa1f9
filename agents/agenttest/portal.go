package agenttest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/protocol"
)

// Portal is as much of the portal as an agent sees, for one node.
type Portal struct {
	t   testing.TB
	URL string
	Now func() time.Time

	mu        sync.Mutex
	key       ed25519.PublicKey
	seq       int64
	state     protocol.NodeState
	set       bundle.Set
	manifests map[string][]byte
	blobs     map[string][]byte
	order     *protocol.Envelope
	release   []string
	gone      bool // the link is down
	acked     int64
	reports   []protocol.Report
	checkIns  []protocol.CheckIn
	inventory *protocol.Inventory
	served    map[string]int64 // bytes by path
	cut       int64            // bytes after which a blob's answer breaks off; 0: none
	wrong     map[string]bool  // blobs that are served with a flipped byte
	drips     map[string]bool  // blobs of which one byte comes, and then nothing
}

// NewPortal listens on loopback.
func NewPortal(t testing.TB, now func() time.Time) *Portal {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return NewPortalOn(t, l, now)
}

// NewPortalOn answers on a listener.
func NewPortalOn(t testing.TB, l net.Listener, now func() time.Time) *Portal {
	t.Helper()
	p := &Portal{t: t, Now: now, state: protocol.NodeAccepted, manifests: map[string][]byte{}, blobs: map[string][]byte{}, served: map[string]int64{}, wrong: map[string]bool{}, drips: map[string]bool{}}
	s := httptest.NewUnstartedServer(p)
	if err := s.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	s.Listener = l
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections() // one whose link is down would be waited for
		s.Close()
	})
	p.URL = s.URL
	return p
}

// Change alters the portal between two requests.
func (p *Portal) Change(change func(c *Changes)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &Changes{p}
	change(c)
}

// Changes are the knobs.
type Changes struct{ p *Portal }

// Publish offers a bundle and the metadata that vouches for it.
func (c *Changes) Publish(packed *Packed, set bundle.Set) {
	c.p.set = set
	c.p.manifests[packed.Manifest.BundleID] = Encode(c.p.t, packed.Manifest)
	for sha, raw := range packed.Blobs {
		c.p.blobs[sha] = raw
	}
}

// Serve only offers metadata.
func (c *Changes) Serve(set bundle.Set) { c.p.set = set }

// Order gives the node an order.
func (c *Changes) Order(e *protocol.Envelope, release ...string) { c.p.order, c.p.release = e, release }

// Link takes the link away, or gives it back.
func (c *Changes) Link(up bool) { c.p.gone = !up }

// Node sets what the portal thinks of the node.
func (c *Changes) Node(s protocol.NodeState) { c.p.state = s }

// Cut breaks every answer with a blob off after so many bytes.
func (c *Changes) Cut(after int64) { c.p.cut = after }

// Drop has a blob missing; Spoil has it wrong.
func (c *Changes) Drop(sha string)  { delete(c.p.blobs, sha) }
func (c *Changes) Spoil(sha string) { c.p.wrong[sha] = true }

// Drip has a blob begin and never end. The portal hears nothing else until the node gives up.
func (c *Changes) Drip(sha string) { c.p.drips[sha] = true }

// Reports is what the node has reported.
func (p *Portal) Reports() []protocol.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]protocol.Report(nil), p.reports...)
}

// CheckIns is what the node has said.
func (p *Portal) CheckIns() []protocol.CheckIn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]protocol.CheckIn(nil), p.checkIns...)
}

// Inventory is the last that was sent.
func (p *Portal) Inventory() *protocol.Inventory {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inventory
}

// Served is how many bytes went out below a path.
func (p *Portal) Served(prefix string) (n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for path, size := range p.served {
		if strings.HasPrefix(path, prefix) {
			n += size
		}
	}
	return n
}

func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set(protocol.HeaderTime, fmt.Sprint(p.Now().UnixMilli()))
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.URL.Path == protocol.PathEnroll {
		p.enroll(w, body)
		return
	}
	if status := p.caller(w, r, body); status != 0 {
		w.WriteHeader(status)
		return
	}
	switch path := r.URL.Path; {
	case path == protocol.PathCheckIn:
		p.checkIn(w, body)
	case path == protocol.PathReports:
		p.takeReports(w, body)
	case path == protocol.PathRotate:
		p.rotate(w, body)
	case path == protocol.PathInventory:
		p.takeInventory(w, body)
	case strings.HasPrefix(path, protocol.PathMetadata):
		p.file(w, p.metadata(strings.TrimPrefix(path, protocol.PathMetadata)))
	case strings.HasPrefix(path, protocol.PathBundles):
		p.file(w, p.manifests[strings.TrimSuffix(strings.TrimPrefix(path, protocol.PathBundles), "/manifest.json")])
	case strings.HasPrefix(path, protocol.PathBlobs):
		p.blob(w, r, strings.TrimPrefix(path, protocol.PathBlobs))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (p *Portal) caller(w http.ResponseWriter, r *http.Request, body []byte) int {
	s, err := protocol.ReadSignature(r.Header)
	if err != nil || s.Verify(p.key, r.Method, r.RequestURI, sha256.Sum256(body), p.Now()) != nil {
		return http.StatusUnauthorized
	}
	if p.state == protocol.NodeRevoked {
		return http.StatusForbidden
	}
	if s.Seq <= p.seq {
		w.Header().Set(protocol.HeaderLastSeq, fmt.Sprint(p.seq))
		return http.StatusConflict
	}
	p.seq = s.Seq
	return 0
}

func (p *Portal) answer(w http.ResponseWriter, status int, out any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(out); err != nil {
		p.t.Log(err) // the agent was stopped meanwhile
	}
}

func (p *Portal) enroll(w http.ResponseWriter, body []byte) {
	var in protocol.EnrollRequest
	if err := json.Unmarshal(body, &in); err != nil || in.Token != "token" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	p.key = in.PublicKey
	out := protocol.EnrollAnswer{Node: "node1", State: p.state, Time: p.Now(), IntervalSeconds: 1}
	for _, root := range p.set.Roots {
		out.Root = append(out.Root, root)
	}
	p.answer(w, http.StatusCreated, out)
}

func (p *Portal) checkIn(w http.ResponseWriter, body []byte) {
	var in protocol.CheckIn
	if err := json.Unmarshal(body, &in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.checkIns = append(p.checkIns, in)
	p.answer(w, http.StatusOK, protocol.CheckInAnswer{State: p.state, Assignment: p.order, ReleaseQuarantine: p.release, WantInventory: p.inventory == nil, NextInSeconds: 1, Time: p.Now()})
}

func (p *Portal) takeReports(w http.ResponseWriter, body []byte) {
	var in protocol.ReportsRequest
	if err := json.Unmarshal(body, &in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, r := range in.Reports {
		if r.Seq > p.acked {
			p.acked = r.Seq
			p.reports = append(p.reports, r)
		}
	}
	p.answer(w, http.StatusOK, protocol.ReportsAnswer{Acked: p.acked})
}

func (p *Portal) rotate(w http.ResponseWriter, body []byte) {
	var in protocol.RotateRequest
	if err := json.Unmarshal(body, &in); err != nil || !protocol.VerifyRotation("node1", p.key, in.PublicKey, in.Proof) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.key = in.PublicKey
	p.answer(w, http.StatusOK, protocol.RotateAnswer{Fingerprint: protocol.Fingerprint(p.key)})
}

func (p *Portal) takeInventory(w http.ResponseWriter, body []byte) {
	d, err := zstd.NewReader(nil)
	if err == nil {
		body, err = d.DecodeAll(body, nil)
		d.Close()
	}
	p.inventory = &protocol.Inventory{}
	if err != nil || json.Unmarshal(body, p.inventory) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (p *Portal) metadata(name string) []byte {
	switch name {
	case "timestamp.json":
		return p.set.Timestamp
	case "snapshot.json":
		return p.set.Snapshot
	case "targets.json":
		return p.set.Targets
	}
	for i, root := range p.set.Roots {
		if name == fmt.Sprintf("%d.root.json", i+1) {
			return root
		}
	}
	return nil
}

func (p *Portal) file(w http.ResponseWriter, raw []byte) {
	if raw == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if _, err := w.Write(raw); err != nil {
		p.t.Log(err)
	}
}

func (p *Portal) blob(w http.ResponseWriter, r *http.Request, sha string) {
	raw, ok := p.blobs[sha]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if p.wrong[sha] {
		raw = append([]byte{raw[0] ^ 1}, raw[1:]...)
	}
	w.Header().Set("ETag", `"`+sha+`"`)
	if p.drips[sha] {
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		<-r.Context().Done()
		return
	}
	limited := &cutting{ResponseWriter: w, left: p.cut}
	if p.cut == 0 {
		limited.left = 1 << 60
	}
	http.ServeContent(limited, r, "", time.Time{}, bytes.NewReader(raw))
	p.served[r.URL.Path] += limited.written
	if limited.left <= 0 {
		panic(http.ErrAbortHandler)
	}
}

// cutting ends an answer in its middle.
type cutting struct {
	http.ResponseWriter
	left, written int64
}

func (c *cutting) Write(b []byte) (int, error) {
	b = b[:min(int64(len(b)), c.left)]
	n, err := c.ResponseWriter.Write(b)
	c.left -= int64(n)
	c.written += int64(n)
	if err == nil && c.left <= 0 {
		if f, ok := c.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		err = io.ErrShortWrite
	}
	return n, err
}
