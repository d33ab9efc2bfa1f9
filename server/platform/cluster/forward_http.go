package cluster

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/gin-gonic/gin"
)

// Forwarded reports whether another member has handed this request on: it is answered
// here whatever comes of it.
func Forwarded(r *http.Request) bool { return r.Header.Get(forwardedHeader) != "" }

// Forward hands a person's request to the member that can answer it, with the
// person's own session or token, which that member checks again. It takes the raw
// context because the answer may be a stream or a WebSocket.
func (c *Cluster) Forward(g *gin.Context, m Member) error {
	if !m.There || m.Address == "" {
		return &Absent{Member: m}
	}
	to, err := url.Parse(m.Address)
	if err != nil {
		return errors.Join(&Absent{Member: m}, err)
	}
	var failed error
	proxy := httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
			r.SetXForwarded()
			r.Out.Header.Set(forwardedHeader, c.deps.Self.Node)
		},
		ModifyResponse: func(answer *http.Response) error {
			for name := range answer.Header {
				g.Writer.Header().Del(name) // both have set it
			}
			return nil
		},
		Transport:     c.deps.Transport,
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(c.deps.Log.Handler(), slog.LevelDebug),
		ErrorHandler:  func(_ http.ResponseWriter, _ *http.Request, err error) { failed = err },
	}
	defer func() {
		// It panics when the answer breaks off in the middle, for net/http to end the connection.
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	proxy.ServeHTTP(g.Writer, g.Request)
	if failed != nil {
		return &Absent{m, failed}
	}
	return nil
}
