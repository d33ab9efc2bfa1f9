package github

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
)

type tagKey struct{}

// remembering marks a context within which lists may be answered from memory when
// GitHub says that they are unchanged, which costs nothing of the rate limit.
// Nothing that decides whether to write is asked so: a wrong "unchanged" would
// have us write twice.
func remembering(ctx context.Context) context.Context { return context.WithValue(ctx, tagKey{}, true) }

const (
	maxTagged     = 128
	maxTaggedBody = 1 << 20
)

// tagged sends the ETag of what it remembers, and gives that when GitHub answers 304.
type tagged struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen map[string]tagEntry
}

type tagEntry struct {
	tag    string
	header http.Header
	body   []byte
}

func (t *tagged) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet || r.Context().Value(tagKey{}) == nil {
		return t.next.RoundTrip(r)
	}
	key := r.URL.String()
	t.mu.Lock()
	known, found := t.seen[key]
	t.mu.Unlock()
	asked := r.Clone(r.Context())
	if found {
		asked.Header.Set("If-None-Match", known.tag)
	}
	response, err := t.next.RoundTrip(asked)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusNotModified {
		response.Body.Close()
		if !found { // nobody asked for that: ask once more, without a tag
			return t.next.RoundTrip(r)
		}
		return known.answer(response), nil
	}
	return t.keep(key, response)
}

// answer is the remembered body with the fresh answer's headers of the limits.
func (e tagEntry) answer(fresh *http.Response) *http.Response {
	header := e.header.Clone()
	for name, values := range fresh.Header {
		if len(name) > 11 && name[:11] == "X-Ratelimit" {
			header[name] = values
		}
	}
	return &http.Response{Status: "200 OK", StatusCode: http.StatusOK, Proto: fresh.Proto, ProtoMajor: fresh.ProtoMajor, ProtoMinor: fresh.ProtoMinor,
		Header: header, Body: io.NopCloser(bytes.NewReader(e.body)), ContentLength: int64(len(e.body)), Request: fresh.Request}
}

func (t *tagged) keep(key string, response *http.Response) (*http.Response, error) {
	tag := response.Header.Get("ETag")
	if response.StatusCode != http.StatusOK || tag == "" {
		return response, nil
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil || len(t.seen) >= maxTagged {
		t.seen = map[string]tagEntry{}
	}
	if len(body) <= maxTaggedBody {
		t.seen[key] = tagEntry{tag: tag, header: response.Header.Clone(), body: body}
	}
	return response, nil
}
