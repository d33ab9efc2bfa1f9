package app

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// pages serves the built user interface: hashed files for ever, everything else
// that a browser asks for as index.html, whose router knows the address.
type pages struct {
	files fs.FS
	mu    sync.Mutex
	cache map[string]page
}

type page struct {
	plain, zipped []byte
	tag, kind     string
}

func newPages(files fs.FS) *pages { return &pages{files: files, cache: map[string]page{}} }

// apiPrefixes are addresses that no page has; a wrong one gets a problem, not a page.
var apiPrefixes = []string{"/api/", "/hooks/", "/sky/", "/edge/", "/loki/", "/elasticsearch/", "/v1/", "/mcp", "/insert/", "/metrics", "/.well-known/"}

func (p *pages) serve(c *gin.Context) {
	name := strings.TrimPrefix(path.Clean(c.Request.URL.Path), "/")
	for _, prefix := range apiPrefixes {
		if strings.HasPrefix(c.Request.URL.Path, prefix) {
			api.WriteProblem(c, problem.New(problem.NotFound, "There is nothing at %s %s.", c.Request.Method, c.Request.URL.Path))
			return
		}
	}
	if c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead {
		api.WriteProblem(c, problem.New(problem.NotFound, "There is nothing at %s %s.", c.Request.Method, c.Request.URL.Path))
		return
	}
	file, err := p.load(name)
	hashed := err == nil && strings.HasPrefix(name, "assets/")
	if err != nil {
		if strings.HasPrefix(name, "assets/") {
			api.WriteProblem(c, problem.New(problem.NotFound, "This page was loaded from an older version of the server. Reload it."))
			return
		}
		if file, err = p.load("index.html"); err != nil {
			api.WriteProblem(c, problem.Wrap(err, problem.Unavailable, "This server was built without its user interface. Run make build."))
			return
		}
	}
	p.write(c, file, hashed)
}

func (p *pages) write(c *gin.Context, file page, hashed bool) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", api.PagePolicy)
	h.Set("ETag", file.tag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if hashed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if c.GetHeader("If-None-Match") == file.tag {
		c.Status(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return
	}
	body := file.plain
	if file.zipped != nil && strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		body = file.zipped
		h.Set("Content-Encoding", "gzip")
	}
	c.Data(http.StatusOK, file.kind, body)
}

func (p *pages) load(name string) (page, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f, ok := p.cache[name]; ok {
		return f, nil
	}
	raw, err := fs.ReadFile(p.files, name)
	if err != nil {
		return page{}, err
	}
	sum := sha256.Sum256(raw)
	f := page{plain: raw, tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, kind: mime.TypeByExtension(path.Ext(name))}
	if f.kind == "" {
		f.kind = http.DetectContentType(raw)
	}
	if strings.HasPrefix(f.kind, "text/") || strings.Contains(f.kind, "javascript") || strings.Contains(f.kind, "json") || strings.Contains(f.kind, "svg") {
		if f.zipped, err = zip(raw); err != nil {
			return page{}, err
		}
	}
	p.cache[name] = f
	return f, nil
}

func zip(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("compress a page: %w", err)
	}
	if _, err := w.Write(raw); err != nil {
		return nil, fmt.Errorf("compress a page: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress a page: %w", err)
	}
	return b.Bytes(), nil
}
