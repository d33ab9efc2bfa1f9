package notify

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/config"
)

// postOffice is a mail server that does as it is told.
type postOffice struct {
	// say replaces what it answers to a command, by the command's first word; "" hangs up.
	say map[string]string
	// starttls offers it, implicit speaks TLS from the first byte.
	starttls, implicit bool

	port int
	cert tls.Certificate
	root *x509.CertPool

	mu       sync.Mutex
	letters  []string
	commands []string
}

func (p *postOffice) open(t *testing.T) *postOffice {
	t.Helper()
	borrowed := httptest.NewUnstartedServer(nil)
	borrowed.StartTLS()
	p.cert, p.root = borrowed.TLS.Certificates[0], x509.NewCertPool()
	p.root.AddCert(borrowed.Certificate())
	borrowed.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.port = l.Addr().(*net.TCPAddr).Port
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); served.Wait() })
	return p
}

func (p *postOffice) serve(conn net.Conn) {
	defer func() { conn.Close() }()
	security := &tls.Config{Certificates: []tls.Certificate{p.cert}}
	if p.implicit {
		conn = tls.Server(conn, security)
	}
	r := bufio.NewReader(conn)
	answer := func(command, usual string) bool {
		if said, ok := p.say[command]; ok {
			usual = said
		}
		if usual == "" {
			return false
		}
		_, err := io.WriteString(conn, usual+"\r\n")
		return err == nil
	}
	if !answer("", "220 post office") {
		return
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		command, _, _ := strings.Cut(strings.ToUpper(line), " ")
		p.mu.Lock()
		p.commands = append(p.commands, line)
		p.mu.Unlock()
		switch command {
		case "EHLO":
			features := "250-post office\r\n250-AUTH PLAIN\r\n250 8BITMIME"
			if _, secure := conn.(*tls.Conn); p.starttls && !secure {
				features = strings.Replace(features, "250-AUTH", "250-STARTTLS\r\n250-AUTH", 1)
			}
			if !answer(command, features) {
				return
			}
		case "STARTTLS":
			if !answer(command, "220 go on") {
				return
			}
			conn = tls.Server(conn, security)
			r = bufio.NewReader(conn)
		case "DATA":
			if !answer(command, "354 go on") {
				return
			}
			text, err := readLetter(r)
			if err != nil {
				return
			}
			p.mu.Lock()
			p.letters = append(p.letters, text)
			p.mu.Unlock()
			if !answer("LETTER", "250 taken") {
				return
			}
		case "AUTH":
			if !answer(command, "235 welcome") {
				return
			}
		default:
			if !answer(command, "250 fine") {
				return
			}
		}
	}
}

func readLetter(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return b.String(), err
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

func (p *postOffice) mailer(mode string) mailer {
	dialer := &net.Dialer{}
	return mailer{config: config.SMTP{Host: "127.0.0.1", Port: p.port, From: "Signalbox <ci@example.com>", TLS: mode}, dial: dialer.DialContext, roots: p.root}
}

var sample = letter{Message: broken.bounded(), recipients: []string{"ann@example.com", "bob@example.com"}, id: 7, at: time.Unix(1700000000, 0)}

func TestMailArrives(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"none", "starttls", "tls"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := (&postOffice{starttls: true, implicit: mode == "tls"}).open(t)
			m := p.mailer(mode)
			m.config.User, m.config.Password = "ci", "hush"
			l := sample
			l.Title = "web/ünit\r\nBcc: eve@example.com"
			if f := m.send(t.Context(), l); f != nil {
				t.Fatalf("%+v", f)
			}
			got, err := mail.ReadMessage(strings.NewReader(p.letters[0]))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
			if err != nil || subject != "web/ünit Bcc: eve@example.com" || got.Header.Get("Bcc") != "" {
				t.Errorf("%v subject %q, header %v", err, subject, got.Header)
			}
			to, err := got.Header.AddressList("To")
			if err != nil || len(to) != 2 {
				t.Errorf("%v %v", to, err)
			}
			body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
			if err != nil || !strings.Contains(string(body), "    FAIL parse\r\n    exit <1> & out\r\n") || !strings.Contains(string(body), broken.URL) {
				t.Errorf("%v %s", err, body)
			}
			if all := strings.Join(p.commands, "|"); !strings.Contains(all, "AUTH PLAIN") || !strings.Contains(all, "RCPT TO:<bob@example.com>") {
				t.Error(all)
			}
		})
	}
}

// TestMailServersMisbehave sorts what goes wrong into later and never.
func TestMailServersMisbehave(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		say   map[string]string
		mode  string
		final bool
		words string
	}{
		"busy":                  {map[string]string{"": "421 too many connections"}, "none", false, "answered 421: too many connections"},
		"grey list":             {map[string]string{"RCPT": "451 come back"}, "none", false, "answered 451: come back"},
		"no such mailbox":       {map[string]string{"RCPT": "550 no such user"}, "none", true, "answered 550: no such user"},
		"sender refused":        {map[string]string{"MAIL": "530 sign in"}, "none", true, "answered 530: sign in"},
		"letter refused":        {map[string]string{"LETTER": "554 spam"}, "none", true, "answered 554: spam"},
		"disk full":             {map[string]string{"LETTER": "452 no space"}, "none", false, "answered 452: no space"},
		"hangs up at the start": {map[string]string{"": ""}, "none", false, "EOF"},
		"hangs up at the end":   {map[string]string{"LETTER": ""}, "none", false, "EOF"},
		"nonsense":              {map[string]string{"MAIL": "banana"}, "none", false, "could not be used"},
		"talks without end":     {map[string]string{"MAIL": "250-" + strings.Repeat("x", maxTalk)}, "none", false, "too much"},
		"no STARTTLS":           {nil, "starttls", true, "STARTTLS"},
		"plain where TLS":       {nil, "tls", false, "could not be used"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			office := (&postOffice{say: tc.say}).open(t)
			f := office.mailer(tc.mode).send(t.Context(), sample)
			if f == nil || f.final != tc.final || !strings.Contains(f.words, tc.words) {
				t.Fatalf("%+v", f)
			}
		})
	}
}

func TestMailWithForeignCertificateIsNotSent(t *testing.T) {
	t.Parallel()
	p := (&postOffice{starttls: true}).open(t)
	m := p.mailer("starttls")
	m.roots = x509.NewCertPool()
	if f := m.send(t.Context(), sample); f == nil || !strings.Contains(f.words, "certificate") || len(p.letters) != 0 {
		t.Errorf("%+v", f)
	}
}

func TestMailChannel(t *testing.T) {
	t.Parallel()
	p := (&postOffice{}).open(t)
	b := setup(t, config.SMTP{Host: "127.0.0.1", Port: p.port, From: "ci@example.com", TLS: "none"})
	for _, bad := range []string{`[]`, `["ann"]`, `["Ann <ann@example.com>"]`, `["ann@example.com\r\nBcc: eve@example.com"]`} {
		b.call(t, "POST", "", `{"team":"main","kind":"mail","name":"x","recipients":`+bad+`}`, 400, nil)
	}
	c := b.create(t, `{"team":"main","kind":"mail","name":"ops","recipients":["ann@example.com"]}`)
	if c.Summary != "ann@example.com" {
		t.Errorf("%+v", c)
	}
	var result TestResult
	if b.call(t, "POST", "/"+c.ID+"/test", "", 200, &result); !result.OK {
		t.Errorf("%+v", result)
	}
	b.raise(t, broken)
	until(t, "the mail is sent", func() bool { return b.newest(t, c.ID).State == Sent && b.newest(t, c.ID).Event == "build.failed" })
	if len(p.letters) != 2 {
		t.Errorf("%d letters", len(p.letters))
	}
}
