package logs

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/wire/grpc"
	"github.com/signalbox/signalbox/server/logs/wire/otlp"
	"github.com/signalbox/signalbox/server/platform/content"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// exportMethod is the one method of OpenTelemetry's log service.
const exportMethod = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

const (
	// callTime is how long one call may take to arrive.
	callTime = 30 * time.Second
	// callsAtOnce bounds the calls under way of one connection.
	callsAtOnce = 64
	// endTime is how long calls under way may go on when the port closes.
	endTime = 2 * time.Second
)

// OTLPListener is an open port for OpenTelemetry's logs over gRPC.
type OTLPListener struct {
	Addr   net.Addr
	server *http.Server
	ended  chan struct{}
}

// ListenOTLP opens the port; secure nil speaks HTTP/2 in the clear.
func (s *Service) ListenOTLP(ctx context.Context, address string, secure *tls.Config) (*OTLPListener, error) {
	port, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for OpenTelemetry's logs: %w", err)
	}
	l := &OTLPListener{Addr: port.Addr(), ended: make(chan struct{}), server: &http.Server{
		Handler: http.HandlerFunc(s.serveGRPC), BaseContext: func(net.Listener) context.Context { return ctx }, TLSConfig: secure,
		Protocols: &http.Protocols{}, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: callsAtOnce},
		ReadHeaderTimeout: handshakeTime, IdleTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}}
	l.server.Protocols.SetHTTP2(secure != nil)
	l.server.Protocols.SetUnencryptedHTTP2(secure == nil)
	go func() {
		defer close(l.ended)
		serve := l.server.Serve
		if secure != nil {
			serve = func(p net.Listener) error { return l.server.ServeTLS(p, "", "") }
		}
		if err := serve(port); !errors.Is(err, http.ErrServerClosed) {
			s.Log.Error("taking OpenTelemetry's logs ended", "error", err)
		}
	}()
	return l, nil
}

// Close takes no more calls and waits a moment for those under way.
func (l *OTLPListener) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		l.server.Close()
	}
	<-l.ended
}

// serveGRPC is a unary call by hand: one message in, one out, and a status.
func (s *Service) serveGRPC(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), grpc.ContentType) {
		http.Error(w, "This port takes gRPC calls only.", http.StatusUnsupportedMediaType)
		return
	}
	if r.URL.Path != exportMethod {
		grpc.WriteStatus(w, grpc.Unimplemented, "This port takes logs only: "+exportMethod+".", 0)
		return
	}
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	ctx, team, err := s.tenantOf(r, address, writing)
	var answer []byte
	if err == nil {
		answer, err = s.receiveCall(ctx, w, r, team)
	}
	if err != nil {
		s.refuseCall(w, team, err)
		return
	}
	if err := grpc.WriteAnswer(w, answer); err != nil && ctx.Err() == nil {
		s.Log.Info("an answer to OpenTelemetry's logs did not arrive", "from", address, "error", err)
	}
}

// receiveCall keeps the records of a call and makes its answer.
func (s *Service) receiveCall(ctx context.Context, w http.ResponseWriter, r *http.Request, team identity.Team) ([]byte, error) {
	// A client that dawdles holds memory of others; what cannot have a deadline has the connection's.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(callTime))
	reserved := int64(0)
	defer func() { s.intake.memory.Release(reserved) }()
	grow := func(n int64) error {
		if !s.intake.memory.TryAcquire(n) {
			return &problem.Error{Kind: problem.Unavailable, Detail: "Too many requests are being read at once; send the batch again.", RetryAfter: 1}
		}
		reserved += n
		return nil
	}
	message, compressed, err := grpc.ReadMessage(r.Body, s.MaxBody, grow)
	if err != nil {
		return nil, unreadableCall(err)
	}
	if compressed {
		if message, err = expandCall(message, r.Header.Get("Grpc-Encoding"), s.MaxDecoded, grow); err != nil {
			return nil, err
		}
	}
	b, err := otlp.ReadProtobuf(message, otlp.Limits{Lines: maxBatch, Line: maxLine})
	if err != nil {
		return nil, problem.Wrap(err, problem.Invalid, "%s.", sentence(err))
	}
	if err := s.Accept(ctx, Batch{Team: team.ID, Source: "otlp", Records: b.Records, Rejected: b.Rejected}); err != nil {
		return nil, err
	}
	return otlp.Answer(false, b.Lost(), b.Why()), nil
}

func expandCall(message []byte, encoding string, limit int64, grow func(int64) error) ([]byte, error) {
	in, err := content.Decode(bytes.NewReader(message), encoding, limit)
	if err != nil {
		return nil, unreadable(err)
	}
	var out []byte
	for {
		if err := grow(64 << 10); err != nil {
			return nil, err
		}
		part, err := io.ReadAll(io.LimitReader(in, 64<<10))
		out = append(out, part...)
		if err != nil {
			return nil, unreadable(err)
		}
		if len(part) < 64<<10 {
			return out, nil
		}
	}
}

func unreadableCall(err error) error {
	var known *problem.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, grpc.ErrTooLarge):
		return problem.Wrap(err, problem.TooLarge, "The message is larger than allowed; send smaller batches, or raise logs.max_request_mb.")
	}
	return problem.Wrap(err, problem.Invalid, "The body cannot be read: %v.", err)
}

var grpcCodes = map[problem.Kind]grpc.Code{problem.Unauthorized: grpc.Unauthenticated, problem.Forbidden: grpc.PermissionDenied,
	problem.TooMany: grpc.ResourceExhausted, problem.Unavailable: grpc.Unavailable, problem.Internal: grpc.Internal}

// refuseCall answers with an error and counts what the client will not send again.
func (s *Service) refuseCall(w http.ResponseWriter, team identity.Team, err error) {
	p := problem.From(err)
	if team.ID != 0 && (p.Kind == problem.Invalid || p.Kind == problem.TooLarge) {
		s.sources.reject(team.ID, "otlp", map[string]int{"a request was refused: " + p.Detail: 1}, s.Now())
	}
	if p.Kind == problem.Internal {
		s.Log.Error("taking log lines failed", "path", exportMethod, "error", err)
	}
	code, ok := grpcCodes[p.Kind]
	if !ok {
		code = grpc.InvalidArgument
	}
	grpc.WriteStatus(w, code, p.Detail, p.RetryAfter)
}
