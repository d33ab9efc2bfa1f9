package docs

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
)

//go:embed assets
var assets embed.FS

var frame = template.Must(template.ParseFS(assets, "assets/page.html"))

// Routes are open to everybody: who installs has no account yet.
func (m *Manual) Routes(r api.Router) {
	open := api.Public("the manual is read before there is an account, and is the same for all")
	s := &shelf{manual: m, kept: map[string]answer{}}
	for _, address := range []string{"/docs", "/docs/", "/docs/:page", "/docs/reference/:page"} {
		r.GET(address, open, s.page)
	}
	r.GET("/docs/search", open, s.search)
	r.GET("/docs/find", open, api.Handle(m.find))
	r.GET("/docs/assets/:file", open, s.asset)
}

type findIn struct {
	Text string `form:"q"`
}

type findOut struct {
	Items []Hit `json:"items"`
}

func (m *Manual) find(_ context.Context, in findIn) (findOut, error) {
	hits, err := m.Find(in.Text)
	return findOut{Items: hits}, err
}

// shelf keeps what was once rendered, compressed too.
type shelf struct {
	manual *Manual
	mu     sync.Mutex
	kept   map[string]answer
}

type answer struct {
	status        int
	plain, zipped []byte
	tag, kind     string
}

// longContents is how many sections a page lists with their subsections; longer ones only list the sections.
const longContents = 30

// view is what the frame shows.
type view struct {
	Title, Description, Version, Query, Path string
	Stylesheets                              []string
	Book                                     *Book
	Body                                     template.HTML
	Contents                                 []Section
	Previous, Next                           *Page
	Hits                                     []Hit
	Searching, Missing                       bool
}

func (s *shelf) page(c *gin.Context) {
	address := strings.TrimSuffix(c.Request.URL.Path, "/")
	s.give(c, address, func(book *Book) (view, int) {
		page, previous, next, err := book.page(address)
		if err != nil {
			return view{Title: "No such page", Missing: true, Hits: book.Find(strings.ReplaceAll(path.Base(address), "-", " "))}, http.StatusNotFound
		}
		v := view{Title: page.Title, Description: page.Lead, Path: page.Path, Previous: previous, Next: next,
			Body: template.HTML(page.HTML)} // of our own pages, by a renderer that lets no raw HTML through
		depth := 3
		if len(page.Sections) > longContents {
			depth = 2
		}
		for _, section := range page.Sections[1:] {
			if section.Level <= depth {
				v.Contents = append(v.Contents, section)
			}
		}
		return v, http.StatusOK
	})
}

func (s *shelf) search(c *gin.Context) {
	query := c.Query("q")
	s.give(c, "", func(book *Book) (view, int) {
		return view{Title: "Search", Query: query, Searching: true, Hits: book.Find(query)}, http.StatusOK
	})
}

// give answers with a page; with a name it is kept, unless it is missing: those names have no end.
func (s *shelf) give(c *gin.Context, name string, make func(*Book) (view, int)) {
	s.mu.Lock()
	kept, known := s.kept[name]
	s.mu.Unlock()
	if known && name != "" {
		kept.write(c)
		return
	}
	book, err := s.manual.Book()
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	v, status := make(book)
	v.Book, v.Stylesheets, v.Version = book, s.manual.deps.Stylesheets, s.manual.deps.Version
	var out bytes.Buffer
	if err := frame.Execute(&out, v); err != nil {
		api.WriteProblem(c, fmt.Errorf("draw a page of the manual: %w", err))
		return
	}
	a := newAnswer(out.Bytes(), "text/html; charset=utf-8", status)
	if status == http.StatusOK && name != "" {
		s.mu.Lock()
		s.kept[name] = a
		s.mu.Unlock()
	}
	a.write(c)
}

func (s *shelf) asset(c *gin.Context) {
	name := c.Param("file")
	if name == "openapi.yaml" {
		s.openAPI(c)
		return
	}
	raw, err := assets.ReadFile("assets/" + name)
	if err != nil || strings.HasSuffix(name, ".html") {
		s.page(c)
		return
	}
	newAnswer(raw, mime.TypeByExtension(path.Ext(name)), http.StatusOK).write(c)
}

func (s *shelf) openAPI(c *gin.Context) {
	if _, err := s.manual.Book(); err != nil {
		api.WriteProblem(c, err)
		return
	}
	newAnswer(s.manual.openAPI, "application/yaml", http.StatusOK).write(c)
}

func newAnswer(body []byte, kind string, status int) answer {
	sum := sha256.Sum256(body)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	w.Write(body) // into memory: never fails
	w.Close()
	return answer{status: status, plain: body, zipped: zipped.Bytes(), kind: kind, tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

func (a answer) write(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", api.PagePolicy)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", a.tag)
	if a.status == http.StatusOK && c.GetHeader("If-None-Match") == a.tag {
		c.Status(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return
	}
	body := a.plain
	if strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = a.zipped
	}
	c.Data(a.status, a.kind, body)
}
