package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// mailTimeout is for a whole conversation with the mail server.
const mailTimeout = time.Minute

// mailer hands letters to the configured server.
type mailer struct {
	config config.SMTP
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	// roots are the certificate authorities; nil means the system's.
	roots *x509.CertPool
}

type letter struct {
	Message
	recipients []string
	id         int64
	at         time.Time
}

func (m mailer) send(ctx context.Context, l letter) *failure {
	if m.config.Host == "" {
		return &failure{words: "This server sends no mail. An administrator sets smtp.host and smtp.from.", final: true}
	}
	from, err := mail.ParseAddress(m.config.From)
	if err != nil {
		return &failure{words: "smtp.from is not a mail address.", final: true}
	}
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	conn, err := m.dial(ctx, "tcp", net.JoinHostPort(m.config.Host, strconv.Itoa(m.config.Port)))
	if err != nil {
		return &failure{words: explainMail(err)}
	}
	// The connection knows no context, so the end of the context closes it.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	if err := m.converse(&talkative{Conn: conn, left: maxTalk}, *from, l); err != nil {
		var said *textproto.Error
		final := errors.As(err, &said) && said.Code >= 500 || errors.Is(err, errNoTLS)
		return &failure{words: explainMail(err), final: final}
	}
	return nil
}

func explainMail(err error) string {
	var said *textproto.Error
	switch {
	case errors.As(err, &said):
		return fmt.Sprintf("The mail server answered %d: %s", said.Code, oneLine(said.Msg))
	case problem.From(err).Kind != problem.Internal:
		return problem.From(err).Detail
	}
	return "The mail server could not be used: " + err.Error()
}

// maxTalk bounds what a server may say to us in one conversation.
const maxTalk = 256 << 10

type talkative struct {
	net.Conn
	left int
}

func (c *talkative) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errors.New("it says too much")
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

var errNoTLS = errors.New("it does not offer STARTTLS, and smtp.tls asks for it")

func (m mailer) converse(conn net.Conn, from mail.Address, l letter) error {
	client, err := m.greet(conn, from)
	if err != nil {
		return err
	}
	if m.config.User != "" {
		if err := client.Auth(smtp.PlainAuth("", m.config.User, m.config.Password, m.config.Host)); err != nil {
			return err
		}
	}
	if err := client.Mail(from.Address); err != nil {
		return err
	}
	for _, r := range l.recipients {
		if err := client.Rcpt(r); err != nil {
			return fmt.Errorf("recipient %s: %w", r, err)
		}
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(l.bytes(from)); err != nil {
		return err
	}
	// The server has the letter once it confirms the end; a failed good-bye changes nothing.
	if err := w.Close(); err != nil {
		return err
	}
	_ = client.Quit()
	return nil
}

func (m mailer) greet(conn net.Conn, from mail.Address) (*smtp.Client, error) {
	security := &tls.Config{ServerName: m.config.Host, RootCAs: m.roots}
	if m.config.TLS == "tls" {
		conn = tls.Client(conn, security)
	}
	client, err := smtp.NewClient(conn, m.config.Host)
	if err != nil {
		return nil, err
	}
	if err := client.Hello(domain(from)); err != nil {
		return nil, err
	}
	if m.config.TLS != "starttls" {
		return client, nil
	}
	if ok, _ := client.Extension("STARTTLS"); !ok {
		return nil, errNoTLS
	}
	return client, client.StartTLS(security)
}

func domain(a mail.Address) string { return a.Address[strings.LastIndexByte(a.Address, '@')+1:] }

// bytes is the letter as RFC 5322 wants it. Everything of others goes through an
// encoding, so that no line of theirs can become a header.
func (l letter) bytes(from mail.Address) []byte {
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("From", from.String())
	header("To", strings.Join(l.recipients, ",\r\n "))
	header("Subject", mime.QEncoding.Encode("utf-8", oneLine(l.Title)))
	header("Date", l.at.UTC().Format(time.RFC1123Z))
	header("Message-ID", fmt.Sprintf("<signalbox-%d-%d@%s>", l.id, l.at.UnixMilli(), domain(from)))
	header("Auto-Submitted", "auto-generated")
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, err := io.WriteString(w, l.text())
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

func (l letter) text() string {
	var b strings.Builder
	for _, part := range []string{l.Title, l.Text, l.URL} {
		if part != "" {
			b.WriteString(part + "\n\n")
		}
	}
	for _, line := range l.Lines {
		b.WriteString("    " + line + "\n")
	}
	return strings.ReplaceAll(b.String(), "\n", "\r\n")
}
