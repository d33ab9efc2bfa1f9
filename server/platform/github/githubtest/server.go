package githubtest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Server is the fake. Its API is at URL, or URL + "/api/v3".
type Server struct {
	URL string
	// Token is the personal token it takes; "" takes any.
	Token string
	// PageSize caps what one page holds; 100 when 0.
	PageSize int
	// Now is its clock.
	Now func() time.Time
	// Client posts deliveries.
	Client *http.Client

	mu       sync.Mutex
	mux      *http.ServeMux
	serial   int64
	repos    map[string]*Repo
	order    []string
	orgs     map[string]*Org
	orgOrder []string
	apps     map[int64]*App
	codes    map[string]*App
	tokens   map[string]time.Time
	faults   []*Fault
	requests []Request
}

// Request is one that was made.
type Request struct {
	Method, Path, Query, Body, Authorization string
	Status                                   int
}

// Fault is a way of misbehaving. A request takes the first that fits and has
// something left.
type Fault struct {
	// Method and Path must fit; Path is a prefix, "" fits all.
	Method, Path string
	// Times it happens; 0 is for ever.
	Times int
	// After lets so many pass first.
	After int
	// Status answers instead of doing it; with Done it is done, and answered so all the same.
	Status int
	Done   bool
	Body   string
	Header map[string]string
	// Hang waits before anything else, or until the caller leaves.
	Hang time.Duration
	// Drop closes the connection without an answer.
	Drop bool
}

// New makes a fake without a listener; Start or Serve gives it one.
func New() *Server {
	s := &Server{repos: map[string]*Repo{}, orgs: map[string]*Org{}, apps: map[int64]*App{}, codes: map[string]*App{}, tokens: map[string]time.Time{}, Now: time.Now,
		Client: &http.Client{Timeout: 10 * time.Second}, mux: http.NewServeMux()}
	s.repoRoutes()
	s.historyRoutes()
	s.hookRoutes()
	s.orgRoutes()
	s.writeRoutes()
	s.appRoutes()
	return s
}

// Start serves on a free port of loopback until stop.
func Start() (s *Server, stop func()) {
	s = New()
	web := httptest.NewServer(s)
	s.URL = web.URL
	return s, web.Close
}

// Serve listens at addr (":0" for any port) and serves until the listener fails;
// ready is told the address first. It is for small programs such as those of
// browser tests.
func Serve(addr string, s *Server, ready func(url string)) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s.URL = "http://" + l.Addr().String()
	ready(s.URL)
	return (&http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}).Serve(l)
}

// Misbehave adds faults.
func (s *Server) Misbehave(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range faults {
		f := faults[i]
		if f.Times == 0 {
			f.Times = -1
		}
		s.faults = append(s.faults, &f)
	}
}

// Behave ends all misbehaving.
func (s *Server) Behave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Requests lists those whose method and path begin so ("POST /repos/"), in order.
func (s *Server) Requests(prefix string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Request{}
	for _, r := range s.requests {
		if strings.HasPrefix(r.Method+" "+r.Path, prefix) {
			list = append(list, r)
		}
	}
	return list
}

// Count is how many Requests there are.
func (s *Server) Count(prefix string) int { return len(s.Requests(prefix)) }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.URL.Path = strings.TrimPrefix(r.URL.Path, "/api/v3")
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	record := httptest.NewRecorder()
	fault := s.fault(r)
	if fault != nil && fault.Hang > 0 {
		select {
		case <-time.After(fault.Hang):
		case <-r.Context().Done():
		}
	}
	if fault == nil || fault.Done || fault.Status == 0 && !fault.Drop {
		s.mux.ServeHTTP(record, r)
		s.tag(record, r)
	}
	status := record.Code
	if fault != nil && fault.Status != 0 {
		status = fault.Status
	}
	s.note(Request{r.Method, r.URL.Path, r.URL.RawQuery, string(body), r.Header.Get("Authorization"), status})
	if fault != nil && fault.Drop {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	for name, values := range record.Header() {
		h[name] = values
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	if h.Get("X-RateLimit-Limit") == "" {
		h.Set("X-RateLimit-Limit", "5000")
		h.Set("X-RateLimit-Remaining", "4999")
		h.Set("X-RateLimit-Reset", strconv.FormatInt(s.Now().Add(time.Hour).Unix(), 10))
	}
	answer := record.Body.Bytes()
	if fault != nil && fault.Status != 0 {
		answer = []byte(fault.Body)
	}
	if fault != nil {
		for name, value := range fault.Header {
			h.Set(name, value)
		}
	}
	w.WriteHeader(status)
	w.Write(answer)
}

// tag answers 304 to a caller who has it already, as GitHub does for lists.
func (s *Server) tag(record *httptest.ResponseRecorder, r *http.Request) {
	if r.Method != http.MethodGet || record.Code != http.StatusOK {
		return
	}
	sum := sha256.Sum256(record.Body.Bytes())
	tag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
	record.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		record.Code = http.StatusNotModified
		record.Body.Reset()
	}
}

func (s *Server) fault(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Method != "" && f.Method != r.Method || !strings.HasPrefix(r.URL.Path, f.Path) || f.Times == 0 {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		return f
	}
	return nil
}

func (s *Server) note(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
}

func (s *Server) next() int64 {
	s.serial++
	return s.serial
}

// handle registers a route that runs under the lock for a caller with a token.
func (s *Server) handle(pattern string, f func(r *http.Request, in map[string]any) (int, any, http.Header)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.known(r) {
			reply(w, http.StatusUnauthorized, message("Bad credentials"), nil)
			return
		}
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in) // a request without a body has none
		status, out, header := f(r, in)
		reply(w, status, out, header)
	})
}

func (s *Server) known(r *http.Request) bool {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		return strings.HasPrefix(r.URL.Path, "/app-manifests/")
	}
	if until, installed := s.tokens[token]; installed {
		return s.Now().Before(until)
	}
	if strings.Count(token, ".") == 2 {
		return s.appOf(r) != nil
	}
	return !strings.HasPrefix(token, "ghs_") && (s.Token == "" || token == s.Token)
}

func reply(w http.ResponseWriter, status int, out any, header http.Header) {
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	if out != nil {
		json.NewEncoder(w).Encode(out)
	}
}

func message(text string) map[string]any { return map[string]any{"message": text} }

func notFound() (int, any, http.Header) { return http.StatusNotFound, message("Not Found"), nil }

// page cuts a list as the query asks, and says in Link where the next page is.
func page[T any](s *Server, r *http.Request, all []T) ([]T, http.Header) {
	size, number := s.pageSize(r), 1
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 {
		number = n
	}
	from := min((number-1)*size, len(all))
	to := min(from+size, len(all))
	list := append([]T{}, all[from:to]...)
	if to >= len(all) {
		return list, nil
	}
	return list, s.link(r, "page", strconv.Itoa(number+1))
}

func (s *Server) pageSize(r *http.Request) int {
	size, most := 30, s.PageSize
	if most == 0 {
		most = 100
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("per_page")); err == nil && n > 0 {
		size = n
	}
	return min(size, most)
}

func (s *Server) link(r *http.Request, name, value string) http.Header {
	next := *r.URL
	q, _ := url.ParseQuery(next.RawQuery)
	q.Set(name, value)
	next.RawQuery = q.Encode()
	return http.Header{"Link": {fmt.Sprintf(`<%s%s>; rel="next"`, s.URL, next.RequestURI())}}
}

func randomKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // only when there is no randomness
	}
	return key
}

// word is a string of the request's JSON, "" when it has none.
func word(in map[string]any, name string) string {
	text, _ := in[name].(string)
	return text
}

func object(in map[string]any, name string) map[string]any {
	o, _ := in[name].(map[string]any)
	return o
}
