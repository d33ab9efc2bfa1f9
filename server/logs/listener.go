package logs

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/wire/fluent"
	"github.com/signalbox/signalbox/server/logs/wire/syslog"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// maxConnections is how many connections all listeners serve at once.
	maxConnections = 256
	// handshakeTime is how long a stranger may take to say who it is.
	handshakeTime = 10 * time.Second
	// retryTime is after how long what could not be kept is tried again.
	retryTime = time.Second
)

// Listening says where to listen beside HTTP, and for which team. An empty
// address is not listened on.
type Listening struct {
	// Syslog is an address for UDP and TCP, SyslogTLS one for TLS.
	Syslog, SyslogTLS string
	SyslogTeam        int64
	TLS               *tls.Config
	Fluent            string
	FluentTeam        int64
	// FluentKey is what clients of Fluent must know; empty lets everyone in.
	FluentKey string
}

// Listeners are the open ports; each belongs to one team, since syslog has no
// tokens and Fluent one key.
type Listeners struct {
	// SyslogUDP, SyslogTCP, SyslogTLS and Fluent are where they listen; nil where
	// they do not.
	SyslogUDP, SyslogTCP, SyslogTLS, Fluent net.Addr

	service *Service
	slots   chan struct{}
	open    []io.Closer
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// Listen opens the ports. Close ends what it began.
func (s *Service) Listen(ctx context.Context, in Listening) (*Listeners, error) {
	ctx, cancel := context.WithCancel(ctx)
	l := &Listeners{service: s, slots: make(chan struct{}, maxConnections), cancel: cancel}
	err := l.start(ctx, in)
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *Listeners) start(ctx context.Context, in Listening) (err error) {
	syslogs := func(ctx context.Context, c net.Conn) error { return l.service.syslogStream(ctx, c, in.SyslogTeam) }
	if in.Syslog != "" {
		if l.SyslogUDP, err = l.datagrams(ctx, in.Syslog, in.SyslogTeam); err != nil {
			return err
		}
		if l.SyslogTCP, err = l.connections(ctx, in.Syslog, syslogs); err != nil {
			return err
		}
	}
	if in.SyslogTLS != "" {
		if l.SyslogTLS, err = l.connections(ctx, in.SyslogTLS, func(ctx context.Context, c net.Conn) error {
			over := tls.Server(c, in.TLS)
			early, cancel := context.WithTimeout(ctx, handshakeTime)
			defer cancel()
			if err := over.HandshakeContext(early); err != nil {
				return err
			}
			return syslogs(ctx, over)
		}); err != nil {
			return err
		}
	}
	if in.Fluent != "" {
		l.Fluent, err = l.connections(ctx, in.Fluent, func(ctx context.Context, c net.Conn) error {
			return l.service.fluentStream(ctx, c, in.FluentTeam, in.FluentKey)
		})
	}
	return err
}

// Close takes no more, keeps what was read and waits for it.
func (l *Listeners) Close() {
	l.cancel()
	for _, c := range l.open {
		c.Close()
	}
	l.running.Wait()
}

// connections serves each connection by a goroutine of its own.
func (l *Listeners) connections(ctx context.Context, address string, serve func(context.Context, net.Conn) error) (net.Addr, error) {
	port, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for log lines: %w", err)
	}
	l.open = append(l.open, port)
	l.running.Go(func() {
		for {
			c, err := port.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil { // no file descriptors, most likely; others may end
				l.service.Log.Warn("taking a connection with log lines failed", "error", err)
				pause(ctx, retryTime)
				continue
			}
			select {
			case l.slots <- struct{}{}:
				l.running.Go(func() {
					l.serve(ctx, c, serve)
					<-l.slots
				})
			default:
				l.service.Log.Warn("too many connections with log lines", "from", c.RemoteAddr().String())
				c.Close()
			}
		}
	})
	return port.Addr(), nil
}

func (l *Listeners) serve(ctx context.Context, c net.Conn, serve func(context.Context, net.Conn) error) {
	defer c.Close()
	// A stranger's bytes must not end the server, whatever they are.
	defer func() {
		if p := recover(); p != nil {
			l.service.Log.Error("reading log lines panicked", "from", c.RemoteAddr().String(), "panic", p, "stack", string(debug.Stack()))
		}
	}()
	stop := context.AfterFunc(ctx, func() { wake(c) })
	defer stop()
	if err := serve(ctx, c); err != nil && err != io.EOF && ctx.Err() == nil {
		l.service.Log.Info("a connection with log lines ended", "from", c.RemoteAddr().String(), "error", err)
	}
}

// wake ends a read that waits. The connection is closed by whoever serves it.
func wake(c net.Conn) { _ = c.SetReadDeadline(time.Unix(1, 0)) } // fails on closed ones only

// syslogStream keeps the messages of a connection. The protocol has no answers:
// while nothing can be kept the sender is made to wait.
func (s *Service) syslogStream(ctx context.Context, c net.Conn, team int64) error {
	in := syslog.NewReader(c)
	g := gathering{
		next: func() (record.Record, error) {
			text, err := in.Next()
			return s.syslogRecord(text, c.RemoteAddr()), err
		},
		keep: func(ctx context.Context, records []record.Record) error {
			return again(ctx, retryTime, func() error {
				return s.Accept(context.WithoutCancel(ctx), Batch{Team: team, Source: "syslog", Records: records})
			})
		},
		interrupt: func() { wake(c) },
	}
	read, failed := g.run(ctx)
	if failed != nil {
		return failed
	}
	return read
}

// syslogRecord reads a message; a sender that does not name itself is known by
// its address.
func (s *Service) syslogRecord(text string, from net.Addr) record.Record {
	r := syslog.Parse(text, s.Now(), time.Local)
	if r.Stream.Get("host") == "" {
		if host, _, err := net.SplitHostPort(from.String()); err == nil {
			r.Stream = append(r.Stream, record.Label{Name: "host", Value: host}).Sort()
		}
	}
	return r
}

// datagrams takes one message in each. What cannot be kept is lost, as the
// protocol has it, but counted.
func (l *Listeners) datagrams(ctx context.Context, address string, team int64) (net.Addr, error) {
	port, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for log lines: %w", err)
	}
	l.open = append(l.open, port)
	if udp, ok := port.(*net.UDPConn); ok {
		_ = udp.SetReadBuffer(4 << 20) // as much as the system grants
	}
	s, buf := l.service, make([]byte, 64<<10)
	g := gathering{
		next: func() (record.Record, error) {
			for {
				n, from, err := port.ReadFrom(buf)
				if err != nil && ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
					continue // about one datagram only
				}
				if err != nil {
					return record.Record{}, err
				}
				return s.syslogRecord(string(buf[:n]), from), nil
			}
		},
		keep: func(ctx context.Context, records []record.Record) error {
			err := s.Accept(context.WithoutCancel(ctx), Batch{Team: team, Source: "syslog", Records: records, Drop: true})
			if err != nil {
				s.Log.Error("datagrams with log lines were lost", "lines", len(records), "error", err)
				s.sources.reject(team, "syslog", map[string]int{"a datagram came while nothing could be kept": len(records)}, s.Now())
			}
			return nil
		},
		interrupt: func() { port.Close() },
	}
	l.running.Go(func() {
		if read, _ := g.run(ctx); ctx.Err() == nil {
			s.Log.Error("reading datagrams with log lines ended", "error", read)
		}
	})
	return port.LocalAddr(), nil
}

// fluentStream keeps the messages of a connection and answers those that want an
// answer, once they are on the disk.
func (s *Service) fluentStream(ctx context.Context, c net.Conn, team int64, key string) error {
	in := fluent.NewReader(c, fluent.Limits{Message: s.MaxBody, Decoded: s.MaxDecoded, Line: maxLine})
	if err := fluentHandshake(c, in, key); err != nil || ctx.Err() != nil {
		return err
	}
	var b fluentBatch
	for {
		m, err := in.Next()
		if errors.Is(err, fluent.ErrMalformed) || errors.Is(err, fluent.ErrTooLarge) {
			s.sources.reject(team, "fluent", map[string]int{sentence(err): 1}, s.Now())
		}
		b.add(m)
		if err == nil && in.Buffered() && len(b.Records) < gatherLines {
			continue
		}
		if kept := s.keepFluent(ctx, c, team, &b); kept != nil {
			return kept
		}
		if err != nil {
			return err
		}
	}
}

// fluentBatch is what several messages of a connection brought.
type fluentBatch struct {
	fluent.Message
	chunks []string
}

func (b *fluentBatch) add(m fluent.Message) {
	b.Records = append(b.Records, m.Records...)
	for reason, n := range m.Rejected {
		if b.Rejected == nil {
			b.Rejected = map[string]int{}
		}
		b.Rejected[reason] += n
	}
	if m.Chunk != "" {
		b.chunks = append(b.chunks, m.Chunk)
	}
}

// keepFluent keeps a batch and acknowledges its chunks. A client that waits for
// an answer sends again by itself, so for its sake nothing is tried twice.
func (s *Service) keepFluent(ctx context.Context, c net.Conn, team int64, b *fluentBatch) error {
	try := func() error {
		return s.Accept(context.WithoutCancel(ctx), Batch{Team: team, Source: "fluent", Records: b.Records, Rejected: b.Rejected})
	}
	var err error
	if len(b.chunks) > 0 {
		err = try()
	} else {
		err = again(ctx, retryTime, try)
	}
	var answer []byte
	for _, chunk := range b.chunks {
		answer = append(answer, fluent.Ack(chunk)...)
	}
	*b = fluentBatch{}
	if err != nil || answer == nil {
		return err
	}
	if err := c.SetWriteDeadline(time.Now().Add(handshakeTime)); err != nil {
		return err
	}
	_, err = c.Write(answer)
	return err
}

// fluentHandshake lets in who knows the key.
func fluentHandshake(c net.Conn, in *fluent.Reader, key string) error {
	if key == "" {
		return nil
	}
	if err := c.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return err
	}
	nonce := make([]byte, 16)
	rand.Read(nonce) // never fails
	if _, err := c.Write(fluent.Hello(nonce)); err != nil {
		return err
	}
	ping, err := in.Ping()
	if err != nil {
		return err
	}
	refusal := ""
	if !ping.Knows(nonce, key) {
		refusal = "shared_key mismatch"
	}
	if _, err := c.Write(ping.Pong("signalbox", nonce, key, refusal)); err != nil {
		return err
	}
	if refusal != "" {
		return problem.New(problem.Forbidden, "A client of Fluent does not know logs.fluent_shared_key.")
	}
	return c.SetDeadline(time.Time{})
}
