package notify

import (
	"context"
	"errors"
	"net"
	"net/mail"
	"net/smtp"
	"strconv"

	"github.com/signalbox/signalbox/server/platform/config"
)

// Greet speaks with the mail server as before a letter, and sends none: it connects,
// secures the connection, signs in, and says good-bye.
func Greet(ctx context.Context, c config.SMTP, dial func(ctx context.Context, network, address string) (net.Conn, error)) error {
	m := mailer{config: c, dial: dial}
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	conn, err := dial(ctx, "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	if err != nil {
		return errors.New(explainMail(err))
	}
	// The connection knows no context, so the end of the context closes it.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	client, err := m.greet(&talkative{Conn: conn, left: maxTalk}, *from)
	if err == nil && c.User != "" {
		err = client.Auth(smtp.PlainAuth("", c.User, c.Password, c.Host))
	}
	if err != nil {
		return errors.New(explainMail(err))
	}
	return client.Quit()
}
