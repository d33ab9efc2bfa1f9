package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

const (
	// unreadyFor is how long a stopping server answers "not ready" before it
	// takes no more connections, so that a balancer has looked once.
	unreadyFor = time.Second
	// streamsFor is how much longer answers may go on that never end by themselves.
	streamsFor = 2 * time.Second
	drainFor   = 20 * time.Second
	// settledAfter is when starting is over and what it used can be given back.
	settledAfter = 10 * time.Second
)

// listener is one HTTP port with its server.
type listener struct {
	net    net.Listener
	server *http.Server
	tls    [2]string
	// end cancels the requests under way, those that answer for ever among them.
	end context.CancelFunc
}

func listen(ctx context.Context, address string, handler http.Handler, cert, key string) (*listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	base, end := context.WithCancel(context.WithoutCancel(ctx))
	return &listener{net: l, tls: [2]string{cert, key}, end: end, server: &http.Server{
		BaseContext:       func(net.Listener) context.Context { return base },
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}}, nil
}

func (l *listener) serve() error {
	var err error
	if l.tls[0] != "" {
		err = l.server.ServeTLS(l.net, l.tls[0], l.tls[1])
	} else {
		err = l.server.Serve(l.net)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// URL is where the server listens, as a local client reaches it.
func (a *App) URL() string {
	scheme := "http"
	if a.config.Server.TLSCert != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(a.main.net.Addr().String())
	if err != nil {
		return scheme + "://" + a.main.net.Addr().String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// PublicURL is what links that leave the server begin with.
func (a *App) PublicURL() string {
	if a.config.Server.PublicURL != "" {
		return a.config.Server.PublicURL
	}
	return a.URL()
}

// https reports whether browsers reach us over TLS: cookies are then Secure.
func (a *App) https() bool {
	return strings.HasPrefix(a.config.Server.PublicURL, "https://") || a.config.Server.TLSCert != ""
}

// Run serves until ctx ends, then drains: not ready first, then no new requests,
// then the jobs and loops, which detach from builds without ending them.
func (a *App) Run(ctx context.Context) error {
	if err := a.startWork(ctx); err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- a.main.serve() }()
	if a.metrics != nil {
		go func() { failed <- a.metrics.serve() }()
	}
	a.ready.Store(true)
	// Starting leaves garbage that an idle server would keep for long.
	defer time.AfterFunc(settledAfter, debug.FreeOSMemory).Stop()
	a.log.Info("serving", "url", a.URL(), "version", Version)
	select {
	case err := <-failed:
		return errors.Join(err, a.drain(context.WithoutCancel(ctx), 0))
	case <-ctx.Done():
		return a.drain(context.WithoutCancel(ctx), a.unreadyFor)
	}
}

func (a *App) drain(ctx context.Context, pause time.Duration) error {
	a.log.Info("stopping: not ready from now on")
	a.ready.Store(false)
	time.Sleep(pause)
	ctx, cancel := context.WithTimeout(ctx, drainFor)
	defer cancel()
	a.hub.Close() // streams never end by themselves
	defer time.AfterFunc(streamsFor, a.main.end).Stop()
	err := a.main.server.Shutdown(ctx)
	if a.metrics != nil {
		err = errors.Join(err, a.metrics.server.Shutdown(ctx))
	}
	return errors.Join(err, a.stopWork(ctx), a.Close(ctx))
}
