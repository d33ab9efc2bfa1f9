package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// client calls a server with one token.
type client struct {
	url, token string
	spec       *openapi3.T // every answer of our own API must match it
}

// as is the same server called by somebody else.
func (c *client) as(token string) *client { return &client{url: c.url, token: token, spec: c.spec} }

// grant signs in as fly does.
func (c *client) grant(t testing.TB, name, password string) string {
	t.Helper()
	form := url.Values{"grant_type": {"password"}, "scope": {"openid"}, "username": {name}, "password": {password}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/sky/issuer/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("fly", "Zmx5")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var out struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil || out.AccessToken == "" {
		t.Fatalf("password grant for %s: %d %v", name, answer.StatusCode, err)
	}
	return out.AccessToken
}

// request sends body as JSON, or as it is when it is an io.Reader.
func (c *client) request(t testing.TB, method, path string, body any, header ...string) *http.Response {
	t.Helper()
	reader, raw := body.(io.Reader)
	if !raw && body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.url+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := http.DefaultTransport.RoundTrip(req) // follows no redirects
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// send returns status and body, whatever they are.
func (c *client) send(t testing.TB, method, path string, body any, header ...string) (int, string) {
	t.Helper()
	answer := c.request(t, method, path, body, header...)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if c.spec != nil && isOwn(strings.SplitN(path, "?", 2)[0]) && method != http.MethodHead {
		if err := checkAnswer(c.spec, method, path, answer.StatusCode, answer.Header.Get("Content-Type"), raw); err != nil {
			first, _, _ := strings.Cut(err.Error(), "\n")
			t.Errorf("%s %s answers %d otherwise than openapi.yaml says: %s", method, path, answer.StatusCode, first)
		}
	}
	return answer.StatusCode, string(raw)
}

func (c *client) status(t testing.TB, method, path string) int {
	t.Helper()
	answer := c.request(t, method, path, nil)
	answer.Body.Close()
	return answer.StatusCode
}

// call expects success and decodes the answer into out, if given.
func (c *client) call(t testing.TB, method, path string, body, out any) {
	t.Helper()
	status, raw := c.send(t, method, path, body)
	if status >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, status, raw)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(raw), out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
}

// frame is one server-sent event.
type frame struct{ id, event, data string }

// frames reads server-sent events until each says that it has enough, or the
// stream ends. It may run beside the test, so it fails nothing by itself.
func (c *client) frames(ctx context.Context, path, last string, each func(frame) (enough bool)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", "text/event-stream")
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, answer.Status)
	}
	var f frame
	lines := bufio.NewReader(answer.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimSuffix(line, "\n")
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && f != (frame{}):
			if each(f) {
				return nil
			}
			f = frame{}
		case key == "id":
			f.id = value
		case key == "event":
			f.event = value
		case key == "data":
			f.data += value
		}
	}
}
