package llm

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// conversation is one that has a question, calls, results and a second question in it.
var conversation = Request{
	System: "Be brief.", MaxTokens: 500,
	Tools: []Tool{{Name: "ci_builds_list", Description: "Builds", Schema: json.RawMessage(`{"type":"object","properties":{"team":{"type":"string"}},"required":["team"]}`)}},
	Messages: []Message{
		{Text: "Which builds fail?"},
		{FromModel: true, Text: "I look.", Calls: []Call{{ID: "c1", Name: "ci_builds_list", Args: json.RawMessage(`{"team":"main"}`)}, {ID: "c2", Name: "ci_builds_list", Args: json.RawMessage(`{}`)}}},
		{Results: []Result{{CallID: "c1", Text: "none"}, {CallID: "c2", Text: "team is missing", IsError: true}}},
	},
}

// TestProviders holds one conversation over each protocol against a server that checks what it is sent.
func TestProviders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		provider, path string
		// asks must stand in the request, in this order.
		asks   []string
		answer string
	}{
		{"openai", "/chat/completions", []string{`"role":"system"`, `"Be brief."`, `"role":"user"`, `"role":"assistant"`, `"arguments":"{\"team\":\"main\"}"`, `"role":"tool"`, `"tool_call_id":"c1"`, `"tool_call_id":"c2"`, `"name":"ci_builds_list"`, `"parameters":{"type":"object"`},
			`{"choices":[{"message":{"role":"assistant","content":"None fails.","tool_calls":[{"id":"c3","type":"function","function":{"name":"ci_builds_list","arguments":"{\"team\":\"x\"}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":40}}}`},
		{"anthropic", "/v1/messages", []string{`"role":"user"`, `"type":"tool_use"`, `"type":"tool_result"`, `"is_error":true`, `"text":"Be brief."`, `"input_schema"`},
			`{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"None fails."},{"type":"tool_use","id":"c3","name":"ci_builds_list","input":{"team":"x"}}],"stop_reason":"tool_use","usage":{"input_tokens":60,"cache_read_input_tokens":40,"output_tokens":7}}`},
		{"bedrock", "/model/some.model/converse", []string{`"toolUseId":"c1"`, `"status":"error"`, `"Be brief."`, `"inputSchema"`},
			`{"output":{"message":{"role":"assistant","content":[{"text":"None fails."},{"toolUse":{"toolUseId":"c3","name":"ci_builds_list","input":{"team":"x"}}}]}},"stopReason":"tool_use","usage":{"inputTokens":100,"outputTokens":7,"totalTokens":107,"cacheReadInputTokens":40},"metrics":{"latencyMs":1}}`},
	} {
		t.Run(c.provider, func(t *testing.T) {
			t.Parallel()
			var asked string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				asked = string(body)
				if r.URL.Path != c.path {
					t.Errorf("path %s", r.URL.Path)
				}
				if !strings.Contains(r.Header.Get("Authorization")+r.Header.Get("X-Api-Key"), "key-1") {
					t.Errorf("headers %v", r.Header)
				}
				w.Header().Set("Content-Type", "application/json")
				if _, err := io.WriteString(w, c.answer); err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			model, err := New(Config{Provider: c.provider, Model: "some.model", URL: server.URL, Key: "key-1", Secret: "s", Region: "eu-west-1", HTTP: server.Client()})
			if err != nil {
				t.Fatal(err)
			}
			reply, err := model.Turn(t.Context(), conversation)
			if err != nil {
				t.Fatal(err)
			}
			if reply.Text != "None fails." || len(reply.Calls) != 1 || reply.Calls[0].ID != "c3" || string(reply.Calls[0].Args) != `{"team":"x"}` || reply.Stop != Tools || reply.Usage != (Usage{100, 7, 40}) {
				t.Errorf("%+v", reply)
			}
			for _, want := range c.asks {
				if !strings.Contains(asked, want) {
					t.Errorf("the request lacks %s:\n%s", want, asked)
				}
			}
		})
	}
}

// TestOddChats reads what local servers make of the protocol.
func TestOddChats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, text, args, malformed string }{
		{"arguments as an object, no id, no content", `{"choices":[{"message":{"content":null,"tool_calls":[{"function":{"name":"a","arguments":{"x":1}}}]}}]}`, "", `{"x":1}`, ""},
		{"no arguments", `{"choices":[{"message":{"content":"","tool_calls":[{"id":"1","function":{"name":"a"}}]}}]}`, "", `{}`, ""},
		{"arguments that are no JSON", `{"choices":[{"message":{"tool_calls":[{"id":"1","function":{"name":"a","arguments":"{x"}}]}}]}`, "", `{}`, "no JSON object"},
		{"null as arguments", `{"choices":[{"message":{"tool_calls":[{"id":"1","function":{"name":"a","arguments":"null"}}]}}]}`, "", `{}`, ""},
	} {
		reply, err := readChat([]byte(c.body))
		if err != nil || len(reply.Calls) != 1 || reply.Calls[0].ID == "" || string(reply.Calls[0].Args) != c.args || !strings.Contains(reply.Calls[0].Malformed, c.malformed) || reply.Text != c.text {
			t.Errorf("%s: %+v %v", c.name, reply, err)
		}
	}
	for _, bad := range []string{`{}`, `[]`, `no`} {
		if _, err := readChat([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
	if reply, _ := readChat([]byte(`{"choices":[{"message":{"content":"half"},"finish_reason":"length"}]}`)); reply.Stop != Cut {
		t.Errorf("%+v", reply)
	}
}

// TestRefusals names what a provider says when it does not answer.
func TestRefusals(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error":{"type":"overloaded_error","message":"too busy"}}`, http.StatusServiceUnavailable)
	}))
	defer server.Close()
	for _, provider := range []string{"openai", "anthropic", "bedrock"} {
		model, err := New(Config{Provider: provider, Model: "m", URL: server.URL, Key: "k", Secret: "s", Region: "r", HTTP: server.Client()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := model.Turn(t.Context(), conversation); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("%s: %v", provider, err)
		}
	}
	for _, c := range []Config{{Provider: "x", Model: "m", HTTP: http.DefaultClient}, {Provider: "openai", HTTP: http.DefaultClient}, {Provider: "openai", Model: "m"}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}
