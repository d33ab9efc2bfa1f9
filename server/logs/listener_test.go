package logs

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

const anyPort = "127.0.0.1:0"

func (w world) listen(in Listening) *Listeners {
	w.Helper()
	l, err := w.Listen(w.Context(), in)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(l.Close)
	return l
}

func (w world) dial(network string, to net.Addr) net.Conn {
	w.Helper()
	c, err := (&net.Dialer{}).DialContext(w.Context(), network, to.String())
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		w.Fatal(err)
	}
	return c
}

func (w world) send(c io.Writer, text string) {
	w.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		w.Fatal(err)
	}
}

func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	raw, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
}

func TestSyslogListeners(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.listen(Listening{Syslog: anyPort, SyslogTLS: anyPort, SyslogTeam: 1, TLS: selfSigned(t)})
	w.send(w.dial("udp", l.SyslogUDP), "<11>Nov 20 12:00:00 w1 app[7]: over datagrams")
	w.until("datagrams service:app host:w1 level:error", 1)

	counted := w.dial("tcp", l.SyslogTCP)
	w.send(counted, "47 <13>1 2026-11-20T12:00:00Z w2 app - - - counted")
	w.until("counted", 1) // at once, not when the connection ends
	w.send(counted, "11 <13>counted")
	w.until("counted", 2)
	w.until("host:127.0.0.1", 1)

	lines := w.dial("tcp", l.SyslogTCP)
	w.send(lines, strings.Repeat("<13>1 2026-11-20T12:00:00Z w3 app - - - in lines\n", 150))
	w.until("in lines", 150)

	secure := tls.Client(w.dial("tcp", l.SyslogTLS), &tls.Config{InsecureSkipVerify: true})
	w.send(secure, "<13>1 2026-11-20T12:00:00Z w4 app - - - over TLS\n")
	w.until("TLS", 1)
	// Who speaks no TLS is shown the door.
	plain := w.dial("tcp", l.SyslogTLS)
	w.send(plain, "<13>hello without it\n")
	if _, err := io.Copy(io.Discard, plain); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}

	// What was read is kept although the server stops.
	w.send(lines, "<13>1 2026-11-20T12:00:00Z w3 app - - - the last\n")
	w.until("last", 1)
	l.Close()
	if _, err := net.Dial("tcp", l.SyslogTCP.String()); err == nil {
		t.Error("it listens on")
	}
	if n := len(w.search(blue, "").Lines); n != 0 {
		t.Errorf("another team finds %d lines", n)
	}
}

// event is a message of Fluent: a tag, a time, a line and perhaps a chunk.
func event(line, chunk string) string {
	out := "\x93"
	if chunk != "" {
		out = "\x94"
	}
	out += "\xa1t\xd7\x00\x6b\x00\x36\x40\x00\x00\x00\x05\x81\xa3log" + string([]byte{byte(0xa0 + len(line))}) + line
	if chunk != "" {
		out += "\x81\xa5chunk" + string([]byte{byte(0xa0 + len(chunk))}) + chunk
	}
	return out
}

func TestFluentListener(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.listen(Listening{Fluent: anyPort, FluentTeam: 1})
	c := w.dial("tcp", l.Fluent)
	w.send(c, event("without chunk", ""))
	w.until("without", 1)
	w.send(c, event("with chunk", "abc=")+event("with another", "def="))
	want := "\x81\xa3ack\xa4abc=\x81\xa3ack\xa4def="
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Errorf("%q %v", got, err)
	}
	// What was acknowledged is there.
	if n := len(w.search(red, "with -without").Lines); n != 2 {
		t.Errorf("%d lines", n)
	}
	w.send(c, "GET / HTTP/1.1\r\n\r\n")
	if rest, _ := io.ReadAll(c); len(rest) != 0 { // closed, or reset
		t.Errorf("%q", rest)
	}
}

func TestFluentSharedKey(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.listen(Listening{Fluent: anyPort, FluentTeam: 1, FluentKey: "secret"})
	try := func(key string) (answer string, c net.Conn) {
		c = w.dial("tcp", l.Fluent)
		in := bufio.NewReader(c)
		head := "\x92\xa4HELO\x83\xa5nonce\xc4\x10"
		hello := make([]byte, len(head)+16+len("\xa4auth\xa0\xa9keepalive\xc3"))
		if _, err := io.ReadFull(in, hello); err != nil || !strings.HasPrefix(string(hello), head) {
			t.Fatalf("%q %v", hello, err)
		}
		sum := sha512.Sum512([]byte("salt" + "me" + string(hello[len(head):len(head)+16]) + key))
		w.send(c, "\x96\xa4PING\xa2me\xa4salt\xd9\x80"+hex.EncodeToString(sum[:])+"\xa0\xa0")
		pong := make([]byte, len("\x95\xa4PONG\xc3"))
		if _, err := io.ReadFull(in, pong); err != nil {
			t.Fatal(err)
		}
		return string(pong), c
	}
	if answer, c := try("secret"); answer != "\x95\xa4PONG\xc3" {
		t.Errorf("%q", answer)
	} else {
		w.send(c, event("known", ""))
		w.until("known", 1)
	}
	if answer, c := try("wrong"); answer != "\x95\xa4PONG\xc2" {
		t.Errorf("%q", answer)
	} else {
		fmt.Fprint(c, event("stranger", "x")) // may find the connection closed
		_, _ = io.Copy(io.Discard, c)         // until it is
	}
	if n := len(w.search(red, "stranger").Lines); n != 0 {
		t.Error("a stranger's line was kept")
	}
}

func TestPortsThatAreTaken(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.listen(Listening{Fluent: anyPort, FluentTeam: 1})
	if _, err := w.Listen(t.Context(), Listening{Syslog: anyPort, Fluent: l.Fluent.String()}); err == nil {
		t.Error("no error")
	}
}
