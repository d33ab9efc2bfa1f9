package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// withToken sends a token with each request.
type withToken string

func (w withToken) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(w))
	return http.DefaultTransport.RoundTrip(r)
}

func mcpSession(t *testing.T, transport mcp.Transport) *mcp.ClientSession {
	t.Helper()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), transport, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func overHTTP(url, token string) mcp.Transport {
	return &mcp.StreamableClientTransport{Endpoint: url + "/mcp", HTTPClient: &http.Client{Transport: withToken(token)}, DisableStandaloneSSE: true}
}

func namesOf(t *testing.T, session *mcp.ClientSession) (names []string, cached string) {
	t.Helper()
	list, err := session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
	}
	return names, list.CacheScope
}

// TestMCP lists and calls tools as an MCP client with tokens of three scopes.
func TestMCP(t *testing.T) {
	t.Parallel()
	r := start(t)
	token := func(name string, scopes ...string) string {
		var made struct{ Token string }
		r.call(t, http.MethodPost, "/api/v1/accounts/tokens", map[string]any{"name": name, "team": "main", "scopes": scopes}, &made)
		return made.Token
	}
	all, cached := namesOf(t, mcpSession(t, overHTTP(r.URL(), token("all", "*"))))
	if cached != "private" {
		t.Errorf("the list may be cached by %q", cached)
	}
	reading, _ := namesOf(t, mcpSession(t, overHTTP(r.URL(), token("reader", "read"))))
	session := mcpSession(t, overHTTP(r.URL(), token("logs", "logs:read")))
	logs, _ := namesOf(t, session)
	if !slices.Contains(all, "ci_job_trigger") || !slices.Contains(reading, "ci_builds_list") || slices.Contains(reading, "ci_job_trigger") {
		t.Errorf("all: %v\nreading: %v", all, reading)
	}
	if len(logs) == 0 || slices.ContainsFunc(logs, func(name string) bool { return !strings.HasPrefix(name, "logs_") }) {
		t.Errorf("logs: %v", logs)
	}
	call := func(name string, args any) *mcp.CallToolResult {
		t.Helper()
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: args})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	if result := call("logs_line_search", map[string]any{"team": "main", "query": "anything"}); result.IsError || result.StructuredContent == nil {
		t.Errorf("%+v", said(result))
	}
	if result := call("logs_line_search", map[string]any{"team": "main", "queri": "x"}); !result.IsError || !strings.Contains(said(result), "queri is not a field") {
		t.Errorf("%+v", said(result))
	}
	if result := call("logs_line_search", map[string]any{"team": "elsewhere", "query": "x"}); !result.IsError {
		t.Error("another team's lines")
	}
	if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "ci_builds_list"}); err == nil {
		t.Error("a tool beyond the token's scopes was called")
	}
}

func said(result *mcp.CallToolResult) string {
	raw, _ := json.Marshal(result.Content)
	return string(raw)
}

// TestMCPRefuses says who does not get in: nobody, a page of another site, and a message without end.
func TestMCPRefuses(t *testing.T) {
	t.Parallel()
	r := start(t)
	list := map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
	if status, _ := r.as("").send(t, http.MethodPost, "/mcp", list); status != http.StatusUnauthorized {
		t.Errorf("nobody: %d", status)
	}
	if status, text := r.send(t, http.MethodPost, "/mcp", list, "Origin", "https://evil.example", "Accept", "application/json, text/event-stream"); status != http.StatusForbidden {
		t.Errorf("another site: %d %s", status, text)
	}
	list["params"] = strings.Repeat("x", 2<<20)
	if status, _ := r.send(t, http.MethodPost, "/mcp", list, "Accept", "application/json, text/event-stream"); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a long message: %d", status)
	}
}

// TestMCPOverPipes starts the binary as an editor does.
func TestMCPOverPipes(t *testing.T) {
	t.Parallel()
	r := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t), "mcp")
	cmd.Env = append(os.Environ(), "SIGNALBOX_URL="+r.URL(), "SIGNALBOX_TOKEN="+r.token)
	session := mcpSession(t, &mcp.CommandTransport{Command: cmd})
	if names, _ := namesOf(t, session); !slices.Contains(names, "issues_issue_list") {
		t.Errorf("%v", names)
	}
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "logs_line_search", Arguments: map[string]any{"team": "main", "query": "x"}})
	if err != nil || result.IsError {
		t.Error(err, result)
	}
}
